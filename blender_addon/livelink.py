# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live Link Face packets (version 6, big-endian) as faces, and the app's angles as rotations. No bpy.

    u8 6 | i32 n, device | i32 n, subject | i32 frame, f32 sub-frame, i32 rate, i32 per seconds | u8 61 | 61 f32

The angles are radians, rotation = x * y * z; the eyes' yaw goes to the person's right and pitch down, the head's to the left and
up. That is inferred from recordings (avatar3d/core/livelink.py tells how), not documented by anybody.
"""

import math
import struct
from dataclasses import replace

import numpy as np

from . import wire_generated as wire
from .frame import Face, Refused
from .order import Order

PORT = 11111
PARTS = 1
"""Datagrams of a frame."""
_TIME = struct.Struct(">ifii")
_MOST_BYTES = 1286
_VALUES = len(wire.LIVELINK_NAMES) + 9
_INTO_ARKIT = np.array([wire.LIVELINK_NAMES.index(name) for name in wire.ARKIT_NAMES])
HEAD_SIGNS, EYE_SIGNS = (1.0, -1.0, 1.0), (-1.0, 1.0, 1.0)
"""The app's yaw, pitch, roll as rotations about +y, +x, +z."""


class Listener:
    """One sender; each of its packets is a whole face."""

    def __init__(self) -> None:
        self._order = Order()

    def take(self, packet: bytes, now_s: float) -> Face | None:
        """None when the phone sees no face, and for what is older than what came. Raises Refused."""
        face = face_of(packet)
        time_s = None if face is None else self._order.step(face.time_s, now_s)
        return None if face is None or time_s is None else replace(face, time_s=time_s)


def face_of(packet: bytes) -> Face | None:
    """The face in a packet; None when the phone sees none. Raises Refused for what is no such packet."""
    if not packet or len(packet) > _MOST_BYTES or packet[0] != 6:
        raise Refused("no Live Link Face packet of version 6")
    at = 1
    for _ in range(2):
        size = struct.unpack_from(">i", packet, at)[0] if at + 4 <= len(packet) else -1
        at += 4 + size
        if size < 0 or at > len(packet):
            raise Refused("a name that is cut")
    if at == len(packet):
        return None
    if at + _TIME.size > len(packet):
        raise Refused("a time that is cut")
    frame, part, rate, seconds = _TIME.unpack_from(packet, at)
    if rate <= 0 or seconds <= 0 or not -1 <= part <= 1:
        raise Refused("a time that is none")
    at += _TIME.size
    if at == len(packet) or (packet[at] == 0 and at + 1 == len(packet)):
        return None
    if packet[at] != _VALUES or len(packet) != at + 1 + 4 * _VALUES:
        raise Refused(f"{packet[at]} values in {len(packet) - at - 1} bytes")
    values = np.frombuffer(packet, ">f4", offset=at + 1)
    if not np.isfinite(values).all():
        raise Refused("numbers that are none")
    return face_of_values((frame + part) * seconds / rate, values.astype(np.float64))


def face_of_values(time_s: float, values: np.ndarray) -> Face:
    """Of the 61 in the packet's order."""
    head, left, right = values[-9:].reshape(3, 3).tolist()
    weights = np.clip(values[:-9][_INTO_ARKIT], 0, 1).astype(np.float32)
    return Face(time_s, weights, rotation(head, HEAD_SIGNS), rotation(left, EYE_SIGNS), rotation(right, EYE_SIGNS))


def rotation(angles: list[float], signs: tuple[float, ...]) -> tuple[float, ...]:
    """wxyz of the app's yaw, pitch and roll."""
    yaw, pitch, roll = (math.remainder(angle, math.tau) * sign for angle, sign in zip(angles, signs, strict=True))
    (cy, sy), (cx, sx), (cz, sz) = ((math.cos(angle / 2), math.sin(angle / 2)) for angle in (yaw, pitch, roll))
    return (
        cx * cy * cz - sx * sy * sz,
        sx * cy * cz + cx * sy * sz,
        cx * sy * cz - sx * cy * sz,
        cx * cy * sz + sx * sy * cz,
    )
