"""Character times of ElevenLabs (and of engines that write the same three lists) become phones.

Format: ElevenLabs, API reference, "Create speech with timing": characters, character_start_times_seconds and
character_end_times_seconds, in `alignment` and, with numbers spelled out, in `normalized_alignment`.
"""

import unicodedata
from pathlib import Path
from typing import Final, cast

from avatar3d.core.errors import InputError, UnreadableError, UnsupportedFormatError
from avatar3d.speech.marks.cues import Cue, checked, lay
from avatar3d.speech.marks.letters import Pronounce, phones_from_letters, phones_of_word
from avatar3d.speech.phones import Phone

_LISTS: Final = ("characters", "character_start_times_seconds", "character_end_times_seconds")
_PAUSE_S: Final = 0.15
"""Blanks between words take a few hundredths of a second in which nobody is silent; commas take longer."""
_JOINS: Final = frozenset("'’")


def alignment_in(document: dict[str, object]) -> dict[str, object] | None:
    """The object with the three lists, the normalised one first; None when there is none."""
    for candidate in (document.get("normalized_alignment"), document.get("alignment"), document):
        if isinstance(candidate, dict) and all(name in candidate for name in _LISTS):
            return cast("dict[str, object]", candidate)
    return None


def phones_from_characters(
    alignment: dict[str, object], file: Path, pronounce: Pronounce | None = None
) -> tuple[Phone, ...]:
    """Phones of every word: by its letters and their times, or as `pronounce` says it between its beginning and end."""
    phones: list[Phone] = []
    for word in _words(_characters(alignment, file)):
        try:
            if pronounce is None:
                phones.extend(phones_from_letters(word))
            else:
                said = "".join(letter.label for letter in word)
                phones.extend(phones_of_word(said, word[0].start_s, word[-1].end_s, pronounce))
        except InputError as cause:
            raise UnsupportedFormatError(
                f"at {word[0].start_s} s: {cause.message}", hint=cause.hint, file=file
            ) from cause
    if not phones:
        raise UnreadableError("expected characters with their times, got no letters.", file=file)
    return lay(phones, _PAUSE_S)


def _characters(alignment: dict[str, object], file: Path) -> tuple[Cue, ...]:
    lists = [alignment[name] for name in _LISTS]
    if not all(isinstance(column, list) for column in lists):
        raise UnreadableError(f"expected the lists {', '.join(_LISTS)}.", file=file)
    letters, starts, ends = (cast("list[object]", column) for column in lists)
    if not len(letters) == len(starts) == len(ends):
        raise UnreadableError(
            f"expected lists of one length, got {len(letters)}, {len(starts)}, {len(ends)}.", file=file
        )
    cues: list[Cue] = []
    for letter, start, end in zip(letters, starts, ends, strict=True):
        numbers = [value for value in (start, end) if isinstance(value, int | float) and abs(value) < float(1 << 62)]
        if not isinstance(letter, str) or len(numbers) != 2 or isinstance(start, bool) or isinstance(end, bool):
            raise UnreadableError(f"expected a character and two times, got {(letter, start, end)!r:.80}.", file=file)
        cues.append(Cue(letter, float(numbers[0]), float(numbers[1])))
    return checked(cues, file)


def _words(characters: tuple[Cue, ...]) -> list[list[Cue]]:
    """Runs of letters; what stands in brackets ("[laughs]") is a direction and not spoken."""
    words: list[list[Cue]] = [[]]
    directed = False
    for character in characters:
        directed = (directed or character.label == "[") and character.label != "]"
        joins = character.label in _JOINS or all(map(unicodedata.combining, character.label))
        spoken = character.label.isalnum() or (joins and bool(words[-1]))
        if spoken and not directed:
            words[-1].append(character)
        elif words[-1]:
            words.append([])
    return [word for word in words if word]
