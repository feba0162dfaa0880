"""Coloured points as .ply, as Open3D and nerfstudio's `ns-export pointcloud` write them: x y z, red green blue in sRGB."""

from pathlib import Path
from typing import Final

import numpy as np

from avatar3d.core.splats import ColouredPoints
from avatar3d.formats import splat_file as door
from avatar3d.formats.splat_ply import read_rows
from avatar3d.render.stage import LINEAR_FROM_SRGB

_PLACE: Final = ("x", "y", "z")
_COLOUR: Final = ("red", "green", "blue")
_HINT: Final = "Give a binary .ply of points with colours of 8 bits."


def load_points(path: Path | str) -> ColouredPoints:
    """Read coloured points; safe on hostile files.

    Raises UnreadableError (10, SPLATS_INVALID), UnsupportedFormatError (11, SPLATS_FORMAT) for a .ply without colours of
    8 bits, LimitError (12, SPLATS_TOO_LARGE).
    """
    file = Path(path)
    rows = read_rows(file, door.read_splat_file(file), [*_PLACE, *_COLOUR], hint=_HINT)
    if any(rows[name].dtype != np.uint8 for name in _COLOUR):
        door.not_splats(file, "its colours are not of 8 bits", _HINT)
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # a double beyond float32 becomes infinite, and is refused as such
        places = np.stack([rows[name].astype(np.float32) for name in _PLACE], axis=1)
    if not (np.isfinite(places).all() and np.abs(places).max(initial=0) < door.FARTHEST):
        door.broken(file, "it holds NaN, infinity or numbers beyond any scene")
    return ColouredPoints(places, LINEAR_FROM_SRGB[np.stack([rows[name] for name in _COLOUR], axis=1)])
