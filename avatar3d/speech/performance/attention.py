"""What the eyes want to look at: the listener, a glance away, a target; and the small shifts on it.

Whoever speaks looks at the listener for 3.1 s and away for 0.9 s on average, and whoever listens far longer; glances are
7 degrees beyond the least on average, and go where Lee, Badler & Badler (2002, "Eyes alive") found them to go. On a
face, gaze shifts by a degree or two every second or so. Microsaccades: about one a second, a quarter degree (Martinez-Conde,
Macknik & Hubel 2004). In silence the eyes wait for the listener, with nothing but microsaccades.
"""

import math
from dataclasses import dataclass
from typing import Final

from avatar3d.speech.performance.noise import exponential, normal, uniform

_DEG: Final = math.pi / 180
Place = tuple[float, float]
"""Yaw to the person's left and pitch up, radians, in the frame of the resting head."""
_MIDDLE: Final[Place] = (0.0, 0.0)
# Seconds at the listener and away, on average, while speaking: the least part of each is fixed, the rest is chance.
_AT_LISTENER_S: Final = 3.1
_AWAY_S: Final = 0.93
_LEAST: Final = 0.35
# Glances go on so long after the voice (seconds).
_AFTER_S: Final = 1.0
_GLANCE_LEAST: Final = 4 * _DEG
_GLANCE_MEAN: Final = 6.9 * _DEG
_GLANCE_MOST: Final = (18 * _DEG, 11 * _DEG)
# Where glances go (Lee et al. 2002), per cent: eighths of a circle from one side by way of up.
_WAYS: Final = (15.54, 6.46, 17.69, 7.44, 16.80, 7.89, 20.38, 7.79)
# Shifts over the listener's face and microsaccades: mean seconds between, deviation.
_FACE_S: Final = 1.3
_FACE: Final = (1.3 * _DEG, 0.9 * _DEG)
_MICRO_S: Final = 0.9
_MICRO: Final = 0.14 * _DEG
_CHANNEL: Final = 500


@dataclass(frozen=True)
class Wish:
    """What the eyes are to do at this moment."""

    target: Place | None = None
    """Something to be looked at; None: the listener."""
    pause_s: float = math.inf
    """Since there was a voice; 0 while there is one."""
    glances: float = 1.0
    """How often the eyes leave the listener, over the natural rate."""
    downcast: float = 0.0
    """The part of the glances that go down."""
    tendency: Place = _MIDDLE
    """Where a gaze without a target rests."""


@dataclass(frozen=True)
class Attention:
    """The state of wanting to look somewhere."""

    place: Place = _MIDDLE
    """What is looked at ..."""
    shift: Place = _MIDDLE
    """... where on it ..."""
    micro: Place = _MIDDLE
    """... and microsaccades."""
    away: bool = False
    left_s: float = 1.5
    """Until the listener is left, or looked at again; until the next shift and microsaccade."""
    shift_left_s: float = 1.0
    micro_left_s: float = 0.5
    count: int = 0
    jumps: bool = False
    """Whether something new is looked at from this very step on."""

    @property
    def wanted(self) -> Place:
        """Where the gaze should be."""
        return (
            self.place[0] + self.shift[0] + self.micro[0],
            self.place[1] + self.shift[1] + self.micro[1],
        )

    def step(self, seed: int, elapsed_s: float, wish: Wish) -> "Attention":
        """What is wanted `elapsed_s` later."""
        speaking = wish.pause_s < _AFTER_S
        place, away, left_s, left = self._choose(seed, elapsed_s, wish, speaking)
        count, shift, micro = self.count + left, self.shift, self.micro
        shift_left_s, micro_left_s = max(self.shift_left_s - elapsed_s, 0.0), self.micro_left_s - elapsed_s
        idle = wish.target is None and not away
        if left or (shift != _MIDDLE and not (speaking and idle)):
            shift, count = _MIDDLE, count + 1
        elif speaking and idle and shift_left_s == 0:
            count += 1
            shift = (_FACE[0] * normal(seed, _CHANNEL + 2, count), _FACE[1] * normal(seed, _CHANNEL + 3, count))
            shift_left_s = _FACE_S * (_LEAST + (1 - _LEAST) * exponential(seed, _CHANNEL + 4, count))
        if micro_left_s <= 0:
            count += 1
            micro = (_MICRO * normal(seed, _CHANNEL + 9, count), _MICRO * normal(seed, _CHANNEL + 10, count))
            micro_left_s = _MICRO_S * (_LEAST + (1 - _LEAST) * exponential(seed, _CHANNEL + 11, count))
        return Attention(place, shift, micro, away, left_s, shift_left_s, micro_left_s, count, count != self.count)

    def _choose(self, seed: int, elapsed_s: float, wish: Wish, speaking: bool) -> tuple[Place, bool, float, bool]:
        """The place, whether it is away from the listener, for how long, and whether it was just chosen."""
        if wish.target is not None:
            return wish.target, False, _LEAST, False
        if not self.away:
            left_s = max(self.left_s - elapsed_s * wish.glances, 0.0) if speaking else max(self.left_s, _LEAST)
            if left_s > 0:
                return wish.tendency, False, left_s, False
            yaw, pitch = _glance(seed, self.count, wish.downcast)
            stay_s = _AWAY_S * (_LEAST + (1 - _LEAST) * exponential(seed, _CHANNEL, self.count))
            return (yaw + wish.tendency[0], pitch + wish.tendency[1]), True, stay_s, True
        if self.left_s > elapsed_s:
            return self.place, True, self.left_s - elapsed_s, False
        stay_s = _AT_LISTENER_S * (_LEAST + (1 - _LEAST) * exponential(seed, _CHANNEL + 1, self.count))
        return wish.tendency, False, stay_s, True


def _glance(seed: int, count: int, downcast: float) -> Place:
    """One look away."""
    size = _GLANCE_LEAST + _GLANCE_MEAN * exponential(seed, _CHANNEL + 5, count)
    if uniform(seed, _CHANNEL + 6, count) < downcast:
        way = -math.pi / 2 + 0.5 * normal(seed, _CHANNEL + 7, count)
    else:
        left, eighth = uniform(seed, _CHANNEL + 8, count) * sum(_WAYS), 0
        while left > _WAYS[eighth]:
            left, eighth = left - _WAYS[eighth], eighth + 1
        way = (eighth + 0.8 * (uniform(seed, _CHANNEL + 7, count) - 0.5)) * math.pi / 4
    aside, high = size * math.cos(way), size * math.sin(way)
    return max(min(aside, _GLANCE_MOST[0]), -_GLANCE_MOST[0]), max(min(high, _GLANCE_MOST[1]), -_GLANCE_MOST[1])


def place_of(direction: tuple[float, float, float]) -> Place:
    """Yaw and pitch of a direction of any length."""
    x, y, z = direction
    return math.atan2(x, z), math.atan2(y, math.hypot(x, z))
