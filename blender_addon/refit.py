# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fit that was done anew, on the avatar that is there: same vertices, other places."""

import hashlib
from typing import Any

import bpy

from . import building, camera, extract, glb, mesh, rig, scene


def apply(avatar: bpy.types.Collection, data: bytes, record: dict[str, Any]) -> list[str]:
    """Move every part that the file has, and the bones; gives the names of the parts that could not follow.

    Raises GlbError or NoAvatar; nothing has changed then.
    """
    told = glb.read(data)
    have = scene.parts(avatar)
    fitting, left = [], []
    for part in told.parts:
        thing = have.get(part.name)
        origin = mesh.origin(thing.data) if thing is not None else None
        if (
            origin is None
            or origin.min(initial=0) < 0
            or origin.max(initial=-1) >= len(part.positions)
            or mesh.shapes(thing)[0][: len(part.shape_names)] != part.shape_names
        ):
            left.append(part.name)
        else:
            fitting.append((part, thing, origin))
    if "face" in left or "face" not in have:
        raise scene.NoAvatar("The head was remeshed: pins fit the head that came from the photo. Import it again.")
    for part, thing, origin in fitting:
        held, touched = set(extract.by_hand(thing)), building.changes(thing)
        names = [name for name in part.shape_names if name not in held]
        rows = [part.shape_names.index(name) for name in names]
        mesh.set_positions(thing, part.positions[origin], tuple(names), part.shapes[rows][:, origin])
        mesh.set_normals(thing.data, part.normals[origin])
        building.remember(thing, but=(touched & {"weights"}) | ({"shapes"} if held else set()))
    armature = scene.rig(avatar)
    if armature is not None:
        rig.edit(armature, told.joint_names, told.joint_parents, told.joint_positions)
    facts = scene.facts(avatar)
    scene.keep_source(avatar, data)
    facts |= {"sha256": hashlib.sha256(data).hexdigest(), "record": record or facts.get("record", {})}
    scene.set_facts(avatar, facts)
    if camera.camera_of(avatar):
        camera.place_camera(avatar, bpy.context, None)
        camera.pose_as_photo(avatar)
    return left
