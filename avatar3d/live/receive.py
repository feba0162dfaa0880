"""Frames in by UDP. Nobody signs a datagram, so what comes is kept in bounds: a state machine, and its socket.

    datagram -> from whom we listen to? -> not too many? -> read -> older than what is shown? -> merged -> whole: a Frame

- The first sender that speaks the dialect is listened to, and nobody else until it has been silent for 5 seconds.
- 240 frames a second at most; weights are cut to 0..1 and everything is finite.
- By the sender's clock, where the dialect has one, nothing older takes the place of anything newer. A clock that goes back by
  more than 10 seconds, or stays back for half a second, has begun again.
- A frame's time is the time of its arrival. No datagram is ever answered.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple, cast

from avatar3d.core.blendshapes import Frame
from avatar3d.core.errors import BridgeError, InputError
from avatar3d.live.dialects.dialect import Dialect, Said, Update

Sender = tuple[str, int]
Reason = Literal["shown", "part", "no face", "other sender", "too fast", "malformed", "older"]

RELEASED_S: Final = 5.0
FRAMES_HZ: Final = 240.0
_BURST_S: Final = 0.05
"""Datagrams that a network held up come together; so much of a second may."""
_RESTART_S: Final = 0.5
_JUMP_S: Final = 10.0
_TOLD_S: Final = 1.0
_TOLD: Final[dict[Reason, str]] = {
    "other sender": "from another sender than the first",
    "too fast": "more than 240 frames a second",
    "malformed": "not understood",
}


@dataclass(frozen=True)
class Allowance:
    """So many a second, and some at once."""

    rate_hz: float
    left: float
    at_s: float = -math.inf

    def step(self, now_s: float) -> tuple["Allowance", bool]:
        """The allowance after one more, and whether that one is allowed."""
        most = max(1.0, self.rate_hz * _BURST_S)
        left = min(most, self.left + max(0.0, now_s - self.at_s) * self.rate_hz)
        allowed = left >= 1
        return replace(self, left=left - allowed, at_s=max(now_s, self.at_s)), allowed


class Step(NamedTuple):
    """What became of a datagram."""

    receiver: "Receiver"
    """As it is now."""
    frame: Frame | None
    reason: Reason
    """`shown` goes with a frame, `part` is one of several datagrams of one; of `older` counts what nothing newer has said."""
    detail: str = ""
    """Of `malformed`: what was expected and what came."""


@dataclass(frozen=True, eq=False)
class Receiver:
    """What has been heard so far: step() returns the next."""

    dialect: Dialect
    pinned: Sender | None = None
    """Whom we listen to."""
    heard_s: float = -math.inf
    """When it last said something that we understood."""
    said: Said = field(default_factory=Said)
    newest_s: float = -math.inf
    """The newest time of the sender's clock."""
    newer_s: float = -math.inf
    """When that arrived."""
    complete_s: float = -math.inf
    """The sender's time of the frame that is shown."""
    shown_s: float = -math.inf
    frames: Allowance | None = None
    datagrams: Allowance | None = None

    def step(self, arrival_s: float, sender: Sender, packet: bytes) -> Step:
        """A datagram that arrived at that time, by a clock that never goes back."""
        if self.pinned not in (None, sender) and arrival_s - self.heard_s < RELEASED_S:
            return Step(self, None, "other sender")
        datagrams = self.datagrams or Allowance(FRAMES_HZ * self.dialect.datagrams_per_frame, math.inf)
        datagrams, allowed = datagrams.step(arrival_s)
        heard = replace(self, datagrams=datagrams)
        if not allowed:
            return Step(heard, None, "too fast")
        try:
            update = self.dialect.read(packet)
        except InputError as error:
            return Step(heard, None, "malformed", error.message)
        if sender != self.pinned:
            heard = Receiver(self.dialect, sender, shown_s=self.shown_s, frames=self.frames, datagrams=datagrams)
        return replace(heard, heard_s=arrival_s)._understood(arrival_s, update)

    def _understood(self, arrival_s: float, update: Update) -> Step:
        told_s = update.time_s
        if told_s is None:
            return replace(self, said=self.said.merged(update))._shown(arrival_s, update)
        older = told_s < self.newest_s or (update.shows and told_s == self.complete_s)
        if older and (self.newest_s - told_s > _JUMP_S or arrival_s - self.newer_s >= _RESTART_S):
            afresh = replace(self, said=replace(self.said, times_s={}), newest_s=-math.inf, complete_s=-math.inf)
            return afresh._understood(arrival_s, update)
        merged = replace(self, said=self.said.merged(update))
        if told_s > self.newest_s:
            merged = replace(merged, newest_s=told_s, newer_s=arrival_s)
        if older and not (update.shows and told_s > self.complete_s):
            return Step(merged, None, "older")
        return merged._shown(arrival_s, update)

    def _shown(self, arrival_s: float, update: Update) -> Step:
        if not update.shows:
            return Step(self, None, "part" if update.values or update.turns else "no face")
        frames = self.frames or Allowance(FRAMES_HZ * self.dialect.shows_per_frame, math.inf)
        frames, allowed = frames.step(arrival_s)
        if not allowed:
            return Step(replace(self, frames=frames), None, "too fast")
        shown_s = max(arrival_s, math.nextafter(self.shown_s, math.inf))
        complete_s = self.complete_s if update.time_s is None else update.time_s
        now = replace(self, frames=frames, shown_s=shown_s, complete_s=complete_s)
        return Step(now, self.said.frame(self.dialect, shown_s), "shown")


