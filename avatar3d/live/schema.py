"""The bridge's protocol as facts: constants, binary layouts, JSON messages. wire.py speaks it; C# and TypeScript are made of it.

tools/generate_bindings.py reads this file and nothing else. How the pieces go together is told in docs/bridge.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

VERSION: Final = 1
"""Of the whole protocol; the first byte of a frame."""
SUBPROTOCOLS: Final = ("avatar3d.v1.binary", "avatar3d.v1.json")
"""A client asks for one of them when it opens the WebSocket; the first is meant when it asks for none."""

Scope = Literal["view", "drive", "admin"]
SCOPES: Final[tuple[Scope, ...]] = ("view", "drive", "admin")
"""See frames and hear sound; move the face; hand out and revoke tokens, stop the bridge. Each holds those before it."""

FACES: Final = 32
"""A bridge moves so many avatars at most: five bits of a packet's flags."""
ACK_EVERY: Final = 4
CREDIT: Final = 8
"""A client answers every ACK_EVERY ticks; one that owes more than CREDIT gets nothing, then the newest."""

Kind = Literal["u8", "u16", "u32", "f64", "f32", "i16"]
SIZES: Final[Mapping[Kind, int]] = MappingProxyType({"u8": 1, "u16": 2, "u32": 4, "f64": 8, "f32": 4, "i16": 2})


@dataclass(frozen=True)
class Field:
    """One field of a packet. All are little-endian, without gaps."""

    name: str
    kind: Kind
    count: int = 1
    """How many of them; 0: as many as there are to the end of the message."""


FRAME: Final = (
    Field("version", "u8"),
    Field("flags", "u8"),
    Field("n", "u16"),
    Field("seq", "u32"),
    Field("media_time_s", "f64"),
    Field("weights", "f32", 52),
    Field("head_wxyz", "f32", 4),
    Field("left_eye_wxyz", "f32", 4),
    Field("right_eye_wxyz", "f32", 4),
)
"""272 bytes. n is 52. seq counts the bridge's ticks: all faces of one tick share it."""
SOUND: Final = (
    Field("kind", "u8"),
    Field("flags", "u8"),
    Field("rate_hz", "u16"),
    Field("seq", "u32"),
    Field("media_time_s", "f64"),
    Field("samples", "i16", 0),
)
"""16 bytes, then mono PCM. media_time_s is that of the first sample; a client that pushes sound gives NaN: "next"."""
ACK: Final = (Field("kind", "u8"), Field("flags", "u8"), Field("n", "u16"), Field("seq", "u32"))
"""8 bytes from the client: everything up to seq has arrived."""

SOUND_KIND: Final = 0x61
ACK_KIND: Final = 0x6B

# Flags of frames and sound.
HELD: Final = 1
"""Frame: the source is silent or lost, and this is its last frame held, or on its way to neutral."""
JUMPED: Final = 2
"""Frame: do not blend with the one before (a new source, a panic)."""
LAST: Final = 1
"""Sound: the utterance ends with it."""
FACE_SHIFT: Final = 3
"""flags >> 3 is the number of the face."""

# Close codes of ours (RFC 6455 7.4.2: 4000 to 4999 are free).
CLOSE: Final[Mapping[str, int]] = MappingProxyType(
    {
        "NOT_IDENTIFIED": 4001,  # said something else first, or nothing for three seconds
        "VERSION": 4002,  # no version in common
        "TOKEN": 4003,  # unknown or revoked token, wrong pairing code
        "TOO_MANY_TRIES": 4004,  # too many wrong tokens from this address
        "MALFORMED": 4005,  # a message that is none of these
        "RATE": 4006,  # too many messages
        "TOO_SLOW": 4007,  # did not read for too long
        "STOPPING": 4008,  # the bridge ends
        "REVOKED": 4009,  # an admin took the token back
    }
)
RECONNECTS: Final = ("NOT_IDENTIFIED", "TOO_SLOW", "STOPPING")
"""After these, after 1001, 1006, 1011 and 1012 to 1014 a client comes back by itself; after the others a person must act."""

