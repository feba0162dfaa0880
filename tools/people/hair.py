"""Hair of any length, kind and colour as layers: behind the neck, on the skull, falling before the face; beards, brows.

style (random) --> where: distance over the skull, place on it, noise --> how: streaks along a flow, waves, coils
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.core.segments import KINDS
from tools.people.heads import CANVAS_PX, EAR, EYES_PX, FACE, MOUTH, NECK, UNIT_PX, BareHead
from tools.people.ingredients import Ingredients
from tools.people.paint import Canvas, Field, clouds, grain, grid, grown, lines, rough, soft, step, streaks

HAIR: Final = KINDS.index("hair")
BROWS: Final = KINDS.index("brows")
BEARD: Final = KINDS.index("beard")
# sRGB and how often: black, browns, blonds, reds, greys, white.
_COLOURS: Final = np.array(
    [(22, 19, 19), (45, 33, 27), (74, 52, 38), (104, 76, 54), (138, 106, 76), (176, 140, 98), (204, 172, 126),
     (228, 206, 165), (150, 80, 48), (110, 50, 32), (96, 94, 92), (140, 138, 136), (186, 184, 180), (226, 224, 220)],
    np.float32,
) / np.float32(255)  # fmt: skip
_OFTEN: Final = np.array([14, 13, 11, 9, 9, 9, 9, 6, 3, 3, 6, 7, 8, 6], float)
_BROW_RINGS: Final = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
U: Final = UNIT_PX


@dataclass(frozen=True, eq=False)
class Style:
    """How someone wears their hair. Lengths in inter-ocular distances."""

    kind: str
    colour: Float32[np.ndarray, "3"]
    second: Float32[np.ndarray, "3"]
    """Colour of some strands: grey ones, highlights."""
    top: float
    side: float
    end_deg: float
    """Where the hair around the head ends, degrees from straight up."""
    bottom: float
    """How far below the eyes it falls."""
    curl: float
    """0 straight, 1 coily."""
    contrast: float
    part: float
    """Where it is parted, from the middle."""


def hair_colour(rng: np.random.Generator) -> Float32[np.ndarray, "3"]:
    """A natural colour; now and then a dyed one."""
    if rng.random() < 0.03:
        return rng.uniform(0.1, 0.8, 3).astype(np.float32)
    a, b = rng.choice(len(_COLOURS), 2, p=_OFTEN / _OFTEN.sum())
    share = rng.uniform(0, 0.3)
    mixed = _COLOURS[a] * (1 - share) + _COLOURS[b] * share
    return (mixed * np.exp(rng.normal(0, 0.12)) * np.exp(rng.normal(0, 0.03, 3))).clip(0.02, 0.97).astype(np.float32)


def random_style(rng: np.random.Generator, skin_tone: Float32[np.ndarray, "3"]) -> Style:
    """Anyone's hair; one in seven the colour of the person's own skin."""
    kinds = ("shaved", "wreath", "short", "bob", "long", "bun", "afro")
    kind = str(rng.choice(kinds, p=[0.06, 0.11, 0.36, 0.20, 0.17, 0.05, 0.05]))
    colour = hair_colour(rng)
    if rng.random() < 0.14:
        colour = (skin_tone * np.exp(rng.normal(0, 0.12, 3))).clip(0.05, 0.95).astype(np.float32)
    second = hair_colour(rng) if rng.random() < 0.35 else (colour * rng.uniform(0.6, 1.4)).clip(0, 1)
    big = kind in ("bob", "long")
    top = rng.uniform(0.10, 0.55) if big else rng.uniform(0.05, 0.38)
    side = rng.uniform(0.12, 0.55) if big else rng.uniform(0.02, 0.16)
    if kind == "bun":
        top, side = rng.uniform(0.03, 0.1), rng.uniform(0.03, 0.12)
    if kind == "wreath":
        top, side = rng.uniform(0.03, 0.1), rng.uniform(0.05, 0.26)
    if kind == "afro":
        top = rng.uniform(0.3, 1.1)
        side = top * rng.uniform(0.6, 1.0)
    curl = rng.uniform(0.7, 1) if kind == "afro" else float(rng.beta(0.8, 1.6))
    return Style(
        kind=kind, colour=colour, second=second.astype(np.float32), top=top, side=side,
        end_deg=rng.uniform(115, 150) if big or kind == "afro" else rng.uniform(84, 104),
        bottom=rng.uniform(0.9, 2.3) if kind == "bob" else rng.uniform(2.3, 5.5),
        curl=curl, contrast=rng.uniform(0.10, 0.45), part=rng.normal(0, 0.45),
    )  # fmt: skip


class Grower:
    """Draws one person's hair in layers that share flow, colour and noise."""

    def __init__(self, rng: np.random.Generator, head: BareHead, style: Style, stuff: Ingredients) -> None:
        self.rng, self.head, self.style = rng, head, style
        x, y = grid()
        skull = (head.part == FACE) | (head.part == EAR)
        skull |= (head.part != 0) & (head.height > -0.6)
        self.skull = skull & (head.height > -1.9)
        upper = self.skull & (head.height > 0.1)
        self.middle = (float(x[upper].mean()), EYES_PX[1] - 0.35 * U)
        self.off = cv2.distanceTransform((~self.skull).astype(np.uint8), cv2.DIST_L2, 3) / np.float32(U)
        self.angle = np.degrees(np.arctan2(x - self.middle[0], self.middle[1] - y)).astype(np.float32)
        wide = x[self.skull & (np.abs(y - EYES_PX[1]) < 6)]
        self.left, self.right = (float(wide.min()), float(wide.max())) if len(wide) else (140.0, 260.0)
        self.top_px = float(y[self.skull].min())
        self.face_x = float(head.landmarks[[1, 168], 0].mean())
        self.u, self.v = self._flow(x, y)
        self.strands = self._strands()
        self.colours = self._paint(x, y, stuff)

    def _flow(self, x: Field, y: Field) -> tuple[Field, Field]:
        rng, style = self.rng, self.style
        part_x, part_y = self.middle[0] + style.part * U, self.top_px - style.top * U * 0.5
        way = rng.random()
        if style.kind in ("bob", "long") or way < 0.3:
            depth = np.maximum(y - part_y, 1.5)
            u = (x - part_x) / (1 - np.exp(-depth / (U * rng.uniform(0.5, 1.1))))
            v = depth + np.abs(x - part_x)
        else:
            low = rng.uniform(-0.2, 1.2) if way < 0.75 else -2.0
            cx, cy = self.middle[0] + style.part * U * (1.0 if way < 0.75 else 0.6), EYES_PX[1] + low * U
            if way >= 0.75:
                cy = self.top_px + rng.uniform(0, 0.6) * U
            u = np.arctan2(x - cx, cy - y) * np.float32(1.5 * U)
            v = np.hypot(x - cx, y - cy)
        swing = style.curl * U
        warp = clouds(rng, U * rng.uniform(0.5, 1.5)) * (0.03 + 0.10 * style.curl) * U
        wave = np.sin(v / (U * (0.28 - 0.2 * style.curl)) + 2.5 * clouds(rng, U * 0.5)) * swing * 0.06
        return (u + warp + wave).astype(np.float32), v.astype(np.float32)

    def _strands(self) -> Field:
        """Light and dark along the hair; deviation about 1."""
        style, rng = self.style, self.rng
        fine = streaks(self.u * rng.uniform(0.8, 1.6), self.v, along=int(rng.integers(2, 4)) * 12)
        locks = streaks(self.u * rng.uniform(0.15, 0.4), self.v * 0.4, along=24, seed=1)
        if style.curl > 0.65:
            coils = rough(rng, U * rng.uniform(0.08, 0.25))
            fine = (1 - style.curl) * fine + style.curl * (coils + 0.5 * grain(rng))
        return (0.75 * fine + rng.uniform(0.3, 0.8) * locks).astype(np.float32)

    def _paint(self, x: Field, y: Field, stuff: Ingredients) -> Float32[np.ndarray, "H W 3"]:
        style, rng = self.style, self.rng
        tone = np.exp(style.contrast * self.strands.clip(-2.5, 2.5))
        if rng.random() < 0.3 and len(stuff.hair):
            patch = stuff.hair[rng.integers(len(stuff.hair))].astype(np.float32)
            patch = np.log((patch + 8) / (patch.mean() + 8))
            tiled = np.tile(np.block([[patch, patch[:, ::-1]], [patch[::-1], patch[::-1, ::-1]]]), (5, 5))
            tone = tone * np.exp(rng.uniform(0.4, 1.0) * tiled[:CANVAS_PX, :CANVAS_PX])
        away = np.hypot((x - self.middle[0]) / (1.25 * U), (y - self.middle[1]) / (1.6 * U))
        shade = 1 - rng.uniform(0.1, 0.5) * np.clip(away - 0.5, 0, 1.2)
        side = rng.normal(0, 0.25)
        shade = shade * (1 + side * np.clip((x - self.middle[0]) / (2 * U), -1, 1))
        shine = np.exp(-(((away - rng.uniform(0.5, 1.0) + 0.06 * self.strands) / rng.uniform(0.08, 0.3)) ** 2))
        shade = shade * (1 + rng.uniform(0, 0.6) * (1 - style.curl) * shine)
        mixing = step(clouds(rng, U * 0.8) * 0.6 + streaks(self.u * 0.9, self.v, seed=3) - rng.uniform(0.2, 1.6), 1.0)
        base = style.colour + (style.second - style.colour) * mixing[..., None]
        white = rng.uniform(0, 0.25) * shine * (1 - style.curl) * (style.contrast + 0.2)
        return (base * (tone * shade)[..., None] + white[..., None]).clip(0, 1.3).astype(np.float32)

    def _laid(self, canvas: Canvas, alpha: Field, dim: float | Field = 1.0) -> None:
        colour = self.colours * (canvas.lit * np.float32(dim))[..., None]
        canvas.lay(alpha.clip(0, 1), colour, HAIR)

    def behind(self, canvas: Canvas) -> None:
        """What hangs behind neck and shoulders, or stands around the head."""
        style, rng = self.style, self.rng
        x, y = grid()
        if style.kind == "bun" and rng.random() < 0.5:
            size = rng.uniform(0.25, 0.65) * U
            at = (self.middle[0] + rng.normal(0, 0.35) * U, self.top_px - size * rng.uniform(0.1, 0.7))
            if rng.random() < 0.3:
                at = (
                    self.middle[0] + rng.choice([-1, 1]) * rng.uniform(0.7, 1.1) * U,
                    EYES_PX[1] + rng.uniform(0.3, 1.4) * U,
                )
            round_ = 1 - np.hypot(x - at[0], y - at[1]) / size + 0.05 * self.strands
            self._laid(canvas, step(round_, 0.12), rng.uniform(0.7, 1.1))
        if style.kind not in ("bob", "long"):
            return
        below = (y - EYES_PX[1]) / U
        flare = rng.normal(0.1, 0.2)
        width = 0.5 * (self.right - self.left) / U + style.side + flare * np.clip(below, 0, 3) * 0.5
        width = width - np.clip(below - style.bottom + 0.5, 0, 1) * rng.uniform(0.1, 0.7)
        centre = 0.5 * (self.right + self.left) / U - np.clip(below, 0, 2) * np.float32(np.sin(self.head.yaw)) * 0.25
        lumps = 0.08 * clouds(rng, U * 0.6) * (0.4 + style.curl) + 0.03 * self.strands
        inside = np.minimum(width - np.abs(x / U - centre), style.bottom - below + 0.12 * self.strands) + lumps
        alpha = step(inside, 0.07) * step(below + 0.9, 0.1)
        self._laid(canvas, alpha, rng.uniform(0.45, 0.95))

    def on_skull(self, canvas: Canvas) -> None:
        """Scalp hair and what stands over the skull's outline."""
        style, rng, head = self.style, self.rng, self.head
        jag = 0.05 * rough(rng, U * 0.25) + rng.uniform(0.01, 0.06) * self.strands
        over = head.over - rng.normal(0.0, 0.10)
        front = np.abs(head.azimuth)
        if rng.random() < 0.35 and style.kind in ("short", "wreath", "shaved"):
            over = over - rng.uniform(0.1, 0.7) * np.exp(-(((front - rng.uniform(25, 45)) / 16) ** 2))
        if rng.random() < 0.2 and style.kind == "short":
            over = over - rng.uniform(0.1, 0.5) * np.exp(-((front / 60) ** 4))
        density = np.ones_like(over)
        if style.kind == "wreath":
            edge = rng.uniform(0.4, 1.35)
            over = np.minimum(over, (edge - head.height) + rng.uniform(0, 0.6) * step(front - 110, 40))
            density = density * rng.uniform(0.6, 1.0)
        on = step(over + jag, rng.uniform(0.03, 0.18)) * head.on_head * (head.part != EAR)
        if style.kind == "shaved":
            strength = rng.choice([0.0, rng.uniform(0.1, 0.4), rng.uniform(0.6, 0.95)])
            stubble = (0.75 + 0.25 * grain(rng)).clip(0, 1)
            self._laid(canvas, soft(on, 2) * strength * stubble, 0.9)
            return
        if rng.random() < 0.3:
            density = density * (1 - rng.uniform(0, 0.45) * step(clouds(rng, U * 0.4) + 0.8 * self.strands, 1.5))
        # Thickness falls from the top to the sides and ends beside the face.
        turned = np.abs(self.angle)
        thick = np.interp(turned, [0, 35, 75, style.end_deg, style.end_deg + 14], [style.top, style.top * 0.95, style.side, style.side * 0.9, -0.05])  # fmt: skip
        quiff = rng.normal(0, 0.25) * style.top * np.sin(np.radians(self.angle))
        thick = thick + quiff * (turned < 80)
        if style.kind == "wreath":
            level = (EYES_PX[1] - grid()[1]) / U
            thick = np.where(level > edge, -0.05, thick)
        lumps = (
            0.25 * thick * clouds(rng, U * 0.5) * (0.3 + 0.7 * style.curl) + (0.02 + 0.03 * style.curl) * self.strands
        )
        around = step(thick + lumps - self.off, rng.uniform(0.03, 0.10)) * (~self.skull) * (thick > 0.01)
        below = (head.part == NECK) & (turned > style.end_deg - 5)
        around = np.where(below, 0, around)
        alpha = np.maximum(around, on * density)
        self._laid(canvas, alpha)
        self._flyaway(canvas, alpha)

    def _flyaway(self, canvas: Canvas, alpha: Field) -> None:
        rng = self.rng
        count = int(rng.integers(0, 25))
        ys, xs = np.nonzero((alpha > 0.5) & ~self.skull)
        if not len(xs) or not count:
            return
        paths = []
        for k in rng.integers(0, len(xs), count):
            start = np.array([xs[k], ys[k]], float)
            out = start - np.array(self.middle)
            out = out / max(np.linalg.norm(out), 1) + rng.normal(0, 0.8, 2)
            t = np.linspace(0, 1, 8)[:, None]
            bend = rng.normal(0, 0.12, 2) * U
            paths.append(start + out * t * rng.uniform(0.05, 0.3) * U + bend * t**2)
        self._laid(canvas, lines(paths, 1) * rng.uniform(0.2, 0.6))

    def before(self, canvas: Canvas) -> None:
        """What falls over ears, cheeks, shoulders and forehead."""
        style, rng, head = self.style, self.rng, self.head
        x, y = grid()
        below = (y - EYES_PX[1]) / U
        covering = head.on_head | (canvas.label == HAIR)
        if style.kind in ("bob", "long"):
            reach = style.bottom if rng.random() < 0.6 else min(style.bottom, rng.uniform(1.0, 2.6))
            for side, edge in ((-1, self.left), (1, self.right)):
                if rng.random() < 0.12:
                    continue
                top_in, mid_in, low_in = rng.uniform(-0.20, 0.30), rng.uniform(-0.22, 0.40), rng.uniform(-0.3, 0.8)
                inner = np.interp(
                    below, [-1.1, -0.6, 0.2, 1.1, 2.2, 4], [0.75, top_in + 0.22, top_in, mid_in, low_in, low_in - 0.2]
                )
                outer = style.side + np.interp(below, [-0.5, 1, 3], [0, rng.uniform(-0.1, 0.3), rng.uniform(-0.3, 0.5)])
                out = (x - edge) * side / U
                jag = 0.06 * clouds(rng, U * 0.5) + rng.uniform(0.015, 0.07) * self.strands
                inside = np.minimum(out + inner + jag, outer - out + jag)
                inside = np.minimum(inside, reach - below + 0.15 * self.strands)
                start = rng.uniform(0.3, 0.9)
                inside = np.minimum(inside, below + start)
                alpha = step(inside, 0.06) * (covering | (out > -0.1) | (below > 1))
                if rng.random() < 0.35:
                    alpha = alpha * (0.65 + 0.35 * step(self.strands + clouds(rng, U) + 0.6, 1.0))
                self._laid(canvas, alpha, 1.0 - rng.uniform(0, 0.2))
        fringe = {"short": 0.22, "bob": 0.5, "long": 0.35, "afro": 0.1}.get(style.kind, 0.0)
        if rng.random() < fringe:
            self._fringe(canvas, x, below)
        if style.kind in ("bob", "long", "short", "bun") and rng.random() < 0.2:
            self._locks(canvas)

    def _fringe(self, canvas: Canvas, x: Field, below: Field) -> None:
        rng, head = self.rng, self.head
        across = (x - self.face_x) / U
        full = rng.uniform(-0.75, -0.18)
        slope = rng.normal(0, 0.35)
        arch = rng.normal(0.1, 0.25)
        lower = full + slope * across + arch * across**2 * 0.5
        if rng.random() < 0.35:
            gap = np.exp(-(((across - rng.normal(0, 0.5)) / rng.uniform(0.1, 0.35)) ** 2))
            lower = lower - rng.uniform(0.2, 0.8) * gap
        upper = head.over > -rng.uniform(0.7, 1.4)
        jag = rng.uniform(0.04, 0.16) * self.strands + 0.08 * clouds(rng, U * 0.3)
        alpha = step(lower - below + jag, rng.uniform(0.05, 0.2)) * upper * head.on_head * (np.abs(head.azimuth) < 75)
        if rng.random() < 0.4:
            alpha = alpha * step(self.strands + clouds(rng, U * 0.4) + rng.uniform(0, 1.2), 0.8)
        self._laid(canvas, alpha, rng.uniform(0.85, 1.05))

    def _locks(self, canvas: Canvas) -> None:
        """Single strands across forehead and cheek."""
        rng = self.rng
        for _ in range(int(rng.integers(1, 5))):
            side = rng.choice([-1, 1])
            start = np.array([self.face_x + side * rng.uniform(0.1, 0.9) * U, EYES_PX[1] - rng.uniform(0.7, 1.2) * U])
            end = np.array([self.face_x + side * rng.uniform(0.4, 1.15) * U, EYES_PX[1] + rng.uniform(-0.4, 2.2) * U])
            t = np.linspace(0, 1, 16)[:, None]
            bow = np.array([side * rng.uniform(-0.2, 0.5), 0]) * U * np.sin(np.pi * t)
            path = start * (1 - t) + end * t + bow
            paths = [path + rng.normal(0, 0.02, 2) * U * t for _ in range(3)]
            alpha = np.maximum(lines(paths, rng.uniform(1, 5)), 0)
            self._laid(canvas, soft(alpha, 0.6) * rng.uniform(0.6, 1.0), 0.95)