class UdpSource:
    """A FrameSource that listens at one port: the newest frame, whenever there is one newer than the last.

    `tell` is called with a line at most once a second while something is dropped. Frames' times are seconds since `start()`.
    """

    def __init__(
        self,
        dialect: Dialect,
        host: str = "127.0.0.1",
        port: int | None = None,
        *,
        tell: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._receiver = Receiver(dialect)
        self._address = (host, dialect.port if port is None else port)
        self._tell, self._clock = tell, clock
        self._began_s = 0.0
        self._told_s = -math.inf
        self._dropped: Counter[Reason] = Counter()
        self._detail = ""
        self._newest: Frame | None = None
        self._news = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = False

    async def start(self) -> Sender:
        """Listen, and say where. Raises BridgeError (50) where the port is taken. `frames()` does it where nobody did."""
        if self._transport is None:
            host, port = self._address
            try:
                self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: _Listener(self._heard), local_addr=self._address
                )
            except (OSError, UnicodeError, OverflowError) as cause:
                raise BridgeError(
                    f"cannot listen at {host}:{port}: {cause}.",
                    hint="Close the program that does, or give another port.",
                ) from cause
            self._began_s = self._clock()
        name = cast(tuple[Any, ...], self._transport.get_extra_info("sockname"))
        return str(name[0]), int(name[1])

    async def frames(self) -> AsyncIterator[Frame]:
        """Frames as they come; what is not fetched in time is replaced by what is newer. Ends with `close()`."""
        await self.start()
        try:
            while True:
                frame, self._newest = self._newest, None
                if frame is not None:
                    yield frame
                elif self._closed:
                    return
                else:
                    await self._news.wait()
                    self._news.clear()
        finally:
            self.close()

    def close(self) -> None:
        """Listen no more."""
        if self._transport is not None:
            self._transport.close()
        self._closed = True
        self._news.set()

    def _heard(self, packet: bytes, sender: Sender) -> None:
        now_s = self._clock()
        self._receiver, frame, reason, detail = self._receiver.step(now_s - self._began_s, sender, packet)
        if frame is not None:
            self._newest = frame
            self._news.set()
        elif reason in _TOLD:
            self._dropped[reason] += 1
            self._detail = detail or self._detail
            if now_s - self._told_s >= _TOLD_S:
                self._told_s = now_s
                told = "; ".join(f"{count} {_TOLD[why]}" for why, count in self._dropped.items())
                self._dropped.clear()
                last = f" (the last: {self._detail})" if reason == "malformed" else ""
                self._tell(f"{self._receiver.dialect.name} at port {self._address[1]} dropped datagrams: {told}{last}.")


class _Listener(asyncio.DatagramProtocol):
    """Hands every datagram on, and answers none."""

    def __init__(self, heard: Callable[[bytes, Sender], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._heard(data, (str(addr[0]), int(addr[1])))
