r"""How a head moves while its owner speaks and listens.

    accents --> beats (nods, tosses, turns)   \
    phrases --> posture, a new one at joints   |
    gaze far aside --> the head follows        +--> yaw, pitch, roll --> times head motion --> quaternion
    pitch over the speaker's mean --> raised   |
    1/f sway, breath, emotion, style          /

Speakers' heads hardly ever rest (Hadar et al. 1983): quick movements go with stress, postures shift at junctures (Hadar
et al. 1984). Pitch and level predict much of the motion (Kuratate et al. 1999; Munhall et al. 2004). The sizes are those
of conversation: deviations of a few degrees about each axis, at some tens of degrees a second, more in joy and anger
than in neutral speech (Busso et al. 2007). In gaze shifts heads leave some 15 degrees to each side to the eyes and
take the larger part of what is beyond (Stahl 1999).
"""

import math
from dataclasses import dataclass
from typing import Final

from avatar3d.speech.performance.easing import STILL, UNHIT, Beat, Spring
from avatar3d.speech.performance.hearing import Hearing
from avatar3d.speech.performance.noise import normal, pink, uniform

_DEG: Final = math.pi / 180
Angles = tuple[float, float, float]
"""Yaw to the person's left, pitch down, roll to the person's right, in radians: about +Y, +X, +Z."""
_MIDDLE: Final[Angles] = (0.0, 0.0, 0.0)

# Beats: their size for the weakest and the strongest accent, when they peak, and how often they nod or toss; the rest turn.
_BEAT: Final = (1.3 * _DEG, 4.2 * _DEG)
_BEAT_S: Final = 0.17
_NODS: Final = 0.62
_TOSSES: Final = 0.2
# A high voice raises the head: radians per semitone over the speaker's mean, and how fast.
_PER_SEMITONE: Final = 0.32 * _DEG
_RAISING_S: Final = 0.45
_MOST_SEMITONES: Final = 6.0
# Postures: deviation; how soon most of the turn is done; how long one is held in a long phrase, and in silence (seconds).
_POSTURE: Final[Angles] = (3.2 * _DEG, 1.6 * _DEG, 2.0 * _DEG)
_POSTURE_S: Final = 0.45
_HELD_S: Final = (2.5, 5.0)
_BACK_S: Final = 2.5
# Sway: deviation while speaking, and its part in silence; 1/f from here on, over this many octaves.
_SWAY: Final[Angles] = (0.8 * _DEG, 0.6 * _DEG, 0.6 * _DEG)
_SWAY_SILENT: Final = 0.6
_SWAY_HZ: Final = 0.05
_SWAY_OCTAVES: Final = 4
# Gaze: the eyes' own range to each side and up or down, and the head's part of what is beyond; it tilts a little with it.
_EYES_ONLY: Final = (14 * _DEG, 9 * _DEG)
_FOLLOWED: Final = 0.75
_FOLLOWING_S: Final = 0.75
_LEANS: Final = -0.1
# No further than this, reached softly.
_LIMIT: Final[Angles] = (40 * _DEG, 24 * _DEG, 16 * _DEG)
_CHANNEL: Final = 400


@dataclass(frozen=True)
class Manner:
    """How the head is to move at this moment: what controls, style, emotion and breath make of it."""

    scale: float = 1.0
    """Head motion: 0 (not at all) to 2."""
    head: float = 1.0
    """Factor on posture and sway."""
    beats: float = 1.0
    """Factor on what goes with the voice."""
    bowed_rad: float = 0.0
    tilted_rad: float = 0.0


@dataclass(frozen=True, eq=False)
class Axis:
    """What turns about one of the three axes."""

    beat: Beat = UNHIT
    posture: Beat = UNHIT
    following: Spring[float] = STILL

    def step(self, elapsed_s: float, hit: float, posture: float, gaze: float) -> "Axis":
        """The axis `elapsed_s` later, hit by an accent (0 for none), on its way to a posture and to the gaze."""
        beat = self.beat.step(0.0, elapsed_s, _BEAT_S)
        return Axis(
            beat.hit(hit, _BEAT_S) if hit else beat,
            self.posture.step(posture, elapsed_s, _POSTURE_S),
            self.following.step(gaze, elapsed_s, _FOLLOWING_S),
        )


