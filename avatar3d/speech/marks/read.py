"""The one door for recorded marks: files of phones, visemes or character times become phones, end to end.

.TextGrid (Praat)   .tsv .txt .xml .json (Rhubarb)   .json (Azure viseme ids, ElevenLabs characters, Oculus visemes)
"""

import codecs
import json
from pathlib import Path
from typing import Final

from avatar3d.core.errors import LimitError, UnreadableError, UnsupportedFormatError
from avatar3d.speech.marks.azure import is_azure, phones_from_azure
from avatar3d.speech.marks.elevenlabs import alignment_in, phones_from_characters
from avatar3d.speech.marks.letters import Pronounce
from avatar3d.speech.marks.rhubarb import phones_from_json, phones_from_table, phones_from_xml
from avatar3d.speech.marks.textgrid import phones_from_textgrid
from avatar3d.speech.phones import Phone

LARGEST_FILE: Final = 16_000_000
"""Bytes: hours of marks, and what JSON makes of so many in memory can still be borne."""
SUFFIXES: Final = (".textgrid", ".tsv", ".txt", ".xml", ".json")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
_LISTS: Final = ("mouthCues", "visemes", "events")


def read_marks(path: Path, *, duration_s: float | None = None, pronounce: Pronounce | None = None) -> tuple[Phone, ...]:
    """The phones that a file of marks stands for, from 0 s on and without gaps.

    `duration_s` is the sound's, for formats that do not say how long their last mark lasts. `pronounce` says words that
    are only written (`avatar3d.speech.voices.espeak.pronouncer`); without it they are read letter by letter, roughly.
    Raises UnreadableError (10), UnsupportedFormatError (11), LimitError (12).
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UnsupportedFormatError(
            f"expected marks in one of {', '.join(SUFFIXES)}, got {path.suffix or 'no suffix'!r}.", file=path
        )
    document = _read(path)
    if suffix == ".xml":
        return phones_from_xml(document, path)
    text = _decode(document, path)
    if suffix == ".json":
        return _from_json(text, path, duration_s, pronounce)
    if suffix == ".textgrid" or text.startswith("File type"):
        return phones_from_textgrid(text, path, pronounce)
    return phones_from_table(text, path, duration_s)


def _from_json(text: str, path: Path, duration_s: float | None, pronounce: Pronounce | None) -> tuple[Phone, ...]:
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise UnreadableError(f"the JSON is broken: {str(cause)[:80]}.", file=path) from cause
    if isinstance(document, dict):
        alignment = alignment_in(document)
        if alignment is not None:
            return phones_from_characters(alignment, path, pronounce)
        document = next((document[name] for name in _LISTS if name in document), document)
    if not isinstance(document, list) or not document:
        raise UnsupportedFormatError(
            "expected a list of visemes, Rhubarb's mouthCues or ElevenLabs' alignment in the JSON.", file=path
        )
    if is_azure(document[0]):
        return phones_from_azure(document, path, duration_s)
    return phones_from_json(document, path, duration_s)


def _read(path: Path) -> bytes:
    """The file's bytes, no more than the limit, and from nothing but a file."""
    if not path.is_file():
        raise UnreadableError("there is no such file." if not path.exists() else "expected a file.", file=path)
    try:
        with path.open("rb") as opened:
            document = opened.read(LARGEST_FILE + 1)
    except OSError as cause:
        raise UnreadableError(f"the file cannot be read: {cause.strerror}.", file=path) from cause
    if len(document) > LARGEST_FILE:
        raise LimitError(
            f"expected marks of at most {LARGEST_FILE // 1_000_000} MB.",
            hint="Leave the sound out of the file.",
            file=path,
        )
    if not document.strip():
        raise UnreadableError("the file is empty.", file=path)
    return document


def _decode(document: bytes, path: Path) -> str:
    """By its byte order mark, as Praat writes one; else UTF-8."""
    encoding, mark = next(((name, bom) for bom, name in _BOMS if document.startswith(bom)), ("utf-8", b""))
    try:
        return document[len(mark) :].decode(encoding)
    except UnicodeDecodeError as cause:
        raise UnreadableError(f"expected text in UTF-8 or UTF-16: {cause.reason}.", file=path) from cause
