"""The shell at the resolution of its picture."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.core.head import HeadFit
from avatar3d.hair.shell import HairShell

SIZE: Final = 512


@dataclass(frozen=True, eq=False)
class Texels:
    """One value per texel; columns around and rows down as the shell."""

    points: Float32[np.ndarray, "S S 3"]
    normals: Float32[np.ndarray, "S S 3"]
    facing: Float32[np.ndarray, "S S"]
    photo_px: Float32[np.ndarray, "S S 2"]
    over_line: Float32[np.ndarray, "S S"]


def lay_texels(shell: HairShell, fitted: HeadFit) -> Texels:
    points = _stretch(shell.points)
    normals = _stretch(shell.normals)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-12)
    towards = fitted.camera.position_m - points
    towards /= np.linalg.norm(towards, axis=2, keepdims=True)
    photo = fitted.camera.project(points.reshape(-1, 3)).reshape(SIZE, SIZE, 2)
    return Texels(
        points, normals.astype(np.float32), np.sum(normals * towards, axis=2), photo, _stretch(shell.over_line)
    )


def _stretch(grid: Float32[np.ndarray, "R C ..."]) -> Float32[np.ndarray, "S S ..."]:
    """Grid vertices at texture corners, interpolated at texel centres."""
    rows, columns = grid.shape[:2]
    x = ((np.arange(SIZE) + 0.5) / SIZE * (columns - 1)).astype(np.float32)
    y = ((np.arange(SIZE) + 0.5) / SIZE * (rows - 1)).astype(np.float32)
    return cv2.remap(grid, np.tile(x, (SIZE, 1)), np.tile(y[:, None], (1, SIZE)), cv2.INTER_LINEAR)


def ramp(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
