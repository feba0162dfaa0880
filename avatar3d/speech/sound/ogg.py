"""Ogg (Vorbis, Opus), walked page by page before any decoder sees it (RFC 3533).

libsndfile reads the first recording of a file, silently without the rest, and guesses at what was cut: what the pages
say is believed instead.
"""

import struct
from dataclasses import dataclass
from io import FileIO
from typing import Final

from avatar3d.core.errors import LimitError
from avatar3d.speech.sound.file import bytes_at, file_bytes
from avatar3d.speech.sound.source import (
    COPY_AGAIN,
    MAX_HOURS,
    check_header,
    corrupt,
    rate_changes,
    truncated,
    unsupported,
)

_HEAD: Final = struct.Struct("<4sBBqIIIB")
_FIRST, _LAST = 2, 4
"""Flags of a recording's first and last page."""
_MOST_PAGES: Final = MAX_HOURS * 3600 * 100
"""Encoders write 1 to 50 a second."""


@dataclass(frozen=True)
class Ogg:
    """What the pages say."""

    rate_hz: int
    channels: int
    ended: bool
    """Whether the last page says that it is the last."""


def walk_ogg(file: FileIO) -> Ogg:
    """Read every page's head. Raises UnreadableError (10) for a file that breaks off or holds several recordings."""
    length, at, pages = file_bytes(file), 0, 0
    begun = ended = False
    while at < length and not (ended and bytes_at(file, at, 4) != b"OggS"):  # what stands behind the end is a tag
        head = bytes_at(file, at, _HEAD.size + 255)
        if len(head) < _HEAD.size or head[:4] != b"OggS":
            raise _broken(at, length)
        _, version, flags, _, _, _, _, segments = _HEAD.unpack_from(head)
        lacing = head[_HEAD.size : _HEAD.size + segments]
        size = _HEAD.size + segments + sum(lacing)
        if version != 0 or len(lacing) < segments or at + size > length:
            raise _broken(at, length)
        if flags & _FIRST and pages:
            if begun:
                raise rate_changes("it holds several recordings one after the other")
            raise unsupported("it holds several tracks at once (Ogg), as videos do")
        begun = begun or not flags & _FIRST
        ended = ended or bool(flags & _LAST)
        at, pages = at + size, pages + 1
        if pages > _MOST_PAGES:
            raise LimitError(
                f"it lasts more than {MAX_HOURS} hours.", hint="Cut it into shorter files.", id="AUDIO_TOO_LONG"
            )
    rate_hz, channels = _announced(file)
    return Ogg(rate_hz, channels, ended)


def _announced(file: FileIO) -> tuple[int, int]:
    """Rate and channels in the first packet: Vorbis I 4.2.2, RFC 7845 5.1."""
    segments = bytes_at(file, _HEAD.size - 1, 1)[0]
    packet = bytes_at(file, _HEAD.size + segments, 19)
    if packet.startswith(b"\x01vorbis") and len(packet) >= 16:
        channels, rate_hz = struct.unpack_from("<BI", packet, 11)
    elif packet.startswith(b"OpusHead") and len(packet) >= 16:
        channels, rate_hz = packet[9], 48_000  # the rate that stands there is that of the microphone, for information
    else:
        raise unsupported("it is an Ogg file of another kind than Vorbis and Opus")
    check_header(rate_hz, channels, None)
    return rate_hz, channels


def _broken(at: int, length: int):
    if at == 0:
        return corrupt("the first page of this Ogg file is broken")
    return truncated(f"or is damaged after {at:,} of its {length:,} bytes", COPY_AGAIN)
