"""A rigged avatar: parts, seams, weights, skeleton."""

from functools import lru_cache

import numpy as np

from avatar3d.core.avatar import Avatar, Skin, Texture
from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.head import HeadFit
from avatar3d.core.photo import Camera, Light
from avatar3d.head.load import load_head_model
from avatar3d.rig.assemble import PART_ORDER, assemble_avatar
from avatar3d.rig.mouth import tuck_teeth
from avatar3d.rig.surface import smooth_normals


def plain_skin(size: int = 64) -> Skin:
    """Skin of one colour."""
    albedo = np.full((size, size, 3), (190, 140, 120), np.uint8)
    flat = np.full((size, size, 3), (128, 128, 255), np.uint8)
    light = np.zeros((9, 3), np.float32)
    light[0] = 1
    return Skin(
        albedo=Texture("albedo", albedo),
        normal=Texture("normal", flat),
        confidence=np.zeros((size, size), np.float32),
        light=Light(light),
        tone=np.array([0.5, 0.3, 0.2], np.float32),
    )


def avatar() -> Avatar:
    """A random person with a plain face."""
    return person(4)


@lru_cache
def person(seed: int) -> Avatar:
    """Another one by another seed."""
    model = load_head_model()
    identity = np.random.default_rng(seed).normal(size=len(model.identity)).astype(np.float32)
    neutral = (model.rest + np.tensordot(identity, model.identity, 1)).astype(np.float32)
    still = np.array([1, 0, 0, 0], np.float32)
    camera = Camera(500.0, np.array([256, 256], np.float32), 512, 512, still, np.array([0, 0, 0.6], np.float32))
    weights = np.zeros(52, np.float32)
    fitted = HeadFit(identity, weights, weights, camera, still, still, neutral, neutral, 0.01)
    eyes = Texture("eyes", np.full((16, 16, 3), 240, np.uint8))
    return assemble_avatar(model, fitted, plain_skin(), eyes, None, name="someone", extras={"synthetic": True})


def test_the_face_comes_first_and_carries_all_52_shapes() -> None:
    face = avatar().meshes[0]
    assert face.name == "face"
    assert face.morph_names == ARKIT_NAMES
    assert face.morphs.shape == (52, len(face.positions), 3)


def test_every_part_of_the_model_is_a_mesh_and_hair_only_when_grown() -> None:
    names = [mesh.name for mesh in avatar().meshes]
    assert names == [part for part in (*PART_ORDER, "wetLines") if part in names]
    assert "wetLines" in names
    assert {"eyeLeft", "eyeRight", "teethUpper", "teethLower", "tongue", "mouth"} <= set(names)


def test_every_number_is_finite_and_every_weight_sums_to_one() -> None:
    for mesh in avatar().meshes:
        assert np.isfinite(mesh.positions).all()
        assert np.isfinite(mesh.morphs).all()
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-4)
        np.testing.assert_allclose(mesh.weights.sum(1), 1, atol=1e-5)
        assert mesh.uvs.min() >= -1e-5
        assert mesh.uvs.max() <= 1 + 1e-5
        assert mesh.joints.max() < len(avatar().skeleton.names)


def test_there_is_one_root_and_parents_come_first() -> None:
    skeleton = avatar().skeleton
    assert (skeleton.parents == -1).sum() == 1
    assert skeleton.parents[0] == -1
    assert all(parent < index for index, parent in enumerate(skeleton.parents))
    assert {"neck", "head", "jaw", "leftEye", "rightEye"} <= set(skeleton.names)
    left = skeleton.positions[skeleton.names.index("leftEye")]
    right = skeleton.positions[skeleton.names.index("rightEye")]
    assert left[0] > 0.02 > -0.02 > right[0]


def test_seams_are_split_in_uv_and_welded_in_shape_and_normal() -> None:
    face = avatar().meshes[0]
    _, index, counts = np.unique(face.positions, axis=0, return_inverse=True, return_counts=True)
    doubled = np.flatnonzero(counts > 1)
    assert len(doubled) > 10
    for group in doubled[:200]:
        twins = np.flatnonzero(index.ravel() == group)
        np.testing.assert_array_equal(face.normals[twins], face.normals[twins[:1]].repeat(len(twins), 0))
        np.testing.assert_array_equal(face.morphs[:, twins], face.morphs[:, twins[:1]].repeat(len(twins), 1))
        assert len(np.unique(face.uvs[twins], axis=0)) == len(twins)


def test_triangles_face_outward() -> None:
    for name in ("face", "eyeLeft", "eyeRight"):
        mesh = avatar().mesh(name)
        corners = mesh.positions[mesh.triangles]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        along = np.sum(normal * mesh.normals[mesh.triangles].mean(1), axis=1)
        assert (along > 0).mean() > 0.98
    eye = avatar().mesh("eyeLeft")
    assert np.sum(eye.normals * (eye.positions - eye.positions.mean(0)), axis=1).min() > 0


def test_shapes_and_joints_move_the_same_parts() -> None:
    skeleton = avatar().skeleton
    jaw = skeleton.names.index("jaw")
    lower = avatar().mesh("teethLower")
    assert np.linalg.norm(lower.morphs[ARKIT_INDEX["jawOpen"]], axis=1).min() > 0.005
    on_jaw = (lower.weights * (lower.joints == jaw)).sum(1)
    assert on_jaw.min() > 0.99
    upper = avatar().mesh("teethUpper")
    assert (upper.weights * (upper.joints == jaw)).sum() == 0
    assert not upper.morph_names
    for side, joint in (("eyeLeft", "leftEye"), ("eyeRight", "rightEye")):
        eye = avatar().mesh(side)
        assert (eye.weights * (eye.joints == skeleton.names.index(joint))).sum(1).min() > 0.99


def test_smooth_normals_of_a_cube_point_along_its_diagonals() -> None:
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32)
    np.testing.assert_allclose(smooth_normals(corners, triangles), corners / np.sqrt(3), atol=1e-5)


def test_teeth_are_tucked_behind_skin_that_would_not_cover_them() -> None:
    model = load_head_model()
    pushed = model.rest.copy()
    lower = np.unique(model.triangles[model.part("teethLower")])
    gum = lower[np.argsort(pushed[lower, 1])[:60]]
    front = gum[np.argsort(pushed[gum, 2])[-8:]]
    pushed[front, 2] += np.float32(0.012)
    tucked = tuck_teeth(model, pushed, np.zeros_like(model.expression))
    moved_back = pushed[front, 2] - tucked[front, 2]
    assert moved_back.max() > 0.001
    others = np.setdiff1d(
        np.arange(len(pushed)),
        np.unique(model.triangles[np.concatenate([model.part("teethLower"), model.part("teethUpper")])]),
    )
    np.testing.assert_array_equal(tucked[others], pushed[others])
