"""Hats: a crown over the skull between the edge and the top that the photo shows, with a brim or a visor when there is one.

Edge + mask --outline beside the axis, level by level--> sections, like the head's at the edge --> crown, off the skull
"""

from typing import Final

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d, median_filter  # pyright: ignore[reportUnknownVariableType]

from avatar3d.wear.brims import add_brim, add_visor
from avatar3d.wear.edge import AROUND, COLUMNS, MOST_M, OFF_M, Edge, on_skin
from avatar3d.wear.sheet import Sheet
from avatar3d.wear.wearer import Wearer, ways_around

_LEVELS: Final = 14
# The edge lies on the skin, so far below where it seems to end (metres).
_EDGE_OFF_M: Final = 0.0004
_TURNED_IN_M: Final = 0.0015
# A top that ends lower than this over the crown of the head was cut off by the picture (metres).
_CUT_OFF_M: Final = 0.002
# Sections are so much larger than the head's at the edge, at least and at most; the top's flat part beside that below it.
_SECTIONS: Final = (0.04, 1.35)
_ROUNDED: Final = 0.6
# Below this share of its height what is wider than the crown there is brim, or visor.
_NO_CROWN: Final = {"plain": 0.0, "visor": 0.2, "brim": 0.35}
_CROWN_PX: Final = 352


def build_hat(wearer: Wearer, edge: Edge) -> list[Sheet]:
    """Crown, then what goes on beyond its edge."""
    crown = _crown(wearer, edge, *_sections(wearer, edge))
    sheets = [Sheet(crown, _CROWN_PX)]
    if edge.rim == "brim":
        sheets.append(add_brim(wearer, edge, crown[-2]))
    if edge.rim == "visor":
        sheets.append(add_visor(wearer, edge))
    return sheets


def _sections(wearer: Wearer, edge: Edge) -> tuple[float, Float64[np.ndarray, "L 2"]]:
    """The top's height (metres), and how large each level's section is to the right and left of the axis, the edge's being 1."""
    beside, wide = zip(*(edge.beside(side) for side in (-1, 1)), strict=True)
    axis = wearer.middle * [1, 0, 1]
    base = float(np.mean(beside))
    top = base + wearer.reach(axis + [0, base, 0], np.array([0, 1.0, 0]), MOST_M)
    crown = wearer.middle[1] + float(wearer.outer(wearer.middle, np.array([0, 1.0, 0])))
    cut_off = top < crown + _CUT_OFF_M
    top = max(top, crown + 2 * OFF_M)
    share = np.sin(np.linspace(0, np.pi / 2, _LEVELS))
    sections = np.ones((_LEVELS, 2))
    for level, t in enumerate(share[:-1]):
        at = axis + [0, (1 - t) * base + t * top, 0]
        for side, (low, radius) in enumerate(zip(beside, wide, strict=True)):
            way = np.array([(-1, 1)[side] * radius, (1 - t) * (low - base), 0])
            length = float(np.linalg.norm(way))
            sections[level, side] = wearer.reach(at, way / length, MOST_M) / length
    dome = np.sqrt(np.maximum(1 - share**2, 0))[:, None]
    sections = np.maximum(sections, dome)  # cloth that stands on a skull is no cone
    if cut_off:
        sections = np.minimum(sections, 1.05 * dome + 0.02)
    if edge.rim != "plain":  # what goes on beyond the edge is no crown
        first = int(np.argmax(share > _NO_CROWN[edge.rim]))
        sections[:first] = np.minimum(sections[:first], np.maximum(sections[first], 1))
    sections[-1] = _ROUNDED * sections[-2]
    sections = np.clip(sections, *_SECTIONS)
    sections = gaussian_filter1d(median_filter(sections, (3, 1), mode="nearest"), 0.8, axis=0, mode="nearest")
    return top, sections


def _crown(
    wearer: Wearer, edge: Edge, top_m: float, sections: Float64[np.ndarray, "L 2"]
) -> Float64[np.ndarray, "R C 3"]:
    """Rows from the top down to the edge, which is turned in to the skin."""
    share = np.sin(np.linspace(0, np.pi / 2, _LEVELS))[:, None]
    turn = np.radians(AROUND)
    right, left = sections.T[..., None]
    size = np.where(np.sin(turn) > 0, left, right)
    deep = (right + left) / 2
    # Ahead and behind, the mean of both sides; from the side, the side's own.
    size = deep + (size - deep) * np.sin(turn) ** 2
    x = edge.radius_m * np.sin(turn) * size
    z = edge.radius_m * np.cos(turn) * deep
    y = (1 - share) * edge.y_m + share * top_m + 0 * x
    rows = np.stack([wearer.middle[0] + x, y, wearer.middle[2] + z], axis=-1)
    rows = _off_skin(wearer, rows)
    tip = np.array([wearer.middle[0], rows[-1, :, 1].max() + 0.0005, wearer.middle[2]])
    rim = on_skin(wearer, AROUND, edge.y_m - _TURNED_IN_M) - (OFF_M - _EDGE_OFF_M) * ways_around(AROUND)
    rim = rim[None]
    points = np.concatenate([np.broadcast_to(tip, (1, COLUMNS + 1, 3)), rows[::-1], rim])
    points[:, -1] = points[:, 0]
    return points


def _off_skin(wearer: Wearer, points: Float64[np.ndarray, "R C 3"]) -> Float64[np.ndarray, "R C 3"]:
    """Pushed away from the skull's middle where skin would show through."""
    away = points - wearer.middle
    length = np.linalg.norm(away, axis=-1)
    ways = away / length[..., None]
    return wearer.middle + np.maximum(length, wearer.root(wearer.middle, ways) + OFF_M)[..., None] * ways
