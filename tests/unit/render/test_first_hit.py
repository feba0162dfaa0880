"""What a pixel's ray meets first."""

from typing import Literal

import numpy as np

from avatar3d.core.avatar import Avatar, Material, Mesh, Skeleton, Texture
from avatar3d.core.photo import Camera
from avatar3d.core.transforms import quaternion_from_matrix
from avatar3d.render.first_hit import first_hits
from avatar3d.render.stage import stage_avatar

CAMERA = Camera(
    40.0, np.float32([8, 8]), 16, 16, quaternion_from_matrix(np.diag([1, -1, -1]).astype(np.float32)),
    np.float32([0, 0, 1]),
)  # fmt: skip


def square(name: str, z: float, half: float, mode: Literal["OPAQUE", "MASK", "BLEND"]) -> Mesh:
    """A square across the view; the left half of its picture (the person's right, x < 0) is cut out."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)
    alpha = np.full((8, 8, 4), 255, np.uint8)
    alpha[:, :4, 3] = 0
    return Mesh(
        name=name,
        positions=np.column_stack([half * corners, np.full(4, z)]).astype(np.float32),
        normals=np.tile(np.float32([0, 0, 1]), (4, 1)),
        uvs=((corners * [1, -1] + 1) / 2).astype(np.float32),
        triangles=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        material=Material(name, base_colour=Texture(name, alpha), alpha_mode=mode),
        morph_names=(),
        morphs=np.zeros((0, 4, 3), np.float32),
        joints=np.zeros((4, 4), np.int32),
        weights=np.tile(np.float32([1, 0, 0, 0]), (4, 1)),
    )


def hits(*meshes: Mesh) -> tuple[np.ndarray, np.ndarray]:
    skeleton = Skeleton(("root",), np.array([-1], np.int32), np.zeros((1, 3), np.float32))
    stage = stage_avatar(Avatar("squares", meshes, skeleton))
    found = first_hits(stage, stage.positions, CAMERA)
    return np.where(found.triangle >= 0, stage.triangle_mesh[found.triangle], -1), found.depth_m


def test_a_cut_out_is_looked_through_and_depth_is_along_the_axis() -> None:
    mesh, depth = hits(square("near", 0.2, 0.1, "MASK"), square("far", 0.0, 0.5, "OPAQUE"))
    np.testing.assert_array_equal(mesh[8, 4:12], [1, 1, 1, 1, 0, 0, 0, 0])
    np.testing.assert_allclose(depth[8, 4:12], [1, 1, 1, 1, 0.8, 0.8, 0.8, 0.8], atol=1e-5)
    assert mesh[8, 0] == 1  # beside the near one


def test_a_lens_is_no_surface_and_nothing_is_infinitely_far() -> None:
    mesh, depth = hits(square("lens", 0.2, 0.1, "BLEND"), square("small", 0.0, 0.1, "OPAQUE"))
    assert mesh[8, 8] == 1
    assert mesh[0, 0] == -1
    assert np.isinf(depth[0, 0])
    assert np.isfinite(depth[8, 8])
