"""Rotations and frames. Quaternions are wxyz; matrices are target_from_source."""

from typing import Final

import numpy as np
from jaxtyping import Float32

# OpenCV camera axes (x right, y down, z forward) from glTF axes (x right, y up, z backward).
OPENCV_FROM_GLTF: Final[Float32[np.ndarray, "3 3"]] = np.diag([1.0, -1.0, -1.0]).astype(np.float32)
IDENTITY_WXYZ: Final[Float32[np.ndarray, "4"]] = np.array([1, 0, 0, 0], np.float32)


def matrix_from_quaternion(wxyz: Float32[np.ndarray, "4"]) -> Float32[np.ndarray, "3 3"]:
    """Rotation matrix of a quaternion (normalised here)."""
    w, x, y, z = np.asarray(wxyz, np.float64) / np.linalg.norm(wxyz)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ],
        np.float32,
    )


def quaternion_from_matrix(rotation: Float32[np.ndarray, "3 3"]) -> Float32[np.ndarray, "4"]:
    """Unit quaternion wxyz with w >= 0 of a rotation matrix.

    Shepperd's method: the largest of the four components is taken from the diagonal.
    """
    m = np.asarray(rotation, np.float64)
    candidates = np.array(
        [
            [1 + m[0, 0] + m[1, 1] + m[2, 2], m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], 1 + m[0, 0] - m[1, 1] - m[2, 2], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0]],
            [m[0, 2] - m[2, 0], m[0, 1] + m[1, 0], 1 - m[0, 0] + m[1, 1] - m[2, 2], m[1, 2] + m[2, 1]],
            [m[1, 0] - m[0, 1], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], 1 - m[0, 0] - m[1, 1] + m[2, 2]],
        ]
    )
    row = candidates[int(np.argmax(np.diag(candidates)))]
    unit = row / np.linalg.norm(row)
    return (unit if unit[0] >= 0 else -unit).astype(np.float32)


def quaternion_from_rotation_vector(rotation_rad: Float32[np.ndarray, "3"]) -> Float32[np.ndarray, "4"]:
    """Unit quaternion wxyz of an axis-angle vector (radians)."""
    vector = np.asarray(rotation_rad, np.float64)
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return IDENTITY_WXYZ.copy()
    axis = vector / angle
    return np.concatenate([[np.cos(angle / 2)], np.sin(angle / 2) * axis]).astype(np.float32)
