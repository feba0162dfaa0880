# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A GLB becomes an avatar in the scene: one collection with quads, keys, groups, materials, rig, and the file itself."""

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import glb, materials, mesh, rig, scene
from .topology import Topology, split, topology_of

_OTHER_NORMALS = 0.9998
"""Cosine of one degree: from there on a part's normals are its own and are kept."""


def build(
    data: bytes, name: str, context: bpy.types.Context, record: dict[str, Any] | None = None
) -> bpy.types.Collection:
    """Everything in the file, linked to the scene. Raises GlbError before anything is made."""
    told = glb.read(data)
    if not told.parts or not told.joint_names or "face" not in {part.name for part in told.parts}:
        raise glb.GlbError("it has no face or no skeleton: this is no avatar of avatar3d")
    collection = bpy.data.collections.new(name)
    context.scene.collection.children.link(collection)
    asset = told.json.get("asset", {})
    scene.set_facts(collection, {
        "schema": scene.SCHEMA, "name": name, "sha256": hashlib.sha256(data).hexdigest(), "record": record or {},
        "copyright": asset.get("copyright", ""), "generator": asset.get("generator", ""), "extras": asset.get("extras", {}),
        "nodes": {part.name: node for part, node in _nodes(told)}, "order": [part.name for part in told.parts],
        "joints": list(told.joint_names),
    })  # fmt: skip
    scene.keep_source(collection, data)
    armature = rig.make_rig(collection.name, collection, told.joint_names, told.joint_parents, told.joint_positions)
    images = materials.make_images(told.images)
    surfaces = [
        materials.make_material(each, told.json.get("textures", []), images) for each in told.json.get("materials", [])
    ]
    made = {part.name: _part(part, told, collection, armature, surfaces) for part in told.parts}
    for thing in made.values():
        mesh.drive(thing, made["face"])
    _activate(context, made["face"])
    return collection


def _nodes(told: glb.Glb) -> list[tuple[glb.Part, str]]:
    names = {node["mesh"]: str(node.get("name", "")) for node in told.json.get("nodes", []) if "mesh" in node}
    return [(part, names.get(at, part.name)) for at, part in enumerate(told.parts)]


def _part(
    part: glb.Part, told: glb.Glb, collection: bpy.types.Collection, armature: bpy.types.Object,
    surfaces: list[bpy.types.Material],
) -> bpy.types.Object:  # fmt: skip
    how = topology_of(part.triangles, part.positions)
    data = _mesh(part, how)
    if (folded := mesh.folded_quads(data)).any():
        bpy.data.meshes.remove(data)
        how = split(how, folded)
        data = _mesh(part, how)
    thing = bpy.data.objects.new(scene.LABELS.get(part.name, part.name), data)
    collection.objects.link(thing)
    thing[scene.PART] = part.name
    if 0 <= part.material < len(surfaces):
        data.materials.append(surfaces[part.material])
    mesh.set_weights(thing, told.joint_names, part.joints[how.first], part.weights[how.first])
    _keep_normals(data, part, how)
    mesh.set_shapes(thing, part.shape_names, part.shapes[:, how.first])
    thing[scene.SHAPES] = json.dumps(part.shape_names)
    thing["avatar3d_mirror"] = how.mirror.tolist() if how.known and (how.mirror >= 0).all() else []
    rig.hang(thing, armature)
    remember(thing)
    return thing


def _mesh(part: glb.Part, how: Topology) -> bpy.types.Mesh:
    corners = how.source[how.corners]
    return mesh.make_mesh(part.name, part.positions[how.first], corners, how.starts, part.uvs[how.corners], how.first)


def _keep_normals(data: bpy.types.Mesh, part: glb.Part, how: Topology) -> None:
    """Where they are not those that Blender gives the surface. It stores them relative to these: sculpting takes them along."""
    own = np.empty(3 * len(data.vertices), np.float32)
    data.vertex_normals.foreach_get("vector", own)
    wanted = part.normals[how.first]
    turned = np.sum(mesh.to_gltf(own.reshape(-1, 3)) * wanted, axis=1)
    if float(turned.min(initial=1.0)) < _OTHER_NORMALS:
        mesh.set_normals(data, wanted)


