"""A weak, honest guess at how aroused a voice is, for those who do not want to name an emotion.

What listeners hear best in a voice is arousal: anger, fear and joy raise pitch, its range, loudness and tempo alike;
sadness and tenderness lower them (Juslin & Laukka 2003; Scherer 2003). What cannot be told from these cues:

- valence: joy, anger and fear look the same here, and so do sadness, tenderness, boredom and fatigue;
- a speaker who is aroused from the first second to the last in loudness or mean pitch (no microphone's gain and no
  person's voice is known): of these only the range of pitch and the tempo count;
- language: tempo and range differ between them by as much as a mild emotion does;
- irony, acting, and everything that is in the words.

So it only ever shows `animated` or `subdued`, which have no valence and leave the mouth alone, at half intensity at most,
and nothing before some seconds of speech.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from avatar3d.speech.performance.easing import approach
from avatar3d.speech.performance.emotion import NEUTRAL
from avatar3d.speech.performance.hearing import Hearing, Usual

AROUSED: Final = "animated"
CALM: Final = "subdued"
MOST_INTENSITY: Final = 0.5
# Nothing is said before so much voice was heard, and no name changes sooner than this (seconds).
_LISTEN_S: Final = 4.0
_DWELL_S: Final = 3.0
# Memory of what is going on now, and of what this speaker does in general (seconds of voice).
_NOW_S: Final = 4.0
_EVER_S: Final = 60.0
# Read speech of 28 people (LibriSpeech train-clean-5: medians; a third to a half of the way to the 10th and 90th
# percentiles is one unit): deviation of pitch in semitones, syllable peaks a second of voice. Then the speaker's own:
# semitones and dB over their mean.
_RANGE: Final = (3.8, 1.3)
_TEMPO: Final = (4.2, 0.8)
_HIGHER: Final = 2.5
_LOUDER_DB: Final = 5.0
_PARTS: Final = (0.4, 0.3, 0.15, 0.15)
# A syllable is a peak of level with a dip of this much before it (de Jong & Wempe 2009), dB.
_DIP_DB: Final = 2.0
# Hysteresis: a name is taken beyond the first and left within the second.
_TAKEN: Final = 0.5
_LEFT: Final = 0.2


@dataclass(frozen=True)
class Guess:
    """How aroused the voice seems, and what to show of it."""

    arousal: float = 0.0
    """-1 to 1."""
    emotion: str = NEUTRAL
    """NEUTRAL, AROUSED or CALM."""
    since_s: float = 0.0
    """How long the emotion has been this one."""
    voiced_s: float = 0.0
    pitch: float = 0.0
    """Present mean, semitones."""
    pitch_variance: float = 0.0
    tempo_hz: float = _TEMPO[0]
    level_db: float = 0.0
    ever: tuple[Usual, Usual] = (Usual(), Usual())
    """Pitch and level in general."""
    turning_db: float = 0.0
    """The last extreme of level ..."""
    rising: bool = False
    """... and whether it was a dip."""

    @property
    def intensity(self) -> float:
        """0 to MOST_INTENSITY."""
        return 0.0 if self.emotion == NEUTRAL else MOST_INTENSITY * min(abs(self.arousal) / 0.8, 1.0)

    def step(self, hearing: Hearing, pitch_hz: float, elapsed_s: float) -> "Guess":
        """The guess `elapsed_s` later; silence changes nothing but the time."""
        if hearing.pause_s > 0 or not elapsed_s:
            return self._kept(elapsed_s)
        voiced_s = self.voiced_s + elapsed_s
        memory_s = min(_NOW_S, voiced_s)
        first = self.voiced_s == 0
        pitch = hearing.semitones if first else self.pitch
        variance = self.pitch_variance
        if pitch_hz > 0:
            pitch = approach(pitch, hearing.semitones, elapsed_s, memory_s)
            variance = approach(variance, (hearing.semitones - pitch) ** 2, elapsed_s, memory_s)
        turning, rising, peak = self._turn(hearing.level_db)
        # A leaky count: each peak adds 1 / memory, and the whole fades with it.
        tempo = self.tempo_hz * math.exp(-elapsed_s / _NOW_S) + (1 / _NOW_S if peak else 0.0)
        level = hearing.level_db if first else approach(self.level_db, hearing.level_db, elapsed_s, memory_s)
        ever = tuple(
            known if value is None else _remember(known, value, elapsed_s)
            for known, value in zip(self.ever, (hearing.semitones if pitch_hz > 0 else None, level), strict=True)
        )
        wanted = (
            _PARTS[0] * (math.sqrt(variance) - _RANGE[0]) / _RANGE[1] * (1 if hearing.usual[1].heard_s > 1 else 0)
            + _PARTS[1] * (tempo - _TEMPO[0]) / _TEMPO[1]
            + _PARTS[2] * (pitch - ever[0].mean) / _HIGHER
            + _PARTS[3] * (level - ever[1].mean) / _LOUDER_DB
        )
        arousal = approach(self.arousal, min(max(wanted, -1.0), 1.0), elapsed_s, 1.5)
        emotion = self._named(arousal, voiced_s)
        return Guess(
            arousal=arousal,
            emotion=emotion,
            since_s=self.since_s + elapsed_s if emotion == self.emotion else 0.0,
            voiced_s=voiced_s,
            pitch=pitch,
            pitch_variance=variance,
            tempo_hz=tempo,
            level_db=level,
            ever=(ever[0], ever[1]),
            turning_db=turning,
            rising=rising,
        )

    def _kept(self, elapsed_s: float) -> "Guess":
        return replace(self, since_s=self.since_s + elapsed_s)

    def _named(self, arousal: float, voiced_s: float) -> str:
        if voiced_s < _LISTEN_S or self.since_s < _DWELL_S:
            return self.emotion
        if self.emotion == NEUTRAL:
            return AROUSED if arousal > _TAKEN else CALM if arousal < -_TAKEN else NEUTRAL
        still = arousal if self.emotion == AROUSED else -arousal
        return self.emotion if still > _LEFT else NEUTRAL

    def _turn(self, level_db: float) -> tuple[float, bool, bool]:
        """The next extreme, whether it is a dip, and whether a peak has just passed."""
        if self.rising:
            if level_db > self.turning_db:
                return level_db, True, False
            return (level_db, False, True) if level_db < self.turning_db - _DIP_DB else (self.turning_db, True, False)
        if level_db < self.turning_db:
            return level_db, False, False
        return (level_db, True, False) if level_db > self.turning_db + _DIP_DB else (self.turning_db, False, False)


def _remember(known: Usual, value: float, elapsed_s: float) -> Usual:
    memory_s = min(_EVER_S, known.heard_s + 2.0)
    mean = approach(known.mean, value, elapsed_s, memory_s) if known.heard_s else value
    return Usual(mean, 0.0, known.heard_s + elapsed_s)
