"""Locks drawn hair by hair: brightness and alpha of a ribbon from root to tip, straight to coily.

hairs of one lock --> drawn together into clumps --> waved by the curl --> each begins and ends in its own place
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64

LONG_PX: Final = 86
"""Texels from root to tip: eleven shelves beside the shell (see atlas.py)."""
_FINER: Final = 2
# Waves across a lock: share of its half width, and their number from root to tip, in straight and in coily hair.
_WAVE: Final = (0.03, 0.42)
_WAVES: Final = (1.1, 5.0)
# How far hairs are drawn to the middle of their clump toward the tip, in straight and in coily hair.
_CLUMPED: Final = (0.35, 0.65)
# Thickness of a drawn hair, texels: a hair of a picture is a few dozen real ones.
_HAIR_PX: Final = (0.55, 0.95)
# Brightness of hairs: their own, their clump's, of what lies deep in the lock, of a curl's turn (standard deviations).
_OWN, _CLUMP, _DEEP, _TURN = 0.85, 0.25, 0.8, 1.4


@dataclass(frozen=True)
class LockKind:
    """What sort of lock is drawn."""

    wide_px: int
    hairs: int
    clumps: int
    begins: float
    """Hairs begin within this share of the length from the root."""
    ends: float
    """Hairs end between this share of the length and its end."""
    steps: int
    """Points along its ribbon."""
    ridge: bool
    """Whether its ribbon is arched: three points across instead of two."""


FULL: Final = LockKind(wide_px=36, hairs=58, clumps=5, begins=0.10, ends=0.45, steps=8, ridge=True)
THIN: Final = LockKind(wide_px=14, hairs=9, clumps=2, begins=0.15, ends=0.45, steps=7, ridge=False)
CROPPED: Final = LockKind(wide_px=24, hairs=15, clumps=11, begins=0.45, ends=0.35, steps=3, ridge=False)
RIM: Final = LockKind(wide_px=14, hairs=8, clumps=6, begins=0.45, ends=0.40, steps=4, ridge=False)


def draw_lock(kind: LockKind, curl: float, rng: np.random.Generator) -> Float32[np.ndarray, "L W 2"]:
    """Brightness (zero mean, unit deviation where there is hair) and alpha of one lock, root first."""
    t = (np.arange(LONG_PX) + 0.5)[:, None] / LONG_PX
    centres = np.linspace(-0.72, 0.72, kind.clumps) + rng.normal(0, 0.10, kind.clumps)
    root = rng.uniform(-0.92, 0.92, kind.hairs)
    clump = np.argmin(np.abs(root[:, None] - centres), axis=1)
    drawn = (_CLUMPED[0] + (_CLUMPED[1] - _CLUMPED[0]) * curl) * np.clip((t - 0.25) / 0.75, 0, 1) ** 1.3
    phase = 2 * np.pi * rng.random(kind.clumps)[clump] + rng.normal(0, 0.25 + 0.3 * curl, kind.hairs)
    wave = _WAVE[0] + (_WAVE[1] - _WAVE[0]) * curl
    waves = (_WAVES[0] + (_WAVES[1] - _WAVES[0]) * curl) * (1 + 0.12 * rng.standard_normal(kind.clumps)[clump])
    turn = 2 * np.pi * waves * t + phase
    place = (1 - wave) * (root + (centres[clump] - root) * drawn) + wave * np.sin(turn) * np.clip(4 * t, 0.2, 1)
    begin = kind.begins * rng.random(kind.hairs)
    # A clump ends together, its hairs a little before and after.
    end = (
        kind.ends
        + (1 - kind.ends)
        * np.clip(0.62 + 0.22 * rng.standard_normal(kind.clumps)[clump] + 0.22 * rng.standard_normal(kind.hairs), 0, 1)
        - 0.05 * rng.random(kind.hairs)
    )  # not one of the longest where another does
    over = rng.random(kind.hairs)
    bright = _OWN * rng.standard_normal(kind.hairs) + _CLUMP * rng.standard_normal(kind.clumps)[clump] + _DEEP * over
    lit = bright + _TURN * curl * np.cos(turn)
    return _draw(kind, t, place, begin, end, over, lit, rng)


def _draw(
    kind: LockKind,
    t: Float64[np.ndarray, "L 1"],
    place: Float64[np.ndarray, "L H"],
    begin: Float64[np.ndarray, "H"],
    end: Float64[np.ndarray, "H"],
    over: Float64[np.ndarray, "H"],
    lit: Float64[np.ndarray, "L H"],
    rng: np.random.Generator,
) -> Float32[np.ndarray, "L W 2"]:
    """Hairs over one another; the upper ones hide the lower."""
    x = ((np.arange(_FINER * kind.wide_px) + 0.5) / (_FINER * kind.wide_px) * 2 - 1).astype(np.float32)
    thick = rng.uniform(*_HAIR_PX, kind.hairs) * 2 / kind.wide_px
    taper = np.clip((end - t) / 0.22, 0, 1) ** 0.6 * np.clip((t - begin) / 0.06, 0, 1)
    # Thinner than this a single hair would fall under the cut-off, and only crossings of hairs be left of a tip.
    width = np.maximum(thick * (0.75 + 0.25 * taper), 1e-3).astype(np.float32)
    away = (x[None, None] - place[..., None].astype(np.float32)) / width[..., None]
    cover = np.exp(-away * away) * np.clip(3 * taper, 0, 1)[..., None].astype(np.float32)
    weight = cover * np.exp(4 * over).astype(np.float32)[:, None]
    total = weight.sum(1)
    shade = (weight * lit[..., None].astype(np.float32)).sum(1) / np.maximum(total, 1e-6)
    alpha = 1 - np.prod(1 - 0.97 * cover, axis=1)
    fine = np.stack([shade, alpha], axis=2).reshape(LONG_PX, kind.wide_px, _FINER, 2)
    picture = fine.mean(2)
    hairy = picture[..., 1] > 0.3
    level, spread = float(picture[hairy, 0].mean()), float(picture[hairy, 0].std())
    picture[..., 0] = np.clip((picture[..., 0] - level) / max(spread, 1e-3), -2.5, 2.5)
    # Where no hair is drawn there is nothing to tell, nor to bleed into what is.
    picture[..., 0] *= np.clip(4 * picture[..., 1], 0, 1)
    return picture.astype(np.float32)
