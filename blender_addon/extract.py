# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An edited part as the arrays that `avatar3d rederive` reads."""

import json
from pathlib import Path

import bpy
import numpy as np
from mathutils.kdtree import KDTree

from . import building, mesh, scene
from .transfer import Surface, transfer_uvs, triangulated

EDIT = "avatar3d_edit"
"""On a copy made for sculpting: the name of the part that it will replace."""
LOCKED = "avatar3d_locked"
_MOST_VERTICES = 200_000
_PARTING = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")
_LEAST = 1e-3
"""A vertex whose bones weigh less in all was left out by whoever painted."""
_UNBENT = {"ARMATURE", "MULTIRES"}
"""Modifiers that pose or refine; all others shape the mesh that is re-derived."""


class TooMuch(ValueError):
    """The mesh is too large for a head that moves."""


def edited_of(avatar: bpy.types.Collection, part: str = "face") -> bpy.types.Object:
    """The copy made for sculpting, where there is one; else the part itself. Raises NoAvatar."""
    found = edit_copy(avatar, part) or scene.parts(avatar).get(part)
    if found is None:
        raise scene.NoAvatar(f"{avatar.name} has no part {part!r} any more.")
    return found


def edit_copy(avatar: bpy.types.Collection, part: str = "face") -> bpy.types.Object | None:
    return next((thing for thing in avatar.all_objects if thing.type == "MESH" and thing.get(EDIT) == part), None)


def locked(thing: bpy.types.Object) -> list[str]:
    """Names of the keys that re-derive leaves alone."""
    try:
        return [str(name) for name in json.loads(thing.get(LOCKED, "[]"))]
    except (TypeError, ValueError):
        return []


def set_locked(thing: bpy.types.Object, names: list[str]) -> None:
    thing[LOCKED] = json.dumps(sorted(set(names)))


def by_hand(thing: bpy.types.Object) -> list[str]:
    """Keys that re-derive keeps: locked ones, and those that hands added."""
    held = [*locked(thing), *mesh.own_keys(thing)]
    return [name for name in mesh.shapes(thing)[0] if name in held]


def hands(thing: bpy.types.Object) -> str:
    """A hash of what hands made on it: whoever works while it is re-derived makes it differ."""
    names = by_hand(thing)
    groups, weights = mesh.weights(thing)
    return scene.digest(np.array([*names, "", *groups]), mesh.positions(thing), _shapes(thing, names), weights)


def write(avatar: bpy.types.Collection, part: str, file: Path, *, with_shapes: bool = False) -> dict[str, object]:
    """The edited part as .npz; tells topology_kept, vertices, polygons, uvs_transferred, locked. Raises TooMuch, NoAvatar."""
    thing, head = edited_of(avatar, part), scene.parts(avatar).get(part)
    places, data, made = _surface(avatar, thing)
    try:
        if len(data.vertices) > _MOST_VERTICES:
            raise TooMuch(
                f"{thing.name} has {len(data.vertices):,} vertices; a head that moves has at most {_MOST_VERTICES:,}. "
                "Remesh it coarser; the fine detail goes into the normal map."
            )
        corners, starts = mesh.polygons(data)
        origin = mesh.origin(data)
        same = head is not None and _same(data, head.data)
        kept = same and origin is not None and _known(origin)
        arrays = {
            "positions": places.astype(np.float32), "corners": corners, "polygon_starts": starts,
            "part": np.array(part),
        }  # fmt: skip
        arrays["uvs"], borrowed = _uvs(data, head, places, corners, starts)
        if kept:
            arrays["source"] = origin
        names = by_hand(head) if head is not None else []
        if head is not None:
            arrays |= _locked(head, names, same) if names else {}
            if "weights" in building.changes(head):
                arrays |= _painted(head, scene.facts(avatar).get("joints", []))
            if "locked_own" in arrays or "bones" in arrays:
                arrays |= _held(head, same)
        if with_shapes and thing.data.shape_keys and not made:
            arrays["shape_names"], arrays["shapes"] = np.array(mesh.shapes(thing)[0]), mesh.shapes(thing)[1]
        np.savez(file, **arrays)
    finally:
        if made:
            bpy.data.meshes.remove(data)
    return {"topology_kept": bool(kept), "vertices": len(places), "polygons": len(starts), "uvs_transferred": borrowed,
            "locked": names}  # fmt: skip


def _surface(avatar: bpy.types.Collection, thing: bpy.types.Object) -> tuple[np.ndarray, bpy.types.Mesh, bool]:
    """Neutral positions [V 3] in the rig's space, glTF axes; the mesh; and whether it was made for this."""
    shaping = [each for each in thing.modifiers if each.show_viewport and each.type not in _UNBENT]
    made = bool(shaping) and thing.data.shape_keys is None
    data = _evaluated(thing) if made else thing.data
    flat = mesh.positions(thing) if not made else _raw(data)
    armature = scene.rig(avatar)
    base = armature.matrix_world.inverted() if armature else None
    own = np.array((base @ thing.matrix_world) if base else thing.matrix_world, np.float64)
    if np.allclose(own, np.eye(4), atol=1e-7):
        return flat, data, made
    moved = mesh.to_blender(flat) @ own[:3, :3].T + own[:3, 3]
    return mesh.to_gltf(moved), data, made


