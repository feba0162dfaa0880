# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A face on an avatar: weights to the head's keys (the other parts follow by drivers), rotations to its bones."""

import bpy
import numpy as np

from . import scene
from .frame import REST, Face
from .wire_generated import ARKIT_NAMES

_LOOKS = {
    side: np.array([at for at, name in enumerate(ARKIT_NAMES) if name.startswith("eyeLook") and name.endswith(side)])
    for side in ("Left", "Right")
}


def apply(avatar: bpy.types.Collection, face: Face) -> None:
    """Show it now. What the face does not name keeps its value.

    Eyes turn once: where the eyeLook weights say anything, they turn the eyeball and the bone rests; else the bone turns.
    """
    keys = scene.face(avatar).data.shape_keys
    if keys is not None:
        blocks = keys.key_blocks
        values = np.empty(len(blocks), np.float32)
        blocks.foreach_get("value", values)
        for name, weight in zip(ARKIT_NAMES, face.weights.tolist(), strict=True):
            at = blocks.find(name)
            if at > 0:
                values[at] = weight
        blocks.foreach_set("value", values)
        keys.update_tag()
    armature = scene.rig(avatar)
    if armature is not None:
        for bone, turn in turns(face).items():
            if posed := armature.pose.bones.get(bone):
                posed.rotation_mode = "QUATERNION"
                posed.rotation_quaternion = turn


def turns(face: Face) -> dict[str, tuple[float, ...]]:
    """What each bone turns, wxyz: the bones have glTF's axes, so these are the face's own numbers."""
    looks = {side: bool(face.weights[_LOOKS[side]].any()) for side in _LOOKS}
    return {
        "head": face.head_wxyz,
        "leftEye": REST if looks["Left"] else face.left_eye_wxyz,
        "rightEye": REST if looks["Right"] else face.right_eye_wxyz,
    }


def rest(avatar: bpy.types.Collection) -> None:
    """Neutral, at once."""
    apply(avatar, Face(0.0, np.zeros(len(ARKIT_NAMES), np.float32)))


def eased(face: Face, age_s: float) -> Face:
    """A face whose source is silent: held for a quarter of a second, at rest half a second later."""
    left = min(max(1 - (age_s - 0.25) / 0.5, 0.0), 1.0)
    if left == 1:
        return face

    def less(turn: tuple[float, ...]) -> tuple[float, ...]:
        mixed = np.array(turn) * left + np.array(REST) * (1 - left) * (1 if turn[0] >= 0 else -1)
        return tuple((mixed / np.linalg.norm(mixed)).tolist())

    return Face(
        face.time_s, (face.weights * left).astype(np.float32), less(face.head_wxyz), less(face.left_eye_wxyz),
        less(face.right_eye_wxyz), face.number,
    )  # fmt: skip
