"""How our head's lips stand, in millimetres, and how they meet for p b m and tuck for f v whatever else the face does.

weights --> gap, tuck, width, protrusion        (linear, as morph targets are: data/mouth.json, from the rigged mean head)
weights, closed, tucked --> seal --> weights    (applied last, after emotion)
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES

_JAW: Final = ARKIT_INDEX["jawOpen"]
_CLOSE: Final = ARKIT_INDEX["mouthClose"]
# What parts the lips by itself: a closure takes it away ...
_PARTS: Final = (
    "mouthFunnel", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthShrugUpper",
    "mouthRollLower", "mouthRollUpper", "tongueOut",
)  # fmt: skip
# ... and this gentle pressing keeps the lips in touch where a person's own shapes differ from the mean head's.
_PRESSED: Final = 0.12
# For f and v the lower lip goes back by what brings it under the upper teeth's edges (4.3 mm behind it at rest), the jaw
# nearly shut, the upper lip out of the way: measured on the rigged mean head.
_TUCKED_ROLL: Final = 0.36
_TUCKED_JAW: Final = 0.05
_TUCKED_UPPER: Final = 0.16
_TUCKED_KEEPS: Final = {
    "mouthFunnel": 0.15, "mouthPucker": 0.4, "mouthLowerDownLeft": 0.0, "mouthLowerDownRight": 0.0,
    "mouthShrugLower": 0.3, "mouthShrugUpper": 0.3, "mouthClose": 0.0, "tongueOut": 0.0, "mouthRollUpper": 0.0,
    "mouthPressLeft": 0.2, "mouthPressRight": 0.2,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Ruler:
    """Linear measures of the mouth of the rigged mean head: millimetres at rest and per unit of each weight."""

    gap_mm: float
    gaps_mm: Float32[np.ndarray, "52"]
    """Opening between the middles of the lips, which touch at rest."""
    below_mm: float
    belows_mm: Float32[np.ndarray, "52"]
    """How far the lower lip's edge lies below the upper incisors' edges ..."""
    before_mm: float
    befores_mm: Float32[np.ndarray, "52"]
    """... and before them."""
    width_mm: float
    widths_mm: Float32[np.ndarray, "52"]
    """Between the corners of the mouth."""
    protrusions_mm: Float32[np.ndarray, "52"]
    """Mean of both lips, forward of rest."""


@lru_cache(maxsize=1)
def mouth_ruler() -> Ruler:
    """The ruler of the shipped head; `tools/build_mouth.py` measures it."""
    told = json.loads((resources.files("avatar3d.speech") / "data" / "mouth.json").read_text(encoding="utf-8"))
    if tuple(told["names"]) != ARKIT_NAMES:
        raise AssertionError("data/mouth.json belongs to other shapes: run tools/build_mouth.py")
    rows = {name: np.array(value, np.float32) for name, value in told["mm"].items()}
    return Ruler(
        gap_mm=float(rows["gap_mm"]),
        gaps_mm=rows["gaps_mm"],
        below_mm=float(rows["below_mm"]),
        belows_mm=rows["belows_mm"],
        before_mm=float(rows["before_mm"]),
        befores_mm=rows["befores_mm"],
        width_mm=float(rows["width_mm"]),
        widths_mm=rows["widths_mm"],
        protrusions_mm=rows["protrusions_mm"],
    )


def gap_mm(weights: Float32[np.ndarray, "*N 52"]) -> Float32[np.ndarray, "*N"]:
    """Opening between the middles of the lips; negative where they press."""
    ruler = mouth_ruler()
    return np.asarray(ruler.gap_mm + weights @ ruler.gaps_mm, np.float32)


def tuck_mm(weights: Float32[np.ndarray, "*N 52"]) -> Float32[np.ndarray, "*N"]:
    """How far the lower lip's edge is from the upper incisors' edges: small for f and v."""
    ruler = mouth_ruler()
    below = ruler.below_mm + weights @ ruler.belows_mm
    before = ruler.before_mm + weights @ ruler.befores_mm
    # A lip above the edges touches the teeth's faces; behind them it is still tucked.
    return np.asarray(np.hypot(np.maximum(below, 0), np.maximum(before, 0)), np.float32)


def width_mm(weights: Float32[np.ndarray, "*N 52"]) -> Float32[np.ndarray, "*N"]:
    """Between the corners of the mouth."""
    ruler = mouth_ruler()
    return np.asarray(ruler.width_mm + weights @ ruler.widths_mm, np.float32)


def protrusion_mm(weights: Float32[np.ndarray, "*N 52"]) -> Float32[np.ndarray, "*N"]:
    """How far the lips stand before their place at rest."""
    return np.asarray(weights @ mouth_ruler().protrusions_mm, np.float32)


def seal(
    weights: Float32[np.ndarray, "*N 52"],
    closed: Float32[np.ndarray, "*N"] | float,
    tucked: Float32[np.ndarray, "*N"] | float,
) -> Float32[np.ndarray, "*N 52"]:
    """The weights with lips that meet as far as `closed` (0 to 1, for p b m) and tuck as far as `tucked` (f v) asks.

    At 1 the lips touch whatever emotion, smile or opening was there: mouthClose undoes all of jawOpen, and what else
    parts the lips is gone. A closure wins over a tuck.
    """
    shut = np.clip(np.asarray(closed, np.float32), 0, 1)
    tuck = np.clip(np.asarray(tucked, np.float32), 0, 1) * (1 - shut)
    sealed = np.array(weights, np.float32)
    if not (shut.any() or tuck.any()):
        return sealed
    table, shut, tuck = seal_table(), shut[..., None], tuck[..., None]
    sealed *= 1 - tuck * (1 - table.tuck_keeps)
    sealed += tuck * (np.minimum(sealed, table.tuck_at_most) - sealed)
    sealed += tuck * (sealed * (1 - table.tuck_sets) + table.tuck_to - sealed)
    sealed = np.maximum(sealed, tuck * table.tuck_at_least)
    sealed *= 1 - shut * table.closed_takes
    sealed = np.maximum(sealed, shut * table.closed_at_least)
    without = sealed.copy()
    without[..., _CLOSE] = 0
    # Never less than jawOpen, with which a person's own mouthClose meets exactly, as far as the lips are to meet.
    whole = np.clip(np.maximum(without @ table.close_per_gap, sealed[..., _JAW]), 0, 1)
    sealed[..., _CLOSE] += shut[..., 0] * (whole - sealed[..., _CLOSE])
    return sealed.astype(np.float32)


@dataclass(frozen=True, eq=False)
class SealTable:
    """What a tuck and a closure do to each of the 52 weights."""

    tuck_keeps: Float32[np.ndarray, "52"]
    """Factors ..."""
    tuck_at_most: Float32[np.ndarray, "52"]
    """... then upper bounds ..."""
    tuck_sets: Float32[np.ndarray, "52"]
    tuck_to: Float32[np.ndarray, "52"]
    """... then values for those marked ..."""
    tuck_at_least: Float32[np.ndarray, "52"]
    """... then lower bounds."""
    closed_takes: Float32[np.ndarray, "52"]
    closed_at_least: Float32[np.ndarray, "52"]
    close_per_gap: Float32[np.ndarray, "52"]
    """Weights of mouthClose that undo the gap of each weight."""


@lru_cache(maxsize=1)
def seal_table() -> SealTable:
    """The table for the shipped head; speech/network/onnx.py writes it into its graph."""
    ruler = mouth_ruler()

    def row(otherwise: float, **values: float) -> Float32[np.ndarray, "52"]:
        made = np.full(len(ARKIT_NAMES), otherwise, np.float32)
        for name, value in values.items():
            made[ARKIT_INDEX[name]] = value
        return made

    return SealTable(
        tuck_keeps=row(1, **_TUCKED_KEEPS),
        tuck_at_most=row(1e6, jawOpen=_TUCKED_JAW),
        tuck_sets=row(0, mouthRollLower=1),
        tuck_to=row(0, mouthRollLower=_TUCKED_ROLL),
        tuck_at_least=row(0, mouthUpperUpLeft=_TUCKED_UPPER, mouthUpperUpRight=_TUCKED_UPPER),
        closed_takes=row(0, **dict.fromkeys(_PARTS, 1.0)),
        closed_at_least=row(0, mouthPressLeft=_PRESSED, mouthPressRight=_PRESSED),
        close_per_gap=(ruler.gaps_mm / -ruler.gaps_mm[_CLOSE]).astype(np.float32),
    )
