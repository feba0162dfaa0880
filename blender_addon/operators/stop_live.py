# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop receiving."""

import bpy

from .. import session
from .verb import Verb


class StopLive(Verb):
    """Receive nothing any more; the face stays as it is"""

    bl_idname = "avatar3d.stop_live"
    bl_label = "Stop"
    bl_options = {"REGISTER"}  # noqa: RUF012, nothing in the file changes

    def run(self, context: bpy.types.Context) -> str:
        session.stop_live()
        return "Stopped."
