"""Rhubarb Lip Sync's files (tab-separated, XML, JSON), and lists of visemes that look like them.

Format: Rhubarb Lip Sync, README, "Output formats".
"""

from pathlib import Path
from typing import Final
from xml.parsers import expat

from avatar3d.core.errors import InputError, LimitError, UnreadableError, UnsupportedFormatError
from avatar3d.speech.marks.cues import MOST_CUES, Cue, checked, until_next
from avatar3d.speech.marks.visemes import dialect_of, phones_from_marks
from avatar3d.speech.phones import Phone
from avatar3d.speech.voices.tts import VisemeMark

_LAST_S: Final = 0.1
"""How long a last viseme lasts when nobody says it: about as long as a phone."""
_DEEPEST_XML: Final = 8
"""Rhubarb's own are three deep."""


def phones_from_cues(cues: tuple[Cue, ...], file: Path) -> tuple[Phone, ...]:
    """Phones for visemes of whatever dialect their names are."""
    if not cues:
        raise UnreadableError("expected visemes with their times, got none.", file=file)
    try:
        dialect = dialect_of(cue.label for cue in cues)
    except InputError as cause:
        raise UnsupportedFormatError(cause.message, file=file) from cause
    marks = (VisemeMark(dialect, cue.label, cue.start_s, cue.end_s) for cue in checked(cues, file))
    return phones_from_marks(marks)


def phones_from_table(text: str, file: Path, duration_s: float | None = None) -> tuple[Phone, ...]:
    """Lines of time, tab, viseme. The last line only says when the recording ends."""
    starts: list[tuple[str, float]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        time, _, name = line.partition("\t")
        try:
            starts.append((name.strip(), float(time)))
        except ValueError:
            raise UnreadableError(
                f"expected a time, a tab and a viseme in line {number}, got {line[:40]!r}.", file=file
            ) from None
        if len(starts) > MOST_CUES:
            raise LimitError(f"expected at most {MOST_CUES} marks.", file=file)
    return phones_from_cues(until_next(starts, duration_s, 0.0), file)


def phones_from_json(rows: list[object], file: Path, duration_s: float | None = None) -> tuple[Phone, ...]:
    """The mouthCues of Rhubarb, or any list of objects with a viseme, a start and perhaps an end."""
    named = [_row(row, file) for row in rows]
    starts = [(label, start_s) for label, start_s, _ in named]
    ends = [cue.end_s for cue in until_next(starts, duration_s, _LAST_S)]
    given = (end_s if told is None else told for end_s, (_, _, told) in zip(ends, named, strict=True))
    cues = (Cue(label, start_s, end_s) for (label, start_s), end_s in zip(starts, given, strict=True))
    return phones_from_cues(tuple(cues), file)


def phones_from_xml(document: bytes, file: Path) -> tuple[Phone, ...]:
    """The mouthCue elements. A document type, and with it every entity, is refused before it is read."""
    cues: list[Cue] = []
    times: list[tuple[float, float]] = []
    words: list[str] = []
    depth = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST_XML or len(cues) > MOST_CUES:
            raise LimitError(f"expected elements {_DEEPEST_XML} deep and {MOST_CUES} marks at most.", file=file)
        if name == "mouthCue":
            times.append((_number(attributes.get("start"), file), _number(attributes.get("end"), file)))
            words.clear()

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        if name == "mouthCue" and times:
            start_s, end_s = times.pop()
            cues.append(Cue("".join(words).strip(), start_s, end_s))

    def refuse(*_: object) -> None:
        raise UnsupportedFormatError("Rhubarb's XML has no document type and no entities.", file=file)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = words.append
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, ValueError, LookupError) as cause:  # the last two: an encoding that expat has not
        raise UnreadableError(f"the XML is broken: {cause}.", file=file) from cause
    return phones_from_cues(tuple(cues), file)


def _row(row: object, file: Path) -> tuple[str, float, float | None]:
    """Viseme, start and end of one entry."""
    if not isinstance(row, dict):
        raise UnreadableError(f"expected an object with viseme and start, got {str(row)[:40]!r}.", file=file)
    label = next((row[key] for key in ("value", "viseme", "name") if key in row), None)
    start = next((row[key] for key in ("start", "start_s", "time", "time_s") if key in row), None)
    end = next((row[key] for key in ("end", "end_s") if key in row), None)
    if not isinstance(label, str):
        raise UnreadableError(f"expected the name of a viseme, got {str(label)[:40]!r}.", file=file)
    return label, _number(start, file), None if end is None else _number(end, file)


def _number(value: object, file: Path) -> float:
    """Seconds; a text of them in XML."""
    try:
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise UnreadableError(f"expected a time in seconds, got {str(value)[:40]!r}.", file=file)
