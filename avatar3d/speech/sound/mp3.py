"""MP3, walked frame by frame before any decoder sees it (ISO 11172-3 2.4.2.3, 13818-3).

An MP3 has no length of its own, only what its encoder noted in a first frame (Xing, Info). mpg123 believes the note,
reads no further than that, and guesses when there is none; so the decoder gets a note with what was really counted.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from typing import Final

from avatar3d.speech.sound.file import bytes_at, file_bytes
from avatar3d.speech.sound.source import check_header, check_length, corrupt, rate_changes

_RATES_HZ: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""By the two bits of the version: MPEG 1, 2 and 2.5."""
_KBIT_1: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBIT_2: Final = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAME: Final = 0x180C
"""Bits of a frame's second and third byte that stay the same: version and rate."""
_MONO: Final = 3
_WINDOW_BYTES: Final = 1 << 20
_JUNK_BYTES: Final = 1 << 16
"""How far from the start the first frame may lie, pictures in tags aside."""
_MOST_TRIES: Final = 200_000
"""Places that could be a frame and are none: about a second of work."""


def _sizes() -> dict[int, int]:
    """Bytes of a Layer III frame by its second and third byte; what is not in here is none."""
    sizes = dict[int, int]()
    for version, rates in _RATES_HZ.items():
        for bit_rate, kbit in enumerate(_KBIT_1 if version == 3 else _KBIT_2, 1):
            for rate, rate_hz in enumerate(rates):
                for rest in range(8):  # unprotected, padded, private
                    second = 0xE0 | version << 3 | 1 << 1 | rest >> 2
                    third = bit_rate << 4 | rate << 2 | rest & 3
                    padded = rest >> 1 & 1
                    sizes[second << 8 | third] = (144 if version == 3 else 72) * kbit * 1000 // rate_hz + padded
    return sizes


_SIZES: Final = _sizes()


@dataclass(frozen=True)
class Mp3:
    """What the frames say."""

    rate_hz: int
    channels: int
    frames: int
    """Samples of a channel."""
    note: bytes
    """A first frame for the decoder, with the counted length."""
    start: int
    """Where the first frame of sound lies."""
    end: int
    cut: str


def walk_mp3(file: FileIO, start: int) -> Mp3 | None:
    """Read every frame's head from there on; None when this is no MP3.

    Raises UnreadableError (10) when the rate or the channels change on the way.
    """
    length, count = file_bytes(file), 0
    first, begin, end, whole = b"", start, start, True
    for at, head in _heads(file, start):
        if not first:
            first, begin = head, at
        seconds = count * _samples(first) / _rate_hz(first)
        if _kind(head) != _kind(first):
            raise rate_changes(f"its rate or its number of channels changes after {seconds:.1f} seconds")
        check_length(seconds)
        whole = at + _size(head) <= length
        end, count = (at + _size(head), count + 1) if whole else (at, count)
    if not first or not count:
        return None
    opening = bytes_at(file, begin, _size(first))
    note = _note_at(opening)
    if note:  # it is no sound
        begin, count = begin + len(opening), count - 1
    samples, rate_hz, channels = _samples(first), _rate_hz(first), 1 if first[3] >> 6 == _MONO else 2
    check_header(rate_hz, channels, count * samples)
    noted = _noted_frames(opening, note) if note else None
    lasts_s = count * samples / rate_hz
    cut = "" if whole else f"in the middle of the sound, after {lasts_s:.1f} seconds"
    if noted is not None and noted > count + 1:
        cut = f"after {lasts_s:.1f} of {noted * samples / rate_hz:.1f} seconds"
    told = _new_note(first, count, end - begin) if noted is None else _mended_note(opening, note, count, end - begin)
    return Mp3(rate_hz, channels, count * samples, told, begin, end, cut)


