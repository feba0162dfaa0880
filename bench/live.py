"""The bridge's own delays, on this machine, from outside: a process that runs `avatar3d live`, and a client that measures.

block to packet    a syllable out of silence, pushed in blocks of 20 ms as a browser's microphone does; from the block that
                   holds its onset (handed over at its end) to the first frame whose jaw answers
face behind sound  the same, for the whole curve: the delay at which what was received fits best what the network
                   hears offline
microphone         the same through PortAudio, where there is a loudspeaker that a microphone hears (a PulseAudio null sink
                   and its monitor will do): a second microphone of the benchmark's own tells when the block was handed over
control, barge-in  from a message to the first frame that smiles, and to a mouth that is shut
text               from `say` to the first frame whose jaw moves, and to the first sound
ticks              how late they were

python -m bench.live [--syllables 60]
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.errors import Avatar3dError
from avatar3d.live.client import Bridge, connect
from avatar3d.live.process import bridge_process
from avatar3d.speech.animate import hear_chunks
from avatar3d.speech.network.features import RATE_HZ
from avatar3d.speech.network.model import load_network
from avatar3d.speech.sound.soxr import resampled
from avatar3d.speech.voices.tts import load_voice
from bench.measure import save_result

_JAW: Final = ARKIT_INDEX["jawOpen"]
_SMILE: Final = ARKIT_INDEX["mouthSmileLeft"]
_BLOCK: Final = 320
_ANSWERS: Final = 0.015
"""A jaw that opens by so much answers."""
_STILL: Final = ("--head-motion", "0")
Seen = list[tuple[float, float, Float32[np.ndarray, "52"]]]
"""Received (monotonic), media time, weights."""


async def watch(client: Bridge, seen: Seen) -> None:
    async for packet in client.frames():
        seen.append((time.monotonic(), packet.frame.time_s, packet.frame.weights))


def syllable() -> Float32[np.ndarray, "N"]:
    """An "ah" of espeak-ng's, 16 kHz, from its onset on."""
    pieces = list(load_voice("espeak").speak("Ah."))
    samples = np.concatenate([piece.audio.samples for piece in pieces])
    heard = np.concatenate(list(resampled([samples], pieces[0].audio.rate_hz, RATE_HZ)))
    onset = int(np.argmax(np.abs(heard) > 0.05 * np.abs(heard).max()))
    return np.ascontiguousarray(heard[onset : onset + RATE_HZ // 4]) * np.float32(0.5 / np.abs(heard).max())


def stimulus(count: int) -> tuple[Float32[np.ndarray, "N"], Float64[np.ndarray, "K"]]:
    """Syllables out of silence at uneven times, and their onsets in seconds."""
    chance, sound = np.random.default_rng(5), syllable()
    onsets = 1.0 + np.cumsum(chance.uniform(0.8, 1.2, count))
    samples = np.zeros(int((onsets[-1] + 1.0) * RATE_HZ), np.float32)
    for onset_s in onsets:
        at = int(onset_s * RATE_HZ)
        samples[at : at + len(sound)] += sound
    return samples, onsets


async def pushed(count: int) -> dict[str, Any]:
    """Block to packet over the WebSocket, and the whole curve's delay."""
    samples, onsets = stimulus(count)
    seen: Seen = []
    handed_s = np.zeros(len(samples) // _BLOCK)
    async with bridge_process(*_STILL) as process, connect(*process) as client:
        watching = asyncio.create_task(watch(client, seen))
        await asyncio.sleep(1.0)
        began_s = time.monotonic()
        began_media_s = client.media_time_s()
        for block in range(len(handed_s)):
            due_s = began_s + (block + 1) * _BLOCK / RATE_HZ
            await asyncio.sleep(max(due_s - time.monotonic(), 0))
            handed_s[block] = time.monotonic()
            piece = samples[block * _BLOCK : (block + 1) * _BLOCK]
            await client.push_sound(piece, RATE_HZ, time_s=began_media_s + block * _BLOCK / RATE_HZ)
        await asyncio.sleep(0.5)
        watching.cancel()
    delays = _answers(seen, [handed_s[int(onset * RATE_HZ) // _BLOCK] for onset in onsets])
    return {"block_to_packet_ms": _table(delays), "face_behind_sound_ms": _behind(seen, samples, began_s)} | dict(
        process.ran
    )


def _answers(seen: Seen, handed_s: Sequence[float]) -> list[float]:
    """For each block the time to the first frame in which the jaw answers, in ms."""
    times = np.array([each[0] for each in seen])
    jaws = np.array([each[2][_JAW] for each in seen])
    delays: list[float] = []
    for at_s in handed_s:
        before = jaws[(times > at_s - 0.25) & (times <= at_s - 0.05)]
        after = (times > at_s - 0.05) & (times < at_s + 0.5)
        answer = np.flatnonzero(after & (jaws > before.max(initial=0.0) + _ANSWERS))
        if len(answer):
            delays.append(1000 * (times[answer[0]] - at_s))
    return delays


def _behind(seen: Seen, samples: Float32[np.ndarray, "N"], began_s: float) -> float:
    """The delay at which what was received fits what is heard offline."""
    mouths = [mouth for mouth, _ in hear_chunks(load_network(), [AudioChunk(0.0, RATE_HZ, samples)])]
    own = np.array([mouth.time_s for mouth in mouths]), np.array([mouth.weights[_JAW] for mouth in mouths])
    times = np.array([each[0] for each in seen]) - began_s
    jaws = np.array([each[2][_JAW] for each in seen])
    delays = np.arange(0, 0.3, 0.001)
    errors = [float(((np.interp(times - delay, *own) - jaws) ** 2).mean()) for delay in delays]
    return float(1000 * delays[int(np.argmin(errors))])


async def spoken_into_a_microphone(count: int) -> dict[str, Any] | None:
    """The same through PortAudio; None where there is no microphone that hears the loudspeaker."""
    from avatar3d.speech.sound.sounddevice import Loudspeaker, Microphone

    samples, _ = stimulus(count)
    handed: list[tuple[float, float]] = []
    seen: Seen = []

    def listen(until_s: float) -> None:
        with Microphone(clock=time.monotonic) as microphone:
            while time.monotonic() < until_s:
                if (chunk := microphone.read(timeout_s=0.5)) is not None:
                    handed.append((time.monotonic(), float(np.abs(chunk.samples).max())))

    try:
        async with bridge_process("--mic", *_STILL) as process, connect(*process) as client:
            watching = asyncio.create_task(watch(client, seen))
            lasts_s = len(samples) / RATE_HZ
            listening = asyncio.create_task(asyncio.to_thread(listen, time.monotonic() + lasts_s + 2))
            await asyncio.sleep(1.5)
            with Loudspeaker(clock=time.monotonic) as loudspeaker:
                loudspeaker.play(AudioChunk(time.monotonic() + 0.2, RATE_HZ, samples))
                await listening
            watching.cancel()
    except (Avatar3dError, OSError, json.JSONDecodeError):
        return None
    loud = [(at_s, level > 0.02) for at_s, level in handed]
    onsets = [
        at_s
        for index, (at_s, is_loud) in enumerate(loud)
        if is_loud and index > 30 and not any(was for _, was in loud[index - 30 : index])
    ]
    return {"syllables": len(onsets), "block_to_packet_ms": _table(_answers(seen, onsets))} if onsets else None


async def told(count: int) -> dict[str, Any]:
    """Control, barge-in and text."""
    smiles: list[float] = []
    shut: list[float] = []
    jaws: list[float] = []
    sounds: list[float] = []
    async with bridge_process(*_STILL) as process, connect(*process) as client:
        seen: Seen = []
        heard: list[float] = []

        async def listen() -> None:
            async for _ in client.sounds():
                heard.append(time.monotonic())

        tasks = [asyncio.create_task(watch(client, seen)), asyncio.create_task(listen())]
        await client.say("Warming up.")
        await asyncio.sleep(2.5)
        for turn in range(count):
            at_s = time.monotonic()
            await client.control(emotion="joy" if turn % 2 == 0 else "neutral")
            await asyncio.sleep(1.2)
            if turn % 2 == 0:
                smiles.append(_first(seen, at_s, lambda w, b: w[_SMILE] > b[_SMILE] + 0.002))
            at_s = time.monotonic()
            await client.say("Ah, how are you? I would like to tell you a rather long story about boats.")
            await asyncio.sleep(0.9 + 0.05 * (turn % 7))
            jaws.append(_first(seen, at_s, lambda w, b: w[_JAW] > b[_JAW] + _ANSWERS))
            sounds.append(1000 * (next(each for each in heard if each > at_s) - at_s))
            at_s = time.monotonic()
            await client.control(interrupt=True)
            await asyncio.sleep(0.4)
            shut.append(_shut_after(seen, at_s))
        for task in tasks:
            task.cancel()
    return {
        "control_ms": _table(smiles), "barge_in_ms": _table(shut), "say_to_jaw_ms": _table(jaws), "say_to_sound_ms": _table(sounds),
    }  # fmt: skip


def _first(seen: Seen, at_s: float, answers: Any) -> float:
    before = [weights for when_s, _, weights in seen if when_s <= at_s][-1]
    return 1000 * (next(when_s for when_s, _, weights in seen if when_s > at_s and answers(weights, before)) - at_s)


def _shut_after(seen: Seen, at_s: float) -> float:
    """Until the jaw stays shut."""
    moving = [when_s for when_s, _, weights in seen if when_s > at_s and weights[_JAW] > 0.01]
    return 1000 * (moving[-1] - at_s) if moving else 0.0


def _table(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {"count": 0}
    p50, p95, most = np.percentile(values, [50, 95, 100])
    return {
        "count": len(values),
        "p50": round(float(p50), 1),
        "p95": round(float(p95), 1),
        "most": round(float(most), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--syllables", type=int, default=60)
    count = parser.parse_args().syllables
    with TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state
        result = {"pushed": asyncio.run(pushed(count)), "told": asyncio.run(told(max(count // 6, 4)))}
        if (microphone := asyncio.run(spoken_into_a_microphone(count))) is not None:
            result["microphone"] = microphone
    rows = [(f"{group} {name}", json.dumps(value)) for group, facts in result.items() for name, value in facts.items()]
    for name, value in rows:
        print(f"{name:36} {value}")
    save_result("live", result)


if __name__ == "__main__":
    main()
