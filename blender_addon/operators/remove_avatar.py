# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove an avatar with everything that only it used."""

import bpy

from .. import building, scene, session
from .verb import OfAvatar, object_mode


class RemoveAvatar(OfAvatar):
    """Remove the avatar, its meshes, materials, textures, rig and the file kept with it"""

    bl_idname = "avatar3d.remove_avatar"
    bl_label = "Remove Avatar"

    def run(self, context: bpy.types.Context) -> str:
        object_mode(context)
        avatar = scene.needed(context)
        name = avatar.name
        if session.NOW.avatar == name:
            session.stop_live()
        building.remove(avatar)
        return f"{name} is gone."
