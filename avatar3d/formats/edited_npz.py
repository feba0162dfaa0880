"""Edited meshes as .npz files: what a modelling program hands over, and what it gets back. Nothing is unpickled.

EDITED   positions corners polygon_starts uvs part, and when there are any: source; locked_names with locked, or with locked_own and either
         locked_rows or held_positions held_triangles held_parted; bone_names bones bone_weights, and bone_rows
RESULT   names shapes joint_names joints weights normals filled distance_m report, and what else must follow
"""

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np

from avatar3d.core.durable import write_atomically
from avatar3d.core.edited import EditedMesh, HeldMesh
from avatar3d.core.errors import LimitError, UnreadableError
from avatar3d.core.files import open_given

MAX_BYTES: Final = 512 * 2**20
"""Of the file, and of what it unfolds to."""
MAX_VERTICES, MAX_CORNERS, MAX_LOCKED = 400_000, 2_400_000, 128
"""A hundred times a head of ours."""
_FARTHEST_M: Final = 10.0
_NAMES_BYTES: Final = 2**20
_MEMBERS: Final = {
    "positions": "f4", "corners": "i4", "polygon_starts": "i4", "uvs": "f4", "part": "U", "locked_names": "U",
    "locked": "f4", "source": "i4", "shape_names": "U", "shapes": "f4", "locked_rows": "i4", "locked_own": "f4",
    "held_positions": "f4", "held_triangles": "i4", "held_parted": "f4", "bone_names": "U", "bone_rows": "i4",
    "bones": "i4", "bone_weights": "f4",
}  # fmt: skip
_NEEDED: Final = ("positions", "corners", "polygon_starts", "uvs")


def read_edited(path: Path) -> EditedMesh:
    """One edited part. Safe on hostile files.

    Raises UnreadableError (10, EDITED_INVALID) for a file that breaks a rule, LimitError (12) for one that is too large.
    """
    arrays = _arrays(path)
    missing = [name for name in _NEEDED if name not in arrays]
    if missing:
        _refuse(path, f"it lacks {', '.join(missing)}")
    points, corners, starts, uvs = (arrays[name] for name in _NEEDED)
    count = len(points) if points.ndim == 2 else 0
    _expect(path, arrays, "positions", (count, 3))
    _expect(path, arrays, "corners", (corners.size,))
    _expect(path, arrays, "polygon_starts", (starts.size,))
    _expect(path, arrays, "uvs", (corners.size, 2))
    if count > MAX_VERTICES or corners.size > MAX_CORNERS:
        raise LimitError(
            f'"{path.name}" has {count:,} vertices and {corners.size:,} corners; the limits are {MAX_VERTICES:,} and '
            f"{MAX_CORNERS:,}.",
            hint="Lower the subdivision or voxel remesh resolution.",
            id="EDITED_TOO_LARGE",
            file=path,
        )
    if count < 3 or not starts.size:
        _refuse(path, "it holds no surface")
    if corners.min(initial=0) < 0 or corners.max(initial=0) >= count:
        _refuse(path, "a corner points at no vertex")
    sides = np.diff(np.append(starts, corners.size).astype(np.int64))
    if starts[0] != 0 or sides.min() < 3:
        _refuse(path, "a polygon has fewer than three corners")
    for name in ("positions", "uvs", "locked", "locked_own", "held_positions", "held_parted"):
        if name in arrays and not (np.abs(arrays[name]) < (_FARTHEST_M if name != "uvs" else 1e6)).all():
            _refuse(path, f"{name} holds numbers that are not finite, or farther than {_FARTHEST_M:g} m")
    names, locked, rows, own, held = _locked(path, arrays, count)
    source = arrays.get("source", np.full(count, -1, np.int32))
    if source.shape != (count,) or source.min(initial=-1) < -1:
        _refuse(path, "source is not one number of at least -1 per vertex")
    part = arrays.get("part", np.array("face"))
    if part.size != 1:
        _refuse(path, "part is not one name")
    surface = (str(part.item()), points, corners, starts, uvs, source)
    return EditedMesh(
        *surface,
        names,
        locked,
        rows,
        own,
        held,
        *_bound(path, arrays, len(held.positions) if held is not None else count),
    )


def _locked(path: Path, arrays: dict[str, np.ndarray], count: int) -> tuple[Any, ...]:
    """locked_names locked locked_rows locked_own held."""
    names = tuple(arrays.get("locked_names", np.zeros(0, "U1")).ravel().tolist())
    rows = arrays.get("locked_rows", np.zeros(0, np.int32)).ravel()
    held = _held(path, arrays)
    ends = len(held.positions) if held is not None else len(rows)
    own = arrays.get("locked_own", np.zeros((0, ends, 3), np.float32))
    locked = arrays.get("locked", np.zeros((0, count, 3), np.float32))
    if len(names) > MAX_LOCKED or len(set(names)) < len(names):
        _refuse(path, f"locked_names holds {len(names)} names, or one twice")
    told = own if len(own) else locked
    if (len(own) and len(locked)) or told.shape != (len(names), ends if len(own) else count, 3):
        _refuse(path, f"locked has the shape {told.shape} for {len(names)} names and {count} vertices")
    if rows.min(initial=0) < 0 or len(np.unique(rows)) < len(rows):
        _refuse(path, "locked_rows names a vertex twice, or one that cannot be")
    return names, locked, rows, own, held


