"""Pictures of a whole-body avatar from eight sides in five poses, to be looked at: python -m tools.body_sheets AVATAR.glb OUT.png"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from avatar3d.core.avatar import Avatar
from avatar3d.core.photo import Camera
from avatar3d.core.transforms import OPENCV_FROM_GLTF, quaternion_from_matrix
from avatar3d.formats.gltf import load_glb
from avatar3d.render.preview import RenderParams, render_avatar
from tests.unit.body.bodies import POSES

_SIDES = 8
_TILE_PX = (260, 330)
_DISTANCE_M = 6.0


def main() -> None:
    """Draw the sheet."""
    avatar = load_glb(Path(sys.argv[1]))
    Image.fromarray(draw_sheet(avatar)).save(sys.argv[2])


def draw_sheet(avatar: Avatar) -> np.ndarray:
    """A row per pose, a column per side; the person's front first, then the camera walks to their left."""
    top_m = max(float(mesh.positions[:, 1].max()) for mesh in avatar.meshes)
    params = RenderParams(samples=2, occlusion_rays=0)
    rows: list[np.ndarray] = []
    for name, rotations in POSES.items():
        wide = name == "T"
        reach_m = top_m * (1.45 if name == "arms up" else 1.12)
        middle_m = 0.5 * top_m + (0.16 * top_m if name == "arms up" else 0)
        size = (int(_TILE_PX[0] * (1.35 if wide else 1)), _TILE_PX[1])
        tiles = [
            render_avatar(
                avatar, _camera(360 * k / _SIDES, size, middle_m, reach_m), rotations=rotations, params=params
            )
            for k in range(_SIDES)
        ]
        rows.append(np.concatenate(tiles, axis=1))
    width = max(row.shape[1] for row in rows)
    return np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), mode="edge") for row in rows])


def _camera(yaw_deg: float, size_px: tuple[int, int], middle_m: float, height_m: float) -> Camera:
    yaw = np.radians(yaw_deg)
    around = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    rotation = OPENCV_FROM_GLTF @ around
    target = np.array([0, middle_m, 0])
    return Camera(
        focal_px=size_px[1] * _DISTANCE_M / height_m,
        principal_px=np.array(size_px, np.float32) / 2,
        width_px=size_px[0],
        height_px=size_px[1],
        rotation_wxyz=quaternion_from_matrix(rotation.astype(np.float32)),
        translation_m=(np.array([0, 0, _DISTANCE_M]) - rotation @ target).astype(np.float32),
    )


if __name__ == "__main__":
    main()
