# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmark pins: which points of MediaPipe's 478 can be dragged, and the file `avatar3d create --pins` reads. No bpy.

Pixels are those of the upright photo: origin upper left, pixel centres at integer + 0.5.
"""

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

GROUPS = {
    "outline": (10, 297, 284, 389, 454, 361, 397, 379, 400, 152, 176, 150, 172, 132, 234, 162, 54, 67),
    "right eye": (33, 160, 158, 133, 153, 144),
    "left eye": (362, 385, 387, 263, 373, 380),
    "right brow": (70, 63, 105, 66, 107),
    "left brow": (336, 296, 334, 293, 300),
    "nose": (168, 6, 4, 2, 98, 327, 48, 278),
    "lips": (61, 291, 0, 17, 13, 14, 37, 267, 84, 314),
}
"""Sides are the person's. Few enough to see, all of them points that the head can place."""
SCHEMA = "avatar3d-pins-1"
_MOVED_PX = 0.05
"""Less is rounding in Blender's float32."""
_ROTATED = {3: 2, 6: 3, 8: 1}
"""EXIF orientations that cameras write, as quarter turns to the left."""


def moved(observed: list[list[float]], now: dict[int, tuple[float, float]]) -> dict[int, tuple[float, float]]:
    """The pins that somebody dragged away from where the landmark was seen."""
    return {
        landmark: (x, y)
        for landmark, (x, y) in now.items()
        if abs(x - observed[landmark][0]) > _MOVED_PX or abs(y - observed[landmark][1]) > _MOVED_PX
    }


def write(path: Path, sha256: str, size_px: tuple[int, int], pinned: dict[int, tuple[float, float]]) -> None:
    told = {
        "schema": SCHEMA, "photo_sha256": sha256, "size_px": list(size_px),
        "pins": [{"landmark": at, "x_px": round(x, 4), "y_px": round(y, 4)} for at, (x, y) in sorted(pinned.items())],
    }  # fmt: skip
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def landmarks_of(record: dict[str, Any]) -> list[list[float]] | None:
    """The 478 as observed, of an avatar.json; None when it has none (an older one)."""
    told = record.get("landmarks_px")
    if not isinstance(told, list) or len(told) != 478:
        return None
    try:
        points = [[float(x), float(y)] for x, y in told]
    except (TypeError, ValueError):
        return None
    return points


def sha256_of(photo: Path) -> str:
    return hashlib.sha256(photo.read_bytes()).hexdigest()


def quarter_turns(photo: Path) -> int:
    """How often a JPEG must be turned left by 90 degrees to stand upright, as its EXIF says; 0 where it says nothing."""
    with photo.open("rb") as file:
        data = file.read(1 << 17)
    if data[:2] != b"\xff\xd8":
        return 0
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        size = struct.unpack_from(">H", data, at + 2)[0]
        if data[at + 1] == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            return _ROTATED.get(_orientation(data[at + 10 : at + 2 + size]), 0)
        at += 2 + size
    return 0


def _orientation(tiff: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    at = struct.unpack_from(order + "I", tiff, 4)[0]
    if at + 2 > len(tiff):
        return 1
    for row in range(struct.unpack_from(order + "H", tiff, at)[0]):
        place = at + 2 + 12 * row
        if place + 12 > len(tiff):
            break
        if struct.unpack_from(order + "H", tiff, place)[0] == 0x0112:
            return int(struct.unpack_from(order + "H", tiff, place + 8)[0])
    return 1
