"""The shell at the resolution of its picture."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float, Float32

from avatar3d.core.head import HeadFit
from avatar3d.hair.shell import HairShell

SIZE: Final = 512
"""What the photo says of the hair is gathered at this resolution."""
FINE: Final = 1024
"""And strands are drawn at this one: half a millimetre to a texel."""


@dataclass(frozen=True, eq=False)
class Texels:
    """One value per texel; columns around and rows down as the shell."""

    points: Float32[np.ndarray, "S S 3"]
    normals: Float32[np.ndarray, "S S 3"]
    facing: Float32[np.ndarray, "S S"]
    photo_px: Float32[np.ndarray, "S S 2"]
    over_line: Float32[np.ndarray, "S S"]


def lay_texels(shell: HairShell, fitted: HeadFit) -> Texels:
    points = stretch(shell.points, SIZE)
    normals = stretch(shell.normals, SIZE)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-12)
    towards = fitted.camera.position_m - points
    towards /= np.linalg.norm(towards, axis=2, keepdims=True)
    photo = fitted.camera.project(points.reshape(-1, 3)).reshape(SIZE, SIZE, 2)
    return Texels(
        points, normals.astype(np.float32), np.sum(normals * towards, axis=2), photo, stretch(shell.over_line, SIZE)
    )


def stretch(grid: Float32[np.ndarray, "R C ..."], size: int) -> Float32[np.ndarray, "S S ..."]:
    """Grid vertices at texture corners, interpolated at texel centres."""
    rows, columns = grid.shape[:2]
    x = ((np.arange(size) + 0.5) / size * (columns - 1)).astype(np.float32)
    y = ((np.arange(size) + 0.5) / size * (rows - 1)).astype(np.float32)
    return cv2.remap(grid, np.tile(x, (size, 1)), np.tile(y[:, None], (1, size)), cv2.INTER_LINEAR)


def finer(picture: Float[np.ndarray, "S S ..."]) -> Float[np.ndarray, "T T ..."]:
    """What was gathered, at the resolution in which strands are drawn."""
    return cv2.resize(picture, (FINE, FINE), interpolation=cv2.INTER_LINEAR)


def ramp(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