def _held(path: Path, arrays: dict[str, np.ndarray]) -> HeldMesh | None:
    """The mesh that locked_own stands on, where it is not the avatar's."""
    if "held_positions" not in arrays:
        return None
    points = arrays["held_positions"]
    count = len(points) if points.ndim == 2 else 0
    triangles = arrays.get("held_triangles", np.zeros((0, 3), np.int32))
    parted = arrays.get("held_parted", np.zeros((0, count, 3), np.float32))
    if count > MAX_VERTICES or len(triangles) > MAX_CORNERS or len(parted) > MAX_LOCKED:
        raise _too_large(path)
    fits = (
        points.shape == (count, 3)
        and triangles.shape == (len(triangles), 3)
        and parted.shape == (len(parted), count, 3)
    )
    if not fits or not len(triangles) or triangles.min(initial=0) < 0 or triangles.max(initial=0) >= count:
        _refuse(path, "held_positions, held_triangles and held_parted are no mesh with displacements")
    return HeldMesh(points, triangles, parted)


def _bound(path: Path, arrays: dict[str, np.ndarray], count: int) -> tuple[Any, ...]:
    """bone_names bone_rows bones bone_weights; `count` vertices where no rows are told."""
    names = tuple(arrays.get("bone_names", np.zeros(0, "U1")).ravel().tolist())
    rows = arrays.get("bone_rows", np.zeros(0, np.int32)).ravel()
    bones = arrays.get("bones", np.zeros((0, 4), np.int32))
    weights = arrays.get("bone_weights", np.zeros((0, 4), np.float32))
    if not names and not len(bones):
        return (), rows[:0], bones, weights
    if bones.shape != weights.shape or bones.shape != (len(rows) or count, 4):
        _refuse(path, f"bones {bones.shape} and bone_weights {weights.shape} are not four for each vertex")
    if bones.min(initial=0) < 0 or bones.max(initial=0) >= len(names) or len(set(names)) < len(names):
        _refuse(path, "bones names a bone that bone_names has not")
    if rows.min(initial=0) < 0 or len(np.unique(rows)) < len(rows):
        _refuse(path, "bone_rows names a vertex twice, or one that cannot be")
    sums = weights.sum(axis=1, keepdims=True)
    if not (np.isfinite(weights).all() and (weights >= 0).all() and (sums > 1e-6).all()):
        _refuse(path, "bone_weights are not positive numbers that sum to 1")
    return names, rows, bones, (weights / sums).astype(np.float32)


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> Path:
    """Arrays as an uncompressed .npz without pickles, atomically; the same arrays give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, values in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(values), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return write_atomically(path, target.getvalue())


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """The members we know; others are left alone, unread."""
    with open_given(path, "mesh") as stream:
        content = stream.read(MAX_BYTES + 1) or b""
    budget = MAX_BYTES
    if len(content) > budget:
        raise _too_large(path)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            arrays: dict[str, np.ndarray] = {}
            for name, kind in _MEMBERS.items():
                entry = entries.get(f"{name}.npy")
                if entry is None or name in ("shape_names", "shapes"):  # for people to look at
                    continue
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    _refuse(path, "a member is compressed in a way we do not read")
                limit = min(budget, _NAMES_BYTES if kind == "U" else budget)
                with archive.open(entry) as member:
                    body = member.read(limit + 1)
                if len(body) > limit:
                    raise _too_large(path)
                budget -= len(body)
                arrays[name] = _array(path, name, kind, body)
            return arrays
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as cause:
        _refuse(path, f"its archive is damaged ({str(cause)[:80]})")


def _array(path: Path, name: str, kind: str, body: bytes) -> np.ndarray:
    """One array, whose header must match its bytes."""
    stream = io.BytesIO(body)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            _refuse(path, f"its {name} has an unknown header")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        _refuse(path, f"its {name} has a damaged header")
    fits = dtype.kind == "U" if kind == "U" else dtype == np.dtype(f"<{kind}")
    rest = body[stream.tell() :]
    size = 1
    for length in shape:
        size *= length
    if fortran or not fits or any(length < 0 for length in shape) or size * dtype.itemsize != len(rest):
        _refuse(path, f"its {name} is {str(dtype)[:20]} {shape}, expected {kind}")
    if kind == "U" and np.frombuffer(rest, np.uint32).max(initial=0) > 0x10FFFF:
        _refuse(path, f"its {name} is no text")
    return np.frombuffer(rest, dtype).reshape(shape) if size else np.zeros(shape, dtype)


def _expect(path: Path, arrays: dict[str, np.ndarray], name: str, shape: tuple[int, ...]) -> None:
    if arrays[name].shape != shape:
        _refuse(path, f"its {name} has the shape {arrays[name].shape}, expected {shape}")


def _too_large(path: Path) -> LimitError:
    return LimitError(
        f'"{path.name}" is or unfolds to more than {MAX_BYTES:,} bytes.',
        hint="Lower the subdivision or voxel remesh resolution.",
        id="EDITED_TOO_LARGE",
        file=path,
    )


def _refuse(path: Path, what: str) -> NoReturn:
    raise UnreadableError(
        f'"{path.name}" is no edited mesh: {what}.',
        hint="docs/conventions.md tells what stands in one.",
        id="EDITED_INVALID",
        file=path,
    )