def id3_bytes(head: bytes) -> int:
    """Length of the ID3v2 tag that these ten bytes begin; 0 when they begin none (ID3v2.4, section 3.1)."""
    if len(head) < 10 or head[:3] != b"ID3" or any(byte > 0x7F for byte in head[6:10]):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _heads(file: FileIO, start: int) -> Iterator[tuple[int, bytes]]:
    """Where each frame lies, with its first four bytes; the last one may break off."""
    length = file_bytes(file)
    at, base, window = start, start, b""
    kind, in_step, tries = -1, False, 0
    while at + 4 <= length:
        if at + 10 > base + len(window):
            base, window = at, bytes_at(file, at, _WINDOW_BYTES)
        head = window[at - base : at - base + 4]
        if len(head) < 4:  # the file became shorter meanwhile
            return
        size = _size(head)
        if size and ((in_step and _kind(head) == kind) or _followed(file, at, head, first=kind < 0)):
            kind, in_step = _kind(head), True
            yield at, head
            at += size
            continue
        tag = id3_bytes(window[at - base : at - base + 10])
        tries += 1
        if kind < 0 and at - start > _JUNK_BYTES:
            return
        if tries > _MOST_TRIES:
            raise corrupt("it is an MP3 with more in it that is no sound than sound")
        if tag:
            at, start = at + tag, max(start, at + tag) if kind < 0 else start
            continue
        in_step = False
        found = window.find(b"\xff", at - base + 1)
        at = base + (found if found >= 0 else len(window))


def _followed(file: FileIO, at: int, head: bytes, *, first: bool) -> bool:
    """Whether three more of its kind follow, or fewer up to the end: what only looks like a frame stands alone."""
    kind, length = _kind(head), file_bytes(file)
    for _ in range(3):
        at += _size(head)
        head = bytes_at(file, at, 4)
        if at == length or head[:3] in (b"TAG", b"ID3", b"APE"):
            return True
        if at + 4 > length:
            return first
        if not _size(head) or _kind(head) != kind:
            return False
    return True


def _size(head: bytes) -> int:
    """Bytes of the frame; 0 when it is none."""
    return _SIZES.get(head[1] << 8 | head[2], 0) if head[0] == 0xFF else 0


def _kind(head: bytes) -> int:
    """What all frames of a recording share: version, rate, and whether there is one channel."""
    return (head[1] << 8 | head[2]) & _SAME | (head[3] >> 6 == _MONO)


def _rate_hz(head: bytes) -> int:
    return _RATES_HZ[head[1] >> 3 & 3][head[2] >> 2 & 3]


def _samples(head: bytes) -> int:
    """Of a channel in one frame."""
    return 1152 if head[1] >> 3 & 3 == 3 else 576


def _after_side_info(head: bytes) -> int:
    """Where the encoder's note begins in a frame."""
    mono = head[3] >> 6 == _MONO
    return 4 + ((17 if mono else 32) if head[1] >> 3 & 3 == 3 else (9 if mono else 17))


def _note_at(frame: bytes) -> int:
    """Where the note stands in the first frame; 0 when this frame is sound."""
    at = _after_side_info(frame)
    for place, words in ((at, (b"Xing", b"Info")), (at + 2, (b"Xing", b"Info")), (36, (b"VBRI",))):
        if frame[place : place + 4] in words:
            return place
    return 0


def _noted_frames(frame: bytes, at: int) -> int | None:
    """The length in a note that can be mended: one that has room for frames and bytes."""
    if frame[at : at + 4] == b"VBRI" or len(frame) < at + 16 or frame[at + 7] & 3 != 3:
        return None
    return struct.unpack_from(">I", frame, at + 8)[0] or None


def _mended_note(frame: bytes, at: int, count: int, sound_bytes: int) -> bytes:
    """The encoder's note with the length that was counted; what it says of padding at the start is kept."""
    note = bytearray(frame)
    changed = struct.unpack_from(">I", frame, at + 8)[0] != count
    struct.pack_into(">II", note, at + 8, count, len(frame) + sound_bytes)
    lame = at + 16 + (100 if frame[at + 7] & 4 else 0) + (4 if frame[at + 7] & 8 else 0)
    if changed and len(note) >= lame + 24:  # LAME's 12 bits each of padding before and after; nothing follows a cut
        note[lame + 22] &= 0xF0
        note[lame + 23] = 0
    return bytes(note)


def _new_note(first: bytes, count: int, sound_bytes: int) -> bytes:
    head = bytes([0xFF, first[1] | 1, 9 << 4 | first[2] & 0x0C, first[3]])
    size = _size(head)
    fields = struct.pack(">4sIII", b"Xing", 3, count, size + sound_bytes)
    return (head + bytes(_after_side_info(head) - 4) + fields).ljust(size, b"\0")
