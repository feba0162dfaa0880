# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `avatar3d rederive` answered, put on the head: mesh, keys, weights, and the parts that follow it."""

import json
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import building, extract, mesh, rig, scene

REPORT = "avatar3d_report"
FOLLOWED = "avatar3d_followed"
"""On a part that followed the face: what it was then. Nobody edited it by hand while it still is that."""


class BadResult(ValueError):
    """The arrays do not fit the edited mesh."""


def apply(avatar: bpy.types.Collection, part: str, edited_file: Path, result_file: Path) -> dict[str, Any]:
    """Give the part the edited surface with its re-derived shapes and weights; gives the report.

    Raises BadResult, NoAvatar; nothing has changed then.
    """
    with np.load(edited_file, allow_pickle=False) as stored:
        edited = dict(stored)
    with np.load(result_file, allow_pickle=False) as stored:
        result = dict(stored)
    _refuse_broken(edited, result)
    head = scene.parts(avatar).get(part)
    if head is None:
        raise scene.NoAvatar(f"{avatar.name} has no part {part!r} any more.")
    names = tuple(str(name) for name in result["names"])
    copy = extract.edit_copy(avatar, part)
    if "source" in edited and extract._same(head.data, (copy or head).data):
        mesh.set_positions(head, edited["positions"], names, result["shapes"])
    else:
        _replace(avatar, head, edited, result, names)
    mesh.set_weights(head, tuple(map(str, result["joint_names"])), result["joints"], result["weights"])
    if "bones" not in edited:
        building.remember_weights(head)
    if "normals" in result:
        mesh.set_normals(head.data, result["normals"])
    _follow(avatar, result)
    report = _report(result)
    head[REPORT] = json.dumps(report)
    if copy is not None:
        copy.hide_set(True)
        copy.hide_render = True
    head.hide_set(False)
    head.hide_render = False
    return report


def report_of(thing: bpy.types.Object) -> dict[str, Any]:
    """Of the last re-derivation; {} before any."""
    try:
        told = json.loads(thing.get(REPORT, "{}"))
    except (TypeError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def lines(report: dict[str, Any]) -> list[str]:
    """The report in the panel's words."""
    told = []
    if surface := report.get("surface_mm"):
        told.append(
            f"Surface moved: median {surface['median']:.2f}, 95 % {surface['p95']:.2f}, most {surface['max']:.2f} mm"
        )
    if "filled_share" in report:
        told.append(f"Filled in (no match): {100 * report['filled_share']:.1f} % of the vertices")
    if error := report.get("shape_error_mm"):
        told.append(f"Shapes against the original: median {error['median']:.3f}, 95 % {error['p95']:.3f} mm")
        if "worst_shape" in error:
            told.append(f"Worst: {error['worst_shape']} {error['worst_mm']:.2f} mm")
    if report.get("locked"):
        told.append(f"Locked, left alone: {', '.join(report['locked'])}")
    if "seconds" in report:
        told.append(f"{report.get('vertices', 0):,} vertices in {report['seconds']:.1f} s")
    return told + [str(warning) for warning in report.get("warnings", [])]


def _replace(
    avatar: bpy.types.Collection, head: bpy.types.Object, edited: dict[str, np.ndarray], result: dict[str, np.ndarray],
    names: tuple[str, ...],
) -> None:  # fmt: skip
    """Another topology: a new mesh with the old one's name, materials and curves."""
    old, old_keys = head.data, head.data.shape_keys
    action = old_keys.animation_data.action if old_keys and old_keys.animation_data else None
    slot = getattr(old_keys.animation_data, "action_slot", None) if action else None
    values = {key.name: key.value for key in old_keys.key_blocks} if old_keys else {}
    places, corners, starts = edited["positions"], edited["corners"], edited["polygon_starts"]
    source = edited.get("source", np.full(len(places), -1, np.int32))
    data = mesh.make_mesh(old.name, places, corners, starts, edited["uvs"], source)
    for material in old.materials:
        data.materials.append(material)
    others = [thing for thing in scene.parts(avatar).values() if thing != head]
    if head[scene.PART] == "face":
        for thing in others:
            mesh.undrive(thing)
    name = old.name
    head.data = data
    head["avatar3d_mirror"] = []
    mesh.set_shapes(head, names, result["shapes"])
    keys = head.data.shape_keys
    for key in keys.key_blocks[1:]:
        before = old_keys.key_blocks.get(key.name) if old_keys else None
        if before is not None:
            key.slider_min, key.slider_max, key.mute = before.slider_min, before.slider_max, before.mute
        key.value = values.get(key.name, 0.0)
    _take_drivers(old_keys, keys)
    bpy.data.meshes.remove(old)
    data.name = name
    if action:
        keys.animation_data_create().action = action
        if slot is not None:
            keys.animation_data.action_slot = slot
    if head[scene.PART] == "face":
        for thing in others:
            mesh.drive(thing, head)


def _take_drivers(old: bpy.types.Key | None, keys: bpy.types.Key) -> None:
    """Drivers of the old keys, which move the new ones now."""
    for curve in old.animation_data.drivers if old and old.animation_data else ():
        taken = keys.animation_data_create() or keys.animation_data
        made = taken.drivers.from_existing(src_driver=curve)
        for variable in made.driver.variables:
            for target in variable.targets:
                if target.id == old:
                    target.id = keys


def _follow(avatar: bpy.types.Collection, result: dict[str, np.ndarray]) -> None:
    """Eyes, teeth, lashes and bones where the new face wants them."""
    for name in map(str, result.get("follow_names", ())):
        thing = scene.parts(avatar).get(name)
        origin = mesh.origin(thing.data) if thing is not None else None
        places = result[f"positions_{name}"]
        if thing is None or origin is None or origin.min(initial=0) < 0 or origin.max(initial=-1) >= len(places):
            continue
        shapes = result.get(f"shapes_{name}")
        own = mesh.own_keys(thing)
        names = tuple(name for name in mesh.shapes(thing)[0] if name not in own)
        if shapes is not None and len(shapes) != len(names):
            continue
        moved = shapes[:, origin] if shapes is not None else np.zeros((0, len(origin), 3), np.float32)
        mesh.set_positions(thing, places[origin], names if shapes is not None else (), moved)
        thing[FOLLOWED] = building.state(thing)
    armature = scene.rig(avatar)
    if "skeleton_names" in result and armature is not None:
        joints = tuple(map(str, result["skeleton_names"]))
        if all(joint in armature.data.bones for joint in joints):
            rig.edit(armature, joints, np.full(len(joints), -1), result["skeleton_positions"].astype(np.float64))


def _refuse_broken(edited: dict[str, np.ndarray], result: dict[str, np.ndarray]) -> None:
    count = len(edited["positions"])
    try:
        fits = (
            result["shapes"].shape == (len(result["names"]), count, 3)
            and result["joints"].shape == result["weights"].shape == (count, 4)
            and int(result["joints"].max(initial=0)) < len(result["joint_names"])
            and bool(np.isfinite(result["shapes"]).all() and np.isfinite(result["weights"]).all())
        )
    except KeyError as cause:
        raise BadResult(f"The re-derived file lacks {cause}.") from cause
    if not fits:
        raise BadResult("The re-derived arrays do not fit the edited mesh.")


def _report(result: dict[str, np.ndarray]) -> dict[str, Any]:
    try:
        told = json.loads(str(result["report"]))
    except (KeyError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