def draw_brows(rng: np.random.Generator, head: BareHead, canvas: Canvas, colour: np.ndarray) -> None:
    """Brows as short hairs along the landmarks' bands; labelled where the band is, when one can see it."""
    strength = rng.choice([rng.uniform(0.12, 0.35), rng.uniform(0.4, 0.95)], p=[0.2, 0.8])
    tint = colour * rng.uniform(0.45, 1.0)
    x, y = grid()
    for ring in _BROW_RINGS:
        points = head.landmarks[list(ring)].astype(np.float64)
        thick = rng.uniform(0.55, 1.15)
        upper, lower = points[:5], points[5:][::-1]
        spine = (upper + lower) / 2
        outline = np.concatenate([spine + (upper - spine) * thick, (spine + (lower - spine) * thick)[::-1]])
        filled = np.zeros((CANVAS_PX, CANVAS_PX), np.uint8)
        cv2.fillPoly(filled, [np.round((outline - 0.5) * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
        band = soft(filled.astype(np.float32) / 255, rng.uniform(0.8, 1.8))
        hairs = streaks((x * 0.5 + y) * 0.9, x - y * 0.3, along=12, seed=5)
        alpha = band * np.clip(strength * (0.85 + 0.25 * hairs), 0, 1) * (head.part == FACE)
        canvas.lay(alpha, tint * canvas.lit[..., None], None)
        canvas.label[(band > 0.5) & (head.part == FACE)] = BROWS


def draw_beard(rng: np.random.Generator, head: BareHead, canvas: Canvas, colour: np.ndarray) -> None:
    """Stubble, moustache, goatee or a full beard, on the face's surface and below its outline."""
    kind = rng.choice(["stubble", "moustache", "goatee", "full", "long"], p=[0.32, 0.15, 0.2, 0.23, 0.1])
    x, y = grid()
    marks = head.landmarks
    face = (head.part == FACE) | ((head.part == NECK) & (head.height > -2.35))
    face_x, mouth_y = marks[[13, 14], 0].mean(), marks[[13, 14], 1].mean()
    chin_y, nose_y = marks[152, 1], marks[2, 1]
    across = np.abs(x - face_x) / (0.5 * (marks[291, 0] - marks[61, 0]) + 1e-3)
    high = (mouth_y - y) / max(mouth_y - nose_y, 2)
    noise = 0.25 * clouds(rng, U * 0.3) + 0.12 * grain(rng)
    tache = step(np.minimum(0.95 - high, np.minimum(high + 0.2, 1.35 - across - 0.3 * high)) + 0.5 * noise, 0.3)
    down = (y - mouth_y) / max(chin_y - mouth_y, 2)
    goatee = step(np.minimum(1.05 - across * rng.uniform(0.75, 1.0), down + 0.1) + 0.5 * noise, 0.3)
    goatee = goatee * (down < rng.uniform(1.05, 1.5))
    line = np.interp(
        np.abs(head.azimuth), [0, 20, 45, 70], [-1.05, -0.95, rng.uniform(-1.0, -0.55), rng.uniform(-0.6, 0.0)]
    )
    full = step(line - head.height + 0.4 * noise, rng.uniform(0.08, 0.3)) * (down > -1.3) * (head.azimuth != 0)
    full = full * step(head.height + rng.uniform(1.9, 2.4), 0.3)
    masks = {"moustache": tache, "goatee": np.maximum(goatee, tache * (rng.random() < 0.8))}
    mask = masks.get(str(kind), np.maximum(full, tache * (rng.random() < 0.9))) * face
    if kind == "long":
        length = rng.uniform(0.1, 0.9) * U
        grow = grown(((mask > 0.5) & (down > 0.4)).astype(np.float32), length * 0.5)
        shift = np.roll(grow, round(length * 0.5), 0)
        mask = np.maximum(mask, soft(np.maximum(grow * (down > 0.6), shift), 1.5))
    ring = np.zeros((CANVAS_PX, CANVAS_PX), np.uint8)
    cv2.fillPoly(ring, [np.round((marks[[61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]] - 0.5) * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)  # fmt: skip
    lips = soft(ring.astype(np.float32) / 255, 1.0)
    mask = mask * (1 - lips * rng.uniform(0.8, 1.0)) * (head.part != MOUTH)
    fine = streaks(x + 3 * clouds(rng, U * 0.3), y, along=12, seed=7)
    curly = rough(rng, U * 0.08)
    texture = (fine if rng.random() < 0.6 else curly) + 0.4 * grain(rng)
    light = np.exp(rng.uniform(0.1, 0.4) * texture)
    if kind == "stubble":
        strength = rng.uniform(0.12, 0.65)
        alpha = mask * strength * (0.8 + 0.35 * grain(rng)).clip(0, 1)
        labelled = soft(mask, 1.5) * (strength > 0.42)
    else:
        alpha = mask * (rng.uniform(0.7, 1.0) + 0.15 * texture).clip(0, 1)
        labelled = mask
    grey = step(clouds(rng, U * 0.5) + fine - rng.uniform(0.5, 2.5), 1.0)[..., None] * 0.6
    tint = colour * rng.uniform(0.6, 1.05) * (1 - grey) + grey * rng.uniform(0.5, 0.9)
    canvas.lay(alpha, tint * (canvas.lit * light)[..., None], None)
    canvas.label[(labelled > 0.5)] = BEARD
