"""Fewer triangles by collapsing edges onto one of their ends, so that forms, joints' weights and UVs are kept as they are.

left half --quadrics of several forms (Garland & Heckbert 1997), half-edge collapses--> coarser --mirrored--> whole

What decides the next collapse: how far the surface moves in all the given forms at once, how unlike the two ends hang on
joints, and how long the new edges become. Seams of the atlas collapse only along themselves, the midline too; vertices
that `fixed` names stay.
"""

import heapq
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float64, Int32

_WEIGHT_COST: float = 4e-4
"""A joint weight that differs wholly over an edge counts like a surface this far off, metres."""
_LENGTH_COST: float = 0.02
"""Of an edge's length: keeps triangles even where the surface is flat."""


@dataclass
class _Half:
    """One side, as it is collapsed."""

    forms: Float64[np.ndarray, "C v 3"]
    weights: Float64[np.ndarray, "v J"]
    triangles: dict[int, tuple[list[int], list[int]]]
    """Corners and their UVs."""
    around: dict[int, set[int]]
    """Triangles at each vertex."""
    quadrics: Float64[np.ndarray, "C v 4 4"]
    stuck: set[int] = field(default_factory=set)
    midline: set[int] = field(default_factory=set)


def reduce_half(
    triangles: Int32[np.ndarray, "f 3"],
    triangle_uvs: Int32[np.ndarray, "f 3"],
    forms: Float64[np.ndarray, "C v 3"],
    weights: Float64[np.ndarray, "v J"],
    *,
    fixed: Bool[np.ndarray, "v"],
    midline: Bool[np.ndarray, "v"],
    zone: Int32[np.ndarray, "v"],
    wanted: tuple[int, ...],
) -> tuple[Int32[np.ndarray, "g 3"], Int32[np.ndarray, "g 3"]]:
    """The half with at most `wanted[z]` triangles in each zone z (a triangle is of its first corner's zone)."""
    half = _start(triangles, triangle_uvs, forms, weights, fixed, midline)
    count = np.bincount(zone[triangles[:, 0]], minlength=len(wanted))
    version: defaultdict[int, int] = defaultdict(int)
    queue: list[tuple[float, int, int, int, int]] = []

    def offer(vertex: int) -> None:
        for other in _neighbours(half, vertex):
            for u, v in ((vertex, other), (other, vertex)):
                if u not in half.stuck and (u not in half.midline or v in half.midline):
                    heapq.heappush(queue, (_cost(half, u, v), u, v, version[u], version[v]))

    for vertex in list(half.around):
        offer(vertex)
    while queue and (count > wanted).any():
        _, u, v, at_u, at_v = heapq.heappop(queue)
        if (at_u, at_v) != (version[u], version[v]) or u not in half.around or v not in half.around:
            continue
        if count[zone[u]] <= wanted[zone[u]] or not _collapse(half, u, v, count, zone):
            continue
        for vertex in {v, *_neighbours(half, v)}:
            version[vertex] += 1
        for vertex in sorted({v, *_neighbours(half, v)}):
            offer(vertex)
    kept = sorted(half.triangles)
    return (
        np.array([half.triangles[t][0] for t in kept], np.int32),
        np.array([half.triangles[t][1] for t in kept], np.int32),
    )


