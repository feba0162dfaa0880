# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A GLB as arrays: what an avatar's file says, and its JSON put back changed. No bpy.

Axes are glTF's (+Y up, the face looks to +Z), lengths in metres, UV (0, 0) the image's upper left corner.
The file may be anybody's: whatever it is, `read` gives arrays or raises GlbError.
"""

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

_KINDS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_MOST_BYTES = 1 << 30
_MOST_ROWS = 1 << 24


class GlbError(ValueError):
    """The file is no GLB that we can read; the message says why."""


@dataclass(frozen=True)
class Part:
    """One mesh of an avatar."""

    name: str
    positions: np.ndarray
    """[V 3] float32."""
    normals: np.ndarray
    """[V 3] float32."""
    uvs: np.ndarray
    """[V 2] float32."""
    triangles: np.ndarray
    """[F 3] int32."""
    joints: np.ndarray
    """[V 4] int32, into the avatar's joints."""
    weights: np.ndarray
    """[V 4] float32."""
    shape_names: tuple[str, ...]
    shapes: np.ndarray
    """[K V 3] float32, displacements."""
    material: int
    """Number of the material; -1 for none."""


@dataclass(frozen=True)
class Glb:
    """A whole file."""

    json: dict[str, Any]
    binary: bytes
    parts: tuple[Part, ...]
    joint_names: tuple[str, ...]
    joint_parents: np.ndarray
    """[J] int32; -1 for the root."""
    joint_positions: np.ndarray
    """[J 3] float64, metres, at rest."""
    images: tuple[tuple[str, str, bytes], ...] = field(default=())
    """Name, MIME type and bytes of each image."""


def chunks(data: bytes) -> tuple[dict[str, Any], bytes]:
    """JSON and buffer of the bytes of a GLB."""
    if len(data) > _MOST_BYTES:
        raise GlbError(f"the file has {len(data):,} bytes; the limit is {_MOST_BYTES:,}")
    if len(data) < 20 or data[:4] != b"glTF" or struct.unpack_from("<I", data, 4)[0] != 2:
        raise GlbError("this is no GLB of glTF 2.0")
    size, kind = struct.unpack_from("<I4s", data, 12)
    if kind != b"JSON" or 20 + size > len(data):
        raise GlbError("the file is cut")
    try:
        told = json.loads(data[20 : 20 + size])
    except (ValueError, RecursionError) as cause:
        raise GlbError("its JSON cannot be read") from cause
    if not isinstance(told, dict):
        raise GlbError("its JSON is no object")
    at = 20 + size
    if at + 8 > len(data):
        return told, b""
    size, kind = struct.unpack_from("<I4s", data, at)
    if kind != b"BIN\0" or at + 8 + size > len(data):
        raise GlbError("the file is cut")
    return told, data[at + 8 : at + 8 + size]


def pack(told: dict[str, Any], binary: bytes) -> bytes:
    """The bytes of a GLB."""
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(binary))
    return head + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary


def read(source: Path | str | bytes) -> Glb:
    """Everything an avatar's file holds. Raises GlbError, or OSError when it cannot be opened."""
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    told, binary = chunks(data)
    try:
        return _read(told, binary)
    except (KeyError, IndexError, TypeError, AttributeError, OverflowError, ValueError) as cause:
        if isinstance(cause, GlbError):
            raise
        raise GlbError(f"the file contradicts itself ({type(cause).__name__}: {cause})") from cause


def _read(told: dict[str, Any], binary: bytes) -> Glb:
    nodes = told.get("nodes", [])
    skins = told.get("skins", [])
    joints = list(skins[0]["joints"]) if skins else []
    names, parents, positions = _skeleton(nodes, joints)
    parts = tuple(_part(told, binary, mesh) for mesh in told.get("meshes", []))
    for part in parts:
        if len(part.joints) and len(joints) and int(part.joints.max()) >= len(joints):
            raise GlbError(f"the mesh {part.name!r} hangs on a joint that does not exist")
    images = tuple(
        (str(image.get("name", f"image{at}")), str(image["mimeType"]), bytes(_view(told, binary, image["bufferView"])))
        for at, image in enumerate(told.get("images", []))
    )
    return Glb(told, binary, parts, names, parents, positions, images)


def _skeleton(nodes: list[Any], joints: list[int]) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    of = {child: parent for parent, node in enumerate(nodes) for child in node.get("children", [])}
    row = {node: at for at, node in enumerate(joints)}
    places = np.zeros((len(joints), 3))
    for at, joint in enumerate(joints):
        node, steps = joint, 0
        while node is not None:
            if nodes[node].get("rotation", [0, 0, 0, 1]) != [0, 0, 0, 1] or "matrix" in nodes[node]:
                raise GlbError("its joints are turned at rest: this is no avatar of avatar3d")
            places[at] += np.array(nodes[node].get("translation", [0, 0, 0]), np.float64)
            node, steps = of.get(node), steps + 1
            if steps > len(nodes):
                raise GlbError("its nodes go round in a circle")
    names = tuple(str(nodes[joint].get("name", f"joint{at}")) for at, joint in enumerate(joints))
    return names, np.array([row.get(of.get(joint, -1), -1) for joint in joints], np.int32), places


