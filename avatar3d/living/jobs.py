"""What a worker can do, one function for each: an order in, mouths, faces and sound out, in the order of their times.

say     a text        --> sound, and the mouth of its phones while the voice still speaks
play    a sound file  --> sound, and the mouth the network hears in it
listen  pushed PCM    --> the same; live, with media times, no sound
hear    a microphone  --> the mouth, with media times
watch   a video       --> whole faces
look    a camera      --> whole faces, with media times
replay  a clip        --> whole faces
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from threading import BoundedSemaphore, Event
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import BlendshapeClip
from avatar3d.core.errors import AudioUnusableError, UnsupportedFormatError, UsageError
from avatar3d.live.clock import MediaClock
from avatar3d.living.pipe import FaceAt, MouthAt, Order, Said, SoundAt
from avatar3d.speech.animate import Instant, SpeechStream
from avatar3d.speech.network.features import RATE_HZ, STEP
from avatar3d.speech.network.model import Network, load_network
from avatar3d.speech.performance.pitch import PitchTracker
from avatar3d.speech.sound.mono import HighPass
from avatar3d.speech.sound.soxr import resampled
from avatar3d.speech.voices.tts import TTS, Spoken, load_voice

_CHUNK_S: Final = 0.1
"""Of a file that is played; its sound and its mouth advance together."""
_MOST_HZ: Final = 48_000
_BEGINNING: Final = BoundedSemaphore(2)
"""So many voices begin at once: who says and interrupts in quick turns starts no crowd of processes."""
_GAP_S: Final = 0.2
"""Live sound whose time is off by more begins a new sentence."""


@dataclass(frozen=True, eq=False)
class Work:
    """One order and what goes with it."""

    utterance: int
    order: Mapping[str, Any]
    clock: MediaClock
    coming: "SimpleQueue[AudioChunk | None]" = field(default_factory=SimpleQueue)
    """Pushed sound; None is its end."""
    stopped: Event = field(default_factory=Event)

    def mouth(self, instant: Instant) -> MouthAt:
        return MouthAt(self.utterance, *instant)

    def sound(self, time_s: float, rate_hz: int, samples: Float32[np.ndarray, "N"]) -> SoundAt:
        return SoundAt(self.utterance, AudioChunk(time_s, rate_hz, samples))


class Ear:
    """Sound at 16 kHz becomes mouths, in steps of 20 ms; `at_s` is the time of the sound's first sample."""

    def __init__(self, network: Network, at_s: float) -> None:
        self._stream, self._pitch, self._at_s = SpeechStream.begin(network), PitchTracker(), at_s
        self._waiting = np.zeros(0, np.float32)
        self.heard_s = 0.0

    def push(self, samples: Float32[np.ndarray, "N"]) -> Iterator[Instant]:
        self.heard_s += len(samples) / RATE_HZ
        self._waiting = np.concatenate([self._waiting, samples])
        while len(self._waiting) >= STEP:
            step, self._waiting = self._waiting[:STEP], self._waiting[STEP:]
            self._pitch = self._pitch.step(step)
            self._stream, found = self._stream.push(step)
            yield from self._told(found)

    def finish(self) -> Iterator[Instant]:
        self._stream, found = self._stream.push(self._waiting)
        yield from self._told((*found, *self._stream.finish()))

    def _told(self, found: tuple[Any, ...]) -> Iterator[Instant]:
        for each in found:
            yield replace(each, time_s=self._at_s + each.time_s), self._pitch.hz


def say(work: Work) -> Iterator[Said]:
    """order: text, language, voice."""
    from avatar3d.speech.as_spoken import mouth_as_spoken

    sounds: list[Said] = []

    def spoken() -> Iterator[Spoken]:
        for piece in _begun(work):
            chunk = piece.audio
            sounds.append(work.sound(chunk.time_s, chunk.rate_hz, chunk.samples))
            yield piece

    for instant in mouth_as_spoken(spoken()):
        yield from _emptied(sounds)
        yield work.mouth(instant)
    yield from _emptied(sounds)


def _begun(work: Work) -> Iterator[Spoken]:
    """The voice, once it has begun; nothing when the text was dropped before its turn to begin came."""
    order = work.order
    with _BEGINNING:
        if work.stopped.is_set():
            return
        pieces = voice_of("espeak").speak(
            order["text"], language=order.get("language", "en"), voice=order.get("voice", "")
        )
        first = next(pieces, None)
    if first is not None:
        yield first
        yield from pieces


def _emptied(waiting: list[Said]) -> Iterator[Said]:
    yield from waiting
    waiting.clear()


@cache
def voice_of(name: str) -> TTS:
    """The engine, kept: its process waits for the next text."""
    return load_voice(name)


def play(work: Work) -> Iterator[Said]:
    """order: path, channel. In a loop when `loop` says so."""
    from avatar3d.speech.sound.open import as_recorded, open_sound

    path, channel = Path(work.order["path"]), work.order.get("channel")
    ear, at_s = Ear(load_network(), 0.0), 0.0
    sound = as_recorded(path, channel=channel, most_hz=_MOST_HZ)
    with open_sound(path, channel=channel) as heard, closing(sound):
        for chunk in heard.chunks(_CHUNK_S):
            for instant in ear.push(chunk.samples):
                yield work.mouth(instant)
            while at_s < ear.heard_s and (piece := next(sound, None)) is not None:
                yield SoundAt(work.utterance, piece)
                at_s = piece.time_s + len(piece.samples) / piece.rate_hz
        for instant in ear.finish():
            yield work.mouth(instant)
        for warning in heard.warnings:
            yield Order(work.utterance, {"warning": warning})


