"""Head and body are one: welded at the neck, on one skeleton, in a T-pose, on the ground."""

from itertools import pairwise

import numpy as np
import pytest

from avatar3d.body.figure import Traits, find_figure
from avatar3d.body.form import volume_m3
from avatar3d.body.joints import PARENTS
from avatar3d.body.model import load_body_model
from avatar3d.core.errors import UsageError
from avatar3d.editing import reshape
from tests.unit.body.bodies import PEOPLE, dressed, mean_head, posed, whole

# VRM 1.0, humanoid.md: the fifteen that a humanoid must have.
REQUIRED = {"hips", "spine", "head"} | {
    f"{side}{bone}"
    for side in ("left", "right")
    for bone in ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
}


def _ring(who: str) -> list[tuple[int, int]]:
    """Face and body vertices that lie in the same place."""
    face, body = dressed(who).face, dressed(who).skin
    at = {place.tobytes(): row for row, place in enumerate(face.positions)}
    return [(at[place.tobytes()], row) for row, place in enumerate(body.positions) if place.tobytes() in at]


@pytest.mark.parametrize("who", PEOPLE)
def test_the_ring_is_welded_to_the_bit(who: str) -> None:
    pairs = np.array(_ring(who))
    face, body = dressed(who).face, whole(who).mesh("body")
    assert len({face.positions[row].tobytes() for row, _ in pairs}) == 42
    np.testing.assert_array_equal(face.normals[pairs[:, 0]], body.normals[pairs[:, 1]])
    np.testing.assert_array_equal(face.joints[pairs[:, 0]], body.joints[pairs[:, 1]])
    np.testing.assert_array_equal(face.weights[pairs[:, 0]], body.weights[pairs[:, 1]])


def test_the_ring_stays_closed_in_every_shape_and_pose() -> None:
    pairs = np.array(_ring("man"))
    assert not dressed("man").face.morphs[:, pairs[:, 0]].any()
    for pose in ("arms up", "walking"):
        moved = posed(whole("man"), pose)
        np.testing.assert_allclose(moved["face"][pairs[:, 0]], moved["body"][pairs[:, 1]], atol=1e-6)


def test_above_the_neck_the_face_stays_as_it_was() -> None:
    _, _, avatar = mean_head()
    before, after = avatar.meshes[0], dressed("man").face
    high = before.positions[:, 1] > -0.06
    lift = np.array([0, dressed("man").lift_m, 0], np.float32)
    np.testing.assert_array_equal(after.positions[high], before.positions[high] + lift)
    np.testing.assert_array_equal(after.morphs[:, high], before.morphs[:, high])
    np.testing.assert_array_equal(after.uvs, before.uvs)


def test_a_body_leaves_the_avatar_it_was_given_as_it_was() -> None:
    _, head, avatar = mean_head()
    kept = [array.copy() for array in (avatar.meshes[0].positions, avatar.meshes[0].weights, head.neutral)]
    whole("woman")
    for before, now in zip(kept, (avatar.meshes[0].positions, avatar.meshes[0].weights, head.neutral), strict=True):
        np.testing.assert_array_equal(before, now)


@pytest.mark.parametrize("who", PEOPLE)
def test_one_skeleton_with_the_humanoids_bones(who: str) -> None:
    avatar = whole(who)
    names, parents = avatar.skeleton.names, avatar.skeleton.parents
    assert set(names) >= REQUIRED | set(PARENTS) | {"root", "jaw", "leftEye", "rightEye"}
    assert len(set(names)) == len(names)
    assert names[0] == "root"
    assert (parents[1:] < np.arange(1, len(names))).all()
    assert np.count_nonzero(parents < 0) == 1
    for name, parent in PARENTS.items():
        assert names[parents[names.index(name)]] == parent


@pytest.mark.parametrize("who", PEOPLE)
def test_skin_weights_are_at_most_four_and_sum_to_one(who: str) -> None:
    avatar = whole(who)
    moved = np.zeros(len(avatar.skeleton.names))
    for mesh in avatar.meshes:
        np.testing.assert_allclose(mesh.weights.sum(1), 1, atol=1e-5)
        assert (mesh.weights >= 0).all()
        assert mesh.joints.max() < len(moved)
        np.add.at(moved, mesh.joints, mesh.weights)
    still = {name for name, weight in zip(avatar.skeleton.names, moved, strict=True) if weight == 0}
    assert still <= {"root", "tongue"}


@pytest.mark.parametrize("who", PEOPLE)
def test_the_pose_is_a_t(who: str) -> None:
    at = dict(zip(whole(who).skeleton.names, whole(who).skeleton.positions, strict=True))
    for side, out in (("left", 1), ("right", -1)):
        arm = [at[f"{side}{bone}"] for bone in ("UpperArm", "LowerArm", "Hand", "MiddleProximal", "MiddleDistal")]
        for one, other in pairwise(arm):
            way = (other - one) / np.linalg.norm(other - one)
            assert abs(way[1]) < np.sin(np.radians(1.5))
            assert way[0] * out > np.cos(np.radians(8))
        leg = at[f"{side}Foot"] - at[f"{side}UpperLeg"]
        assert leg[1] / np.linalg.norm(leg) < -np.cos(np.radians(4))
    knuckles = at["leftIndexProximal"] - at["leftLittleProximal"]
    assert knuckles[2] > 0.9 * np.linalg.norm(knuckles)  # palms down


@pytest.mark.parametrize("who", PEOPLE)
def test_the_soles_are_on_the_ground_and_the_root_too(who: str) -> None:
    avatar = whole(who)
    assert min(float(mesh.positions[:, 1].min()) for mesh in avatar.meshes) == pytest.approx(0, abs=1e-6)
    shoes = avatar.mesh("shoes").positions
    for side in (shoes[:, 0] > 0, shoes[:, 0] < 0):
        assert float(shoes[side, 1].min()) == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(avatar.skeleton.positions[0], 0, atol=1e-6)


@pytest.mark.parametrize(("height_m", "weight_kg"), [(1.55, 60.0), (1.90, 90.0)])
def test_a_body_is_as_tall_and_as_heavy_as_asked_for(height_m: float, weight_kg: float) -> None:
    model, head, _ = mean_head()
    body = load_body_model()
    crown = float(head.neutral[np.unique(model.triangles[model.part("face")]), 1].max())
    traits = Traits(1.0, 45.0, 25.0, height_m, weight_kg)
    figure = find_figure(body, traits, head.neutral, crown, 1.0)
    assert (figure.height_m, figure.weight_kg) == (height_m, weight_kg)
    assert -1 < figure.build.heaviness < 1


def test_a_closed_box_has_its_volume_and_so_has_an_open_one() -> None:
    corners = np.array([[x, y, z] for x in (0, 2) for y in (0, 3) for z in (0, 4)], np.float32)
    faces = np.array(
        [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4],
         [1, 5, 7], [1, 7, 3]], np.int32)  # fmt: skip
    assert volume_m3(corners, faces[:10]) == pytest.approx(24)


def test_a_bust_keeps_the_heads_own_skeleton() -> None:
    _, _, avatar = mean_head()
    bust = whole("woman", "bust")
    assert bust.skeleton is avatar.skeleton
    assert {mesh.name for mesh in bust.meshes} >= {"body", "shirt"}
    assert np.ptp(bust.mesh("shirt").positions[:, 1]) < 0.4


def test_a_head_with_a_body_is_not_reshaped() -> None:
    model, head, _ = mean_head()
    with pytest.raises(UsageError, match="cannot be reshaped") as caught:
        reshape(model, head.neutral, head, whole("man"))
    assert caught.value.id == "HAS_A_BODY"
