# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Re-derive: all shapes and weights for what was sculpted or remeshed, by `avatar3d rederive` beside Blender."""

from pathlib import Path

import bpy

from .. import extract, rederiving, scene, session
from ..job import Job, words_of
from ..settings import command
from .verb import OfAvatar, object_mode


class Rederive(OfAvatar):
    """Give the edited head its 52 shapes and its weights anew; locked shapes are left alone"""

    bl_idname = "avatar3d.rederive"
    bl_label = "Re-derive"
    bl_options = {"REGISTER"}  # noqa: RUF012, what comes later is an undo step of its own

    def run(self, context: bpy.types.Context) -> str:
        object_mode(context)
        avatar = scene.needed(context)
        folder = session.new_folder()
        (folder / "source.glb").write_bytes(scene.source(avatar))
        told = extract.write(avatar, "face", folder / "edited.npz")
        words = [*words_of(command(context)), "rederive", str(folder / "source.glb"), str(folder / "edited.npz"),
                 "-o", str(folder / "result.npz"), "--json"]  # fmt: skip
        name, hands = avatar.name, extract.hands(scene.face(avatar))

        def finish(job: Job, folder: Path) -> str:
            object_mode(bpy.context)
            avatar = bpy.data.collections.get(name)
            if avatar is None:
                raise scene.NoAvatar(f"{name} is gone.")
            if extract.hands(scene.face(avatar)) != hands:
                raise rederiving.BadResult(
                    "A shape or skin weight that was made by hand was changed meanwhile: press Re-derive again."
                )
            rederiving.apply(avatar, "face", folder / "edited.npz", folder / "result.npz")
            return f"Re-derived in {job.seconds:.1f} s."

        session.start_job("Re-derive", words, finish, folder)
        return f"Re-deriving {told['vertices']:,} vertices: go on working, it will come."
