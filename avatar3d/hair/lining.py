"""The inner side of hanging hair: seen between neck and hair it lies in the hair's own shadow."""

from typing import Final

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.hair.atlas import on_lining
from avatar3d.hair.shell import HairShell, grid_triangles

# So far inside the shell (metres).
_INSIDE_M: Final = 0.002
# Every so many rows and columns of the shell make one of the lining's.
_COARSER: Final = 2


def line_curtain(
    shell: HairShell,
) -> tuple[
    Float32[np.ndarray, "N 3"], Float32[np.ndarray, "N 3"], Float32[np.ndarray, "N 2"], Int32[np.ndarray, "T 3"]
]:
    """Points, normals (inward), texture coordinates and triangles of the lining; empty when no hair hangs."""
    rows, columns = shell.over_line.shape
    first = shell.curtain_from
    if first >= rows:
        return (
            np.zeros((0, 3), np.float32),
            np.zeros((0, 3), np.float32),
            np.zeros((0, 2), np.float32),
            np.zeros((0, 3), np.int32),
        )
    down = np.append(np.arange(first - 1, rows - 1, _COARSER), rows - 1)
    across = np.arange(0, columns, _COARSER)
    normals = shell.normals[down[:, None], across].reshape(-1, 3)
    points = shell.points[down[:, None], across].reshape(-1, 3) - np.float32(_INSIDE_M) * normals
    v, u = np.meshgrid((down - down[0]) / (down[-1] - down[0]), across / (columns - 1), indexing="ij")
    uvs = on_lining(u.ravel(), v.ravel()).astype(np.float32)
    return points, -normals, uvs, grid_triangles(len(down), len(across))[:, ::-1]
