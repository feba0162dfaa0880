# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record: the first press begins a take, the second one makes an Action of it."""

import bpy
from bpy.props import StringProperty

from .. import actions, scene, session
from .verb import OfAvatar


class Record(OfAvatar):
    """Record every frame that comes; press again to make an Action of the take"""

    bl_idname = "avatar3d.record"
    bl_label = "Record"

    name: StringProperty(name="Name", default="Take")  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> str:
        receiver = session.NOW.receiver
        if receiver is None:
            raise RuntimeError("Nothing is being received: press Start first.")
        if receiver.recording is None:
            receiver.record()
            return "Recording."
        faces = receiver.recorded()
        if not faces:
            raise RuntimeError("No frame came while it recorded.")
        avatar = bpy.data.collections.get(session.NOW.avatar)
        if avatar is None:
            raise scene.NoAvatar(f"{session.NOW.avatar} is gone, and the take with it.")
        session.stop_live()
        stage = context.scene
        actions.make_take(
            avatar, faces, self.name, fps=stage.render.fps / stage.render.fps_base, start=stage.frame_start
        )
        return f"{len(faces)} frames are in the Action {self.name}."
