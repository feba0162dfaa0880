"""Frames, sound and acknowledgements to bytes and back (schema.py): no sockets, no clock.

    frame  272 bytes   u8 version  u8 flags  u16 n=52    u32 seq  f64 media_time_s  52 f32 weights  12 f32 head, left, right eye
    sound  16 + 2 N    u8 0x61     u8 flags  u16 rate_hz u32 seq  f64 media_time_s  N i16 samples
    ack    8           u8 0x6b     u8 0      u16 0       u32 seq

Little-endian. The same as JSON for those who cannot read bytes: frame_json, sound_json, and back.
"""

import base64
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import ARKIT_NAMES, Frame
from avatar3d.core.errors import InputError
from avatar3d.live import schema

_FRAME: Final = struct.Struct("<BBHId")
_SOUND: Final = struct.Struct("<BBHId")
_ACK: Final = struct.Struct("<BBHI")
FRAME_BYTES: Final = schema.size_of(schema.FRAME)
SOUND_HEADER_BYTES: Final = schema.size_of(schema.SOUND)
ACK_BYTES: Final = schema.size_of(schema.ACK)
_COUNT: Final = len(ARKIT_NAMES)
_TURNS: Final = ("head_wxyz", "left_eye_wxyz", "right_eye_wxyz")
_UNIT: Final = 1e-2
"""A quaternion that is longer or shorter by more is no rotation."""
RATES_HZ: Final = (8_000, 48_000)
_FLOAT_FROM_I16: Final = np.float32(1 / 32767)


@dataclass(frozen=True, eq=False)
class FramePacket:
    """A frame on its way."""

    frame: Frame
    """Its time is the media time."""
    seq: int = 0
    face: int = 0
    held: bool = False
    jumped: bool = False


@dataclass(frozen=True, eq=False)
class SoundPacket:
    """A piece of sound on its way."""

    chunk: AudioChunk
    """Its time is the media time; NaN when a client pushes what is to be heard next."""
    seq: int = 0
    face: int = 0
    last: bool = False


Packet = FramePacket | SoundPacket


def encode_frame(packet: FramePacket) -> bytes:
    """272 bytes."""
    frame = packet.frame
    flags = packet.face << schema.FACE_SHIFT | packet.held * schema.HELD | packet.jumped * schema.JUMPED
    head = _FRAME.pack(schema.VERSION, flags, _COUNT, packet.seq & 0xFFFFFFFF, frame.time_s)
    values = np.concatenate([frame.weights, frame.head_wxyz, frame.left_eye_wxyz, frame.right_eye_wxyz])
    return head + values.astype("<f4", copy=False).tobytes()


def decode_frame(packet: bytes) -> FramePacket:
    """What `encode_frame` made. Raises InputError for anything else: size, version, count, values that are no face."""
    if len(packet) != FRAME_BYTES:
        raise InputError(f"expected a frame of {FRAME_BYTES} bytes, got {len(packet)}.", id="WIRE_SIZE")
    version, flags, count, seq, time_s = _FRAME.unpack_from(packet)
    if (version, count) != (schema.VERSION, _COUNT):
        raise InputError(
            f"expected version {schema.VERSION} with {_COUNT} weights, got version {version} with {count}.",
            hint="Update whichever of the two is older.",
            id="WIRE_VERSION",
        )
    values = np.frombuffer(packet, dtype="<f4", offset=_FRAME.size).astype(np.float32)
    return _frame_packet(time_s, values, seq, flags)


def encode_sound(packet: SoundPacket) -> bytes:
    """16 bytes and two for each sample."""
    flags = packet.face << schema.FACE_SHIFT | packet.last * schema.LAST
    chunk = packet.chunk
    head = _SOUND.pack(schema.SOUND_KIND, flags, chunk.rate_hz, packet.seq & 0xFFFFFFFF, chunk.time_s)
    return head + _pcm16(chunk.samples)


def decode_sound(packet: bytes) -> SoundPacket:
    """What `encode_sound` made. Raises InputError for anything else."""
    if len(packet) < SOUND_HEADER_BYTES or len(packet) % 2:
        raise InputError(f"expected sound of 16 + 2 N bytes, got {len(packet)}.", id="WIRE_SIZE")
    kind, flags, rate_hz, seq, time_s = _SOUND.unpack_from(packet)
    if kind != schema.SOUND_KIND:
        raise InputError(f"expected sound (0x{schema.SOUND_KIND:x}), got 0x{kind:x}.", id="WIRE_VERSION")
    return _sound_packet(time_s, rate_hz, packet[SOUND_HEADER_BYTES:], seq, flags)


