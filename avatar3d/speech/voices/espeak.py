"""The voice of espeak-ng: over a hundred languages with exact phones, in a process of its own (it is GPL).

text --request--> child process (espeak_child.py) --events, sound--> phones with closures --> Spoken, Spoken, ...
"""

import math
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.errors import UsageError
from avatar3d.speech.phones import Phone
from avatar3d.speech.voices.espeak_events import Timing, closure_s
from avatar3d.speech.voices.espeak_link import Catalogue, Link, find_library
from avatar3d.speech.voices.espeak_pieces import pieces
from avatar3d.speech.voices.texts import Speakable, speakable
from avatar3d.speech.voices.tts import Spoken

_USUAL_RATE_WPM: Final = 175
"""speak_lib.h: espeakRATE_NORMAL."""
_RATES: Final = (80 / _USUAL_RATE_WPM, 450 / _USUAL_RATE_WPM)
"""speak_lib.h: espeakRATE_MINIMUM, MAXIMUM."""
_PITCHES: Final = (0.57, 1.75)
_OCTAVE: Final = 60.0
"""Steps of espeak-ng's pitch (0 to 99) that double it: measured 62 below and 59 above its middle."""


@dataclass(frozen=True)
class Manner:
    """How espeak-ng shall say it."""

    variant: str = ""
    """One of `Espeak().variants` (f3, m5, whisper, klatt2, ...): another speaker of the same language."""
    rate: float = 1.0
    """1 is 175 words a minute; 80 to 450 are possible."""
    pitch: float = 1.0
    """Factor; 0.57 to 1.75 are possible."""
    pitch_range: float = 1.0
    """0 speaks on one tone, 2 is the liveliest."""
    word_gap_s: float = 0.0
    """Pause between words (at the usual rate)."""
    note_hz: float = 0
    """Holds this note, as in singing; 0 speaks."""
    phonemes: bool = False
    """Whether [[...]] in the text is espeak-ng's own spelling of phonemes. Not for texts of strangers."""


class Espeak:
    """Speaks with espeak-ng. Each stream has a process to itself; one that is done serves the next text."""

    def __init__(self) -> None:
        self._library = find_library()
        self._idle: list[Link] = []
        weakref.finalize(self, _end_all, self._idle)

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(sorted(self._catalogue().voices))

    @property
    def variants(self) -> tuple[str, ...]:
        """Names for `Manner.variant` and for `voice`."""
        return self._catalogue().variants

    @property
    def rate_hz(self) -> int:
        return self._catalogue().rate_hz

    def warm(self) -> None:
        """Start a process now, so that the first text need not wait a tenth of a second for it."""
        if not self._idle:
            self._idle.append(Link(self._library))

    def speak(
        self, text: str, *, language: str = "en", voice: str = "", rate: float = 1.0, pitch: float = 1.0
    ) -> Iterator[Spoken]:
        """The text word by word, with its phones."""
        return self.speak_as(text, language, Manner(variant=voice, rate=rate, pitch=pitch))

    def speak_as(self, text: str, language: str, manner: Manner) -> Iterator[Spoken]:
        """`speak` with everything espeak-ng can change."""
        clean = speakable(text)
        request = _request(clean.text, language, manner, self._catalogue())
        return self._stream(request, clean, Timing(self.rate_hz, closure_s(manner.rate)))

    def _stream(self, request: dict[str, object], text: Speakable, timing: Timing) -> Iterator[Spoken]:
        link = self._take()
        try:
            yield from pieces(link.ask(request), text, timing)
        except BaseException:
            link.kill()
            if not sys.is_finalizing():
                self.warm()  # whoever was interrupted speaks again soon
            raise
        self._idle.append(link)

    def _take(self) -> Link:
        while self._idle:
            link = self._idle.pop()
            if link.alive:
                return link
            link.kill()
        return Link(self._library)

    def _catalogue(self) -> Catalogue:
        link = self._take()
        told = link.catalogue
        self._idle.append(link)
        return told


def _end_all(links: list[Link]) -> None:
    while links:
        links.pop().kill()


@cache
def _shared() -> Espeak:
    return Espeak()


def speak_phones(
    text: str, language: str = "en", manner: Manner | None = None
) -> tuple[Float32[np.ndarray, "N"], int, tuple[Phone, ...]]:
    """Samples in [-1, 1], their rate and every phone with its exact time; one process serves all calls.

    The same calls in the same order give the same samples; in another order a few differ (espeak-ng keeps some state).
    """
    samples: list[Float32[np.ndarray, "N"]] = []
    phones: list[Phone] = []
    voice = _shared()
    rate_hz = 0
    for piece in voice.speak_as(text, language, manner or Manner()):
        samples.append(piece.audio.samples)
        phones.extend(mark for mark in piece.marks if isinstance(mark, Phone))
        rate_hz = piece.audio.rate_hz
    if not samples:
        return np.zeros(0, np.float32), voice.rate_hz, ()
    return np.concatenate(samples), rate_hz, tuple(phones)


def pronouncer(language: str) -> Callable[[str], tuple[Phone, ...]]:
    """What says a word as espeak-ng does, for marks that only tell words (`avatar3d.speech.marks.read.read_marks`)."""
    return lambda word: speak_phones(word, language)[2]


def _request(text: str, language: str, manner: Manner, catalogue: Catalogue) -> dict[str, object]:
    """What the child is asked, in espeak-ng's own units (speak_lib.h: espeak_SetParameter)."""
    voice = find_voice(language, catalogue.voices)
    if manner.variant:
        if manner.variant not in catalogue.variants:
            near = get_close_matches(manner.variant, catalogue.variants, 5, 0.4) or catalogue.variants[:8]
            raise UsageError(f"espeak-ng has no voice named {manner.variant!r}; near ones: {', '.join(near)}.")
        voice = f"{voice}+{manner.variant}"
    return {
        "text": text,
        "voice": voice,
        "rate": round(_within("rate", manner.rate, *_RATES) * _USUAL_RATE_WPM),
        "pitch": round(50 + _OCTAVE * math.log2(_within("pitch", manner.pitch, *_PITCHES))),
        "range": min(round(50 * _within("pitch range", manner.pitch_range, 0.0, 2.0)), 99),
        "gap": round(100 * _within("word gap", manner.word_gap_s, 0.0, 10.0)),
        "note_hz": round(_within("note", manner.note_hz, 0, 1000)),
        "phonemes": manner.phonemes,
    }


def find_voice(language: str, voices: dict[str, str]) -> str:
    """The voice of a language tag, or of the shorter tag it begins with (RFC 4647, section 3.4: lookup)."""
    tag = language.strip().lower().replace("_", "-")
    while tag and tag not in voices:
        tag = tag.rpartition("-")[0]
    if tag:
        return voices[tag]
    near = get_close_matches(language.lower(), voices, 5, 0.5) or sorted(voices)[:8]
    raise UsageError(
        f"espeak-ng does not speak {language!r}; near ones: {', '.join(near)}.",
        hint="Give a language tag such as en-us, de or cmn.",
    )


def _within(name: str, value: float, least: float, most: float) -> float:
    if not least <= value <= most:
        raise UsageError(f"expected a {name} between {least:g} and {most:g}, got {value:g}.")
    return value
