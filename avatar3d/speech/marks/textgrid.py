"""Praat's TextGrid files: the tier of phones, or of words, as cues.

Format: Praat manual, "TextGrid file formats". In its long and its short form alike only free-standing numbers, texts in
double quotes ("" is a quote) and flags in <> count; whatever else stands there is comment, and so is all after a "!".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from avatar3d.core.errors import InputError, LimitError, UnreadableError, UnsupportedFormatError
from avatar3d.speech.marks.cues import MOST_CUES, Cue, checked, lay
from avatar3d.speech.marks.letters import Pronounce, phones_of_word
from avatar3d.speech.phones import SILENCE, Phone, phones_from_arpabet, phones_from_ipa, split_evenly

_TOKEN: Final = re.compile(
    r'"(?P<text>(?:[^"]++|"")*+)"'
    r"|(?<!\S)(?P<number>[-+]?(?:\d++\.?\d*+|\.\d++)(?:[eE][-+]?\d++)?)(?!\S)"
    r"|(?<!\S)(?P<flag><[^>\s]*+>)"
    r"|(?<!\S)![^\n]*+"
)
_PHONE_TIERS: Final = frozenset({"phones", "phonemes", "phone", "phoneme", "segments", "segment", "ipa", "mau"})
"""MAU is what the aligner MAUS calls its tier; the Montreal Forced Aligner writes "speaker - phones"."""
_WORD_TIERS: Final = frozenset({"words", "word", "ort-mau"})
_SILENT: Final = re.compile(
    r"|sil|sp|spn|spl|noise|nsn|pau|pause|eps|#|_|h#|epi|\+.*\+|<.*>|\[.*\]|\{.*\}", re.IGNORECASE
)
_STRESS: Final = {"1": 1.0, "2": 0.5, "ˈ": 1.0, "ˌ": 0.5}


@dataclass(frozen=True)
class Tier:
    """One line of a TextGrid."""

    name: str
    cues: tuple[Cue, ...]


def phones_from_textgrid(text: str, file: Path, pronounce: Pronounce | None = None) -> tuple[Phone, ...]:
    """The phones of the first tier that is named so, else those of the tier of words.

    Raises UnreadableError, LimitError, or UnsupportedFormatError when there is neither.
    """
    tiers = read_tiers(text, file)
    phones = next((tier for tier in tiers if _ends_in(tier.name, _PHONE_TIERS)), None)
    if phones is not None:
        return lay(_phones(checked(phones.cues, file), file))
    words = next((tier for tier in tiers if _ends_in(tier.name, _WORD_TIERS)), None)
    if words is None:
        names = ", ".join(repr(tier.name) for tier in tiers) or "none"
        raise UnsupportedFormatError(
            f"expected a tier named phones, phonemes or words, got: {names}.",
            hint="Rename the tier in Praat.",
            file=file,
        )
    spoken = [cue for cue in checked(words.cues, file) if not _silent(cue.label)]
    return lay(phone for cue in spoken for phone in phones_of_word(cue.label, cue.start_s, cue.end_s, pronounce))


def read_tiers(text: str, file: Path) -> tuple[Tier, ...]:
    """Every interval tier; those of points are passed over."""
    if text.startswith("ooBinaryFile"):
        raise UnsupportedFormatError("a binary TextGrid.", hint='In Praat, "Save as text file...".', file=file)
    tokens = _Tokens(text, file)
    if (tokens.text(), tokens.text()) != ("ooTextFile", "TextGrid"):
        raise UnsupportedFormatError("expected a TextGrid of Praat.", file=file)
    tokens.skip_times()
    if tokens.flag() != "<exists>":
        return ()
    tiers: list[Tier] = []
    total = 0
    for _ in range(tokens.count()):
        kind, name = tokens.text(), tokens.text()
        tokens.skip_times()
        count = tokens.count()
        total += count
        if total > MOST_CUES:
            raise LimitError(f"expected at most {MOST_CUES} intervals.", file=file)
        if kind == "IntervalTier":
            tiers.append(Tier(name, tuple(_interval(tokens) for _ in range(count))))
        elif kind == "TextTier":
            for _ in range(count):
                tokens.skip_point()
        else:
            raise UnreadableError(f"expected an IntervalTier or a TextTier, got {kind!r}.", file=file)
    return tuple(tiers)


def _interval(tokens: "_Tokens") -> Cue:
    start_s, end_s = tokens.number(), tokens.number()
    return Cue(tokens.text().strip(), start_s, end_s)


class _Tokens:
    """What counts in a TextGrid, one after another."""

    def __init__(self, text: str, file: Path) -> None:
        self._file = file
        self._found: Iterator[re.Match[str]] = (
            match for match in _TOKEN.finditer(text) if not match[0].startswith("!")
        )

    def text(self) -> str:
        return self._next("text", "a text in quotes").replace('""', '"')

    def skip_times(self) -> None:
        """The beginning and the end of the whole or of a tier; the intervals say as much."""
        self.number()
        self.number()

    def skip_point(self) -> None:
        self.number()
        self.text()

    def number(self) -> float:
        return float(self._next("number", "a number"))

    def count(self) -> int:
        """A number of things to come; it is not believed, only counted down."""
        number = self.number()
        if not 0 <= number <= MOST_CUES or number != int(number):
            raise UnreadableError(f"expected a number of tiers or intervals, got {number}.", file=self._file)
        return int(number)

    def flag(self) -> str:
        return self._next("flag", "<exists>")

    def _next(self, kind: str, expected: str) -> str:
        match = next(self._found, None)
        if match is None:
            raise UnreadableError(f"the TextGrid ends where {expected} should come.", file=self._file)
        if match.lastgroup != kind:
            raise UnreadableError(
                f"expected {expected} at character {match.start()} of the TextGrid, got {match[0][:40]!r}.",
                file=self._file,
            )
        return match[kind]


def _phones(cues: tuple[Cue, ...], file: Path) -> Iterator[Phone]:
    arpabet = _is_arpabet({cue.label for cue in cues if not _silent(cue.label)})
    for cue in cues:
        if _silent(cue.label):
            yield Phone(SILENCE, cue.start_s, cue.end_s)
            continue
        try:
            symbols = phones_from_arpabet(cue.label) if arpabet else phones_from_ipa(cue.label)
        except InputError as cause:
            raise UnreadableError(f"at {cue.start_s} s: {cause.message}.", file=file) from cause
        stress = max((_STRESS.get(letter, 0.0) for letter in cue.label), default=0.0)
        yield from split_evenly(symbols, cue.start_s, cue.end_s, stress)


def _is_arpabet(labels: set[str]) -> bool:
    """Whether all are ARPABET, and one is more than a small letter, which would be IPA as well."""
    for label in labels:
        try:
            phones_from_arpabet(label)
        except InputError:
            return False
    return any(label != label.lower() or len(label) > 1 for label in labels)


def _silent(label: str) -> bool:
    return _SILENT.fullmatch(label) is not None


def _ends_in(name: str, names: frozenset[str]) -> bool:
    return name.strip().lower().rpartition(" - ")[2] in names
