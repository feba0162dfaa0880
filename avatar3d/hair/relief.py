"""The relief of single hairs: without it a lock mirrors light as one smooth ribbon does, with it hair by hair."""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from avatar3d.core.avatar import Texture
from avatar3d.hair.atlas import HIGH_PX, SHELL_PX, WIDE_PX

# A hair's brightness (natural logarithm) stands for its height: slope per step of a texel.
_SLOPE: Final = 4.0
_STEEPEST: Final = 1.2
# What is as wide as a lock is no relief of hairs: widths taken off, and softened, across and along (texels).
_LOCK_PX: Final = (6.0, 0.5)
_HAIR_PX: Final = (0.7, 1.0)
_DIM: Final = 0.02
# Steps of a code: hairs are noise to a PNG, and a coarser code halves it.
_STEP: Final = 16
_FLAT: Final = 128


def relief(picture: UInt8[np.ndarray, "H W 4"]) -> Texture:
    """Tangent-space normals (+X to the right, +Y up as in OpenGL) for the hair's picture: hairs run down it, so only X leaves
    the middle, and half as many rows will do. Where nothing is drawn it is flat.
    """
    half = cv2.resize(picture, (WIDE_PX, HIGH_PX // 2), interpolation=cv2.INTER_AREA)
    log = np.log(half[..., :3].mean(2).astype(np.float32) / 255 + _DIM)
    codes = np.full(log.shape, _FLAT, np.uint8)
    for part in (slice(0, SHELL_PX), slice(SHELL_PX, WIDE_PX)):
        codes[:, part] = _tilted(log[:, part])
    codes[half[..., 3] == 0] = _FLAT
    x = codes.astype(np.float32) / 127.5 - 1
    up = np.round(255 * (0.5 + 0.5 * np.sqrt(1 - x * x))).astype(np.uint8)
    return Texture("hair_normal", np.stack([codes, np.full_like(codes, _FLAT), up], axis=2))


def _tilted(log: Float32[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    """How far normals lean to the right."""
    height = log - cv2.GaussianBlur(log, (0, 0), sigmaX=_LOCK_PX[0], sigmaY=_LOCK_PX[1])
    height = cv2.GaussianBlur(height, (0, 0), sigmaX=_HAIR_PX[0], sigmaY=_HAIR_PX[1])
    slope = np.clip(-_SLOPE * np.gradient(height, axis=1), -_STEEPEST, _STEEPEST)
    lean = slope / np.sqrt(1 + slope * slope)
    return (_FLAT + _STEP * np.round(127 / _STEP * lean)).astype(np.uint8)
