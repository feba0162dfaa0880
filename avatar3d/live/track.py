"""What comes with times of its own, shown at the bridge's ticks: blended between neighbours, held, let go.

    Track      times are media times that lie ahead: a script that is played
    Playout    times are somebody else's, and come late and unevenly: a camera, an app, another program

Whoever lost the thread is shown by `presence`: 1 for 250 ms, then eased to 0 within 500 ms.
"""

from collections import deque
from collections.abc import Callable
from itertools import islice, pairwise
from typing import Final, Generic, TypeVar

import numpy as np

T = TypeVar("T")
Blend = Callable[[T, T, float], T]
"""Part of the way (0 to 1) from the first to the second."""
HELD_S: Final = 0.25
EASED_S: Final = 0.5
_WATCHED_S: Final = 3.0
"""How long a late arrival is remembered."""
_MOST_DELAY_S: Final = 0.12
_LATE_SHARE: Final = 0.95
"""So many of what comes shall be there when it is shown."""
_SLEW_S: Final = 0.002
"""At a tick the delay changes by so much at most."""
_RESTARTED_S: Final = 0.5
"""Times that jump by more, back or ahead, are of a sender that began anew."""


def presence(silent_s: float) -> float:
    """How much of what was last seen is still shown, so long after it: held, then eased out without a jerk."""
    part = min(max((silent_s - HELD_S) / EASED_S, 0.0), 1.0)
    return 1 - part * part * (3 - 2 * part)


class Track(Generic[T]):
    """A queue of values at rising times; what has been passed is forgotten."""

    def __init__(self, blend: Blend[T]) -> None:
        self._blend = blend
        self._entries: deque[tuple[float, T]] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def last_s(self) -> float:
        """Until when it is known; -inf while empty."""
        return self._entries[-1][0] if self._entries else -np.inf

    def add(self, time_s: float, value: T) -> None:
        """A value later than all before; an earlier one is left out."""
        if time_s > self.last_s:
            self._entries.append((time_s, value))

    def clear(self) -> None:
        self._entries.clear()

    def at(self, time_s: float) -> T | None:
        """The value at this time, between its neighbours, or the nearest; times must not run backwards."""
        entries = self._entries
        while len(entries) > 1 and entries[1][0] <= time_s:
            entries.popleft()
        if not entries:
            return None
        first_s, first = entries[0]
        if len(entries) == 1 or time_s <= first_s:
            return first
        next_s, following = entries[1]
        return self._blend(first, following, (time_s - first_s) / (next_s - first_s))


class Playout(Generic[T]):
    """A track whose times are the sender's: shown as soon as the jitter of its arrivals allows, and in even steps.

    The least late arrival of the last seconds tells what the sender's zero is on our clock; the delay added to that covers
    all but a twentieth of the others, and one step, so that there is something to blend with; at most 120 ms.
    """

    def __init__(self, blend: Blend[T]) -> None:
        self._track = Track(blend)
        self._late: deque[tuple[float, float]] = deque()
        """Arrivals, and how late each was."""
        self._offset_s: float | None = None
        self._arrived_s = -np.inf

    def add(self, time_s: float, value: T, now_s: float) -> None:
        """A value with its sender's time, arriving now."""
        if self._late and abs((now_s - time_s) - self._late[-1][1]) > _RESTARTED_S and now_s - self._arrived_s < 60:
            self._restart()
        self._late.append((now_s, now_s - time_s))
        while self._late[0][0] < now_s - _WATCHED_S:
            self._late.popleft()
        self._arrived_s = now_s
        self._track.add(time_s, value)

    def _restart(self) -> None:
        self._track.clear()
        self._late.clear()
        self._offset_s = None

    def silent_s(self, now_s: float) -> float:
        """Since the last arrival; inf when there was none."""
        return now_s - self._arrived_s

    def at(self, now_s: float) -> T | None:
        """What is to be shown now; None when nothing ever came."""
        if not len(self._track):
            return None
        wanted_s = self._wanted_s()
        # Slewed, so that a change of delay is a slower or faster face and never a step back.
        if self._offset_s is None:
            self._offset_s = wanted_s
        else:
            self._offset_s += min(max(wanted_s - self._offset_s, -_SLEW_S), _SLEW_S)
        return self._track.at(now_s - self._offset_s)

    def _wanted_s(self) -> float:
        """Sender's time to ours, and the delay."""
        lateness = sorted(late for _, late in self._late)
        if not lateness:
            return self._offset_s or 0.0
        usual = lateness[min(int(_LATE_SHARE * len(lateness)), len(lateness) - 1)]
        return min(usual + self._step_s(), lateness[0] + _MOST_DELAY_S)

    def _step_s(self) -> float:
        """The usual gap between two values."""
        times = [at - late for at, late in islice(reversed(self._late), 12)]
        gaps = sorted(later - earlier for later, earlier in pairwise(times) if later > earlier)
        return min(gaps[len(gaps) // 2], 1 / 24) if gaps else 0.0
