"""How values go where they should be: without a jump, at any frame rate."""

import math
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np

Value = TypeVar("Value", float, np.ndarray)
# An impulse v through two such springs of rate r is v r^2 t^3 e^-rt / 6: highest at r t = 3, with 4.5 e^-3 v / r there.
_PEAK: Final = 3.0
_PEAK_SHARE: Final = 4.5 * math.exp(-3)
# A critically damped spring has 5 % of its way left after this many of its time constants.
_SETTLED: Final = 4.74


@dataclass(frozen=True, eq=False)
class Spring(Generic[Value]):
    """A critically damped spring: position and speed are continuous; solved exactly, so that any step length will do."""

    value: Value
    speed: Value

    def step(self, goal: Value, elapsed_s: float, settle_s: float) -> "Spring[Value]":
        """Where it is `elapsed_s` later, pulled to `goal`; after `settle_s` it has gone 95 % of the way."""
        rate = _SETTLED / settle_s
        keep = math.exp(-rate * elapsed_s)
        away = self.value - goal
        pull = self.speed + away * rate
        return Spring(goal + (away + pull * elapsed_s) * keep, (self.speed - pull * (rate * elapsed_s)) * keep)


def minimum_jerk(progress: float) -> float:
    """0 to 1 as muscles do it: a smooth start and a smooth end (Flash & Hogan 1985)."""
    u = min(max(progress, 0.0), 1.0)
    return u * u * u * (u * (6 * u - 15) + 10)


def approach(value: float, goal: float, elapsed_s: float, constant_s: float) -> float:
    """First-order smoothing, for what is heard and not seen."""
    return goal + (value - goal) * math.exp(-elapsed_s / constant_s)


@dataclass(frozen=True, eq=False)
class Beat:
    """What a body does on an accent: two springs in a row, so that a hit rises and dies away smoothly; hits add up."""

    struck: Spring[float]
    shown: Spring[float]

    @property
    def value(self) -> float:
        return self.shown.value

    def step(self, goal: float, elapsed_s: float, peak_s: float) -> "Beat":
        """Later by `elapsed_s`, on its way to `goal`; `peak_s` after a hit its full size is reached."""
        settle_s = peak_s * _SETTLED / _PEAK
        struck = self.struck.step(goal, elapsed_s, settle_s)
        return Beat(struck, self.shown.step(struck.value, elapsed_s, settle_s))

    def hit(self, size: float, peak_s: float) -> "Beat":
        """With a hit of this size."""
        return Beat(Spring(self.struck.value, self.struck.speed + size * _PEAK / peak_s / _PEAK_SHARE), self.shown)


STILL: Final = Spring(0.0, 0.0)
UNHIT: Final = Beat(STILL, STILL)
