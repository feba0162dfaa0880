"""Headscarves: cloth around the face, over skull, ears and neck, open where the photo shows the face.

rows from the crown down (rays from the skull's middle, below it level ones from the axis) --skin, outline--> how far out
columns from the one edge of the opening around the back to the other                      --mask--> where the opening ends
"""

from typing import Final

import numpy as np
from jaxtyping import Float32, Float64
from scipy.ndimage import gaussian_filter1d  # pyright: ignore[reportUnknownVariableType]

from avatar3d.wear.sheet import Sheet
from avatar3d.wear.wearer import Wearer, ways_around

_COLUMNS: Final = 56
_ROWS: Final = (12, 18, 9)
"""Over the opening, beside it, below it."""
# Fine steps down a meridian: degrees down to the middle's height, from there so many metres each.
_STEPS: Final = np.arange(2.0, 214.0, 2.0)
_STEP_M: Final = 0.0015
# Cloth is so far off the skin, and at the opening's edge almost on it (metres).
_OFF_M: Final = 0.0045
_EDGE_OFF_M: Final = 0.0008
_MOST_M: Final = 0.05
_REACH_M: Final = 0.25
# Behind, it stands off as far as beside, times this.
_BEHIND: Final = 0.8
_WIDEST_DEG: Final = 112.0
_AROUND: Final = np.arange(-180.0, 180.0, 5.0)
# Toward the crown it stands off evenly all around; from under the chin it goes in by no more than so much a step (metres).
_CROWN_DEG: Final = 65.0
_UNDER_CHIN_DEG: Final = 130.0
_SPANS_M: Final = 0.0009
_TEXTURE_PX: Final = 448
_ALIKE_PX: Final = 14.0


def build_scarf(wearer: Wearer) -> tuple[list[Sheet], list[Float64[np.ndarray, "_ _ 2"]]]:
    """One sheet, and how far each of its points goes with head and neck."""
    radius = _radius(wearer)
    top, bottom, hem = _opening(wearer)
    edges = _edges(wearer, top, bottom)
    steps = np.concatenate([
        np.linspace(_STEPS[0], top, _ROWS[0], endpoint=False),
        (top + bottom) / 2 - (bottom - top) / 2 * np.cos(np.linspace(0, np.pi, _ROWS[1])),
        np.linspace(bottom, max(hem, bottom + 4), _ROWS[2] + 1)[1:],
    ])  # fmt: skip
    right, left = (np.interp(steps, _STEPS, edge)[:, None] for edge in edges)
    share = np.linspace(0, 1, _COLUMNS + 1)
    azimuth = left + share * (360 - left - right)  # from the left edge around the back to the right one
    own = np.empty_like(azimuth)
    wrapped = np.concatenate([radius, radius[:, :1]], axis=1)
    for row, step in enumerate(steps):
        line = np.array([np.interp(step, _STEPS, column) for column in wrapped.T])
        own[row] = np.interp((azimuth[row] + 180) % 360 - 180, np.append(_AROUND, 180.0), line)
    origin, ways = _rays(wearer, steps[:, None], azimuth)
    skin = wearer.outer(origin, ways)
    opened = np.broadcast_to((left + right) > 1, own.shape)
    tucked = np.minimum(share, 1 - share) * _COLUMNS
    # Rolled in at the edge of the opening.
    off = np.where(opened, np.interp(tucked, [0, 1, 2], [_EDGE_OFF_M, 0.6 * _OFF_M, _OFF_M]), _OFF_M)
    own = np.where(opened & (tucked < 1), skin + _EDGE_OFF_M, np.maximum(own, skin + off))
    points = origin + own[..., None] * ways
    points[0] = points[0].mean(0)
    closed = ~opened[:, 0]
    points[closed, -1] = points[closed, 0]
    down = np.clip((steps - bottom) / max(hem - bottom, 1), 0, 1)
    neck = np.broadcast_to((down * down * (3 - 2 * down))[:, None], own.shape)
    return [Sheet(points, _TEXTURE_PX, _ALIKE_PX)], [np.stack([1 - neck, neck], axis=-1)]


def _rays(
    wearer: Wearer, step: Float64[np.ndarray, "..."], azimuth_deg: Float64[np.ndarray, "..."]
) -> tuple[Float64[np.ndarray, "... 3"], Float64[np.ndarray, "... 3"]]:
    """Origins and unit ways of the meridians' steps."""
    step, azimuth = np.broadcast_arrays(step, azimuth_deg)
    polar = np.radians(np.minimum(step, 90))[..., None]
    ways = np.sin(polar) * ways_around(azimuth) + np.cos(polar) * np.array([0, 1.0, 0])
    down = np.maximum(step - 90, 0) * _STEP_M
    return wearer.middle - down[..., None] * np.array([0, 1.0, 0]), ways


