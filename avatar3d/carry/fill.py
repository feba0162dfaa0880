"""Fills in what is known on a part of a surface only: as fair as it can be between what is known.

Weight inpainting of Abdrashitov et al. 2023, "Robust Skin Weights Transfer via Weight Inpainting" (eq. 4): the bi-Laplacian
energy over the vertices without a trustworthy match, the others held.
"""

from typing import Final

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float64
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu
from scipy.spatial import KDTree

from avatar3d.carry.sheet import Sheet

# A little of the first-order energy keeps wide holes from swinging beyond what surrounds them.
_TAUT: Final = 0.01


def fill_in(
    sheet: Sheet, values: Float64[np.ndarray, "V C"], known: Bool[np.ndarray, "V"]
) -> Float64[np.ndarray, "V C"]:
    """The values with the unknown rows filled in; loose pieces of which nothing is known take the nearest known row.

    With nothing known at all they are zero.
    """
    if known.all():
        return values
    filled = np.where(known[:, None], values, 0.0)
    if not known.any():
        return filled
    laplacian = sheet.laplacian
    count, piece = connected_components(abs(laplacian) > 0, directed=False)
    told = np.bincount(piece[known], minlength=count) > 0
    free = np.flatnonzero(~known & told[piece])
    loose = np.flatnonzero(~told[piece])
    if len(free):
        bending = (laplacian.T @ laplacian + _TAUT * sp.diags(1.0 * (abs(laplacian).sum(1).A1 > 0)) @ laplacian).tocsr()
        system = bending[free][:, free] + 1e-10 * sp.identity(len(free))
        filled[free] = splu(system.tocsc()).solve(-(bending[free] @ filled))
    if len(loose):
        at = np.flatnonzero(known)
        filled[loose] = filled[at[np.asarray(KDTree(sheet.points[at]).query(sheet.points[loose])[1])]]
    return filled