def _start(
    triangles: np.ndarray,
    uvs: np.ndarray,
    forms: np.ndarray,
    weights: np.ndarray,
    fixed: np.ndarray,
    midline: np.ndarray,
) -> _Half:
    quadrics = np.zeros((len(forms), forms.shape[1], 4, 4))
    for form, found in zip(forms, quadrics, strict=True):
        a, b, c = (form[triangles[:, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        area = np.linalg.norm(normal, axis=1, keepdims=True)
        normal /= np.maximum(area, 1e-12)
        plane = np.concatenate([normal, -(normal * a).sum(1, keepdims=True)], axis=1)
        own = plane[:, :, None] * plane[:, None, :]
        for corner in range(3):
            np.add.at(found, triangles[:, corner], own)
    around: dict[int, set[int]] = defaultdict(set)
    table: dict[int, tuple[list[int], list[int]]] = {}
    for t, (corners, names) in enumerate(zip(triangles.tolist(), uvs.tolist(), strict=True)):
        table[t] = (corners, names)
        for corner in corners:
            around[corner].add(t)
    half = _Half(forms, weights, table, dict(around), quadrics)
    half.midline = set(np.flatnonzero(midline).tolist())
    border: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for t, (corners, _) in table.items():
        for k in range(3):
            border[min(corners[k], corners[k - 1]), max(corners[k], corners[k - 1])].append(t)
    loose = {v for edge, owners in border.items() if len(owners) == 1 for v in edge}
    half.stuck = {v for v in half.around if fixed[v] or _seam_ends(half, v) or (v in loose and v not in half.midline)}
    return half


def _uvs_of(half: _Half, vertex: int) -> set[int]:
    return {half.triangles[t][1][half.triangles[t][0].index(vertex)] for t in half.around[vertex]}


def _seam_ends(half: _Half, vertex: int) -> bool:
    """Whether a seam ends or forks here; one that runs through has two UVs here."""
    seams = sum(_is_seam(half, vertex, other) for other in _neighbours(half, vertex))
    return seams not in (0, 2) or (seams == 2 and len(_uvs_of(half, vertex)) != 2)


def _is_seam(half: _Half, u: int, v: int) -> bool:
    shared = half.around[u] & half.around[v]
    return len({(_uv(half, t, u), _uv(half, t, v)) for t in shared}) > 1


def _uv(half: _Half, triangle: int, vertex: int) -> int:
    corners, uvs = half.triangles[triangle]
    return uvs[corners.index(vertex)]


def _neighbours(half: _Half, vertex: int) -> set[int]:
    return {corner for t in half.around[vertex] for corner in half.triangles[t][0]} - {vertex}


def _cost(half: _Half, u: int, v: int) -> float:
    total = 0.0
    for form, quadrics in zip(half.forms, half.quadrics, strict=True):
        place = np.append(form[v], 1.0)
        total += max(float(place @ quadrics[u] @ place), 0.0)
    length = float(np.linalg.norm(half.forms[0, u] - half.forms[0, v]))
    unlike = 0.5 * float(np.abs(half.weights[u] - half.weights[v]).sum())
    return total + (_WEIGHT_COST * unlike) ** 2 * 50 + (_LENGTH_COST * length) ** 2


def _collapse(half: _Half, u: int, v: int, count: np.ndarray, zone: np.ndarray) -> bool:
    """Move u onto v when nothing folds or tears; tells whether it was done."""
    gone = half.around[u] & half.around[v]
    seam = len(_uvs_of(half, u)) > 1
    on_border = u in half.midline
    if len(gone) != (1 if on_border else 2) or (seam and not _is_seam(half, u, v)):
        return False
    if len(_neighbours(half, u) & _neighbours(half, v)) != len(gone):
        return False
    names: dict[int, int] = {}
    for t in gone:
        if names.setdefault(_uv(half, t, u), _uv(half, t, v)) != _uv(half, t, v):
            return False
    staying = half.around[u] - gone
    if any(_uv(half, t, u) not in names for t in staying) or not all(_stays_fair(half, t, u, v) for t in staying):
        return False
    for t in gone:
        count[zone[half.triangles[t][0][0]]] -= 1
        for corner in half.triangles.pop(t)[0]:
            half.around[corner].discard(t)
    for t in staying:
        corners, uvs = half.triangles[t]
        count[zone[corners[0]]] -= 1
        at = corners.index(u)
        uvs[at] = names[uvs[at]]
        corners[at] = v
        count[zone[corners[0]]] += 1
        half.around[v].add(t)
    del half.around[u]
    half.quadrics[:, v] += half.quadrics[:, u]
    return True


def _stays_fair(half: _Half, triangle: int, u: int, v: int) -> bool:
    """Neither turned over nor a needle, in any form."""
    corners = half.triangles[triangle][0]
    moved = [v if corner == u else corner for corner in corners]
    for form in half.forms:
        before, after = (_normal(form[np.array(three)]) for three in (corners, moved))
        size = np.linalg.norm(before) * np.linalg.norm(after)
        if size == 0 or before @ after < 0.5 * size:
            return False
        edges = [form[a] - form[b] for a, b in pairwise([*moved, moved[0]])]
        if np.linalg.norm(after) < 0.25 * max(edge @ edge for edge in edges):
            return False
    return True


def _normal(corners: np.ndarray) -> np.ndarray:
    a, b, c = corners
    return np.array(
        [
            (b[1] - a[1]) * (c[2] - a[2]) - (b[2] - a[2]) * (c[1] - a[1]),
            (b[2] - a[2]) * (c[0] - a[0]) - (b[0] - a[0]) * (c[2] - a[2]),
            (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]),
        ]
    )
