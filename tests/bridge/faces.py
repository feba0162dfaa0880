"""What the bridge's tests share: a driven that remembers what it was told, packets, and a server on a free port."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import Frame
from avatar3d.core.errors import UsageError
from avatar3d.live import wire
from avatar3d.live.auth import Tokens
from avatar3d.live.server import Server, ServerParams
from avatar3d.live.site import Site
from avatar3d.live.wire import FramePacket, SoundPacket

STILL = np.array([1, 0, 0, 0], np.float32)


@dataclass
class Remembering:
    """A Driven that moves nothing."""

    began_s: float = field(default_factory=monotonic)
    told: list[Any] = field(default_factory=list)

    def media_time_s(self) -> float:
        return monotonic() - self.began_s

    panicking = False

    def faces(self) -> Sequence[Mapping[str, Any]]:
        return [{"number": 0, "name": "Ada", "avatar": "/avatars/0.glb"}]

    def control(self, message: Mapping[str, Any]) -> None:
        if message.get("emotion") == "hungry":
            raise UsageError('there is no emotion "hungry".', hint="Known are joy and anger.")
        self.told.append(message)

    def say(self, message: Mapping[str, Any]) -> None:
        self.told.append(message)

    def push_frame(self, packet: FramePacket) -> None:
        self.told.append(packet)

    def push_sound(self, packet: SoundPacket, client: str) -> None:
        self.told.append((client, packet))

    def panic(self) -> None:
        self.told.append("panic")

    def resume(self) -> None:
        self.told.append("resume")

    def stop(self) -> None:
        self.told.append("stop")

    def left(self, client: str) -> None:
        self.told.append(("left", client))


@dataclass
class Running:
    """A server that runs, and what belongs to it."""

    server: Server
    url: str
    driven: Remembering
    tokens: Tokens
    lines: list[str]
    admin: str
    """The token that may everything."""

    @property
    def port(self) -> int:
        return self.server.port

    def publish(self, seq: int, faces: int = 1) -> None:
        self.server.publish(seq, [packet(seq, self.driven.media_time_s(), face) for face in range(faces)])


@asynccontextmanager
async def running(viewer: Path | None = None, token: str | None = None, **params: Any) -> AsyncIterator[Running]:
    driven, tokens, lines = Remembering(), Tokens(), []
    admin = tokens.issue("owner", "admin", token=token)
    server = Server(
        ServerParams(**({"port": 0, "linger_s": 0.05} | params)), tokens, driven, Site(viewer), tell=lines.append
    )
    url = await server.start()
    try:
        yield Running(server, url, driven, tokens, lines, admin)
    finally:
        await server.close()


@asynccontextmanager
async def ticking(bridge: Running, rate_hz: float = 60, faces: int = 1) -> AsyncIterator[None]:
    """The bridge publishes while this lasts."""

    async def tick() -> None:
        seq = 0
        while True:
            seq += 1
            bridge.publish(seq, faces)
            await asyncio.sleep(1 / rate_hz)

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()


def packet(seq: int, time_s: float, face: int = 0) -> bytes:
    weights = np.linspace(0, 1, 52, dtype=np.float32)
    return wire.encode_frame(FramePacket(Frame(time_s, weights, STILL, STILL, STILL), seq, face))


def sound(time_s: float, count: int = 960, face: int = 0) -> SoundPacket:
    return SoundPacket(AudioChunk(time_s, 48_000, np.zeros(count, np.float32)), 0, face)
