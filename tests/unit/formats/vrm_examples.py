"""A small humanoid that both kinds of VRM tests write: the egg with hair on a chain."""

from dataclasses import replace
from functools import cache

import numpy as np

from avatar3d.core.avatar import Avatar, Skeleton
from avatar3d.formats.vrm_meta import VrmMeta, answered
from avatar3d.rig.humanoid import as_humanoid
from tests.synthetic import synthetic_avatar

META: VrmMeta = answered({"name": "egg", "authors": ("Somebody",)}, restrictive=True)


@cache
def hairy_egg() -> Avatar:
    """The egg as a humanoid, with a bust below its chin and a plait of one chain at its back."""
    egg = synthetic_avatar()
    face, bone = egg.meshes[0], egg.skeleton
    bust = face.positions[:, 1:2] < -0.105
    on_root = replace(
        face,
        joints=np.where(bust, 0, face.joints).astype(np.int32),
        weights=np.where(bust, np.eye(4)[0], face.weights).astype(np.float32),
    )
    first = len(bone.names)
    places = np.array([[0, 0.0, -0.16], [0, -0.08, -0.16]], np.float32)
    longer = Skeleton(
        (*bone.names, "hairBack1", "hairBack2"),
        np.array([*bone.parents, bone.names.index("head"), first], np.int32),
        np.concatenate([bone.positions, places]),
    )
    tongue = egg.mesh("tongue")
    joints = np.zeros((len(tongue.positions), 4), np.int32)
    joints[:, 0] = np.where(np.arange(len(joints)) % 2, first, first + 1)
    hair = replace(
        tongue,
        name="hair",
        morph_names=(),
        morphs=tongue.morphs[:0],
        joints=joints,
        weights=np.tile(np.eye(4, dtype=np.float32)[0], (len(joints), 1)),
    )
    return as_humanoid(replace(egg, meshes=(on_root, *egg.meshes[1:], hair), skeleton=longer))
