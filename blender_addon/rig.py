# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The skeleton as an armature whose bones have glTF's axes: a bone's rotation is the joint's, component by component."""

import bpy
import numpy as np

from .mesh import to_blender

_LENGTH_M = 0.03
_SHORT_M = 0.012


def make_rig(
    name: str, collection: bpy.types.Collection, joints: tuple[str, ...], parents: np.ndarray, places: np.ndarray
) -> bpy.types.Object:
    """Joint names, parents [J] (-1 for the root) and positions [J 3] in glTF axes, metres."""
    armature = bpy.data.armatures.new(f"{name} rig")
    rig = bpy.data.objects.new(f"{name} rig", armature)
    collection.objects.link(rig)
    armature.display_type = "STICK"
    rig.show_in_front = True
    edit(rig, joints, parents, places)
    for bone in rig.pose.bones:
        bone.rotation_mode = "QUATERNION"
    return rig


def edit(rig: bpy.types.Object, joints: tuple[str, ...], parents: np.ndarray, places: np.ndarray) -> None:
    """Put the bones there; those that are missing are made. Every bone points up (+Y of glTF), rolled so that x is x."""
    view = bpy.context.view_layer
    before = view.objects.active
    view.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        bones = rig.data.edit_bones
        for joint, parent, place in zip(joints, parents.tolist(), to_blender(places).tolist(), strict=True):
            bone = bones.get(joint) or bones.new(joint)
            length = _SHORT_M if "Eye" in joint or joint == "tongue" else _LENGTH_M
            bone.head, bone.tail = place, (place[0], place[1], place[2] + length)
            bone.roll = 0
            if parent >= 0:
                bone.parent = bones[joints[parent]]
            bone.use_connect = False
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
        view.objects.active = before


def hang(thing: bpy.types.Object, rig: bpy.types.Object) -> None:
    """Let the mesh follow the bones."""
    thing.parent = rig
    modifier = thing.modifiers.new("Rig", "ARMATURE")
    modifier.object = rig
