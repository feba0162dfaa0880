"""Splats bound to an avatar's triangles, as a .splats file that an engine reads in 40 lines (samples/11_read_splats).

Little-endian; S splats on F triangles:

    offset  bytes
         0      4  magic "A3DS"
         4      4  u32 version, 1
         8      4  u32 S
        12      4  u32 F, those of all meshes
        16      4  u32 N
        20      N  UTF-8, a line "name<tab>triangles" per mesh in the avatar's order; filled with line ends to 4 bytes
      20+N   4 S   u32 triangle, counted through the meshes
            12 S   f32 barycentric: weights of the triangle's corners a, b, c
             4 S   f32 offset along the normal, triangle sizes
            16 S   f32 rotation wxyz, splat to triangle's frame
            12 S   f32 scale: standard deviations along the splat's axes, triangle sizes
            12 S   f32 colour: albedo, linear RGB
             4 S   f32 opacity, 0 to 1

A triangle's frame: x along ab, z along the normal, y = z cross x; its size: the mean of the length of ab and of the
height of c over it. On the posed mesh a splat is where the same numbers say: core.splats.SplatCloud.
"""

import struct
from pathlib import Path
from typing import Final

import numpy as np

from avatar3d.core.durable import write_atomically
from avatar3d.core.splats import BoundSplats, SplatCloud
from avatar3d.formats import splat_file as door

_HEADER: Final = struct.Struct("<4sIIII")
_MAGIC: Final = b"A3DS"
VERSION: Final = 1
_COLUMNS: Final = (("triangle", "<u4", 1), ("barycentric", "<f4", 3), ("offset", "<f4", 1), ("rotation_wxyz", "<f4", 4),
                   ("scale", "<f4", 3), ("colour", "<f4", 3), ("opacity", "<f4", 1))  # fmt: skip
_SPLAT_BYTES: Final = sum(4 * width for _, _, width in _COLUMNS)
_MAX_NAMES_BYTES: Final = 64 * 1024
_TOLERANCE: Final = 1e-3
"""Of sums and lengths that are 1."""


def save_binding(bound: BoundSplats, path: Path | str) -> Path:
    """Write bound splats, atomically. Raises DiskError (40)."""
    return write_atomically(path, encode_binding(bound))


def encode_binding(bound: BoundSplats) -> bytes:
    """The bytes of a .splats file; the same splats give the same bytes."""
    lines = [f"{_plain(name)}\t{count}\n" for name, count in zip(bound.mesh_names, bound.triangle_counts, strict=True)]
    names = "".join(lines).encode("utf-8", "replace")
    names += b"\n" * (-len(names) % 4)
    cloud = bound.cloud
    head = _HEADER.pack(_MAGIC, VERSION, len(cloud.triangle), sum(bound.triangle_counts), len(names))
    return head + names + b"".join(getattr(cloud, name).astype(kind).tobytes() for name, kind, _ in _COLUMNS)


def load_binding(path: Path | str) -> BoundSplats:
    """Read what `save_binding` wrote, to the bit; safe on hostile files.

    Raises UnreadableError (10, SPLATS_INVALID), UnsupportedFormatError (11, SPLATS_FORMAT) for another format or version,
    LimitError (12, SPLATS_TOO_LARGE).
    """
    file = Path(path)
    content = door.read_splat_file(file)
    if not content.startswith(_MAGIC):
        door.not_splats(file, f"it begins with {content[:4]!r}, not {_MAGIC!r}", "Give a .splats file of avatar3d.")
    if len(content) < _HEADER.size:
        door.broken(file, "it ends within its header")
    _, version, count, triangles, names_bytes = _HEADER.unpack_from(content)
    if version != VERSION:
        door.not_splats(file, f"it is of version {version}, not {VERSION}", "Write it again with this avatar3d.")
    door.check_count(file, count)
    if names_bytes > _MAX_NAMES_BYTES:
        door.too_large(file, f"has {names_bytes:,} bytes of names; the limit is {_MAX_NAMES_BYTES:,}")
    needed = _HEADER.size + names_bytes + count * _SPLAT_BYTES
    if len(content) != needed:
        door.broken(file, f"it has {len(content):,} bytes, {count:,} splats need {needed:,}")
    meshes = _meshes(file, content[_HEADER.size : _HEADER.size + names_bytes])
    if sum(number for _, number in meshes) != triangles:
        door.broken(file, f"its meshes do not have the {triangles:,} triangles it tells of")
    read: dict[str, np.ndarray] = {}
    at = _HEADER.size + names_bytes
    for name, kind, width in _COLUMNS:
        column = np.frombuffer(content, kind, count * width, at)
        read[name] = column.reshape(count, width) if width > 1 else column
        at += 4 * count * width
    if read["triangle"].max(initial=0) >= max(triangles, 1) or (count and not triangles):
        door.broken(file, f"a splat rides on a triangle beyond its {triangles:,}")
    cloud = SplatCloud(
        read.pop("triangle").astype(np.int32), **{name: each.astype(np.float32) for name, each in read.items()}
    )
    _check(file, cloud)
    return BoundSplats(cloud, tuple(name for name, _ in meshes), tuple(number for _, number in meshes))


def _meshes(file: Path, text: bytes) -> list[tuple[str, int]]:
    meshes: list[tuple[str, int]] = []
    for line in text.decode("utf-8", "replace").split("\n"):
        name, _, number = line.partition("\t")
        if not line:
            continue
        if not number.isascii() or not number.isdecimal() or len(number) > 10:
            door.broken(file, f"{line[:40]!r} is not a mesh and its number of triangles")
        meshes.append((name, int(number)))
    return meshes


def _check(file: Path, cloud: SplatCloud) -> None:
    """What `core.splats` promises of every number."""
    numbers = (cloud.barycentric, cloud.offset, cloud.rotation_wxyz, cloud.scale, cloud.colour, cloud.opacity)
    if not all(np.isfinite(each).all() and np.abs(each).max(initial=0) < door.FARTHEST for each in numbers):
        door.broken(file, "it holds NaN, infinity or numbers beyond any head")
    if (np.abs(cloud.barycentric.sum(axis=1) - 1) > _TOLERANCE).any():
        door.broken(file, "barycentric weights do not sum to 1")
    if (np.abs(np.linalg.norm(cloud.rotation_wxyz, axis=1) - 1) > _TOLERANCE).any():
        door.broken(file, "a rotation is not of unit length")
    if cloud.scale.min(initial=0) < 0 or cloud.opacity.min(initial=0) < 0 or cloud.opacity.max(initial=0) > 1:
        door.broken(file, "a width is negative or an opacity not between 0 and 1")


def _plain(name: str) -> str:
    """A name that fits on a line."""
    return "".join(character if character.isprintable() else "?" for character in name)
