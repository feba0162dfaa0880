"""Skin that no photo shows gets the pores and mottling of the skin beside it, so that no edge tells where the photo ends."""

from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.texture.delight import LUMINANCE
from avatar3d.texture.regions import blur

# Bands in texels of a 1024 atlas (finer and coarser standard deviation), and the most of each in log luminance.
_BANDS: Final = ((0.7, 2.0), (2.0, 6.0), (6.0, 18.0))
_MOST: Final = (0.030, 0.030, 0.030)
_MOTTLED: Final = np.array([0.8, 1.05, 1.1], np.float32)
"""Mottling is blood: it darkens green and blue more than red."""
_SEED: Final = 20261120
_ENOUGH: Final = 500
"""Texels of bare skin that tell what pores are like."""


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
    for (fine, coarse), most, pattern in zip(_BANDS, _MOST, _patterns(size), strict=True):
        amplitude = 0.4 * most
        if known.sum() >= _ENOUGH:
            seen = (blur(luminance, fine * scale) - blur(luminance, coarse * scale))[known]
            amplitude = min(1.4826 * float(np.median(np.abs(seen))), most)
        total += np.float32(amplitude) * pattern
    return total[..., None] * unseen[..., None] * _MOTTLED


@lru_cache(maxsize=2)
def _patterns(size: int) -> tuple[Float32[np.ndarray, "S S"], ...]:
    """The same noise in each band, of unit deviation."""
    noise = np.random.default_rng(_SEED).standard_normal((size, size)).astype(np.float32)
    scale = size / 1024
    bands = [blur(noise, fine * scale) - blur(noise, coarse * scale) for fine, coarse in _BANDS]
    return tuple(band / np.float32(max(float(band.std()), 1e-6)) for band in bands)
