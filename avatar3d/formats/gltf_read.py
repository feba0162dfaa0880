"""A parsed GLB to an Avatar: the reverse of gltf_write, refusing what an Avatar cannot hold."""

from typing import Any, Final, Literal, get_args

import numpy as np
from jaxtyping import Float32, Float64, Int32

from avatar3d.core.avatar import Avatar, Material, Mesh, Skeleton, Texture
from avatar3d.core.errors import UnsupportedFormatError
from avatar3d.formats.accessors import BufferReader
from avatar3d.formats.glb import SPECULAR, GlbDocument, Json, is_index
from avatar3d.formats.gltf_splats import is_splats
from avatar3d.formats.images import MAX_TEXTURE_PIXELS, decode_texture

AlphaMode = Literal["OPAQUE", "MASK", "BLEND"]
_TRIANGLES: Final = 4
# Far above what a head has; they bound the work a small hostile file can ask for.
_MAX_JOINTS, _MAX_MESHES, _MAX_TARGETS = 256, 256, 1024
_BIND_TOLERANCE_M: Final = 1e-5


def avatar_from_document(document: GlbDocument) -> Avatar:
    """Rebuild the avatar. Meshes need one primitive of triangles with normals, UVs and the one skin.

    Raises UnreadableError (10) where the file contradicts itself, UnsupportedFormatError (11) where it is
    sound glTF but no avatar of ours.
    """
    reader = BufferReader(document)
    skeleton, joint_order = _skeleton(document, reader)
    textures = _Textures(document, reader)
    placed = [node["mesh"] for node in document.items("nodes") if "mesh" in node]
    placed = [mesh for mesh in placed if not is_splats(document, mesh)]
    if not 0 < len(placed) <= _MAX_MESHES:
        raise _not_ours(document, f"it shows {len(placed)} meshes")
    meshes = tuple(_mesh(document, reader, textures, mesh, joint_order) for mesh in placed)
    extras = document.json["asset"].get("extras", {})
    return Avatar(
        name=_avatar_name(document),
        meshes=meshes,
        skeleton=skeleton,
        extras=extras if isinstance(extras, dict) else {},
    )


def _not_ours(document: GlbDocument, what: str) -> UnsupportedFormatError:
    return UnsupportedFormatError(
        f'"{document.file.name}" is a glTF file but not an avatar of ours: {what}.',
        hint="Give a file that avatar3d wrote.",
        id="GLB_NOT_AN_AVATAR",
        file=document.file,
    )


def _avatar_name(document: GlbDocument) -> str:
    scenes = document.items("scenes")
    named = scenes[0].get("name") if scenes else None
    return named if isinstance(named, str) and named else document.file.stem


def _skeleton(document: GlbDocument, reader: BufferReader) -> tuple[Skeleton, Int32[np.ndarray, "J"]]:
    """The one skin's joints, parents first, and for each joint number of the file its number in the skeleton."""
    skins = document.items("skins")
    if len(skins) != 1:
        raise _not_ours(document, f"it has {len(skins)} skins, expected 1")
    listed = skins[0].get("joints")
    if not isinstance(listed, list) or not 0 < len(listed) <= _MAX_JOINTS:
        raise document.broken(f"its skin does not list 1 to {_MAX_JOINTS} joints")
    nodes = [document.item("nodes", joint, "a skin") for joint in listed]
    joints: list[int] = listed
    if len(set(joints)) != len(joints):
        raise document.broken("its skin lists a joint twice")
    parent_of = {child: at for at, node in enumerate(document.items("nodes")) for child in node.get("children", [])}
    parents = [joints.index(parent_of[joint]) if parent_of.get(joint) in joints else -1 for joint in joints]
    order = _parents_first(parents)
    if parents.count(-1) != 1:
        raise _not_ours(document, f"it has {parents.count(-1)} root joints, expected 1")
    new_number = np.argsort(order).astype(np.int32)
    skeleton = Skeleton(
        names=tuple(str(nodes[at].get("name", f"joint{at}")) for at in order),
        parents=np.array([new_number[parents[at]] if parents[at] >= 0 else -1 for at in order], np.int32),
        positions=_rest_positions(document, reader, skins[0], nodes, parents, order)[order],
    )
    return skeleton, new_number


def _parents_first(parents: list[int]) -> list[int]:
    """Joint numbers such that a parent precedes its children; unchanged when it already does."""
    if all(parent < joint for joint, parent in enumerate(parents)):
        return list(range(len(parents)))
    order = [joint for joint, parent in enumerate(parents) if parent < 0]
    for at in order:  # grows while it is walked; the node tree has no cycle, so this ends
        order.extend(joint for joint, parent in enumerate(parents) if parent == at)
    return order


