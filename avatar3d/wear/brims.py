"""What goes on beyond a hat's edge: a brim all around, or a visor ahead; thin leaves of one colour."""

from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.wear.edge import AROUND, COLUMNS, MOST_M, Edge, on_skin
from avatar3d.wear.sheet import Sheet
from avatar3d.wear.wearer import Wearer, ways_around

_THICK_M: Final = 0.0022
# A brim begins inside the crown; it is at least so broad (metres), and is looked for so far about the edge (inter-ocular
# distances).
_INSIDE: Final = 0.97
_NARROWEST_M: Final = 0.025
_ABOUT: Final = np.arange(-0.45, 0.5, 0.03)
# Nobody sees it behind: it droops there by this share of what it does ahead.
_BEHIND: Final = 0.5
# How far a visor reaches around (degrees either side) and ahead, and how low it comes (metres).
_VISOR_DEG: Final = 64.0
_VISOR_M: Final = 0.060
_DROOP_M: Final = (0.004, 0.045)
_VISOR_COLUMNS: Final = 21
_ROWS: Final = 3
_TEXTURE_PX: Final = 96


def add_brim(wearer: Wearer, edge: Edge, rim: Float64[np.ndarray, "C 3"]) -> Sheet:
    """As far ahead and behind as beside, as high at its sides as the photo shows; `rim` is the crown's."""
    axis = wearer.middle * [1, 0, 1]
    inner = axis + (rim - axis) * [_INSIDE, 1, _INSIDE] + [0, _THICK_M / 2, 0]
    broad, level = np.zeros(2), np.zeros(2)
    for index, side in enumerate((-1.0, 1.0)):
        height, radius = edge.beside(side)
        heights = height + wearer.iod_m * _ABOUT
        reaches = [wearer.reach(axis + [0, y, 0], np.array([side, 0, 0]), MOST_M) for y in heights]
        broad[index], level[index] = max(max(reaches) - radius, _NARROWEST_M), heights[int(np.argmax(reaches))]
    turn = np.radians(AROUND)
    left = (np.sin(turn) > 0).astype(int)
    width = broad.mean() + (broad[left] - broad.mean()) * np.sin(turn) ** 2
    behind_m = edge.y_m[0] - _BEHIND * max(edge.y_m[COLUMNS // 2] - edge.low_ahead_m, 0)
    outer = inner + width[:, None] * ways_around(AROUND)
    along = np.where(np.cos(turn) > 0, edge.low_ahead_m, behind_m)
    outer[:, 1] = np.sin(turn) ** 2 * level[left] + np.cos(turn) ** 2 * along
    points = _leaf(inner, outer)
    points[:, -1] = points[:, 0]
    return Sheet(points, _TEXTURE_PX, leaf=True)


def add_visor(wearer: Wearer, edge: Edge) -> Sheet:
    """A leaf ahead, whose lower edge is where the photo shows it."""
    azimuth = np.linspace(-_VISOR_DEG, _VISOR_DEG, _VISOR_COLUMNS)
    inner = wearer.middle * [1, 0, 1] + np.interp(azimuth, AROUND, edge.radius_m)[:, None] * ways_around(azimuth)
    inner[:, 1] = np.interp(azimuth, AROUND, edge.y_m) + _THICK_M
    ahead = np.sqrt(np.maximum(np.cos(np.radians(azimuth) * 90 / _VISOR_DEG), 0))
    outer = inner + _VISOR_M * ahead[:, None] * [0, 0, 1]
    # What the photo shows lowest lies as far ahead as the visor goes, not on the skin.
    shown = on_skin(wearer, np.zeros(1), np.full(1, edge.low_ahead_m))[0]
    eye = wearer.camera.position_m.astype(np.float64)
    lowest = eye[1] + (shown[1] - eye[1]) * (eye[2] - outer[:, 2].max()) / (eye[2] - shown[2])
    outer[:, 1] -= np.clip(inner[len(inner) // 2, 1] - lowest, *_DROOP_M) * ahead**2
    return Sheet(_leaf(inner, outer), _TEXTURE_PX, leaf=True)


def _leaf(inner: Float64[np.ndarray, "C 3"], outer: Float64[np.ndarray, "C 3"]) -> Float64[np.ndarray, "R C 3"]:
    """Over and under side of something thin between two lines."""
    over = inner + np.linspace(0, 1, _ROWS)[:, None, None] * (outer - inner)
    return np.concatenate([over, over[::-1] - [0, _THICK_M, 0]])
