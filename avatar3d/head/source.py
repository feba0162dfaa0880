"""A head model of somebody else's as its file has it, brought into our axes: before it takes our mesh.

FLAME, GNM, Anny --> SourceHead --(adopting.py lays our mesh on its skin)--> HeadModel
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Int32
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from avatar3d.core.errors import ModelUntrustedError

_UNITS: Final = {"metres": 1.0, "decimetres": 0.1, "centimetres": 0.01, "millimetres": 0.001}
_EYES_APART_M: Final = (0.045, 0.080)
"""Between the centres of the balls, of anybody's mean head."""
MODES: Final = 100
"""Identity modes that are taken over: those that move the skin most."""


@dataclass(frozen=True, eq=False)
class SourceHead:
    """A linear head with its own vertices; metres, +Y up, face to +Z, +X the person's left; anywhere in space."""

    kind: str
    """flame, gnm, anny."""
    licence: str
    """One line, which goes into every asset."""
    vertices: Float32[np.ndarray, "N 3"]
    """The mean head, neutral."""
    triangles: Int32[np.ndarray, "F 3"]
    """Of the skin alone: no eyeballs, teeth or tongue."""
    identity: Float32[np.ndarray, "K N 3"]
    """Modes whose coefficients are N(0, 1) over people."""
    expression: Float32[np.ndarray, "E N 3"]
    """The model's own expressions, with none of ARKit's names."""
    expression_names: tuple[str, ...]
    left_eye: Int32[np.ndarray, "L"]
    """Vertices of the ball; empty for a head without."""
    right_eye: Int32[np.ndarray, "R"]
    left_eye_m: Float32[np.ndarray, "3"]
    """Centre of the ball."""
    right_eye_m: Float32[np.ndarray, "3"]
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    """What the file had: vertices, triangles, identity, expression."""


def in_our_axes(left_eye: np.ndarray, right_eye: np.ndarray) -> tuple[float, np.ndarray]:
    """Metres per unit, and the rotation (for rows, from the left of the transpose) that brings +Y up and the face to +Z.

    The person's left eye tells which way the head looks; it stands upright already in every model we know. Raises
    ModelUntrustedError (21) when no unit makes the eyes as far apart as people's are.
    """
    apart = float(np.linalg.norm(left_eye - right_eye))
    low, high = _EYES_APART_M
    scale = next((unit for unit in _UNITS.values() if low <= apart * unit <= high), None)
    if scale is None or not np.isfinite(apart):
        raise ModelUntrustedError(
            f"expected eyes {1000 * low:.0f} to {1000 * high:.0f} mm apart in metres, cm or mm, found {apart:.4g}.",
            hint="Give the model's own file, as it was published.",
        )
    left = (left_eye - right_eye) / apart
    if abs(left[0]) < 0.9:
        raise ModelUntrustedError(
            f"expected a head that stands upright and looks along Z, its eyes lie along {left.round(2).tolist()}.",
            hint="Give the model's own file, as it was published.",
        )
    return scale, np.diag([np.sign(left[0]), 1.0, np.sign(left[0])])


def largest_piece(triangles: Int32[np.ndarray, "F 3"], count: int) -> Int32[np.ndarray, "G 3"]:
    """The triangles of the connected piece that has most of them: the skin."""
    ends = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    graph = coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    piece = connected_components(graph, directed=False)[1][triangles[:, 0]]
    return triangles[piece == np.bincount(piece).argmax()]


def strongest_modes(modes: Float32[np.ndarray, "K N 3"], skin: Int32[np.ndarray, "S"], most: int = MODES) -> np.ndarray:
    """The modes that move these vertices most, strongest first; those that do not move them are left out."""
    size = np.einsum("ksc,ksc->k", modes[:, skin].astype(np.float64), modes[:, skin].astype(np.float64))
    order = np.argsort(-size, kind="stable")[:most]
    return modes[order[size[order] > 0]]


def check_array(array: Any, name: str, shape: tuple[int | None, ...], kinds: str = "f") -> np.ndarray:
    """The array when it has this many axes, these lengths (None: any) and kind, and is finite; else ModelUntrustedError (21)."""
    fits = isinstance(array, np.ndarray) and array.dtype.kind in kinds and array.ndim == len(shape)
    fits = fits and all(want is None or want == have for want, have in zip(shape, array.shape, strict=True))
    if not fits:
        found = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise ModelUntrustedError(
            f"expected {name} of shape [{wanted}], found {found}.", hint="Is this the model's file?"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ModelUntrustedError(f"{name} holds NaN or infinity.", hint="Copy or download the file again.")
    return array


def check_triangles(array: Any, name: str, count: int) -> Int32[np.ndarray, "F 3"]:
    """Triangles whose corners exist; else ModelUntrustedError (21)."""
    found = check_array(array, name, (None, 3), "iu")
    if not len(found) or int(found.min()) < 0 or int(found.max()) >= count:
        raise ModelUntrustedError(f"{name} names vertices that do not exist.", hint="Copy or download the file again.")
    return found.astype(np.int32)
