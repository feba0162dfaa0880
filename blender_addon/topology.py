# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quads, loops and seams again: a GLB's triangles as the polygons they were modelled as. No bpy.

The head's own parts are found in a table by the hash of their index buffer (tools/build_topology.py). Of other meshes (hair, wet
lines, glasses) two triangles become a quad where that is nearly a flat rectangle; nothing is welded.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

_TABLE = Path(__file__).parent / "data" / "topology.npz"
_FLAT, _SQUARE = 0.5, 0.9
"""Cosines: opposite corners of a quad bend by less than 60 degrees, and none is sharper than 26."""


@dataclass(frozen=True)
class Topology:
    """How a part is put together."""

    source: np.ndarray
    """[V] welded vertex of each of the GLB's vertices."""
    first: np.ndarray
    """[W] the lowest of the GLB's vertices that became the welded one."""
    corners: np.ndarray
    """[C] the GLB's vertex of each polygon corner."""
    starts: np.ndarray
    """[P] first corner of each polygon."""
    mirror: np.ndarray
    """[W] welded vertex on the other side of the face; -1 where nobody knows one."""
    known: bool
    """Whether it came from the table."""

    @property
    def quad_share(self) -> float:
        sizes = np.diff(np.append(self.starts, len(self.corners)))
        return float((sizes == 4).mean()) if len(sizes) else 0.0


def topology_of(triangles: np.ndarray, positions: np.ndarray) -> Topology:
    """Of triangles [F 3] and positions [V 3], metres."""
    key = hashlib.sha256(np.ascontiguousarray(triangles, "<u4").tobytes()).hexdigest()
    table = _table()
    source = table.get(f"{key}.source")
    # Vertices that the table says are one must lie at one place; a file of somebody else's may differ.
    if source is not None and len(source) == len(positions):
        first = _first(source)
        if np.array_equal(positions, positions[first][source]):
            polygons = table[f"{key}.polygons"]
            return _flat(polygons, source, first, table[f"{key}.mirror"], known=True)
    each = np.arange(len(positions), dtype=np.int32)
    return _flat(_pair(triangles, positions), each, each, np.full(len(positions), -1, np.int32), known=False)


def split(how: Topology, which: np.ndarray) -> Topology:
    """Some quads [P bool] as the two triangles of the file: folded ones, that Blender would split along the other diagonal."""
    corners: list[int] = []
    starts: list[int] = []
    ends = np.append(how.starts[1:], len(how.corners))
    for begin, end, folded in zip(how.starts.tolist(), ends.tolist(), which.tolist(), strict=True):
        own = how.corners[begin:end].tolist()
        for polygon in (own[:3], [own[0], own[2], own[3]]) if folded else (own,):
            starts.append(len(corners))
            corners += polygon
    return replace(how, corners=np.array(corners, np.int32), starts=np.array(starts, np.int32))


@cache
def _table() -> dict[str, np.ndarray]:
    with np.load(_TABLE, allow_pickle=False) as stored:
        return dict(stored)


def _first(source: np.ndarray) -> np.ndarray:
    return np.unique(source, return_index=True)[1].astype(np.int32)


def _flat(polygons: np.ndarray, source: np.ndarray, first: np.ndarray, mirror: np.ndarray, *, known: bool) -> Topology:
    sizes = 3 + (polygons[:, 3] >= 0)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if len(sizes) else np.zeros(0)
    return Topology(source, first, polygons[polygons >= 0], starts.astype(np.int32), mirror, known)


def _pair(triangles: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Quads [P 4] that were split as a b c, a c d, as our writer splits them; of the rest the squarest; else triangles."""
    rows = triangles.tolist()
    begins = {(a, b): row for row, (a, b, _) in enumerate(rows)}
    free = np.ones(len(rows), bool)
    found: list[list[int]] = []
    for row, (a, b, c) in enumerate(rows):
        other = begins.get((a, c))
        if other is not None and other != row and free[row] and free[other]:
            free[row] = free[other] = False
            found.append([a, b, c, rows[other][2]])
    found += _squarest(triangles[free], positions)
    return np.array(found, np.int32).reshape(-1, 4)


def _squarest(triangles: np.ndarray, positions: np.ndarray) -> list[list[int]]:
    """Neighbours that make good quads, the squarest first; what is left stays a triangle."""
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    same = (edges[order[1:]] == edges[order[:-1]]).all(axis=1)
    # An edge of exactly two triangles: equal to the next in the list, but to neither side of the two.
    lone = same & ~np.append(same[1:], False) & ~np.append(False, same[:-1])
    one, other = order[:-1][lone], order[1:][lone]
    quads = np.stack([
        triangles[one // 3, (one % 3 + 2) % 3], triangles[one // 3, one % 3],
        triangles[other // 3, (other % 3 + 2) % 3], triangles[one // 3, (one % 3 + 1) % 3],
    ], axis=1)  # fmt: skip
    places = positions[quads].astype(np.float64)
    ahead = np.roll(places, -1, axis=1) - places
    length = np.maximum(np.linalg.norm(ahead, axis=2), 1e-12)
    cosine = -np.sum(ahead * np.roll(ahead, 1, axis=1), axis=2) / (length * np.roll(length, 1, axis=1))
    normals = np.cross(ahead, np.roll(ahead, 1, axis=1))
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-20)
    flat = np.sum(normals[:, 0] * normals[:, 2], axis=1)
    score = np.abs(cosine).max(axis=1)
    free = np.ones(len(triangles), bool)
    found: list[list[int]] = []
    for row in np.argsort(score, kind="stable").tolist():
        if score[row] > _SQUARE or flat[row] < _FLAT:
            continue
        a, b = one[row] // 3, other[row] // 3
        if free[a] and free[b]:
            free[a] = free[b] = False
            # Begun where the diagonal is, so that it is split there again.
            found.append(np.roll(quads[row], -1).tolist())
    return found + [[*triangle, -1] for triangle in triangles[free].tolist()]