def _radius(wearer: Wearer) -> Float64[np.ndarray, "P A"]:
    """How far out the cloth lies per step and _AROUND: over the skin, and beside the head where the photo shows it."""
    origin, ways = _rays(wearer, _STEPS[:, None], _AROUND[None])
    skin = wearer.outer(origin, ways)
    for row in range(1, len(skin)):
        skin[row] = np.where(skin[row] > 0, skin[row], skin[row - 1])  # below the bust
    lift = np.full((len(_STEPS), 2), _OFF_M)
    for side, azimuth in enumerate((-90.0, 90.0)):
        at, way = _rays(wearer, _STEPS, np.full(len(_STEPS), azimuth))
        column = int(np.argmin(np.abs(_AROUND - azimuth)))
        for row in range(0, len(_STEPS), 2):
            reach = wearer.reach(at[row], way[row], _REACH_M)
            lift[row : row + 2, side] = np.clip(reach - skin[row, column], _OFF_M, _MOST_M)
    lift = gaussian_filter1d(lift, 3.0, axis=0, mode="nearest")
    mean = lift.mean(1, keepdims=True)
    crown = np.clip(1 - _STEPS / _CROWN_DEG, 0, 1)[:, None]
    lift = lift + crown * (mean - lift)
    aside = np.sin(np.radians(_AROUND)) ** 2
    beside = np.where(np.sin(np.radians(_AROUND)) > 0, lift[:, 1:], lift[:, :1])
    ahead = np.cos(np.radians(_AROUND)) > 0
    along = np.where(ahead, _OFF_M, np.maximum(_BEHIND * mean, _OFF_M))
    along = along + crown * (mean - along)
    radius = skin + aside * beside + (1 - aside) * along
    for row in range(int(np.searchsorted(_STEPS, _UNDER_CHIN_DEG)), len(radius)):  # cloth spans what lies further in
        radius[row] = np.maximum(radius[row], radius[row - 1] - _SPANS_M)
    smooth = gaussian_filter1d(gaussian_filter1d(radius, 2.0, axis=0, mode="nearest"), 1.2, axis=1, mode="wrap")
    return np.maximum(smooth, skin + _OFF_M)


def _opening(wearer: Wearer) -> tuple[float, float, float]:
    """Steps at which the opening begins on the forehead and ends under the chin, and that of the hem."""
    ahead = _worn(wearer, np.arange(-8.0, 9.0, 4.0)).mean(1) > 0.5
    around = _worn(wearer, np.arange(-60.0, 61.0, 6.0)).mean(1) > 0.35
    covered = np.flatnonzero(ahead & (_STEPS < 100))
    first = int(covered[-1]) if len(covered) else int(np.searchsorted(_STEPS, 55))
    below = np.flatnonzero(ahead & (_STEPS > 115))
    last = int(below[0]) if len(below) else int(np.searchsorted(_STEPS, 170))
    worn = np.flatnonzero(around)
    hem = float(_STEPS[worn[-1]]) if len(worn) else 200.0
    return float(_STEPS[first]), float(_STEPS[last]), max(hem, float(_STEPS[last]) + 6)


def _edges(wearer: Wearer, top: float, bottom: float) -> tuple[Float64[np.ndarray, "P"], Float64[np.ndarray, "P"]]:
    """Azimuth at which the cloth begins, per step, on the person's right and left; 0 where it is closed ahead."""
    inside = (_STEPS > top) & (_STEPS < bottom)  # noqa: SIM300 (steps are no constant here)
    azimuth = np.arange(0.0, _WIDEST_DEG + 1, 2.0)
    edges: list[Float64[np.ndarray, "P"]] = []
    for side in (-1, 1):
        worn = _worn(wearer, side * azimuth) > 0.5
        worn = worn & np.roll(worn, -1, axis=1)
        worn[:, -1] = True
        first = azimuth[np.argmax(worn, axis=1)]
        # Squares of an ellipse's widths go smoothly to 0 at both its ends.
        square = np.where(inside, first**2, 0)
        edges.append(np.sqrt(gaussian_filter1d(square, 2.0, mode="nearest")) * inside)
    return edges[0], edges[1]


def _worn(wearer: Wearer, azimuth: Float64[np.ndarray, "A"]) -> Float32[np.ndarray, "P A"]:
    """How surely the photo shows cloth right over the skin."""
    origin, ways = _rays(wearer, _STEPS[:, None], azimuth[None])
    return wearer.worn(origin + (wearer.outer(origin, ways) + _OFF_M)[..., None] * ways)
