r"""The bridge, on one page: sources move faces, on one clock, to any number of sinks.

    microphone, sound, text, camera, video, clip --worker--\
    Live Link Face, VMC ... --UDP----------------------------> stage --tick, 60 a second--> WebSocket server, viewer
    programs and pages --WebSocket--------------------------/                           \--> livelink:// vmc:// ... CLIP.npz
"""

import asyncio
import contextlib
import gc
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from avatar3d.core.blendshapes import Frame, FrameSink, FrameSource
from avatar3d.core.errors import Avatar3dError
from avatar3d.live.clock import MediaClock, Tick, come_first, ticks
from avatar3d.live.server import Server
from avatar3d.live.wire import FramePacket, encode_frame, encode_sound
from avatar3d.living.delay import DelayLine
from avatar3d.living.face import Face, Shown
from avatar3d.living.keys import listening_to_keys
from avatar3d.living.sinks import SinkUrl, number_of, open_sink
from avatar3d.living.stage import Stage, Turn
from avatar3d.speech.performance.controls import Controls

_EASING_OUT_S: Final = 1.0
"""After the last source has ended, the bridge goes on for so long: faces come to rest."""
_BIN_MS: Final = 0.5
Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class LiveParams:
    """What is moved, by whom, and where it goes."""

    names: tuple[str, ...] = ("avatar",)
    """One for each face."""
    avatars: tuple[str, ...] = ("",)
    """The server's path of each face's GLB; "" where there is none."""
    order: Mapping[str, Any] | None = None
    """The first face's source, an order of jobs.py; None: programs and pages move it."""
    visitor: FrameSource | None = None
    """Or a source of whole faces: a dialect's receiver."""
    sinks: tuple[SinkUrl, ...] = ()
    """Besides the server."""
    frames_late_s: float = 0.0
    """By so much the server's clients see faces later than they hear sound."""
    rate_hz: float = 60.0
    stay: bool = False
    """Go on when the source has ended."""
    controls: Controls = field(default_factory=Controls)
    seed: int = 0


@dataclass(frozen=True)
class Ran:
    """How it went."""

    seconds: float
    frames: int
    late_p99_ms: float
    """How late ticks were."""
    late_most_ms: float


