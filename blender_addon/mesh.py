# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes between numpy and Blender. Blender is z-up: (x, y, z) of glTF is (x, -z, y) here; nothing is rounded by that."""

import json
from collections.abc import Sequence

import bpy
import numpy as np

from .scene import SHAPES, VERTEX

UV = "UVMap"
_NAMED_BY_DRIVER = 'key_blocks["{}"].value'


def to_blender(points: np.ndarray) -> np.ndarray:
    """glTF axes [... 3] in Blender's."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)


def to_gltf(points: np.ndarray) -> np.ndarray:
    """Blender's axes [... 3] in glTF's."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def make_mesh(
    name: str, positions: np.ndarray, corners: np.ndarray, starts: np.ndarray, uvs: np.ndarray, source: np.ndarray
) -> bpy.types.Mesh:
    """Positions [V 3] in glTF axes, corners [C], first corners [P], UV per corner [C 2] as glTF has it, source [V]."""
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(positions))
    mesh.vertices.foreach_set("co", to_blender(positions).astype(np.float32).ravel())
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners.astype(np.int32))
    mesh.polygons.add(len(starts))
    mesh.polygons.foreach_set("loop_start", starts.astype(np.int32))
    layer = mesh.uv_layers.new(name=UV, do_init=False)
    turned = np.stack([uvs[:, 0], 1 - uvs[:, 1]], axis=1).astype(np.float32)
    layer.uv.foreach_set("vector", turned.ravel())
    mesh.attributes.new(VERTEX, "INT", "POINT").data.foreach_set("value", source.astype(np.int32))
    mesh.update(calc_edges=True)
    mesh.shade_smooth()
    return mesh


