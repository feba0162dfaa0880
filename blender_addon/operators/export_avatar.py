# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export the avatar, and let `avatar3d check` look at the file beside Blender."""

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy_extras.io_utils import ExportHelper

from .. import exporting, scene, session
from ..job import Job, words_of
from ..settings import command
from .verb import OfAvatar, object_mode


class ExportAvatar(OfAvatar, ExportHelper):
    """Check the avatar, write it as GLB and compare the file with the scene"""

    bl_idname = "avatar3d.export_avatar"
    bl_label = "Export Avatar"

    filename_ext = ".glb"
    filter_glob: StringProperty(default="*.glb", options={"HIDDEN"})  # type: ignore[valid-type]
    animation: BoolProperty(name="Animation", description="Write the take, too", default=False)  # type: ignore[valid-type]
    check: BoolProperty(name="avatar3d check", description="Look at the file afterwards", default=True)  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> str:
        object_mode(context)
        file = Path(bpy.path.abspath(self.filepath))
        avatar = scene.needed(context)
        report = exporting.export(avatar, file, context, animation=self.animation)
        said = (
            f"{file.name}: {report['parts']} meshes, vertices off by {1000 * report['displacement_m']:.4f} mm at most."
            f"{exporting.told_left_out(avatar)}"
        )
        if self.check and session.NOW.job is None:
            self._check(context, file, said)
        return said

    def _check(self, context: bpy.types.Context, file: Path, said: str) -> None:
        def finish(job: Job, _: Path) -> str:
            return f"{said} avatar3d check: passed."

        try:
            session.start_job(
                "Check", [*words_of(command(context)), "check", str(file), "--json"], finish, session.new_folder()
            )
        except RuntimeError:
            self.report({"WARNING"}, "The avatar3d command was not found: the file was compared, but not checked.")