def _evaluated(thing: bpy.types.Object) -> bpy.types.Mesh:
    held = [each for each in thing.modifiers if each.show_viewport and each.type in _UNBENT]
    for each in held:
        each.show_viewport = False
    try:
        graph = bpy.context.evaluated_depsgraph_get()
        graph.update()
        return bpy.data.meshes.new_from_object(thing.evaluated_get(graph), depsgraph=graph)
    finally:
        for each in held:
            each.show_viewport = True


def _raw(data: bpy.types.Mesh) -> np.ndarray:
    flat = np.empty(3 * len(data.vertices), np.float32)
    data.vertices.foreach_get("co", flat)
    return mesh.to_gltf(flat.reshape(-1, 3).astype(np.float64))


def _known(origin: np.ndarray) -> bool:
    """Whether these are vertices of the file, each one's own: a mesh that was remeshed once and re-derived has none."""
    return int(origin.min(initial=0)) >= 0 and len(np.unique(origin)) == len(origin)


def _same(one: bpy.types.Mesh, other: bpy.types.Mesh) -> bool:
    return len(one.vertices) == len(other.vertices) and all(
        np.array_equal(a, b) for a, b in zip(mesh.polygons(one), mesh.polygons(other), strict=True)
    )


def _uvs(
    data: bpy.types.Mesh, head: bpy.types.Object | None, places: np.ndarray, corners: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, bool]:
    """The mesh's own UV, or, where remeshing threw them away, those of the head below; and whether they are borrowed."""
    own = mesh.uvs(data)
    if head is None or head.data == data or (len(own) and float(np.ptp(own)) > 1e-6):
        return own, False
    return transfer_uvs(_as_surface(head), places, corners, starts), True


def _as_surface(head: bpy.types.Object) -> Surface:
    return triangulated(mesh.positions(head), *mesh.polygons(head.data), mesh.uvs(head.data))


def _shapes(head: bpy.types.Object, names: list[str]) -> np.ndarray:
    """Displacements [L V 3] of these keys, metres, glTF axes."""
    have, moved = mesh.shapes(head)
    return moved[[have.index(name) for name in names]].astype(np.float32)


def _locked(head: bpy.types.Object, names: list[str], same: bool) -> dict[str, np.ndarray]:
    """The locked keys, where they were made: on this mesh, on the file's, or on one that was remeshed before."""
    told = {"locked_names": np.array(names)}
    if same:
        return told | {"locked": _shapes(head, names)}
    own = mesh.origin(head.data)
    told["locked_own"] = _shapes(head, names)
    return told | ({"locked_rows": own} if own is not None and _known(own) else {})


def _held(head: bpy.types.Object, same: bool) -> dict[str, np.ndarray]:
    """The mesh that hands worked on, where it is neither the file's nor the edited one."""
    own = mesh.origin(head.data)
    if same or (own is not None and _known(own)):
        return {}
    surface, have = _as_surface(head), mesh.shapes(head)[0]
    return {
        "held_positions": surface.positions.astype(np.float32), "held_triangles": surface.triangles.astype(np.int32),
        "held_parted": _shapes(head, [name for name in _PARTING if name in have]),
    }  # fmt: skip


def _painted(head: bpy.types.Object, joints: list[str]) -> dict[str, np.ndarray]:
    """The four strongest bones of each vertex, at the file's vertices, or, where the head has none of them, at its own."""
    groups, table = mesh.weights(head)
    names = [name for name in groups if name in joints]
    table = table[:, [groups.index(name) for name in names]]
    if not names:
        return {}
    table = np.pad(table, ((0, 0), (0, max(4 - len(names), 0))))
    bones = np.argsort(-table, axis=1, kind="stable")[:, :4].astype(np.int32)
    weights = np.take_along_axis(table, bones, axis=1)
    bones = np.where(weights > 0, bones, 0).astype(np.int32)
    there = weights.sum(axis=1) > _LEAST
    told = {"bone_names": np.array(names)}
    own = mesh.origin(head.data)
    if own is not None and _known(own):
        return told | {"bone_rows": own[there], "bones": bones[there], "bone_weights": weights[there]}
    if not there.any():
        return {}
    tree = KDTree(int(there.sum()))
    places = mesh.positions(head)
    for at in np.flatnonzero(there).tolist():
        tree.insert(places[at], at)
    tree.balance()
    for at in np.flatnonzero(~there).tolist():
        nearest = tree.find(places[at])[1]
        bones[at], weights[at] = bones[nearest], weights[nearest]
    return told | {"bones": bones, "bone_weights": weights}
