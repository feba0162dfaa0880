"""What the performer hears in a voice: accents, phrases, and how they stand out from this speaker's own.

    level, pitch, jaw --> each over the speaker's running mean, in their own spread --> prominence --> accents
    voice --> speaking, pauses --> where phrases begin and end

Pitch accents show as a rise of F0, of level and of jaw opening against what is around them (Terken & Hermes 2000;
Kochanski et al. 2005 find level the better cue); an accent is told some 60 ms after its vowel began, since nobody
who listens live knows earlier.
"""

import math
from dataclasses import dataclass
from typing import Final

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.speech.articulation import Articulation
from avatar3d.speech.performance.easing import approach

_JAW: Final = ARKIT_INDEX["jawOpen"]
# Smoothing of what is heard, and the memory of what is usual for this speaker (seconds).
_SMOOTH_S: Final = 0.035
_MEMORY_S: Final = 6.0
# Least spread, so that a monotone voice has no accents of nothing: dB, semitones, weight of jawOpen.
_LEAST_SPREAD: Final = (3.0, 1.2, 0.05)
# The part each cue has in prominence; what is not known does not change and so has none.
_SHARE: Final = (0.45, 0.35, 0.2)
# An accent begins where prominence passes this, ends where it falls below that, and is told after this long; no two are
# nearer than the last (seconds).
_ACCENT: Final = 0.62
_NO_ACCENT: Final = 0.25
_TELL_S: Final = 0.04
_APART_S: Final = 0.3
# A pause this long ends a phrase that was at least so long (seconds): Goldman-Eisler (1968) takes 0.25 s as the least.
_PAUSE_S: Final = 0.25
_PHRASE_S: Final = 0.6


@dataclass(frozen=True)
class Usual:
    """A running mean and spread of one cue while speaking."""

    mean: float = 0.0
    variance: float = 0.0
    heard_s: float = 0.0
    """How long it has been listened to."""
    moves: bool = False
    """Whether it ever changed: what is not known does not."""

    def step(self, value: float, elapsed_s: float, least: float) -> "Usual":
        """With one more value; the first seconds count for more."""
        if self.heard_s == 0:
            return Usual(value, (2 * least) ** 2, elapsed_s)
        memory = min(_MEMORY_S, self.heard_s + 0.5)
        mean = approach(self.mean, value, elapsed_s, memory)
        variance = approach(self.variance, (value - mean) ** 2, elapsed_s, memory)
        return Usual(mean, variance, self.heard_s + elapsed_s, self.moves or abs(value - self.mean) > 0.1 * least)

    def stands_out(self, value: float, least: float) -> float:
        """How many spreads a value lies over the mean, within +-3."""
        spread = max(math.sqrt(self.variance), least)
        return min(max((value - self.mean) / spread, -3.0), 3.0)


@dataclass(frozen=True)
class Hearing:
    """The state of listening; what happened at this very step is in `accent`, `phrase_begins` and `phrase_ends`."""

    level_db: float = 0.0
    semitones: float = 0.0
    """Pitch over 100 Hz; the last one heard where there is none."""
    jaw: float = 0.0
    usual: tuple[Usual, Usual, Usual] = (Usual(), Usual(), Usual())
    """Of level, pitch, jaw."""
    pause_s: float = math.inf
    """Since there was a voice."""
    phrase_s: float = 0.0
    """How long the present phrase has lasted, or the last one did."""
    prominence: float = 0.0
    above_s: float = -1.0
    """Since prominence passed the threshold; negative while it has not."""
    peak: float = 0.0
    since_accent_s: float = math.inf
    activity: float = 0.0
    """0 to 1: voice, smoothed over a syllable."""
    accent: float = 0.0
    """Strength (0 to 1) of an accent told at this step; 0 at others."""
    phrase_begins: bool = False
    phrase_ends: bool = False

    @property
    def speaking(self) -> bool:
        """Whether a phrase is going on, its short silences included."""
        return self.pause_s < _PAUSE_S

    @property
    def raised(self) -> float:
        """How many semitones the pitch lies over the speaker's mean; 0 before any was heard."""
        return self.semitones - self.usual[1].mean if self.usual[1].heard_s else 0.0

    def step(self, articulation: Articulation, pitch_hz: float, elapsed_s: float) -> "Hearing":
        """What is heard `elapsed_s` later."""
        # Plain numbers from here on: arithmetic with numpy's scalars is slow.
        voice, loudness_db, pitch_hz = float(articulation.voice), float(articulation.loudness_db), float(pitch_hz)
        voiced = voice > 0.5
        new = voiced and not self.usual[0].heard_s
        now = (loudness_db, 12 * math.log2(pitch_hz / 100) if pitch_hz > 0 else None, float(articulation.weights[_JAW]))
        cues = (
            loudness_db if new else approach(self.level_db, loudness_db, elapsed_s, _SMOOTH_S),
            self._pitch(now[1], elapsed_s),
            now[2] if new else approach(self.jaw, now[2], elapsed_s, _SMOOTH_S),
        )
        usual = self.usual
        if voiced:
            usual = tuple(
                known if told is None else known.step(cue, elapsed_s, least)
                for known, cue, told, least in zip(usual, cues, now, _LEAST_SPREAD, strict=True)
            )
            usual = (usual[0], usual[1], usual[2])
        prominence = _prominence(cues, usual) if voiced else 0.0
        above_s, peak, accent = self._follow(prominence, elapsed_s)
        pause_s = 0.0 if voiced else self.pause_s + elapsed_s
        begins = voiced and self.pause_s >= _PAUSE_S
        ends = self.pause_s < _PAUSE_S <= pause_s and self.phrase_s >= _PHRASE_S
        phrase_s = 0.0 if begins else self.phrase_s + (elapsed_s if pause_s < _PAUSE_S else 0.0)
        return Hearing(
            level_db=cues[0],
            semitones=cues[1],
            jaw=cues[2],
            usual=usual,
            pause_s=pause_s,
            phrase_s=phrase_s,
            prominence=prominence,
            above_s=above_s,
            peak=peak,
            since_accent_s=0.0 if accent else self.since_accent_s + elapsed_s,
            activity=approach(self.activity, voice, elapsed_s, 0.12),
            accent=accent,
            phrase_begins=begins,
            phrase_ends=ends,
        )

    def _pitch(self, semitones: float | None, elapsed_s: float) -> float:
        """Smoothed; the last one where there is none."""
        if semitones is None:
            return self.semitones
        return approach(self.semitones, semitones, elapsed_s, _SMOOTH_S) if self.usual[1].heard_s else semitones

    def _follow(self, prominence: float, elapsed_s: float) -> tuple[float, float, float]:
        """Seconds above the threshold (or -1), the peak there, and the accent told now, if any."""
        if prominence < (_ACCENT if self.above_s < 0 else _NO_ACCENT):
            return -1.0, 0.0, 0.0
        above_s, peak = max(self.above_s, 0.0) + elapsed_s, max(self.peak, prominence)
        now = self.above_s < _TELL_S <= above_s and self.since_accent_s >= _APART_S
        return above_s, peak, min(max(peak / 1.8, 0.2), 1.0) if now else 0.0


def _prominence(cues: tuple[float, float, float], usual: tuple[Usual, Usual, Usual]) -> float:
    """How far what is heard stands out, in spreads: the mean over the cues that are known."""
    total, shares = 0.0, 0.0
    for cue, known, share, least in zip(cues, usual, _SHARE, _LEAST_SPREAD, strict=True):
        if known.moves:
            total += share * known.stands_out(cue, least)
            shares += share
    return total / shares if shares else 0.0
