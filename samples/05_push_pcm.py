"""5. A chatbot's voice: push PCM, as your text-to-speech makes it, and the face goes with it, for an hour if need be.

    python samples/05_push_pcm.py SOUND [MINUTES]      (MINUTES of the sound, again and again; once through if left out)

Prints by how much sound and face have drifted from the pushing program's own clock: nothing. Tested by
tests/integration/test_live_samples.py for seconds; an hour is run by hand, on a quiet machine.
"""

import asyncio
import sys
import time
from pathlib import Path

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.live.client import Bridge, connect
from avatar3d.live.process import bridge_process
from avatar3d.speech.sound.open import RATE_HZ, open_sound

PIECE = RATE_HZ // 10
"""A tenth of a second: as a network's packets come."""


async def main(sound: Path, minutes: float | None) -> None:
    with open_sound(sound) as opened:
        samples = np.concatenate([chunk.samples for chunk in opened])
    if minutes is not None:
        samples = np.tile(samples, int(np.ceil(minutes * 60 * RATE_HZ / len(samples))))[: int(minutes * 60 * RATE_HZ)]
    async with bridge_process("--head-motion", "0") as process, connect(*process) as bridge:
        began_s = bridge.media_time_s()
        heard: list[tuple[float, float]] = []
        seen: list[tuple[float, float]] = []
        tasks = [asyncio.create_task(listen(bridge, heard)), asyncio.create_task(watch(bridge, seen))]
        await push(bridge, samples)
        await until_said(bridge)
        for task in tasks:
            task.cancel()
    # Where each second of the sound was placed on the media clock, against where it was pushed.
    late = np.array([media_s - began_s - own_s for media_s, own_s in heard])
    print(f"{heard[-1][1]:.0f} s of {len(samples) / RATE_HZ:.0f} s of sound came, {len(seen)} frames")
    print(f"sound after being pushed: {1000 * late[0]:.0f} ms at first, {1000 * late[-1]:.0f} ms at the end")
    third = heard[-1][0] - min(60.0, heard[-1][1] / 3)
    first = began_s + min(60.0, heard[-1][1] / 3)
    early, finally_ = lag_ms(seen, samples, heard, 0, first), lag_ms(seen, samples, heard, third, np.inf)
    print(f"jaw against loudness: {early:+.0f} ms at first, {finally_:+.0f} ms at the end")


async def push(bridge: Bridge, samples: np.ndarray) -> None:
    """In real time, by this program's own clock; a chatbot may as well push faster, up to two minutes ahead."""
    began_s = time.monotonic()
    for at in range(0, len(samples), PIECE):
        await asyncio.sleep(max(began_s + at / RATE_HZ - time.monotonic(), 0))
        await bridge.push_sound(samples[at : at + PIECE], RATE_HZ, last=at + PIECE >= len(samples))


async def listen(bridge: Bridge, heard: list[tuple[float, float]]) -> None:
    """Of each piece of sound its media time, and how much of the sound came before it."""
    own_s = 0.0
    async for packet in bridge.sounds():
        heard.append((packet.chunk.time_s, own_s))
        own_s += len(packet.chunk.samples) / packet.chunk.rate_hz


async def until_said(bridge: Bridge) -> None:
    async for message in bridge.messages():
        if message.get("name") == "speech_ended":
            return


async def watch(bridge: Bridge, seen: list[tuple[float, float]]) -> None:
    async for packet in bridge.frames():
        seen.append((packet.frame.time_s, float(packet.frame.weights[ARKIT_INDEX["jawOpen"]])))


def lag_ms(seen, samples: np.ndarray, heard, from_s: float, until_s: float) -> float:
    """The shift at which the jaw's opening fits the sound's loudness best, both on the media clock."""
    times = np.array([time_s for time_s, _ in seen])
    inside = (times >= from_s) & (times < until_s)
    jaws = np.array([jaw for _, jaw in seen])[inside]
    placed = np.interp(times[inside], [media_s for media_s, _ in heard], [own_s for _, own_s in heard])
    level = np.abs(samples[: len(samples) // 160 * 160]).reshape(-1, 160).mean(1)
    level = np.convolve(level, np.ones(5) / 5, "same")
    middle_s = (np.arange(len(level)) + 0.5) * 160 / RATE_HZ
    shifts = np.arange(-0.25, 0.25, 0.005)
    fits = [np.corrcoef(jaws, np.interp(placed - shift, middle_s, level))[0, 1] for shift in shifts]
    return float(1000 * shifts[int(np.argmax(fits))])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else None))
