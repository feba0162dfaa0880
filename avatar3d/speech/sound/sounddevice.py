"""The one door to sounddevice (PortAudio): a microphone's blocks with the time at which they were heard, and loudspeakers."""

import queue
import threading
from collections.abc import Callable
from importlib import import_module
from types import TracebackType
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.audio import AudioChunk
from avatar3d.core.errors import MissingExtraError, UnreadableError, UsageError

RATE_HZ: Final = 16_000
BLOCK: Final = 160
"""10 ms: half of what the network hears at once, so that PortAudio keeps little back."""
_SILENT_S: Final = 1.0
"""A microphone that gives nothing for so long is gone."""
_WAKING_S: Final = 3.0
"""One that sleeps needs a while for its first block."""
_SPEAKER_HZ: Final = 48_000
_KEPT: Final = 64
Clock = Callable[[], float]


def _sounddevice() -> Any:
    try:
        return import_module("sounddevice")
    except ImportError as cause:
        raise MissingExtraError("sounddevice", "mic", "A microphone or a loudspeaker") from cause
    except OSError as cause:  # the wheel for Linux brings no PortAudio
        raise UsageError(
            "PortAudio is not installed, which microphones and loudspeakers need.",
            hint="On Debian or Ubuntu: apt-get install libportaudio2",
            id="PORTAUDIO_MISSING",
        ) from cause


def _started(kind: str, what: str, id: str, device: str | int | None, **options: Any) -> Any:
    """A stream of PortAudio's, mono, running. Raises UnreadableError (10) when there is no such device."""
    door = _sounddevice()
    try:
        stream = getattr(door, kind)(channels=1, dtype="float32", device=device, **options)
        stream.start()
    except (door.PortAudioError, ValueError) as cause:
        raise UnreadableError(
            f"The {what}{'' if device is None else f' {device!r}'} cannot be opened: {cause}.",
            hint="See what there is with: python -m sounddevice",
            id=id,
        ) from cause
    return stream


class Microphone:
    """Blocks of 10 ms at 16 kHz, mono. Use it in a `with`; one thread reads.

    Raises UnreadableError (10) when there is no such microphone, or it goes; UsageError (2) without PortAudio.
    """

    def __init__(self, device: str | int | None = None, *, clock: Clock) -> None:
        self._clock, self._device = clock, device
        self._blocks: queue.Queue[AudioChunk] = queue.Queue(_KEPT)
        self._last_s = clock()
        self._stream: Any = None

    def __enter__(self) -> "Microphone":
        self._stream = _started(
            "InputStream", "microphone", "MIC_MISSING", self._device,
            samplerate=RATE_HZ, blocksize=BLOCK, latency="low", callback=self._heard,
        )  # fmt: skip
        self._last_s = self._clock() + _WAKING_S - _SILENT_S
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.abort()
        self._stream.close()

    def read(self, *, timeout_s: float) -> AudioChunk | None:
        """The next block, its time on the clock given; None when none came in time. Blocks nobody read are lost, the oldest first."""
        try:
            chunk = self._blocks.get(timeout=timeout_s)
        except queue.Empty:
            if not self._stream.active or self._clock() - self._last_s > _SILENT_S:
                raise UnreadableError(
                    "The microphone gives no sound any more.", hint="Is it still plugged in?", id="MIC_LOST"
                ) from None
            return None
        return chunk

    def _heard(self, block: Float32[np.ndarray, "N 1"], _count: int, times: Any, _status: object) -> None:
        """PortAudio's own thread."""
        self._last_s = self._clock()
        since_s = times.currentTime - times.inputBufferAdcTime
        # Some hosts tell no times; the block's own length is then the least it can be late.
        late_s = since_s if 0 < since_s < 1 else len(block) / RATE_HZ
        if self._blocks.full():
            self._blocks.get_nowait()
        self._blocks.put_nowait(AudioChunk(self._last_s - late_s, RATE_HZ, block[:, 0].copy()))


class Loudspeaker:
    """Sound at its media time: `play` from any thread, in any order. Use it in a `with`. Raises as Microphone."""

    def __init__(self, device: str | int | None = None, *, clock: Clock) -> None:
        self._clock, self._device = clock, device
        self._waiting: list[tuple[int, AudioChunk]] = []
        self._lock = threading.Lock()
        self._stream: Any = None

    def __enter__(self) -> "Loudspeaker":
        self._stream = _started(
            "OutputStream", "loudspeaker", "SPEAKER_MISSING", self._device,
            samplerate=_SPEAKER_HZ, latency="high", callback=self._fill,
        )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.abort()
        self._stream.close()

    def play(self, chunk: AudioChunk, *, voice: int = 0) -> None:
        """Voices that sound at the same time are mixed."""
        with self._lock:
            self._waiting.append((voice, chunk))

    def flush(self, from_s: float, *, voice: int = 0) -> None:
        """Nothing of that voice is to be heard from that media time on."""
        with self._lock:
            cut = [(of, _until(each, from_s) if of == voice else each) for of, each in self._waiting]
            self._waiting = [(of, each) for of, each in cut if len(each.samples)]

    def _fill(self, block: Float32[np.ndarray, "N 1"], count: int, times: Any, _status: object) -> None:
        """PortAudio's own thread: the sound of the time at which this block will be heard."""
        ahead_s = times.outputBufferDacTime - times.currentTime
        at_s = self._clock() + (ahead_s if 0 <= ahead_s < 1 else 0.0)
        wanted_s = at_s + np.arange(count) / _SPEAKER_HZ
        block[:] = 0
        with self._lock:
            self._waiting = [(of, each) for of, each in self._waiting if _end_s(each) >= at_s]
            for _, chunk in self._waiting:
                if chunk.time_s >= wanted_s[-1]:
                    continue
                inside = (wanted_s >= chunk.time_s) & (wanted_s < _end_s(chunk))
                at = (wanted_s[inside] - chunk.time_s) * chunk.rate_hz
                block[inside, 0] += np.interp(at, np.arange(len(chunk.samples)), chunk.samples)
        np.clip(block, -1, 1, out=block)


def _end_s(chunk: AudioChunk) -> float:
    return chunk.time_s + len(chunk.samples) / chunk.rate_hz


def _until(chunk: AudioChunk, time_s: float) -> AudioChunk:
    return AudioChunk(
        chunk.time_s, chunk.rate_hz, chunk.samples[: max(int((time_s - chunk.time_s) * chunk.rate_hz), 0)]
    )
