"""Labels with times, as files and engines give them: checked before anything believes them, then laid end to end."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from avatar3d.core.errors import LimitError, UnreadableError
from avatar3d.speech.phones import SILENCE, Phone

MOST_CUES: Final = 1_000_000
"""A day of quick speech."""
LONGEST_S: Final = 86_400.0
_ROUNDING_S: Final = 0.002
"""Files with times in milliseconds overlap by so much, and mean nothing by it."""
_SHORTEST_PAUSE_S: Final = 0.03
"""What nobody marked between two phones and is shorter belongs to the first of them."""


@dataclass(frozen=True)
class Cue:
    """Something that lasts from a time to a time."""

    label: str
    start_s: float
    end_s: float


def checked(cues: Sequence[Cue], file: Path) -> tuple[Cue, ...]:
    """The same cues, each beginning no earlier than the one before ends.

    Raises LimitError for too many or too late ones, and UnreadableError for times that are no times: negative, not a
    number, out of order, overlapping.
    """
    if len(cues) > MOST_CUES:
        raise LimitError(f"expected at most {MOST_CUES} marks, got {len(cues)}.", file=file)
    said: list[Cue] = []
    before_s = 0.0
    for index, cue in enumerate(cues):
        if not (math.isfinite(cue.start_s) and math.isfinite(cue.end_s)) or cue.start_s < 0 or cue.end_s < cue.start_s:
            raise UnreadableError(
                f"mark {index} ({cue.label!r}) lasts from {cue.start_s} s to {cue.end_s} s.", file=file
            )
        if cue.end_s > LONGEST_S:
            raise LimitError(f"mark {index} ends at {cue.end_s:.0f} s; a day is the most.", file=file)
        if cue.start_s < before_s - _ROUNDING_S:
            raise UnreadableError(
                f"mark {index} ({cue.label!r}) begins at {cue.start_s} s, before the one before it ends at {before_s} s.",
                hint="Marks must be in order and must not overlap.",
                file=file,
            )
        start_s = max(cue.start_s, before_s)
        before_s = max(cue.end_s, start_s)
        said.append(Cue(cue.label, start_s, before_s))
    return tuple(said)


def until_next(starts: Sequence[tuple[str, float]], duration_s: float | None, last_s: float) -> tuple[Cue, ...]:
    """Cues that each last until the next; the last one until the end of the sound, else for `last_s`."""
    ends = [start_s for _, start_s in starts[1:]]
    if starts:
        ends.append(starts[-1][1] + last_s if duration_s is None else max(duration_s, starts[-1][1]))
    return tuple(Cue(label, start_s, end_s) for (label, start_s), end_s in zip(starts, ends, strict=True))


def lay(phones: Iterable[Phone], shortest_pause_s: float = _SHORTEST_PAUSE_S) -> tuple[Phone, ...]:
    """Phones end to end: gaps become pauses, or the end of the phone before; pauses in a row become one."""
    laid: list[Phone] = []
    for phone in phones:
        if phone.end_s <= phone.start_s:
            continue
        reached_s = laid[-1].end_s if laid else 0.0
        if phone.start_s - reached_s >= shortest_pause_s:
            _add(laid, Phone(SILENCE, reached_s, phone.start_s))
        elif laid and phone.start_s > reached_s:
            laid[-1] = replace(laid[-1], end_s=phone.start_s)
        _add(laid, phone)
    return tuple(laid)


def _add(laid: list[Phone], phone: Phone) -> None:
    if laid and phone.symbol == SILENCE == laid[-1].symbol:
        laid[-1] = replace(laid[-1], end_s=phone.end_s)
    else:
        laid.append(phone)