def encode_ack(seq: int) -> bytes:
    """8 bytes."""
    return _ACK.pack(schema.ACK_KIND, 0, 0, seq & 0xFFFFFFFF)


def decode_ack(packet: bytes) -> int:
    """The seq. Raises InputError for anything else."""
    if len(packet) != ACK_BYTES or packet[0] != schema.ACK_KIND:
        raise InputError(f"expected an acknowledgement of {ACK_BYTES} bytes.", id="WIRE_SIZE")
    return int(_ACK.unpack(packet)[3])


def frame_json(packet: bytes) -> dict[str, Any]:
    """An encoded frame as the JSON dialect's message, to six decimals."""
    _, flags, _, seq, time_s = _FRAME.unpack_from(packet)
    values = [round(value, 6) for value in struct.unpack_from(f"<{_COUNT + 12}f", packet, _FRAME.size)]
    turns = {name: values[_COUNT + 4 * at : _COUNT + 4 * at + 4] for at, name in enumerate(_TURNS)}
    return {
        "type": "frame", "seq": seq, "flags": flags, "media_time_s": time_s, "weights": values[:_COUNT],
    } | turns  # fmt: skip


def sound_json(packet: bytes) -> dict[str, Any]:
    """Encoded sound as the JSON dialect's message."""
    _, flags, rate_hz, seq, time_s = _SOUND.unpack_from(packet)
    sound = base64.b64encode(packet[SOUND_HEADER_BYTES:]).decode()
    return {
        "type": "sound", "flags": flags, "rate_hz": rate_hz, "seq": seq, "media_time_s": time_s, "pcm16_base64": sound,
    }  # fmt: skip


def frame_from_json(message: Mapping[str, Any]) -> FramePacket:
    """The frame of a message whose entries have the types of schema.TO_BRIDGE. Raises InputError for what is no face."""
    lists = [message["weights"], *(message[name] for name in _TURNS)]
    values = np.concatenate([np.asarray(each, np.float32) for each in lists])
    return _frame_packet(float(message["media_time_s"]), values, int(message.get("seq", 0)), int(message["flags"]))


def sound_from_json(message: Mapping[str, Any]) -> SoundPacket:
    """The sound of a message whose entries have the types of schema.TO_BRIDGE. Raises InputError for what is none."""
    try:
        samples = base64.b64decode(message["pcm16_base64"], validate=True)
    except ValueError as cause:
        raise InputError("expected pcm16_base64 to be base64.", id="WIRE_VALUE") from cause
    if len(samples) % 2:
        raise InputError("expected two bytes for each sample.", id="WIRE_SIZE")
    time_s = float(message.get("media_time_s", math.nan))
    return _sound_packet(time_s, int(message["rate_hz"]), samples, int(message.get("seq", 0)), int(message["flags"]))


def _frame_packet(time_s: float, values: Float32[np.ndarray, "64"], seq: int, flags: int) -> FramePacket:
    turns = values[_COUNT:].reshape(3, 4)
    lengths = np.linalg.norm(turns.astype(np.float64), axis=1)  # 1e38 squared is no float32, and warns
    if not (math.isfinite(time_s) and np.isfinite(values).all() and (np.abs(lengths - 1) < _UNIT).all()):
        raise InputError(
            "expected finite values and unit quaternions (w, x, y, z).",
            hint="Where nothing turns, send 1, 0, 0, 0.",
            id="WIRE_VALUE",
        )
    head, left, right = (turns / lengths[:, None]).astype(np.float32)
    frame = Frame(time_s, np.clip(values[:_COUNT], 0, 1), head, left, right)
    return FramePacket(frame, seq, flags >> schema.FACE_SHIFT, bool(flags & schema.HELD), bool(flags & schema.JUMPED))


def _sound_packet(time_s: float, rate_hz: int, samples: bytes, seq: int, flags: int) -> SoundPacket:
    slowest, fastest = RATES_HZ
    if not slowest <= rate_hz <= fastest or math.isinf(time_s):
        raise InputError(f"expected a rate of {slowest} to {fastest} Hz and a time, got {rate_hz} Hz.", id="WIRE_VALUE")
    heard = np.frombuffer(samples, "<i2").astype(np.float32) * _FLOAT_FROM_I16
    return SoundPacket(AudioChunk(time_s, rate_hz, heard), seq, flags >> schema.FACE_SHIFT, bool(flags & schema.LAST))


def _pcm16(samples: Float32[np.ndarray, "N"]) -> bytes:
    return np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