def _part(told: dict[str, Any], binary: bytes, mesh: dict[str, Any]) -> Part:
    if len(mesh["primitives"]) != 1:
        raise GlbError(f"the mesh {mesh.get('name')!r} has several materials: this is no avatar of avatar3d")
    primitive = mesh["primitives"][0]
    has = primitive["attributes"]
    positions = _array(told, binary, has["POSITION"], 3).astype(np.float32)
    count = len(positions)
    if primitive.get("mode", 4) != 4:
        raise GlbError(f"the mesh {mesh.get('name')!r} is not made of triangles")
    if "indices" in primitive:
        triangles = _array(told, binary, primitive["indices"], 1).astype(np.int64).reshape(-1, 3)
    else:
        triangles = np.arange(count).reshape(-1, 3)
    targets = primitive.get("targets", [])
    names = mesh.get("extras", {}).get("targetNames") or [f"shape{at}" for at in range(len(targets))]
    shapes = [_array(told, binary, target["POSITION"], 3) for target in targets]

    def optional(name: str, width: int) -> np.ndarray:
        return _array(told, binary, has[name], width) if name in has else np.zeros((count, width), np.float32)

    part = Part(
        name=str(mesh.get("name", "mesh")),
        positions=positions,
        normals=optional("NORMAL", 3).astype(np.float32),
        uvs=optional("TEXCOORD_0", 2).astype(np.float32),
        triangles=triangles.astype(np.int32),
        joints=optional("JOINTS_0", 4).astype(np.int32),
        weights=optional("WEIGHTS_0", 4).astype(np.float32),
        shape_names=tuple(map(str, names)),
        shapes=np.array(shapes, np.float32).reshape(len(shapes), count, 3),
        material=int(primitive.get("material", -1)),
    )
    lengths = {len(array) for array in (part.normals, part.uvs, part.joints, part.weights)}
    if (
        lengths != {count}
        or len(names) != len(shapes)
        or triangles.max(initial=-1) >= count
        or triangles.min(initial=0) < 0
    ):
        raise GlbError(f"the arrays of the mesh {part.name!r} do not fit together")
    if not all(np.isfinite(array).all() for array in (positions, part.shapes, part.uvs, part.weights, part.normals)):
        raise GlbError(f"the mesh {part.name!r} holds NaN or infinity")
    return part


def _view(told: dict[str, Any], binary: bytes, number: int) -> memoryview:
    view = told["bufferViews"][_index(number)]
    at, size = view.get("byteOffset", 0), view["byteLength"]
    if at < 0 or size < 0 or at + size > len(binary) or "byteStride" in view:
        raise GlbError("a buffer view reaches beyond the file")
    return memoryview(binary)[at : at + size]


def _array(told: dict[str, Any], binary: bytes, number: int, width: int) -> np.ndarray:
    accessor = told["accessors"][_index(number)]
    rows = accessor["count"]
    if not 0 <= rows <= _MOST_ROWS or _WIDTHS[accessor["type"]] != width:
        raise GlbError("an accessor has a size that it cannot have")
    kind = np.dtype(_KINDS[accessor["componentType"]])
    if "bufferView" in accessor:
        dense = _numbers(_view(told, binary, accessor["bufferView"]), kind, rows * width, accessor.get("byteOffset", 0))
        values = dense.reshape(rows, width).copy()
    else:
        values = np.zeros((rows, width), kind)
    if sparse := accessor.get("sparse"):
        place, changed = sparse["indices"], sparse["values"]
        which = np.dtype(_KINDS[place["componentType"]])
        at = _numbers(_view(told, binary, place["bufferView"]), which, sparse["count"], place.get("byteOffset", 0))
        new = _numbers(
            _view(told, binary, changed["bufferView"]), kind, sparse["count"] * width, changed.get("byteOffset", 0)
        )
        values[at.astype(np.int64)] = new.reshape(-1, width)
    return values


def _numbers(view: memoryview, kind: np.dtype, count: int, at: int) -> np.ndarray:
    if at < 0 or count < 0 or at + count * kind.itemsize > len(view):
        raise GlbError("an accessor reaches beyond its buffer view")
    return np.frombuffer(view, kind, count, at)


def _index(number: int) -> int:
    if not isinstance(number, int) or number < 0:
        raise GlbError("an index is no number")
    return number
