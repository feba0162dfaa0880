"""Avatar to the JSON and the buffer of a glTF 2.0 file.

    skeleton -> joint nodes, one skin     mesh -> node, mesh, one primitive     textures -> images in the buffer

Choices that importers forced on us:
- The scene's roots are the one root joint and the meshes: a skinned mesh below another node is a validator warning,
  because its parents would not move it.
- Morph targets carry POSITION only. Normals would double the file and no engine needs them: three.js, Babylon,
  Blender and glTFast keep or recompute the rest normals.
- Names stand in mesh.extras.targetNames (Blender, three.js, glTFast) and in the primitive's extras (UniGLTF).
- Dense targets by default, as every importer reads them; targets with the same bytes (all zero, above all) share one
  accessor. `compact` writes sparse targets over an implicit zero base.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from avatar3d.core.avatar import Avatar, Material, Mesh, Skeleton, Texture
from avatar3d.core.errors import OutputInvalidError
from avatar3d.core.splats import RestSplats
from avatar3d.formats.accessors import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, BufferWriter
from avatar3d.formats.glb import SPECULAR, Json
from avatar3d.formats.gltf_splats import SPLATTING, describe_splats, hang_splats
from avatar3d.formats.images import encode_texture
from avatar3d.formats.tangents import vertex_tangents

NEGLIGIBLE_M: Final = 4e-7
"""Compact files drop displacements below this; the promise to engines is 1e-6 m."""
_SPARSE_ROW_BYTES: Final = 2 + 12
_DENSE_ROW_BYTES: Final = 12
_LINEAR, _LINEAR_MIPMAP_LINEAR, _CLAMP_TO_EDGE = 9729, 9987, 33071


def describe(
    avatar: Avatar,
    *,
    generator: str,
    compact: bool,
    lossless_textures: bool,
    splats: RestSplats | None = None,
    tangents: bool = True,
) -> tuple[Json, bytes]:
    """The JSON (keys in a fixed order) and the binary buffer of `avatar`. The same avatar gives the same bytes.

    `splats` that ride on it come last, below the joint of the head. Without `tangents` readers derive them (VRM asks for that).

    Raises OutputInvalidError (30) naming the mesh when an array is not what its noun promises.
    """
    for mesh in avatar.meshes:
        _refuse_broken(mesh, len(avatar.skeleton.names))
    buffer = BufferWriter()
    materials = _Materials(buffer, lossless=lossless_textures)
    meshes = [_mesh(mesh, buffer, materials, compact=compact, tangents=tangents) for mesh in avatar.meshes]
    joint_count = len(avatar.skeleton.names)
    skin = _skin(avatar.skeleton, buffer)
    nodes = [*_joint_nodes(avatar.skeleton), *_mesh_nodes(avatar)]
    extensions = {name for each in materials.written for name in each.get("extensions", {})}
    if splats is not None:
        hang_splats(nodes, avatar, len(meshes))
        meshes.append(describe_splats(splats, avatar, buffer))
        extensions.add(SPLATTING)
    document: Json = {
        "asset": _asset(avatar, generator),
        "extensionsUsed": sorted(extensions),
        "scene": 0,
        "scenes": [{"name": _text(avatar.name), "nodes": [0, *range(joint_count, joint_count + len(avatar.meshes))]}],
        "nodes": nodes,
        "skins": [skin],
        "meshes": meshes,
        "materials": materials.written,
        "textures": materials.textures,
        "images": materials.images,
        "samplers": materials.samplers,
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.binary)}],
    }
    # An empty array is invalid glTF: it must be absent.
    return {key: value for key, value in document.items() if value != []}, bytes(buffer.binary)


def _asset(avatar: Avatar, generator: str) -> Json:
    asset: Json = {"version": "2.0", "generator": generator}
    copyright_line = avatar.extras.get("copyright")
    if isinstance(copyright_line, str) and copyright_line:
        asset["copyright"] = copyright_line
    if avatar.extras:
        asset["extras"] = avatar.extras
    return asset


def _joint_nodes(skeleton: Skeleton) -> list[Json]:
    """One node per joint in skeleton order, so that joint number = node number; translations relative to the parent.

    Differences of float32 taken in float64 are exact, so the rest positions come back to the bit.
    """
    positions = skeleton.positions.astype(np.float64)
    nodes: list[Json] = []
    for index, (name, parent) in enumerate(zip(skeleton.names, skeleton.parents.tolist(), strict=True)):
        offset = positions[index] - (positions[parent] if parent >= 0 else 0.0)
        children = np.flatnonzero(skeleton.parents == index).tolist()
        nodes.append(
            {"name": _text(name), "translation": offset.tolist()} | ({"children": children} if children else {})
        )
    return nodes


def _mesh_nodes(avatar: Avatar) -> list[Json]:
    """A node per mesh. No two nodes share a name, or engines would rename one as they please (joint and mesh "tongue")."""
    joints = {_text(name) for name in avatar.skeleton.names}
    names = [_text(mesh.name) for mesh in avatar.meshes]
    return [
        {"name": f"{name}Mesh" if name in joints else name, "mesh": index, "skin": 0}
        for index, name in enumerate(names)
    ]


def _skin(skeleton: Skeleton, buffer: BufferWriter) -> Json:
    count = len(skeleton.names)
    if count == 0 or np.count_nonzero(skeleton.parents < 0) != 1 or skeleton.parents[0] >= 0 or count > 256:
        raise OutputInvalidError(f"A skeleton has one root, which comes first, and at most 256 joints; got {count}.")
    inverse_bind = np.tile(np.eye(4, dtype=np.float32), (count, 1, 1))
    inverse_bind[:, 3, :3] = -skeleton.positions  # column-major: the last row in memory is the translation
    return {
        "name": "skeleton",
        "inverseBindMatrices": buffer.dense(inverse_bind.reshape(count, 16), target=None),
        "skeleton": 0,
        "joints": list(range(count)),
    }


def _mesh(mesh: Mesh, buffer: BufferWriter, materials: "_Materials", *, compact: bool, tangents: bool) -> Json:
    joints, weights = _clean_influences(mesh)
    attributes = {
        "POSITION": buffer.dense(mesh.positions, bounds=True),
        "NORMAL": buffer.dense(mesh.normals),
    }
    if tangents and mesh.material.normal is not None:
        attributes["TANGENT"] = buffer.dense(vertex_tangents(mesh.positions, mesh.normals, mesh.uvs, mesh.triangles))
    attributes |= {
        "TEXCOORD_0": buffer.dense(mesh.uvs),
        "JOINTS_0": buffer.dense(joints),
        "WEIGHTS_0": buffer.dense(weights),
    }
    # 65535 would mean "restart the primitive" in 16 bits.
    index_type = np.uint16 if len(mesh.positions) < np.iinfo(np.uint16).max else np.uint32
    indices = mesh.triangles.reshape(-1).astype(index_type)
    primitive: Json = {
        "attributes": attributes,
        "indices": buffer.dense(indices, target=ELEMENT_ARRAY_BUFFER),
        "material": materials.index(mesh.material),
    }
    written: Json = {"name": _text(mesh.name), "primitives": [primitive]}
    if mesh.morph_names:
        names = [_text(name) for name in mesh.morph_names]
        primitive["targets"] = [{"POSITION": _target(morph, buffer, compact=compact)} for morph in mesh.morphs]
        primitive["extras"] = {"targetNames": names}
        written |= {"weights": [0] * len(names), "extras": {"targetNames": names}}
    return written


def _target(morph: Float32[np.ndarray, "V 3"], buffer: BufferWriter, *, compact: bool) -> int:
    if compact:
        moved = np.flatnonzero(np.linalg.norm(morph.astype(np.float64), axis=1) > NEGLIGIBLE_M)
        if 0 < len(moved) * _SPARSE_ROW_BYTES < len(morph) * _DENSE_ROW_BYTES:
            return buffer.sparse(morph, moved)
    return buffer.dense(morph, target=ARRAY_BUFFER, bounds=True)


def _clean_influences(mesh: Mesh) -> tuple[UInt8[np.ndarray, "V 4"], Float32[np.ndarray, "V 4"]]:
    """Joints and weights as the validator wants them: sum 1, no joint twice in a vertex, joint 0 where weight is 0.

    Arrays that already are so pass unchanged, to the bit.
    """
    joints, weights = mesh.joints.copy(), mesh.weights.astype(np.float64)
    for later in range(1, 4):
        for earlier in range(later):
            same = (joints[:, later] == joints[:, earlier]) & (weights[:, later] > 0)
            weights[same, earlier] += weights[same, later]
            weights[same, later] = 0
    total = weights.sum(axis=1, keepdims=True)
    weights = np.where(np.abs(total - 1) > 1e-7, weights / total, weights)
    joints[weights == 0] = 0
    return joints.astype(np.uint8), weights.astype(np.float32)


class _Materials:
    """Materials, textures and images written so far; the same picture or material is written once."""

    def __init__(self, buffer: BufferWriter, *, lossless: bool) -> None:
        self.written: list[Json] = []
        self.textures: list[Json] = []
        self.images: list[Json] = []
        self._buffer = buffer
        self._lossless = lossless
        self._known: dict[tuple[Any, ...], int] = {}

    @property
    def samplers(self) -> list[Json]:
        sampler = {
            "magFilter": _LINEAR,
            "minFilter": _LINEAR_MIPMAP_LINEAR,
            "wrapS": _CLAMP_TO_EDGE,
            "wrapT": _CLAMP_TO_EDGE,
        }
        return [sampler] if self.textures else []

    def index(self, material: Material) -> int:
        described = self._describe(material)
        if described not in self.written:
            self.written.append(described)
        return self.written.index(described)

    def _describe(self, material: Material) -> Json:
        surface: Json = {"baseColorFactor": [float(channel) for channel in material.colour_factor]}
        described: Json = {"name": _text(material.name), "pbrMetallicRoughness": surface}
        if material.base_colour is not None:
            surface["baseColorTexture"] = {"index": self._texture(material.base_colour)}
        surface |= {"metallicFactor": material.metallic, "roughnessFactor": material.roughness}
        if material.occlusion_roughness_metallic is not None:
            packed = {"index": self._texture(material.occlusion_roughness_metallic)}
            surface["metallicRoughnessTexture"] = packed
            described["occlusionTexture"] = packed
        if material.normal is not None:
            described["normalTexture"] = {"index": self._texture(material.normal, normal=True)}
        if material.alpha_mode != "OPAQUE":
            described["alphaMode"] = material.alpha_mode
        if material.alpha_mode == "MASK":
            described["alphaCutoff"] = material.alpha_cutoff
        if material.double_sided:
            described["doubleSided"] = True
        if material.specular != 1:
            described["extensions"] = {SPECULAR: {"specularFactor": material.specular}}
        return described

    def _texture(self, texture: Texture, *, normal: bool = False) -> int:
        key = (texture.name, texture.pixels.shape, sha256(texture.pixels.tobytes()).digest(), normal)
        if key not in self._known:
            mime, content = encode_texture(texture, normal=normal, lossless=self._lossless)
            image = {"name": _text(texture.name), "mimeType": mime, "bufferView": self._buffer.view(content)}
            self.images.append(image)
            self.textures.append({"name": image["name"], "sampler": 0, "source": len(self.images) - 1})
            self._known[key] = len(self.textures) - 1
        return self._known[key]


def _refuse_broken(mesh: Mesh, joint_count: int) -> None:
    """Raise when an engine would choke on this mesh: what the assembler promised is checked once, here."""
    faults: Sequence[tuple[bool, str]] = (
        (len(mesh.positions) == 0 or len(mesh.triangles) == 0, "has no vertices or triangles"),
        (not _finite(mesh.positions, mesh.normals, mesh.uvs, mesh.morphs, mesh.weights), "holds NaN or infinity"),
        (not _within(mesh.triangles, len(mesh.positions)), "has a triangle that points at no vertex"),
        (not _within(mesh.joints, joint_count), "has a skin joint that does not exist"),
        (bool(np.any(mesh.weights < 0) or np.any(mesh.weights.sum(axis=1) < 1e-3)), "has vertices without skin weight"),
        (
            bool(np.any(np.abs(np.linalg.norm(mesh.normals, axis=1) - 1) > 1e-3)),
            "has normals that are not unit vectors",
        ),
        (len(mesh.morph_names) != len(mesh.morphs), "has another number of morphs than of morph names"),
    )
    for fault, what in faults:
        if fault:
            raise OutputInvalidError(f"The mesh {mesh.name!r} {what}.", hint="This is a bug; please report it.")


def _finite(*arrays: Float32[np.ndarray, "..."]) -> bool:
    return all(bool(np.isfinite(array).all()) for array in arrays)


def _within(indices: Int32[np.ndarray, "..."], count: int) -> bool:
    return indices.size == 0 or (int(indices.min()) >= 0 and int(indices.max()) < count)


def _text(name: str) -> str:
    """A name that survives UTF-8: lone surrogates (from undecodable file names) become question marks."""
    return name.encode("utf-8", "replace").decode()
