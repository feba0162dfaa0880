"""A surface as the matching sees it: welded vertices, normals, edges, its rim, and its nearest point from anywhere."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float64, Int64
from scipy.spatial import KDTree

# Triangles longer than this are sampled inside too, so that their middle is found (metres).
_SPACING_M: Final = 0.002
_MOST_SAMPLES: Final = 12
_CANDIDATES: Final = 24
_AT_A_TIME: Final = 20_000
_TINY_M2: Final = 1e-14


@dataclass(frozen=True, eq=False)
class Nearest:
    """The best point of a sheet for each query."""

    triangle: Int64[np.ndarray, "N"]
    barycentric: Float64[np.ndarray, "N 3"]
    point: Float64[np.ndarray, "N 3"]
    distance_m: Float64[np.ndarray, "N"]
    alike: Float64[np.ndarray, "N"]
    """Cosine between the query's normal and the sheet's."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """Triangles in space, metres."""

    points: Float64[np.ndarray, "V 3"]
    triangles: Int64[np.ndarray, "F 3"]

    @cached_property
    def face_normals(self) -> Float64[np.ndarray, "F 3"]:
        a, b, c = (self.points[self.triangles[:, k]] for k in range(3))
        normals = np.cross(b - a, c - a)
        return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), _TINY_M2)

    @cached_property
    def normals(self) -> Float64[np.ndarray, "V 3"]:
        """Unit, by the area of the triangles around; straight ahead where there are none."""
        a, b, c = (self.points[self.triangles[:, k]] for k in range(3))
        weighted = np.cross(b - a, c - a)
        total = np.zeros_like(self.points)
        for k in range(3):
            for axis in range(3):
                total[:, axis] += np.bincount(self.triangles[:, k], weighted[:, axis], len(self.points))
        length = np.linalg.norm(total, axis=1, keepdims=True)
        return np.where(length > _TINY_M2, total / np.maximum(length, _TINY_M2), [0.0, 0.0, 1.0])

    @cached_property
    def edges(self) -> Int64[np.ndarray, "E 2"]:
        """Every edge once, the lower vertex first."""
        return np.unique(self._half_edges(), axis=0)

    @cached_property
    def on_rim(self) -> Bool[np.ndarray, "V"]:
        """Vertices of edges that have a triangle on one side only."""
        edges, count = np.unique(self._half_edges(), axis=0, return_counts=True)
        rim = np.zeros(len(self.points), bool)
        rim[edges[count == 1]] = True
        return rim

    @cached_property
    def laplacian(self) -> Any:
        """Sparse [V V]: a vertex less the mean of its neighbours, the near ones counting more; rows of lone vertices 0."""
        i, j = self.edges.T
        length = np.maximum(np.linalg.norm(self.points[i] - self.points[j], axis=1), 1e-6)
        count = len(self.points)
        weights = sp.coo_matrix((1 / length, (i, j)), shape=(count, count)).tocsr()
        weights = weights + weights.T
        degree = np.asarray(weights.sum(1)).ravel()
        lone = degree == 0
        return (sp.diags(np.where(lone, 0.0, 1.0)) - sp.diags(1 / np.where(lone, 1.0, degree)) @ weights).tocsr()

    def moved(self, points: Float64[np.ndarray, "V 3"]) -> "Sheet":
        return Sheet(points, self.triangles)

    def at(self, nearest: Nearest, field: np.ndarray) -> np.ndarray:
        """Any per-vertex field [..., V, C] at the found points [..., N, C]."""
        corners = self.triangles[nearest.triangle]
        total = field[..., corners[:, 0], :] * nearest.barycentric[:, :1].astype(field.dtype)
        for k in (1, 2):
            total = total + field[..., corners[:, k], :] * nearest.barycentric[:, k : k + 1].astype(field.dtype)
        return total

    def nearest(
        self,
        points: Float64[np.ndarray, "N 3"],
        normals: Float64[np.ndarray, "N 3"],
        *,
        least_alike: float,
        turn_m: float,
    ) -> Nearest:
        """The nearest point whose normal agrees; disagreement counts as distance: `turn_m` metres for a right angle.

        Where all near triangles disagree by more than `least_alike` (a cosine) the nearest one is given all the same.
        """
        parts = [
            self._nearest(points[k : k + _AT_A_TIME], normals[k : k + _AT_A_TIME], least_alike, turn_m)
            for k in range(0, len(points), _AT_A_TIME)
        ]
        return Nearest(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _nearest(self, points: np.ndarray, normals: np.ndarray, least_alike: float, turn_m: float) -> tuple[Any, ...]:
        owner = self.samples[1]
        found = np.asarray(self.tree.query(points, k=min(_CANDIDATES, len(owner)))[1]).reshape(len(points), -1)
        chosen = owner[found]
        place, barycentric = nearest_on_triangles(points[:, None], self.points[self.triangles[chosen]])
        distance = np.linalg.norm(place - points[:, None], axis=2)
        alike = np.einsum("nkc,nc->nk", self.face_normals[chosen], normals)
        price = distance + turn_m * (1 - alike) + np.where(alike < least_alike, 1.0, 0.0)
        row, best = np.arange(len(points)), np.argmin(price, axis=1)
        return chosen[row, best], barycentric[row, best], place[row, best], distance[row, best], alike[row, best]

    @cached_property
    def samples(
        self,
    ) -> tuple[Float64[np.ndarray, "S 3"], Int64[np.ndarray, "S"], Float64[np.ndarray, "S 3"]]:
        """Points spread over the triangles, the triangle of each, and the normal there."""
        corners = self.points[self.triangles]
        longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1, initial=0)
        per_side = np.clip(np.ceil(longest / _SPACING_M), 1, _MOST_SAMPLES).astype(int)
        owners: list[np.ndarray] = []
        shares: list[np.ndarray] = []
        for count in np.unique(per_side):
            mine = np.flatnonzero(per_side == count)
            i, j = np.meshgrid(np.arange(count), np.arange(count))
            inside = (i + j) < count
            u, v = (i[inside] + 1 / 3) / count, (j[inside] + 1 / 3) / count
            owners.append(np.repeat(mine, len(u)))
            shares.append(np.tile(np.stack([1 - u - v, u, v], axis=1), (len(mine), 1)))
        owner, share = np.concatenate(owners), np.concatenate(shares)
        normals = np.einsum("sk,skc->sc", share, self.normals[self.triangles[owner]])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        return np.einsum("sk,skc->sc", share, corners[owner]), owner, normals

    @cached_property
    def tree(self) -> KDTree:
        """Of the samples."""
        return KDTree(self.samples[0])

    def _half_edges(self) -> Int64[np.ndarray, "H 2"]:
        t = self.triangles
        return np.sort(np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]]), axis=1)


def welded(positions: np.ndarray, triangles: np.ndarray) -> tuple[Sheet, Int64[np.ndarray, "V"]]:
    """The sheet with vertices that lie on the same place made one, and for each vertex given its number there.

    Triangles that shrink to an edge are left out.
    """
    places, number = np.unique(positions, axis=0, return_inverse=True)
    number = number.reshape(-1).astype(np.int64)
    corners = number[triangles]
    whole = (corners[:, 0] != corners[:, 1]) & (corners[:, 1] != corners[:, 2]) & (corners[:, 2] != corners[:, 0])
    return Sheet(places.astype(np.float64), corners[whole]), number


def firsts(number: Int64[np.ndarray, "V"]) -> Int64[np.ndarray, "W"]:
    """For each vertex of a welded sheet the first of those that became it."""
    return np.unique(number, return_index=True)[1].astype(np.int64)


def nearest_on_triangles(
    points: Float64[np.ndarray, "*N 3"], corners: Float64[np.ndarray, "*M 3 3"]
) -> tuple[Float64[np.ndarray, "*M 3"], Float64[np.ndarray, "*M 3"]]:
    """The nearest point of each triangle, and its barycentric weights (Ericson 2005, Real-Time Collision Detection, 5.1.5)."""
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    ab, ac, ap, bp, cp = b - a, c - a, points - a, points - b, points - c
    d1, d2, d3 = (ab * ap).sum(-1), (ac * ap).sum(-1), (ab * bp).sum(-1)
    d4, d5, d6 = (ac * bp).sum(-1), (ab * cp).sum(-1), (ac * cp).sum(-1)
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    total = va + vb + vc
    total = np.where(np.abs(total) > 0, total, 1.0)
    v, w = vb / total, vc / total

    def along(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
        return np.clip(numerator / np.where(np.abs(denominator) > 0, denominator, 1.0), 0, 1)

    on_ab, on_ac, on_bc = along(d1, d1 - d3), along(d2, d2 - d6), along(d4 - d3, (d4 - d3) + (d5 - d6))
    zero, one = np.zeros_like(v), np.ones_like(v)
    cases = [
        ((d1 <= 0) & (d2 <= 0), zero, zero),
        ((d3 >= 0) & (d4 <= d3), one, zero),
        ((d6 >= 0) & (d5 <= d6), zero, one),
        ((vc <= 0) & (d1 >= 0) & (d3 <= 0), on_ab, zero),
        ((vb <= 0) & (d2 >= 0) & (d6 <= 0), zero, on_ac),
        ((va <= 0) & (d4 - d3 >= 0) & (d5 - d6 >= 0), 1 - on_bc, on_bc),
    ]
    where = [case for case, _, _ in cases]
    v, w = np.select(where, [x for _, x, _ in cases], v), np.select(where, [x for _, _, x in cases], w)
    barycentric = np.stack([1 - v - w, v, w], axis=-1)
    return a + v[..., None] * ab + w[..., None] * ac, barycentric