def _rest_positions(
    document: GlbDocument, reader: BufferReader, skin: Json, nodes: list[Json], parents: list[int], order: list[int]
) -> Float32[np.ndarray, "J 3"]:
    """World positions of the joints at rest, which the inverse bind matrices must confirm."""
    positions: Float64[np.ndarray, "J 3"] = np.zeros((len(nodes), 3))
    for at in order:
        if {"rotation", "scale", "matrix"} & nodes[at].keys():
            raise _not_ours(document, f"its joint {str(nodes[at].get('name'))[:40]!r} is rotated or scaled at rest")
        offset = _numbers(document, nodes[at].get("translation", [0, 0, 0]), 3, "a joint's translation")
        positions[at] = offset + (positions[parents[at]] if parents[at] >= 0 else 0.0)
    bind = reader.floats(skin.get("inverseBindMatrices"), "MAT4", "skins[0].inverseBindMatrices").reshape(-1, 4, 4)
    expected = np.tile(np.eye(4), (len(nodes), 1, 1))
    expected[:, 3, :3] = -positions
    if bind.shape != expected.shape or np.abs(bind - expected).max() > _BIND_TOLERANCE_M:
        raise document.broken("its inverse bind matrices contradict the rest positions of its joints")
    return positions.astype(np.float32)


def _mesh(
    document: GlbDocument,
    reader: BufferReader,
    textures: "_Textures",
    index: object,
    joint_order: Int32[np.ndarray, "J"],
) -> Mesh:
    mesh = document.item("meshes", index, "a node")
    where = f"meshes[{index}]"
    primitives = mesh.get("primitives")
    if not isinstance(primitives, list) or not primitives or not isinstance(primitives[0], dict):
        raise document.broken(f"{where} has no primitives")
    primitive: Json = primitives[0]
    if len(primitives) != 1 or primitive.get("mode", _TRIANGLES) != _TRIANGLES:
        raise _not_ours(document, f"{where} is not one primitive of triangles")
    attributes = primitive.get("attributes")
    if not isinstance(attributes, dict):
        raise document.broken(f"{where} has no attributes")
    missing = [key for key in ("POSITION", "NORMAL", "TEXCOORD_0", "JOINTS_0", "WEIGHTS_0") if key not in attributes]
    if missing or "indices" not in primitive:
        raise _not_ours(document, f"{where} has no {', '.join(missing) or 'indices'}")
    positions = reader.floats(attributes["POSITION"], "VEC3", f"{where} POSITION")
    count = len(positions)
    weights = reader.floats(attributes["WEIGHTS_0"], "VEC4", f"{where} WEIGHTS_0")
    joints = reader.integers(attributes["JOINTS_0"], "VEC4", f"{where} JOINTS_0")
    indices = reader.integers(primitive["indices"], "SCALAR", f"{where} indices")
    normals = reader.floats(attributes["NORMAL"], "VEC3", f"{where} NORMAL")
    uvs = reader.floats(attributes["TEXCOORD_0"], "VEC2", f"{where} TEXCOORD_0")
    if not count == len(weights) == len(joints) == len(normals) == len(uvs):
        raise document.broken(f"{where} has attributes of different lengths")
    if indices.max() >= count or len(indices) % 3:
        raise document.broken(f"{where} has indices that point at no vertex or do not make triangles")
    if joints.max() >= len(joint_order):
        raise document.broken(f"{where} is bound to a joint that does not exist")
    if weights.min() < 0 or np.abs(weights.sum(axis=1) - 1).max() > 1e-2:
        raise document.broken(f"{where} has skin weights that do not sum to 1")
    names, morphs = _morphs(document, reader, mesh, primitive, count, where)
    bound = np.where(weights > 0, joint_order[joints], 0)
    return Mesh(
        name=str(mesh.get("name", where)),
        positions=positions,
        normals=normals,
        uvs=uvs,
        triangles=indices.reshape(-1, 3).astype(np.int32),
        material=textures.material(primitive.get("material"), where),
        morph_names=names,
        morphs=morphs,
        joints=bound.astype(np.int32),
        weights=weights,
    )


