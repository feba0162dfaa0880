"""A client that stops reading: it gets nothing meanwhile, then the newest; nobody else notices; in the end it is let go."""

import asyncio
import socket
import time

from avatar3d.live import schema, wire
from avatar3d.live.client import connect
from tests.bridge.faces import Running, running, sound, ticking
from tests.bridge.raw import BINARY, Raw, live, within


async def read(raw: Raw, seconds: float) -> list[wire.FramePacket]:
    """The frames of so long, acknowledged."""
    packets: list[wire.FramePacket] = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                opcode, payload = await raw.frame()
                if opcode == BINARY and payload[0] == schema.VERSION:
                    packets.append(wire.decode_frame(payload))
                    if len(packets) % 4 == 0:
                        raw.send(BINARY, wire.encode_ack(packets[-1].seq))
    except TimeoutError:
        return packets


def kept(bridge: Running) -> int:
    return max(guest.socket.backlog for guest in bridge.server._crowd.guests)


@live
async def test_after_a_stall_the_newest_comes_and_little_was_kept() -> None:
    async with running() as bridge, ticking(bridge, faces=8), connect(bridge.url, bridge.admin) as good:
        slow = await Raw.identified(bridge.port, bridge.admin)
        await read(slow, 0.2)
        seqs: set[int] = set()
        most = 0
        until_s = time.monotonic() + 1.5
        async for packet in good.frames():
            seqs.add(packet.seq)
            bridge.server.publish_sound(wire.encode_sound(sound(packet.frame.time_s + 0.25)))
            most = max(most, kept(bridge))
            if time.monotonic() > until_s:
                break
        assert most < 64 << 10
        assert max(seqs) - min(seqs) + 1 - len(seqs) <= 2
        resumed_s = bridge.driven.media_time_s()
        after = await read(slow, 0.2)
        stale = [packet for packet in after if resumed_s - packet.frame.time_s > 0.25]
        fresh = [packet for packet in after if packet.frame.time_s > resumed_s]
        assert len({packet.seq for packet in stale}) <= 9
        assert stale + fresh == after
        assert fresh
        assert fresh[0].frame.time_s - resumed_s < 0.15


@live
async def test_our_client_shows_nothing_old_after_a_stall() -> None:
    async with running() as bridge, ticking(bridge), connect(bridge.url, bridge.admin) as client:
        shown = client.frames()
        await anext(shown)
        reading, client._running = client._running, None
        assert reading
        reading.cancel()  # it stops reading
        await asyncio.sleep(1.0)
        client._running = asyncio.create_task(client._run())
        packet = await anext(shown)
        assert client.media_time_s() - packet.frame.time_s < 0.15


@live
async def test_who_does_not_read_for_too_long_is_let_go_and_who_only_listens_is_not() -> None:
    async with running(stall_s=1.0) as bridge, ticking(bridge):
        quiet = await Raw.identified(bridge.port, bridge.admin, frames=False, sound=False)
        slow = await Raw.identified(bridge.port, bridge.admin)

        async def pong() -> None:
            while True:
                opcode, payload = await quiet.frame()
                if opcode == 9:
                    quiet.send(10, payload)

        answering = asyncio.create_task(pong())
        began_s = time.monotonic()
        while ("left", "owner-2") not in bridge.driven.told:
            await asyncio.sleep(0.05)
        assert 1.0 <= time.monotonic() - began_s < 3.5
        assert ("left", "owner-1") not in bridge.driven.told
        assert await within(1, slow.close_code()) in (schema.CLOSE["TOO_SLOW"], 1006)
        answering.cancel()


@live
async def test_who_asks_and_never_reads_the_answers_is_let_go_before_they_pile_up() -> None:
    async with running(backlog_bytes=64 << 10) as bridge:
        for number in range(100):
            bridge.tokens.issue(f"somebody with a long name, number {number}", "view")
        raw = await Raw.identified(bridge.port, bridge.admin, frames=False)
        raw.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        most = 0
        for number in range(2000):
            raw.say("clients", id=number)
            await asyncio.sleep(1 / 250)
            if not len(bridge.server._crowd):
                break
            most = max(most, kept(bridge))
        assert len(bridge.server._crowd) == 0
        assert 0 < most < 128 << 10
