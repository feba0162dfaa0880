# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An avatar from a photo: `avatar3d create` runs beside Blender; what it made is imported, with camera and pins."""

from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ImportHelper

from .. import building, camera, scene, session
from ..job import Job, words_of
from ..settings import command
from .verb import Verb, object_mode

PHOTO = "photo"


class OpenPhoto(Verb, ImportHelper):
    """Make an avatar from a photo, with the photo behind it"""

    bl_idname = "avatar3d.open_photo"
    bl_label = "New from Photo"
    bl_options = {"REGISTER"}  # noqa: RUF012, what comes later is an undo step of its own

    filename_ext = ""
    filter_glob: StringProperty(default="*.jpg;*.jpeg;*.png;*.webp;*.heic", options={"HIDDEN"})  # type: ignore[valid-type]
    folder: StringProperty(
        name="Output", subtype="DIR_PATH", description="Where the avatar's folder is written; empty: beside the photo"
    )  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> str:
        photo = Path(bpy.path.abspath(self.filepath)).resolve()
        out = Path(bpy.path.abspath(self.folder)).resolve() if self.folder else photo.parent / "avatar3d"
        words = [*words_of(command(context)), "create", str(photo), "-o", str(out), "--json"]

        def finish(job: Job, _: Path) -> str:
            object_mode(bpy.context)
            return arrive(out / photo.stem / f"{photo.stem}.glb", photo)

        session.start_job("Create", words, finish, session.new_folder())
        return f"Making an avatar of {photo.name}: go on working, it will come."


def arrive(file: Path, photo: Path) -> str:
    """Import what was made, and put camera, photo and pins to it."""
    context = bpy.context
    record = building.record_beside(file)
    avatar = building.build(file.read_bytes(), file.stem, context, record)
    facts = scene.facts(avatar)
    scene.set_facts(avatar, facts | {PHOTO: str(photo), "folder": str(file.parent.parent)})
    camera.place_camera(avatar, context, photo)
    camera.pose_as_photo(avatar)
    try:
        pins = camera.set_pins(avatar)
    except scene.NoAvatar as none:
        return f"{avatar.name} is here, without pins. {none}"
    return f"{avatar.name} is here, with {pins} pins: look through the camera (Numpad 0) and drag them (G)."
