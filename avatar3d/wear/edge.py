"""Where a hat ends on the head, and whether a brim or a visor goes on beyond it.

mask --skull's surface, azimuth by azimuth--> heights --robustly--> a tilted line, lower behind, where nobody looks
     `-- wider at the edge than over it --> brim;   lower ahead than beside --> visor
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d, median_filter  # pyright: ignore[reportUnknownVariableType]

from avatar3d.wear.wearer import Wearer, ways_around

COLUMNS: Final = 40
AROUND: Final = np.linspace(-180, 180, COLUMNS + 1)
"""Azimuths of a hat's columns, degrees; the last is the first again."""
OFF_M: Final = 0.0035
"""Cloth is so far off the skin."""
MOST_M: Final = 0.26
"""No brim reaches further from the axis, and no top higher over the edge."""
# Where the edge is looked for: azimuths from the camera's (degrees), heights over the eyes (inter-ocular distances); it was
# found where so many azimuths show it.
_ASIDE_DEG: Final = 72.0
_HEIGHTS: Final = (-0.9, 1.9)
_ENOUGH: Final = 8
# Heights that stray so far from the line count less (metres).
_STRAY_M: Final = 0.004
# Behind, hats sit lower than ahead by at least so much (inter-ocular distances), but not below the nape; by eye.
_LOWER_BEHIND: Final = {"plain": 0.55, "visor": 0.5, "brim": 0.25}
_NAPE: Final = -0.75
# A brim is so much wider than the head under it, and by so much of that head's width wider than the crown a quarter of the
# inter-ocular distance over it: seven of eight made hats by .13 to 1.04, of twenty without a brim one by more than .10.
_BRIM: Final = (1.12, 0.12)
_LEVEL: Final = 0.05
_LEVELS_OVER: Final = 5
# A visor comes so much lower ahead than the edge beside it (inter-ocular distances); those azimuths (degrees).
_VISOR_LOW: Final = 0.20
_AHEAD_DEG: Final = 20.0
_BESIDE_DEG: Final = (45.0, 75.0)
_BARE_DEG: Final = 38.0
# The crown's edge behind a brim, over what the photo shows of the brim (inter-ocular distances).
_OVER_BRIM: Final = 0.10

Rim = Literal["plain", "brim", "visor"]


@dataclass(frozen=True, eq=False)
class Edge:
    """Where a hat ends on the head."""

    rim: Rim
    y_m: Float64[np.ndarray, "A"]
    """Height per AROUND; metres."""
    radius_m: Float64[np.ndarray, "A"]
    """From the axis through the skull's middle."""
    low_ahead_m: float
    """Height at which the photo shows the lowest of it ahead, as if it lay on the skin: of a brim or visor too."""

    def beside(self, side: float) -> tuple[float, float]:
        """Height and radius at 90 degrees on the left (1) or right (-1)."""
        height, radius = (float(np.interp(90 * side, AROUND, values)) for values in (self.y_m, self.radius_m))
        return height, radius


