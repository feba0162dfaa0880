# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the face to rest."""

import bpy

from .. import apply, scene
from .verb import OfAvatar


class RestFace(OfAvatar):
    """Every shape to 0, head and eyes straight"""

    bl_idname = "avatar3d.rest_face"
    bl_label = "Neutral"

    def run(self, context: bpy.types.Context) -> str:
        apply.rest(scene.needed(context))
        return "Neutral."
