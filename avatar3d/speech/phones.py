r"""The phones of speech: one inventory for all languages, by what a mouth does for them.

    ARPABET (pocketsphinx, flite, festival)  --\
                                                >--> symbols of PHONES
    IPA (espeak-ng, TextGrid)                --/

A sound that is not in the inventory becomes the nearest one to look at: phonation, aspiration, length, tone and
palatalisation do not show on lips.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final

from avatar3d.core.errors import InputError

SILENCE: Final = "sil"
VOWELS: Final = ("i", "ɪ", "e", "ɛ", "æ", "a", "ɑ", "ɔ", "o", "ʊ", "u", "ʌ", "ə", "ɚ", "y", "ø", "ɯ")
CONSONANTS: Final = (
    "p", "b", "m", "f", "v", "θ", "ð", "t", "d", "n", "s", "z", "l", "r", "ɾ", "ʃ", "ʒ", "tʃ", "dʒ",
    "ç", "j", "k", "ɡ", "ŋ", "x", "h", "w", "ɹ", "ɲ", "ʔ",
)  # fmt: skip
PHONES: Final[tuple[str, ...]] = (SILENCE, *VOWELS, *CONSONANTS)
PHONE_INDEX: Final[dict[str, int]] = {symbol: index for index, symbol in enumerate(PHONES)}
BILABIALS: Final = frozenset({"p", "b", "m"})
LABIODENTALS: Final = frozenset({"f", "v"})


@dataclass(frozen=True)
class Phone:
    """One sound of speech and when it is heard."""

    symbol: str
    """Of PHONES."""
    start_s: float
    end_s: float
    stress: float = 0.0
    """0 (none), 0.5 (secondary), 1 (primary), of the syllable's vowel."""

    def __post_init__(self) -> None:
        if self.symbol not in PHONE_INDEX:
            raise InputError(f"expected a phone of avatar3d.speech.phones.PHONES, got {self.symbol!r}")
        if not self.start_s <= self.end_s:
            raise InputError(f"phone {self.symbol!r} ends at {self.end_s} s, before it begins at {self.start_s} s")


# CMU Pronouncing Dictionary's 39 phones; its diphthongs are two phones, as the mouth makes them.
_ARPABET: Final[dict[str, tuple[str, ...]]] = {
    "AA": ("ɑ",), "AE": ("æ",), "AH": ("ʌ",), "AO": ("ɔ",), "AW": ("a", "ʊ"), "AX": ("ə",), "AXR": ("ɚ",),
    "AY": ("a", "ɪ"), "EH": ("ɛ",), "ER": ("ɚ",), "EY": ("e", "ɪ"), "IH": ("ɪ",), "IX": ("ɪ",), "IY": ("i",),
    "OW": ("o", "ʊ"), "OY": ("ɔ", "ɪ"), "UH": ("ʊ",), "UW": ("u",), "UX": ("u",),
    "B": ("b",), "CH": ("tʃ",), "D": ("d",), "DH": ("ð",), "DX": ("ɾ",), "EL": ("l",), "EM": ("m",), "EN": ("n",),
    "F": ("f",), "G": ("ɡ",), "HH": ("h",), "HV": ("h",), "JH": ("dʒ",), "K": ("k",), "L": ("l",), "M": ("m",),
    "N": ("n",), "NG": ("ŋ",), "P": ("p",), "Q": ("ʔ",), "R": ("ɹ",), "S": ("s",), "SH": ("ʃ",), "T": ("t",),
    "TH": ("θ",), "V": ("v",), "W": ("w",), "Y": ("j",), "Z": ("z",), "ZH": ("ʒ",),
    "SIL": (SILENCE,), "PAU": (SILENCE,), "H#": (SILENCE,), "+SPN+": (SILENCE,), "+NSN+": (SILENCE,), "": (SILENCE,),
}  # fmt: skip

