"""Finding a sink's delay by eye and ear: once a second the mouth snaps open and a click sounds; keys move the one against the other.

For dialects whose sound travels elsewhere (a microphone straight into OBS, a voice chat) and arrives later than the face.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import ARKIT_INDEX, Frame, neutral_frame
from avatar3d.core.errors import UsageError
from avatar3d.live.clock import MediaClock, ticks
from avatar3d.living.delay import DelayLine
from avatar3d.living.keys import listening_to_keys
from avatar3d.living.sinks import SinkUrl, open_sink

_RATE_HZ: Final = 60.0
_OPEN_S: Final = 0.1
_STEP_S: Final = 0.01
_MOST_S: Final = 2.0
_CLICK_HZ: Final = 48_000
_AHEAD_S: Final = 0.3
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Calibrated:
    """What was found."""

    delay_ms: int
    url: str
    """The sink's URL with it."""


def snapping(time_s: float) -> Frame:
    """A mouth that is wide open for a tenth of a second from each whole second on; the eyes shut with it."""
    weights = np.zeros(52, np.float32)
    if time_s % 1 < _OPEN_S:
        weights[[ARKIT_INDEX[name] for name in ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")]] = 1
    return replace(neutral_frame(time_s), weights=weights)


def click() -> Float32[np.ndarray, "N"]:
    """8 ms of 2 kHz."""
    at = np.arange(int(0.008 * _CLICK_HZ)) / _CLICK_HZ
    return (0.7 * np.sin(2 * np.pi * 2000 * at) * np.hanning(len(at))).astype(np.float32)


def with_delay(url: SinkUrl, delay_s: float) -> str:
    """The sink's URL with that delay."""
    options = [f"{name}={value}" for name, value in url.options] + [f"delay_ms={round(1000 * delay_s)}"]
    return f"{url.scheme}://{url.host}:{url.port}?{'&'.join(options)}"


async def calibrate(url: SinkUrl, loudspeaker: Any, clock: MediaClock, *, tell: Tell) -> Calibrated:
    """Until Enter is pressed. Raises UsageError (2) without a terminal, and for a sink that is no dialect."""
    if url.scheme in ("clip", "ws", "speaker"):
        raise UsageError(
            "expected the sink of a dialect, such as vmc://127.0.0.1:39539.",
            hint="Browsers need no calibration: sound and face come to them on one clock.",
        )
    sink = open_sink(url, tell)
    line: DelayLine[Frame] = DelayLine(url.delay_s)
    done = asyncio.Event()

    def move(by_s: float) -> None:
        line.delay_s = min(max(line.delay_s + by_s, 0.0), _MOST_S)
        tell(f"delay {1000 * line.delay_s:.0f} ms")

    keys = {"+": lambda: move(_STEP_S), "-": lambda: move(-_STEP_S), "\n": done.set, "q": done.set}
    with listening_to_keys(keys) as heard:
        if not heard:
            raise UsageError("calibrate-sync needs a terminal: its keys move the face against the sound.")
        tell("The mouth opens with each click. + face later, - face earlier, Enter when they are together.")
        tell("If the face is late even at 0 ms, the sound has to be delayed where it travels.")
        clicked_s = 0.0
        with contextlib.suppress(asyncio.CancelledError):
            async for tick in ticks(clock, _RATE_HZ):
                if tick.media_time_s + _AHEAD_S > clicked_s + 1:
                    clicked_s = float(int(tick.media_time_s + _AHEAD_S))
                    loudspeaker.play(AudioChunk(clicked_s, _CLICK_HZ, click()))
                snap = line.step(snapping(tick.media_time_s), tick.media_time_s)
                await sink.send(replace(snap, time_s=tick.media_time_s))
                if done.is_set():
                    break
    await sink.close()
    return Calibrated(round(1000 * line.delay_s), with_delay(url, line.delay_s))
