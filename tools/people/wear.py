"""What people wear and what stands behind and before them: clothes, glasses, headwear, backgrounds, hands, microphones."""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.core.segments import KINDS
from tools.people.heads import CANVAS_PX, EYES_PX, FACE, NECK, UNIT_PX, BareHead
from tools.people.ingredients import Ingredients
from tools.people.paint import (
    Canvas,
    Field,
    clouds,
    grain,
    grid,
    lines,
    polygon,
    rough,
    smooth_closed,
    soft,
    step,
    streaks,
    vivid,
)  # fmt: skip

CLOTHES: Final = KINDS.index("clothes")
GLASSES: Final = KINDS.index("glasses")
HEADWEAR: Final = KINDS.index("headwear")
OCCLUDER: Final = KINDS.index("occluder")
U: Final = UNIT_PX
Picture = Float32[np.ndarray, "H W 3"]


def cloth(rng: np.random.Generator, stuff: Ingredients, *, colour: np.ndarray | None = None) -> Picture:
    """Plain, woven, striped, checked, dotted, flowered or cut from a portrait, with folds."""
    x, y = grid()
    base = vivid(rng) if colour is None else colour
    other = vivid(rng)
    kind = rng.random()
    if colour is None and kind < 0.22 and len(stuff.cloth):
        return tiled(rng, stuff.cloth)
    angle = rng.uniform(0, np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = -x * np.sin(angle) + y * np.cos(angle)
    pattern: Field = np.zeros((CANVAS_PX, CANVAS_PX), np.float32)
    period = rng.uniform(0.05, 0.5) * U
    if kind < 0.35:
        pattern = step(np.sin(2 * np.pi * along / period) - rng.uniform(-0.6, 0.9), 0.3)
    elif kind < 0.42:
        pattern = 0.5 * (step(np.sin(2 * np.pi * along / period), 0.3) + step(np.sin(2 * np.pi * across / period), 0.3))
    elif kind < 0.5:
        pattern = step(np.sin(2 * np.pi * along / period) * np.sin(2 * np.pi * across / period) - 0.5, 0.2)
    elif kind < 0.6:
        pattern = step(rough(rng, rng.uniform(0.1, 0.5) * U) - rng.uniform(-0.3, 1), 0.2)
    made = base + (other - base) * (pattern * rng.uniform(0.2, 1))[..., None]
    folds = streaks(along + 0.2 * U * clouds(rng, U), across, along=24, seed=9)
    shade = np.exp(
        rng.uniform(0, 0.12) * folds + rng.uniform(0, 0.3) * clouds(rng, U) + rng.uniform(0, 0.1) * grain(rng)
    )
    return (made * shade[..., None]).astype(np.float32)


def tiled(rng: np.random.Generator, patches: np.ndarray, *, scale: float = 1.0) -> Picture:
    """One patch, mirrored over the canvas."""
    patch = patches[rng.integers(len(patches))]
    size = max(8, round(64 * scale))
    patch = cv2.resize(patch, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.float32) / np.float32(255)
    block = np.concatenate([patch, patch[:, ::-1]], 1)
    block = np.concatenate([block, block[::-1]], 0)
    count = CANVAS_PX // (2 * size) + 2
    whole = np.tile(block, (count, count, 1))
    dx, dy = rng.integers(0, 2 * size, 2)
    return np.ascontiguousarray(whole[dy : dy + CANVAS_PX, dx : dx + CANVAS_PX])


def background(rng: np.random.Generator, stuff: Ingredients) -> Picture:
    """Plain, graded, mottled, flags, shelves, blurred clutter, or a portrait's own."""
    x, y = grid()
    kind = rng.random()
    first, second = vivid(rng), vivid(rng)
    if kind < 0.40:
        angle, power = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.6)
        along = ((x - 200) * np.cos(angle) + (y - 200) * np.sin(angle)) / 400
        near = first + rng.normal(0, 0.12, 3) if rng.random() < 0.7 else second
        made = first + (near - first) * (along + 0.5)[..., None]
        if rng.random() < 0.5:
            spot = np.exp(
                -((x - rng.uniform(0, 400)) ** 2 + (y - rng.uniform(0, 400)) ** 2) / (rng.uniform(60, 250) ** 2)
            )
            made = made * (1 + power * spot[..., None])
        made = made * np.exp(rng.uniform(0, 0.15) * rough(rng, rng.uniform(20, 120)))[..., None]
    elif kind < 0.58:
        made = tiled(rng, stuff.background, scale=rng.uniform(1, 6))
    elif kind < 0.72:
        made = _flag(rng, x, y)
    elif kind < 0.80:
        made = np.zeros((CANVAS_PX, CANVAS_PX, 3), np.float32)
        edge = 0.0
        vertical = rng.random() < 0.8
        while edge < CANVAS_PX:
            wide = rng.uniform(4, 40)
            part = slice(int(edge), int(edge + wide) + 1)
            made[(slice(None), part) if vertical else part] = vivid(rng) * rng.uniform(0.4, 1)
            edge += wide
        made = made * np.exp(0.15 * clouds(rng, 60))[..., None]
    else:
        made = np.stack([0.5 + 0.25 * rough(rng, rng.uniform(15, 120)) for _ in range(3)], -1)
        made = made + (made.mean(2, keepdims=True) - made) * rng.uniform(0.2, 1)
        for _ in range(int(rng.integers(0, 10))):
            corner = rng.uniform(0, CANVAS_PX, 2)
            size = rng.uniform(10, 160, 2)
            box = (np.abs(x - corner[0]) < size[0]) & (np.abs(y - corner[1]) < size[1])
            made[box] = vivid(rng)
    if rng.random() < 0.6:
        sigma = rng.uniform(0.8, 10)
        few = cv2.resize(made.astype(np.float32), (200, 200), interpolation=cv2.INTER_AREA)
        made = cv2.resize(cv2.GaussianBlur(few, (0, 0), sigma / 2), (CANVAS_PX, CANVAS_PX))
    return made.clip(0, 1).astype(np.float32)


