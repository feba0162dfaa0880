"""The inner side of hanging hair: seen between neck and hair it lies in the hair's own shadow."""

from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32

from avatar3d.hair.paint import HairPaint
from avatar3d.hair.shell import HairShell
from avatar3d.hair.texels import SIZE

# So far inside the shell (metres), and only where the shell is surely opaque (alpha).
_INSIDE_M: Final = 0.0015
_OPAQUE: Final = 0.9
_WHOLE: Final = 0.85
# Natural logarithm by which it is darker than the hair: by eye, beside ten photos of long hair.
_DARKER: Final = 1.1


def line_curtain(
    shell: HairShell, paint: HairPaint
) -> tuple[Float32[np.ndarray, "N 3"], Float32[np.ndarray, "N 3"], Int32[np.ndarray, "T 3"]]:
    """Points, normals (inward) and triangles of the lining; empty when no hair hangs."""
    rows, columns = shell.over_line.shape
    first = max(shell.curtain_from - 1, 0)
    if shell.curtain_from >= rows:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)
    texel_row = np.clip((np.arange(rows) / (rows - 1) * SIZE).astype(int), 0, SIZE - 1)
    texel_column = np.clip((np.arange(columns) / (columns - 1) * SIZE).astype(int), 0, SIZE - 1)
    opaque = paint.shell[texel_row[:, None], texel_column, 3] > _OPAQUE
    # It ends in one line, above where the hair begins to end strand by strand.
    whole = opaque.sum(1) >= _WHOLE * opaque[shell.curtain_from :].sum(1).max()
    opaque &= np.logical_and.accumulate(whole | (np.arange(rows) <= shell.curtain_from))[:, None]
    triangles = shell.triangles
    inside = opaque.ravel()[triangles].all(1) & (triangles.min(1) >= first * columns)
    normals = shell.normals.reshape(-1, 3)
    points = shell.points.reshape(-1, 3) - np.float32(_INSIDE_M) * normals
    return points, -normals, triangles[inside][:, ::-1]


def lining_colour(paint: HairPaint) -> Float64[np.ndarray, "3"]:
    """Logarithm of its linear colour: the hair's own, in shadow."""
    covered = paint.presence > 0.5
    log = paint.colour[covered] if covered.any() else paint.colour.reshape(-1, 3)
    return np.median(log, axis=0).astype(np.float64) - _DARKER
