import asyncio
import os
import pty
import sys
from pathlib import Path

import pytest

from avatar3d.core.errors import UsageError
from avatar3d.live.clock import MediaClock
from avatar3d.living.calibrate import calibrate
from avatar3d.living.keys import listening_to_keys
from avatar3d.living.sinks import parse_sink


class Clicks:
    """A loudspeaker that is a list."""

    def __init__(self) -> None:
        self.times_s: list[float] = []

    def play(self, chunk) -> None:
        self.times_s.append(chunk.time_s)


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch):
    """The far end of a terminal that is our standard input."""
    far, near = pty.openpty()
    monkeypatch.setattr(sys, "stdin", os.fdopen(near, "r"))
    yield far
    os.close(far)


def test_a_key_calls_its_action_and_others_do_nothing(keyboard: int) -> None:
    pressed: list[str] = []

    async def run() -> None:
        with listening_to_keys({" ": lambda: pressed.append("panic")}) as there:
            assert there
            os.write(keyboard, b"x y ")
            await asyncio.sleep(0.1)

    asyncio.run(run())
    assert pressed == ["panic", "panic"]


def test_without_a_terminal_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> bool:
        with Path(os.devnull).open() as nothing:
            monkeypatch.setattr(sys, "stdin", nothing)
            with listening_to_keys({}) as there:
                return there

    assert not asyncio.run(run())


def test_calibration_moves_the_delay_until_enter_and_gives_the_url(keyboard: int) -> None:
    clicks, told = Clicks(), []

    async def run():
        going = asyncio.create_task(
            calibrate(parse_sink("vmc://127.0.0.1:9?delay_ms=40"), clicks, MediaClock.begin(), tell=told.append)
        )
        await asyncio.sleep(0.9)
        os.write(keyboard, b"+++-\n")
        return await asyncio.wait_for(going, 3)

    found = asyncio.run(run())
    assert (found.delay_ms, found.url) == (60, "vmc://127.0.0.1:9?delay_ms=60")
    assert clicks.times_s == [1.0]
    assert "delay 70 ms" in told


def test_calibration_is_for_dialects_and_needs_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for url, says in (("take.npz", "dialect"), ("vmc://127.0.0.1:9", "terminal")):
        with Path(os.devnull).open() as nothing:
            monkeypatch.setattr(sys, "stdin", nothing)
            with pytest.raises(UsageError, match=says):
                asyncio.run(calibrate(parse_sink(url), Clicks(), MediaClock.begin(), tell=str))