def _flag(rng: np.random.Generator, x: Field, y: Field) -> Picture:
    folds = np.exp(rng.uniform(0.1, 0.35) * streaks(x * rng.uniform(0.05, 0.2), y, along=24, seed=2))
    period = rng.uniform(16, 70)
    angle = rng.normal(0, 0.4) + (np.pi / 2 if rng.random() < 0.3 else 0)
    wave = np.sin(((x + 18 * clouds(rng, 80)) * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    first, second = (
        (np.array([0.62, 0.12, 0.15]), np.array([0.88, 0.86, 0.84])) if rng.random() < 0.7 else (vivid(rng), vivid(rng))
    )
    made = first + (second - first) * step(wave, 0.2)[..., None]
    blue = step((x - rng.uniform(0, 400)) * rng.choice([-1, 1]) / 20 + clouds(rng, 60), 0.3)
    stars = step(clouds(rng, 9) - 1.3, 0.3)[..., None]
    made = made * (1 - blue[..., None]) + blue[..., None] * (np.array([0.12, 0.15, 0.36]) * (1 - stars) + stars * 0.85)
    if rng.random() < 0.5:
        plain = vivid(rng)
        made = np.where(((x < rng.uniform(60, 200)) | (x > rng.uniform(220, 380)))[..., None], made, plain)
    return (made * folds[..., None]).astype(np.float32)


def dress(rng: np.random.Generator, head: BareHead, canvas: Canvas, stuff: Ingredients) -> None:
    """Shoulders, neckline, collar, tie, lapels; scarves and high necks now and then."""
    x, y = grid()
    chin_y = float(head.landmarks[152, 1])
    neck = head.part == NECK
    at_neck = neck & (np.abs(y - (chin_y + 0.5 * U)) < 4)
    centre = float(x[at_neck].mean()) if at_neck.any() else 200.0
    half = 0.5 * float(np.ptp(x[at_neck])) / U if at_neck.any() else 0.95
    tilt = rng.normal(0, 0.06)
    across = (x - centre - rng.normal(0, 0.1) * U) / U
    down = (y - chin_y) / U + tilt * across
    base = rng.uniform(0.55, 1.25)
    slope = rng.uniform(0.18, 0.6)
    shoulders = (
        down
        - base
        - slope * np.clip(np.abs(across) - half, 0, None)
        + 0.12 * np.exp(-(((np.abs(across) - half) / 0.3) ** 2))
    )
    edge = 0.03 * clouds(rng, U * 0.6)
    torso = step(shoulders + 0.25 * (np.abs(across) < half + 0.15) + edge, 0.04)
    # Shoulders of the bare head do not look out beside a collar.
    torso = np.maximum(torso, neck * step(np.minimum(down - 0.15, np.abs(across) - half - 0.05), 0.05))
    style = str(
        rng.choice(
            ["suit", "shirt", "tee", "vee", "blouse", "high", "bare"], p=[0.42, 0.12, 0.12, 0.12, 0.10, 0.08, 0.04]
        )
    )
    shade = rng.uniform(0.75, 1.15) * canvas.lit
    stuff_colour = (
        np.array([0.08, 0.09, 0.12]) * rng.uniform(0.5, 3) if style == "suit" and rng.random() < 0.6 else None
    )
    outer = cloth(rng, stuff, colour=stuff_colour) * shade[..., None]
    if style in ("suit", "shirt"):
        shirt = np.full(3, rng.uniform(0.75, 1.0)) if rng.random() < 0.6 else vivid(rng)
        inner = cloth(rng, stuff, colour=shirt) * shade[..., None] if rng.random() < 0.8 else outer
        collar_top = rng.uniform(0.10, 0.62)
        open_ = rng.uniform(0, 0.5) if rng.random() < 0.45 else 0.0
        depth = rng.uniform(0.3, 1.2)
        gap = open_ * np.clip(1 - (down - collar_top) / depth, 0, 1.4)
        collar = np.minimum(
            down - collar_top + 0.28 * np.abs(across) / max(half, 0.4) * rng.uniform(-1.2, 0.9),
            half + 0.18 - np.abs(across),
        )
        collar = np.minimum(collar, np.abs(across) - gap) + edge
        canvas.lay(torso * (np.abs(across) >= gap), inner, CLOTHES)
        canvas.lay(step(collar, 0.05), inner * rng.uniform(0.8, 1.05), CLOTHES)
        wing = lines(
            [
                np.array(
                    [
                        (centre - s * 0.05 * U, chin_y + (collar_top + 0.35) * U),
                        (centre + s * half * U, chin_y + collar_top * U),
                    ]
                )
                for s in (-1, 1)
            ],
            1,
        )
        canvas.lay(wing * 0.5 * torso, (0.2, 0.2, 0.2), None)
        if not open_ and rng.random() < 0.8:
            wide = 0.10 + 0.10 * np.clip(down - collar_top, 0, 3)
            tie = step(np.minimum(wide - np.abs(across), down - collar_top - 0.12), 0.04)
            canvas.lay(tie, cloth(rng, stuff) * shade[..., None], CLOTHES)
        if style == "suit":
            lapel = np.abs(across) - np.clip(
                rng.uniform(0.9, 1.3) - rng.uniform(0.35, 0.6) * (down - collar_top), 0.0, 2
            )
            jacket = torso * step(lapel, 0.04)
            canvas.lay(jacket, outer, CLOTHES)
            canvas.lay(soft(jacket, 1.0) * (1 - jacket) * 0.4 * torso, (0, 0, 0), None)
            if rng.random() < 0.35:
                # A lapel of another colour: dark ones beside the neck look like hair.
                band = torso * step(np.minimum(lapel + 0.02, rng.uniform(0.12, 0.5) - lapel), 0.04)
                trim = vivid(rng) * rng.choice([0.15, 0.5, 1.0])
                canvas.lay(band, trim * shade[..., None], CLOTHES)
    elif style == "high":
        top = rng.uniform(-0.02, 0.5)
        roll = (
            np.minimum(
                down - top + rng.uniform(0, 0.25) * np.abs(across), half + rng.uniform(0.05, 0.4) - np.abs(across)
            )
            + 2 * edge
        )
        canvas.lay(np.maximum(torso, step(roll, 0.06)), outer, CLOTHES)
    else:
        depth = {
            "tee": rng.uniform(0.7, 1.2),
            "vee": rng.uniform(1.2, 2.6),
            "blouse": rng.uniform(0.9, 2.2),
            "bare": 3.0,
        }[style]
        wide = rng.uniform(0.75, 1.4) * half + (1.0 if style == "bare" else 0)
        line = np.abs(across) / wide
        low = depth * (1 - line) if style in ("vee", "blouse") else depth * np.sqrt(np.clip(1 - line**2, 0, 1))
        canvas.lay(torso * step(down - np.maximum(low, 0) + edge, 0.04), outer, CLOTHES)
        skin = torso * (1 - step(down - np.maximum(low, 0) + edge, 0.04)) * (canvas.label == 0)
        if skin.any() and neck.any():
            canvas.lay(skin, canvas.image[neck].mean(0), KINDS.index("neck"))
        if rng.random() < 0.3:
            arc = np.linspace(-1, 1, 25)
            hang = np.stack(
                [centre + arc * half * U * 1.1, chin_y + (0.55 + rng.uniform(0.2, 1.0) * (1 - arc**2)) * U], 1
            )
            if rng.random() < 0.5:
                canvas.lay(lines([hang], rng.uniform(0.6, 3)), vivid(rng) * 0.5 + 0.5, CLOTHES)
            else:
                for px, py in hang:
                    canvas.lay(step(rng.uniform(2, 4) - np.hypot(x - px, y - py), 1.0), (0.93, 0.91, 0.87), CLOTHES)
    if rng.random() < 0.05:
        scarf = step(
            np.minimum(down - rng.uniform(0.1, 0.5) + 0.15 * clouds(rng, U * 0.5), half + 0.5 - np.abs(across)), 0.1
        )
        canvas.lay(scarf, cloth(rng, stuff) * shade[..., None], CLOTHES)


def put_on_glasses(rng: np.random.Generator, head: BareHead, canvas: Canvas) -> None:
    """Frames of any shape and width, rimless ones, tinted lenses, glare."""
    marks = head.landmarks.astype(np.float64)
    right, left = marks[[33, 133]].mean(0), marks[[263, 362]].mean(0)
    axis = (left - right) / max(np.linalg.norm(left - right), 1)
    up = np.array([axis[1], -axis[0]])
    iod = float(np.linalg.norm(left - right))
    nose = marks[[168, 6]].mean(0)
    wide, tall = rng.uniform(0.34, 0.47), rng.uniform(0.2, 0.42)
    power = rng.uniform(1.7, 4.0)
    width = rng.choice([rng.uniform(0.5, 1.4), rng.uniform(1.5, 5.0)])
    colour = np.full(3, rng.uniform(0.03, 0.3)) if rng.random() < 0.6 else vivid(rng)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    drop = rng.uniform(-0.02, 0.12) * U
    rings: list[np.ndarray] = []
    inner_ends, outer_ends = [], []
    flat = rng.uniform(0.7, 1.0)
    for eye, side in ((right, -1.0), (left, 1.0)):
        apart = np.linalg.norm(eye - nose)
        own = wide * U * np.clip(apart / (0.5 * U), 0.45, 1.1)
        c, s = np.cos(angle), np.sin(angle)
        shape = np.abs(c) ** (2 / power) * np.sign(c) * own, np.abs(s) ** (2 / power) * np.sign(s) * tall * U
        high = shape[1] * np.where(s > 0, flat, 1.0) + 0.06 * U * rng.uniform(-1, 1) * c * side
        centre = eye - up * drop + axis * side * rng.uniform(-0.02, 0.05) * iod
        rings.append(centre + shape[0][:, None] * axis + high[:, None] * up)
        inner_ends.append(centre - axis * side * own + up * 0.1 * tall * U)
        outer_ends.append(centre + axis * side * own + up * 0.35 * tall * U)
    lens = np.maximum(polygon(rings[0]), polygon(rings[1]))
    dark = rng.random()
    if dark < 0.14:
        tint = rng.uniform(0.75, 0.98)
        canvas.lay(lens * tint, vivid(rng) * 0.25, GLASSES)
    elif dark < 0.5:
        canvas.lay(lens * rng.uniform(0, 0.25), vivid(rng), None)
    if rng.random() < 0.35:
        x, y = grid()
        band = np.exp(-(((x * rng.uniform(-1, 1) + y - rng.uniform(120, 220)) / rng.uniform(3, 14)) ** 2))
        canvas.lay(lens * band * rng.uniform(0.2, 0.95), (0.95, 0.97, 1.0), GLASSES, above=0.6)
    parts: list[np.ndarray] = [np.stack([inner_ends[0], nose + up * rng.uniform(0, 0.06) * U, inner_ends[1]])]
    for end, ear, side in ((outer_ends[0], marks[127], -1), (outer_ends[1], marks[356], 1)):
        if side * head.yaw < 0.45:
            parts.append(np.stack([end, ear + axis * side * 0.06 * U]))
    frame = lines(parts, max(width * 0.8, 0.8))
    if rng.random() < 0.85:
        rims = lines(rings, width, closed=True)
        if rng.random() < 0.2:
            half_way = slice(0, 21) if rng.random() < 0.6 else slice(20, 40)
            rims = lines([ring[half_way] for ring in rings], width)
        frame = np.maximum(frame, rims)
    shadow = np.roll(soft(frame, 1.5), round(rng.uniform(1, 4)), 0)
    canvas.lay(shadow * rng.uniform(0, 0.35) * (head.part == FACE), (0.1, 0.05, 0.03), None)
    shine = np.exp(rng.uniform(0, 0.5) * clouds(rng, U * 0.3))
    canvas.lay(frame, colour * (canvas.lit * shine)[..., None], GLASSES, above=0.42)


def put_on_headwear(
    rng: np.random.Generator, head: BareHead, canvas: Canvas, stuff: Ingredients, skull: np.ndarray
) -> None:
    """Caps, beanies, brimmed hats, turbans, headscarves, headbands."""
    x, y = grid()
    kind = str(rng.choice(["cap", "beanie", "hat", "turban", "scarf", "band"], p=[0.2, 0.16, 0.16, 0.14, 0.26, 0.08]))
    made = cloth(rng, stuff) * canvas.lit[..., None] * rng.uniform(0.7, 1.1)
    middle_x = float(x[skull & (head.height > 0.1)].mean())
    below = (y - EYES_PX[1]) / U
    across = (x - middle_x) / U
    face_across = (x - float(head.landmarks[168, 0])) / U
    off = cv2.distanceTransform((~skull).astype(np.uint8), cv2.DIST_L2, 3) / np.float32(U)
    if kind == "scarf":
        ring = head.landmarks[[10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]]  # fmt: skip
        centre = ring.mean(0)
        hole = polygon(
            smooth_closed(centre + (ring - centre) * np.array([rng.uniform(0.85, 1.06), rng.uniform(0.88, 1.06)]), 72)
        )
        thick = rng.uniform(0.06, 0.3) + 0.05 * clouds(rng, U * 0.5)
        outline = step(thick - off, 0.05) * (below < 2)
        half = 0.5 * float(np.ptp(x[skull])) / U
        drape = step(half + thick + rng.uniform(0, 0.5) * np.clip(below - 1, 0, 3) - np.abs(across), 0.06) * (
            below > -0.2
        )
        reach = rng.uniform(2.2, 5)
        alpha = np.maximum(outline, drape * (below < reach)) * (1 - hole)
        folds = np.exp(
            0.25 * streaks(np.hypot(across, below) * U * 0.4, np.arctan2(across, below + 3) * U, along=24, seed=4)
        )
        canvas.lay(alpha, made * folds[..., None], HEADWEAR)
        canvas.lay(soft(alpha, 3) * (1 - alpha) * 0.5, (0.05, 0.03, 0.02), None)
        return
    tilt = rng.normal(0, 0.12)
    line = -rng.uniform(0.35, 1.0) + tilt * face_across - 0.12 * face_across**2 * rng.uniform(-1, 1)
    thick = {"cap": 0.14, "beanie": 0.16, "hat": 0.2, "turban": 0.4, "band": 0.05}[kind] * rng.uniform(0.6, 1.5)
    dome = step(thick * np.clip(1.3 - np.abs(across) * 0.4, 0.4, 1.3) - off + 0.02 * clouds(rng, U * 0.4), 0.05)
    if kind == "hat":
        crown = rng.uniform(0.4, 1.0)
        dome = np.maximum(dome, step(np.minimum(1.25 - np.abs(across), below + 2.0 + crown), 0.05))
    upper = step(line - below, 0.05)
    alpha = dome * upper
    if kind == "band":
        alpha = alpha * step(below - line + rng.uniform(0.15, 0.4), 0.05)
    if kind == "turban":
        made = (
            made
            * np.exp(0.3 * streaks((below + 0.5 * np.abs(across)) * U * 0.3, across * U, along=24, seed=6))[..., None]
        )
    canvas.lay(soft(np.roll(alpha, 6, 0), 4) * (1 - alpha) * rng.uniform(0.1, 0.6) * skull, (0.05, 0.03, 0.02), None)
    canvas.lay(alpha, made, HEADWEAR)
    if kind in ("cap", "hat"):
        reach = rng.uniform(1.5, 2.6) if kind == "hat" else rng.uniform(0.8, 1.1)
        deep = rng.uniform(0.12, 0.35)
        brim = 1 - (face_across / reach) ** 2 - ((below - line + rng.uniform(-0.05, 0.1)) / deep) ** 2
        canvas.lay(step(brim, 0.2), (made if rng.random() < 0.7 else vivid(rng)) * 0.8, HEADWEAR)
    if kind == "beanie":
        cuff = step(np.minimum(line - below + 0.04, below - line + rng.uniform(0.3, 0.5)), 0.04) * step(
            thick * 1.4 - off, 0.05
        )
        canvas.lay(cuff, made * 0.9, HEADWEAR)


def put_before(rng: np.random.Generator, head: BareHead, canvas: Canvas, stuff: Ingredients, tone: np.ndarray) -> None:
    """A microphone, a hand, a cup, a telephone, a face mask or anything at all."""
    x, y = grid()
    kind = str(rng.choice(["microphone", "hand", "box", "mask", "blob"], p=[0.4, 0.25, 0.12, 0.12, 0.11]))
    marks = head.landmarks
    chin = marks[152].astype(np.float64)
    if kind == "microphone":
        for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
            tip = chin + rng.normal(0, 1, 2) * np.array([0.6, 0.45]) * U + np.array([0, 0.35 * U])
            foot = tip + np.array([rng.normal(0, 0.5), rng.uniform(1.5, 4)]) * U
            size = rng.uniform(0.12, 0.42) * U
            stretch = rng.uniform(1.0, 1.6)
            colour = np.full(3, rng.uniform(0.02, 0.25)) if rng.random() < 0.75 else vivid(rng)
            stick = lines([np.stack([tip, foot])], rng.uniform(0.06, 0.45) * size * 2)
            canvas.lay(stick, np.full(3, rng.uniform(0.03, 0.6)) * canvas.lit[..., None], OCCLUDER)
            way = (foot - tip) / np.linalg.norm(foot - tip)
            a, b = (x - tip[0]) * way[0] + (y - tip[1]) * way[1], -(x - tip[0]) * way[1] + (y - tip[1]) * way[0]
            ball = 1 - np.sqrt((a / (size * stretch)) ** 2 + (b / size) ** 2)
            mesh = 1 + 0.3 * np.sin(x * rng.uniform(1, 2.5)) * np.sin(y * rng.uniform(1, 2.5)) + 0.2 * grain(rng)
            shade = mesh * (0.6 + 0.9 * np.clip(0.5 - b / size * rng.uniform(-0.5, 0.5), 0, 1))
            canvas.lay(step(ball, 0.12), colour * shade[..., None] + 0.02, OCCLUDER)
    elif kind == "hand":
        at = chin + np.array([rng.normal(0, 0.8), rng.uniform(-1.2, 0.6)]) * U
        toward = rng.uniform(-0.9, 0.9)
        way = np.array([np.sin(toward), -np.cos(toward)])
        aside = np.array([way[1], -way[0]])
        alpha = np.zeros((CANVAS_PX, CANVAS_PX), np.float32)
        shade = np.ones_like(alpha)
        palm = at - way * rng.uniform(0.8, 1.3) * U
        wrist = palm - way * rng.uniform(2, 4) * U
        for start, end, wide in [(wrist, palm, 0.75), *[
            (palm + aside * k * 0.24 * U, at + aside * k * 0.28 * U + way * rng.uniform(-0.25, 0.35) * U, rng.uniform(0.24, 0.32)) for k in (-1.5, -0.5, 0.5, 1.5)
        ]]:  # fmt: skip
            finger = lines([np.stack([start, end])], wide * U)
            edge = soft(finger, 2.5)
            shade = np.where(finger > 0.5, 0.55 + 0.5 * edge, shade)
            alpha = np.maximum(alpha, finger)
        colour = (
            tone * np.exp(rng.normal(0, 0.1)) * (shade * canvas.lit * np.exp(0.08 * clouds(rng, U * 0.3)))[..., None]
        )
        canvas.lay(soft(np.roll(alpha, 5, 0), 4) * 0.3, (0.1, 0.05, 0.04), None)
        canvas.lay(alpha, colour, OCCLUDER)
    elif kind == "mask":
        top = marks[[6, 197]].mean(0)
        ring = np.concatenate([[marks[234]], [top], [marks[454]], marks[[323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93]] + np.array([0, 0.06 * U])])  # fmt: skip
        colour = rng.choice([np.array([0.6, 0.78, 0.85]), np.full(3, 0.93), np.full(3, 0.08), vivid(rng)])
        pleats = 1 + 0.1 * np.sin(y / rng.uniform(2, 6)) + 0.1 * clouds(rng, U * 0.5)
        canvas.lay(polygon(ring), colour * (pleats * canvas.lit)[..., None], OCCLUDER)
    else:
        at = chin + np.array([rng.normal(0, 1.4), rng.normal(0.2, 0.9)]) * U
        made = cloth(rng, stuff)
        if kind == "box":
            size = rng.uniform(0.25, 1.3, 2) * U
            turn = rng.normal(0, 0.4)
            a, b = (
                (x - at[0]) * np.cos(turn) + (y - at[1]) * np.sin(turn),
                -(x - at[0]) * np.sin(turn) + (y - at[1]) * np.cos(turn),
            )
            alpha = step(np.minimum(size[0] - np.abs(a), size[1] - np.abs(b)), 1.5)
        else:
            alpha = step(
                1 - np.hypot(x - at[0], y - at[1]) / (rng.uniform(0.3, 1.2) * U) + 0.25 * clouds(rng, U * 0.5), 0.05
            )
        canvas.lay(alpha, made, OCCLUDER)