def find_edge(wearer: Wearer) -> Edge | None:
    """None where the photo shows no edge on this head."""
    seen = _seen_edge(wearer)
    if seen is None:
        return None
    azimuth, y = seen
    rim = _rim(wearer, azimuth, y)
    used = np.abs(azimuth) > _BARE_DEG if rim == "visor" else np.ones(len(azimuth), bool)
    line = _tilted_line(azimuth[used], y[used])
    turn = np.radians(AROUND)
    height = line[0] + line[1] * np.cos(turn) + line[2] * np.sin(turn)
    if rim == "brim":
        height = height + _OVER_BRIM * wearer.iod_m
    ahead, behind = height[COLUMNS // 2], height[0]
    lower = max(0.0, behind - max(ahead - _LOWER_BEHIND[rim] * wearer.iod_m, wearer.eyes[1] + _NAPE * wearer.iod_m))
    height = height - lower * ((1 - np.cos(turn)) / 2) ** 1.5
    place = on_skin(wearer, AROUND, height)
    radius = np.hypot(place[:, 0] - wearer.middle[0], place[:, 2] - wearer.middle[2])
    radius[:-1] = gaussian_filter1d(median_filter(radius[:-1], 3, mode="wrap"), 1.0, mode="wrap")
    radius[-1] = radius[0]
    return Edge(rim, height, radius, float(np.median(y)) if rim == "brim" else _low_ahead(azimuth, y))


def on_skin(
    wearer: Wearer, azimuth_deg: Float64[np.ndarray, "..."], y_m: Float64[np.ndarray, "..."]
) -> Float64[np.ndarray, "... 3"]:
    """Points right over the skin at these heights."""
    azimuth, y = np.broadcast_arrays(azimuth_deg, y_m)
    ways = ways_around(azimuth)
    axis = np.stack([np.full_like(y, wearer.middle[0]), y, np.full_like(y, wearer.middle[2])], axis=-1)
    return axis + (wearer.root(axis, ways) + OFF_M)[..., None] * ways


def _seen_edge(wearer: Wearer) -> tuple[Float64[np.ndarray, "N"], Float64[np.ndarray, "N"]] | None:
    """Azimuths at which the camera sees the edge on the head, and its heights there (metres)."""
    azimuth = wearer.camera_deg + np.arange(-_ASIDE_DEG, _ASIDE_DEG + 1, 4.0)
    y = wearer.eyes[1] + wearer.iod_m * np.arange(*_HEIGHTS, 0.02)
    points = on_skin(wearer, azimuth[:, None], y[None])
    worn = wearer.worn(points) > 0.5
    # The lowest height over which it goes on.
    sure = worn & np.roll(worn, -2, axis=1) & np.roll(worn, -5, axis=1)
    found = sure.any(axis=1)
    if found.sum() < _ENOUGH:
        return None
    return azimuth[found], y[np.argmax(sure[found], axis=1)]


def _rim(wearer: Wearer, azimuth: Float64[np.ndarray, "N"], y: Float64[np.ndarray, "N"]) -> Rim:
    axis = wearer.middle * [1, 0, 1]
    line = _tilted_line(azimuth, y)
    over = np.arange(-0.4, 0.85, _LEVEL) * wearer.iod_m
    low = high = head = 0.0
    for side in (-1.0, 1.0):
        level = float(line[0] + side * line[2])
        way = np.array([side, 0, 0])
        reaches = np.array([wearer.reach(axis + [0, level + each, 0], way, MOST_M) for each in over])
        widest = int(np.argmax(reaches[over < 0.5 * wearer.iod_m]))
        low, high = low + reaches[widest], high + reaches[widest + _LEVELS_OVER]
        head += abs(float(on_skin(wearer, np.array([90.0 * side]), np.array([level]))[0, 0] - wearer.middle[0]))
    if low > _BRIM[0] * head and low - high > _BRIM[1] * head:
        return "brim"
    beside = (np.abs(azimuth) > _BESIDE_DEG[0]) & (np.abs(azimuth) < _BESIDE_DEG[1])
    if beside.any() and np.median(y[beside]) - _low_ahead(azimuth, y) > _VISOR_LOW * wearer.iod_m:
        return "visor"
    return "plain"


def _low_ahead(azimuth: Float64[np.ndarray, "N"], y: Float64[np.ndarray, "N"]) -> float:
    """Height of the edge ahead."""
    near = np.abs(azimuth) < _AHEAD_DEG
    return float(np.median(y[near])) if near.any() else float(y.min())


def _tilted_line(azimuth: Float64[np.ndarray, "N"], y: Float64[np.ndarray, "N"]) -> Float64[np.ndarray, "3"]:
    """Height, how much higher ahead, how much higher on the left: robust, and level unless many azimuths say otherwise."""
    around = np.radians(azimuth)
    design = np.stack([np.ones_like(around), np.cos(around), np.sin(around)], axis=1)
    prior = np.diag([0, 1.0, 0.05])
    weight, line = np.ones(len(around)), np.zeros(3)
    for _ in range(6):
        line = np.linalg.solve(design.T @ (weight[:, None] * design) + prior, design.T @ (weight * y))
        weight = np.minimum(1, _STRAY_M / np.maximum(np.abs(y - design @ line), 1e-6))
    return line
