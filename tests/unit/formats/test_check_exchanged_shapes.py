"""`check` tells any two exchanged shapes, a blink that does not shut the eye, and one side that is weaker than the other."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest

from avatar3d.core.avatar import Avatar, Material, Mesh
from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.formats.finding import Finding
from avatar3d.formats.promises import check_promises
from avatar3d.head.load import load_head_model
from avatar3d.rig.assemble import PART_ORDER, RiggedHead, cut_mesh
from avatar3d.rig.incisors import seat_teeth
from avatar3d.rig.lips import settle_lips
from avatar3d.rig.morphs import person_shapes
from avatar3d.rig.skeleton import place_skeleton
from avatar3d.rig.tongue import tongue_poses
from tests.synthetic import synthetic_avatar

# What a head without lids, parting lips and morphing eyeballs cannot tell.
EGG_CANNOT_TELL = {
    ("eyeLookUpLeft", "eyeWideLeft"),
    ("eyeLookUpRight", "eyeWideRight"),
    ("mouthFunnel", "mouthPucker"),
}
# Shapes whose strength nothing on the head tells: they have no twin, and need not meet anything.
STRENGTH_UNKNOWN = {
    "browInnerUp", "cheekPuff", "jawForward", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "tongueOut",
}  # fmt: skip
UPPER_FACE = ("brow", "cheek", "eye", "nose")
LOWER_FACE = ("cheek", "jaw", "mouth", "nose", "tongue")
SHAPES = ("shapes", "lips", "lids")
BARE = sorted({name.removesuffix("Left").removesuffix("Right") for name in ARKIT_NAMES})


@cache
def person(seed: int) -> Avatar:
    """A random person of the model with their own shapes, without a photo."""
    model = load_head_model()
    coefficients = np.random.default_rng(seed).normal(size=len(model.identity)).clip(-2, 2).astype(np.float32)
    born = model.rest + np.tensordot(coefficients, model.identity, 1).astype(np.float32)
    neutral = seat_teeth(model, settle_lips(model, born))
    shapes = person_shapes(model, neutral)
    head = RiggedHead(neutral, shapes, tongue_poses(model, neutral))
    meshes = [cut_mesh(model, head, part, Material(part)) for part in PART_ORDER if len(model.part(part))]
    return replace(synthetic_avatar(), meshes=tuple(meshes), skeleton=place_skeleton(model, neutral))


def with_morphs(avatar: Avatar, change: Callable[[np.ndarray], np.ndarray]) -> Avatar:
    """Every mesh that carries the shapes changed alike."""

    def changed(mesh: Mesh) -> Mesh:
        if not mesh.morph_names:
            return mesh
        return replace(mesh, morphs=np.concatenate([change(mesh.morphs[:52]), mesh.morphs[52:]]))

    return replace(avatar, meshes=tuple(changed(mesh) for mesh in avatar.meshes))


def exchanged(avatar: Avatar, one: str, other: str) -> Avatar:
    order = np.arange(len(ARKIT_NAMES))
    order[[ARKIT_INDEX[one], ARKIT_INDEX[other]]] = ARKIT_INDEX[other], ARKIT_INDEX[one]
    return with_morphs(avatar, lambda morphs: morphs[order])


def scaled(avatar: Avatar, factor: float, *names: str) -> Avatar:
    factors = np.ones((len(ARKIT_NAMES), 1, 1), np.float32)
    factors[[ARKIT_INDEX[name] for name in names]] = factor
    return with_morphs(avatar, lambda morphs: morphs * factors)


def faults(avatar: Avatar) -> list[Finding]:
    return [found for found in check_promises(avatar) if found.level == "fail" and found.check in SHAPES]


def sides(bare: str) -> tuple[str, ...]:
    return tuple(name for name in (bare, f"{bare}Left", f"{bare}Right") if name in ARKIT_INDEX)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_genuine_head_keeps_every_promise_about_shapes(seed: int) -> None:
    assert faults(person(seed)) == []


@pytest.mark.parametrize("region", [UPPER_FACE, LOWER_FACE])
def test_any_two_shapes_of_one_region_exchanged_fail(region: tuple[str, ...]) -> None:
    """On the left half and in the middle; shapes of other regions are told apart by where they act."""
    names = [sides(bare)[0] for bare in BARE if bare.startswith(region)]
    unseen = [pair for pair in combinations(names, 2) if not faults(exchanged(person(1), *pair))]
    assert unseen == []


@pytest.mark.parametrize("bare", [bare for bare in BARE if len(sides(bare)) == 2])
def test_left_and_right_exchanged_fail(bare: str) -> None:
    assert faults(exchanged(person(1), *sides(bare))) != []


@pytest.mark.parametrize("name", ARKIT_NAMES)
def test_a_shape_at_half_strength_fails_or_is_known_to_be_beyond_telling(name: str) -> None:
    assert (faults(scaled(person(1), 0.5, name)) == []) == (name in STRENGTH_UNKNOWN)


def test_both_blinks_at_half_strength_leave_the_eyes_open_and_fail() -> None:
    found = faults(scaled(person(1), 0.5, "eyeBlinkLeft", "eyeBlinkRight"))
    assert {fault.where for fault in found if fault.check == "lids"} == {"eyeBlinkLeft", "eyeBlinkRight"}


@pytest.mark.parametrize("pair", sorted(EGG_CANNOT_TELL))
def test_what_a_head_without_lids_and_lips_cannot_tell_a_real_one_can(pair: tuple[str, str]) -> None:
    assert faults(exchanged(synthetic_avatar(), *pair)) == []
    assert faults(exchanged(person(1), *pair)) != []
