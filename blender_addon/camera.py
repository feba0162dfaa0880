# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The photo's camera in the scene, the photo behind the head, and pins on it.

A pin is an empty that hangs on the camera, in a plane before the head: seen through the camera it lies on its pixel, and a
drag in that view (G) moves it over the photo.
"""

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from . import apply, pins, scene
from .frame import REST, Face
from .wire_generated import ARKIT_NAMES

LANDMARK = "avatar3d_landmark"
_BEFORE = 0.8
"""The pins' plane, as a share of the distance of the head: in front of the nose."""
_PIN_PX = 3.0
_AXES = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float64)  # Blender from glTF
_FLIP = np.diag([1.0, -1.0, -1.0])  # Blender's camera looks along -z with y up, OpenCV's along z with y down


def place_camera(avatar: bpy.types.Collection, context: bpy.types.Context, photo: Path | None) -> bpy.types.Object:
    """The camera of the avatar's record; the scene renders in the photo's size. Raises NoAvatar where nothing is known of it."""
    told = scene.facts(avatar).get("record", {}).get("camera")
    if not told:
        raise scene.NoAvatar(
            "Nothing is known of the photo's camera: avatar.json must lie beside the GLB when it is imported."
        )
    camera = camera_of(avatar)
    if camera is None:
        name = f"{avatar.name} camera"
        camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
        avatar.objects.link(camera)
    width, height = float(told["width_px"]), float(told["height_px"])
    lens = camera.data
    lens.sensor_fit, lens.sensor_width = "HORIZONTAL", 36.0
    lens.lens = float(told["focal_px"]) * 36.0 / width
    lens.shift_x = (width / 2 - told["principal_px"][0]) / width
    lens.shift_y = (told["principal_px"][1] - height / 2) / width
    lens.clip_start, lens.clip_end = 0.01, 100.0
    rotation = _matrix(told["rotation_wxyz"])
    view = np.eye(4)
    view[:3, :3] = _FLIP @ rotation @ _AXES.T
    view[:3, 3] = _FLIP @ np.array(told["translation_m"], np.float64)
    armature = scene.rig(avatar)
    camera.matrix_world = (armature.matrix_world if armature else Matrix()) @ Matrix(np.linalg.inv(view).tolist())
    context.scene.camera = camera
    context.scene.render.resolution_x, context.scene.render.resolution_y = int(width), int(height)
    context.scene.render.resolution_percentage = 100
    if photo is not None:
        _show(lens, photo)
    return camera


def pose_as_photo(avatar: bpy.types.Collection) -> None:
    """The photo's expression on the head, so that it lies on the photo."""
    record = scene.facts(avatar).get("record", {})
    weights = np.array(record.get("expression", np.zeros(len(ARKIT_NAMES))), np.float32)
    apply.apply(avatar, Face(0.0, np.clip(weights, 0, 1)))
    armature = scene.rig(avatar)
    for bone, name in (("leftEye", "left_eye_wxyz"), ("rightEye", "right_eye_wxyz")):
        if armature and bone in armature.pose.bones:
            armature.pose.bones[bone].rotation_quaternion = record.get(name, REST)


def set_pins(avatar: bpy.types.Collection) -> int:
    """A pin on every landmark that can be dragged, where it was observed. Raises NoAvatar where no landmarks are known."""
    record = scene.facts(avatar).get("record", {})
    points, camera = pins.landmarks_of(record), camera_of(avatar)
    if points is None or camera is None:
        raise scene.NoAvatar(
            "This avatar was made by an older avatar3d, or without a photo: its landmarks are not known."
        )
    have = _pins(avatar)
    told = record["camera"]
    depth = _BEFORE * float(told["translation_m"][2])
    for group, landmarks in pins.GROUPS.items():
        for landmark in landmarks:
            pin = have.get(landmark) or bpy.data.objects.new(f"pin {group} {landmark}", None)
            if landmark not in have:
                avatar.objects.link(pin)
                pin[LANDMARK] = landmark
                pin.parent = camera
                pin.empty_display_type, pin.show_in_front = "SPHERE", True
                pin.lock_location = (False, False, True)
            pin.empty_display_size = _PIN_PX * depth / float(told["focal_px"])
            x, y = _scaled(points[landmark], record)
            pin.location = (
                (x - told["principal_px"][0]) * depth / told["focal_px"],
                -(y - told["principal_px"][1]) * depth / told["focal_px"],
                -depth,
            )
    return sum(map(len, pins.GROUPS.values()))


def pinned(avatar: bpy.types.Collection) -> dict[int, tuple[float, float]]:
    """Where every pin lies, pixels of the upright photo."""
    record = scene.facts(avatar).get("record", {})
    told = record["camera"]
    wide, high = photo_size(record)
    across, down = wide / told["width_px"], high / told["height_px"]
    found = {}
    for landmark, pin in _pins(avatar).items():
        x, y, z = pin.location
        found[landmark] = (
            (told["principal_px"][0] + x / -z * told["focal_px"]) * across,
            (told["principal_px"][1] - y / -z * told["focal_px"]) * down,
        )
    return found


def photo_size(record: dict[str, Any]) -> tuple[int, int]:
    """Of the upright photo; the camera's own where the record does not tell."""
    size = record.get("photo", {}).get("size_px") or (record["camera"]["width_px"], record["camera"]["height_px"])
    return int(size[0]), int(size[1])


def camera_of(avatar: bpy.types.Collection) -> bpy.types.Object | None:
    return next((thing for thing in avatar.objects if thing.type == "CAMERA"), None)


def _pins(avatar: bpy.types.Collection) -> dict[int, bpy.types.Object]:
    return {int(thing[LANDMARK]): thing for thing in avatar.objects if LANDMARK in thing}


def _scaled(point: list[float], record: dict[str, Any]) -> tuple[float, float]:
    """Pixels of the photo as pixels of the camera, which may be smaller."""
    wide, high = photo_size(record)
    return point[0] * record["camera"]["width_px"] / wide, point[1] * record["camera"]["height_px"] / high


def _show(lens: bpy.types.Camera, photo: Path) -> None:
    """The photo behind the head, upright, packed."""
    image = bpy.data.images.load(str(photo), check_existing=False)
    if not image.size[0]:  # HEIC, which Blender does not read: the pins work without the picture
        bpy.data.images.remove(image)
        return
    turns = pins.quarter_turns(photo)
    if turns:
        upright = _turned(image, turns)
        bpy.data.images.remove(image)
        image = upright
    image.pack()
    for old in list(lens.background_images):
        stale, old.image = old.image, None
        lens.background_images.remove(old)
        if stale is not None and stale.users == 0:
            bpy.data.images.remove(stale)
    behind = lens.background_images.new()
    behind.image, behind.alpha, behind.display_depth, behind.frame_method = image, 1.0, "BACK", "STRETCH"
    lens.show_background_images = True


def _turned(image: bpy.types.Image, turns: int) -> bpy.types.Image:
    width, height = image.size
    flat = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(flat)
    # Rows run from the bottom up, so a turn to the left of the picture is one to the right of the rows.
    upright = np.rot90(flat.reshape(height, width, 4), -turns)
    made = bpy.data.images.new(image.name, upright.shape[1], upright.shape[0])
    made.pixels.foreach_set(np.ascontiguousarray(upright).ravel())
    return made


def _matrix(wxyz: list[float]) -> np.ndarray:
    w, x, y, z = np.array(wxyz, np.float64) / np.linalg.norm(wxyz)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
