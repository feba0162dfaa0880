"""Carry linear modes from ICT's surface to the topology lying on it.

matched vertices: barycentric interpolation --> bi-Laplacian fill of the others (ears' back, folds, border)
"""

import numpy as np
from jaxtyping import Bool, Float64, Int32
from scipy.sparse import csc_matrix, csr_matrix, diags
from scipy.sparse.linalg import splu

from tools.head.surface import Closest, graph_laplacian

_TRUST = 1e4
"""Weight of a matched vertex's own value against the smoothness of the fill."""


def carry_modes(
    modes: Float64[np.ndarray, "k u 3"],
    target_triangles: Int32[np.ndarray, "f 3"],
    on_target: Closest,
    matched: Bool[np.ndarray, "v"],
    polygons: Int32[np.ndarray, "p 4"],
) -> Float64[np.ndarray, "k v 3"]:
    """Displacement of every vertex of the topology in every mode."""
    moved = on_target.gather(np.moveaxis(modes, 0, 1), target_triangles)  # [v k 3]
    filled = fill(moved.reshape(len(moved), -1), matched, polygons)
    return np.moveaxis(filled.reshape(moved.shape), 1, 0)


def fill(
    values: Float64[np.ndarray, "v n"], known: Bool[np.ndarray, "v"], polygons: Int32[np.ndarray, "p 4"]
) -> Float64[np.ndarray, "v n"]:
    """Keep known rows, continue them over the unknown ones with the least bending."""
    if known.all():
        return values
    laplacian: csr_matrix = graph_laplacian(polygons, len(values))
    system = csc_matrix(laplacian.T @ laplacian + diags(np.where(known, _TRUST, 0.0)))
    solved = splu(system).solve(np.where(known[:, None], values, 0.0) * _TRUST)
    return np.where(known[:, None], values, solved)