def folded_quads(mesh: bpy.types.Mesh) -> np.ndarray:
    """Quads [P bool] that Blender does not split from their first corner to their third: they are folded, or nearly."""
    mesh.calc_loop_triangles()
    loops = np.empty(3 * len(mesh.loop_triangles), np.int32)
    owner = np.empty(len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("loops", loops)
    mesh.loop_triangles.foreach_get("polygon_index", owner)
    _, starts = polygons(mesh)
    sizes = np.diff(np.append(starts, len(mesh.loops)))
    local = loops.reshape(-1, 3) - starts[owner][:, None]
    crossed = ((local == 1).any(axis=1) & (local == 3).any(axis=1)) & (sizes[owner] == 4)
    return np.bincount(owner[crossed], minlength=len(starts)) > 0


def set_normals(mesh: bpy.types.Mesh, normals: np.ndarray) -> None:
    """Normals per vertex [V 3] in glTF axes, kept where they are not what the surface gives (hair is lit as a volume)."""
    mesh.normals_split_custom_set_from_vertices(to_blender(normals).astype(np.float64).tolist())


def set_shapes(thing: bpy.types.Object, names: tuple[str, ...], shapes: Sequence[np.ndarray] | np.ndarray) -> None:
    """Basis and one key per shape; displacements [K V 3] in glTF axes. Keys that are there are filled anew."""
    basis = positions(thing)
    if not len(names):
        return
    keys = thing.data.shape_keys
    if keys is None:
        thing.shape_key_add(name="Basis", from_mix=False).value = 0.0
        keys = thing.data.shape_keys
    for name in names:
        if name not in keys.key_blocks:
            key = thing.shape_key_add(name=name, from_mix=False)
            key.value = 0.0  # Blender 5.0 begins at 1
            key.slider_min, key.slider_max = 0.0, 1.0
    told = [(keys.key_blocks[name], shape) for name, shape in zip(names, shapes, strict=True)]
    # A key may be relative to another one, which must stand first.
    for key, shape in sorted(told, key=lambda each: each[0].relative_key != keys.key_blocks[0]):
        from_there = basis if key.relative_key == keys.key_blocks[0] else _read(key.relative_key.data)
        key.data.foreach_set("co", to_blender(from_there + shape.astype(np.float64)).astype(np.float32).ravel())
    thing.active_shape_key_index = 0
    thing.data.update()


def set_positions(thing: bpy.types.Object, places: np.ndarray, names: tuple[str, ...], told: np.ndarray) -> None:
    """The same vertices elsewhere, with their shapes, glTF axes, [V 3] and [K V 3]; keys that are not named go along as they are."""
    have, moved = shapes(thing)
    rest = [at for at, name in enumerate(have) if name not in names]
    flat = to_blender(places).astype(np.float32).ravel()
    if thing.data.shape_keys:
        thing.data.shape_keys.key_blocks[0].data.foreach_set("co", flat)
    thing.data.vertices.foreach_set("co", flat)
    set_shapes(thing, (*names, *(have[at] for at in rest)), [*told, *moved[rest]])
    thing.data.update()


def set_weights(thing: bpy.types.Object, joint_names: tuple[str, ...], joints: np.ndarray, weights: np.ndarray) -> None:
    """A vertex group per joint, in the skeleton's order; joints and weights [V 4]. Groups that are no joints, masks, stay."""
    for name in joint_names:
        if (old := thing.vertex_groups.get(name)) is not None:
            thing.vertex_groups.remove(old)
    for at, name in enumerate(joint_names):
        group = thing.vertex_groups.new(name=name)
        rows, slots = np.nonzero((joints == at) & (weights > 0))
        values = weights[rows, slots]
        for value in np.unique(values):
            group.add(rows[values == value].tolist(), float(value), "ADD")


def positions(thing: bpy.types.Object) -> np.ndarray:
    """The neutral [V 3] in glTF axes and the object's own space: the basis, where there are keys."""
    keys = thing.data.shape_keys
    return _read(keys.key_blocks[0].data if keys else thing.data.vertices)


def shapes(thing: bpy.types.Object) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and displacements [K V 3] of the keys after the basis, glTF axes."""
    keys = thing.data.shape_keys
    if keys is None:
        return (), np.zeros((0, len(thing.data.vertices), 3), np.float32)
    blocks = keys.key_blocks
    basis = _read(blocks[0].data)
    moved = [_read(key.data) - (basis if key.relative_key == blocks[0] else _read(key.relative_key.data))
             for key in blocks[1:]]  # fmt: skip
    return tuple(key.name for key in blocks[1:]), np.array(moved, np.float32).reshape(-1, len(basis), 3)


def own_keys(thing: bpy.types.Object) -> list[str]:
    """Keys that hands added: none of the shapes that the part came with."""
    known = json.loads(thing.get(SHAPES, "null"))
    return [] if known is None else [name for name in shapes(thing)[0] if name not in known]


def polygons(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Corners [C] and first corners [P]."""
    corners, starts = np.empty(len(mesh.loops), np.int32), np.empty(len(mesh.polygons), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    mesh.polygons.foreach_get("loop_start", starts)
    return corners, starts


def uvs(mesh: bpy.types.Mesh) -> np.ndarray:
    """UV per corner [C 2] as glTF has it; zeros where the mesh has none."""
    flat = np.zeros(2 * len(mesh.loops), np.float32)
    if mesh.uv_layers.active:
        mesh.uv_layers.active.uv.foreach_get("vector", flat)
        flat[1::2] = 1 - flat[1::2]
    return flat.reshape(-1, 2)


def origin(mesh: bpy.types.Mesh) -> np.ndarray | None:
    """The file's vertex of each vertex [V]; None when the mesh does not know."""
    layer = mesh.attributes.get(VERTEX)
    if layer is None or layer.data_type != "INT" or layer.domain != "POINT" or len(layer.data) != len(mesh.vertices):
        return None
    values = np.empty(len(mesh.vertices), np.int32)
    layer.data.foreach_get("value", values)
    return values


def weights(thing: bpy.types.Object) -> tuple[tuple[str, ...], np.ndarray]:
    """Group names and the weight of each group at each vertex [V G]."""
    table = np.zeros((len(thing.data.vertices), max(len(thing.vertex_groups), 1)), np.float32)
    for vertex in thing.data.vertices:
        for element in vertex.groups:
            table[vertex.index, element.group] = element.weight
    return tuple(group.name for group in thing.vertex_groups), table


def drive(thing: bpy.types.Object, leader: bpy.types.Object) -> None:
    """Every key that the leader has, too, follows it."""
    keys, leading = thing.data.shape_keys, leader.data.shape_keys
    if keys is None or leading is None or thing == leader:
        return
    for key in keys.key_blocks[1:]:
        if key.name not in leading.key_blocks:
            continue
        driver = key.driver_add("value").driver
        driver.type = "AVERAGE"
        variable = driver.variables.new()
        target = variable.targets[0]
        target.id_type, target.id = "KEY", leading
        target.data_path = _NAMED_BY_DRIVER.format(key.name)


def undrive(thing: bpy.types.Object) -> None:
    """Free the keys again."""
    keys = thing.data.shape_keys
    for key in keys.key_blocks[1:] if keys else ():
        key.driver_remove("value")


def _read(points: bpy.types.bpy_prop_collection) -> np.ndarray:
    flat = np.empty(3 * len(points), np.float32)
    points.foreach_get("co", flat)
    return to_gltf(flat.reshape(-1, 3).astype(np.float64))
