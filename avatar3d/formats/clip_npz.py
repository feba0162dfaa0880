"""Our own clip file: a plain .npz, which numpy.load(path, allow_pickle=False) opens without us.

    format          "avatar3d-clip-1"                names, tongue_names    what the columns of weights and tongue mean
    time_s          float64 [T]                      weights, tongue        float32 [T 52], [T 4], each in [0, 1]
    head, eyes      float32 [T 4], [T 2 4]           unit quaternions wxyz relative to rest; eyes: left, right
    provenance      JSON (clip_provenance.py)

The same clip gives the same bytes: members in this order, uncompressed, dated 1980. A reader trusts nothing: no pickle, no member
of another name, size, type or shape, and no more memory than the file's own limit.
"""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Shaped

from avatar3d.core.blendshapes import ARKIT_NAMES, TONGUE_NAMES, BlendshapeClip
from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import OutputInvalidError
from avatar3d.formats.clip_arrays import ClipArrays, find_fault, stack_clip, unstack_clip
from avatar3d.formats.clip_file import MAX_BYTES, broken, not_a_clip, read_clip_file, too_large

FORMAT: Final = "avatar3d-clip-1"
_MEMBERS: Final = ("format", "provenance", "names", "tongue_names", "time_s", "weights", "head", "eyes", "tongue")
_TEXTS: Final = _MEMBERS[:4]
_WIDTHS: Final = {"time_s": (), "weights": (52,), "head": (4,), "eyes": (2, 4), "tongue": (4,)}
_MOST_AXES: Final = 3
_TEXT_BYTES: Final = 2**20
_LAST_LETTER: Final = 0x10FFFF
# The end record of a zip (PKWARE APPNOTE 4.3.16) without comment, and the mark of the larger kind of zip before it.
_END: Final = struct.Struct("<4s4H2IH")
_LARGER: Final = b"PK\x06\x07"
_DIRECTORY_BYTES: Final = 4096

_Values = Shaped[np.ndarray, "..."]


