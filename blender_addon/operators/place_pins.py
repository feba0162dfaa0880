# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Camera, photo and pins for an avatar that was imported."""

from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ImportHelper

from .. import camera, pins, scene
from .verb import OfAvatar, object_mode


class PlacePins(OfAvatar, ImportHelper):
    """Show the photo that the avatar was made from behind it, with its landmarks as pins"""

    bl_idname = "avatar3d.place_pins"
    bl_label = "Photo and Pins"

    filename_ext = ""
    filter_glob: StringProperty(default="*.jpg;*.jpeg;*.png;*.webp", options={"HIDDEN"})  # type: ignore[valid-type]
    folder: StringProperty(name="Output", subtype="DIR_PATH", options={"HIDDEN"})  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> str:
        object_mode(context)
        avatar, photo = scene.needed(context), Path(bpy.path.abspath(self.filepath)).resolve()
        facts = scene.facts(avatar)
        known = facts.get("record", {}).get("photo", {}).get("sha256")
        if known and known != pins.sha256_of(photo):
            raise scene.NoAvatar(f"{photo.name} is not the photo that {avatar.name} was made from.")
        camera.place_camera(avatar, context, photo)
        camera.pose_as_photo(avatar)
        folder = Path(bpy.path.abspath(self.folder)).resolve() if self.folder else photo.parent / "avatar3d"
        scene.set_facts(avatar, facts | {"photo": str(photo), "folder": str(folder)})
        return f"{camera.set_pins(avatar)} pins: look through the camera (Numpad 0) and drag them (G)."
