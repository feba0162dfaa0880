"""Caps, beanies, brimmed hats, turbans, headscarves, headbands: cloth, felt and knitting, with seams, ribs and bands."""

from typing import Final

import numpy as np

from avatar3d.core.segments import KINDS
from avatar3d.people.cloth import cloth
from avatar3d.people.heads import BareHead
from avatar3d.people.paint import EYES_PT, UNIT_PT, Canvas, Field, Paper, Picture, smooth_closed, step
from avatar3d.people.wardrobe import Wardrobe

HEADWEAR: Final = KINDS.index("headwear")
U: Final = UNIT_PT
_OFTEN: Final = {"cap": 0.22, "beanie": 0.18, "hat": 0.18, "turban": 0.12, "scarf": 0.22, "band": 0.08}
_OVAL: Final = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
                149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
_SHADE: Final = (0.05, 0.03, 0.02)


def put_on_headwear(
    rng: np.random.Generator, head: BareHead, canvas: Canvas, wardrobe: Wardrobe, skull: np.ndarray
) -> str:
    """Draws one of them over hair and skull; which."""
    kind = str(rng.choice(list(_OFTEN), p=list(_OFTEN.values())))
    made = _fabric(rng, canvas.paper, wardrobe, kind) * (canvas.lit * np.float32(rng.uniform(0.7, 1.1)))[..., None]
    if kind == "scarf":
        _scarf(rng, head, canvas, skull, made)
    else:
        _hat(rng, head, canvas, wardrobe, skull, made, kind)
    return kind


def _fabric(rng: np.random.Generator, paper: Paper, wardrobe: Wardrobe, kind: str) -> Picture:
    """Ribs and stitches, felt, straw, or any cloth: nothing that flows as hair does."""
    x, y = paper.grid()
    way = rng.random()
    if kind == "beanie":
        pitch = rng.uniform(0.05, 0.14) * U
        rib = np.sin(2 * np.pi * x / pitch)
        stitch = np.sin(2 * np.pi * (y / pitch * 1.3 + np.abs(x / pitch % 1 - 0.5)))
        stripes = step(np.sin(2 * np.pi * y / rng.uniform(0.3, 1.5) / U) - rng.uniform(-0.3, 2), 0.1)[..., None]
        base = wardrobe.colour(rng)
        base = base + (wardrobe.colour(rng) - base) * stripes
        return (base * np.exp(rng.uniform(0.05, 0.3) * rib + rng.uniform(0.05, 0.3) * stitch)[..., None]).astype("f4")
    if kind == "hat" and way < 0.6:
        felt = np.exp(rng.uniform(0.02, 0.08) * paper.grain(rng) + rng.uniform(0, 0.04) * paper.clouds(rng, U))
        return (wardrobe.colour(rng) * felt[..., None]).astype("f4")
    if kind == "hat" and way < 0.75:
        pitch = rng.uniform(2, 5)
        straw = np.sin(2 * np.pi * (x + y) / pitch) * np.sin(2 * np.pi * (x - y) / pitch)
        colour = np.array([0.80, 0.66, 0.42]) * rng.uniform(0.6, 1.15)
        return (colour * np.exp(rng.uniform(0.1, 0.3) * straw)[..., None]).astype("f4")
    return cloth(rng, paper, wardrobe)


def _scarf(rng: np.random.Generator, head: BareHead, canvas: Canvas, skull: np.ndarray, made: Picture) -> None:
    paper = canvas.paper
    x, y = paper.grid()
    below = (y - EYES_PT[1]) / U
    across = (x - float(x[skull & (head.height > 0.1)].mean())) / U
    off = paper.away_from(skull)
    ring = head.landmarks[list(_OVAL)]
    centre = ring.mean(0)
    hole = paper.polygon(
        smooth_closed(centre + (ring - centre) * np.array([rng.uniform(0.85, 1.06), rng.uniform(0.88, 1.06)]), 72)
    )
    thick = rng.uniform(0.06, 0.3) + 0.05 * paper.clouds(rng, U * 0.5)
    outline = step(thick - off, 0.05) * (below < 2)
    half = 0.5 * float(np.ptp(x[skull])) / U
    drape = step(half + thick + rng.uniform(0, 0.5) * np.clip(below - 1, 0, 3) - np.abs(across), 0.06) * (below > -0.2)
    alpha = np.maximum(outline, drape * (below < rng.uniform(2.2, 5))) * (1 - hole)
    folds = _folds(rng, paper, np.hypot(across, below) * U, np.arctan2(across, below + 3) * U)
    canvas.lay(alpha, made * folds[..., None], HEADWEAR)
    canvas.lay(paper.soft(alpha, 3.0) * (1 - alpha) * 0.5, _SHADE, None)


def _folds(rng: np.random.Generator, paper: Paper, across: Field, along: Field) -> Field:
    """Light on folds as wide as fingers: hair is finer."""
    return np.exp(
        rng.uniform(0.1, 0.3) * paper.streaks(across * rng.uniform(0.05, 0.12), along * 0.3, along=24, seed=4)
    )