def remember(thing: bpy.types.Object, but: Collection[str] = ()) -> None:
    """Hashes of what it is now: whoever edits it makes them differ. `but` these, which hands made."""
    kept = json.loads(thing.get(scene.KEPT, "{}"))
    thing[scene.KEPT] = json.dumps(_hashes(thing) | {name: kept.get(name, "") for name in but})


def remember_weights(thing: bpy.types.Object) -> None:
    """These skin weights were derived: nobody painted them."""
    kept = json.loads(thing.get(scene.KEPT, "{}"))
    thing[scene.KEPT] = json.dumps(kept | {"weights": _hashes(thing)["weights"]})


def state(thing: bpy.types.Object) -> str:
    """One hash of everything that can be edited."""
    return scene.digest(*(np.frombuffer(value.encode(), np.uint8) for value in _hashes(thing).values()))


def changes(thing: bpy.types.Object) -> set[str]:
    """Which of topology, positions, uvs, shapes, weights are no longer what was imported (or re-derived)."""
    kept = json.loads(thing.get(scene.KEPT, "{}"))
    return {name for name, value in _hashes(thing).items() if kept.get(name) != value}


def _hashes(thing: bpy.types.Object) -> dict[str, str]:
    groups, weights = mesh.weights(thing)
    return {
        "topology": scene.digest(*mesh.polygons(thing.data)),
        "positions": scene.digest(mesh.positions(thing).astype(np.float32)),
        "uvs": scene.digest(mesh.uvs(thing.data)),
        "shapes": scene.digest(mesh.shapes(thing)[1]),
        "weights": scene.digest(np.frombuffer("\n".join(groups).encode(), np.uint8), weights),
    }  # fmt: skip


def record_beside(file: Path) -> dict[str, Any]:
    """avatar.json beside the GLB: camera, expression, landmarks; {} where there is none or it is none."""
    try:
        told = json.loads((file.parent / "avatar.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _activate(context: bpy.types.Context, thing: bpy.types.Object) -> None:
    for other in context.view_layer.objects:
        other.select_set(False)
    thing.select_set(True)
    context.view_layer.objects.active = thing


def remove(collection: bpy.types.Collection) -> int:
    """The avatar and everything that only it used; how many blocks went."""
    mine: list[bpy.types.ID] = []
    for thing in list(collection.all_objects):
        mine += _blocks_of(thing)
    text = collection.get(scene.SOURCE)
    mine += [text] if text else []
    mine += list(collection.children_recursive)
    before = sum(map(len, _lists()))
    bpy.data.batch_remove([*dict.fromkeys(list(collection.all_objects)), collection])
    # What somebody else uses, too, stays. Users go before what they use.
    ranks = (
        bpy.types.Mesh,
        bpy.types.Armature,
        bpy.types.Camera,
        bpy.types.Action,
        bpy.types.Material,
        bpy.types.NodeTree,
    )
    mine.sort(key=lambda block: next((at for at, kind in enumerate(ranks) if isinstance(block, kind)), len(ranks)))
    for block in dict.fromkeys(mine):
        if block.users - block.use_fake_user <= 0 or block is text:
            bpy.data.batch_remove([block])
    return before - sum(map(len, _lists()))


def _blocks_of(thing: bpy.types.Object) -> list[bpy.types.ID]:
    """Mesh or armature, materials, their images, actions: users first."""
    found: list[bpy.types.ID] = [thing.data] if thing.data else []
    owners = [thing, thing.data, getattr(thing.data, "shape_keys", None)]
    for owner in owners:
        animation = getattr(owner, "animation_data", None)
        if animation and animation.action:
            found.append(animation.action)
    if thing.type == "CAMERA":
        found += [behind.image for behind in thing.data.background_images if behind.image]
    for slot in thing.material_slots:
        if slot.material and slot.material.node_tree:
            found.append(slot.material)
            found += [
                node.node_tree for node in slot.material.node_tree.nodes if node.type == "GROUP" and node.node_tree
            ]
            found += [node.image for node in slot.material.node_tree.nodes if node.type == "TEX_IMAGE" and node.image]
    return found


def _lists() -> tuple[bpy.types.bpy_prop_collection, ...]:
    data = bpy.data
    return (data.objects, data.meshes, data.armatures, data.materials, data.images, data.actions, data.collections,
            data.texts, data.shape_keys, data.node_groups)  # fmt: skip
