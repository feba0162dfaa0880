r"""Where the eyes look, moment by moment: they jump to what is far from there and follow what is near.

    attention --far, or something new--> saccade \
              --near--> pursuit ------------------> gaze (frame of the resting head) --> eyes.py

Saccades last 2.2 ms a degree and 21 ms more (Carpenter 1988; the main sequence of Bahill, Clark & Stark 1975), run as a
minimum-jerk curve and are not corrected on their way; the next one waits for a fixation of 150 ms at least. The eyes
keep their direction while the head moves (eyes.in_head): the vestibulo-ocular reflex has a gain of about 1 and no delay
that a viewer could see. Eyes are parallel: a direction has no distance to converge at.
"""

import math
from dataclasses import dataclass, field
from typing import Final

from avatar3d.speech.performance.attention import Attention, Place, Wish
from avatar3d.speech.performance.easing import approach, minimum_jerk

_DEG: Final = math.pi / 180
SACCADE_S: Final = 0.021
SACCADE_S_PER_RAD: Final = 0.0022 / _DEG
LATENCY_S: Final = 0.15
# What is nearer is followed without a saccade, and how quickly.
_NEAR: Final = 1.2 * _DEG
_PURSUIT_S: Final = 0.07


@dataclass(frozen=True)
class Gaze:
    """The state of both eyes, as places of the frame of the resting head."""

    attention: Attention = field(default_factory=Attention)
    place: Place = (0.0, 0.0)
    """Where they look."""
    start: Place = (0.0, 0.0)
    end: Place = (0.0, 0.0)
    """Of the present saccade, or the last one."""
    age_s: float = math.inf
    """Since it began."""
    lasting_s: float = 0.0
    shifted_rad: float = 0.0
    """Size of a saccade that began at this very step; 0 at others."""

    def step(self, seed: int, elapsed_s: float, wish: Wish) -> "Gaze":
        """The eyes `elapsed_s` later."""
        attention = self.attention.step(seed, elapsed_s, wish)
        age_s = self.age_s + elapsed_s
        if age_s < self.lasting_s:
            return Gaze(attention, self._on_its_way(age_s), self.start, self.end, age_s, self.lasting_s)
        here = self.end if self.age_s < self.lasting_s else self.place
        wanted = attention.wanted
        far = math.hypot(wanted[0] - here[0], wanted[1] - here[1])
        if (far > _NEAR or (attention.jumps and far > 0)) and age_s > self.lasting_s + LATENCY_S:
            return Gaze(attention, here, here, wanted, 0.0, SACCADE_S + SACCADE_S_PER_RAD * far, far)
        if far <= _NEAR:
            here = (
                approach(here[0], wanted[0], elapsed_s, _PURSUIT_S),
                approach(here[1], wanted[1], elapsed_s, _PURSUIT_S),
            )
        return Gaze(attention, here, self.start, self.end, age_s, self.lasting_s)

    def _on_its_way(self, age_s: float) -> Place:
        part = minimum_jerk(age_s / self.lasting_s)
        (yaw, pitch), (to_yaw, to_pitch) = self.start, self.end
        return yaw + part * (to_yaw - yaw), pitch + part * (to_pitch - pitch)
