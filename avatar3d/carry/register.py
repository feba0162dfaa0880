"""Lays the head's own surface onto what somebody sculpted of it.

own surface --points that lie near and look the same way--> pulled there, fairly --softer each time--> onto the edited one

Non-rigid iterative closest points with a bi-Laplacian of the displacement (after Amberg et al. 2007, "Optimal Step
Nonrigid ICP Algorithms for Surface Registration"): what the edited surface lacks follows what is around it. Normals count
as coordinates, so that a chin that was drawn down is found by its form and not only by the skin that lies nearest.
"""

from typing import Final

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float64, Int64
from scipy.sparse.linalg import splu
from scipy.spatial import KDTree

from avatar3d.carry.sheet import Nearest, Sheet, nearest_on_triangles

_STEPS: Final = (
    *((stiffness, 0.015) for stiffness in (30.0, 30.0, 10.0, 10.0, 3.0, 3.0, 1.0, 1.0)),
    *((stiffness, 0.006) for stiffness in (0.3, 0.3, 0.1, 0.1)),
)
"""Stiffness, and what a whole turn of the normal counts (metres). On a face whose chin was drawn down by 12 mm, remeshed, lips
and chin are then .8 and 3.3 mm beside their own places; with the distance alone 2.3 and 7.5; more of it misleads the vertices of coarse meshes."""
_SETTLING: Final = (0.1, 0.05)
"""Stiffness of the last steps, onto the surface along its normals."""
_REACH_M: Final = 0.035
"""Sculpting goes no further than this."""
_ASIDE_M: Final = 0.004
"""Nothing is looked for this much further away than the nearest skin."""
_LEAST_ALIKE, _LEAST_SETTLED = 0.5, 0.3
_RIM_M: Final = 0.003
"""Rim meets rim where it lies no further away."""
_TURN_M: Final = 0.004
_CRUSHED: Final = 0.3
"""Share of its area that skin keeps at least, when somebody sculpts it."""
_FADING: Final = 0.02
"""What is cut away follows what is left over some seven vertices."""
_HELD: Final = 100.0
"""What a vertex counts of which it is known where it went."""


def lay_on(
    own: Sheet, edited: Sheet, kept: tuple[Int64[np.ndarray, "K"], Float64[np.ndarray, "K 3"]]
) -> tuple[Float64[np.ndarray, "V 3"], Bool[np.ndarray, "V"]]:
    """Where the own vertices come to lie (metres), and which of them the edited surface told about.

    `kept`: vertices of which it is known where they are now, and these places.
    """
    index, places = kept
    gone = np.zeros_like(own.points)
    if len(np.unique(index)) == len(own.points):
        gone[index] = places - own.points[index]
        return own.points + gone, np.ones(len(own.points), bool)
    smooth = own.laplacian
    bending = (smooth.T @ smooth + 1e-7 * sp.identity(len(own.points))).tocsc()

    def pulled(
        target: Float64[np.ndarray, "V 3"], trust: Float64[np.ndarray, "V"], stiffness: float
    ) -> Float64[np.ndarray, "V 3"]:
        target[index], trust[index] = places - own.points[index], _HELD
        return splu((stiffness * bending + sp.diags(trust)).tocsc()).solve(trust[:, None] * target)

    for stiffness, turn_m in _STEPS:
        now = own.moved(own.points + gone)
        found = _alike(now, edited, turn_m)
        trust = _trust(own, edited, found, _LEAST_ALIKE)
        gone = _followed(own, pulled(found.point - own.points, trust, stiffness), trust > 0)
    met = np.zeros(len(own.points), bool)
    for stiffness in _SETTLING:
        now = own.moved(own.points + gone)
        found = edited.nearest(now.points, now.normals, least_alike=_LEAST_SETTLED, turn_m=_TURN_M)
        trust = _trust(own, edited, found, _LEAST_SETTLED)
        met = trust > 0
        normal = edited.face_normals[found.triangle]
        ahead = ((found.point - now.points) * normal).sum(1, keepdims=True) * normal
        gone = _followed(own, pulled(gone + ahead, trust, stiffness), met)
    met = met & ~_crushed(own, own.points + gone)
    met[index] = True
    return own.points + _followed(own, gone, met), met


