"""The loops that draw films, compiled before anybody waits for them: seven seconds, once a machine."""

import numpy as np

from avatar3d.core.avatar import Avatar, Material, Mesh, Skeleton
from avatar3d.core.blendshapes import Frame
from avatar3d.core.photo import Camera
from avatar3d.core.transforms import OPENCV_FROM_GLTF, quaternion_from_matrix
from avatar3d.render.film import draw_frames

_STILL = np.array([1, 0, 0, 0], np.float32)


def warm_up() -> None:
    """Draw a triangle and a pane of glass, which every loop has its part in; later processes find what was compiled.

    Raises MissingExtraError without numba.
    """
    camera = Camera(
        focal_px=16.0,
        principal_px=np.full(2, 8, np.float32),
        width_px=16,
        height_px=16,
        rotation_wxyz=quaternion_from_matrix(OPENCV_FROM_GLTF),
        translation_m=np.array([0, 0, 1], np.float32),
    )
    meshes = _triangle(Material("solid")), _triangle(Material("glass", alpha_mode="BLEND"))
    avatar = Avatar("warm", meshes, Skeleton(("root",), np.array([-1], np.int32), np.zeros((1, 3), np.float32)))
    next(draw_frames(avatar, [Frame(0.0, np.zeros(52, np.float32), _STILL, _STILL, _STILL)], camera))


def _triangle(material: Material) -> Mesh:
    corners = np.array([[0, 0.2, 0], [-0.2, -0.2, 0], [0.2, -0.2, 0]], np.float32)
    return Mesh(
        material.name,
        corners,
        np.tile(np.array([0, 0, 1], np.float32), (3, 1)),
        np.zeros((3, 2), np.float32),
        np.array([[0, 1, 2]], np.int32),
        material,
        (),
        np.zeros((0, 3, 3), np.float32),
        np.zeros((3, 4), np.int32),
        np.tile(np.array([1, 0, 0, 0], np.float32), (3, 1)),
    )
