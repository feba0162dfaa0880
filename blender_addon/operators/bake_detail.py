# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bake sculpted detail to the normal map."""

import bpy
from bpy.props import IntProperty

from .. import baking, scene
from .verb import OfAvatar, object_mode


class BakeDetail(OfAvatar):
    """Bake what is finer than the head into its normal map, over what the map shows already (Cycles; takes some seconds)"""

    bl_idname = "avatar3d.bake_detail"
    bl_label = "Bake Detail"

    size: IntProperty(name="Size", default=1024, min=64, max=8192, description="Pixels of the map")  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> str:
        object_mode(context)
        image = baking.bake(scene.needed(context), context, size_px=self.size)
        return f"The detail is in {image.name}, {image.size[0]} pixels."
