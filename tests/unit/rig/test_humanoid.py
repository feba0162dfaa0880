"""A head becomes a humanoid that stands on the ground, and nothing visible moves but as a whole."""

from dataclasses import replace

import numpy as np
import pytest

from avatar3d.core.avatar import Avatar, Skeleton
from avatar3d.core.errors import InputError
from avatar3d.core.humanoid import NEEDS_PARENT, PARENTS, REQUIRED, REQUIRED_0, nearest_parent
from avatar3d.rig.humanoid import as_humanoid
from tests.synthetic import synthetic_avatar
from tests.unit.formats.vrm_examples import hairy_egg


def place(avatar: Avatar, joint: str) -> np.ndarray:
    return avatar.skeleton.positions[avatar.skeleton.names.index(joint)]


def parent(avatar: Avatar, joint: str) -> str:
    return avatar.skeleton.names[avatar.skeleton.parents[avatar.skeleton.names.index(joint)]]


def test_it_has_every_bone_that_either_version_of_vrm_requires() -> None:
    names = as_humanoid(synthetic_avatar()).skeleton.names
    assert set(REQUIRED_0) <= set(names)
    assert set(synthetic_avatar().skeleton.names) <= set(names)
    assert len(set(names)) == len(names)


def test_bones_hang_as_the_specification_has_it() -> None:
    avatar = as_humanoid(synthetic_avatar())
    there = {name for name in avatar.skeleton.names if name in PARENTS}
    for bone in there - {"hips"}:
        assert parent(avatar, bone) == nearest_parent(bone, there)
    assert parent(avatar, "hips") == "root"
    assert (np.arange(len(avatar.skeleton.names)) > avatar.skeleton.parents).all()


def test_a_head_moves_as_a_whole_and_what_hung_on_the_root_hangs_on_the_chest() -> None:
    before, after = synthetic_avatar(), hairy_egg()
    shift = place(after, "head") - place(before, "head")
    for old, new in zip(before.meshes, after.meshes, strict=False):
        assert np.abs(new.positions - old.positions - shift).max() < 1e-6
        assert new.morphs is old.morphs
    face, names = after.meshes[0], after.skeleton.names
    held = {names[joint] for joint in np.unique(face.joints[face.weights > 0])}
    assert "root" not in held
    assert "chest" in held


def test_a_head_of_24_centimetres_stands_on_legs_of_a_person_of_185() -> None:
    avatar = as_humanoid(
        synthetic_avatar()
    )  # a head is .13 of the stature (Drillis and Contini); the egg's is about 0.24 m
    assert avatar.meshes[0].positions[:, 1].max() == pytest.approx(0.24 / 0.13, abs=0.02)
    assert place(avatar, "hips")[1] == pytest.approx(0.53 * 0.24 / 0.13, abs=0.01)
    assert place(avatar, "root").tolist() == [0, 0, 0]
    assert 0.05 < place(avatar, "leftFoot")[1] < 0.10


def test_it_stands_in_t_pose_with_its_left_at_plus_x() -> None:
    avatar = as_humanoid(synthetic_avatar())
    for side, sign in (("left", 1), ("right", -1)):
        arm = place(avatar, f"{side}Hand") - place(avatar, f"{side}UpperArm")
        assert arm[0] * sign == pytest.approx(np.linalg.norm(arm))
    heights = [
        place(avatar, joint)[1] for joint in ("leftFoot", "leftLowerLeg", "hips", "spine", "chest", "neck", "head")
    ]
    assert heights == sorted(heights)


def test_a_chain_of_hair_gets_a_tip_and_a_second_time_changes_nothing() -> None:
    once = hairy_egg()
    assert parent(once, "hairBackTip") == "hairBack2"
    twice = as_humanoid(once)
    assert twice.skeleton.names == once.skeleton.names
    np.testing.assert_array_equal(twice.skeleton.positions, once.skeleton.positions)
    np.testing.assert_array_equal(twice.meshes[0].positions, once.meshes[0].positions)


def test_a_body_keeps_its_own_joints_and_is_set_down_on_its_soles() -> None:
    standing = as_humanoid(synthetic_avatar())
    shoe = standing.mesh("teethLower")
    joints = np.zeros_like(shoe.joints)
    joints[:, 0] = standing.skeleton.names.index("leftFoot")
    floating = replace(
        standing,
        meshes=(
            *standing.meshes,
            replace(shoe, name="shoe", positions=shoe.positions - np.float32(1.2), joints=joints),
        ),
    )
    body = as_humanoid(floating)
    assert body.skeleton.names == standing.skeleton.names
    assert min(mesh.positions[:, 1].min() for mesh in body.meshes) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("missing", ["leftHand", "jaw"])
def test_what_lacks_joints_is_told_which(missing: str) -> None:
    whole = as_humanoid(synthetic_avatar()) if missing in REQUIRED else synthetic_avatar()
    names = tuple("other" if name == missing else name for name in whole.skeleton.names)
    bone = Skeleton(names, whole.skeleton.parents, whole.skeleton.positions)
    with pytest.raises(InputError, match=missing) as told:
        as_humanoid(replace(whole, skeleton=bone))
    assert told.value.id == "VRM_SKELETON"


def test_the_table_of_bones_is_vrms() -> None:
    assert (len(PARENTS), len(REQUIRED), len(REQUIRED_0)) == (55, 15, 17)
    assert {"upperChest", "leftThumbProximal", "rightLittleDistal"} <= NEEDS_PARENT
    assert "leftIndexProximal" not in NEEDS_PARENT
    assert nearest_parent("neck", {"spine", "hips"}) == "spine"
    assert nearest_parent("leftUpperArm", {"chest", "hips"}) == "chest"
