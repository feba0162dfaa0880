# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMC over OSC as faces: Blend/Val, Blend/Apply and the bones of head and eyes. No bpy.

Everything else (VRM paths, configuration, remote commands) is ignored, and never opened. Names are ARKit's in any case ("perfect
sync"); the presets of VRM 0 and 1 are not translated here: send `?names=camel` or `arkit` (avatar3d does).
"""

import math
import struct
from collections.abc import Iterator

import numpy as np

from .frame import Face, Refused
from .wire import unit
from .wire_generated import ARKIT_NAMES

PORT = 39539
_MOST_BYTES = 16384
_MOST_MESSAGES = 512
_DEEPEST = 8
_INDEX = {name.lower(): at for at, name in enumerate(ARKIT_NAMES)}
_BONES = {"head": "head", "lefteye": "left", "righteye": "right"}
_SIZES = {"i": ">i", "f": ">f", "h": ">q", "d": ">d", "t": ">Q", "c": ">i", "r": ">I", "m": ">I"}


class Listener:
    """All that has been said so far; `take` gives a face when the sender says Apply."""

    def __init__(self) -> None:
        self._weights = np.zeros(len(ARKIT_NAMES), np.float32)
        self._turns: dict[str, tuple[float, ...]] = {}
        self._time_s: float | None = None

    def take(self, packet: bytes, now_s: float) -> Face | None:
        """Raises Refused for what is no OSC, and for numbers that are none; then nothing has changed."""
        weights, turns, time_s, shown = self._weights.copy(), dict(self._turns), self._time_s, False
        for address, told in messages(packet):
            if address == "/VMC/Ext/Blend/Val" and len(told) >= 2 and isinstance(told[0], str):
                if (at := _INDEX.get(told[0].lower())) is not None:
                    weights[at] = min(max(_number(told[1]), 0.0), 1.0)
            elif address == "/VMC/Ext/Bone/Pos" and len(told) >= 8 and str(told[0]).lower() in _BONES:
                # Unity's axes are left-handed: mirroring x keeps w and x of a rotation and turns y and z over.
                x, y, z, w = (_number(value) for value in told[4:8])
                turns[_BONES[str(told[0]).lower()]] = unit([w, x, -y, -z])
            elif address == "/VMC/Ext/T" and told:
                time_s = _number(told[0])
            elif address == "/VMC/Ext/Blend/Apply":
                shown = True
        self._weights, self._turns, self._time_s = weights, turns, time_s
        if not shown:
            return None
        names = {"head": "head_wxyz", "left": "left_eye_wxyz", "right": "right_eye_wxyz"}
        return Face(now_s if time_s is None else time_s, weights, **{names[bone]: turn for bone, turn in turns.items()})


def messages(packet: bytes) -> Iterator[tuple[str, list[object]]]:
    """Address and arguments of each message, bundles opened. Raises Refused, in bounded time, for anything else."""
    if len(packet) > _MOST_BYTES:
        raise Refused(f"{len(packet):,} bytes")
    found: list[tuple[str, list[object]]] = []
    waiting = [(packet, 0)]
    while waiting:
        data, depth = waiting.pop()
        if data[:8] == b"#bundle\0":
            if depth >= _DEEPEST or len(data) < 16:
                raise Refused("bundles in bundles, or a cut one")
            waiting += [(element, depth + 1) for element in reversed(_elements(data))]
        else:
            found.append(_message(data))
        if len(found) + len(waiting) > _MOST_MESSAGES:
            raise Refused("too many messages")
    return iter(found)


def _elements(data: bytes) -> list[bytes]:
    at, elements = 16, []
    while at < len(data):
        size = struct.unpack_from(">i", data, at)[0] if at + 4 <= len(data) else -1
        if size <= 0 or size % 4 or at + 4 + size > len(data) or len(elements) >= _MOST_MESSAGES:
            raise Refused("a bundle that contradicts itself")
        elements.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return elements


def _message(data: bytes) -> tuple[str, list[object]]:
    if data[:1] != b"/":
        raise Refused("no OSC")
    address, at = _string(data, 0)
    if at >= len(data):
        return address, []
    tags, at = _string(data, at)
    if tags[:1] != "," or len(tags) > 65:
        raise Refused("no type tags")
    told: list[object] = []
    for tag in tags[1:]:
        if layout := _SIZES.get(tag):
            if at + struct.calcsize(layout) > len(data):
                raise Refused("arguments that are cut")
            told.append(struct.unpack_from(layout, data, at)[0])
            at += struct.calcsize(layout)
        elif tag in "sS":
            text, at = _string(data, at)
            told.append(text)
        elif tag in "TFNI[]":
            told.append(tag == "T")
        else:
            raise Refused("a type that nobody knows")
    return address, told


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = data.find(b"\0", at)
    after = end + 4 - (end - at) % 4
    if end < 0 or after > len(data) or end - at > 256:
        raise Refused("a string that does not end")
    return data[at:end].decode("utf-8", "replace"), after


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise Refused("a number that is none")
    return float(value)
