r"""espeak-ng's events become phones whose times fit its sound: closures and pauses are where they are heard.

    phone events (where the voice starts a phone) --\\
    sound (digital silence in closures, pauses)   ----> walk back over silence --> Phone, Phone, ...

espeak-ng tells of a voiceless stop at its burst: its closure counts as the end of the phone before (38 ms late).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.errors import InputError
from avatar3d.speech.phones import SILENCE, Phone, phones_from_ipa, split_evenly

WORD: Final = 1
CLAUSE_END: Final = 5
PHONE: Final = 7
_STOPS: Final = frozenset({"p", "b", "t", "d", "k", "ɡ", "tʃ", "dʒ", "ʔ"})
HEARD: Final = 0.02
"""What reaches this is no pause, though espeak-ng gives it no name: vowels between words, as in "the old"."""
LONGEST_UNNAMED_S: Final = 0.1
"""Such a vowel is shorter (46 ms; 80 ms at half the rate); a longer one is a pause in which a voice echoes."""
_QUIET: Final = 1e-3
"""Sound below is silence: espeak-ng's closures are zeros, up to the rounding of its echo."""
_LONGEST_CLOSURE_S: Final = 0.2
"""People hold no stop longer, not even a double one (Italian, Finnish): what is silent before that is a pause."""
_CLOSURE_AFTER_PAUSE_S: Final = 0.06
"""A stop after a pause closes unheard; English speakers' closures take 50 to 90 ms (Crystal and House 1988)."""
SHORTEST_PAUSE_S: Final = 0.03
"""A shorter silence before a sound that needs none belongs to the phone before it."""
_VOICELESS: Final = frozenset({"p", "t", "k", "tʃ"})
_FRICATIVES: Final = frozenset({"f", "v", "θ", "ð", "s", "z", "ʃ", "ʒ", "ç", "x", "h"})
_CLOSURE_S: Final = 0.039
"""The silence espeak-ng puts before a voiceless stop at its usual rate; 0.049 s between consonants (measured)."""
_CLOSURE_OVER_RATE: Final = 0.8
"""It shrinks with the rate to this power: 68 ms at half, 26 ms at 1.7 times the rate (measured)."""
_FOUND: Final = 0.6
"""A silence of less than this share of the usual one is not all of it: the voice echoes (f2 to f5, m2, the robots)."""
# What espeak-ng 1.52 leaves in its own alphabet in Cherokee, Danish, Irish, Kyrgyz, Oromo and Uzbek.
_NOT_IPA: Final = str.maketrans({"ε": "ɛ", "Φ": "ɸ", "A": "ɑ", "S": "ʃ", "Z": "ʒ", "[": None, "]": None})


@dataclass(frozen=True)
class Event:
    """One thing that espeak-ng says about its sound (speak_lib.h: espeak_EVENT)."""

    type: int
    position: int
    """Characters from the beginning of the text, from 1."""
    length: int
    """Characters of a word."""
    sample: int
    """Since the text began."""
    label: str = ""
    """The phone in IPA; nothing is a pause."""


@dataclass(frozen=True)
class Sounding:
    """The phone that began last and whose end is not known yet."""

    symbols: tuple[str, ...]
    stress: float
    start: int
    """Its first sample."""


def symbols_of(label: str) -> tuple[str, ...] | None:
    """Symbols of PHONES for an event's label; None where it marks no sound: a change of language, a lone accent."""
    if label.startswith("("):
        return None
    if not label:
        return (SILENCE,)
    found: list[str] = []
    bare = label.translate(_NOT_IPA)
    try:
        found.extend(phones_from_ipa(bare))
    except InputError:
        for letter in bare:  # a letter that nobody knows is left out, and the sound beside it keeps its time
            try:
                found.extend(phones_from_ipa(letter))
            except InputError:
                continue
    return tuple(found) or None


def stress_of(label: str) -> float:
    """IPA's accents as Phone.stress."""
    return 1.0 if "ˈ" in label else 0.5 if "ˌ" in label else 0.0


def closure_s(rate: float) -> float:
    """How long espeak-ng is silent before a voiceless stop at a factor of its usual rate."""
    return _CLOSURE_S / rate**_CLOSURE_OVER_RATE


@dataclass(frozen=True)
class Timing:
    """What turns samples into seconds, and silences into closures."""

    rate_hz: int
    closure_s: float = _CLOSURE_S
    """Usual silence before a voiceless stop; counts where an echo fills it."""


def end(
    last: Sounding, following: Sounding, sound: Float32[np.ndarray, "N"], timing: Timing
) -> tuple[tuple[Phone, ...], Sounding]:
    """The phones of `last`, a pause if one is heard, and `following` with its closure.

    `sound` is that between their two starts.
    """
    ends, starts = _boundary(last, following, last.start + _unto_silence(sound), timing)
    finished = finish(last, ends, timing.rate_hz)
    if starts > ends:
        finished += (Phone(SILENCE, ends / timing.rate_hz, starts / timing.rate_hz),)
    return finished, Sounding(following.symbols, following.stress, starts)


def finish(last: Sounding, ends: int, rate_hz: int) -> tuple[Phone, ...]:
    """The phones of an event that ends before the given sample; none when it is over before it began."""
    if ends <= last.start:
        return ()
    return split_evenly(last.symbols, last.start / rate_hz, ends / rate_hz, last.stress)


def _boundary(last: Sounding, following: Sounding, quiet_from: int, timing: Timing) -> tuple[int, int]:
    """The sample at which one phone ends, and the one at which the next begins; between them is a pause."""
    told, rate_hz = following.start, timing.rate_hz
    stop = following.symbols[0] in _STOPS
    if last.symbols == (SILENCE,):
        starts = max(last.start, told - round(_CLOSURE_AFTER_PAUSE_S * rate_hz)) if stop else told
        return starts, starts
    if following.symbols == (SILENCE,):
        return quiet_from, quiet_from
    if following.symbols[0] in _VOICELESS:
        usual = timing.closure_s * (0.5 if last.symbols[-1] in _FRICATIVES else 1.0) * rate_hz
        if told - quiet_from < _FOUND * usual:
            quiet_from = max(last.start, told - round(usual))
    if stop:
        return quiet_from, max(quiet_from, told - round(_LONGEST_CLOSURE_S * rate_hz))
    return (quiet_from if told - quiet_from >= SHORTEST_PAUSE_S * rate_hz else told), told


def _unto_silence(sound: Float32[np.ndarray, "N"]) -> int:
    """Samples until the last that is heard."""
    heard = np.flatnonzero(np.abs(sound) > _QUIET)
    return int(heard[-1]) + 1 if len(heard) else 0
