# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""End the program that runs beside Blender."""

import bpy

from .. import session
from .verb import Verb


class CancelJob(Verb):
    """End what avatar3d is doing; nothing changes"""

    bl_idname = "avatar3d.cancel_job"
    bl_label = "Cancel"
    bl_options = {"REGISTER"}  # noqa: RUF012, nothing in the file changes

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session.NOW.job is not None

    def run(self, context: bpy.types.Context) -> str:
        if session.NOW.job is not None:
            session.NOW.job.cancel()
        return "Cancelled."