class Bridge:
    """Faces, whoever moves them, and their sinks."""

    def __init__(self, params: LiveParams, *, tell: Tell, clock: MediaClock | None = None) -> None:
        self._params, self._tell = params, tell
        self.clock = clock or MediaClock.begin()
        self.stage = Stage(_faces(params), params.avatars, self.clock, tell=tell)
        self._late: Counter[int] = Counter()
        self._served: DelayLine[tuple[Shown, ...]] = DelayLine(params.frames_late_s)
        """What the server's clients have not seen yet."""
        self._longest_s = params.frames_late_s
        """The end is waited for at the sink that is latest."""
        self._stopped = asyncio.Event()
        self._idle_s: float | None = None
        """Since when the sources have ended."""

    def stop(self) -> None:
        """End at the next tick."""
        self._stopped.set()

    async def start(self) -> None:
        """Whatever must be ready before the first client comes."""
        come_first()
        await self.stage.start()

    async def run(self, server: Server | None = None, speaker: "Speaker | None" = None) -> Ran:
        """Once started: until the source ends (unless `stay`), a client or the user stops it, or it is cancelled.

        Raises what the source raised (InputError and its kin).
        """
        sinks = [
            _Sink(number_of(url, self._params.names), open_sink(url, self._tell), DelayLine[Frame](url.delay_s))
            for url in self._params.sinks
        ]
        delays_s = [each.line.delay_s for each in sinks] + ([speaker.delay_s] if speaker is not None else [])
        self._longest_s = max([self._params.frames_late_s, *delays_s])
        guests = asyncio.create_task(self._visit()) if self._params.visitor is not None else None
        if self._params.order is not None:
            self.stage.begin(self._params.order)
        frames = 0
        try:
            with listening_to_keys({" ": self._panic, "q": self.stop}) as keys, _quiet_memory():
                if keys:
                    self._tell("Space: panic (neutral at once) and back. q: end.")
                async for tick in ticks(self.clock, self._params.rate_hz):
                    self._late[min(int(tick.late_s * 1000 / _BIN_MS), 2000)] += 1
                    await self._send(tick, self.stage.tick(tick.media_time_s), server, speaker, sinks)
                    frames += 1
                    if self._over(tick):
                        break
        finally:
            if guests is not None:
                guests.cancel()
                with contextlib.suppress(asyncio.CancelledError, Avatar3dError):
                    await guests
            await self.stage.close()
            await _close_all([each.sink for each in sinks])
        if self.stage.failure is not None:
            raise self.stage.failure
        return Ran(self.clock.now_s(), frames, self._late_ms(0.99), self._late_ms(1.0))

    async def _send(
        self,
        tick: Tick,
        turn: Turn,
        server: Server | None,
        speaker: "Speaker | None",
        sinks: Sequence["_Sink"],
    ) -> None:
        now_s, at_once = tick.media_time_s, self.stage.panicking
        if server is not None:
            for sound in turn.sounds:
                server.publish_sound(encode_sound(sound))
            packets = [
                encode_frame(FramePacket(replace(one.frame, time_s=now_s), tick.seq, number, one.held, one.jumped))
                for number, one in enumerate(self._served.step(turn.shown, now_s, at_once=at_once))
            ]
            server.publish(tick.seq, packets)
            for message in turn.messages:
                server.publish_message(message)
        if speaker is not None:
            speaker.take(turn, at_once=at_once)
        for each in sinks:
            due = each.line.step(turn.shown[each.face].frame, now_s, at_once=at_once)
            await each.sink.send(replace(due, time_s=now_s))

    def _over(self, tick: Tick) -> bool:
        if self._stopped.is_set() or self.stage.stopping or self.stage.failure is not None:
            return True
        if self._params.stay or self._params.order is None or not self.stage.idle:
            self._idle_s = None
            return False
        self._idle_s = tick.media_time_s if self._idle_s is None else self._idle_s
        return tick.media_time_s - self._idle_s >= _EASING_OUT_S + self._longest_s

    def _panic(self) -> None:
        if self.stage.panicking:
            self.stage.resume()
            self._tell("Resumed.")
        else:
            self.stage.panic()
            self._tell("PANIC: neutral until space is pressed again.")

    async def _visit(self) -> None:
        assert self._params.visitor is not None
        async for frame in self._params.visitor.frames():
            self.stage.visit(0, frame)

    def _late_ms(self, share: float) -> float:
        """That share of the ticks was no later than this."""
        left = share * self._late.total()
        for late in sorted(self._late):
            left -= self._late[late]
            if left <= 0:
                return (late + 1) * _BIN_MS
        return 0.0


@dataclass(frozen=True, eq=False)
class _Sink:
    """A sink, whose face it shows, and how much later."""

    face: int
    sink: FrameSink
    line: DelayLine[Frame]


class Speaker:
    """What a loudspeaker needs of a turn."""

    def __init__(self, loudspeaker: Any, delay_s: float = 0.0) -> None:
        self._loudspeaker, self.delay_s = loudspeaker, delay_s

    def take(self, turn: Turn, *, at_once: bool = False) -> None:
        """`at_once`: what is taken back is silent now, and not after the delay (panic)."""
        for sound in turn.sounds:
            chunk = replace(sound.chunk, time_s=sound.chunk.time_s + self.delay_s)
            self._loudspeaker.play(chunk, voice=sound.face)
        for message in turn.messages:
            if message["type"] == "flush":
                from_s = message["media_time_s"] + (0.0 if at_once else self.delay_s)
                self._loudspeaker.flush(from_s, voice=message["face"])


def _faces(params: LiveParams) -> list[Face]:
    """The first one is moved by the source; a performer lives in it unless whole faces come."""
    whole = params.visitor is not None or (
        params.order is not None and params.order["do"] in ("look", "watch", "replay")
    )
    return [
        Face(number, name, controls=params.controls, seed=params.seed + number, alive=not (number == 0 and whole))
        for number, name in enumerate(params.names)
    ]


async def _close_all(sinks: Sequence[FrameSink]) -> None:
    """Each of them, whatever becomes of the others; then the first error."""
    ends = await asyncio.gather(*(sink.close() for sink in sinks), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end


@contextlib.contextmanager
def _quiet_memory() -> Generator[None]:
    """The collector looks only at what was made since, and rarely: a full round takes longer than a tick may be late."""
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
