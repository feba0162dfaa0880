r"""Open Sound Control 1.0 (opensoundcontrol.stanford.edu/spec-1_0.html), as much of it as faces need, with limits.

    message   address, ",tags", arguments: strings end in 1 to 4 zeros, everything in steps of 4 bytes, big-endian
    bundle    "#bundle\0", 8 bytes of time (1: now), then elements: 4 bytes of size, message or bundle

What is read is somebody else's: whatever it is, `decode` gives messages or raises InputError, in bounded time.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from avatar3d.core.errors import InputError, LimitError
from avatar3d.live.dialects.dialect import DATAGRAM_BYTES, malformed

Argument = int | float | str | bytes | bool | None

PACKET_BYTES: Final = 16_384
DEPTH: Final = 8
MESSAGES: Final = 512
ARGUMENTS: Final = 64
ADDRESS_BYTES: Final = 256
"""A packet of a whole VMC body with all its bones has 130 messages and 10 KiB, in one bundle."""

_BUNDLE: Final = b"#bundle\0"
_NOW: Final = (1).to_bytes(8, "big")
_FIXED: Final = {"i": struct.Struct(">i"), "f": struct.Struct(">f"), "h": struct.Struct(">q"), "d": struct.Struct(">d"),
                 "t": struct.Struct(">Q"), "c": struct.Struct(">i"), "r": struct.Struct(">I"), "m": struct.Struct(">I")}  # fmt: skip
_BARE: Final[dict[str, Argument]] = {"T": True, "F": False, "N": None, "I": None}
_SIZE: Final = struct.Struct(">i")
_FLOATS: Final = tuple(struct.Struct(f">{count}f") for count in range(9))


@dataclass(frozen=True)
class Message:
    """One thing said to one address."""

    address: str
    arguments: tuple[Argument, ...]
    """By type tag: i h c r m t int, f d float, s S str, b bytes, T F bool, N I None. Arrays are flat."""


def encode(address: str, *arguments: int | float | str | bool) -> bytes:
    """One message; floats and ints of 32 bits."""
    tags, data = ",", b""
    for argument in arguments:
        if isinstance(argument, bool):
            tags += "T" if argument else "F"
        elif isinstance(argument, int):
            tags, data = tags + "i", data + _FIXED["i"].pack(argument)
        elif isinstance(argument, float):
            tags, data = tags + "f", data + _FIXED["f"].pack(argument)
        else:
            tags, data = tags + "s", data + _string(argument)
    return _string(address) + _string(tags) + data


def head(address: str, floats: int, *names: str) -> bytes:
    """A message up to its floats, which come last: what never changes of it."""
    return _string(address) + _string("," + "s" * len(names) + "f" * floats) + b"".join(map(_string, names))


def with_floats(head: bytes, *values: float) -> bytes:
    """The message of a head: its floats behind it, at most eight."""
    return head + _FLOATS[len(values)].pack(*values)


def bundles(messages: Iterable[bytes], *, first: bytes = b"", limit: int = DATAGRAM_BYTES) -> list[bytes]:
    """Encoded messages in as few bundles as their order allows, none larger than the limit, each beginning with `first`."""
    begin = _BUNDLE + _NOW + (_SIZE.pack(len(first)) + first if first else b"")
    packets, packet = [], begin
    for message in messages:
        if len(packet) + 4 + len(message) > limit and len(packet) > len(begin):
            packets.append(packet)
            packet = begin
        packet += _SIZE.pack(len(message)) + message
    return [*packets, packet]


def decode(packet: bytes) -> list[Message]:
    """The messages of a packet in their order, bundles opened, times left out. Raises InputError and nothing else."""
    if len(packet) > PACKET_BYTES:
        raise _too_much(f"{len(packet):,} bytes, the limit is {PACKET_BYTES:,}")
    messages: list[Message] = []
    waiting = [(0, len(packet), 0)]
    while waiting:
        begin, end, depth = waiting.pop()
        if packet[begin : begin + 8] == _BUNDLE:
            if depth >= DEPTH:
                raise _too_much(f"bundles {DEPTH} deep")
            waiting += reversed([(*element, depth + 1) for element in _elements(packet, begin + 16, end)])
        else:
            messages.append(_message(packet[begin:end]))
        if len(messages) + len(waiting) > MESSAGES:
            raise _too_much(f"{MESSAGES} messages")
    return messages


def _elements(packet: bytes, at: int, end: int) -> list[tuple[int, int]]:
    """Where a bundle's elements begin and end."""
    if at > end:
        raise malformed("OSC", "a bundle ends in its time")
    elements: list[tuple[int, int]] = []
    while at < end:
        size = _SIZE.unpack_from(packet, at)[0] if at + 4 <= end else -1
        if size <= 0 or size % 4 or at + 4 + size > end:
            raise malformed("OSC", "an element of a bundle has a wrong size")
        elements.append((at + 4, at + 4 + size))
        at += 4 + size
        if len(elements) > MESSAGES:
            raise _too_much(f"{MESSAGES} messages")
    return elements


def _message(data: bytes) -> Message:
    if data[:1] != b"/":
        raise malformed("OSC", "no address")
    address, at = _read_string(data, 0, ADDRESS_BYTES)
    if not address.isascii():
        raise malformed("OSC", "the address is not ASCII")
    if at >= len(data):  # older senders leave the tags out where there are no arguments
        return Message(address, ())
    tags, at = _read_string(data, at, ARGUMENTS + 1)
    if tags[:1] != ",":
        raise malformed("OSC", "no type tags")
    arguments: list[Argument] = []
    for tag in tags[1:]:
        if tag in _FIXED:
            layout = _FIXED[tag]
            if at + layout.size > len(data):
                raise malformed("OSC", "it ends within its arguments")
            arguments.append(layout.unpack_from(data, at)[0])
            at += layout.size
        elif tag in "sS":
            text, at = _read_string(data, at, len(data))
            arguments.append(text)
        elif tag == "b":
            blob, at = _read_blob(data, at)
            arguments.append(blob)
        elif tag in _BARE:
            arguments.append(_BARE[tag])
        elif tag not in "[]":
            raise malformed("OSC", "a type tag is not known")
    return Message(address, tuple(arguments))


def _read_string(data: bytes, at: int, limit: int) -> tuple[str, int]:
    """A string and where the next thing begins. Other than the standard says it may be UTF-8; what is not is replaced."""
    end = data.find(b"\0", at)
    if end < 0 or (after := end + 4 - (end - at) % 4) > len(data):
        raise malformed("OSC", "a string does not end")
    if end - at > limit:
        raise _too_much(f"a string of {end - at} bytes")
    return data[at:end].decode("utf-8", errors="replace"), after


def _read_blob(data: bytes, at: int) -> tuple[bytes, int]:
    size = _SIZE.unpack_from(data, at)[0] if at + 4 <= len(data) else -1
    after = at + 4 + (size + 3) // 4 * 4
    if size < 0 or after > len(data):
        raise malformed("OSC", "a blob does not end")
    return data[at + 4 : at + 4 + size], after


def _string(text: str) -> bytes:
    data = text.encode()
    assert b"\0" not in data
    return data + bytes(4 - len(data) % 4)


def _too_much(what: str) -> InputError:
    return LimitError(
        f"the OSC packet is too large: {what}.", hint="Send a face in packets of 1,200 bytes.", id="DATAGRAM_LIMIT"
    )
