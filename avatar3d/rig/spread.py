"""Spreads a correction known at a few vertices smoothly over the skin around them.

The fairest surface that passes through the handles and dies out at the region's rim: a bi-Laplacian solve on the mean
head (Botsch & Kobbelt 2004, "An Intuitive Framework for Real-Time Freeform Modeling"), done once per model.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float32, Int32
from scipy.sparse.csgraph import dijkstra  # pyright: ignore[reportUnknownVariableType]
from scipy.sparse.linalg import splu


@dataclass(frozen=True, eq=False)
class Spread:
    """Moves `region` by what is known at `handles`."""

    region: Int32[np.ndarray, "N"]
    """Vertices, the handles first."""
    share: Float32[np.ndarray, "N H"]
    """Displacement of the region = share @ displacement of the handles."""

    def apply(
        self, shape: Float32[np.ndarray, "V 3"], at_handles: Float32[np.ndarray, "H 3"]
    ) -> Float32[np.ndarray, "V 3"]:
        """A copy of one shape (metres) with the correction added."""
        mended = shape.copy()
        mended[self.region] += self.share @ at_handles
        return mended


def plan_spread(
    rest: Float32[np.ndarray, "V 3"],
    triangles: Int32[np.ndarray, "F 3"],
    handles: Int32[np.ndarray, "H"],
    reach_m: float,
) -> Spread:
    """How corrections at `handles` spread over the skin within `reach_m` along the surface."""
    count = len(rest)
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    lengths = np.maximum(np.linalg.norm(rest[edges[:, 0]] - rest[edges[:, 1]], axis=1), 1e-7)
    graph = sp.coo_matrix((lengths, edges.T), shape=(count, count)).tocsr()
    distance = np.asarray(dijkstra(graph, directed=False, indices=handles, limit=reach_m, min_only=True))
    inside = distance < reach_m
    inside[handles] = False
    free = np.flatnonzero(inside)
    local = np.full(count, -1)
    ring = np.unique(edges[np.isin(edges, np.concatenate([handles, free])).any(1)])  # the region and its rim
    local[ring] = np.arange(len(ring))
    kept = (local[edges] >= 0).all(1)
    i, j = local[edges[kept]].T
    # One over the length: a Laplacian that respects uneven spacing and cannot turn negative, unlike cotangents.
    weight = 1 / lengths[kept]
    adjacency = sp.coo_matrix((weight, (i, j)), shape=(len(ring), len(ring))).tocsr()
    adjacency = adjacency + adjacency.T
    degree = np.asarray(adjacency.sum(1)).ravel()
    laplacian = sp.identity(len(ring)) - sp.diags(1 / degree) @ adjacency
    bending = (laplacian.T @ laplacian).tocsc()
    rows, known = local[free], local[handles]
    solved = splu(bending[rows][:, rows].tocsc() + 1e-9 * sp.identity(len(rows), format="csc")).solve(
        -bending[rows][:, known].toarray()
    )
    share = np.concatenate([np.eye(len(handles)), solved]).astype(np.float32)
    return Spread(np.concatenate([handles, free]).astype(np.int32), share)
