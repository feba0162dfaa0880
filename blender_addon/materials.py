# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""glTF materials as node trees: base colour, normal, and occlusion-roughness-metallic, in the form Blender's exporter reads back."""

from typing import Any

import bpy

_OUTPUT_GROUP = "glTF Material Output"


def make_images(images: tuple[tuple[str, str, bytes], ...]) -> list[bpy.types.Image]:
    """Packed, byte for byte as the file has them."""
    made = []
    for name, _, data in images:
        image = bpy.data.images.new(name, 8, 8)
        image.pack(data=data, data_len=len(data))
        image.source = "FILE"
        made.append(image)
    return made


def make_material(
    told: dict[str, Any], textures: list[dict[str, Any]], images: list[bpy.types.Image]
) -> bpy.types.Material:
    """One material of the file's JSON."""
    material = bpy.data.materials.new(str(told.get("name", "material")))
    material.use_nodes = True
    material.use_backface_culling = not told.get("doubleSided", False)
    _Tree(material.node_tree, textures, images).build(told)
    return material


class _Tree:
    def __init__(self, tree: bpy.types.NodeTree, textures: list[dict[str, Any]], images: list[bpy.types.Image]) -> None:
        self._tree, self._textures, self._images = tree, textures, images
        self._surface = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
        self._row = 300

    def build(self, told: dict[str, Any]) -> None:
        rough = told.get("pbrMetallicRoughness", {})
        self._put("Roughness", rough.get("roughnessFactor", 1.0))
        self._put("Metallic", rough.get("metallicFactor", 1.0))
        specular = told.get("extensions", {}).get("KHR_materials_specular", {}).get("specularFactor", 1.0)
        self._put("Specular IOR Level", 0.5 * specular)
        self._base(rough, told)
        if normal := told.get("normalTexture"):
            picture = self._picture(normal, "Normal", colour=False)
            node = self._node("ShaderNodeNormalMap", -300)
            node.inputs["Strength"].default_value = normal.get("scale", 1.0)
            self._link(picture.outputs["Color"], node.inputs["Color"])
            self._link(node.outputs["Normal"], self._surface.inputs["Normal"])
        if packed := rough.get("metallicRoughnessTexture"):
            self._packed(packed, told.get("occlusionTexture"), rough)

    def _base(self, rough: dict[str, Any], told: dict[str, Any]) -> None:
        factor = [float(value) for value in rough.get("baseColorFactor", [1, 1, 1, 1])]
        colour = self._surface.inputs["Base Color"]
        if "baseColorTexture" not in rough:
            colour.default_value = factor
            self._put("Alpha", factor[3])
            return
        picture = self._picture(rough["baseColorTexture"], "Base colour", colour=True)
        source = picture.outputs["Color"]
        if factor[:3] != [1, 1, 1]:
            mix = self._node("ShaderNodeMix", -300)
            mix.label, mix.data_type, mix.blend_type = "Colour factor", "RGBA", "MULTIPLY"
            mix.inputs["Factor"].default_value = 1.0
            a, b = (socket for socket in mix.inputs if socket.type == "RGBA")
            self._link(source, a)
            b.default_value = [*factor[:3], 1.0]
            source = next(socket for socket in mix.outputs if socket.type == "RGBA")
        self._link(source, colour)
        mode = told.get("alphaMode", "OPAQUE")
        if mode == "OPAQUE":
            return
        alpha = picture.outputs["Alpha"]
        if mode == "MASK":  # alpha >= cutoff, as 1 - (alpha < cutoff)
            less, flip = self._node("ShaderNodeMath", -450), self._node("ShaderNodeMath", -300)
            less.operation, flip.operation = "LESS_THAN", "SUBTRACT"
            less.label = "Cutoff"
            less.inputs[1].default_value = told.get("alphaCutoff", 0.5)
            flip.inputs[0].default_value = 1.0
            self._link(alpha, less.inputs[0])
            self._link(less.outputs[0], flip.inputs[1])
            alpha = flip.outputs[0]
        self._link(alpha, self._surface.inputs["Alpha"])

    def _packed(self, packed: dict[str, Any], occlusion: dict[str, Any] | None, rough: dict[str, Any]) -> None:
        picture = self._picture(packed, "Occlusion, roughness, metallic", colour=False)
        split = self._node("ShaderNodeSeparateColor", -450)
        self._link(picture.outputs["Color"], split.inputs[0])
        for channel, name, factor in ((1, "Roughness", "roughnessFactor"), (2, "Metallic", "metallicFactor")):
            source, times = split.outputs[channel], float(rough.get(factor, 1.0))
            if times == 0 and name == "Metallic":
                continue
            if times != 1:
                node = self._node("ShaderNodeMath", -300)
                node.operation, node.label = "MULTIPLY", f"{name} factor"
                node.inputs[1].default_value = times
                self._link(source, node.inputs[0])
                source = node.outputs[0]
            self._link(source, self._surface.inputs[name])
        if occlusion:
            group = self._node("ShaderNodeGroup", 0)
            group.node_tree = _output_group()
            self._link(split.outputs[0], group.inputs["Occlusion"])

    def _picture(self, told: dict[str, Any], label: str, *, colour: bool) -> bpy.types.ShaderNode:
        node = self._node("ShaderNodeTexImage", -700)
        node.label = label
        node.image = self._images[self._textures[told["index"]]["source"]]
        node.image.colorspace_settings.name = "sRGB" if colour else "Non-Color"
        node.extension = "EXTEND"
        return node

    def _node(self, kind: str, x: float) -> bpy.types.ShaderNode:
        node = self._tree.nodes.new(kind)
        self._row -= 130
        node.location = x, self._row
        return node

    def _link(self, source: bpy.types.NodeSocket, target: bpy.types.NodeSocket) -> None:
        self._tree.links.new(source, target)

    def _put(self, name: str, value: float) -> None:
        self._surface.inputs[name].default_value = value


def _output_group() -> bpy.types.NodeTree:
    """Where Blender's glTF exporter looks for occlusion."""
    group = bpy.data.node_groups.get(_OUTPUT_GROUP)
    if group is None:
        group = bpy.data.node_groups.new(_OUTPUT_GROUP, "ShaderNodeTree")
        group.interface.new_socket("Occlusion", in_out="INPUT", socket_type="NodeSocketFloat")
        group.nodes.new("NodeGroupInput")
        group.nodes.new("NodeGroupOutput")
    return group


def picture_node(material: bpy.types.Material | None, socket: str) -> bpy.types.ShaderNode | None:
    """The texture node that feeds a socket of the surface ("Base Color", "Normal", "Roughness"); None for none."""
    if material is None or not material.use_nodes:
        return None
    surface = next((node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED"), None)
    waiting = [link.from_node for link in surface.inputs[socket].links] if surface else []
    for _ in range(32):
        if not waiting:
            return None
        node = waiting.pop(0)
        if node.type == "TEX_IMAGE":
            return node
        waiting += [link.from_node for each in node.inputs for link in each.links]
    return None
