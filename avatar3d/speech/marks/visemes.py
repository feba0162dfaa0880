"""Visemes become phones: for each, the phone that looks most like it and can be held as long as one likes.

One table for each dialect. Several phones share a viseme, so that the sound is lost, but hardly the look.
"""

from collections.abc import Iterable
from typing import Final

from avatar3d.core.errors import InputError
from avatar3d.speech.marks.cues import lay
from avatar3d.speech.phones import SILENCE, Phone, split_evenly
from avatar3d.speech.voices.tts import Dialect, Mark, VisemeMark

# Rhubarb Lip Sync, README, "Mouth shapes": A for P B M, B for most consonants and EE, C for EH and AE, D for AA, E for AO
# and ER, F for UW OW W, G for F V, H for long L, X for pauses.
_RHUBARB: Final[dict[str, tuple[str, ...]]] = {
    "A": ("m",), "B": ("s",), "C": ("ɛ",), "D": ("ɑ",), "E": ("ɔ",), "F": ("u",), "G": ("f",), "H": ("l",), "X": (SILENCE,),
}  # fmt: skip
# Microsoft, "Get facial position with viseme", table of viseme ids; the same numbers as SAPI 5.3's SpeechVisemeType:
# 1 ae ax ah, 2 aa, 3 ao, 4 ey eh uh, 5 er, 6 y iy ih ix, 7 w uw, 8 ow, 9 aw, 10 oy, 11 ay, 12 h, 13 r, 14 l, 15 s z,
# 16 sh ch jh zh, 17 th dh, 18 f v, 19 d t n, 20 k g ng, 21 p b m.
_AZURE: Final[dict[str, tuple[str, ...]]] = {
    "0": (SILENCE,), "1": ("ʌ",), "2": ("ɑ",), "3": ("ɔ",), "4": ("ɛ",), "5": ("ɚ",), "6": ("i",), "7": ("u",), "8": ("o",),
    "9": ("a", "ʊ"), "10": ("ɔ", "ɪ"), "11": ("a", "ɪ"), "12": ("h",), "13": ("ɹ",), "14": ("l",), "15": ("s",),
    "16": ("ʃ",), "17": ("ð",), "18": ("f",), "19": ("n",), "20": ("k",), "21": ("m",),
}  # fmt: skip
# Meta, "Viseme Reference" of Oculus Lipsync: PP p b m, FF f v, TH th, DD t d, kk k g, CH tS dZ S, SS s z, nn n l, RR r,
# aa A:, E e, ih (tip), oh (toe), ou (book); its table writes I, O and U for the last three.
_OCULUS: Final[dict[str, tuple[str, ...]]] = {
    "sil": (SILENCE,), "PP": ("m",), "FF": ("f",), "TH": ("θ",), "DD": ("d",), "kk": ("k",), "CH": ("ʃ",), "SS": ("s",),
    "nn": ("n",), "RR": ("ɹ",), "aa": ("ɑ",), "E": ("ɛ",), "ih": ("ɪ",), "oh": ("o",), "ou": ("u",),
    "I": ("ɪ",), "O": ("o",), "U": ("u",),
}  # fmt: skip
_TABLES: Final[dict[Dialect, dict[str, tuple[str, ...]]]] = {"azure": _AZURE, "oculus": _OCULUS, "rhubarb": _RHUBARB}


def symbols_of_viseme(dialect: Dialect, viseme: str) -> tuple[str, ...]:
    """Symbols of PHONES for a viseme; a diphthong is two. Raises InputError for one that is not the dialect's."""
    table = _TABLES[dialect]
    if viseme not in table:
        raise InputError(f"expected a viseme of {dialect} ({', '.join(table)}), got {viseme!r}.")
    return table[viseme]


def dialect_of(visemes: Iterable[str]) -> Dialect:
    """The one whose names all of these are; a lone E is Rhubarb's. Raises InputError when none is."""
    names = set(visemes)
    dialects: tuple[Dialect, ...] = ("rhubarb", "oculus", "azure")
    for dialect in dialects:
        if names <= _TABLES[dialect].keys():
            return dialect
    rarest = ", ".join(sorted(names)[:8])
    raise InputError(f"expected visemes of one of {', '.join(dialects)}, got: {rarest}.")


def phones_from_marks(marks: Iterable[Mark]) -> tuple[Phone, ...]:
    """Phones end to end for the phones and visemes among an engine's marks; its words are left out."""
    phones: list[Phone] = []
    for mark in marks:
        if isinstance(mark, Phone):
            phones.append(mark)
        elif isinstance(mark, VisemeMark):
            symbols = symbols_of_viseme(mark.dialect, mark.viseme)
            phones.extend(split_evenly(symbols, mark.start_s, mark.end_s))
    return lay(phones)
