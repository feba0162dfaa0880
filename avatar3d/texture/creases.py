"""Lines that the photo's expression folds into the skin: gone from the neutral face in proportion to the folding.

neutral, posed head --> compression of the skin --> where it creases; dark lines there --> lifted in part, bright ones sunk
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.texture.atlas import Atlas
from avatar3d.texture.planes import reduced
from avatar3d.texture.regions import blur

_COMPRESSED: Final = (0.03, 0.16)
"""Shortening of the skin from which it creases, and from which it does so fully."""
_BESIDE: Final = 0.010
"""A fold lies at the edge of the skin pushed together, this far around it, atlas edges."""
_KNOWN: Final = 10.0
"""A fold is seen edge-on: a tenth of full belief tells its depth."""
_DIRECTIONS: Final = 12
_UNIT: Final = 1 / 128
"""Depths are opened as bytes: this much log colour a step."""


@dataclass(frozen=True)
class Kind:
    """A kind of dark line; lengths in texels of an atlas reduced to `edge`, a thousandth of which is a quarter millimetre."""

    edge: int
    widest: int
    """What is wider is shade."""
    shortest: int
    """What is shorter is a mole, a pore or stubble."""
    knee: float
    """Depth in log colour that lines may keep: skin has grain."""
    lost: float
    """Share of the rest that a full crease loses. Folds are part of a smile's likeness: valleys at .75 and grounds at .85,
    with temper's folds at .75, cost .2 dB over 25 portraits against .40, .50 and .40."""


LINES: Final = Kind(edge=512, widest=9, shortest=9, knee=0.03, lost=0.90)
"""Lines of the lids and beside the eyes, and the bright ridges between them. Both cost .058 dB over 16 portraits."""
VALLEYS: Final = Kind(edge=256, widest=15, shortest=15, knee=0.03, lost=0.65)
GROUNDS: Final = Kind(edge=1024, widest=9, shortest=15, knee=0.05, lost=0.75)
"""The line along the ground of a valley, where skin touches skin."""


def creased_skin(model: HeadModel, fitted: HeadFit, atlas: Atlas) -> Float32[np.ndarray, "S S"]:
    """How surely the photo's expression folds the skin, 0 to 1, on the face's atlas.

    Told by how much the expression shortens the skin in the direction in which it shortens it most.
    """
    triangles = model.triangles[model.part("face")]
    neutral, posed = _frames(fitted.neutral, triangles), _frames(fitted.posed, triangles)
    with np.errstate(divide="ignore", invalid="ignore"):
        shortest = np.nan_to_num(_least_stretch(neutral, posed), nan=1.0, posinf=1.0)
    total = np.bincount(triangles.T.ravel(), np.tile(shortest, 3), len(model.rest))
    count = np.bincount(triangles.ravel(), minlength=len(model.rest))
    short = 1 - total / np.maximum(count, 1)
    share = np.clip((short - _COMPRESSED[0]) / (_COMPRESSED[1] - _COMPRESSED[0]), 0, 1).astype(np.float32)
    picture = atlas.image(atlas.blend(share[:, None])[:, 0])
    size = atlas.size // 4
    small = np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.float32)
    reach = max(1, round(_BESIDE * size))
    small = blur(np.asarray(cv2.dilate(small, np.ones((2 * reach + 1,) * 2, np.uint8)), np.float32), reach)
    return np.asarray(cv2.resize(small, (atlas.size, atlas.size), interpolation=cv2.INTER_LINEAR), np.float32)


def _frames(vertices: Float32[np.ndarray, "V 3"], triangles: np.ndarray) -> np.ndarray:
    """Each triangle laid flat: length of its first side, and the second side along and across it, [F 3]."""
    first, second = (vertices[triangles[:, k]] - vertices[triangles[:, 0]] for k in (1, 2))
    length = np.linalg.norm(first, axis=1)
    along = (first * second).sum(axis=1) / length
    across = np.sqrt(np.maximum((second * second).sum(axis=1) - along * along, 0))
    return np.stack([length, along, across], axis=1).astype(np.float64)


