"""Letters become phones, roughly: what a mouth does for the letters of the Latin script, whatever the language.

For letters whose times are known and whose pronunciation is not. English spelling is not followed far ("though" is wrong);
closures of p, b, m and the lips of f, v, o, u are right in most languages, and they are what one sees.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from avatar3d.core.errors import UnsupportedFormatError
from avatar3d.speech.marks.cues import Cue
from avatar3d.speech.phones import SILENCE, Phone, split_evenly

Pronounce = Callable[[str], tuple[Phone, ...]]
"""The phones of a word, in a time of their own."""
# What these letters most often stand for in the languages that write them; no entry is any one language's rule.
_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "sch": ("ʃ",), "sh": ("ʃ",), "ch": ("tʃ",), "th": ("θ",), "ph": ("f",), "ng": ("ŋ",), "wh": ("w",), "ck": ("k",),
    "qu": ("k", "w"), "gh": (), "oo": ("u",), "ee": ("i",), "ea": ("i",), "ie": ("i",), "ou": ("a", "ʊ"), "ow": ("a", "ʊ"),
    "au": ("a", "ʊ"), "ai": ("e", "ɪ"), "ay": ("e", "ɪ"), "ei": ("a", "ɪ"), "oi": ("ɔ", "ɪ"), "oy": ("ɔ", "ɪ"),
}  # fmt: skip
_LETTERS: Final[dict[str, tuple[str, ...]]] = {
    "a": ("a",), "b": ("b",), "c": ("k",), "d": ("d",), "e": ("ɛ",), "f": ("f",), "g": ("ɡ",), "h": ("h",), "i": ("ɪ",),
    "j": ("dʒ",), "k": ("k",), "l": ("l",), "m": ("m",), "n": ("n",), "o": ("o",), "p": ("p",), "q": ("k",), "r": ("ɹ",),
    "s": ("s",), "t": ("t",), "u": ("ʊ",), "v": ("v",), "w": ("w",), "x": ("k", "s"), "y": ("i",), "z": ("z",),
    "ä": ("ɛ",), "ö": ("ø",), "ü": ("y",), "ß": ("s",), "å": ("o",), "ø": ("ø",), "æ": ("æ",), "œ": ("ø",), "ç": ("s",),
    "ñ": ("ɲ",), "ń": ("ɲ",), "š": ("ʃ",), "ś": ("ʃ",), "ş": ("ʃ",), "ș": ("ʃ",), "ž": ("ʒ",), "ź": ("ʒ",), "ż": ("ʒ",),
    "ř": ("ʒ",), "č": ("tʃ",), "ć": ("tʃ",), "ł": ("w",), "ı": ("ɯ",), "đ": ("d",), "ð": ("ð",), "þ": ("θ",),
}  # fmt: skip
_FRONT: Final = frozenset("eiyéèêíëï")
_LONGEST_GROUP: Final = max(map(len, _GROUPS))
_SILENT: Final = frozenset("'’-·")


def phones_from_letters(letters: Sequence[Cue]) -> tuple[Phone, ...]:
    """The phones of one word, each in the time of its letters.

    Raises UnsupportedFormatError for a letter of another script, or a digit.
    """
    word = "".join(_plain(letter.label) for letter in letters)
    phones: list[Phone] = []
    at = 0
    while at < len(word):
        length, symbols = _sound(word, at)
        start_s, end_s = letters[at].start_s, letters[at + length - 1].end_s
        if symbols:
            phones.extend(split_evenly(symbols, start_s, end_s))
        elif phones:
            phones[-1] = replace(phones[-1], end_s=end_s)
        at += length
    return tuple(phones)


def phones_of_word(word: str, start_s: float, end_s: float, pronounce: Pronounce | None = None) -> tuple[Phone, ...]:
    """The phones of a word of which only beginning and end are known; by its letters when nobody can pronounce it."""
    if pronounce is None:
        spoken = [letter for letter in word if letter.isalnum() or letter in _SILENT]
        step_s = (end_s - start_s) / max(len(spoken), 1)
        cues = [Cue(letter, start_s + step_s * at, start_s + step_s * (at + 1)) for at, letter in enumerate(spoken)]
        return phones_from_letters(cues)
    heard = [phone for phone in pronounce(word) if phone.symbol != SILENCE]
    if not heard:
        return ()
    first_s, lasts_s = heard[0].start_s, heard[-1].end_s - heard[0].start_s
    scale = (end_s - start_s) / lasts_s if lasts_s > 0 else 0.0
    return tuple(
        replace(
            phone,
            start_s=start_s + scale * (phone.start_s - first_s),
            end_s=start_s + scale * (phone.end_s - first_s),
        )
        for phone in heard
    )


def _plain(letter: str) -> str:
    """One lower-case letter for one label; an accent that no table knows is left off."""
    small = unicodedata.normalize("NFC", letter.lower())
    if small in _LETTERS or small in _SILENT:
        return small
    bare = unicodedata.normalize("NFD", small)[:1]
    if bare and unicodedata.combining(bare):
        return "'"  # an accent by itself: it has been heard with its letter
    if bare in _LETTERS:
        return bare
    raise UnsupportedFormatError(
        f"letters become phones by rule in the Latin script only, got {letter!r}.",
        hint='Let espeak-ng pronounce the words instead (extra "espeak"), or give phones.',
    )


def _sound(word: str, at: int) -> tuple[int, tuple[str, ...]]:
    """How many letters from there on make one sound, and which; nothing when they are silent."""
    for length in range(_LONGEST_GROUP, 1, -1):
        group = word[at : at + length]
        if group in _GROUPS:
            return len(group), _GROUPS[group]
    letter, following = word[at], word[at + 1 : at + 2]
    if letter in _SILENT:
        return 1, ()
    if letter == following and letter in _LETTERS:
        return 2, _LETTERS[letter]
    if letter == "c" and following in _FRONT and following:
        return 1, ("s",)
    if letter == "y" and following and following in "aeiou":
        return 1, ("j",)
    if letter == "e" and not following and at > 0:
        return 1, ("ə",)  # spoken in Italian, silent in English: the mouth opens little either way
    return 1, _LETTERS[letter]