def _morphs(
    document: GlbDocument, reader: BufferReader, mesh: Json, primitive: Json, count: int, where: str
) -> tuple[tuple[str, ...], Float32[np.ndarray, "M V 3"]]:
    targets = primitive.get("targets", [])
    if not isinstance(targets, list) or len(targets) > _MAX_TARGETS:
        raise document.broken(f"{where}.targets is not an array of at most {_MAX_TARGETS} morph targets")
    names = target_names(mesh) or target_names(primitive) or [f"target{at}" for at in range(len(targets))]
    if len(names) != len(targets):
        raise document.broken(f"{where} has {len(targets)} morph targets and {len(names)} names")
    displacements: list[Float32[np.ndarray, "V 3"]] = []
    for name, target in zip(names, targets, strict=True):
        if not isinstance(target, dict) or "POSITION" not in target:
            raise _not_ours(document, f"{where} morph {name[:40]!r} moves no positions")
        moved = reader.floats(target["POSITION"], "VEC3", f"{where} morph {name[:40]!r}")
        if len(moved) != count:
            raise document.broken(f"{where} morph {name[:40]!r} has {len(moved)} rows for {count} vertices")
        displacements.append(moved)
    stacked = np.stack(displacements) if displacements else np.zeros((0, count, 3), np.float32)
    return tuple(names), stacked


def target_names(item: Json) -> list[str]:
    """`extras.targetNames` of a mesh or primitive; empty when absent or malformed."""
    extras = item.get("extras")
    names = extras.get("targetNames") if isinstance(extras, dict) else None
    return [str(name) for name in names] if isinstance(names, list) else []


class _Textures:
    """Decodes each picture once, within one allowance of pixels for the whole file."""

    def __init__(self, document: GlbDocument, reader: BufferReader) -> None:
        self._document = document
        self._reader = reader
        self._decoded: dict[int, Texture] = {}

    def material(self, index: object, where: str) -> Material:
        """Material as core knows it; the glTF default where the file has none."""
        if index is None:
            return Material("default", roughness=1.0, metallic=1.0)
        item = self._document.item("materials", index, where)
        surface = item.get("pbrMetallicRoughness", {})
        if not isinstance(surface, dict):
            raise self._document.broken(f"materials[{index}] is malformed")
        values: Json = surface
        mode = item.get("alphaMode", "OPAQUE")
        if mode not in get_args(AlphaMode):
            raise self._document.broken(f"materials[{index}] has the unknown alphaMode {str(mode)[:20]!r}")
        at = f"materials[{index}]"
        colour = _numbers(self._document, values.get("baseColorFactor", [1, 1, 1, 1]), 4, f"{at} baseColorFactor")
        extensions = item.get("extensions", {})
        gloss = extensions.get(SPECULAR, {}) if isinstance(extensions, dict) else {}
        single = {
            key: float(_numbers(self._document, [source.get(key, default)], 1, f"{at} {key}")[0])
            for source, key, default in (
                (values, "roughnessFactor", 1.0),
                (values, "metallicFactor", 1.0),
                (item, "alphaCutoff", 0.5),
                (gloss if isinstance(gloss, dict) else {}, "specularFactor", 1.0),
            )
        }
        return Material(
            name=str(item.get("name", at)),
            base_colour=self._texture(values.get("baseColorTexture"), at),
            normal=self._texture(item.get("normalTexture"), at),
            occlusion_roughness_metallic=self._texture(values.get("metallicRoughnessTexture"), at),
            colour_factor=(float(colour[0]), float(colour[1]), float(colour[2]), float(colour[3])),
            roughness=single["roughnessFactor"],
            metallic=single["metallicFactor"],
            specular=single["specularFactor"],
            alpha_mode=mode,
            alpha_cutoff=single["alphaCutoff"],
            double_sided=item.get("doubleSided") is True,
        )

    def _texture(self, use: object, where: str) -> Texture | None:
        if use is None:
            return None
        index: Any = use.get("index") if isinstance(use, dict) else None
        source = self._document.item("textures", index, where).get("source")
        image = self._document.item("images", source, where)
        if not is_index(source):  # item() has made sure; this tells the type checker
            raise self._document.broken(f"{where} has a malformed texture")
        if source not in self._decoded:
            spent = sum(texture.pixels.shape[0] * texture.pixels.shape[1] for texture in self._decoded.values())
            name = str(image.get("name", f"image{source}"))
            content = self._reader.view(image.get("bufferView"), f"images[{source}]")
            self._decoded[source] = decode_texture(
                self._document, content, image.get("mimeType"), name, MAX_TEXTURE_PIXELS - spent
            )
        return self._decoded[source]


def _numbers(document: GlbDocument, values: object, count: int, where: str) -> Float64[np.ndarray, "N"]:
    """A JSON array of `count` finite numbers."""
    given = values if isinstance(values, list) else []
    if len(given) == count and all(type(value) in (int, float) for value in given):
        try:
            numbers = np.array(given, np.float64)
        except OverflowError:  # an integer of 400 digits
            numbers = np.array([np.inf])
        if np.isfinite(numbers).all():
            return numbers
    raise document.broken(f"{where} is not {count} finite numbers")
