# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Panic: neutral at once."""

import bpy

from .. import session
from .verb import Verb


class Panic(Verb):
    """Every face neutral and nothing received any more, at once; the bridge is told, too"""

    bl_idname = "avatar3d.panic"
    bl_label = "Panic"
    bl_options = {"REGISTER"}  # noqa: RUF012, it must not wait for an undo step

    def run(self, context: bpy.types.Context) -> str:
        session.panic()
        return "Neutral; nothing is received any more."
