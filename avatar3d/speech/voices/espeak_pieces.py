"""espeak-ng's sound and events become pieces of a stream: words with their phones, cut where a phone ends."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.audio import AudioChunk
from avatar3d.speech.phones import SILENCE, Phone
from avatar3d.speech.voices.espeak_events import (
    HEARD,
    LONGEST_UNNAMED_S,
    PHONE,
    SHORTEST_PAUSE_S,
    WORD,
    Event,
    Sounding,
    Timing,
    end,
    finish,
    stress_of,
    symbols_of,
)
from avatar3d.speech.voices.texts import Speakable
from avatar3d.speech.voices.tts import Spoken, WordMark

_PIECE_S: Final = 0.1
"""A piece is at least so long; a word may be shorter."""


def pieces(frames: Iterable[tuple[Event, ...] | bytes], text: Speakable, timing: Timing) -> Iterator[Spoken]:
    """Pieces of one text, as soon as a word is over. Frames are sound (16-bit), or events within what was heard."""
    cut = _Cutter(text, timing)
    for frame in frames:
        if isinstance(frame, bytes):
            cut.hear(np.frombuffer(frame, "<i2").astype(np.float32) / np.float32(32768))
            continue
        for event in frame:
            if event.type == WORD:
                cut.coming = event
            elif event.type == PHONE and (symbols := symbols_of(event.label)) is not None:
                yield from cut.begin(event, symbols)
    yield from cut.close()


@dataclass
class _Cutter:
    """The sound and the marks that wait for the end of their word."""

    text: Speakable
    timing: Timing
    coming: Event | None = None
    """The word whose first phone comes next."""
    _word: tuple[Event, int] | None = None
    """The word that is being spoken, and the sample since when."""
    _last: Sounding = field(default_factory=lambda: Sounding((SILENCE,), 0.0, 0))
    _said: str = SILENCE
    """The last phone that is no pause."""
    _phones: list[Phone] = field(default_factory=list[Phone])
    _words: list[WordMark] = field(default_factory=list[WordMark])
    _sound: Float32[np.ndarray, "N"] = field(default_factory=lambda: np.zeros(0, np.float32))
    _first: int = 0
    """The sample of the text that `_sound` begins with."""

    def hear(self, samples: Float32[np.ndarray, "N"]) -> None:
        self._sound = np.concatenate([self._sound, samples])

    def begin(self, event: Event, symbols: tuple[str, ...]) -> Iterator[Spoken]:
        """Take up a phone or a pause; what came before it is said if a word is over."""
        told = min(max(event.sample, self._last.start), self._first + len(self._sound))
        sound = self._since_last(told)
        phones, self._last = end(
            self._named(sound), Sounding(symbols, stress_of(event.label), told), sound, self.timing
        )
        self._add(phones)
        if symbols == (SILENCE,):
            return
        if self.coming is not None:
            self._end_word()
            if self._last.start - self._first >= _PIECE_S * self.timing.rate_hz:
                yield self._cut(self._last.start)
            self._word = (self.coming, self._last.start)
            self.coming = None
        self._said = symbols[-1]

    def close(self) -> Iterator[Spoken]:
        """What is left when the text is over."""
        ends = self._first + len(self._sound)
        self._add(finish(self._named(self._since_last(ends)), ends, self.timing.rate_hz))
        self._end_word()
        if len(self._sound):
            yield self._cut(ends)

    def _since_last(self, ends: int) -> Float32[np.ndarray, "M"]:
        return self._sound[self._last.start - self._first : ends - self._first]

    def _named(self, sound: Float32[np.ndarray, "M"]) -> Sounding:
        """The last phone; a short pause that is heard goes on with what was said before."""
        short = len(sound) < LONGEST_UNNAMED_S * self.timing.rate_hz
        if self._last.symbols == (SILENCE,) and short and np.abs(sound).max(initial=0) > HEARD:
            return replace(self._last, symbols=(self._said,))
        return self._last

    def _add(self, phones: tuple[Phone, ...]) -> None:
        """One pause instead of several, and none that is too short to be one."""
        for phone in phones:
            before = self._phones[-1] if self._phones else None
            short = phone.end_s - phone.start_s < SHORTEST_PAUSE_S
            if phone.symbol == SILENCE and before is not None and (short or before.symbol == SILENCE):
                self._phones[-1] = replace(before, end_s=phone.end_s)
            else:
                self._phones.append(phone)

    def _end_word(self) -> None:
        """The word is over with its last phone that is heard."""
        if self._word is None:
            return
        (event, began), self._word = self._word, None
        start_s = began / self.timing.rate_hz
        end_s = max((phone.end_s for phone in self._phones if phone.symbol != SILENCE), default=start_s)
        said, position = self.text.said(event.position - 1, event.length)
        self._words.append(WordMark(said, start_s, max(start_s, end_s), position))

    def _cut(self, ends: int) -> Spoken:
        samples, self._sound = np.split(self._sound, [ends - self._first])
        marks = (*self._words, *self._phones)
        chunk = AudioChunk(self._first / self.timing.rate_hz, self.timing.rate_hz, samples)
        self._first, self._phones, self._words = ends, [], []
        return Spoken(chunk, tuple(sorted(marks, key=lambda mark: mark.start_s)))