# What the inventory lacks and what looks most like it (International Phonetic Association, chart of 2020).
_LOOKS_LIKE: Final[dict[str, tuple[str, ...]]] = {
    "ɨ": ("ɪ",), "ᵻ": ("ɪ",), "ʏ": ("y",), "œ": ("ø",), "ɶ": ("ø",), "ɵ": ("ø",), "ʉ": ("u",), "ɘ": ("ə",), "ɜ": ("ɚ",),
    "ɝ": ("ɚ",), "ɐ": ("a",), "ɤ": ("ʌ",), "ɒ": ("ɔ",), "ɞ": ("ʌ",),
    "g": ("ɡ",), "β": ("v",), "ʋ": ("v",), "ɸ": ("f",), "ɱ": ("m",), "ɓ": ("b",), "ʙ": ("b",), "ɗ": ("d",), "ɖ": ("d",),
    "ʈ": ("t",), "ɳ": ("n",), "ɭ": ("l",), "ɫ": ("l",), "ʎ": ("l",), "ɬ": ("l",), "ɮ": ("l",), "ʟ": ("l",), "ɽ": ("ɾ",),
    "ɻ": ("ɹ",), "ʀ": ("r",), "ʁ": ("x",), "ɣ": ("x",), "χ": ("x",), "ħ": ("h",), "ɦ": ("h",), "ʕ": ("h",), "ʂ": ("ʃ",),
    "ʐ": ("ʒ",), "ɕ": ("ʃ",), "ʑ": ("ʒ",), "ʝ": ("j",), "ɟ": ("dʒ",), "c": ("tʃ",), "q": ("k",), "ɢ": ("ɡ",), "ɴ": ("ŋ",),
    "ɰ": ("w",), "ʍ": ("w",), "ɥ": ("y",), "ʦ": ("t", "s"), "ʣ": ("d", "z"), "ʧ": ("tʃ",), "ʤ": ("dʒ",), "ʨ": ("tʃ",),
    "ʥ": ("dʒ",), "ɺ": ("ɾ",), "ɠ": ("ɡ",), "ʛ": ("ɡ",), "ʄ": ("dʒ",), "ɧ": ("ʃ",),
}  # fmt: skip
_DIGRAPHS: Final[dict[str, tuple[str, ...]]] = {
    "tʃ": ("tʃ",), "dʒ": ("dʒ",), "tɕ": ("tʃ",), "dʑ": ("dʒ",), "tʂ": ("tʃ",), "dʐ": ("dʒ",), "ts": ("t", "s"),
    "dz": ("d", "z"),
}  # fmt: skip

# Unicode's categories of what is written on or between letters.
_MARKS: Final = frozenset({"Mn", "Lm", "Sk", "Po", "Zs", "Nd", "No", "Sm", "Pd", "Cf"})


def phones_from_arpabet(label: str) -> tuple[str, ...]:
    """Symbols of PHONES for a label such as AY1, ay or +SPN+. Raises InputError for an unknown one."""
    bare = label.strip().upper().rstrip("0123456789")
    if bare.startswith(("+", "<")):
        return (SILENCE,)
    if bare not in _ARPABET:
        raise InputError(f"expected an ARPABET phone, got {label!r}")
    return _ARPABET[bare]


def phones_from_ipa(label: str) -> tuple[str, ...]:
    """Symbols of PHONES for a phone, or a run of phones, in IPA; nothing for marks that stand alone.

    Diacritics, length, tone and stress are dropped. Raises InputError for a letter that is not IPA.
    """
    letters = "".join(_letters(letter) for letter in unicodedata.normalize("NFC", label))
    found: list[str] = []
    at = 0
    while at < len(letters):
        pair, letter = letters[at : at + 2], letters[at]
        if pair in _DIGRAPHS:
            found.extend(_DIGRAPHS[pair])
            at += 2
            continue
        if letter in PHONE_INDEX:
            found.append(letter)
        elif letter in _LOOKS_LIKE:
            found.extend(_LOOKS_LIKE[letter])
        elif letter in {"_", "|", "‖"}:
            found.append(SILENCE)
        else:
            raise InputError(f"expected phones in IPA, got {letter!r} (U+{ord(letter):04X}) in {label!r}")
        at += 1
    return tuple(found)


def _letters(letter: str) -> str:
    """What is left of a letter without its marks; the c of ç is not one of them."""
    if letter in PHONE_INDEX or letter in _LOOKS_LIKE:
        return letter
    bare = unicodedata.normalize("NFD", letter)
    return "".join(part for part in bare if unicodedata.category(part) not in _MARKS)


def split_evenly(symbols: tuple[str, ...], start_s: float, end_s: float, stress: float = 0.0) -> tuple[Phone, ...]:
    """Phones that share an interval; of a diphthong the first part takes more, as people speak it."""
    if not symbols:
        return ()
    first = _FIRST_SHARE if len(symbols) == 2 else 1 / len(symbols)
    rest = (1 - first) / max(len(symbols) - 1, 1)
    ends = [start_s + (end_s - start_s) * (first + rest * index) for index in range(len(symbols))]
    starts = [start_s, *ends[:-1]]
    return tuple(
        Phone(symbol, start, max(start, end), stress) for symbol, start, end in zip(symbols, starts, ends, strict=True)
    )


_FIRST_SHARE: Final = 0.6
