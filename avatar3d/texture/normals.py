"""Pores and wrinkles as a normal map, from the skin's luminance detail: dark is deep."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from avatar3d.texture.regions import blur

# In texels of a 1024 atlas: finer is noise, coarser is make-up, stubble or light.
_FINE, _COARSE = 0.8, 5.0
_DEPTH = 1.8
"""Texels of depth per unit of log luminance; modest, since part of the detail is colour (3.0 looked like goose bumps)."""
_STEEPEST = 0.35


def normal_map(
    log_luminance: Float32[np.ndarray, "S S"], trust: Float32[np.ndarray, "S S"]
) -> UInt8[np.ndarray, "S S 3"]:
    """Tangent-space normals (+Y up) from log luminance; flat where `trust` is 0."""
    scale = log_luminance.shape[0] / 1024
    detail = blur(log_luminance, _FINE * scale) - blur(log_luminance, _COARSE * scale)
    height = np.clip(detail, -0.25, 0.25) * trust * np.float32(_DEPTH * scale)
    along_u = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    along_v = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    steep = np.sqrt(along_u**2 + along_v**2)
    soft = np.float32(_STEEPEST) / np.maximum(steep, _STEEPEST)
    x, y = -along_u * soft, along_v * soft
    length = np.sqrt(x * x + y * y + 1)
    return np.round(np.stack([x, y, np.ones_like(x)], axis=-1) / length[..., None] * 127 + 128).astype(np.uint8)