def _hat(
    rng: np.random.Generator,
    head: BareHead,
    canvas: Canvas,
    wardrobe: Wardrobe,
    skull: np.ndarray,
    made: Picture,
    kind: str,
) -> None:
    paper = canvas.paper
    x, y = paper.grid()
    below = (y - EYES_PT[1]) / U
    across = (x - float(x[skull & (head.height > 0.1)].mean())) / U
    face_across = (x - float(head.landmarks[168, 0])) / U
    off = paper.away_from(skull)
    tilt = rng.normal(0, 0.12)
    line = -rng.uniform(0.35, 1.0) + tilt * face_across - 0.12 * face_across**2 * rng.uniform(-1, 1)
    thick = {"cap": 0.14, "beanie": 0.16, "hat": 0.2, "turban": 0.4, "band": 0.05}[kind] * rng.uniform(0.6, 1.5)
    dome = step(thick * np.clip(1.3 - np.abs(across) * 0.4, 0.4, 1.3) - off + 0.02 * paper.clouds(rng, U * 0.4), 0.05)
    if kind == "hat":
        crown = rng.uniform(0.2, 0.7)
        narrow = 1.25 - np.abs(across) - rng.uniform(0, 0.25) * np.clip(-1.2 - below, 0, 2)
        dome = np.maximum(dome, step(np.minimum(narrow, below + 2.0 + crown), 0.05))
    upper = step(line - below, 0.05)
    alpha = dome * upper
    if kind == "band":
        alpha = alpha * step(below - line + rng.uniform(0.15, 0.4), 0.05)
    if kind == "turban":
        made = made * _folds(rng, paper, (below + rng.uniform(0.3, 0.8) * np.abs(across)) * U, across * U)[..., None]
    # Round: darker towards its sides.
    made = made * (1.1 - rng.uniform(0.1, 0.5) * np.clip(np.abs(across) / 1.4, 0, 1) ** 2)[..., None]
    canvas.lay(paper.soft(paper.lowered(alpha, 6.0), 4.0) * (1 - alpha) * rng.uniform(0.1, 0.6) * skull, _SHADE, None)
    canvas.lay(alpha, made, HEADWEAR)
    if kind == "cap":
        _seams(rng, head, canvas, wardrobe, alpha, below - line)
    if kind == "hat":
        ribbon = step(np.minimum(line - below, below - line + rng.uniform(0.2, 0.45)), 0.04) * alpha
        canvas.lay(ribbon * rng.choice([0.0, 1.0], p=[0.2, 0.8]), wardrobe.colour(rng) * canvas.lit[..., None], None)
    if kind in ("cap", "hat"):
        reach = rng.uniform(1.5, 2.6) if kind == "hat" else rng.uniform(0.8, 1.1)
        deep = rng.uniform(0.12, 0.35)
        sag = below - line - rng.uniform(-0.1, 0.25) * (face_across / reach) ** 2 + rng.uniform(-0.1, 0.05)
        brim = 1 - (face_across / reach) ** 2 - (sag / deep) ** 2
        lip = made * (0.75 + 0.5 * np.clip(-sag / deep, -0.4, 1))[..., None]
        canvas.lay(
            step(brim, 0.2), lip if rng.random() < 0.7 else wardrobe.colour(rng) * canvas.lit[..., None], HEADWEAR
        )
    if kind == "beanie":
        cuff = step(np.minimum(line - below + 0.04, below - line + rng.uniform(0.3, 0.5)), 0.04)
        canvas.lay(cuff * step(thick * 1.4 - off, 0.05), made * rng.uniform(0.75, 0.95), HEADWEAR)


def _seams(
    rng: np.random.Generator, head: BareHead, canvas: Canvas, wardrobe: Wardrobe, alpha: Field, under: Field
) -> None:
    """Panels of a cap that meet at its button, and now and then something embroidered."""
    paper = canvas.paper
    x = paper.grid()[0]
    rows = np.flatnonzero((alpha > 0.5).any(1))
    if not len(rows):
        return
    top, foot_y = np.array([head.landmarks[10, 0], rows[0] / paper.scale]), EYES_PT[1] - 0.6 * U
    paths = [np.stack([top, (top + [dx * 1.2 * U, foot_y]) / [1.6, 2], [top[0] + dx * U, foot_y]]) for dx in (-1, 0, 1)]
    canvas.lay(paper.lines(paths, rng.uniform(0.8, 2)) * rng.uniform(0.2, 0.8) * alpha, _SHADE, None)
    if rng.random() < 0.5:
        badge = 1 - np.hypot((x - top[0]) / (rng.uniform(0.2, 0.6) * U), (under + 0.55) / rng.uniform(0.15, 0.35))
        canvas.lay(step(badge + 0.3 * paper.clouds(rng, 9.0), 0.15) * alpha, wardrobe.colour(rng), None)
