"""Which point of the head each vertex of the edited mesh was, without jumping to the other lip, lid or into the mouth.

nearest with agreeing normals --> edges that some shape would tear? --> matched again, near where the neighbours are --> trusted?
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float64, Int64
from scipy.sparse.csgraph import dijkstra  # pyright: ignore[reportUnknownVariableType]

from avatar3d.carry.sheet import Nearest, Sheet

_LEAST_ALIKE: Final = 0.35
_TURN_M: Final = 0.003
_FAR_M: Final = 0.003
"""A vertex further than this from the head's laid surface has no match, nor one that looks another way."""
_TORN: Final = 3.0
"""An edge that a shape stretches by more than this, and by more than ..."""
_TORN_M: Final = 0.004
"""... this, joins what does not belong together."""
_BACK_ALIKE, _THICK_M = 0.7, 0.008
"""The back of thickened skin looks the other way, and is no further away than this."""
_ROUNDS: Final = 3
_WAY_M, _STARTS = 0.05, 256


_FIELDS: Final = ("triangle", "barycentric", "point", "distance_m", "alike")


@dataclass(frozen=True, eq=False)
class Match:
    """Where each vertex lies on the head."""

    nearest: Nearest
    trusted: Bool[np.ndarray, "V"]
    torn: Bool[np.ndarray, "E"]
    """Edges of the edited mesh that join sheets which shapes part."""


def match(own: Sheet, parted: Float64[np.ndarray, "P V 3"], edited: Sheet, kept: Int64[np.ndarray, "W"]) -> Match:
    """Each vertex of `edited` on `own`, which is laid on it already.

    `parted`: displacements of `own` that part what touches at rest (jawOpen, lids). `kept`: the own vertex that each
    vertex was, -1 for new ones.
    """
    found = _behind(own, edited, edited_on(own, edited.points, edited.normals))
    drawn = np.isin(np.arange(len(own.points)), own.triangles)
    was = np.flatnonzero((kept >= 0) & drawn[kept])
    found = _put(found, was, _at_vertices(own, kept[was]))
    torn = _torn(own, parted, edited, found)
    for _ in range(_ROUNDS):
        doubtful = _doubtful(edited, torn)
        doubtful[was] = False
        if not doubtful.any():
            break
        again = _again(own, parted, edited, found, np.flatnonzero(doubtful))
        found = _put(found, np.flatnonzero(doubtful), again)
        torn = _torn(own, parted, edited, found)
    trusted = (found.alike > _LEAST_ALIKE) & (found.distance_m < _FAR_M)
    trusted[was] = True
    return Match(found, trusted & ~(_doubtful(edited, torn, most=0.75) & (kept < 0)), torn)


def _behind(own: Sheet, edited: Sheet, found: Nearest) -> Nearest:
    """The inner side of skin that was given a thickness goes with its outer side, of which it is the back."""
    lost = np.flatnonzero((found.alike < _LEAST_ALIKE) | (found.distance_m > _FAR_M))
    if not len(lost):
        return found
    back = edited_on(own, edited.points[lost], -edited.normals[lost])
    is_back = (back.alike > _BACK_ALIKE) & (back.distance_m < _THICK_M)
    chosen = np.flatnonzero(is_back)
    thin = Nearest(*(getattr(back, name)[chosen] for name in _FIELDS))
    return _put(found, lost[chosen], replace(thin, distance_m=np.zeros(len(chosen))))


def edited_on(own: Sheet, points: Float64[np.ndarray, "N 3"], normals: Float64[np.ndarray, "N 3"]) -> Nearest:
    """The nearest agreeing point of a surface."""
    return own.nearest(points, normals, least_alike=_LEAST_ALIKE, turn_m=_TURN_M)


