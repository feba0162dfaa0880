"""Viseme events of Azure's speech service: lists of audio offsets in ticks of 100 ns, and viseme ids from 0 to 21.

Format: Microsoft, "Get facial position with viseme" and the reference of SpeechSynthesisVisemeEventArgs.
"""

from pathlib import Path
from typing import Final

from avatar3d.core.errors import UnreadableError
from avatar3d.speech.marks.cues import until_next
from avatar3d.speech.marks.rhubarb import phones_from_cues
from avatar3d.speech.phones import Phone

_TICKS_PER_S: Final = 10_000_000
_LAST_S: Final = 0.1
"""How long a last viseme lasts when nobody says it; it is silence nearly always."""
_OFFSETS: Final = ("audiooffset", "privaudiooffset")
_IDS: Final = ("visemeid", "privvisemeid")
"""Python, C# and JavaScript write audio_offset, AudioOffset, audioOffset; JSON of a JavaScript event, privAudioOffset."""


def is_azure(row: object) -> bool:
    """Whether an entry of a list is one of Azure's events."""
    return isinstance(row, dict) and any(_plain(str(key)) in _OFFSETS for key in row)


def phones_from_azure(rows: list[object], file: Path, duration_s: float | None = None) -> tuple[Phone, ...]:
    """Phones for the events in their order; those that only carry blendshapes (offset 0, after others) are left out."""
    starts: list[tuple[str, float]] = []
    for row in rows:
        offset, viseme = _value(row, _OFFSETS, file), _value(row, _IDS, file)
        if offset == 0 and viseme == 0 and starts and starts[-1][1] > 0:
            continue
        if viseme != int(viseme):
            raise UnreadableError(f"expected a viseme id, got {viseme}.", file=file)
        starts.append((str(int(viseme)), offset / _TICKS_PER_S))
    return phones_from_cues(until_next(starts, duration_s, _LAST_S), file)


def _value(row: object, names: tuple[str, ...], file: Path) -> float:
    if isinstance(row, dict):
        value = next((value for key, value in row.items() if _plain(str(key)) in names), None)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float(1 << 62):
            return float(value)
    raise UnreadableError(f"expected an event with audio offset and viseme id, got {str(row)[:60]!r}.", file=file)


def _plain(key: str) -> str:
    return key.replace("_", "").lower()
