"""Skin that no photo shows gets the pores and mottling of the skin beside it, so that no edge tells where the photo ends."""

from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float32
from scipy.ndimage import map_coordinates  # pyright: ignore[reportUnknownVariableType]

from avatar3d.core.head import HeadModel
from avatar3d.render.lights import LUMINANCE
from avatar3d.texture.atlas import Atlas, once_per_atlas
from avatar3d.texture.regions import blur

# Bands in texels of a 1024 atlas (finer and coarser standard deviation), and the most of each in log luminance
# (the coarser, the less: sides of heads looked like leather).
_BANDS: Final = ((0.7, 2.0), (2.0, 6.0), (6.0, 18.0))
_MOST: Final = (0.030, 0.022, 0.012)
# Where texels are drawn out, only mottling that is wider than they are: its width on the skin (metres) and its strength.
_BLOTCH_M: Final = (0.0022, 0.006)
_BLOTCHES: Final = (0.016, 0.014)
_LATTICE: Final = 64
_MOTTLED: Final = np.array([0.8, 1.05, 1.1], np.float32)
"""Mottling is blood: it darkens green and blue more than red."""
_STRETCHED: Final = (1.6, 2.6)
"""Texels this much longer than those of the face have less grain, and none."""
_SEED: Final = 20261120
_ENOUGH: Final = 500
"""Texels of bare skin that tell what pores are like."""


@once_per_atlas
def mottling(model: HeadModel, atlas: Atlas) -> Float32[np.ndarray, "S S 3"]:
    """What to add to log colour where texels are too long for pores: noise in space, so that nothing shows the atlas."""
    even = even_texels(model, atlas).reshape(-1)[atlas.texels]
    chosen = np.flatnonzero(even < 1).astype(np.int32)
    places = atlas.blend(model.rest, chosen)
    noise = np.random.default_rng(_SEED).standard_normal((_LATTICE,) * 3).astype(np.float32)
    total = np.zeros(len(atlas.texels), np.float32)
    for width, strength in zip(_BLOTCH_M, _BLOTCHES, strict=True):
        total[chosen] += np.float32(strength) * map_coordinates(noise, places.T / width, order=1, mode="grid-wrap")
    return atlas.image(total * (1 - even))[..., None] * _MOTTLED


@once_per_atlas
def even_texels(model: HeadModel, atlas: Atlas) -> Float32[np.ndarray, "S S"]:
    """1 where texels are as small as on the face, toward 0 where they are drawn out: noise would be streaks there."""
    points = atlas.image(atlas.blend(model.rest))
    known = atlas.image(np.ones(len(atlas.texels), np.float32)) > 0
    longest = np.zeros_like(points[..., 0])
    for axis in (0, 1):
        step = np.linalg.norm(np.diff(points, axis=axis, append=np.take(points, [-1], axis=axis)), axis=2)
        longest = np.maximum(longest, np.where(np.roll(known, -1, axis=axis) & known, step, 0))
    usual = float(np.quantile(longest[known], 0.35))
    stretch = blur(longest / max(usual, 1e-9), 0.004 * atlas.size)
    return np.clip((_STRETCHED[1] - stretch) / (_STRETCHED[1] - _STRETCHED[0]), 0, 1).astype(np.float32)


def grain(
    ratio: Float32[np.ndarray, "S S 3"], plain: Float32[np.ndarray, "S S"], unseen: Float32[np.ndarray, "S S"]
) -> Float32[np.ndarray, "S S 3"]:
    """What to add to log colour where it was not seen: noise in the same strength, band by band, as on bare seen skin.

    `plain` is 1 on bare skin that the photo shows, `unseen` 1 where nothing but a fill is.
    """
    size = len(plain)
    scale = size / 1024
    known = plain > 0.95
    luminance = ratio @ LUMINANCE
    total = np.zeros((size, size), np.float32)
    fine = blur(luminance, _BANDS[0][0] * scale)
    for (_, coarse), most, pattern in zip(_BANDS, _MOST, _patterns(size), strict=True):
        amplitude = 0.4 * most
        if known.sum() >= _ENOUGH:
            fine, finer = blur(luminance, coarse * scale), fine
            amplitude = min(1.4826 * float(np.median(np.abs((finer - fine)[known]))), most)
        total += np.float32(amplitude) * pattern
    return (total * unseen)[..., None] * _MOTTLED


@lru_cache(maxsize=2)
def _patterns(size: int) -> tuple[Float32[np.ndarray, "S S"], ...]:
    """The same noise in each band, of unit deviation."""
    noise = np.random.default_rng(_SEED).standard_normal((size, size)).astype(np.float32)
    scale = size / 1024
    bands = [blur(noise, fine * scale) - blur(noise, coarse * scale) for fine, coarse in _BANDS]
    return tuple(band / np.float32(max(float(band.std()), 1e-6)) for band in bands)