def _torn(own: Sheet, parted: np.ndarray, edited: Sheet, found: Nearest) -> Bool[np.ndarray, "E"]:
    """Edges whose ends a shape carries apart, and which lie far from each other on the head's own skin."""
    i, j = edited.edges.T
    length = np.linalg.norm(edited.points[i] - edited.points[j], axis=1)
    rest = own.at(found, own.points)
    torn = np.zeros(len(i), bool)
    for moves in parted:
        place = rest + own.at(found, moves)
        apart = np.linalg.norm(place[i] - place[j], axis=1)
        torn |= (apart > _TORN * length) & (apart > length + _TORN_M)
    doubted = np.flatnonzero(torn)
    corner = own.triangles[found.triangle, np.argmax(found.barycentric, axis=1)]
    torn[doubted] = _way(own, corner[i[doubted]], corner[j[doubted]]) > _TORN * length[doubted] + _TORN_M
    return torn


def _way(own: Sheet, one: Int64[np.ndarray, "N"], other: Int64[np.ndarray, "N"]) -> Float64[np.ndarray, "N"]:
    """How far it is along the skin's edges from one vertex to the other, metres; infinite beyond a few centimetres."""
    i, j = own.edges.T
    lengths = np.maximum(np.linalg.norm(own.points[i] - own.points[j], axis=1), 1e-7)
    graph = sp.coo_matrix((lengths, (i, j)), shape=(len(own.points), len(own.points))).tocsr()
    way = np.full(len(one), np.inf)
    starts = np.unique(one)
    for k in range(0, len(starts), _STARTS):
        some = starts[k : k + _STARTS]
        mine = np.isin(one, some)
        distance = np.asarray(dijkstra(graph, directed=False, indices=some, limit=_WAY_M))
        way[mine] = distance[np.searchsorted(some, one[mine]), other[mine]]
    return way


def _doubtful(edited: Sheet, torn: Bool[np.ndarray, "E"], *, most: float = 0.0) -> Bool[np.ndarray, "V"]:
    """Vertices of which more than a share of the edges is torn."""
    count = len(edited.points)
    ends = edited.edges.ravel()
    all_of, torn_of = np.bincount(ends, minlength=count), np.bincount(edited.edges[torn].ravel(), minlength=count)
    return torn_of > most * np.maximum(all_of, 1)


def _again(own: Sheet, parted: np.ndarray, edited: Sheet, found: Nearest, chosen: Int64[np.ndarray, "N"]) -> Nearest:
    """Matches near where the neighbours that are not torn away would be carried, in the pose that parts most."""
    most = parted[int(np.argmax(np.abs(parted).max((1, 2))))]
    moved = own.at(found, most)
    weights = edited.laplacian[chosen]
    weights = -weights.tolil()
    weights[np.arange(len(chosen)), chosen] = 0
    weights = weights.tocsr()
    around = (weights @ moved) / np.maximum(np.asarray(weights.sum(1)), 1e-9)
    posed = own.moved(own.points + most)
    normals = edited.normals[chosen]
    near = posed.nearest(edited.points[chosen] + around, normals, least_alike=-2.0, turn_m=0.0)
    rest = own.at(near, own.points)
    distance = np.linalg.norm(rest - edited.points[chosen], axis=1)
    alike = (own.face_normals[near.triangle] * normals).sum(1)
    here = Nearest(near.triangle, near.barycentric, rest, distance, alike)
    old = Nearest(*(getattr(found, name)[chosen] for name in _FIELDS))
    better = distance < np.maximum(2 * old.distance_m, _FAR_M / 2)
    return Nearest(
        *(
            np.where(better.reshape(-1, *[1] * (getattr(here, name).ndim - 1)), getattr(here, name), getattr(old, name))
            for name in _FIELDS
        )
    )


def _at_vertices(own: Sheet, vertices: Int64[np.ndarray, "N"]) -> Nearest:
    """Matches that are vertices."""
    corner = np.full(len(own.points), -1, np.int64)
    corner[own.triangles.ravel()] = np.arange(own.triangles.size)
    triangle, which = np.divmod(corner[vertices], 3)
    barycentric = np.eye(3)[which]
    count = len(vertices)
    return Nearest(triangle, barycentric, own.points[vertices], np.zeros(count), np.ones(count))


def _put(found: Nearest, rows: Int64[np.ndarray, "N"], other: Nearest) -> Nearest:
    changed = {}
    for name in _FIELDS:
        column = getattr(found, name).copy()
        column[rows] = getattr(other, name)
        changed[name] = column
    return replace(found, **changed)
