"""Cloth: plain, woven, striped, checked, dotted, flowered, or cut from a portrait."""

from typing import Final

import cv2
import numpy as np

from avatar3d.people.paint import UNIT_PT, Field, Paper, Picture, step
from avatar3d.people.wardrobe import Wardrobe

U: Final = UNIT_PT


def cloth(rng: np.random.Generator, paper: Paper, wardrobe: Wardrobe, *, colour: np.ndarray | None = None) -> Picture:
    """Plain, woven, striped, checked, dotted, flowered or cut from a portrait, with folds."""
    x, y = paper.grid()
    base = wardrobe.colour(rng) if colour is None else colour
    other = wardrobe.colour(rng)
    # Plain wardrobes hold plain cloth more often than not.
    kind = rng.random() if not wardrobe.plain or rng.random() < 0.4 else 1.0
    if colour is None and kind < 0.22 and len(wardrobe.cloth):
        return tiled(rng, paper, wardrobe.cloth)
    angle = rng.uniform(0, np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = -x * np.sin(angle) + y * np.cos(angle)
    pattern: Field = np.zeros(paper.shape, np.float32)
    period = rng.uniform(0.05, 0.5) * U
    if kind < 0.35:
        pattern = step(np.sin(2 * np.pi * along / period) - rng.uniform(-0.6, 0.9), 0.3)
    elif kind < 0.42:
        pattern = 0.5 * (step(np.sin(2 * np.pi * along / period), 0.3) + step(np.sin(2 * np.pi * across / period), 0.3))
    elif kind < 0.5:
        pattern = step(np.sin(2 * np.pi * along / period) * np.sin(2 * np.pi * across / period) - 0.5, 0.2)
    elif kind < 0.6:
        pattern = step(paper.rough(rng, rng.uniform(0.1, 0.5) * U) - rng.uniform(-0.3, 1), 0.2)
    made = base + (other - base) * (pattern * rng.uniform(0.2, 1))[..., None]
    # Folds are as wide as fingers: finer ones would be hair.
    folds = paper.streaks(
        (along + 0.2 * U * paper.clouds(rng, U)) * rng.uniform(0.05, 0.15), across * 0.2, along=24, seed=9
    )
    # Half of all clothes are as smooth as a pressed suit: smoothness alone must not tell cloth from things.
    rough_by = 0.1 if rng.random() < 0.5 else rng.uniform(0.3, 1)
    shade = (
        rng.uniform(0, 0.18) * folds
        + rng.uniform(0, 0.3) * paper.clouds(rng, U)
        + rng.uniform(0, 0.1) * paper.grain(rng)
    )
    shade = np.exp(rough_by * shade)
    return (made * shade[..., None]).astype(np.float32)


def tiled(rng: np.random.Generator, paper: Paper, patches: np.ndarray, *, scale: float = 1.0) -> Picture:
    """One patch, mirrored over the canvas."""
    patch = patches[rng.integers(len(patches))]
    size = max(8, round(64 * scale)) * paper.scale
    patch = cv2.resize(patch, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.float32) / np.float32(255)
    block = np.concatenate([patch, patch[:, ::-1]], 1)
    block = np.concatenate([block, block[::-1]], 0)
    count = paper.px // (2 * size) + 2
    whole = np.tile(block, (count, count, 1))
    dx, dy = rng.integers(0, 2 * size, 2)
    return np.ascontiguousarray(whole[dy : dy + paper.px, dx : dx + paper.px])
