"""The humanoid that VRM demands of a head: hips, spine, arms and legs in T-pose, sized by the head, the soles on the ground.

    root > neck > head ...      -->      root > hips > spine > chest > neck > head ...
                                                hips > legs    chest > arms

Nothing visible moves but as a whole: the avatar is set down on the ground (VRMC_vrm-1.0/tpose.md, 1.1 and 1.3). What hung on
the root joint, the bust, hangs on the chest then. An avatar with a body has these joints already and is set down only.

Proportions are shares of the stature: Drillis and Contini, "Body segment parameters" (1966), as printed in Winter,
"Biomechanics and Motor Control of Human Movement", figure 4.1, for limbs and heights; de Leva, "Adjustments to
Zatsiorsky-Seluyanov's segment inertia parameters" (1996), table 4, men, for the parts of the trunk. They are adults';
a child's legs come out too long, which nobody sees on a bust.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.avatar import Avatar, Mesh, Skeleton
from avatar3d.core.errors import InputError
from avatar3d.core.humanoid import REQUIRED

_CHIN: Final = 0.870
"""Height; the head is the rest of the stature."""
_SHOULDER, _HIP, _KNEE, _ANKLE = 0.818, 0.530, 0.285, 0.039
_HALF_SHOULDERS, _HALF_HIPS = 0.129, 0.0955
_UPPER_ARM, _LOWER_ARM = 0.186, 0.146
_NAVEL, _XIPHION = _HIP + 145.7 / 1741, _HIP + (145.7 + 215.5) / 1741
"""The spine's joint (top of the pelvis) and the chest's (bottom of the rib cage), above mid-hip; de Leva's men are 1,741 mm tall."""

# Joint, parent, height, distance from the middle (x) as shares of the stature.
_TRUNK: Final = (("hips", "root", _HIP), ("spine", "hips", _NAVEL), ("chest", "spine", _XIPHION))
_LIMBS: Final = (
    ("UpperLeg", "hips", _HIP, _HALF_HIPS), ("LowerLeg", "UpperLeg", _KNEE, _HALF_HIPS), ("Foot", "LowerLeg", _ANKLE, _HALF_HIPS),
    ("UpperArm", "chest", _SHOULDER, _HALF_SHOULDERS), ("LowerArm", "UpperArm", _SHOULDER, _HALF_SHOULDERS + _UPPER_ARM),
    ("Hand", "LowerArm", _SHOULDER, _HALF_SHOULDERS + _UPPER_ARM + _LOWER_ARM),
)  # fmt: skip
_TIP: Final = "Tip"
_OF_JAW: Final = 0.5
"""A vertex that hangs on the jaw more than this is chin."""


def as_humanoid(avatar: Avatar) -> Avatar:
    """The avatar with a humanoid's joints, standing on y = 0, and a tip at the end of each chain of hair.

    Raises InputError (10) for a head without root, neck, head and jaw, and for a body that lacks some of its joints.
    """
    names = avatar.skeleton.names
    if "hips" in names:
        missing = [bone for bone in REQUIRED if bone not in names]
        if missing:
            raise _unfit(f"its body lacks the joints {', '.join(missing)}")
        return _with_hair_tips(_on_its_soles(avatar))
    missing = [name for name in ("root", "neck", "head", "jaw") if name not in names]
    if missing:
        raise _unfit(f"its skeleton lacks {', '.join(missing)}")
    chin, stature = _chin_and_stature(avatar)
    neck = avatar.skeleton.positions[names.index("neck")]
    down = _shifted(avatar, np.array([0, _CHIN * stature - chin, -neck[2]], np.float32))
    return _with_hair_tips(_with_body_joints(down, stature))


def _on_its_soles(avatar: Avatar) -> Avatar:
    """A body set down on y = 0; a bust that was made a humanoid before stands already, on legs that nobody sees."""
    feet = [at for at, name in enumerate(avatar.skeleton.names) if name in ("leftFoot", "rightFoot")]
    if not any(np.isin(mesh.joints, feet)[mesh.weights > 0].any() for mesh in avatar.meshes):
        return avatar
    lowest = min(float(mesh.positions[:, 1].min()) for mesh in avatar.meshes)
    return _shifted(avatar, np.array([0, -lowest, 0], np.float32))