def _least_stretch(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Least singular value of the map from one flat triangle to another, [F]."""
    a = after[:, 0] / before[:, 0]
    d = after[:, 2] / before[:, 2]
    b = (after[:, 1] - a * before[:, 1]) / before[:, 2]
    half, area = (a * a + b * b + d * d) / 2, a * d
    return np.sqrt(np.maximum(half - np.sqrt(np.maximum(half * half - area * area, 0)), 0))


def sink_ridges(
    ratio: Float32[np.ndarray, "S S 3"],
    weight: Float32[np.ndarray, "S S"],
    drawn: Float32[np.ndarray, "S S"],
    creased: Float32[np.ndarray, "S S"],
) -> Float32[np.ndarray, "S S 3"]:
    """As lift_creases, for the skin that stands up between folds and catches the light: long bright lines."""
    return -lift_creases(-ratio, weight, drawn, creased)


def lift_creases(
    ratio: Float32[np.ndarray, "S S 3"],
    weight: Float32[np.ndarray, "S S"],
    drawn: Float32[np.ndarray, "S S"],
    creased: Float32[np.ndarray, "S S"],
    kind: Kind = LINES,
) -> Float32[np.ndarray, "S S 3"]:
    """Long dark lines of log colour drawn toward the skin on both their sides, as far as the skin is creased there."""
    share = creased * np.clip(1 - 2.5 * drawn, 0, 1) * (weight > 0)
    rows, columns = np.flatnonzero(share.max(axis=1) > 0.02), np.flatnonzero(share.max(axis=0) > 0.02)
    if len(rows) == 0:
        return ratio
    margin = round(0.04 * len(ratio))
    top, left = max(rows[0] - margin, 0), max(columns[0] - margin, 0)
    window = slice(top, rows[-1] + margin + 1), slice(left, columns[-1] + margin + 1)
    known = (np.clip(_KNOWN * weight, 0, 1) * np.clip(1 - 2.5 * drawn, 0, 1))[window]
    depth = _depth(ratio[window], known, kind, len(ratio)) * share[window][..., None] * np.float32(kind.lost)
    lifted = ratio.copy()
    lifted[window] += depth
    return lifted


def _depth(
    ratio: Float32[np.ndarray, "H W 3"], known: Float32[np.ndarray, "H W"], kind: Kind, size: int
) -> Float32[np.ndarray, "H W 3"]:
    """How far below the skin on both its sides each texel of a long line lies, 0 elsewhere; `size` is the atlas's edge."""
    scale = kind.edge / size
    shape = max(1, round(ratio.shape[1] * scale)), max(1, round(ratio.shape[0] * scale))
    packed = blur(reduced(ratio, known, shape), 0.6)
    around = blur(packed, 0.5 * kind.widest) + np.float32(1e-6)  # lips and what is unseen are neither light nor dark
    around, share = around[..., :3] / around[..., 3:], packed[..., 3:]
    small = packed[..., :3] + (1 - share) * around
    wide = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (kind.widest, kind.widest))
    closed = np.asarray(cv2.morphologyEx(small, cv2.MORPH_CLOSE, wide), np.float32)
    depth = np.clip((closed - small) / np.float32(_UNIT), 0, 255).astype(np.uint8)
    long = np.zeros_like(depth)
    for kernel in _strokes(kind.shortest):
        long = np.maximum(long, cv2.morphologyEx(depth, cv2.MORPH_OPEN, kernel))
    # The opening leaves out where a line bends: grown back by a texel, as deep as the line is there.
    long = np.minimum(depth, cv2.dilate(long, np.ones((3, 3), np.uint8)))
    lines = blur(np.clip(long.astype(np.float32) * np.float32(_UNIT) - np.float32(kind.knee), 0, None), 0.6)
    return np.asarray(cv2.resize(lines, ratio.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=3)
def _strokes(length: int) -> tuple[UInt8[np.ndarray, "K K"], ...]:
    """Straight strokes through the middle of a square, one a direction."""
    middle = length // 2
    strokes: list[UInt8[np.ndarray, "K K"]] = []
    for angle in np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS:
        stroke = np.zeros((length, length), np.uint8)
        x, y = round(middle * np.cos(angle)), round(middle * np.sin(angle))
        cv2.line(stroke, (middle - x, middle - y), (middle + x, middle + y), (1,))
        strokes.append(stroke)
    return tuple(strokes)
