"""Live Link Face, Epic's app for iPhone: one packet of UDP to port 11111 a frame, version 6, big-endian.

    u8 6 | i32 n, device | i32 n, subject | i32 frame, f32 sub-frame, i32 rate, i32 per seconds | u8 61 | 61 f32

As Unreal's AppleARKitLiveLinkSource.cpp writes and reads it (strings are UTF-8 without an end; a packet without a face ends
after the subject or has no values), and as two programs that speak with the app do (JimWest/PyLiveLinkFace, think-biq's LLV).
The 61 are Unreal's EARFaceBlendShape: 52 of ARKit in Apple's first order, then head, left eye, right eye as yaw, pitch, roll.

What the angles mean nobody has documented; they are those of the app's CSV, told in core/livelink.py: radians, rotation =
x * y * z, the eyes' yaw to the person's right and pitch down, the head's yaw to the person's left and pitch up.
"""

import math
import struct
from typing import Final

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX, Frame
from avatar3d.core.errors import UnsupportedFormatError, UsageError
from avatar3d.core.livelink import Angles, eye_angles, eye_rotation, head_angles, head_rotation
from avatar3d.live.dialects.dialect import (
    Dialect,
    Encode,
    Options,
    Update,
    arkit_face,
    checked,
    chosen,
    finite,
    malformed,
)

NAME: Final = "livelink"
PORT: Final = 11111
VERSION: Final = 6
SHAPES: Final = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight",
    "jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""The packet's order; the app's CSV has right before left for jaw and mouth."""
VALUES: Final = len(SHAPES) + 9
_FROM_ARKIT: Final = np.array([ARKIT_INDEX[name] for name in SHAPES])
DEVICE: Final = "00000000-0000-4000-8000-617661746172"
"""Unreal tells senders apart by it; every phone has its own."""
_TEXT_BYTES: Final = 64
"""Unreal drops packets of more than 774 bytes; ours have at most 398."""
_MOST_BYTES: Final = 1_286
_LENGTH: Final = struct.Struct(">i")
_TIME: Final = struct.Struct(">ifii")
_COUNT: Final = struct.Struct(">B")
_LATER: Final = 1 << 31
_EARLY: Final = 1e-6


def encoder(options: Options) -> Encode:
    """Options: subject (the name in the engine), device, rate (of the time code, Hz)."""
    told = chosen(NAME, options, {"subject": (), "device": (), "rate": ("60", "30", "24", "25", "50", "120")})
    subject, device = told["subject"] or "avatar3d", told["device"] or DEVICE
    for text in (subject, device):
        if len(text.encode()) > _TEXT_BYTES or not text.isprintable():
            raise UsageError(f"{NAME} has no room for the name {text[:20]!r}.", hint=f"At most {_TEXT_BYTES} bytes.")
    rate_hz = int(told["rate"])
    return lambda frame: [encode(frame, subject=subject, device=device, rate_hz=rate_hz)]


def encode(frame: Frame, *, subject: str = "avatar3d", device: str = DEVICE, rate_hz: int = 60) -> bytes:
    """The packet of a frame; its time is the time code. Raises InputError for what is not finite."""
    frame = checked(frame)
    count, part = divmod(frame.time_s * rate_hz + _EARLY, 1)
    values = np.empty(VALUES, ">f4")
    values[: len(SHAPES)] = frame.weights[_FROM_ARKIT]
    values[len(SHAPES) :] = [
        *head_angles(frame.head_wxyz), *eye_angles(frame.left_eye_wxyz), *eye_angles(frame.right_eye_wxyz)
    ]  # fmt: skip
    time = _TIME.pack(int(count) % _LATER, max(0.0, round(part - _EARLY, 6)), rate_hz, 1)
    return b"".join((bytes([VERSION]), _text(device), _text(subject), time, bytes([VALUES]), values.tobytes()))


def read(packet: bytes) -> Update:
    """What a packet says. Raises UnsupportedFormatError for another version, UnreadableError for anything else."""
    if not packet or len(packet) > _MOST_BYTES:
        raise malformed(NAME, f"{len(packet):,} bytes")
    if packet[0] != VERSION:
        raise UnsupportedFormatError(
            f"expected Live Link Face version {VERSION}, got {packet[0]}.",
            hint="In the app choose the mode Live Link (ARKit), not MetaHuman Animator.",
            id="DATAGRAM_VERSION",
        )
    at = 1
    for what in ("device", "subject"):
        length = _LENGTH.unpack_from(packet, at)[0] if at + 4 <= len(packet) else -1
        at += 4 + length
        if length < 0 or at > len(packet):
            raise malformed(NAME, f"the {what}'s name is cut")
    if at == len(packet):
        return Update(shows=False)
    body = len(packet) - at
    if body < _TIME.size:
        raise malformed(NAME, "its time is cut")
    frame, part, rate, seconds = _TIME.unpack_from(packet, at)
    if rate <= 0 or seconds <= 0 or not -1 <= part <= 1:
        raise malformed(NAME, "its time is none")
    time_s = (frame + part) * seconds / rate
    count = packet[at + _TIME.size] if body > _TIME.size else 0
    if body <= _TIME.size + 1 and not count:
        return Update(time_s=time_s, shows=False)
    if count != VALUES or body != _TIME.size + 1 + 4 * VALUES:
        raise malformed(NAME, f"expected {VALUES} values, got {count} in {body} bytes")
    return _update(time_s, np.frombuffer(packet, ">f4", offset=len(packet) - 4 * VALUES).tolist())


def _update(time_s: float, values: list[float]) -> Update:
    finite(NAME, values)
    angles = values[len(SHAPES) :]
    return Update(
        dict(zip(SHAPES, values, strict=False)),
        {
            "head": head_rotation(_turned(angles[0:3])),
            "leftEye": eye_rotation(_turned(angles[3:6])),
            "rightEye": eye_rotation(_turned(angles[6:9])),
        },
        time_s,
    )


def _turned(told: list[float]) -> Angles:
    """Angles within one turn: nobody promises that."""
    yaw, pitch, roll = (math.remainder(angle, math.tau) for angle in told)
    return yaw, pitch, roll


def _text(text: str) -> bytes:
    data = text.encode()
    return _LENGTH.pack(len(data)) + data


LIVELINK: Final = Dialect(NAME, PORT, encoder, read, arkit_face)