Type = Literal[
    "string", "number", "integer", "boolean", "strings", "integers", "number[3]", "number[4]", "number[52]", "faces",
    "clients",
]  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One entry of a JSON message."""

    name: str
    type: Type
    optional: bool = False


def _entries(text: str) -> tuple[Entry, ...]:
    """Entries written as name:type, or name?:type, in one line."""
    pairs = [word.split(":") for word in text.split()]
    return tuple(Entry(name.rstrip("?"), kind, name.endswith("?")) for name, kind in pairs)  # type: ignore[arg-type]


FROM_BRIDGE: Final[Mapping[str, tuple[Entry, ...]]] = MappingProxyType(
    {
        "hello": _entries("versions:integers server:string"),
        "identified": _entries(
            "version:integer client:string scopes:strings rate_hz:number ack_every:integer credit:integer "
            "media_time_s:number faces:faces panicking?:boolean token?:string"
        ),
        "frame": _entries(
            "seq:integer flags:integer media_time_s:number weights:number[52] head_wxyz:number[4] "
            "left_eye_wxyz:number[4] right_eye_wxyz:number[4]"
        ),
        "sound": _entries("flags:integer rate_hz:integer seq:integer media_time_s:number pcm16_base64:string"),
        "flush": _entries("face:integer media_time_s:number"),
        "clock": _entries("sent_s:number received_s:number media_time_s:number"),
        "event": _entries("name:string face?:integer text?:string"),
        "done": _entries("id?:integer token?:string clients?:clients"),
        "error": _entries("id?:integer error:string message:string hint:string"),
    }
)
"""Besides these entries every message has "type", its name here.

event: speech_started, speech_ended, speech_failed (text says why), source_lost, source_back, neutral (panic), resumed.
"""

TO_BRIDGE: Final[Mapping[str, tuple[Entry, ...]]] = MappingProxyType(
    {
        "identify": _entries(
            "version:integer token?:string pairing_code?:string name?:string frames?:boolean sound?:boolean faces?:integers"
        ),
        "ack": _entries("seq:integer"),
        "clock": _entries("sent_s:number"),
        "control": _entries(
            "id?:integer face?:integer emotion?:string intensity?:number gaze?:number[3] head_motion?:number "
            "style?:string gesture?:string interrupt?:boolean listener?:boolean"
        ),
        "say": _entries("id?:integer face?:integer text:string language?:string voice?:string"),
        "frame": _entries(
            "seq?:integer flags:integer media_time_s:number weights:number[52] head_wxyz:number[4] "
            "left_eye_wxyz:number[4] right_eye_wxyz:number[4]"
        ),
        "sound": _entries("flags:integer rate_hz:integer seq?:integer media_time_s?:number pcm16_base64:string"),
        "panic": _entries("id?:integer"),
        "resume": _entries("id?:integer"),
        "issue": _entries("id?:integer scopes:strings name?:string"),
        "revoke": _entries("id?:integer client:string"),
        "clients": _entries("id?:integer"),
        "stop": _entries("id?:integer"),
    }
)
"""What a client may say. face is 0 where it is left out; control's `listener: true` takes a gaze back to the listener."""

NEEDS: Final[Mapping[str, Scope]] = MappingProxyType(
    {
        "ack": "view", "clock": "view",
        "control": "drive", "say": "drive", "frame": "drive", "sound": "drive", "panic": "drive", "resume": "drive",
        "issue": "admin", "revoke": "admin", "clients": "admin", "stop": "admin",
    }
)  # fmt: skip
"""The scope each message needs, once identified."""

GESTURES: Final = ("nod", "shake", "tilt", "brows", "wink_left", "wink_right", "blink")


def size_of(layout: tuple[Field, ...]) -> int:
    """Bytes of a packet, without what has no fixed count."""
    return sum(SIZES[field.kind] * field.count for field in layout)


def scopes_within(scope: Scope) -> tuple[Scope, ...]:
    """A scope and those it holds."""
    return SCOPES[: SCOPES.index(scope) + 1]
