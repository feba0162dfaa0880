"""Brows and beards, from faint stubble to long."""

from typing import Final

import numpy as np

from avatar3d.core.segments import KINDS
from avatar3d.people.heads import FACE, MOUTH, NECK, BareHead
from avatar3d.people.paint import UNIT_PT, Canvas, step
from avatar3d.people.traits import Traits

BROWS: Final = KINDS.index("brows")
BEARD: Final = KINDS.index("beard")
U: Final = UNIT_PT
# A beard that changes the skin's colour by less is no beard to anybody.
_VISIBLE: Final = 0.08
_BROW_RINGS: Final = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
_LIPS: Final = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)


def draw_brows(rng: np.random.Generator, head: BareHead, canvas: Canvas, colour: np.ndarray, traits: Traits) -> None:
    """Brows as short hairs along the landmarks' bands; labelled where the band is, when one can see it."""
    strength = rng.choice([rng.uniform(0.12, 0.35), rng.uniform(0.4, 0.95)], p=[0.2, 0.8])
    tint = colour * rng.uniform(0.45, 1.0)
    paper = canvas.paper
    x, y = paper.grid()
    for ring in _BROW_RINGS:
        points = head.landmarks[list(ring)].astype(np.float64)
        thick = rng.uniform(0.7, 1.15) if traits.male else rng.uniform(0.5, 0.9)
        upper, lower = points[:5], points[5:][::-1]
        spine = (upper + lower) / 2
        outline = np.concatenate([spine + (upper - spine) * thick, (spine + (lower - spine) * thick)[::-1]])
        band = paper.polygon(outline, soften=rng.uniform(0.8, 1.8))
        hairs = paper.streaks((x * 0.5 + y) * 0.9, x - y * 0.3, along=12, seed=5)
        alpha = band * np.clip(strength * (0.85 + 0.25 * hairs), 0, 1) * (head.part == FACE)
        canvas.lay(alpha, tint * canvas.lit[..., None], None)
        canvas.label[(band > 0.5) & (head.part == FACE)] = BROWS


def draw_beard(rng: np.random.Generator, head: BareHead, canvas: Canvas, colour: np.ndarray, traits: Traits) -> str:
    """Draws one and says which: stubble, moustache, goatee, a full or a long beard, on the face's surface and below its outline."""
    kind = str(rng.choice(["stubble", "moustache", "goatee", "full", "long"], p=[0.44, 0.11, 0.17, 0.23, 0.05]))
    paper = canvas.paper
    x, y = paper.grid()
    marks = head.landmarks
    face = (head.part == FACE) | ((head.part == NECK) & (head.height > -2.35))
    face_x, mouth_y = marks[[13, 14], 0].mean(), marks[[13, 14], 1].mean()
    chin_y, nose_y = marks[152, 1], marks[2, 1]
    across = np.abs(x - face_x) / (0.5 * (marks[291, 0] - marks[61, 0]) + 1e-3)
    high = (mouth_y - y) / max(mouth_y - nose_y, 2)
    noise = 0.25 * paper.clouds(rng, U * 0.3) + 0.12 * paper.grain(rng)
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
    mask = masks.get(kind, np.maximum(full, tache * (rng.random() < 0.9))) * face
    if kind == "long":
        length = rng.uniform(0.1, 0.9) * U
        grow = paper.grown(((mask > 0.5) & (down > 0.4)).astype(np.float32), length * 0.5)
        shift = paper.lowered(grow, length * 0.5)
        mask = np.maximum(mask, paper.soft(np.maximum(grow * (down > 0.6), shift), 1.5))
    lips = paper.polygon(marks[list(_LIPS)], soften=1.0)
    mask = mask * (1 - lips * rng.uniform(0.8, 1.0)) * (head.part != MOUTH)
    fine = paper.streaks(x + 3 * paper.clouds(rng, U * 0.3), y, along=12, seed=7)
    curly = paper.rough(rng, U * 0.08)
    texture = (fine if rng.random() < 0.6 else curly) + 0.4 * paper.grain(rng)
    light = np.exp(rng.uniform(0.05, 0.25) * texture)
    if kind == "stubble":
        strength = rng.uniform(0.06, 0.65)
        alpha = mask * strength * (0.8 + 0.35 * paper.grain(rng)).clip(0, 1)
        labelled = paper.soft(mask, 1.5) * (strength > 0.42)
    else:
        # Clipped beards let the skin through; they end softly.
        density = rng.uniform(0.7, 1.0) if kind == "long" or rng.random() < 0.4 else rng.uniform(0.4, 0.8)
        alpha = paper.soft(mask, rng.uniform(0, 3)) * (density + 0.12 * texture).clip(0, 1)
        labelled = paper.soft(mask, 1.5)
    grey = step(paper.clouds(rng, U * 0.5) + fine - rng.uniform(0.5, 2.5), 1.0)[..., None] * 0.6 * traits.greyed
    tint = colour * rng.uniform(0.6, 1.05) * (1 - grey) + grey * rng.uniform(0.5, 0.9)
    bare = canvas.image.copy()
    canvas.lay(alpha, tint * (canvas.lit * light)[..., None], None)
    there = labelled > 0.5
    if there.any() and np.abs(canvas.image - bare)[there].mean() > _VISIBLE:
        canvas.label[there] = BEARD
    return kind
