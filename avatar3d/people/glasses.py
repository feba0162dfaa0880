"""Glasses over the true eyes: thin metal, thick horn, half rims and none; tinted lenses, reflections, shadows."""

from typing import Final

import numpy as np

from avatar3d.core.segments import KINDS
from avatar3d.people.heads import FACE, BareHead
from avatar3d.people.paint import UNIT_PT, Canvas, step, vivid

GLASSES: Final = KINDS.index("glasses")
U: Final = UNIT_PT
# A frame counts as wide as this even where it is thinner: what the truth of a thinner line is no crop can show.
_LEAST_PT: Final = 2.6
# Frames that change what lies behind them by less are not seen.
_VISIBLE: Final = 0.04
_METALS: Final = ((0.75, 0.62, 0.38), (0.62, 0.62, 0.64), (0.35, 0.33, 0.33), (0.12, 0.11, 0.11), (0.5, 0.35, 0.28))


def put_on_glasses(rng: np.random.Generator, head: BareHead, canvas: Canvas) -> str:
    """Draws one pair; what it is made of."""
    paper = canvas.paper
    marks = head.landmarks.astype(np.float64)
    right, left = marks[[33, 133]].mean(0), marks[[263, 362]].mean(0)
    axis = (left - right) / max(np.linalg.norm(left - right), 1)
    up = np.array([axis[1], -axis[0]])
    nose = marks[[168, 6]].mean(0)
    iod = float(np.linalg.norm(left - right))
    wide, tall = rng.uniform(0.34, 0.47), rng.uniform(0.2, 0.42)
    power, flat, drop = rng.uniform(1.7, 4.0), rng.uniform(0.7, 1.0), rng.uniform(-0.02, 0.12) * U
    metal = rng.random() < 0.55
    width = rng.uniform(0.6, 1.8) if metal else rng.uniform(1.8, 5.0)
    colour = np.array(_METALS[rng.integers(len(_METALS))]) * rng.uniform(0.6, 1.2)
    if not metal:
        colour = np.full(3, rng.uniform(0.02, 0.2)) if rng.random() < 0.6 else vivid(rng)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    slant = 0.06 * U * rng.uniform(-1, 1)
    rings: list[np.ndarray] = []
    inner_ends, outer_ends = [], []
    for eye, side in ((right, -1.0), (left, 1.0)):
        apart = np.linalg.norm(eye - nose)
        own = wide * U * np.clip(apart / (0.5 * U), 0.45, 1.1)
        along = np.abs(c) ** (2 / power) * np.sign(c) * own
        high = np.abs(s) ** (2 / power) * np.sign(s) * tall * U * np.where(s > 0, flat, 1.0) + slant * c * side
        centre = eye - up * drop + axis * side * rng.uniform(-0.02, 0.05) * iod
        rings.append(centre + along[:, None] * axis + high[:, None] * up)
        inner_ends.append(centre - axis * side * own + up * 0.1 * tall * U)
        outer_ends.append(centre + axis * side * own + up * 0.35 * tall * U)
    _lenses(rng, canvas, np.maximum(paper.polygon(rings[0]), paper.polygon(rings[1])))
    parts: list[np.ndarray] = [np.stack([inner_ends[0], nose + up * rng.uniform(0, 0.06) * U, inner_ends[1]])]
    for end, ear, side in ((outer_ends[0], marks[127], -1), (outer_ends[1], marks[356], 1)):
        if side * head.sitter.yaw_rad < 0.45:
            parts.append(np.stack([end, ear + axis * side * 0.06 * U]))
    rims, closed = rings, True
    rim = rng.random()
    if rim < 0.12:
        rims = []
    elif rim < 0.3:
        half_way = slice(0, 21) if rng.random() < 0.7 else slice(20, 40)
        rims, closed = [ring[half_way] for ring in rings], False

    def drawn(bars_pt: float, rims_pt: float) -> np.ndarray:
        return np.maximum(paper.lines(parts, bars_pt), paper.lines(rims, rims_pt, closed=closed) if rims else 0).astype(
            "f4"
        )

    frame = drawn(max(width * 0.8, 0.8), width)
    shadow = paper.lowered(paper.soft(frame, 1.5), rng.uniform(1, 4))
    canvas.lay(shadow * rng.uniform(0, 0.35) * (head.part == FACE), (0.1, 0.05, 0.03), None)
    glints = paper.clouds(rng, 5.0).clip(0, 1)
    shine = np.exp(rng.uniform(0, 0.5) * paper.clouds(rng, U * 0.3)) + metal * rng.uniform(0, 0.8) * glints
    bare = canvas.image.copy()
    canvas.lay(frame, colour * (canvas.lit * shine)[..., None], None)
    there = drawn(max(width * 0.8, _LEAST_PT), max(width, _LEAST_PT)) > 0.5
    if np.abs(canvas.image - bare)[there].mean() > _VISIBLE:
        canvas.label[there] = GLASSES
    return "metal" if metal else "horn"


def _lenses(rng: np.random.Generator, canvas: Canvas, lens: np.ndarray) -> None:
    """Clear, tinted or black; a window or a lamp mirrored in them."""
    paper = canvas.paper
    x, y = paper.grid()
    dark = rng.random()
    if dark < 0.12:
        canvas.lay(lens * rng.uniform(0.75, 0.98), vivid(rng) * 0.25, GLASSES)
    elif dark < 0.4:
        canvas.lay(lens * rng.uniform(0, 0.25), vivid(rng), None)
    if rng.random() < 0.35:
        band = np.exp(-(((x * rng.uniform(-1, 1) + y - rng.uniform(120, 220)) / rng.uniform(3, 14)) ** 2))
        canvas.lay(lens * band * rng.uniform(0.2, 0.95), (0.95, 0.97, 1.0), GLASSES, above=0.7)
    if rng.random() < 0.25:
        at = (rng.uniform(140, 260), rng.uniform(155, 185))
        lamp = step(np.minimum(rng.uniform(2, 8) - np.abs(x - at[0]), rng.uniform(2, 6) - np.abs(y - at[1])), 1.5)
        canvas.lay(lens * lamp * rng.uniform(0.3, 0.9), (0.97, 0.98, 1.0), None)
