# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes as Actions. Blender 4.2 keeps curves in the action itself, 4.4 and later in the channels of a slot.

Each key stands at the frame's own time, which may lie between two frames of the scene: nothing is resampled.
"""

import bpy
import numpy as np

from . import apply, scene
from .frame import Face
from .wire_generated import ARKIT_NAMES

_LINEAR = 1
Curve = tuple[str, int, np.ndarray]
"""Data path, index, values."""


def make_take(
    avatar: bpy.types.Collection, faces: list[Face], name: str, *, fps: float, start: float
) -> list[bpy.types.Action]:
    """Actions of the head's keys and of the bones, put to use. Faces whose time does not rise are left out.

    fps: frames of the scene in a second; start: the frame of the first face. Raises ValueError without any face.
    """
    rising = _rising(faces)
    if not rising:
        raise ValueError("Nothing was recorded.")
    times = np.array([face.time_s - rising[0].time_s for face in rising]) * fps + start
    made = []
    keys = scene.face(avatar).data.shape_keys
    if keys is not None:
        weights = np.array([face.weights for face in rising], np.float32)
        curves = [(f'key_blocks["{shape}"].value', 0, weights[:, at]) for at, shape in enumerate(ARKIT_NAMES)
                  if shape in keys.key_blocks]  # fmt: skip
        made.append(_make(f"{name} face", keys, "KEY", times, curves))
    armature = scene.rig(avatar)
    if armature is not None:
        poses = [apply.turns(face) for face in rising]
        curves = []
        for bone in poses[0]:
            if bone in armature.pose.bones:
                armature.pose.bones[bone].rotation_mode = "QUATERNION"
                turns = _near(np.array([pose[bone] for pose in poses], np.float32))
                path = f'pose.bones["{bone}"].rotation_quaternion'
                curves += [(path, axis, turns[:, axis]) for axis in range(4)]
        made.append(_make(f"{name} head", armature, "OBJECT", times, curves))
    return made


def curves_of(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    """Every curve, however this Blender keeps them."""
    if hasattr(action, "layers") and action.is_action_layered:
        return [
            curve
            for layer in action.layers
            for strip in layer.strips
            for bag in strip.channelbags
            for curve in bag.fcurves
        ]
    return list(action.fcurves)


def push_down(owner: bpy.types.ID) -> bpy.types.NlaTrack | None:
    """The owner's action as a strip of the NLA, so that the next take starts clean."""
    animation = owner.animation_data
    if animation is None or animation.action is None:
        return None
    track = animation.nla_tracks.new()
    track.name = animation.action.name
    strip = track.strips.new(animation.action.name, int(animation.action.frame_range[0]), animation.action)
    if hasattr(strip, "action_slot") and animation.action_slot:
        strip.action_slot = animation.action_slot
    animation.action = None
    return track


def _rising(faces: list[Face]) -> list[Face]:
    found: list[Face] = []
    for face in faces:
        if not found or face.time_s > found[-1].time_s:
            found.append(face)
    return found


def _make(name: str, owner: bpy.types.ID, kind: str, times: np.ndarray, curves: list[Curve]) -> bpy.types.Action:
    action = bpy.data.actions.new(name)
    animation = owner.animation_data or owner.animation_data_create()
    if hasattr(action, "slots"):
        slot = action.slots.new(id_type=kind, name=name)
        strip = action.layers.new("Take").strips.new(type="KEYFRAME")
        holder = strip.channelbag(slot, ensure=True).fcurves
        animation.action = action
        animation.action_slot = slot
    else:
        holder = action.fcurves
        animation.action = action
    for path, index, values in curves:
        curve = holder.new(path, index=index)
        curve.keyframe_points.add(len(times))
        curve.keyframe_points.foreach_set("co", np.stack([times, values], axis=1).astype(np.float32).ravel())
        curve.keyframe_points.foreach_set("interpolation", np.full(len(times), _LINEAR, np.int32))
        curve.update()
    return action


def _near(turns: np.ndarray) -> np.ndarray:
    """The same rotations with signs that do not flip from one to the next: components are interpolated one by one."""
    flips = np.sum(turns[1:] * turns[:-1], axis=1) < 0
    return turns * np.where(np.append(False, np.cumsum(flips) % 2 == 1), -1, 1)[:, None].astype(np.float32)
