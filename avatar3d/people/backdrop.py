"""What stands behind people: studios, flags, shelves, blurred clutter."""

from typing import Final

import cv2
import numpy as np

from avatar3d.people.cloth import tiled
from avatar3d.people.paint import CANVAS_PT, Paper, Picture, step
from avatar3d.people.wardrobe import Wardrobe

# sRGB of painted canvas and walls: blue, grey, brown, green, white.
_STUDIOS: Final = np.array(
    [(0.30, 0.38, 0.52), (0.45, 0.46, 0.48), (0.42, 0.34, 0.27), (0.33, 0.38, 0.33), (0.85, 0.84, 0.82)]
)


def background(rng: np.random.Generator, paper: Paper, wardrobe: Wardrobe) -> Picture:
    """Plain, graded, mottled, flags, shelves, blurred clutter, or a portrait's own."""
    x, y = paper.grid()
    kind = rng.random() if not wardrobe.plain else rng.choice([0.0, 1.0], p=[0.85, 0.15])
    first, second = wardrobe.colour(rng), wardrobe.colour(rng)
    if rng.random() < (0.8 if wardrobe.plain else 0.4):
        first = _STUDIOS[rng.integers(len(_STUDIOS))] * np.exp(rng.normal(0, 0.35)) * np.exp(rng.normal(0, 0.06, 3))
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
        made = made * np.exp(rng.uniform(0, 0.15) * paper.rough(rng, rng.uniform(20, 120)))[..., None]
    elif kind < 0.58 and len(wardrobe.background):
        made = tiled(rng, paper, wardrobe.background, scale=rng.uniform(1, 6))
    elif kind < 0.72:
        made = _flag(rng, paper, wardrobe)
    elif kind < 0.80:
        made = np.zeros((*paper.shape, 3), np.float32)
        edge = 0.0
        vertical = rng.random() < 0.8
        while edge < CANVAS_PT:
            wide = rng.uniform(4, 40)
            part = slice(int(edge) * paper.scale, (int(edge + wide) + 1) * paper.scale)
            made[(slice(None), part) if vertical else part] = wardrobe.colour(rng) * rng.uniform(0.4, 1)
            edge += wide
        made = made * np.exp(0.15 * paper.clouds(rng, 60.0))[..., None]
    else:
        made = np.stack([0.5 + 0.25 * paper.rough(rng, rng.uniform(15, 120)) for _ in range(3)], -1)
        made = made + (made.mean(2, keepdims=True) - made) * rng.uniform(0.9 if wardrobe.plain else 0.2, 1)
        for _ in range(int(rng.integers(0, 10))):
            corner = rng.uniform(0, CANVAS_PT, 2)
            size = rng.uniform(10, 160, 2)
            box = (np.abs(x - corner[0]) < size[0]) & (np.abs(y - corner[1]) < size[1])
            made[box] = wardrobe.colour(rng)
    if wardrobe.plain or rng.random() < 0.6:
        sigma = rng.uniform(5 if wardrobe.plain else 0.8, 10)
        few = cv2.resize(made.astype(np.float32), (CANVAS_PT // 2, CANVAS_PT // 2), interpolation=cv2.INTER_AREA)
        made = cv2.resize(cv2.GaussianBlur(few, (0, 0), sigma / 2), paper.shape)
    return made.clip(0, 1).astype(np.float32)


def _flag(rng: np.random.Generator, paper: Paper, wardrobe: Wardrobe) -> Picture:
    x, y = paper.grid()
    folds = np.exp(rng.uniform(0.1, 0.35) * paper.streaks(x * rng.uniform(0.05, 0.2), y, along=24, seed=2))
    period = rng.uniform(16, 70)
    angle = rng.normal(0, 0.4) + (np.pi / 2 if rng.random() < 0.3 else 0)
    wave = np.sin(((x + 18 * paper.clouds(rng, 80.0)) * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    first, second = (
        (np.array([0.62, 0.12, 0.15]), np.array([0.88, 0.86, 0.84]))
        if rng.random() < 0.7
        else (wardrobe.colour(rng), wardrobe.colour(rng))
    )
    made = first + (second - first) * step(wave, 0.2)[..., None]
    blue = step((x - rng.uniform(0, 400)) * rng.choice([-1, 1]) / 20 + paper.clouds(rng, 60.0), 0.3)
    stars = step(paper.clouds(rng, 9.0) - 1.3, 0.3)[..., None]
    made = made * (1 - blue[..., None]) + blue[..., None] * (np.array([0.12, 0.15, 0.36]) * (1 - stars) + stars * 0.85)
    if rng.random() < 0.5:
        plain = np.array(_STUDIOS[rng.integers(len(_STUDIOS))]) * np.exp(
            rng.normal(0, 0.4) + 0.1 * paper.rough(rng, 60.0)[..., None]
        )
        made = np.where(((x < rng.uniform(60, 200)) | (x > rng.uniform(220, 380)))[..., None], made, plain)
    return (made * folds[..., None]).astype(np.float32)
