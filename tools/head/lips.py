"""Close the mean head's lips: ICT's neutral scans part them by up to 0.7 mm in the middle."""

from typing import Final

import numpy as np
from jaxtyping import Float64, Int32

from tools.head.skin import smoothstep

_REACH_M: Final = 0.006
"""The correction fades out over this height above and below the lip line."""
_OVERLAP_M: Final = 0.00025
"""Between the vertices the lips are chords: they meet only if their extremes overlap a little."""
_COLUMN_M: Final = 0.004


def close_lips(
    vertices: Float64[np.ndarray, "v 3"], side: Int32[np.ndarray, "v"], upper: int = 1, lower: int = 2
) -> Float64[np.ndarray, "v 3"]:
    """Move both lips by half the gap towards each other, per column of the face, fading upwards and downwards."""
    lip = {name: np.flatnonzero(side == name) for name in (upper, lower)}
    columns = np.linspace(-0.024, 0.024, 25)
    bottom, top = np.full(len(columns), np.nan), np.full(len(columns), np.nan)
    for i, x in enumerate(columns):
        for name, result, pick in ((upper, bottom, np.argmin), (lower, top, np.argmax)):
            near = lip[name][np.abs(vertices[lip[name], 0] - x) < _COLUMN_M]
            if len(near):
                result[i] = vertices[near[pick(vertices[near, 1])], 1]
    gap = np.where(np.isfinite(bottom - top), np.clip(bottom - top + _OVERLAP_M, 0, 0.0015), 0.0)
    gap = 0.5 * (gap + gap[::-1])
    line = np.where(np.isfinite(bottom + top), 0.5 * (bottom + top), np.nanmean(bottom))
    here = np.interp(vertices[:, 0], columns, gap)
    height = vertices[:, 1] - np.interp(vertices[:, 0], columns, line)
    fade = smoothstep(1 - np.abs(height) / _REACH_M)
    moved = vertices.copy()
    moved[:, 1] += 0.5 * here * fade * (np.where(side == lower, 1.0, 0.0) - np.where(side == upper, 1.0, 0.0))
    return moved
