"""Phones of read speech by forced alignment: the one door to pocketsphinx.

words --> dictionary (missing ones from espeak-ng) --> words' times --> phones' times --> score --> kept or dropped
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.errors import MissingExtraError
from avatar3d.speech.network.features import RATE_HZ
from avatar3d.speech.phones import PHONE_INDEX, Phone, phones_from_arpabet, split_evenly

Pronounce = Callable[[str], tuple[str, ...]]
"""A word to symbols of PHONES."""
_FRAME_S: Final = 0.01
# pocketsphinx marks phones this much early (measured on synthetic speech with known times; ../shared/facts.md).
_EARLY_S: Final = 0.0085
# A consonant, a vowel longer than this was not found but filled in (seconds).
_LONGEST_S: Final = (0.45, 0.8)
# ARPABET for what espeak-ng answers, two at a time first.
_PAIRS: Final[dict[tuple[str, ...], str]] = {
    ("a", "ɪ"): "AY",
    ("a", "ʊ"): "AW",
    ("ɔ", "ɪ"): "OY",
    ("e", "ɪ"): "EY",
    ("o", "ʊ"): "OW",
    ("ə", "ʊ"): "OW",
}
_SINGLE: Final = {
    "i": "IY", "ɪ": "IH", "e": "EY", "ɛ": "EH", "æ": "AE", "a": "AA", "ɑ": "AA", "ɔ": "AO", "o": "OW", "ʊ": "UH",
    "u": "UW", "ʌ": "AH", "ə": "AH", "ɚ": "ER", "y": "UW", "ø": "ER", "ɯ": "UH", "p": "P", "b": "B", "m": "M", "f": "F",
    "v": "V", "θ": "TH", "ð": "DH", "t": "T", "d": "D", "n": "N", "s": "S", "z": "Z", "l": "L", "r": "R", "ɹ": "R",
    "ɾ": "T", "ʃ": "SH", "ʒ": "ZH", "tʃ": "CH", "dʒ": "JH", "ç": "HH", "j": "Y", "k": "K", "ɡ": "G", "ŋ": "NG", "x": "K",
    "h": "HH", "w": "W", "ɲ": "N",
}  # fmt: skip


@dataclass(frozen=True)
class Alignment:
    """Phones of one utterance."""

    phones: tuple[Phone, ...]
    score: float
    """Mean log likelihood per 10 ms of what is spoken; the more negative the worse."""
    longest: bool
    """Whether some phone is longer than anyone speaks it."""


class Aligner:
    """English words and 16 kHz sound to phones with times."""

    def __init__(self, pronounce: Pronounce) -> None:
        try:
            from pocketsphinx import Decoder  # noqa: PLC0415  an extra
        except ImportError as cause:
            raise MissingExtraError("pocketsphinx", "train", "Aligning speech with its text") from cause
        self._decoder: Any = Decoder(lm=None, bestpath=False, loglevel="FATAL")
        self._pronounce = pronounce

    def align(self, words: str, samples: Float32[np.ndarray, "N"]) -> Alignment | None:
        """None where the text does not fit the sound."""
        words = words.lower()
        for word in dict.fromkeys(words.split()):
            if self._decoder.lookup_word(word) is None:
                spelled = as_arpabet(self._pronounce(word))
                if not spelled:
                    return None
                self._decoder.add_word(word, " ".join(spelled), True)
        sound = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
        try:
            self._decoder.set_align_text(words)
            self._run(sound)
            if self._decoder.hyp() is None:
                return None
            self._decoder.set_alignment()
            self._run(sound)
            found = self._decoder.get_alignment()
        except RuntimeError:  # pocketsphinx: the text cannot be found in the sound
            return None
        return _alignment(found) if found is not None else None

    def _run(self, sound: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(sound, full_utt=True)
        self._decoder.end_utt()


def _alignment(found: Any) -> Alignment:
    phones: list[Phone] = []
    total = frames = 0
    longest = False
    for word in found:
        for entry in word:
            symbols = phones_from_arpabet(entry.name)
            start_s = entry.start * _FRAME_S + (_EARLY_S if entry.start else 0)
            spoken = split_evenly(symbols, start_s, (entry.start + entry.duration) * _FRAME_S + _EARLY_S)
            phones.extend(spoken)
            if symbols != ("sil",):
                total, frames = total + entry.score, frames + entry.duration
                vowel = PHONE_INDEX[symbols[0]] <= _LAST_VOWEL
                longest = longest or entry.duration * _FRAME_S > _LONGEST_S[vowel]
    return Alignment(tuple(phones), total / max(frames, 1), longest)


_LAST_VOWEL: Final = PHONE_INDEX["ɯ"]


def as_arpabet(symbols: tuple[str, ...]) -> tuple[str, ...]:
    """The CMU dictionary's phones for our symbols; those it has no name for are left out."""
    spelled: list[str] = []
    at = 0
    while at < len(symbols):
        pair = symbols[at : at + 2]
        if pair in _PAIRS:
            spelled.append(_PAIRS[pair])
            at += 2
            continue
        if symbols[at] in _SINGLE:
            spelled.append(_SINGLE[symbols[at]])
        at += 1
    return tuple(spelled)


assert RATE_HZ == 16_000  # what pocketsphinx's model was trained on
