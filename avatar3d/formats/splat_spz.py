"""Splats as .spz: a tenth of the .ply, with quantised numbers (Niantic's spz, README "File Format", versions 2 and 3).

    gzip( header 16 bytes | places 3 x int24 | opacities u8 | colours 3 x u8 | scales 3 x u8 | rotations | harmonics )

Columns of all splats stand one after another. The frame is ours: +x right, +y up, +z to the eye. Steps: places a
micrometre near the origin, widths 6 %, opacity and colour 1/255 and 1/136, turns 0.2 degrees.
"""

import gzip
import struct
import zlib
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8

from avatar3d.core.durable import write_atomically
from avatar3d.core.splats import Gaussians
from avatar3d.formats import splat_file as door

_HEADER: Final = struct.Struct("<4sIIBBBB")
_MAGIC: Final = b"NGSP"
_VERSIONS: Final = (2, 3)
_HARMONICS_BYTES: Final = (0, 9, 24, 45, 72)
"""Of a splat, per degree."""
_EXTENDED: Final = 0x2
"""Flag of records of vendors after the columns, which are read over."""
_FINEST_BITS: Final = 20
"""Of places, after the point: a micrometre; a head needs no finer."""
_INT24: Final = 2**23
_COLOUR_SCALE: Final = 0.15
"""Colour is stored as 0.5 + this times the coefficient."""
_SCALE_STEPS, _SCALE_ZERO = 16.0, 10.0
"""Width is stored as the logarithm plus the latter, times the former."""
_MAGNITUDE: Final = 2**9 - 1
"""Of one of the smallest three parts of a quaternion, which are at most the square root of a half."""


def save_spz(gaussians: Gaussians, path: Path | str) -> Path:
    """Write Gaussians (metres, the avatar's frame, linear RGB), atomically. Raises DiskError (40)."""
    return write_atomically(path, encode_spz(gaussians))


def encode_spz(gaussians: Gaussians) -> bytes:
    """The bytes of an .spz file of version 3; the same Gaussians give the same bytes."""
    reach = float(np.abs(gaussians.mean).max(initial=0))
    bits = next((bits for bits in range(_FINEST_BITS, -1, -1) if reach * 2**bits < _INT24 - 1), 0)
    fixed = np.clip(np.round(gaussians.mean.astype(np.float64) * 2**bits), -_INT24, _INT24 - 1).astype("<i4")
    columns = [
        _HEADER.pack(_MAGIC, 3, len(gaussians.mean), 0, bits, 0, 0),
        fixed.view(np.uint8).reshape(-1, 3, 4)[:, :, :3].tobytes(),
        _byte(gaussians.opacity * np.float32(255)).tobytes(),
        _byte((door.coefficients_of(gaussians.colour) * _COLOUR_SCALE + 0.5) * 255).tobytes(),
        _byte((door.log_of(gaussians.scale) + _SCALE_ZERO) * _SCALE_STEPS).tobytes(),
        _smallest_three(gaussians.rotation_wxyz).tobytes(),
    ]
    return gzip.compress(b"".join(columns), 9, mtime=0)


