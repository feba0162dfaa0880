"""The Python client: the newest frames, the clock, and coming back by itself."""

import asyncio
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.errors import BridgeError, InputError
from avatar3d.live import wire
from avatar3d.live.client import connect
from tests.bridge.faces import STILL, packet, running, sound
from tests.bridge.raw import live, within


@live
async def test_frames_are_the_newest_of_each_face() -> None:
    async with running() as bridge, connect(bridge.url, bridge.admin) as client:
        for seq in range(1, 6):
            bridge.publish(seq, faces=2)
        await asyncio.sleep(0.05)
        shown = client.frames()
        assert {(got.face, got.seq) for got in [await anext(shown), await anext(shown)]} == {(0, 5), (1, 5)}
        bridge.server.publish(6, [packet(6, bridge.driven.media_time_s() - 0.4)])
        bridge.server.publish(7, [packet(7, bridge.driven.media_time_s())])
        assert (await within(1, anext(shown))).seq == 7


@live
async def test_sound_and_messages_come_in_order() -> None:
    async with running() as bridge, connect(bridge.url.replace("ws:", "http:"), bridge.admin) as client:
        for number in range(5):
            bridge.server.publish_sound(wire.encode_sound(sound(float(number))))
            bridge.server.publish_message({"type": "event", "name": "speech_started", "text": str(number)})
        heard, told = client.sounds(), client.messages()
        assert [(await within(1, anext(heard))).chunk.time_s for _ in range(5)] == [0, 1, 2, 3, 4]
        assert [(await within(1, anext(told)))["text"] for _ in range(5)] == list("01234")


@live
async def test_what_is_said_arrives_and_a_refusal_is_raised() -> None:
    async with running() as bridge, connect(bridge.url, bridge.admin) as client:
        await client.control(emotion="joy", intensity=0.5)
        await client.panic()
        await client.resume()
        await client.push_frame(wire.decode_frame(packet(0, 1.0)).frame, face=3)
        await client.push_sound(np.ones(160, np.float32), 16_000, last=True)
        with pytest.raises(InputError) as caught:
            await client.control(emotion="hungry")
        assert caught.value.id == "USAGE"
        control, panic, resume, frame, (_, heard) = bridge.driven.told
        assert (control["intensity"], panic, resume, frame.face, heard.last) == (0.5, "panic", "resume", 3, True)
        assert np.isnan(heard.chunk.time_s)
        np.testing.assert_array_equal(frame.frame.head_wxyz, STILL)


@live
async def test_the_clock_is_the_bridges() -> None:
    async with running() as bridge, connect(bridge.url, bridge.admin) as client:
        await asyncio.sleep(0.1)
        assert abs(client.media_time_s() - bridge.driven.media_time_s()) < 0.005


@live
async def test_nobody_there_and_a_wrong_token_are_told() -> None:
    async with running() as bridge:
        with pytest.raises(BridgeError) as caught:
            async with connect(bridge.url, "wrong"):
                pass
        assert caught.value.id == "TOKEN"
    with pytest.raises(BridgeError, match="nobody answers"):
        async with connect(bridge.url, bridge.admin):
            pass


@live
async def test_a_revoked_client_does_not_come_back() -> None:
    async with running() as bridge, connect(bridge.url, bridge.tokens.issue("guest", "view")) as guest:
        bridge.server.revoke("guest")
        with pytest.raises(BridgeError) as caught:
            async for _ in guest.frames():
                pass
        assert caught.value.id == "REVOKED"
        with pytest.raises(BridgeError):
            await guest.say("hello")


_BRIDGE = """
import asyncio, sys
from tests.bridge.faces import running, ticking
async def main():
    async with running(port=int(sys.argv[1]), token=sys.argv[2]) as bridge, ticking(bridge):
        print(bridge.port, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


def started(port: int, token: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _BRIDGE, str(port), token]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


@live
async def test_when_the_bridge_is_killed_and_started_again_the_client_is_back_within_three_seconds() -> None:
    token = secrets.token_urlsafe(32)
    bridge = started(0, token)
    try:
        assert bridge.stdout
        port = int(bridge.stdout.readline())
        async with connect(f"ws://127.0.0.1:{port}/", token) as client:
            shown = client.frames()
            await anext(shown)
            bridge.send_signal(signal.SIGKILL)
            bridge.wait()
            with pytest.raises(BridgeError) as caught:
                while True:
                    await client.say("anybody there?")
                    await asyncio.sleep(0.02)
            assert caught.value.id == "AWAY"
            bridge = started(port, token)
            assert bridge.stdout
            await asyncio.to_thread(bridge.stdout.readline)
            began_s = time.monotonic()
            packet = await within(3, anext(shown))
            assert time.monotonic() - began_s < 3
            assert client.reconnections == 1
            assert abs(client.media_time_s() - packet.frame.time_s) < 0.25
            await client.say("again")
    finally:
        bridge.kill()
        bridge.wait()
