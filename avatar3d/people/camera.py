"""A camera before a head, and the rays of its pixels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.core.photo import Camera
from avatar3d.core.transforms import matrix_from_quaternion, quaternion_from_matrix


@dataclass(frozen=True, eq=False)
class Lens:
    """A camera without its place."""

    width_px: int
    height_px: int
    focal_px: float


def look_at_head(lens: Lens, *, distance_m: float, yaw_rad: float, pitch_rad: float, roll_rad: float = 0.0,
                 target_m: tuple[float, float, float] = (0.0, 0.0, 0.05), shift_px: tuple[float, float] = (0.0, 0.0)) -> Camera:  # fmt: skip
    """A camera `distance_m` from `target_m`, the head turned to its left by yaw, up by pitch, tilted by roll."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw_rad, pitch_rad, roll_rad) for f in (np.cos, np.sin))
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    rotation = np.diag([1.0, -1.0, -1.0]) @ roll @ pitch @ yaw
    placed = np.array([*(np.array(shift_px) * distance_m / lens.focal_px), distance_m])
    return Camera(
        focal_px=lens.focal_px,
        principal_px=np.array([lens.width_px / 2, lens.height_px / 2], np.float32),
        width_px=lens.width_px,
        height_px=lens.height_px,
        rotation_wxyz=quaternion_from_matrix(rotation.astype(np.float32)),
        translation_m=(placed - rotation @ np.array(target_m)).astype(np.float32),
    )


def pixel_rays(
    camera: Camera, points_px: Float64[np.ndarray, "N 2"]
) -> tuple[Float32[np.ndarray, "N 3"], Float32[np.ndarray, "N 3"]]:
    """Origins and unit directions, head frame, of picture points."""
    rotation = matrix_from_quaternion(camera.rotation_wxyz)
    inside = np.concatenate([(points_px - camera.principal_px) / camera.focal_px, np.ones((len(points_px), 1))], axis=1)
    inside /= np.linalg.norm(inside, axis=1, keepdims=True)
    return np.tile(camera.position_m, (len(points_px), 1)).astype(np.float32), (inside @ rotation).astype(np.float32)
