"""Sound in, mouth out, as it streams: the network fed in 20 ms steps, its answers drawn at any frame rate.

AudioChunk, AudioChunk, ... --> steps of 320 samples --> listen --> Articulation every 20 ms --> lines between them, at 60 Hz
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from avatar3d.core.audio import AudioChunk
from avatar3d.core.errors import InputError
from avatar3d.speech.articulation import Articulation
from avatar3d.speech.coarticulate import weights_of
from avatar3d.speech.network.features import RATE_HZ, STEP
from avatar3d.speech.network.model import (
    DILATIONS,
    KERNEL,
    LOOKAHEAD_S,
    SILENT_STEPS,
    STEP_S,
    Heard,
    ListeningState,
    Network,
    listen,
    listening_at_start,
    silent_features,
)
from avatar3d.speech.performance.pitch import PitchTracker

_TO_THE_END = int(np.ceil(LOOKAHEAD_S / STEP_S)) + 1
"""Steps of silence after the last sample, so that the mouth is known until then."""


@dataclass(frozen=True, eq=False)
class SpeechStream:
    """One voice being listened to: a value, `push` returns the next one."""

    network: Network
    state: ListeningState
    waiting: Float32[np.ndarray, "N"]
    """Samples that do not fill a step yet."""
    steps: int = 0

    @classmethod
    def begin(cls, network: Network) -> "SpeechStream":
        return cls(network, listening_at_start(network), np.zeros(0, np.float32))

    def push(self, samples: Float32[np.ndarray, "M"]) -> "tuple[SpeechStream, tuple[Articulation, ...]]":
        """More sound at 16 kHz: the stream after it, and the mouth's instants that are known by now."""
        waiting = np.concatenate([self.waiting, samples])
        state, found, steps = self.state, [], self.steps
        whole = len(waiting) // STEP
        for at in range(whole):
            state, heard = listen(self.network, state, waiting[at * STEP : (at + 1) * STEP])
            steps += 1
            time_s = steps * STEP_S - LOOKAHEAD_S
            if time_s > -STEP_S / 2:
                found.append(_articulation(max(time_s, 0.0), heard))
        return replace(self, state=state, waiting=waiting[whole * STEP :], steps=steps), tuple(found)

    def finish(self) -> tuple[Articulation, ...]:
        """What is left when the sound has ended."""
        missing = -len(self.waiting) % STEP + _TO_THE_END * STEP
        return self.push(np.zeros(missing, np.float32))[1]


def _articulation(time_s: float, heard: Heard) -> Articulation:
    weights, tongue = weights_of(heard.controls[None])
    return Articulation(
        time_s=time_s,
        weights=weights[0],
        tongue=tongue[0],
        closed=float(heard.closed),
        tucked=float(heard.tucked),
        voice=float(heard.voice),
        loudness_db=float(heard.loudness_db),
    )


Instant = tuple[Articulation, float]
"""A mouth, and the voice's pitch in Hz as it was last heard (0: none)."""


def hear_chunks(network: Network, chunks: Iterable[AudioChunk]) -> Iterator[Instant]:
    """The mouth every 20 ms while 16 kHz sound comes in; in constant memory."""
    stream, pitch = SpeechStream.begin(network), PitchTracker()
    waiting = np.zeros(0, np.float32)
    for chunk in chunks:
        if chunk.rate_hz != RATE_HZ:
            raise InputError(
                f"expected sound at {RATE_HZ} Hz, got {chunk.rate_hz} Hz", hint="Use speech.sound.open.open_sound."
            )
        waiting = np.concatenate([waiting, chunk.samples])
        whole = len(waiting) // STEP * STEP
        for at in range(0, whole, STEP):
            step = waiting[at : at + STEP]
            pitch = pitch.step(step)
            stream, found = stream.push(step)
            yield from ((each, pitch.hz) for each in found)
        waiting = waiting[whole:]
    stream, found = stream.push(waiting)
    yield from ((each, pitch.hz) for each in (*found, *stream.finish()))


def with_pitch(mouth: Iterable[Articulation], samples: Float32[np.ndarray, "N"]) -> Iterator[Instant]:
    """A mouth that is known already, with the pitch of its 16 kHz sound."""
    pitch, heard = PitchTracker(), 0
    for articulation in mouth:
        while (heard + 1) * STEP_S <= articulation.time_s and (heard + 1) * STEP <= len(samples):
            pitch = pitch.step(samples[heard * STEP : (heard + 1) * STEP])
            heard += 1
        yield articulation, pitch.hz


def at_rate(instants: Iterable[Instant], rate_hz: float) -> Iterator[Instant]:
    """The same mouth at 0, 1/rate, 2/rate ... seconds, by lines between its instants."""
    before: Articulation | None = None
    frame = 0
    for after, pitch_hz in instants:
        while frame / rate_hz <= after.time_s + 1e-9:
            time_s = frame / rate_hz
            yield (replace(after, time_s=time_s) if before is None else between(before, after, time_s)), pitch_hz
            frame += 1
        before = after


def between(before: Articulation, after: Articulation, time_s: float) -> Articulation:
    """The instant at a time between two."""
    span = after.time_s - before.time_s
    way = float(np.clip((time_s - before.time_s) / span, 0, 1)) if span > 0 else 1.0
    return Articulation(
        time_s=time_s,
        weights=(1 - np.float32(way)) * before.weights + np.float32(way) * after.weights,
        tongue=(1 - np.float32(way)) * before.tongue + np.float32(way) * after.tongue,
        closed=(1 - way) * before.closed + way * after.closed,
        tucked=(1 - way) * before.tucked + way * after.tucked,
        voice=(1 - way) * before.voice + way * after.voice,
        loudness_db=(1 - way) * before.loudness_db + way * after.loudness_db,
    )


def answer_all(network: Network, features: Float32[np.ndarray, "T F"]) -> Float32[np.ndarray, "T O"]:
    """`model.answer` for all steps of a sound after silence: the same sums, step by step or all at once."""
    features = np.concatenate([np.tile(silent_features(), (SILENT_STEPS, 1)), features])
    now = np.maximum(features @ network["in.weight"] + network["in.bias"], 0)
    for block, dilation in enumerate(DILATIONS):
        span = (KERNEL - 1) * dilation
        padded = np.concatenate([np.zeros((span, now.shape[1]), np.float32), now])
        taps = np.concatenate([padded[at * dilation : at * dilation + len(now)] for at in range(KERNEL)], axis=1)
        heard = np.maximum(taps @ network[f"block{block}.in.weight"] + network[f"block{block}.in.bias"], 0)
        now = now + heard @ network[f"block{block}.out.weight"] + network[f"block{block}.out.bias"]
    hidden = np.maximum(now @ network["hidden.weight"] + network["hidden.bias"], 0)
    return (hidden @ network["out.weight"] + network["out.bias"])[SILENT_STEPS:]
