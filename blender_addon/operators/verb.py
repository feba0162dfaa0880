# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all verbs share: an error is one sentence for the artist, in the panel and in the report."""

from typing import Any

import bpy

from .. import exporting, extract, glb, livelink_csv, scene, session
from ..baking import NothingToBake
from ..rederiving import BadResult

_EXPECTED = (
    scene.NoAvatar, glb.GlbError, exporting.Broken, extract.TooMuch, livelink_csv.CsvError, NothingToBake, BadResult, OSError,
    RuntimeError,
)  # fmt: skip


class Verb(bpy.types.Operator):
    """`run` does it and gives a sentence; what it raises is told."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012, Blender reads it from the class

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            sentence = self.run(context)
        except _EXPECTED as cause:
            session.tell(str(cause), failed=True)
            self.report({"ERROR"}, str(cause))
            return {"CANCELLED"}
        session.tell(sentence)
        self.report({"INFO"}, sentence)
        return {"FINISHED"}

    def run(self, context: bpy.types.Context) -> str:
        raise NotImplementedError


class OfAvatar(Verb):
    """A verb that needs an avatar, and Blender's object mode."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if scene.avatar_of(context) is None:
            cls.poll_message_set("There is no avatar in this file")
            return False
        return True


def object_mode(context: bpy.types.Context) -> None:
    """Leave sculpting or painting: meshes are written by it."""
    if context.view_layer.objects.active and context.view_layer.objects.active.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


class Chooser:
    """Asks for a file first."""

    def invoke(self, context: bpy.types.Context, event: Any) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}
