"""Curves made steady as they come: a filter that is slow at rest and quick in motion, its state a value.

One-Euro filter: Casiez, Roussel and Vogel, "1 Euro filter: a simple speed-based low-pass filter for noisy input in
interactive systems", CHI 2012: a low pass whose cutoff rises with the speed.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float64

_LEAST_S: Final = 1e-4


@dataclass(frozen=True)
class SteadyParams:
    """How much a curve is smoothed."""

    cutoff_hz: float
    """At rest."""
    per_speed: float
    """Hertz more for every unit per second."""
    speed_cutoff_hz: float = 3.0
    """Of the speed itself."""


@dataclass(frozen=True, eq=False)
class Steady:
    """Many curves and how fast they move; step() returns the next state, `value` is what it says."""

    params: SteadyParams
    time_s: float
    value: Float64[np.ndarray, "N"]
    speed: Float64[np.ndarray, "N"]

    def step(self, time_s: float, seen: Float64[np.ndarray, "N"]) -> "Steady":
        """What is seen later. Curves that stay where they are stay there to the bit."""
        elapsed_s = max(time_s - self.time_s, _LEAST_S)
        speed = self.speed + _share(self.params.speed_cutoff_hz, elapsed_s) * (
            (seen - self.value) / elapsed_s - self.speed
        )
        cutoff_hz = self.params.cutoff_hz + self.params.per_speed * np.abs(speed)
        value = self.value + _share(cutoff_hz, elapsed_s) * (seen - self.value)
        return replace(self, time_s=time_s, value=value, speed=speed)


def steady_from(params: SteadyParams, time_s: float, value: Float64[np.ndarray, "N"]) -> Steady:
    """Curves that begin here, at rest."""
    return Steady(params, time_s, value, np.zeros_like(value))


def _share(cutoff_hz: np.ndarray | float, elapsed_s: float) -> np.ndarray | float:
    """How much of the way to the new value is gone: a low pass of first order."""
    turns = 2 * np.pi * cutoff_hz * elapsed_s
    return turns / (1 + turns)
