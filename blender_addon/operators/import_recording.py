# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Live Link Face recording as an Action."""

from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ImportHelper

from .. import actions, livelink_csv, scene
from .verb import OfAvatar


class ImportRecording(OfAvatar, ImportHelper):
    """Import a CSV of Live Link Face, or of `avatar3d speak --format livelink-csv`, as an Action"""

    bl_idname = "avatar3d.import_recording"
    bl_label = "Import Recording"

    filename_ext = ".csv"
    filter_glob: StringProperty(default="*.csv", options={"HIDDEN"})  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> str:
        avatar, file = scene.needed(context), Path(bpy.path.abspath(self.filepath))
        faces = livelink_csv.read(file)
        stage = context.scene
        actions.make_take(
            avatar, faces, file.stem, fps=stage.render.fps / stage.render.fps_base, start=stage.frame_start
        )
        return f"{len(faces)} frames are in the Action {file.stem}."
