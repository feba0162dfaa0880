# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throw the sculpted copy away."""

import bpy

from .. import extract, scene
from .verb import OfAvatar, object_mode


class DiscardSculpt(OfAvatar):
    """Remove the copy made for sculpting; the head stays as it is"""

    bl_idname = "avatar3d.discard_sculpt"
    bl_label = "Discard Sculpt"

    def run(self, context: bpy.types.Context) -> str:
        object_mode(context)
        avatar = scene.needed(context)
        copy = extract.edit_copy(avatar)
        if copy is None:
            raise scene.NoAvatar("There is no sculpt to discard.")
        data = copy.data
        bpy.data.objects.remove(copy)
        if data.users == 0:
            bpy.data.meshes.remove(data)
        head = scene.face(avatar)
        head.hide_set(False)
        head.hide_render = False
        context.view_layer.objects.active = head
        return "The sculpt is gone."