@dataclass(frozen=True, eq=False)
class HeadMotion:
    """The head's own state."""

    axes: tuple[Axis, Axis, Axis] = (Axis(), Axis(), Axis())
    raised: Spring[float] = STILL
    posture: Angles = _MIDDLE
    """Where it goes, before style and emotion."""
    held_s: float = 0.0
    """How long it is still held."""
    liveliness: Spring[float] = STILL
    """1 while speaking, 0 in silence."""
    accents: int = 0
    postures: int = 0
    angles: Angles = _MIDDLE
    """How the head stands."""

    def step(
        self,
        seed: int,
        time_s: float,
        elapsed_s: float,
        hearing: Hearing,
        gaze: tuple[float, float],
        manner: Manner,
    ) -> "HeadMotion":
        """The head `elapsed_s` later; `gaze` is where attention is (yaw to the left, pitch up, radians)."""
        accents = self.accents + (hearing.accent > 0)
        hit = _beat(seed, accents, hearing.accent, manner.beats) if hearing.accent > 0 else _MIDDLE
        posture, held_s, postures = self._pose(seed, elapsed_s, hearing)
        aside, up = (math.copysign(max(abs(g) - own, 0.0), g) for g, own in zip(gaze, _EYES_ONLY, strict=True))
        follow = (_FOLLOWED * aside, -_FOLLOWED * up, _LEANS * _FOLLOWED * aside)
        axes = [axis.step(elapsed_s, hit[i], posture[i] * manner.head, follow[i]) for i, axis in enumerate(self.axes)]
        semitones = min(max(hearing.raised, -_MOST_SEMITONES), _MOST_SEMITONES) if hearing.speaking else 0.0
        raised = self.raised.step(_PER_SEMITONE * semitones, elapsed_s, _RAISING_S)
        liveliness = self.liveliness.step(1.0 if hearing.speaking else 0.0, elapsed_s, 1.0)
        sways = manner.head * (_SWAY_SILENT + (1 - _SWAY_SILENT) * liveliness.value)
        held = (0.0, manner.bowed_rad - raised.value * manner.beats, manner.tilted_rad)
        angles = [
            _stand(
                manner.scale,
                axis.beat.value + axis.posture.value + held[i] + sways * _sway(seed, time_s, i),
                axis.following.value,
                _LIMIT[i],
            )
            for i, axis in enumerate(axes)
        ]
        return HeadMotion(
            axes=(axes[0], axes[1], axes[2]),
            raised=raised,
            posture=posture,
            held_s=held_s,
            liveliness=liveliness,
            accents=accents,
            postures=postures,
            angles=(angles[0], angles[1], angles[2]),
        )

    def _pose(self, seed: int, elapsed_s: float, hearing: Hearing) -> tuple[Angles, float, int]:
        """Where the posture goes, for how long, and how many there were."""
        held_s = self.held_s - elapsed_s
        if hearing.phrase_begins or (hearing.speaking and held_s <= 0):
            count = self.postures + 1
            yaw, pitch, roll = (_POSTURE[i] * normal(seed, _CHANNEL + 10 + i, count) for i in range(3))
            shortest, longest = _HELD_S
            return (yaw, pitch, roll), shortest + (longest - shortest) * uniform(seed, _CHANNEL + 13, count), count
        if hearing.pause_s > _BACK_S:
            return _MIDDLE, 0.0, self.postures
        return self.posture, held_s, self.postures


def _sway(seed: int, time_s: float, axis: int) -> float:
    return _SWAY[axis] * pink(seed, _CHANNEL + axis, time_s, _SWAY_HZ, _SWAY_OCTAVES)


def _stand(scale: float, own: float, following: float, limit: float) -> float:
    """One angle of the head; what follows the gaze goes no further than the gaze does."""
    return limit * math.tanh((scale * own + min(scale, 1.0) * following) / limit)


def _beat(seed: int, count: int, strength: float, times: float) -> Angles:
    """What the head does on one accent."""
    smallest, largest = _BEAT
    size = times * (smallest + (largest - smallest) * strength) * (0.7 + 0.6 * uniform(seed, _CHANNEL + 20, count))
    kind = uniform(seed, _CHANNEL + 21, count)
    aside = size * (2 * uniform(seed, _CHANNEL + 22, count) - 1)
    if kind < _NODS:
        return 0.2 * aside, size, 0.15 * aside
    if kind < _NODS + _TOSSES:
        return 0.25 * aside, -0.6 * size, 0.25 * aside
    return 0.8 * aside, 0.3 * size, -0.6 * aside


def head_wxyz(angles: Angles) -> tuple[float, float, float, float]:
    """Unit quaternion of yaw, then pitch, then roll: what a neck does to a head that looks along +Z."""
    yaw, pitch, roll = angles
    cy, sy = math.cos(yaw / 2), math.sin(yaw / 2)
    cp, sp = math.cos(pitch / 2), math.sin(pitch / 2)
    cr, sr = math.cos(roll / 2), math.sin(roll / 2)
    return (
        cy * cp * cr + sy * sp * sr,
        cy * sp * cr + sy * cp * sr,
        sy * cp * cr - cy * sp * sr,
        cy * cp * sr - sy * sp * cr,
    )
