"""The server that bench.bridge measures, in a process of its own on the first core: 60 ticks a second of one face.

A frame's media time is the moment of its sending, on the clock that all processes share.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

import numpy as np
import uvloop

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import Frame
from avatar3d.live.auth import Tokens
from avatar3d.live.clock import MediaClock, ticks
from avatar3d.live.server import Server, ServerParams
from avatar3d.live.site import Site
from avatar3d.live.wire import FramePacket, SoundPacket, encode_frame, encode_sound

_STILL = np.array([1, 0, 0, 0], np.float32)


class Nobody:
    """A Driven that does nothing."""

    def media_time_s(self) -> float:
        return monotonic()

    panicking = False

    def faces(self) -> Sequence[Mapping[str, Any]]:
        return []

    def control(self, message: Mapping[str, Any]) -> None: ...

    def say(self, message: Mapping[str, Any]) -> None: ...

    def push_frame(self, packet: FramePacket) -> None: ...

    def push_sound(self, packet: SoundPacket, client: str) -> None: ...

    def panic(self) -> None: ...

    def resume(self) -> None: ...

    def stop(self) -> None: ...

    def left(self, client: str) -> None: ...


async def serve() -> None:
    tokens = Tokens()
    token = tokens.issue("bench", "admin")
    server = Server(ServerParams(port=0), tokens, Nobody(), Site(), tell=lambda line: print(line, file=sys.stderr))
    await server.start()
    print(json.dumps({"port": server.port, "token": token}), flush=True)
    late_ms: list[float] = []
    most = [0, 0]
    asyncio.get_running_loop().add_reader(sys.stdin, lambda: _tell(late_ms, most))
    weights = np.linspace(0, 1, 52, dtype=np.float32)
    async for tick in ticks(MediaClock.begin(), 60.0):
        late_ms.append(1000 * tick.late_s)
        server.publish(
            tick.seq, [encode_frame(FramePacket(Frame(monotonic(), weights, _STILL, _STILL, _STILL), tick.seq))]
        )
        if tick.seq % 6 == 0:
            samples = np.zeros(4_800, np.float32)
            server.publish_sound(encode_sound(SoundPacket(AudioChunk(monotonic() + 0.25, 48_000, samples), tick.seq)))
        if tick.seq % 3 == 0:
            _weigh(server, most)


def _weigh(server: Server, most: list[int]) -> None:
    for guest in server._crowd.guests:
        kept, backlog = guest.socket.kept, guest.socket.backlog
        most[0], most[1] = max(most[0], kept), max(most[1], kept - backlog)


def _tell(late_ms: list[float], most: list[int]) -> None:
    if not sys.stdin.readline():
        os._exit(0)
    p99 = float(np.percentile(late_ms or [0], 99))
    print(json.dumps({"tick_p99_ms": p99, "most_kept": most[0], "most_queued": most[1]}), flush=True)
    late_ms.clear()
    most[:] = 0, 0


def main() -> None:
    """Serve until stdin ends. (No script of its own: `python -m bench` runs those.)"""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    uvloop.run(serve())
