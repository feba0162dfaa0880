"""How loud a voice is at a time, against how loud it is on the whole: what effort a mouth makes."""

from typing import Final

import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.speech.network.features import RATE_HZ

_WINDOW_S: Final = 0.06
_QUIET_DB: Final = -25.0
"""Under the loudest: not spoken."""
_LOUDEST_DB: Final = 15.0


def loudness_over_mean(
    samples: Float32[np.ndarray, "N"], times_s: Float64[np.ndarray, "T"]
) -> Float32[np.ndarray, "T"]:
    """The sound's level at these times in dB over the mean of what is spoken; silence counts as quiet."""
    half = int(_WINDOW_S / 2 * RATE_HZ)
    summed = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    middle = np.clip((times_s * RATE_HZ).astype(np.int64), 0, len(samples))
    low, high = np.maximum(middle - half, 0), np.minimum(middle + half, len(samples))
    levels = 10 * np.log10((summed[high] - summed[low]) / np.maximum(high - low, 1) + 1e-9)
    spoken = levels > levels.max() + _QUIET_DB
    return np.clip(levels - levels[spoken].mean(), _QUIET_DB, _LOUDEST_DB).astype(np.float32)