def save_clip(clip: BlendshapeClip, path: Path | str, *, provenance: Mapping[str, Any] | None = None) -> Path:
    """Write `clip` and where it comes from (clip_provenance.py), atomically.

    Raises OutputInvalidError (30) for a clip that breaks its promises, DiskError (40).
    """
    arrays = stack_clip(clip)
    try:
        marks = json.dumps(dict(provenance or {}), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise OutputInvalidError(f"The provenance of the clip is not JSON: {error}.", id="CLIP_INVALID") from error
    contents: dict[str, _Values] = {
        "format": np.array(FORMAT),
        "provenance": np.array(marks),
        "names": np.array(ARKIT_NAMES),
        "tongue_names": np.array(TONGUE_NAMES),
        "time_s": arrays.time_s,
        "weights": arrays.weights,
        "head": arrays.head,
        "eyes": arrays.eyes,
        "tongue": arrays.tongue,
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in _MEMBERS:
            member = io.BytesIO()
            np.lib.format.write_array(member, _little_endian(contents[name]), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return write_atomically(path, target.getvalue())


def load_clip(path: Path | str) -> BlendshapeClip:
    """Read what `save_clip` wrote, to the bit. Safe on hostile files.

    Raises UnreadableError (10), UnsupportedFormatError (11) for another file or version, LimitError (12).
    """
    file = Path(path)
    members = _read_members(file)
    if _text(file, members, "format").item() != FORMAT:
        raise not_a_clip(file, "it is not of the version we write", f"Expected {FORMAT}; a newer avatar3d may read it.")
    for name, expected in (("names", ARKIT_NAMES), ("tongue_names", TONGUE_NAMES)):
        if _text(file, members, name).tolist() != list(expected):
            raise broken(file, f"its {name} are not ours in our order")
    count = _array(file, members, "time_s").size
    values = {name: _array(file, members, name) for name in _WIDTHS}
    for name, width in _WIDTHS.items():
        if values[name].shape != (count, *width):
            raise broken(file, f"its {name} has the shape {values[name].shape}, expected {(count, *width)}")
    arrays = ClipArrays(**values)
    fault = find_fault(arrays)
    if fault:
        raise broken(file, fault)
    return unstack_clip(arrays)


def load_provenance(path: Path | str) -> dict[str, Any]:
    """What the clip file says about where it comes from; empty when nothing. Raises as `load_clip`."""
    file = Path(path)
    try:
        marks = json.loads(str(_text(file, _read_members(file), "provenance").item()))
    except (ValueError, RecursionError) as error:
        raise broken(file, "its provenance is not JSON") from error
    if not isinstance(marks, dict):
        raise broken(file, "its provenance is not a JSON object")
    return marks


def _little_endian(values: _Values) -> _Values:
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).reshape(values.shape)


def _read_members(file: Path) -> dict[str, bytes]:
    """The .npy files inside, no more and no fewer than ours."""
    content = read_clip_file(file)
    if content[:4] != b"PK\x03\x04":
        raise not_a_clip(file, f"it starts with {content[:4]!r}, not as a .npz", "Give a .npz that avatar3d wrote.")
    _check_end(file, content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if sorted(entries) != sorted(f"{name}.npy" for name in _MEMBERS) or len(archive.infolist()) != len(entries):
                raise not_a_clip(file, "its members are not those of a clip", "Give a .npz that avatar3d wrote.")
            if any(each.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for each in entries.values()):
                raise broken(file, "a member is compressed in a way we do not read")
            budget = MAX_BYTES
            members: dict[str, bytes] = {}
            for name in _MEMBERS:
                limit = min(budget, _TEXT_BYTES) if name in _TEXTS else budget
                with archive.open(entries[f"{name}.npy"]) as stream:
                    members[name] = stream.read(limit + 1)
                if len(members[name]) > limit:
                    raise too_large(file, f"its {name} unfolds to more than {limit:,} bytes")
                budget -= len(members[name])
            return members
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise broken(file, f"its archive is damaged ({str(error)[:80]})") from error


def _check_end(file: Path, content: bytes) -> None:
    """Refuse a directory of members too large to be ours before zipfile reads it into memory."""
    if len(content) < _END.size:
        raise broken(file, "its archive is cut")
    mark, _, _, _, count, size, _, _ = _END.unpack(content[-_END.size :])
    if mark != b"PK\x05\x06" or content[-_END.size - 20 :].startswith(_LARGER):
        raise broken(file, "its archive is cut or of another kind")
    if count != len(_MEMBERS) or size > _DIRECTORY_BYTES:
        raise not_a_clip(file, f"it has {count} members", "Give a .npz that avatar3d wrote.")


def _text(file: Path, members: dict[str, bytes], name: str) -> _Values:
    """One array of text, whose letters exist: numpy looks at them late, and then calls it a fault of its own."""
    values = _array(file, members, name)
    letters = np.frombuffer(values.tobytes(), np.uint32)
    if letters.max(initial=0) > _LAST_LETTER:
        raise broken(file, f"its {name} is no text")
    return values


def _array(file: Path, members: dict[str, bytes], name: str) -> _Values:
    """One array, whose header must match its bytes exactly."""
    stream = io.BytesIO(members[name])
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise broken(file, f"its {name} has an unknown header")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError) as error:
        raise broken(file, f"its {name} has a damaged header") from error
    kind = "U" if name in _TEXTS else "<f8" if name == "time_s" else "<f4"
    if fortran or not (dtype.kind == "U" if kind == "U" else dtype == np.dtype(kind)):
        raise broken(file, f"its {name} holds {str(dtype)[:20]}, expected {kind}")
    body = members[name][stream.tell() :]
    count = 1
    for length in shape:
        count *= length
    odd = len(shape) > _MOST_AXES or any(length < 0 for length in shape) or dtype.itemsize == 0
    if odd or count * dtype.itemsize != len(body):
        raise broken(file, f"its {name} has {len(body):,} bytes, which is not what its header says")
    return np.frombuffer(body, dtype).reshape(shape).astype(dtype.newbyteorder("="))