def listen(work: Work) -> Iterator[Said]:
    """Pushed sound, at the rate of its first piece; `live` in the order when it has media times."""
    first = work.coming.get()
    live = bool(work.order.get("live"))
    while first is not None:
        first = yield from _sentence(work, first, live=live)


def _sentence(work: Work, first: AudioChunk, *, live: bool) -> Iterator[Said]:
    """Sound without a gap; returns the piece after one, or None."""
    following: list[AudioChunk | None] = [None]
    ear, heard_s = Ear(load_network(), first.time_s if live else 0.0), 0.0
    sounds: list[Said] = []

    def pieces() -> Iterator[Float32[np.ndarray, "N"]]:
        nonlocal heard_s
        chunk: AudioChunk | None = first
        while chunk is not None and not work.stopped.is_set():
            if chunk.rate_hz != first.rate_hz or (live and abs(first.time_s + heard_s - chunk.time_s) > _GAP_S):
                following[0] = chunk
                return
            if not live:
                sounds.append(work.sound(heard_s, chunk.rate_hz, chunk.samples))
            heard_s += len(chunk.samples) / chunk.rate_hz
            yield chunk.samples
            chunk = work.coming.get()

    high_pass = HighPass.at(RATE_HZ)
    for samples in resampled(pieces(), first.rate_hz, RATE_HZ):
        high_pass, clean = high_pass.step(samples)
        yield from _emptied(sounds)
        for instant in ear.push(np.clip(clean, -1, 1)):
            yield work.mouth(instant)
    yield from _emptied(sounds)
    for instant in ear.finish():
        yield work.mouth(instant)
    return following[0]


def hear(work: Work) -> Iterator[Said]:
    """order: device, a name or number of PortAudio's; the usual one where it is left out."""
    from avatar3d.speech.sound.sounddevice import Microphone

    network = load_network()
    with Microphone(work.order.get("device"), clock=work.clock.now_s) as microphone:
        ear: Ear | None = None
        high_pass, expected_s = HighPass.at(RATE_HZ), 0.0
        while not work.stopped.is_set():
            chunk = microphone.read(timeout_s=0.2)
            if chunk is None:
                continue
            if ear is None or abs(chunk.time_s - expected_s) > _GAP_S:
                ear, expected_s = Ear(network, chunk.time_s), chunk.time_s
            expected_s += len(chunk.samples) / RATE_HZ
            high_pass, clean = high_pass.step(chunk.samples)
            for instant in ear.push(np.clip(clean, -1, 1)):
                yield work.mouth(instant)


def watch(work: Work) -> Iterator[Said]:
    """order: path of a video of one face; its sound comes along, where it has any."""
    from avatar3d.following import follow_video
    from avatar3d.speech.sound.open import as_recorded

    path = Path(work.order["path"])
    sound, heard_s = as_recorded(path, most_hz=_MOST_HZ), 0.0
    with closing(sound):
        for frame in follow_video(path):
            while heard_s <= frame.time_s and (piece := _next_piece(sound)) is not None:
                yield SoundAt(work.utterance, piece)
                heard_s = piece.time_s + len(piece.samples) / piece.rate_hz
            yield FaceAt(work.utterance, frame)


def _next_piece(sound: Iterator[AudioChunk]) -> AudioChunk | None:
    """None at the end, and for a video without a sound track."""
    try:
        return next(sound, None)
    except AudioUnusableError as error:
        if error.id == "AUDIO_EMPTY":
            return None
        raise


def look(work: Work) -> Iterator[Said]:
    """order: camera, its number."""
    from avatar3d.following import follow_live
    from avatar3d.photo.webcam import camera_pictures

    with closing(camera_pictures(work.order.get("camera", 0), clock=work.clock.now_s)) as pictures:
        began_s: float | None = None
        for frame in follow_live(pictures):
            if work.stopped.is_set():
                return
            began_s = work.clock.now_s() - frame.time_s if began_s is None else began_s
            yield FaceAt(work.utterance, replace(frame, time_s=began_s + frame.time_s))


def replay(work: Work) -> Iterator[Said]:
    """order: path of a clip (.npz, .csv, .livelink.csv)."""
    clip = load_any_clip(Path(work.order["path"]))
    began_s = clip.frames[0].time_s
    for frame in clip.frames:
        yield FaceAt(work.utterance, replace(frame, time_s=frame.time_s - began_s))


def load_any_clip(path: Path) -> BlendshapeClip:
    """A clip by its name's ending. Raises UnsupportedFormatError (11) for another, and what its reader raises."""
    from avatar3d.formats.clip_csv import read_csv, read_livelink_csv
    from avatar3d.formats.clip_npz import load_clip

    name = path.name.lower()
    readers = {".npz": load_clip, ".livelink.csv": read_livelink_csv, ".csv": read_csv}
    for ending, read in readers.items():
        if name.endswith(ending):
            clip = read(path)
            if not clip.frames:
                raise UsageError(f'"{path.name}" holds no frame.', hint="Give a clip with at least one.")
            return clip
    raise UnsupportedFormatError(
        f'expected a clip ({", ".join(readers)}), got "{path.name}".',
        hint="avatar3d speak writes all three.",
        file=path,
    )


def warm_up() -> None:
    """Load and run once what the first sound would otherwise wait for."""
    list(Ear(load_network(), 0.0).push(np.zeros(STEP, np.float32)))
    HighPass.at(RATE_HZ)


JOBS: Final[Mapping[str, Callable[[Work], Iterator[Said]]]] = MappingProxyType(
    {"say": say, "play": play, "listen": listen, "hear": hear, "watch": watch, "look": look, "replay": replay}
)
