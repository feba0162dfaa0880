# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sculpted detail into the head's normal map: Cycles bakes the fine surface, and the map that was there goes on top of it.

high (copy with all its levels) --Cycles--> its bumps in the low head's tangent space
bumps + the map that was there --reoriented normal mapping--> the new map, packed
"""

import bpy
import numpy as np

from . import extract, materials, scene

_CAGE_M = 0.004
_MARGIN_PX = 16
_STEEPEST = 0.3


class NothingToBake(ValueError):
    """There is no finer surface than the head itself."""


def bake(avatar: bpy.types.Collection, context: bpy.types.Context, *, size_px: int = 1024) -> bpy.types.Image:
    """A new normal map for the head, from the copy that was sculpted. Raises NothingToBake, NoAvatar.

    Blocks until Cycles is done (seconds): Blender allows no change of the scene while it bakes.
    """
    low, copy = scene.face(avatar), extract.edit_copy(avatar)
    if copy is None:
        raise NothingToBake("Press Sculpt first: detail is baked from the copy that it makes.")
    node = materials.picture_node(low.active_material, "Normal")
    if node is None or low.active_material is None:
        raise NothingToBake(f"The material of {low.name} has no normal map.")
    high = _high(copy, context)
    target = bpy.data.images.new("avatar3d bake", size_px, size_px, float_buffer=True, is_data=True)
    tree = low.active_material.node_tree
    into = tree.nodes.new("ShaderNodeTexImage")
    into.image = target
    kept = {key.name: key.value for key in low.data.shape_keys.key_blocks} if low.data.shape_keys else {}
    held = [(each, each.show_viewport, each.show_render) for each in low.modifiers]
    before = context.scene.render.engine, context.scene.cycles.samples, low.hide_render
    try:
        _neutral(low)
        for each in tree.nodes:
            each.select = False
        into.select, tree.nodes.active = True, into
        for thing in context.view_layer.objects:
            thing.select_set(False)
        low.hide_set(False)
        low.hide_render = False
        high.select_set(True)
        low.select_set(True)
        context.view_layer.objects.active = low
        context.scene.render.engine, context.scene.cycles.samples = "CYCLES", 1
        bpy.ops.object.bake(
            type="NORMAL", use_selected_to_active=True, cage_extrusion=_CAGE_M, max_ray_distance=2 * _CAGE_M,
            normal_space="TANGENT", margin=_MARGIN_PX, use_clear=True, target="IMAGE_TEXTURES",
        )  # fmt: skip
        made = _combined(target, node.image)
    finally:
        tree.nodes.remove(into)
        bpy.data.images.remove(target)
        data = high.data
        bpy.data.objects.remove(high)
        bpy.data.meshes.remove(data)
        context.scene.render.engine, context.scene.cycles.samples, low.hide_render = before
        for each, seen, rendered in held:
            each.show_viewport, each.show_render = seen, rendered
        for name, value in kept.items():
            low.data.shape_keys.key_blocks[name].value = value
    old = node.image
    node.image = made
    if old is not None and old.users == 0:
        name = old.name
        bpy.data.images.remove(old)
        made.name = name
    return made


def _high(copy: bpy.types.Object, context: bpy.types.Context) -> bpy.types.Object:
    """The copy with all its modifiers but the armature, as a mesh without material."""
    for each in copy.modifiers:
        if each.type == "MULTIRES":
            each.levels = each.sculpt_levels = each.render_levels = each.total_levels
    posed = [each for each in copy.modifiers if each.type == "ARMATURE" and each.show_viewport]
    for each in posed:
        each.show_viewport = False
    hidden = copy.hide_get()
    copy.hide_set(False)  # a hidden object is not evaluated
    graph = context.evaluated_depsgraph_get()
    graph.update()
    data = bpy.data.meshes.new_from_object(copy.evaluated_get(graph), depsgraph=graph)
    copy.hide_set(hidden)
    for each in posed:
        each.show_viewport = True
    data.materials.clear()
    data.shade_smooth()
    high = bpy.data.objects.new("avatar3d fine", data)
    high.matrix_world = copy.matrix_world
    context.scene.collection.objects.link(high)
    return high


def _neutral(low: bpy.types.Object) -> None:
    for each in low.modifiers:
        each.show_viewport = each.show_render = False
    for key in low.data.shape_keys.key_blocks[1:] if low.data.shape_keys else ():
        key.value = 0.0


def _combined(bumps: bpy.types.Image, detail: bpy.types.Image) -> bpy.types.Image:
    """Reoriented normal mapping (Barre-Brisebois and Hill, Blending in Detail, 2012): the detail stands on the bumps."""
    size = tuple(bumps.size)
    base = _vectors(bumps)
    # No ray met anything there; or it met another fold, as between the lips: no bump is so steep.
    missed = (np.abs(base).max(axis=2) < 1e-3) | (base[..., 2] < _STEEPEST)
    base[missed] = 0, 0, 1
    if detail is not None and detail.size[0]:
        over = _vectors(detail)
        rows = np.arange(size[1]) * over.shape[0] // size[1]
        columns = np.arange(size[0]) * over.shape[1] // size[0]
        over = over[rows][:, columns]
        t = base + np.array([0, 0, 1.0])
        u = over * np.array([-1.0, -1.0, 1.0])
        base = t * (np.sum(t * u, axis=2, keepdims=True) / np.maximum(t[..., 2:], 1e-3)) - u
    base /= np.maximum(np.linalg.norm(base, axis=2, keepdims=True), 1e-9)
    made = bpy.data.images.new("skin_normal_sculpted", *size, is_data=True)
    flat = np.ones((size[1], size[0], 4), np.float32)
    flat[..., :3] = base * 0.5 + 0.5
    made.pixels.foreach_set(flat.ravel())
    made.update()
    made.pack()
    return made


def _vectors(image: bpy.types.Image) -> np.ndarray:
    """Pixels [H W 4] as unit vectors [H W 3]."""
    width, height = image.size
    flat = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(flat)
    return flat.reshape(height, width, 4)[..., :3].astype(np.float64) * 2 - 1
