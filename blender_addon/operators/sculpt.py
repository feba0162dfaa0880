# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the head to sculpt, paint or remesh; Re-derive puts it in the head's place."""

import bpy
import numpy as np

from .. import extract, mesh, scene
from .verb import OfAvatar, object_mode


class Sculpt(OfAvatar):
    """Sculpt, paint or remesh a copy of the head; Re-derive gives it all shapes"""

    bl_idname = "avatar3d.sculpt"
    bl_label = "Sculpt"

    def run(self, context: bpy.types.Context) -> str:
        object_mode(context)
        avatar = scene.needed(context)
        head = scene.face(avatar)
        copy = extract.edit_copy(avatar) or _copy(avatar, head)
        copy.hide_set(False)
        head.hide_set(True)
        for thing in context.view_layer.objects:
            thing.select_set(False)
        copy.select_set(True)
        context.view_layer.objects.active = copy
        if not bpy.app.background:
            bpy.ops.object.mode_set(mode="SCULPT")
        return "Sculpt, paint or remesh; then press Re-derive."


def _copy(avatar: bpy.types.Collection, head: bpy.types.Object) -> bpy.types.Object:
    """The neutral without keys, groups and rig: nothing stands in the way of remeshing."""
    corners, starts = mesh.polygons(head.data)
    origin = mesh.origin(head.data)
    places = mesh.positions(head)
    source = np.full(len(places), -1, np.int32) if origin is None else origin
    data = mesh.make_mesh(f"{head.data.name} sculpt", places, corners, starts, mesh.uvs(head.data), source)
    for material in head.data.materials:
        data.materials.append(material)
    copy = bpy.data.objects.new(f"{head.name} sculpt", data)
    armature = scene.rig(avatar)
    if armature is not None:
        copy.parent = armature
    avatar.objects.link(copy)
    copy[extract.EDIT] = str(head[scene.PART])
    return copy
