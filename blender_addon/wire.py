# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge's binary messages as faces. No bpy; constants and layout are generated (wire_generated.py)."""

import math

import numpy as np

from . import wire_generated as wire
from .frame import Face, Refused

_UNIT = 1e-2
"""A quaternion that is longer or shorter by more is no rotation."""


def face_of(packet: bytes) -> Face:
    """The frame in 272 bytes. Raises Refused for anything else: size, version, values that are no face."""
    if len(packet) != wire.FRAME.size:
        raise Refused(f"a frame of {len(packet)} bytes")
    version, flags, count, _, time_s = wire.FRAME.unpack_from(packet)[:5]
    if (version, count) != (wire.VERSION, wire.SHAPES):
        raise Refused(f"version {version} with {count} weights")
    values = np.frombuffer(packet, "<f4", offset=wire.FRAME.size - 4 * (wire.SHAPES + 12))
    if not (math.isfinite(time_s) and np.isfinite(values).all()):
        raise Refused("numbers that are none")
    turns = [unit(values[at : at + 4].tolist()) for at in range(wire.SHAPES, wire.SHAPES + 12, 4)]
    return Face(
        time_s, np.clip(values[: wire.SHAPES], 0, 1).astype(np.float32), *turns,
        number=flags >> wire.FACE_SHIFT, jumped=bool(flags & wire.JUMPED),
    )  # fmt: skip


def acknowledgement(seq: int) -> bytes:
    return wire.ACK.pack(wire.ACK_KIND, 0, 0, seq)


def unit(wxyz: list[float]) -> tuple[float, ...]:
    """Of length 1 where it nearly is; Refused where it is no rotation."""
    length = math.sqrt(sum(value * value for value in wxyz))
    if not abs(length - 1) < _UNIT:
        raise Refused("a rotation that is none")
    return tuple(value / length for value in wxyz)
