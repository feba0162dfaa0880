"""What the bridge and its workers say to each other, over a worker's stdin and stdout: no sockets, no clock.

    u32 length  u8 kind  u32 utterance  payload

An *utterance* is one piece of work: a text said, a file played, a microphone. Its times count from its own beginning, or are
media times where it is live. Orders and remarks are JSON; the rest are numbers, little-endian.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import Frame
from avatar3d.core.errors import InputError
from avatar3d.speech.articulation import Articulation

HEADER: Final = struct.Struct("<IBI")
MAX_BYTES: Final = 4 * 2**20
_ORDER, _MOUTH, _FACE, _SOUND, _END = range(1, 6)
_SOUND_HEAD: Final = struct.Struct("<dI")
_TIME: Final = struct.Struct("<d")
_MOUTH_VALUES: Final = 52 + 4 + 5
_FACE_VALUES: Final = 52 + 3 * 4 + 4


@dataclass(frozen=True)
class Order:
    """To a worker: what to do. From one: a remark."""

    utterance: int
    entries: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class MouthAt:
    """A mouth, and the pitch of the voice."""

    utterance: int
    mouth: Articulation
    pitch_hz: float


@dataclass(frozen=True, eq=False)
class FaceAt:
    """A whole face."""

    utterance: int
    frame: Frame


@dataclass(frozen=True, eq=False)
class SoundAt:
    """A piece of sound."""

    utterance: int
    chunk: AudioChunk


@dataclass(frozen=True)
class End:
    """Nothing more comes of this utterance. To a worker: no more sound comes."""

    utterance: int


Said = Order | MouthAt | FaceAt | SoundAt | End


READY: Final = End(0)
"""A worker's first word: it listens."""


def encode(said: Said) -> bytes:
    """With its length before it."""
    match said:
        case Order(entries=entries):
            kind, payload = _ORDER, json.dumps(dict(entries)).encode()
        case MouthAt(mouth=mouth, pitch_hz=pitch_hz):
            tail = (mouth.closed, mouth.tucked, mouth.voice, mouth.loudness_db, pitch_hz)
            values = np.concatenate([mouth.weights, mouth.tongue, np.array(tail, np.float32)])
            kind, payload = _MOUTH, _TIME.pack(mouth.time_s) + values.astype("<f4").tobytes()
        case FaceAt(frame=frame):
            turns = (frame.head_wxyz, frame.left_eye_wxyz, frame.right_eye_wxyz)
            values = np.concatenate([frame.weights, *turns, frame.tongue])
            kind, payload = _FACE, _TIME.pack(frame.time_s) + values.astype("<f4").tobytes()
        case SoundAt(chunk=chunk):
            kind, payload = (
                _SOUND,
                _SOUND_HEAD.pack(chunk.time_s, chunk.rate_hz) + chunk.samples.astype("<f4").tobytes(),
            )
        case End():
            kind, payload = _END, b""
    return HEADER.pack(len(payload), kind, said.utterance) + payload


def length_of(header: bytes) -> int:
    """Of the payload after a header. Raises InputError for what no header of ours says."""
    length, _, _ = HEADER.unpack(header)
    if length > MAX_BYTES:
        raise InputError(f"expected a message of at most {MAX_BYTES} bytes, got {length}.", id="PIPE")
    return length


def decode(header: bytes, payload: bytes) -> Said:
    """What `encode` made. Raises InputError for anything else."""
    _, kind, utterance = HEADER.unpack(header)
    try:
        if kind == _ORDER:
            if not isinstance(entries := json.loads(payload), dict):
                raise ValueError("no object")
            return Order(utterance, entries)
        if kind == _MOUTH:
            return _mouth(utterance, payload)
        if kind == _FACE:
            time_s, values = _numbers(payload, _FACE_VALUES)
            frame = Frame(time_s, values[:52], values[52:56], values[56:60], values[60:64], values[64:68])
            return FaceAt(utterance, frame)
        if kind == _SOUND:
            time_s, rate_hz = _SOUND_HEAD.unpack_from(payload)
            samples = np.frombuffer(payload, "<f4", offset=_SOUND_HEAD.size).astype(np.float32)
            return SoundAt(utterance, AudioChunk(time_s, rate_hz, samples))
        if kind == _END:
            return End(utterance)
    except (ValueError, struct.error) as cause:
        raise InputError(f"a message of kind {kind} that cannot be read: {cause}.", id="PIPE") from cause
    raise InputError(f"a message of an unknown kind, {kind}.", id="PIPE")


def _mouth(utterance: int, payload: bytes) -> MouthAt:
    time_s, values = _numbers(payload, _MOUTH_VALUES)
    closed, tucked, voice, loudness_db, pitch_hz = values[56:].tolist()
    mouth = Articulation(time_s, values[:52], values[52:56], closed, tucked, voice, loudness_db)
    return MouthAt(utterance, mouth, pitch_hz)


def _numbers(payload: bytes, count: int) -> tuple[float, Float32[np.ndarray, "N"]]:
    """A time and so many values. Raises ValueError for more or fewer."""
    if len(payload) != _TIME.size + 4 * count:
        raise ValueError(f"{len(payload)} bytes")
    return _TIME.unpack_from(payload)[0], np.frombuffer(payload, "<f4", offset=_TIME.size).astype(np.float32)