def load_spz(path: Path | str) -> Gaussians:
    """Read splats, safe on hostile files. Metres, the avatar's frame, linear RGB.

    Raises UnreadableError (10, SPLATS_INVALID), UnsupportedFormatError (11, SPLATS_FORMAT) for another version or format,
    LimitError (12, SPLATS_TOO_LARGE) for a file that asks for more than it should.
    """
    file = Path(path)
    content = door.read_splat_file(file)
    if not content.startswith(b"\x1f\x8b"):
        door.not_splats(file, "it is not packed by gzip", "Files of version 4 cannot be read; write version 3.")
    unpack = zlib.decompressobj(wbits=31)
    try:
        head = unpack.decompress(content, _HEADER.size)
        if len(head) < _HEADER.size:
            door.broken(file, "it ends within its header")
        magic, version, count, degree, bits, flags, _ = _HEADER.unpack(head)
        if magic != _MAGIC or version not in _VERSIONS or degree >= len(_HARMONICS_BYTES):
            told = f"it begins with {magic!r}, version {version}, degree {degree}"
            door.not_splats(file, told, "Versions 2 and 3 can be read, of degree 0 to 4.")
        door.check_count(file, count)
        if bits > 23:
            door.broken(file, f"its places have {bits} bits after the point")
        widths = (9, 1, 3, 3, 3 if version == 2 else 4, _HARMONICS_BYTES[degree])
        body = unpack.decompress(unpack.unconsumed_tail, count * sum(widths) + 1)
        # The stream's end and check sum may come only now; no further byte of the body may, but for vendors' records.
        more = b"" if unpack.eof else unpack.decompress(unpack.unconsumed_tail, 1)
    except zlib.error:
        door.broken(file, "what gzip packed is damaged")
    if len(body) < count * sum(widths):
        door.broken(file, f"it ends after {len(body):,} of {count * sum(widths):,} bytes")
    if len(body) > count * sum(widths) and not flags & _EXTENDED:
        door.broken(file, f"something follows its {count:,} splats")
    if not flags & _EXTENDED and (more or not unpack.eof):
        door.broken(file, "it was cut: gzip's check sum is missing")
    starts = np.cumsum([0, *(count * width for width in widths)])
    places, opacity, colour, scale, rotation, _ = (
        np.frombuffer(body, np.uint8, count * width, int(start)).reshape(count, width)
        for start, width in zip(starts[:-1], widths, strict=True)
    )
    gaussians = Gaussians(
        mean=_from_int24(places, bits),
        rotation_wxyz=_from_first_three(rotation) if version == 2 else _from_smallest_three(rotation),
        scale=door.scale_of(scale.astype(np.float32) / np.float32(_SCALE_STEPS) - np.float32(_SCALE_ZERO)),
        colour=door.colour_of((colour.astype(np.float32) / 255 - np.float32(0.5)) / np.float32(_COLOUR_SCALE)),
        opacity=opacity[:, 0].astype(np.float32) / np.float32(255),
    )
    return door.checked(file, gaussians)


def _byte(values: Float32[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _from_int24(bytes_: UInt8[np.ndarray, "S 9"], bits: int) -> Float32[np.ndarray, "S 3"]:
    wide = np.zeros((len(bytes_), 3, 4), np.uint8)
    wide[:, :, 1:] = bytes_.reshape(-1, 3, 3)  # in the upper three bytes, so that the sign is the number's own
    return ((wide.view("<i4")[:, :, 0] >> 8) / 2.0**bits).astype(np.float32)


def _smallest_three(wxyz: Float32[np.ndarray, "S 4"]) -> UInt8[np.ndarray, "S 4"]:
    """32 bits: which of x, y, z, w is the largest (2), then the others in that order as sign (1) and magnitude (9)."""
    xyzw = wxyz[:, [1, 2, 3, 0]].astype(np.float64)
    xyzw /= np.linalg.norm(xyzw, axis=1, keepdims=True)
    largest = np.argmax(np.abs(xyzw), axis=1)
    xyzw = np.where(xyzw[np.arange(len(xyzw)), largest][:, None] < 0, -xyzw, xyzw)
    packed = largest.astype(np.uint32)
    for part in range(4):
        magnitude = np.minimum(np.round(np.abs(xyzw[:, part]) * (_MAGNITUDE * np.sqrt(2))), _MAGNITUDE).astype(
            np.uint32
        )
        longer = (packed << 10) | ((xyzw[:, part] < 0).astype(np.uint32) << 9) | magnitude
        packed = np.where(largest == part, packed, longer)
    return packed.astype("<u4").view(np.uint8).reshape(-1, 4)


def _from_smallest_three(bytes_: UInt8[np.ndarray, "S 4"]) -> Float32[np.ndarray, "S 4"]:
    packed = np.ascontiguousarray(bytes_).view("<u4")[:, 0].astype(np.uint32)
    largest = packed >> 30
    xyzw = np.zeros((len(packed), 4))
    for part in (3, 2, 1, 0):
        value = (packed & _MAGNITUDE) / (_MAGNITUDE * np.sqrt(2))
        stored = largest != part
        xyzw[:, part] = np.where(stored, np.where((packed >> 9) & 1, -value, value), 0)
        packed = np.where(stored, packed >> 10, packed)
    rest = np.sqrt(np.maximum(1 - (xyzw**2).sum(axis=1), 0))
    xyzw[np.arange(len(xyzw)), largest] = rest
    return xyzw[:, [3, 0, 1, 2]].astype(np.float32)


def _from_first_three(bytes_: UInt8[np.ndarray, "S 3"]) -> Float32[np.ndarray, "S 4"]:
    """Version 2: x, y and z; w is what is left, and not negative."""
    xyz = bytes_.astype(np.float64) / 127.5 - 1
    w = np.sqrt(np.maximum(1 - (xyz**2).sum(axis=1), 0))
    return np.concatenate([w[:, None], xyz], axis=1).astype(np.float32)
