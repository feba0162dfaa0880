"""Sending by UDP: the face arrives, and nobody who listens or does not can stop the stream."""

import asyncio
import errno
import socket
import time
from dataclasses import replace

import numpy as np
import pytest

from avatar3d.core.blendshapes import FrameSink, FrameSource
from avatar3d.core.errors import BridgeError
from avatar3d.live.dialects import DIALECTS, vmc
from avatar3d.live.receive import UdpSource
from avatar3d.live.udp import UdpSink
from tests.unit.live.faces import face, random_face, weights_of

LOOPBACK = "127.0.0.1"


class Clock:
    """Time that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOOPBACK, 0))
        return int(taken.getsockname()[1])


def listening() -> socket.socket:
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.bind((LOOPBACK, 0))
    ear.settimeout(1)
    return ear


def sink_to(port: int, told: list[str], **more: object) -> UdpSink:
    return UdpSink(vmc.encode, LOOPBACK, port, tell=told.append, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", list(DIALECTS))
def test_a_face_goes_through_a_real_socket(name: str) -> None:
    dialect = DIALECTS[name]
    sent = random_face(5)
    told: list[str] = []

    async def go() -> None:
        source = UdpSource(dialect, LOOPBACK, 0, tell=told.append)
        host, port = await source.start()
        sink = UdpSink(dialect.encoder({}), host, port, tell=told.append, neutral_at_close=False)
        for at in range(3):
            await sink.send(replace(sent, time_s=at / 60))
            await asyncio.sleep(0.02)
        await sink.close()
        async for shown in source.frames():  # VRChat shows a face as it comes, a part at a time
            if np.allclose(shown.weights, sent.weights, atol=0.0051):
                return

    asyncio.run(asyncio.wait_for(go(), 3))
    assert told == []


def test_they_are_sinks_and_sources() -> None:
    assert isinstance(sink_to(9, []), FrameSink)
    assert isinstance(UdpSource(DIALECTS["vmc"], tell=print), FrameSource)


def test_where_nobody_listens_the_stream_goes_on_and_it_is_told_once_a_second() -> None:
    told: list[str] = []
    clock = Clock()

    async def go() -> None:
        sink = sink_to(free_port(), told, clock=clock)
        for at in range(120):
            clock.now_s = 100 + at / 60
            await sink.send(face(at / 60))
            await asyncio.sleep(0.0005)
        await sink.close()

    asyncio.run(go())
    assert 1 <= len(told) <= 4
    assert all("nobody listens there" in line for line in told)


def test_who_begins_to_listen_gets_whole_frames() -> None:
    async def go() -> list[bytes]:
        port = free_port()
        sink = sink_to(port, [])
        for at in range(3):
            await sink.send(face(at / 60))
            await asyncio.sleep(0.01)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.bind((LOOPBACK, port))
            ear.settimeout(1)
            await sink.send(face(1))
            packets = [ear.recv(2_000) for _ in range(3)]
        await sink.close()
        return packets

    assert asyncio.run(go()) == vmc.encode(face(1))


class Broken(socket.socket):
    """A socket that cannot send."""

    error: OSError

    def send(self, *_: object) -> int:
        raise self.error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BlockingIOError(), "too slow"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "no way there (Network is unreachable)"),
        (OSError(errno.EMSGSIZE, "Message too long"), "no way there (Message too long)"),
        (ConnectionRefusedError(), "nobody listens"),
        (ConnectionResetError(), "nobody listens"),
    ],
)
def test_what_the_network_refuses_is_told_and_left_out(error: OSError, words: str) -> None:
    told: list[str] = []
    clock = Clock()
    sink = sink_to(9, told, clock=clock)
    sink._socket = broken = Broken(socket.AF_INET, socket.SOCK_DGRAM)
    broken.error = error
    for at in range(60):
        clock.now_s += 1 / 60
        asyncio.run(sink.send(face(at / 60)))
    asyncio.run(sink.close())
    assert len(told) == 2  # at once, and the rest at the end
    assert all(words in line for line in told)


def test_a_frame_that_is_not_finite_is_told_and_not_sent() -> None:
    told: list[str] = []
    with listening() as ear:
        sink = sink_to(ear.getsockname()[1], told)
        asyncio.run(sink.send(face(jawOpen=float("nan"))))
        asyncio.run(sink.send(face(time_s=float("nan"))))
        assert sink.sent == 0
        asyncio.run(sink.close())
    assert "not sent" in told[0]


def test_sending_never_waits() -> None:
    with listening() as ear:  # reads nothing: its buffer is full soon
        sink = sink_to(ear.getsockname()[1], [])
        frame = face()
        began_s = time.perf_counter()
        for _ in range(500):
            asyncio.run(sink.send(frame))
        assert time.perf_counter() - began_s < 2
        asyncio.run(sink.close())


def test_closing_brings_the_face_to_rest_and_says_farewell() -> None:
    dialect = DIALECTS["vmc"]
    with listening() as ear:
        sink = UdpSink(
            dialect.encoder({}), LOOPBACK, ear.getsockname()[1], tell=print, farewell=dialect.farewell({})
        )  # fmt: skip
        asyncio.run(sink.send(face(2, jawOpen=1)))
        asyncio.run(sink.close())
        asyncio.run(sink.close())
        asyncio.run(sink.send(face(3, jawOpen=1)))
        decode = dialect.decoder({})
        ear.setblocking(False)
        packets = []
        with pytest.raises(BlockingIOError):
            while True:
                packets.append(ear.recv(2_000))
    shown = [frame for frame in map(decode, packets) if frame is not None]
    assert [list(weights_of(frame, "jawOpen")) for frame in shown] == [[1], [0], [0], [0]]
    assert [frame.time_s for frame in shown] == sorted({frame.time_s for frame in shown})
    assert packets[-1] == dialect.farewell({})[0]


def test_a_sink_may_close_without_a_neutral_frame() -> None:
    with listening() as ear:
        sink = sink_to(ear.getsockname()[1], [], neutral_at_close=False)
        asyncio.run(sink.close())
        assert sink.sent == 0


@pytest.mark.parametrize("host", ["no such host", "a" * 70, "exa\0mple"])
def test_an_address_that_is_none_is_an_error_with_a_hint(host: str) -> None:
    with pytest.raises(BridgeError) as raised:
        UdpSink(vmc.encode, host, 9, tell=print)
    assert raised.value.hint


def test_localhost_is_where_programs_for_faces_listen() -> None:
    with listening() as ear:
        sink = UdpSink(vmc.encode, "localhost", ear.getsockname()[1], tell=print)
        asyncio.run(sink.send(face()))
        assert ear.recv(2_000) == vmc.encode(face())[0]
        asyncio.run(sink.close())
