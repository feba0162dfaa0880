r"""A voice that tells its marks, while it still speaks: the mouth comes as the pieces come, in constant memory.

    Spoken, Spoken, ... --> marks --> phones of the last and next second --\
                       \--> 16 kHz --> loudness, pitch ---------------------> mouth until a little before the last mark

`coarticulate.articulate` draws the same mouth when all of it is known; here what comes later than AHEAD_S is not, and loudness
is told against the last seconds.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.speech.animate import Instant
from avatar3d.speech.articulation import Articulation
from avatar3d.speech.coarticulate import mouth_curves, weights_of
from avatar3d.speech.loudness import loudness_over_mean
from avatar3d.speech.marks.visemes import phones_from_marks
from avatar3d.speech.network.features import RATE_HZ, STEP
from avatar3d.speech.performance.pitch import PitchTracker
from avatar3d.speech.sound.soxr import resampled
from avatar3d.speech.voices.tts import Mark, Spoken, WordMark

AHEAD_S: Final = 0.4
"""So far ahead of an instant marks must be known: rounding begins 0.2 s early, more than that is under a hundredth."""
_BEHIND_S: Final = 1.2
_REMEMBERED_S: Final = 8.0
"""Of the sound, for its mean loudness."""


def mouth_as_spoken(pieces: Iterable[Spoken], *, rate_hz: float = 60.0) -> Iterator[Instant]:
    """The mouth at 0, 1/rate, 2/rate ... seconds of a voice that tells phones or visemes; nothing for one without a sound."""
    coming = iter(pieces)
    first = next(coming, None)
    if first is None:
        return
    drawing = _Drawing(rate_hz)

    def sounding() -> Iterator[Float32[np.ndarray, "N"]]:
        for piece in chain([first], coming):
            drawing.marks.extend(mark for mark in piece.marks if not isinstance(mark, WordMark))
            yield piece.audio.samples

    for block in resampled(sounding(), first.audio.rate_hz, RATE_HZ):
        drawing.hear(block)
        yield from drawing.until(drawing.known_s() - AHEAD_S)
    yield from drawing.until(drawing.heard_s())


class _Drawing:
    """How far the mouth is drawn, and what of the voice is still needed."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self.marks: list[Mark] = []
        self._recent = np.zeros(0, np.float32)
        self._begins = 0
        """Of `_recent`, in samples of the whole."""
        self._frames = 0
        self._pitch, self._pitched = PitchTracker(), 0

    def hear(self, samples: Float32[np.ndarray, "N"]) -> None:
        self._recent = np.concatenate([self._recent, samples])

    def heard_s(self) -> float:
        return (self._begins + len(self._recent)) / RATE_HZ

    def known_s(self) -> float:
        """Until here both sound and marks are known."""
        return min(self.heard_s(), self.marks[-1].end_s if self.marks else 0.0)

    def until(self, end_s: float) -> Iterator[Instant]:
        """The instants before that time which were not drawn yet."""
        count = int(np.ceil(end_s * self._rate_hz)) - self._frames
        if count <= 0:
            return
        times_s = (self._frames + np.arange(count)) / self._rate_hz
        self._frames += count
        levels = loudness_over_mean(self._recent, times_s - self._begins / RATE_HZ)
        phones = phones_from_marks(self.marks)
        controls, closed, tucked, voice = mouth_curves(phones, times_s, loudness_db=levels)
        weights, tongue = weights_of(controls)
        for at, time_s in enumerate(times_s.tolist()):
            spoken = Articulation(
                time_s=time_s,
                weights=weights[at],
                tongue=tongue[at],
                closed=float(closed[at]),
                tucked=float(tucked[at]),
                voice=float(voice[at]),
                loudness_db=float(levels[at]),
            )
            yield spoken, self._pitch_at(time_s)
        self._forget(times_s[-1])

    def _pitch_at(self, time_s: float) -> float:
        while (self._pitched + 1) * STEP <= time_s * RATE_HZ:
            at = self._pitched * STEP - self._begins
            self._pitch = self._pitch.step(self._recent[at : at + STEP])
            self._pitched += 1
        return self._pitch.hz

    def _forget(self, drawn_s: float) -> None:
        """What no later instant needs."""
        self.marks = [mark for mark in self.marks if mark.end_s > drawn_s - _BEHIND_S]
        old = min(len(self._recent) - int(_REMEMBERED_S * RATE_HZ), self._pitched * STEP - self._begins)
        if old > 0:
            self._recent, self._begins = self._recent[old:], self._begins + old
