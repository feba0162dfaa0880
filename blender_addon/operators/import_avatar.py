# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import an avatar: quads, keys, groups, materials, rig."""

from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ImportHelper

from .. import building
from .verb import Verb, object_mode


class ImportAvatar(Verb, ImportHelper):
    """Import a GLB that avatar3d wrote"""

    bl_idname = "avatar3d.import_avatar"
    bl_label = "Import Avatar"

    filename_ext = ".glb"
    filter_glob: StringProperty(default="*.glb", options={"HIDDEN"})  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> str:
        object_mode(context)
        file = Path(bpy.path.abspath(self.filepath))
        avatar = building.build(file.read_bytes(), file.stem, context, building.record_beside(file))
        return f"{avatar.name} is here."
