"""A voice that says nothing: syllables in phrases, with accents where they are known to be."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX, Frame
from avatar3d.speech.articulation import Articulation
from avatar3d.speech.performance.controls import Controls
from avatar3d.speech.performance.perform import Performer

_JAW = ARKIT_INDEX["jawOpen"]
SYLLABLE_S = 0.21


@dataclass(frozen=True, eq=False)
class Heard:
    """What a performer is given at one step."""

    articulation: Articulation
    pitch_hz: float


def instant(
    time_s: float,
    shapes: dict[str, float] | None = None,
    *,
    closed: float = 0.0,
    tucked: float = 0.0,
    voice: float = 0.0,
    loudness_db: float = -90.0,
) -> Articulation:
    weights = np.zeros(52, np.float32)
    for name, weight in (shapes or {}).items():
        weights[ARKIT_INDEX[name]] = weight
    return Articulation(time_s, weights, np.zeros(4, np.float32), closed, tucked, voice, loudness_db)


def silence(seconds: float, rate_hz: float = 60, start_s: float = 0.0) -> list[Heard]:
    return [Heard(instant(start_s + i / rate_hz), 0.0) for i in range(round(seconds * rate_hz))]


def babble(
    seconds: float,
    rate_hz: float = 60,
    *,
    gain_db: float = 0.0,
    melody: float = 1.0,
    syllable_s: float = SYLLABLE_S,
    seed: int = 0,
) -> list[Heard]:
    """Phrases of about 3 s and pauses of 0.6 s; the middle of every accented syllable is in `accent_times`."""
    heard: list[Heard] = []
    strengths = np.random.default_rng(seed).random(4096)
    for i in range(round(seconds * rate_hz)):
        t = i / rate_hz
        within = t % 3.6
        if within >= 3.0:
            heard.append(Heard(instant(t, loudness_db=-80 + gain_db), 0.0))
            continue
        index = int(t / syllable_s)
        bump = math.sin(math.pi * (t / syllable_s - index)) ** 2
        strength = 1.0 if is_accented(index) else 0.35 * strengths[index % 4096]
        loudness = -34 + 6 * bump + 9 * strength * bump + gain_db
        semitones = melody * (5 * strength * bump - 0.8 * within)
        voiced = bump > 0.15
        jaw = 0.06 + 0.05 * bump + 0.14 * strength * bump
        mouth = instant(t, {"jawOpen": jaw}, voice=1.0, loudness_db=loudness)
        heard.append(Heard(mouth, 120 * 2 ** (semitones / 12) if voiced else 0.0))
    return heard


def is_accented(index: int) -> bool:
    return index % 5 == 2


def accent_times(seconds: float, syllable_s: float = SYLLABLE_S, *, whole: bool = True) -> list[float]:
    """Where accented syllables are loudest; only those that no pause cuts when `whole`."""
    middles = [(index + 0.5) * syllable_s for index in range(int(seconds / syllable_s)) if is_accented(index)]
    return [t for t in middles if not whole or 0.15 < t % 3.6 < 2.9]


def perform(
    heard: Sequence[Heard], controls: Controls | None = None, *, seed: int = 1
) -> tuple[list[Performer], list[Frame]]:
    performer, performers, frames = Performer(seed=seed), [], []
    for moment in heard:
        performer, frame = performer.step(moment.articulation, moment.pitch_hz, controls or Controls())
        performers.append(performer)
        frames.append(frame)
    return performers, frames


def turn_deg(wxyz: np.ndarray, other: np.ndarray) -> float:
    """Angle between two orientations."""
    return 2 * math.degrees(math.acos(min(abs(float(np.dot(wxyz.astype(np.float64), other.astype(np.float64)))), 1.0)))
