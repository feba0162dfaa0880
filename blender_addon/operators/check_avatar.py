# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look for what would stand in the way of an export."""

import bpy

from .. import exporting, scene
from .verb import OfAvatar


class CheckAvatar(OfAvatar):
    """Look whether the avatar can be exported"""

    bl_idname = "avatar3d.check_avatar"
    bl_label = "Check"
    bl_options = {"REGISTER"}  # noqa: RUF012, it only looks

    def run(self, context: bpy.types.Context) -> str:
        avatar = scene.needed(context)
        if found := exporting.faults(avatar):
            raise exporting.Broken(found)
        return f"It can be exported.{exporting.told_left_out(avatar)}"
