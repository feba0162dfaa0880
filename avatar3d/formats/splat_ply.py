"""Splats as .ply, the layout of INRIA's trainer, which every splat program reads (Kerbl et al., 2023, their code).

    header -> rows of x y z nx ny nz f_dc_0..2 opacity scale_0..2 rot_0..3, little-endian float32

Opacity is a logit, scales are natural logarithms, rotations wxyz. The trainer's frame is that of its cameras: +x to the
right, +y down, +z away from the eye; programs turn what they read half about x, and so do we at this door.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.durable import write_atomically
from avatar3d.core.splats import Gaussians
from avatar3d.formats import splat_file as door

_COLUMNS: Final = (
    "x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity",
    "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3",
)  # fmt: skip
_UNREAD: Final = ("nx", "ny", "nz")
_HINT: Final = "Give a .ply that a splat trainer wrote, not points or a mesh."
_MAX_HEADER_BYTES: Final = 64 * 1024
_TYPES: Final = {
    "char": "i1", "uchar": "u1", "short": "<i2", "ushort": "<u2", "int": "<i4", "uint": "<u4", "float": "<f4",
    "double": "<f8", "int8": "i1", "uint8": "u1", "int16": "<i2", "uint16": "<u2", "int32": "<i4", "uint32": "<u4",
    "float32": "<f4", "float64": "<f8",
}  # fmt: skip


def save_ply(gaussians: Gaussians, path: Path | str) -> Path:
    """Write Gaussians (metres, the avatar's frame, linear RGB), atomically. Raises DiskError (40)."""
    return write_atomically(path, encode_ply(gaussians))


def encode_ply(gaussians: Gaussians) -> bytes:
    """The bytes of a .ply file; the same Gaussians give the same bytes."""
    count = len(gaussians.mean)
    rows = np.zeros((count, len(_COLUMNS)), "<f4")
    rows[:, 0:3] = half_turned(gaussians.mean)
    rows[:, 6:9] = door.coefficients_of(gaussians.colour)
    rows[:, 9] = door.logit_of(gaussians.opacity)
    rows[:, 10:13] = door.log_of(gaussians.scale)
    rows[:, 13:17] = rotations_half_turned(gaussians.rotation_wxyz)
    header = ["ply", "format binary_little_endian 1.0", "comment avatar3d, +y down", f"element vertex {count}"]
    header += [*(f"property float {name}" for name in _COLUMNS), "end_header\n"]
    return "\n".join(header).encode() + rows.tobytes()


def load_ply(path: Path | str, *, y_down: bool = True) -> Gaussians:
    """Read splats as trainers write them; safe on hostile files. Metres, the avatar's frame, linear RGB.

    Without `y_down` the file's frame is taken as it is: of data that `export-nerfstudio` wrote, it is the avatar's already.

    Raises UnreadableError (10, SPLATS_INVALID), UnsupportedFormatError (11, SPLATS_FORMAT) for a .ply without splats,
    LimitError (12, SPLATS_TOO_LARGE).
    """
    file = Path(path)
    content = door.read_splat_file(file)
    rows = read_rows(file, content, [name for name in _COLUMNS if name not in _UNREAD])

    def columns(*names: str) -> Float32[np.ndarray, "S C"]:
        with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, and is refused as such
            return np.stack([rows[name].astype(np.float32) for name in names], axis=1)

    with np.errstate(invalid="ignore"):  # NaN is found below
        gaussians = Gaussians(
            mean=half_turned(columns("x", "y", "z")),
            rotation_wxyz=rotations_half_turned(columns("rot_0", "rot_1", "rot_2", "rot_3")),
            scale=door.scale_of(columns("scale_0", "scale_1", "scale_2")),
            colour=door.colour_of(columns("f_dc_0", "f_dc_1", "f_dc_2")),
            opacity=door.opacity_of(columns("opacity")[:, 0]),
        )
    if not y_down:
        places, rotations = half_turned(gaussians.mean), rotations_half_turned(gaussians.rotation_wxyz)
        gaussians = replace(gaussians, mean=places, rotation_wxyz=rotations)
    return door.checked(file, gaussians)


def read_rows(file: Path, content: bytes, needed: Sequence[str], *, hint: str = _HINT) -> Any:
    """The vertices of a .ply as a record array that has every column that is needed."""
    end = content.find(b"end_header", 0, _MAX_HEADER_BYTES)
    start = content.find(b"\n", end) + 1 if end >= 0 else 0
    if not content.startswith(b"ply"):
        door.not_splats(file, "it is no .ply file", "Give a .ply that a splat trainer wrote.")
    if not start:
        door.broken(file, "its header does not end")
    lines = [line.split() for line in content[:end].decode("ascii", "replace").splitlines()]
    if ["format", "binary_little_endian", "1.0"] not in lines:
        door.not_splats(file, "it is not binary and little-endian", "Export it as binary .ply.")
    elements = [line for line in lines if line[:1] == ["element"]]
    if not elements or elements[0][1:2] != ["vertex"] or len(elements[0]) != 3 or not elements[0][2].isdecimal():
        door.broken(file, "its first element is not a number of vertices")
    if len(elements[0][2]) > 10:
        door.too_large(file, f"asks for {elements[0][2][:12]}... splats; the limit is {door.MAX_SPLATS:,}")
    count = int(elements[0][2])
    door.check_count(file, count)
    after = lines[lines.index(elements[0]) + 1 :]
    own = after[: after.index(elements[1])] if len(elements) > 1 else after
    fields = [line[1:] for line in own if line[:1] == ["property"]]
    if not all(len(field) == 2 and field[0] in _TYPES for field in fields):
        door.not_splats(file, "its vertices hold lists or unknown types", hint)
    names = [name for _, name in fields]
    missing = [name for name in needed if name not in names]
    if missing or len(set(names)) < len(names):
        told = f"it lacks {', '.join(missing)}" if missing else "it names a property twice"
        door.not_splats(file, told, hint)
    row = np.dtype([(name, _TYPES[kind]) for kind, name in fields])
    least = start + count * row.itemsize
    if len(content) < least or (len(elements) == 1 and len(content) > least):
        door.broken(file, f"it has {len(content):,} bytes, {count:,} splats need {least:,}")
    return np.frombuffer(content, row, count, start)


def half_turned(places: Float32[np.ndarray, "S 3"]) -> Float32[np.ndarray, "S 3"]:
    """Half about x: between +y up, +z to the eye and +y down, +z away from it."""
    return places * np.array([1, -1, -1], np.float32)


def rotations_half_turned(wxyz: Float32[np.ndarray, "S 4"]) -> Float32[np.ndarray, "S 4"]:
    """The quaternion of that turn times each, of the sign whose w is not negative; twice gives back each or its negative."""
    w, x, y, z = wxyz.T
    turned = np.stack([-x, w, -z, y], axis=1)
    return np.where(turned[:, :1] < 0, -turned, turned)
