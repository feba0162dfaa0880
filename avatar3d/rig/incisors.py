"""How much of the front teeth this mouth shows.

neutral --> dentition lowered until the upper incisors reach below this upper lip, as they do behind relaxed lips
jawOpen --> both lips drawn off the teeth, so that an open mouth shows their edges and not a dark hole

Women of 30 show 3 mm of their upper incisors when the lips just part, men 2 mm (Vig & Brundo 1978, "The kinetics of
anterior tooth display"). The scans' mean jawOpen drops the lip by 2.5 mm over them, which hides them in any light.
"""

from typing import Final

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel
from avatar3d.rig.jaw import jaw_way
from avatar3d.rig.lips import find_lip_pairs

# What shows of the upper incisors behind lips that just part; of upper and lower ones at jawOpen 1 (metres).
_RELAXED_M: Final = 0.0025
_BARED_UPPER_M: Final = 0.0045
_BARED_LOWER_M: Final = 0.002
# Teeth come down, and lips give way, by no more than this (metres).
_LOWERED_M: Final = 0.002
_DRAWN_M: Final = 0.006
# What comes down with the teeth, and how far: a tongue left behind would meet them, one that kept up would meet the lip.
_DENTITION: Final = {"teethUpper": 1.0, "teethLower": 1.0, "tongue": 0.5}
# Half the width of the four upper incisors, of the middle of the lip, and how far behind the foremost tooth they end.
_INCISORS_M: Final = 0.008
_MIDDLE_M: Final = 0.004
_ROW_M: Final = 0.012


def seat_teeth(model: HeadModel, neutral: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "V 3"]:
    """The neutral (metres, mouth shut) with its dentition where the relaxed lip shows it; teeth never go up."""
    pairs = find_lip_pairs(model)
    if len(pairs.lower) == 0:
        return neutral
    lowered = float(np.clip(_RELAXED_M - teeth_shown(model, neutral)[0], 0, _LOWERED_M))
    seated = neutral.copy()
    for name, share in _DENTITION.items():
        seated[np.unique(model.triangles[model.part(name)]), 1] -= np.float32(share * lowered)
    return seated


def bare_teeth(
    model: HeadModel, neutral: Float32[np.ndarray, "V 3"], shapes: Float32[np.ndarray, "52 V 3"]
) -> Float32[np.ndarray, "52 V 3"]:
    """The shapes (metres) with jawOpen drawing the lips off the incisors; mouthClose lets them go again."""
    pairs = find_lip_pairs(model)
    if len(pairs.lower) == 0:
        return shapes
    jaw, close = ARKIT_INDEX["jawOpen"], ARKIT_INDEX["mouthClose"]
    upper, lower = teeth_shown(model, neutral, neutral + shapes[jaw])
    lift, drop = np.clip([_BARED_UPPER_M - upper, _BARED_LOWER_M - lower], 0, _DRAWN_M)
    drawn = np.zeros((len(pairs.lower) + len(pairs.handles_upper), 3), np.float32)
    drawn[: len(pairs.lower), 1] = -drop * _from_corner(neutral[pairs.lower, 0])
    drawn[len(pairs.lower) :, 1] = lift * _from_corner(neutral[pairs.handles_upper, 0])
    bared = shapes.copy()
    bared[jaw] = pairs.spread.apply(shapes[jaw], drawn)
    bared[close] = pairs.spread.apply(shapes[close], -drawn)
    return bared


def teeth_shown(
    model: HeadModel, neutral: Float32[np.ndarray, "V 3"], opened: Float32[np.ndarray, "V 3"] | None = None
) -> tuple[float, float]:
    """How far the upper and the lower incisors reach past the edges of their lips (metres).

    With the mouth shut, or as the skin lies in `opened`, at jawOpen 1.
    """
    pairs = find_lip_pairs(model)
    skin = neutral if opened is None else opened
    upper, lower = (_incisors(model, part) for part in ("teethUpper", "teethLower"))
    edge = neutral[lower, 1]
    if opened is not None:
        edge = edge + jaw_way(model, neutral, lower)[:, 1]
    upper_lip, lower_lip = (
        skin[lip[np.abs(model.rest[lip, 0]) < _MIDDLE_M], 1] for lip in (pairs.handles_upper, pairs.lower)
    )
    return float(upper_lip.min() - neutral[upper, 1].min()), float(edge.max() - lower_lip.max())


def _from_corner(across: Float32[np.ndarray, "N"]) -> Float32[np.ndarray, "N"]:
    """1 in the middle of the lip, 0 where it ends."""
    aside = np.abs(across - np.median(across))
    return np.cos(aside / max(float(aside.max()), 1e-6) * np.pi / 2)


def _incisors(model: HeadModel, part: str) -> Int32[np.ndarray, "N"]:
    teeth = np.unique(model.triangles[model.part(part)]).astype(np.int32)
    front = model.rest[teeth, 2] > model.rest[teeth, 2].max() - _ROW_M
    return teeth[front & (np.abs(model.rest[teeth, 0]) < _INCISORS_M)]
