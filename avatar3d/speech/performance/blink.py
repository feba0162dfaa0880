"""Blinks: when they come, how the lids move, and how lids that already do something else still close.

Rate. At rest 17 a minute, in conversation 26 (Bentivoglio et al. 1997); normal ranges 8 to 21 and 10 to 32 (Doughty
2001). More of them fall on the ends of phrases (Condon & Ogston 1967) and on large shifts of gaze (Evinger et al.
1994). Intervals are skewed: short ones are common, none is very short.
Shape. Lids fall within 75 to 100 ms and rise within 150 to 200 ms, fastest at first, then creeping (Evinger, Manning &
Sibony 1991; Guitton, Simard & Codere 1991; VanderWerf et al. 2003); a symmetrical curve is seen to be wrong (Trutoiu
et al. 2011).
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.speech.performance.easing import minimum_jerk
from avatar3d.speech.performance.noise import normal, uniform

CLOSING_S: Final = (0.075, 0.1)
SHUT_S: Final = (0.017, 0.03)
"""Lids touch for some 10 ms; one frame of 60 Hz, so that no blink is lost between two."""
OPENING_S: Final = (0.15, 0.2)
RESTING_PER_MINUTE: Final = 14.0
SPEAKING_PER_MINUTE: Final = 19.0
"""Without those that phrases and glances call."""
LEAST_APART_S: Final = 0.25
"""From the end of a blink to the beginning of the next."""
# Spread of the logarithm of the intervals.
_SKEW: Final = 0.55
# The rate that no style and emotion together goes beyond.
_RATES: Final = (11.0, 24.0)
# A blink that comes by itself is not called again at once (seconds).
_NOT_CALLED_S: Final = 1.2
_CHANNEL: Final = 100


@dataclass(frozen=True)
class Blinking:
    """The lids' own state."""

    closure: float = 0.0
    """0 open, 1 shut: the part of the opening that is closed."""
    age_s: float = math.inf
    """Since the present blink began, or the last one."""
    closing_s: float = 0.0
    shut_s: float = 0.0
    opening_s: float = 0.0
    left: float = -1.0
    """Until the next blink, in mean intervals; negative before the first is drawn."""
    count: int = 0
    calls: int = 0

    @property
    def lasting_s(self) -> float:
        return self.closing_s + self.shut_s + self.opening_s

    def step(self, seed: int, elapsed_s: float, per_minute: float, called: float, *, allowed: bool) -> "Blinking":
        """The lids `elapsed_s` later. `called` is the chance that something calls for a blink at this step.

        One that has begun is finished even when blinks are not `allowed` any more.
        """
        age_s = self.age_s + elapsed_s
        rate = min(max(per_minute, _RATES[0]), _RATES[1])
        left = self.left if self.left >= 0 else 0.3 + 0.7 * uniform(seed, _CHANNEL, 0)
        left -= elapsed_s * rate / 60
        free = allowed and age_s > self.lasting_s + LEAST_APART_S
        calls = self.calls + (called > 0)
        answered = called > 0 and age_s > _NOT_CALLED_S and uniform(seed, _CHANNEL + 1, calls) < called
        if free and (left <= 0 or answered):
            return self._begin(seed, calls)
        later = replace(self, age_s=age_s, left=max(left, 0.0), calls=calls)
        return replace(later, closure=later._closure()) if age_s <= self.lasting_s or self.closure else later

    def _begin(self, seed: int, calls: int) -> "Blinking":
        return Blinking(
            closure=0.0,
            age_s=0.0,
            closing_s=_between(CLOSING_S, seed, 2, self.count),
            shut_s=_between(SHUT_S, seed, 3, self.count),
            opening_s=_between(OPENING_S, seed, 4, self.count),
            left=math.exp(_SKEW * normal(seed, _CHANNEL + 5, self.count) - _SKEW**2 / 2),
            count=self.count + 1,
            calls=calls,
        )

    def _closure(self) -> float:
        if self.age_s < self.closing_s:
            return minimum_jerk(self.age_s / self.closing_s)
        opened = (self.age_s - self.closing_s - self.shut_s) / self.opening_s
        return 1.0 if opened <= 0 else 1 - minimum_jerk(min(opened, 1.0) ** _FAST_AT_FIRST)


_FAST_AT_FIRST: Final = 0.75
"""Below 1 the lids rise faster at first and creep at the end: half open after .4 of the time."""


def _between(limits: tuple[float, float], seed: int, channel: int, count: int) -> float:
    return limits[0] + (limits[1] - limits[0]) * uniform(seed, _CHANNEL + channel, count)


_SIDES: Final = ("Left", "Right")
_BLINK, _WIDE, _SQUINT, _CHEEK, _DOWN, _BROW = (
    np.array([ARKIT_INDEX[name + side] for side in _SIDES])
    for name in ("eyeBlink", "eyeWide", "eyeSquint", "cheekSquint", "eyeLookDown", "browDown")
)
# How much of eyeBlink is not needed when these have closed part of the eye, measured on the rigged mean head so that the
# lids meet in every column (rig.lids.lid_gap at most 0) without passing each other by more than 1.2 mm.
_DOWN_CLOSES: Final = 0.3
_SQUINT_CLOSES: Final = 0.2
_CHEEK_CLOSES: Final = 0.2
# Orbicularis oculi closes the eye and pulls a little on what is around it.
_SQUINTS: Final = 0.12
_CHEEK_LIFTS: Final = 0.05
_BROW_SINKS: Final = 0.04


def close_lids(weights: Float32[np.ndarray, "52"], closure: float) -> Float32[np.ndarray, "52"]:
    """The weights with their eyes closed further, 1 being shut from wherever gaze and emotion hold the lids."""
    if closure <= 0:
        return weights
    closed = weights.copy()
    part = np.float32(closure)
    closed[_WIDE] *= 1 - part
    closed[_SQUINT] += _SQUINTS * part * (1 - closed[_SQUINT])
    closed[_CHEEK] += _CHEEK_LIFTS * part * (1 - closed[_CHEEK])
    closed[_BROW] += _BROW_SINKS * part * (1 - closed[_BROW])
    others = _DOWN_CLOSES * closed[_DOWN] + _SQUINT_CLOSES * closed[_SQUINT] + _CHEEK_CLOSES * closed[_CHEEK]
    shut = np.maximum(1 - others, weights[_BLINK])
    closed[_BLINK] = weights[_BLINK] + part * (shut - weights[_BLINK])
    return closed
