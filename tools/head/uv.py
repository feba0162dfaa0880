"""UVs of the skin: one chart without overlaps, the face large, the seam down the back of the head.

    cut along the back's midline --> disc --> convex-combination map on the square (Tutte 1963: no flips)
    --> least distortion against wished sizes, still without flips (slim.py)

The atlas: bust along the lower edge, back of the head at the left and right edges, crown at the top; the person's left
(+X) is the image's right. The layout is symmetric.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int32
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.linalg import splu

from tools.head.skin import smoothstep
from tools.head.slim import flatten, wish_for
from tools.head.surface import border_loops, edges_of, triangulate

PADDING: Final = 10 / 2048
"""Free edge of the atlas."""
_ROUNDS: Final = 40
_ELSEWHERE: Final = 0.065
_BEHIND: Final = 0.022
_EARS: Final = 0.35
"""Wished UV area per surface area, relative to the face."""
_PRESSURE: Final = 1.4
"""All wishes are enlarged by this: those that care most about their shape, the largest, then get their way."""
_FLAT: Final = 1e-9
_HOLE_WEIGHT: Final = 0.05
"""Eyes and mouth are filled so that nothing can overlap there, but need not keep their shape."""
_SEAM_SHARE: Final = 0.62
"""Share of the seam that lies on the left and right edges; the rest is on the top edge."""


@dataclass(frozen=True, eq=False)
class Unwrap:
    """UV points and which of them each polygon corner uses."""

    uvs: Float64[np.ndarray, "t 2"]
    polygon_uvs: Int32[np.ndarray, "p 4"]
    vertex_of_uv: Int32[np.ndarray, "t"]


def face_region(vertices: Float64[np.ndarray, "v 3"]) -> Bool[np.ndarray, "v"]:
    """The face as the atlas counts it: forehead to chin, from before one ear to before the other; on the mean head."""
    _, y, z = vertices.T
    hairline_m, chin_m, ear_m = 0.095, -0.082, 0.010
    jaw_line = -0.042 - 0.65 * z  # falls from the ear lobe to the chin
    return (y < hairline_m) & (y > np.maximum(chin_m, jaw_line)) & (z > ear_m)


def importance(vertices: Float64[np.ndarray, "v 3"]) -> Float64[np.ndarray, "v"]:
    """Wished UV area per surface area, 1 in the face."""
    x, y, z = vertices.T
    front = smoothstep((z + 0.005) / 0.035)
    below = smoothstep((y + 0.100 + 0.45 * np.clip(z, 0, 0.1)) / 0.04)
    above = smoothstep((0.105 - y) / 0.045)
    face = front * below * above
    ear = smoothstep((np.abs(x) - 0.062) / 0.01) * smoothstep((y + 0.03) / 0.01) * (z > -0.025)
    details = np.zeros(len(vertices))
    for centre, radius in (((0.031, 0.035, 0.095), 0.024), ((-0.031, 0.035, 0.095), 0.024), ((0, -0.035, 0.11), 0.032)):
        details = np.maximum(details, smoothstep(1.6 - np.linalg.norm(vertices - centre, axis=1) / radius))
    behind = smoothstep((-0.020 - z) / 0.04)  # under hair, or never photographed
    elsewhere = _ELSEWHERE + (_BEHIND - _ELSEWHERE) * behind
    return np.maximum(np.maximum(elsewhere, _EARS * ear), face * (1 + 0.5 * details))


def unwrap(
    vertices: Float64[np.ndarray, "v 3"], polygons: Int32[np.ndarray, "p 4"], mirror: Int32[np.ndarray, "v"]
) -> Unwrap:
    """Unwrap the symmetric skin; raises ValueError when a triangle is flipped."""
    seam = _seam(vertices, polygons, mirror)
    corner, vertex_of_uv, twin = _split(vertices, polygons, mirror, seam)
    points = vertices[vertex_of_uv]
    pinned, places = _square(points, corner, seam, twin)
    filled, points = _fill_holes(points, corner, pinned)
    uvs = _spread(points, filled, np.arange(len(filled)) >= len(corner), pinned, places)[: len(vertex_of_uv)]
    flipped = np.stack([1 - uvs[twin, 0], uvs[twin, 1]], 1)
    uvs = PADDING + (1 - 2 * PADDING) * 0.5 * (uvs + flipped)
    if (signed_areas(uvs, triangulate(corner)[0]) <= 0).any():
        raise ValueError("the unwrap has flipped triangles")
    uvs[:, 1] = 1 - uvs[:, 1]
    return Unwrap(uvs, corner, vertex_of_uv)


def signed_areas(uvs: Float64[np.ndarray, "t 2"], triangles: Int32[np.ndarray, "f 3"]) -> Float64[np.ndarray, "f"]:
    """Positive when counter-clockwise with v upwards."""
    a, b, c = (uvs[triangles[:, corner]] for corner in range(3))
    (e, f), (g, h) = (b - a).T, (c - a).T
    return 0.5 * (e * h - f * g)


def _seam(vertices: np.ndarray, polygons: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Midline vertices from the bust's border up the back to the crown."""
    middle = set(np.flatnonzero(mirror == np.arange(len(mirror))).tolist())
    neighbours: dict[int, set[int]] = {}
    for a, b in edges_of(polygons).tolist():
        if a in middle and b in middle:
            neighbours.setdefault(a, set()).add(b)
            neighbours.setdefault(b, set()).add(a)
    bust = min(border_loops(polygons), key=lambda loop: vertices[loop, 1].mean())
    start = min((int(v) for v in bust if int(v) in middle), key=lambda v: vertices[v, 2])
    crown = max(middle, key=lambda v: vertices[v, 1])
    path, seen = [start], {start}
    while path[-1] != crown:
        onward = [v for v in neighbours[path[-1]] if v not in seen]
        path.append(max(onward, key=lambda v: vertices[v, 1]))
        seen.add(path[-1])
    return np.array(path, np.int32)


