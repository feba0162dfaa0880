"""The bridge's one clock, and its ticks on an absolute schedule.

Media time is seconds since the bridge began, on the system's monotonic clock, which all processes of a machine share: a
worker that is told the beginning stamps as the bridge does.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

_SLEWED_S: Final = 4.0
"""A clock that is off comes right by a third in so long."""
_FASTEST: Final = 0.005
"""A clock is never made faster or slower than by so much: half a per cent is neither heard nor seen."""
_LOST_S: Final = 0.25
"""One that is off by more begins anew."""


@dataclass(frozen=True)
class MediaClock:
    """Media time; `began_s` is its zero on the system's monotonic clock."""

    began_s: float

    @classmethod
    def begin(cls) -> "MediaClock":
        return cls(monotonic())

    def now_s(self) -> float:
        return monotonic() - self.began_s


@dataclass(frozen=True)
class Tick:
    """One turn of the bridge."""

    seq: int
    media_time_s: float
    """When it should be: seq over the rate."""
    late_s: float
    """How much later than that it is."""


def come_first(by: int = 10) -> None:
    """Ask the system to wake this process before others; where it may not ask, nothing changes."""
    with suppress(OSError, AttributeError):  # not permitted; Windows has no nice
        os.nice(-by)


async def ticks(clock: MediaClock, rate_hz: float) -> AsyncIterator[Tick]:
    """Ticks for as long as they are asked for. After a hold-up the missed ones are left out, never made up for."""
    seq = int(clock.now_s() * rate_hz) + 1
    while True:
        due_s = seq / rate_hz
        while (early_s := due_s - clock.now_s()) > 0:
            await asyncio.sleep(early_s)
        late_s = clock.now_s() - due_s
        yield Tick(seq, due_s, late_s)
        seq = max(seq + 1, int(clock.now_s() * rate_hz) + 1)
        await asyncio.sleep(0)


@dataclass(frozen=True)
class SlewedClock:
    """The clock of a sound card, or of another machine, brought to ours without ever jumping back: a value.

    `step` is told what it shows and what ours shows; `ours_s` then translates. A card that says 48,000 Hz may run at 48,005.
    """

    offset_s: float = 0.0
    """Ours less its, at `seen_s` of its time."""
    seen_s: float | None = None

    def step(self, its_s: float, ours_s: float) -> "SlewedClock":
        """After a look at both clocks."""
        offset_s = ours_s - its_s
        if self.seen_s is None or abs(offset_s - self.offset_s) > _LOST_S:
            return SlewedClock(offset_s, its_s)
        elapsed_s = max(its_s - self.seen_s, 0.0)
        most = _FASTEST * elapsed_s
        change = min(max((offset_s - self.offset_s) * min(elapsed_s / _SLEWED_S, 1.0), -most), most)
        return replace(self, offset_s=self.offset_s + change, seen_s=its_s)

    def ours_s(self, its_s: float) -> float:
        """Our time for one of its."""
        return its_s + self.offset_s
