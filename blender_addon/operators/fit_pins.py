# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fit the head anew to the pins that were dragged: a pins file, `avatar3d create --pins`, and the mesh follows."""

from pathlib import Path

import bpy

from .. import building, camera, pins, refit, scene, session
from ..job import Job, words_of
from ..settings import command
from .verb import OfAvatar, object_mode


class FitPins(OfAvatar):
    """Fit the head to the pins that you moved"""

    bl_idname = "avatar3d.fit_pins"
    bl_label = "Fit to Pins"
    bl_options = {"REGISTER"}  # noqa: RUF012, what comes later is an undo step of its own

    def run(self, context: bpy.types.Context) -> str:
        avatar = scene.needed(context)
        facts = scene.facts(avatar)
        observed = pins.landmarks_of(facts.get("record", {}))
        if observed is None or "photo" not in facts:
            raise scene.NoAvatar("Place the pins first: the photo and its landmarks are needed.")
        dragged = pins.moved(observed, camera.pinned(avatar))
        if not dragged:
            raise scene.NoAvatar("No pin was moved: drag some first, in the camera's view.")
        photo, out, name = Path(facts["photo"]), Path(facts["folder"]), facts["name"]
        folder = session.new_folder()
        pins.write(folder / "pins.json", pins.sha256_of(photo), camera.photo_size(facts["record"]), dragged)
        words = [*words_of(command(context)), "create", str(photo), "-o", str(out), "--name", name,
                 "--pins", str(folder / "pins.json"), "--draft", "--json"]  # fmt: skip
        collection = avatar.name

        def finish(job: Job, _: Path) -> str:
            object_mode(bpy.context)
            file = out / name / f"{name}.glb"
            avatar = bpy.data.collections.get(collection)
            if avatar is None:
                raise scene.NoAvatar(f"{collection} is gone.")
            refit.apply(avatar, file.read_bytes(), building.record_beside(file))
            return f"Fitted to {len(dragged)} pins in {job.seconds:.1f} s."

        session.start_job("Fit", words, finish, folder)
        return f"Fitting to {len(dragged)} pins."