def _split(
    vertices: np.ndarray, polygons: np.ndarray, mirror: np.ndarray, seam: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Double the seam (but its upper end): polygons at x > 0 take the copies. Also the mirror of each UV point."""
    count = len(vertices)
    doubled = seam[:-1]
    copy = np.arange(count)
    copy[doubled] = count + np.arange(len(doubled))
    centre = vertices[polygons].mean(1)
    on_left = np.where(polygons[:, 3] < 0, vertices[polygons[:, :3]].mean(1)[:, 0], centre[:, 0]) > 0
    corner = np.where(on_left[:, None], copy[polygons], polygons)
    corner[polygons < 0] = -1
    twin = np.r_[mirror, doubled]
    twin[doubled] = copy[doubled]
    return corner.astype(np.int32), np.r_[np.arange(count), doubled].astype(np.int32), twin.astype(np.int32)


def _square(
    points: np.ndarray, corner: np.ndarray, seam: np.ndarray, twin: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The outer border's vertices and their places on the unit square (v upwards)."""
    outer = next(loop for loop in border_loops(corner) if int(seam[0]) in loop)
    steps = np.linalg.norm(np.diff(points[seam], axis=0), axis=1)
    along = np.r_[0, np.cumsum(steps)] / steps.sum()
    on_side = along <= _SEAM_SHARE
    right = np.where(
        on_side[:, None],
        np.stack([np.zeros(len(seam)), along / _SEAM_SHARE], 1),
        np.stack([0.5 * (along - _SEAM_SHARE) / (1 - _SEAM_SHARE), np.ones(len(seam))], 1),
    )
    right[np.flatnonzero(on_side)[-1]] = [0, 1]
    place = {int(v): right[i] for i, v in enumerate(seam)}
    place |= {int(twin[v]): np.array([1 - right[i, 0], right[i, 1]]) for i, v in enumerate(seam[:-1])}
    outer = np.roll(outer, -int(np.flatnonzero(outer == seam[0])[0]))
    if int(outer[1]) in place:  # go along the bust first
        outer = np.r_[outer[:1], outer[:0:-1]]
    end = int(np.flatnonzero(outer == twin[seam[0]])[0])
    bust = outer[: end + 1]
    width = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points[bust], axis=0), axis=1))]
    place |= {int(v): np.array([w, 0.0]) for v, w in zip(bust, width / width[-1], strict=True)}
    pinned = np.array(sorted(place), np.int32)
    return pinned, np.stack([place[int(v)] for v in pinned])


def _fill_holes(points: np.ndarray, corner: np.ndarray, pinned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Close eyes, mouth by a fan, so that the map's theorem holds."""
    extra: list[list[int]] = []
    centres: list[np.ndarray] = []
    for loop in border_loops(corner):
        if np.isin(loop, pinned).any():
            continue
        hub = len(points) + len(centres)
        centres.append(points[loop].mean(0))
        extra += [[int(b), int(a), hub, -1] for a, b in zip(loop, np.roll(loop, -1), strict=True)]
    return np.vstack([corner, np.array(extra, np.int32)]), np.vstack([points, *centres])


def _spread(
    points: np.ndarray, polygons: np.ndarray, holes: np.ndarray, pinned: np.ndarray, places: np.ndarray
) -> np.ndarray:
    """Tutte's map of the square as a start, then every triangle towards its wished size and shape.

    Quads count with both diagonals, so that the result is symmetric and no quad is ever turned or bent inwards.
    """
    count = len(points)
    edges = edges_of(polygons)
    both = np.concatenate([edges, edges[:, ::-1]])
    matrix = coo_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count)).tocsr()
    matrix.data[:] = 1
    free = np.ones(count, bool)
    free[pinned] = False
    total = np.asarray(matrix.sum(1)).ravel()
    system = csc_matrix(diags(total[free]) - matrix[free][:, free])
    uvs = np.zeros((count, 2))
    uvs[pinned] = places
    uvs[free] = splu(system).solve(matrix[free][:, ~free] @ places)
    quad = polygons[:, 3] >= 0
    triangles = np.concatenate([triangulate(polygons)[0], polygons[quad][:, [0, 1, 3]], polygons[quad][:, [1, 2, 3]]])
    soft = np.where(quad, 0.5, 1.0) * np.where(holes, _HOLE_WEIGHT, 1.0)
    soft = np.concatenate([soft, soft[quad], soft[quad], soft[quad]])
    sound = signed_areas(uvs, triangles) > _FLAT  # a corner on a straight edge of the square is no triangle
    triangles, soft = triangles[sound], soft[sound]
    scale = np.sqrt(importance(points))[triangles].mean(1)
    area = 0.5 * np.linalg.norm(
        np.cross(points[triangles[:, 1]] - points[triangles[:, 0]], points[triangles[:, 2]] - points[triangles[:, 0]]),
        axis=1,
    )
    scale *= _PRESSURE / np.sqrt((area * scale**2 * soft).sum())
    fixed = np.zeros((count, 2), bool)
    fixed[pinned] = np.isclose(places, 0) | np.isclose(places, 1)
    wish = wish_for(triangles, points, scale, soft)
    return flatten(wish, uvs, fixed, _ROUNDS)
