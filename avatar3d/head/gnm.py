"""GNM Head v3 as Google publishes it (gnm_head.npz): 253 identity and 383 expression modes.

Opened as the archive it is: no pickles, only the members that are needed, each no larger than the archive's own promise allows.
"""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Final

import numpy as np

from avatar3d.core.errors import LimitError, ModelUntrustedError, UnreadableError
from avatar3d.core.files import open_given, short_name
from avatar3d.head.source import SourceHead, check_array, check_triangles, in_our_axes, largest_piece, strongest_modes
from avatar3d.head.terms import TERMS

_NEEDED: Final = (
    "version",
    "variant",
    "template_vertex_positions",
    "vertex_identity_basis",
    "expression_basis",
    "skinning_weights",
    "triangles",
    "template_joint_positions",
    "joint_names",
    "expression_names",
)
MAX_MEMBER_BYTES: Final = 512 * 2**20
"""The largest of GNM's own, 383 modes of 17,821 vertices, has 82 MB in float32."""
MAX_BYTES: Final = 1024 * 2**20
_MOST_RATIO: Final = 200
"""Modes compress some ten times; what compresses more is a bomb."""


def read_gnm(path: Path) -> SourceHead:
    """Raises UnreadableError (10), LimitError (12), ModelUntrustedError (21)."""
    raw = _members(path)
    version, variant = str(raw["version"]), str(raw["variant"])
    if not version.startswith("3") or variant.lower() != "head":
        raise ModelUntrustedError(
            f"expected GNM Head of version 3, found {variant[:20]!r} of version {version[:20]!r}.",
            hint="Give gnm_head.npz of v3.",
            file=path,
        )
    rest = check_array(raw["template_vertex_positions"], "template_vertex_positions", (None, 3))
    count = len(rest)
    identity = check_array(raw["vertex_identity_basis"], "vertex_identity_basis", (None, count, 3))
    expression = check_array(raw["expression_basis"], "expression_basis", (None, count, 3))
    joints = check_array(raw["template_joint_positions"], "template_joint_positions", (None, 3)).astype(np.float64)
    weights = check_array(raw["skinning_weights"], "skinning_weights", (len(joints), count))
    triangles = check_triangles(raw["triangles"], "triangles", count)
    left, right = (_eye(raw["joint_names"], side, len(joints), path) for side in ("left", "right"))
    names = tuple(str(name)[:40] for name in raw["expression_names"].ravel())
    if len(names) != len(expression):
        raise ModelUntrustedError(f"expected {len(expression)} expression_names, found {len(names)}.", file=path)
    scale, axes = in_our_axes(joints[left], joints[right])
    skin = largest_piece(triangles, count)
    turned = (scale * axes.T).astype(np.float32)
    return SourceHead(
        kind="gnm",
        licence=TERMS["gnm"].line,
        vertices=rest.astype(np.float32) @ turned,
        triangles=skin,
        identity=strongest_modes(identity.astype(np.float32) @ turned, np.unique(skin)),
        expression=expression.astype(np.float32) @ turned,
        expression_names=names,
        left_eye=np.flatnonzero(weights[left] > 0.5).astype(np.int32),
        right_eye=np.flatnonzero(weights[right] > 0.5).astype(np.int32),
        left_eye_m=(joints[left] @ turned).astype(np.float32),
        right_eye_m=(joints[right] @ turned).astype(np.float32),
        counts={
            "vertices": count,
            "triangles": len(triangles),
            "identity": len(identity),
            "expression": len(expression),
        },
    )


def _eye(names: np.ndarray, side: str, count: int, path: Path) -> int:
    found = [at for at, name in enumerate(names.ravel()) if side in str(name).lower() and "eye" in str(name).lower()]
    if len(found) != 1 or found[0] >= count:
        raise ModelUntrustedError(
            f"expected one joint of the {side} eye, found {len(found)}.", hint="Is this GNM Head?", file=path
        )
    return found[0]


def _members(path: Path) -> dict[str, np.ndarray]:
    with open_given(path, "model") as stream:
        if stream.seek(0, 2) > MAX_BYTES:
            raise LimitError(
                f'"{short_name(path)}" is larger than {MAX_BYTES:,} bytes.', hint="Is this GNM Head?", file=path
            )
        try:
            with zipfile.ZipFile(stream) as archive:
                sizes = {entry.filename: entry for entry in archive.infolist()}
                missing = [name for name in _NEEDED if f"{name}.npy" not in sizes]
                if missing:
                    raise ModelUntrustedError(
                        f"expected GNM Head, found an archive without {', '.join(missing[:4])}.",
                        hint="Give gnm_head.npz of v3.",
                        file=path,
                    )
                return {name: _member(archive, sizes[f"{name}.npy"], path) for name in _NEEDED}
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise UnreadableError(
                f'Cannot read "{short_name(path)}": {error}.', hint="Copy or download it again.", file=path
            ) from error


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> np.ndarray:
    if entry.file_size > min(MAX_MEMBER_BYTES, _MOST_RATIO * max(entry.compress_size, 1024)):
        raise LimitError(
            f"{entry.filename[:40]} says it unpacks to {entry.file_size:,} bytes.",
            hint="Is this GNM Head?",
            id="MODEL_TOO_LARGE",
            file=path,
        )
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size)
    try:
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, MemoryError) as error:
        raise ModelUntrustedError(
            f"{entry.filename[:40]} is no plain array ({str(error)[:60]}).",
            hint="Copy or download it again.",
            file=path,
        ) from error
