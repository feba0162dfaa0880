"""Fill what the photo did not show: pull-push of log colour ratios."""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.texture.planes import reduced, times
from avatar3d.texture.regions import blur

_TOWARD_TONE: Final = 0.02
"""Weight of "exactly the skin tone" per pyramid level: nearby evidence wins, far away the tone does."""
_ENOUGH: Final = 0.3
"""A cell of the pyramid with this share of evidence is as good as known; with less it stays a guess."""


def pull_push(
    values: Float32[np.ndarray, "H W C"], weights: Float32[np.ndarray, "H W"], *, decay: float = _TOWARD_TONE
) -> Float32[np.ndarray, "H W C"]:
    """Values kept where their weight is 1, elsewhere filled smoothly from around, fading to 0 far away.

    Gortler et al., "The Lumigraph" (1996), section 3.4: pull weighted means up a pyramid, push them down into the gaps.
    """
    levels = [(times(values, weights), weights)]
    while min(levels[-1][1].shape) > 4:
        total, weight = levels[-1]
        size = weight.shape[1] // 2, weight.shape[0] // 2
        total = np.asarray(cv2.resize(total, size, interpolation=cv2.INTER_AREA), np.float32)
        weight = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.float32)
        gain = np.where(weight > _ENOUGH, 1 / np.maximum(weight, _ENOUGH), 1).astype(np.float32)
        levels.append((times(total.reshape(*weight.shape, -1), gain), weight * gain))
    total, weight = levels[-1]
    filled = total / (weight + np.float32(decay))[..., None]
    for total, weight in reversed(levels[:-1]):
        size = weight.shape[1], weight.shape[0]
        above = np.asarray(cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR), np.float32)
        above = above.reshape(*weight.shape, -1) * np.float32(1 - decay)
        filled = total + times(above, 1 - weight)
    return filled


def smooth(
    values: Float32[np.ndarray, "H W C"], weights: Float32[np.ndarray, "H W"], width: float, *, edge: int | None = None
) -> Float32[np.ndarray, "H W C"]:
    """Weighted mean under a Gaussian of `width` atlas edges, computed at a quarter of the resolution.

    `edge` is the atlas's when the picture is a window of it.
    """
    height, across = values.shape[:2]
    small = blur(reduced(values, weights, (across // 4, height // 4)), width * ((edge or height) // 4))
    mean = small[..., :-1] / np.maximum(small[..., -1:], np.float32(1e-6))
    spread = np.asarray(cv2.resize(mean, (across, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return spread.reshape(values.shape)  # OpenCV drops a last axis of one
