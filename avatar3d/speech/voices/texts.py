"""Texts of strangers before a voice reads them: not too long, and without what is a command rather than a letter."""

import unicodedata
from dataclasses import dataclass
from typing import Final

from avatar3d.core.errors import LimitError

LONGEST_TEXT: Final = 100_000
"""Characters of one text: nearly two hours of speech."""
LONGEST_WORD: Final = 60
"""espeak-ng 1.52 writes beyond its buffers for words such as 220 times "s'" (its pull request 2495); 80 are safe."""
_MOST_DOTS: Final = 100
"""espeak-ng 1.52 writes beyond its list of words for some 230 of "a.a.a." in one clause: so many inner dots end it."""
_UNSPEAKABLE: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
"""Unicode categories: control characters, lone surrogates, private and unassigned ones."""
_ENDS_A_WORD: Final = frozenset("、。，！？；：…")
"""What parts a text in scripts that write no blanks."""


@dataclass(frozen=True)
class Speakable:
    """A text that no engine trips over."""

    text: str
    source: str
    """What it was made of."""
    source_from_text: tuple[int, ...]
    """For each character, and for the end, its index in `source`."""

    def said(self, first: int, length: int) -> tuple[str, int]:
        """The words of the source at a place of the text, and the index there."""
        last = len(self.source_from_text) - 1
        begins, ends = (self.source_from_text[min(max(at, 0), last)] for at in (first, first + length))
        return self.source[begins:ends], begins


def speakable(text: str) -> Speakable:
    """The text without controls, and with a break inside whatever no person would write."""
    source = without_controls(text)
    letters: list[str] = []
    places: list[int] = []
    run = dots = 0
    for index, letter in enumerate(source):
        run = 0 if letter.isspace() or letter in _ENDS_A_WORD else run + 1
        dots += letter == "." and not source[index + 1 : index + 2].isspace()
        breaks = "\n\n" if dots > _MOST_DOTS else " " if run > LONGEST_WORD else ""
        if breaks:
            run, dots = 1, 0 if dots > _MOST_DOTS else dots
        letters.extend((*breaks, letter))
        places.extend([index] * (len(breaks) + 1))
    return Speakable("".join(letters), source, (*places, len(source)))


def without_controls(text: str) -> str:
    """The text, as long as before, with a blank for what nobody can say.

    espeak-ng takes some control characters for commands, and lone surrogates have no UTF-8.
    Raises LimitError for a text that is too long.
    """
    if len(text) > LONGEST_TEXT:
        raise LimitError(
            f"expected a text of at most {LONGEST_TEXT} characters, got {len(text)}.", hint="Speak it in parts."
        )
    return "".join(
        " " if letter != "\n" and unicodedata.category(letter) in _UNSPEAKABLE else letter for letter in text
    )
