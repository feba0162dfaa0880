# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An avatar as GLB: looked at before, written by Blender's exporter, its names and marks restored, read back and compared.

faults() --> Blender's glTF exporter --> names, order, licence and synthetic mark of the file it came from --> compare() --> disk
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import glb, mesh, scene
from .restoring import restore

DISPLACEMENT_M = 1e-5
_WEIGHT = 5e-4
"""Blender leaves out influences below a ten-thousandth."""
_FLAGS: dict[str, Any] = {
    "export_format": "GLB", "use_selection": True, "export_yup": True, "export_apply": False, "export_texcoords": True,
    "export_normals": True, "export_tangents": True, "export_skins": True, "export_all_influences": False,
    "export_def_bones": False, "export_armature_object_remove": True, "export_rest_position_armature": True,
    "export_morph": True, "export_morph_normal": False, "export_morph_tangent": False, "export_extras": False,
    "export_cameras": False, "export_lights": False, "export_attributes": False, "export_try_sparse_sk": False,
    "export_image_format": "AUTO", "export_vertex_color": "NONE",
}  # fmt: skip


class Broken(ValueError):
    """The avatar, or what was written of it, breaks a promise; one sentence per fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


def faults(avatar: bpy.types.Collection) -> list[str]:
    """Why it cannot be exported, in sentences; [] when it can."""
    found: list[str] = []
    have, told = scene.parts(avatar), scene.facts(avatar)
    armature = scene.rig(avatar)
    if "face" not in have:
        found.append("The head is missing.")
    if armature is None:
        return [*found, "The armature is missing."]
    lost = [joint for joint in told.get("joints", []) if joint not in armature.data.bones]
    if lost:
        found.append(f"The armature has lost {', '.join(lost)}.")
    with contextlib.suppress(scene.NoAvatar, glb.GlbError):
        for part in glb.read(scene.source(avatar)).parts:
            if part.name in have and mesh.shapes(have[part.name])[0][: len(part.shape_names)] != part.shape_names:
                found.append(
                    f"{have[part.name].name}: its shape keys are not {part.name}'s any more, or in another order."
                )
    for thing in have.values():
        found += _faults_of(thing, armature)
    return found


def _faults_of(thing: bpy.types.Object, armature: bpy.types.Object) -> Iterator[str]:
    names, shapes = mesh.shapes(thing)
    if len(set(names)) != len(names):
        yield f"{thing.name}: two shape keys share a name."
    if not np.isfinite(mesh.positions(thing)).all() or not np.isfinite(shapes).all():
        yield f"{thing.name}: a vertex is nowhere (NaN or infinity)."
    if not len(thing.data.polygons):
        yield f"{thing.name}: it has no surface."
    if not thing.data.uv_layers:
        yield f"{thing.name}: it has no UV map."
    groups, weights = mesh.weights(thing)
    known = np.array([group in armature.data.bones for group in groups], bool)
    if not len(groups) or float((weights * known).sum(axis=1).min(initial=1.0)) < 1e-3:
        yield f"{thing.name}: some vertices hang on no bone."
    if not np.allclose(np.array(armature.matrix_world.inverted() @ thing.matrix_world), np.eye(4), atol=1e-6):
        yield f"{thing.name}: it was moved, turned or scaled against the armature; apply that (Ctrl-A) first."
    shaping = [each.name for each in thing.modifiers if each.type != "ARMATURE" and each.show_render]
    if shaping and names:
        yield f"{thing.name}: the modifier {shaping[0]} cannot be exported with shape keys; sculpt and re-derive instead."


def left_out(avatar: bpy.types.Collection) -> dict[str, list[str]]:
    """Keys per part that hands added: an avatar has the shapes it came with, and no engine knows of more."""
    more = {name: mesh.own_keys(thing) for name, thing in scene.parts(avatar).items()}
    return {name: own for name, own in more.items() if own}


def told_left_out(avatar: bpy.types.Collection) -> str:
    """The same in a sentence; empty where there are none."""
    names = sorted({name for each in left_out(avatar).values() for name in each})
    return f" Left out, being none of the avatar's shapes: {', '.join(names)}." if names else ""


def export(avatar: bpy.types.Collection, file: Path, context: bpy.types.Context, *, animation: bool) -> dict[str, Any]:
    """Write the file, or leave it as it was. Raises Broken with all that is wrong; tells what was measured."""
    if found := faults(avatar):
        raise Broken(found)
    folder = Path(tempfile.mkdtemp(prefix="avatar3d-"))
    try:
        with _ready(avatar, context, animation=animation) as span:
            flags = _FLAGS | ({"export_animations": False} if span is None else {
                "export_animations": True, "export_animation_mode": "SCENE", "export_anim_scene_split_object": False,
                "export_frame_range": True, "export_force_sampling": True, "export_morph_animation": True,
                "export_optimize_animation_size": False, "export_reset_pose_bones": True,
            })  # fmt: skip
            known = bpy.ops.export_scene.gltf.get_rna_type().properties.keys()
            bpy.ops.export_scene.gltf(
                filepath=str(folder / "out.glb"), **{k: v for k, v in flags.items() if k in known}
            )
        facts = scene.facts(avatar)
        generator = f"{facts.get('generator') or 'avatar3d'}, edited in Blender {bpy.app.version_string}"
        part_of = {thing.name: part for part, thing in scene.parts(avatar).items()}
        data = restore((folder / "out.glb").read_bytes(), facts, part_of, generator)
        report = compare(avatar, data)
        beside = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            beside.write_bytes(data)
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
    finally:
        for each in folder.iterdir():
            each.unlink()
        folder.rmdir()
    return report | {"bytes": len(data), "animated": span is not None}


@contextlib.contextmanager
def _ready(avatar: bpy.types.Collection, context: bpy.types.Context, *, animation: bool) -> Iterator[range | None]:
    """The avatar alone selected, at rest; all is put back after. Gives the frames of its actions, or None."""
    things = [*scene.parts(avatar).values(), scene.rig(avatar)]
    view, stage = context.view_layer, context.scene
    before = (
        view.objects.active,
        [thing for thing in view.objects if thing.select_get()],
        [t.hide_get() for t in things],
    )
    frames = stage.frame_start, stage.frame_end, stage.frame_current
    keys = [thing.data.shape_keys for thing in things if thing.type == "MESH" and thing.data.shape_keys]
    values = [[key.value for key in each.key_blocks] for each in keys]
    owners = [scene.face(avatar).data.shape_keys, scene.rig(avatar)]
    actions = [
        owner.animation_data.action
        for owner in owners
        if owner and owner.animation_data and owner.animation_data.action
    ]
    span = None
    if animation and actions:
        span = range(
            int(min(each.frame_range[0] for each in actions)),
            int(np.ceil(max(each.frame_range[1] for each in actions))),
        )
        stage.frame_start, stage.frame_end = span.start, max(span.stop, span.start + 1)
    more = left_out(avatar)
    muted = [
        key
        for part, thing in scene.parts(avatar).items()
        for key in (thing.data.shape_keys.key_blocks if part in more else ())
        if key.name in more[part] and not key.mute
    ]
    try:
        for key in muted:  # Blender's exporter leaves those out
            key.mute = True
        if span is None:
            for each in keys:
                for key in each.key_blocks[1:]:
                    key.value = 0.0
        for thing in view.objects:
            thing.select_set(False)
        for thing in things:
            thing.hide_set(False)
            thing.select_set(True)
        view.objects.active = things[-1]
        yield span
    finally:
        stage.frame_start, stage.frame_end = frames[:2]
        stage.frame_set(frames[2])
        for key in muted:
            key.mute = False
        for each, stored in zip(keys, values, strict=True):
            for key, value in zip(each.key_blocks, stored, strict=True):
                key.value = value
        for thing in view.objects:
            thing.select_set(thing in before[1])
        for thing, hidden in zip(things, before[2], strict=True):
            thing.hide_set(hidden)
        view.objects.active = before[0]


def compare(avatar: bpy.types.Collection, data: bytes) -> dict[str, Any]:
    """What was written against what the scene holds. Raises Broken where names, order, shapes or weights differ."""
    try:
        written = glb.read(data)
    except glb.GlbError as cause:
        raise Broken([f"What was written cannot be read: {cause}."]) from cause
    have, wrong, worst, weigh = scene.parts(avatar), [], 0.0, 0.0
    by_name = {part.name: part for part in written.parts}
    for name in have.keys() - by_name.keys():
        wrong.append(f"{name} is not in the file.")
    for name, part in by_name.items():
        thing = have.get(name)
        if thing is None:
            continue
        names, shapes = mesh.shapes(thing)
        own = mesh.own_keys(thing)
        known = [at for at, key in enumerate(names) if key not in own]
        names, shapes = tuple(names[at] for at in known), shapes[known]
        if part.shape_names != names:
            wrong.append(f"{name}: the names of its shapes, or their order, are others in the file.")
            continue
        places = mesh.positions(thing)
        meant, found = _weights(written, part, thing)
        rows = _behind(part, places, shapes, meant, found)
        worst = max(worst, float(np.abs(part.positions - places[rows]).max(initial=0)))
        worst = max(worst, float(np.abs(part.shapes - shapes[:, rows]).max(initial=0)))
        weigh = max(weigh, float(np.abs(found - meant[rows]).max(initial=0)))
    if worst > DISPLACEMENT_M:
        wrong.append(f"A vertex moves {1000 * worst:.4f} mm otherwise in the file.")
    if weigh > _WEIGHT:
        wrong.append(f"A skin weight differs by {weigh:.5f}.")
    if wrong:
        raise Broken(wrong)
    return {"parts": len(by_name), "displacement_m": worst, "weight": weigh}


def _behind(part: glb.Part, places: np.ndarray, shapes: np.ndarray, meant: np.ndarray, found: np.ndarray) -> np.ndarray:
    """The scene's vertex behind each of the file's: at its place; of several there, as where lips meet, the likest."""
    cells: dict[tuple[float, ...], list[int]] = {}
    for row, cell in enumerate(np.round(places, 6).tolist()):
        cells.setdefault(tuple(cell), []).append(row)
    rows = np.zeros(len(part.positions), np.int64)
    for row, cell in enumerate(np.round(part.positions.astype(np.float64), 6).tolist()):
        there = cells.get(tuple(cell))
        if there is None:
            rows[row] = int(np.argmin(np.sum((places - part.positions[row]) ** 2, axis=1)))
        elif len(there) == 1:
            rows[row] = there[0]
        else:
            moves = np.abs(shapes[:, there] - part.shapes[:, row, None]).sum(axis=(0, 2))
            rows[row] = there[int(np.argmin(moves + _WEIGHT * np.abs(meant[there] - found[row]).sum(axis=1)))]
    return rows


def _weights(written: glb.Glb, part: glb.Part, thing: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """Per bone, of the scene's vertices [V G] and of the file's [N G]."""
    groups, weights = mesh.weights(thing)
    weights = weights * np.array([group in written.joint_names for group in groups] or [False])  # no masks
    found = np.zeros((len(part.positions), max(len(groups), 1)), np.float32)
    column = np.array([groups.index(name) if name in groups else -1 for name in written.joint_names])
    for slot in range(4):
        use = (part.weights[:, slot] > 0) & (column[part.joints[:, slot]] >= 0)
        np.add.at(found, (np.flatnonzero(use), column[part.joints[use, slot]]), part.weights[use, slot])
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9), found
