# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an avatar is in a .blend, and how its pieces are found again.

Collection NAME          ["avatar3d"] facts as JSON, ["avatar3d_source"] the text block that holds the file it came from
  Head, Eye.L, Teeth.Upper ...   ["avatar3d_part"] the mesh's name in the file, ["avatar3d_kept"] hashes of what was imported
  NAME rig               the armature
"""

import hashlib
import json
from typing import Any

import bpy
import numpy as np

FACTS, SOURCE, PART, KEPT, BYTES = (
    "avatar3d", "avatar3d_source", "avatar3d_part", "avatar3d_kept", "avatar3d_glb",
)  # fmt: skip
SHAPES = "avatar3d_shapes"
"""On a part: the names of the shapes it came with; other keys are hands'."""
VERTEX = "avatar3d_vertex"
"""A mesh's attribute: the lowest vertex of the file's mesh that each vertex was."""
LABELS = {
    "face": "Head", "eyeLeft": "Eye.L", "eyeRight": "Eye.R", "teethUpper": "Teeth.Upper", "teethLower": "Teeth.Lower",
    "tongue": "Tongue", "mouth": "Mouth", "lashes": "Lashes", "brows": "Brows", "wetLines": "WetLines", "hair": "Hair",
}  # fmt: skip
SCHEMA = "avatar3d-blend-1"


class NoAvatar(LookupError):
    """There is no avatar where one is needed."""


def avatars() -> list[bpy.types.Collection]:
    """Every avatar of the file that is used in some scene."""
    return [each for each in bpy.data.collections if FACTS in each]


def avatar_of(context: bpy.types.Context) -> bpy.types.Collection | None:
    """The avatar of the active object; else the only one, or the first."""
    active = getattr(context, "object", None)
    if active is not None:
        for collection in active.users_collection:
            if FACTS in collection:
                return collection
    found = avatars()
    return found[0] if found else None


def needed(context: bpy.types.Context) -> bpy.types.Collection:
    """The avatar meant. Raises NoAvatar."""
    found = avatar_of(context)
    if found is None:
        raise NoAvatar("There is no avatar in this file. Import one first.")
    return found


def parts(avatar: bpy.types.Collection) -> dict[str, bpy.types.Object]:
    """Its meshes by their names in the file."""
    return {str(thing[PART]): thing for thing in avatar.all_objects if thing.type == "MESH" and PART in thing}


def face(avatar: bpy.types.Collection) -> bpy.types.Object:
    """The head's skin. Raises NoAvatar when it was deleted."""
    found = parts(avatar)
    if "face" not in found:
        raise NoAvatar(f"{avatar.name} has lost its head: undo that, or import it again.")
    return found["face"]


def rig(avatar: bpy.types.Collection) -> bpy.types.Object | None:
    return next((thing for thing in avatar.all_objects if thing.type == "ARMATURE"), None)


def facts(avatar: bpy.types.Collection) -> dict[str, Any]:
    """What was known of it at import: name, sha256, copyright, extras, record."""
    try:
        told = json.loads(avatar[FACTS])
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def set_facts(avatar: bpy.types.Collection, told: dict[str, Any]) -> None:
    avatar[FACTS] = json.dumps(told)


def keep_source(avatar: bpy.types.Collection, data: bytes) -> None:
    """Pack the file it came from: parts that nobody edits come from it, to the byte."""
    text = avatar.get(SOURCE) or bpy.data.texts.new(f"{avatar.name}.glb")
    text.clear()
    text.write(
        f"{avatar.name}: the file this avatar was made from ({len(data):,} bytes) is kept with this text.\n"
        "Re-derive, export and `avatar3d pull` need it; it goes when the avatar is removed in the avatar3d panel.\n"
    )
    if BYTES in text:
        del text[BYTES]  # bytes over bytes are cut at their first zero
    text[BYTES] = data
    avatar[SOURCE] = text


def source(avatar: bpy.types.Collection) -> bytes:
    """The bytes of the file it came from. Raises NoAvatar when they are gone or were changed."""
    text = avatar.get(SOURCE)
    data = bytes(text.get(BYTES, b"")) if text else b""
    if not data or hashlib.sha256(data).hexdigest() != facts(avatar).get("sha256"):
        raise NoAvatar(f"The file that {avatar.name} came from is no longer in this .blend. Import it again.")
    return data


def digest(*arrays: np.ndarray) -> str:
    """What tells two states of a mesh apart."""
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()[:32]