def _crushed(own: Sheet, points: Float64[np.ndarray, "V 3"]) -> Bool[np.ndarray, "V"]:
    """Vertices whose skin was pressed together onto the nearest thing, because their own place is no more."""
    before, after = (
        np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1)
        for p in (own.points[own.triangles], points[own.triangles])
    )
    of = own.triangles.ravel()
    had, has = (np.bincount(of, np.repeat(area, 3), len(points)) for area in (before, after))
    return has < _CRUSHED * had


def _followed(own: Sheet, gone: Float64[np.ndarray, "V 3"], met: Bool[np.ndarray, "V"]) -> Float64[np.ndarray, "V 3"]:
    """What the edited surface says nothing about goes with what is next to it, and less with every step away from there."""
    free = np.flatnonzero(~met)
    followed = gone.copy()
    if len(free):
        rows = own.laplacian[free]
        system = (rows[:, free] + _FADING * sp.identity(len(free))).tocsc()
        known = np.where(met[:, None], gone, 0.0)
        followed[free] = splu(system).solve(-(rows @ known))
    return followed


def _alike(now: Sheet, edited: Sheet, turn_m: float) -> Nearest:
    """For each own vertex the edited surface's sample that is nearest when normals count as coordinates."""
    points, owner, normals = edited.samples
    looks = _calm_normals(now)
    tree = KDTree(np.concatenate([points, turn_m * normals], axis=1))
    found = np.asarray(tree.query(np.concatenate([now.points, turn_m * looks], axis=1))[1])
    distance = np.linalg.norm(points[found] - now.points, axis=1)
    least = np.asarray(edited.tree.query(now.points)[0])
    alike = np.where(distance < least + _ASIDE_M, (normals[found] * looks).sum(1), -1.0)
    _, barycentric = nearest_on_triangles(now.points, edited.points[edited.triangles[owner[found]]])
    return Nearest(owner[found], barycentric, points[found], distance, alike)


def _calm_normals(sheet: Sheet) -> Float64[np.ndarray, "V 3"]:
    """Normals that a single crooked triangle does not turn."""
    calm = sheet.normals - 0.5 * (sheet.laplacian @ sheet.normals)
    return calm / np.maximum(np.linalg.norm(calm, axis=1, keepdims=True), 1e-9)


def _trust(own: Sheet, edited: Sheet, found: Nearest, least: float) -> Float64[np.ndarray, "V"]:
    """0 for what has no counterpart: too far, looking another way, or beside the rim of what was cut."""
    corners = edited.triangles[found.triangle]
    rim = edited.on_rim[corners]
    beside = np.zeros(len(corners), bool)
    for k in range(3):
        beside |= (found.barycentric[:, k] < 1e-6) & rim[:, (k + 1) % 3] & rim[:, (k + 2) % 3]
    near = np.linalg.norm(found.point - own.points, axis=1) < _REACH_M
    beside &= ~(own.on_rim & (found.distance_m < _RIM_M))
    met = (found.alike > least) & near & ~beside
    return met * np.clip((found.alike - least) / (1 - least), 0.05, 1)


def turned(own: Sheet, points: Float64[np.ndarray, "V 3"]) -> Float64[np.ndarray, "V 3 3"]:
    """How the surface around each vertex is turned when the vertices come to lie at `points`.

    The rotation that best carries the edges of a vertex (Sorkine & Alexa 2007, eq. 5), its normal weighing in, so that a
    displacement goes with its frame as in deformation transfer (Sumner & Popovic 2004).
    """
    i, j = np.concatenate([own.edges, own.edges[:, ::-1]]).T
    before, after = own.points[j] - own.points[i], points[j] - points[i]
    weight = 1 / np.maximum(np.linalg.norm(before, axis=1), 1e-6)
    size = np.zeros(len(own.points))
    spread = np.zeros((len(own.points), 3, 3))
    np.add.at(spread, i, weight[:, None, None] * after[:, :, None] * before[:, None, :])
    np.add.at(size, i, weight * (before**2).sum(1))
    spread += size[:, None, None] * own.moved(points).normals[:, :, None] * own.normals[:, None, :]
    u, _, vt = np.linalg.svd(spread)
    u[:, :, 2] *= np.sign(np.linalg.det(u @ vt))[:, None]
    return u @ vt
