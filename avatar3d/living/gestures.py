"""What a face can be asked to do once: a nod, a shake of the head, a wink. On top of whatever it does.

Sizes and times are those of conversation: a nod goes down by 6 to 12 degrees in a quarter of a second and comes back with a
smaller one after it; a shake turns twice to each side (Cerrato & Svanfeldt 2005; Hadar et al. 1985).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX, Frame
from avatar3d.core.errors import UsageError
from avatar3d.speech.performance.blink import close_lids
from avatar3d.speech.performance.easing import minimum_jerk
from avatar3d.speech.performance.head_motion import Angles, head_wxyz

_DEG: Final = math.pi / 180
_NOD: Final = 9 * _DEG
_SHAKE: Final = 11 * _DEG
_TILT: Final = 9 * _DEG
_BROW: Final = 0.75
_RAISED: Final = np.array([ARKIT_INDEX[name] for name in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")])
_SIDES: Final = MappingProxyType({"wink_left": "Left", "wink_right": "Right"})


@dataclass(frozen=True)
class Gesture:
    """One that was asked for, and when."""

    name: str
    began_s: float

    def __post_init__(self) -> None:
        if self.name not in LASTS_S:
            raise UsageError(f"no gesture named {self.name!r}; choose one of: {', '.join(LASTS_S)}")

    def over(self, time_s: float) -> bool:
        return time_s > self.began_s + LASTS_S[self.name]


LASTS_S: Final[Mapping[str, float]] = MappingProxyType(
    {"nod": 0.95, "shake": 1.2, "tilt": 1.6, "brows": 0.9, "wink_left": 0.45, "wink_right": 0.45, "blink": 0.3}
)
"""The gestures (live.schema.GESTURES) and how long each takes."""


def gesture(frame: Frame, asked: Gesture) -> Frame:
    """The face with that gesture at the frame's time."""
    age_s = frame.time_s - asked.began_s
    if not 0 <= age_s <= LASTS_S[asked.name]:
        return frame
    if asked.name in _TURNS:
        return replace(frame, head_wxyz=_product(frame.head_wxyz, head_wxyz(_TURNS[asked.name](age_s))))
    if asked.name == "brows":
        weights = frame.weights.copy()
        weights[_RAISED] = np.minimum(weights[_RAISED] + np.float32(_BROW * _bump(age_s, 0.2, 0.35, 0.35)), 1)
        return replace(frame, weights=weights)
    return replace(frame, weights=_lids(frame.weights, asked.name, age_s))


def _nod(age_s: float) -> Angles:
    return 0.0, _NOD * (_bump(age_s, 0.22, 0.02, 0.26) + 0.45 * _bump(age_s - 0.45, 0.2, 0.02, 0.28)), 0.0


def _shake(age_s: float) -> Angles:
    swing = math.sin(2 * math.pi * age_s / 0.56) * _bump(age_s, 0.2, 0.5, 0.5)
    return _SHAKE * swing, 0.0, 0.0


def _tilt(age_s: float) -> Angles:
    return 0.0, 0.0, _TILT * _bump(age_s, 0.4, 0.7, 0.5)


_TURNS: Final[Mapping[str, Callable[[float], Angles]]] = MappingProxyType({"nod": _nod, "shake": _shake, "tilt": _tilt})


def _lids(weights: Float32[np.ndarray, "52"], name: str, age_s: float) -> Float32[np.ndarray, "52"]:
    """A blink, or one eye of it with the cheek that goes along."""
    if name == "blink":
        return close_lids(weights, _bump(age_s, 0.09, 0.03, 0.18))
    shut = _bump(age_s, 0.1, 0.15, 0.2)
    both, winked, side = close_lids(weights, shut), weights.copy(), _SIDES[name]
    for shape in ("eyeBlink", "eyeSquint", "eyeWide"):
        winked[ARKIT_INDEX[shape + side]] = both[ARKIT_INDEX[shape + side]]
    cheek, smile = ARKIT_INDEX["cheekSquint" + side], ARKIT_INDEX["mouthSmile" + side]
    winked[cheek] = max(winked[cheek], np.float32(0.5 * shut))
    winked[smile] = max(winked[smile], np.float32(0.15 * shut))
    return winked


def _bump(age_s: float, rise_s: float, stay_s: float, fall_s: float) -> float:
    """0 to 1 and back."""
    if age_s <= 0:
        return 0.0
    if age_s < rise_s + stay_s:
        return minimum_jerk(age_s / rise_s)
    return 1 - minimum_jerk((age_s - rise_s - stay_s) / fall_s)


def _product(first: Float32[np.ndarray, "4"], second: tuple[float, float, float, float]) -> Float32[np.ndarray, "4"]:
    """Quaternion of the second rotation in the frame of the first."""
    a, b, c, d = first.tolist()
    e, f, g, h = second
    turned = (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )
    return np.array(turned, np.float32)
