# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMC over OSC as faces: Blend/Val, Blend/Apply and the bones of head, neck and eyes. No bpy.

Everything else (VRM paths, configuration, remote commands) is ignored, and never opened. Names are ARKit's in any case ("perfect
sync"); the presets of VRM 0 and 1 are not translated here: send `?names=camel` or `arkit` (avatar3d does).
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from .frame import REST, Face, Refused
from .order import Order
from .wire_generated import ARKIT_NAMES

PORT = 39539
PARTS = 160
"""Some senders make a datagram of every bone and every shape."""
_MOST_BYTES = 16384
_MOST_MESSAGES = 512
_MOST_ARGUMENTS = 64
_ADDRESS_BYTES = 256
_DEEPEST = 8
_UNIT = (0.9, 1.1)
"""Others round; a quaternion that is shorter or longer is no turn."""
_INDEX = {name.lower(): at for at, name in enumerate(ARKIT_NAMES)}
_BONES = ("head", "neck", "lefteye", "righteye")
_SIZES = {"i": ">i", "f": ">f", "h": ">q", "d": ">d", "t": ">Q", "c": ">i", "r": ">I", "m": ">I"}
_BARE = {"T": True, "F": False, "N": None, "I": None}
Turn = tuple[float, ...]


@dataclass
class Said:
    """What one datagram says of a face."""

    weights: dict[int, float] = field(default_factory=dict)
    """By place in ARKIT_NAMES, each in [0, 1]."""
    turns: dict[str, Turn] = field(default_factory=dict)
    """By bone, wxyz relative to its rest, in glTF's axes."""
    time_s: float | None = None
    shows: bool = False
    """With it the face is whole."""


class Listener:
    """All that one sender has said so far; `take` gives a face when it says Apply."""

    def __init__(self) -> None:
        self._weights = np.zeros(len(ARKIT_NAMES), np.float32)
        self._turns: dict[str, Turn] = {}
        self._time_s: float | None = None
        self._order = Order()

    def take(self, packet: bytes, now_s: float) -> Face | None:
        """Raises Refused for what is no OSC, and for numbers that are none; then nothing has changed, as for what is older."""
        said = read(packet)
        if said.time_s is not None:
            time_s = self._order.step(said.time_s, now_s)
            if time_s is None:
                return None
            self._time_s = time_s
        self._turns |= said.turns
        for at, weight in said.weights.items():
            self._weights[at] = weight
        return self._face(now_s) if said.shows else None

    def _face(self, now_s: float) -> Face:
        """A neck's turn is part of the head's: an avatar's face has no other use for it."""
        head, neck, left, right = (self._turns.get(bone, REST) for bone in _BONES)
        return Face(
            now_s if self._time_s is None else self._time_s, self._weights.copy(), _times(neck, head), left, right
        )


def read(packet: bytes) -> Said:
    """Raises Refused for what is no OSC, and for numbers that are none. Messages of another form are passed over."""
    said = Said()
    for address, told in messages(packet):
        match address, told:
            case "/VMC/Ext/Blend/Val", [str(name), float() | int() as weight, *_]:
                weight = min(max(_finite(weight), 0.0), 1.0)
                if (at := _INDEX.get(name.lower())) is not None:
                    said.weights[at] = weight
            case "/VMC/Ext/Bone/Pos", [str(name), *numbers] if (bone := name.lower()) in _BONES:
                if turn := _turn(numbers):
                    said.turns[bone] = turn
            case "/VMC/Ext/T", [float() | int() as time_s, *_]:
                said.time_s = _finite(time_s)
            case "/VMC/Ext/Blend/Apply", _:
                said.shows = True
            case _:
                pass
    return said


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
    address, at = _string(data, 0, _ADDRESS_BYTES)
    if not address.isascii():
        raise Refused("an address that is none")
    if at >= len(data):
        return address, []
    tags, at = _string(data, at, 1 + _MOST_ARGUMENTS)
    if tags[:1] != ",":
        raise Refused("no type tags")
    told: list[object] = []
    for tag in tags[1:]:
        if layout := _SIZES.get(tag):
            if at + struct.calcsize(layout) > len(data):
                raise Refused("arguments that are cut")
            told.append(struct.unpack_from(layout, data, at)[0])
            at += struct.calcsize(layout)
        elif tag in "sS":
            text, at = _string(data, at, len(data))
            told.append(text)
        elif tag == "b":
            at = _after_blob(data, at)
            told.append(None)
        elif tag in _BARE:
            told.append(_BARE[tag])
        elif tag not in "[]":
            raise Refused("a type that nobody knows")
    return address, told


def _string(data: bytes, at: int, most: int) -> tuple[str, int]:
    end = data.find(b"\0", at)
    after = end + 4 - (end - at) % 4
    if end < 0 or after > len(data) or end - at > most:
        raise Refused("a string that does not end")
    return data[at:end].decode("utf-8", "replace"), after


def _after_blob(data: bytes, at: int) -> int:
    """Its size, so many bytes, and up to three more to a multiple of four: none of ours, but others' messages have them."""
    size = struct.unpack_from(">i", data, at)[0] if at + 4 <= len(data) else -1
    after = at + 4 + (size + 3) // 4 * 4
    if size < 0 or after > len(data):
        raise Refused("a blob that does not end")
    return after


def _turn(told: list[object]) -> Turn | None:
    """Of position and quaternion xyzw in Unity's axes; None for anything else. Raises Refused for numbers that are none."""
    numbers = [_finite(number) for number in told[:7] if isinstance(number, float | int)]
    if len(numbers) < 7:
        return None
    x, y, z, w = numbers[3:]
    length = math.hypot(x, y, z, w)
    if not _UNIT[0] < length < _UNIT[1]:
        return None
    # Unity's axes are left-handed: mirroring x keeps w and x of a rotation and turns y and z over.
    return w / length, x / length, -y / length, -z / length


def _times(a: Turn, b: Turn) -> Turn:
    """The rotation a * b: b first."""
    (aw, ax, ay, az), (bw, bx, by, bz) = a, b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise Refused("a number that is none")
    return float(value)