def _unfit(what: str) -> InputError:
    return InputError(
        f"This avatar cannot become a humanoid: {what}.",
        hint="Give a head or a body that avatar3d made.",
        id="VRM_SKELETON",
    )


def _chin_and_stature(avatar: Avatar) -> tuple[float, float]:
    """Height of the chin in the avatar's frame and the person's stature, metres, from the head's height."""
    face, jaw = avatar.meshes[0], avatar.skeleton.names.index("jaw")
    held = np.where(face.joints == jaw, face.weights, 0).sum(1) > _OF_JAW
    if not held.any():
        raise _unfit("no part of its face hangs on the jaw")
    chin, crown = float(face.positions[held, 1].min()), float(face.positions[:, 1].max())
    return chin, (crown - chin) / (1 - _CHIN)


def _shifted(avatar: Avatar, by_m: Float32[np.ndarray, "3"]) -> Avatar:
    skeleton = replace(avatar.skeleton, positions=avatar.skeleton.positions + by_m)
    return replace(
        avatar,
        meshes=tuple(replace(mesh, positions=mesh.positions + by_m) for mesh in avatar.meshes),
        skeleton=skeleton,
    )


def _with_body_joints(avatar: Avatar, stature_m: float) -> Avatar:
    """Trunk between root and neck, limbs at the end; the root comes to the ground, and what hung on it to the chest."""
    old = avatar.skeleton
    middle = float(old.positions[old.names.index("neck"), 0])
    names, parents = ["root", *(joint for joint, _, _ in _TRUNK)], ["", *(parent for _, parent, _ in _TRUNK)]
    places = [(middle, 0.0, 0.0), *((middle, share * stature_m, 0.0) for _, _, share in _TRUNK)]
    for joint, parent, place in zip(old.names[1:], old.parents[1:].tolist(), old.positions[1:].tolist(), strict=True):
        names.append(joint)
        parents.append("chest" if parent == 0 else old.names[parent])
        places.append((place[0], place[1], place[2]))
    for side, sign in (("left", 1), ("right", -1)):
        for joint, parent, height, across in _LIMBS:
            names.append(f"{side}{joint}")
            parents.append(parent if parent in ("hips", "chest") else f"{side}{parent}")
            places.append((middle + sign * across * stature_m, height * stature_m, 0.0))
    numbers = [names.index(parent) if parent else -1 for parent in parents]
    skeleton = Skeleton(tuple(names), np.array(numbers, np.int32), np.array(places, np.float32))
    moved_to = np.array([names.index("chest" if joint == old.names[0] else joint) for joint in old.names], np.int32)
    return replace(avatar, meshes=tuple(_rebound(mesh, moved_to) for mesh in avatar.meshes), skeleton=skeleton)


def _rebound(mesh: Mesh, moved_to: Int32[np.ndarray, "J"]) -> Mesh:
    return replace(mesh, joints=np.where(mesh.weights > 0, moved_to[mesh.joints], 0).astype(np.int32))


def _with_hair_tips(avatar: Avatar) -> Avatar:
    """A joint at the end of each chain of hair: a spring turns its last joint by what follows it (VRMC_springBone-1.0, "Example")."""
    skeleton = avatar.skeleton
    last = [at for at, name in enumerate(skeleton.names) if name.startswith("hair") and at not in skeleton.parents]
    last = [at for at in last if not skeleton.names[at].endswith(_TIP)]
    last = [at for at in last if skeleton.names[skeleton.parents[at]].startswith("hair")]
    if not last:
        return avatar
    names = tuple(f"{skeleton.names[at].rstrip('0123456789')}{_TIP}" for at in last)
    ends = np.stack([2 * skeleton.positions[at] - skeleton.positions[skeleton.parents[at]] for at in last])
    longer = Skeleton(
        skeleton.names + names,
        np.concatenate([skeleton.parents, np.array(last, np.int32)]),
        np.concatenate([skeleton.positions, ends]).astype(np.float32),
    )
    return replace(avatar, skeleton=longer)
