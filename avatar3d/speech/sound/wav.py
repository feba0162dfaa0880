"""WAV, RF64 and W64, read by us alone: the header is a few numbers, and the samples are numbers already.

No library sees these files, so a header that lies about its coding or its lengths has nothing to overflow.
RIFF and `fmt `: Microsoft, "Multimedia Programming Interface and Data Specifications" and WAVEFORMATEXTENSIBLE;
`ds64`: EBU Tech 3306; W64: Sony, "Sonic Foundry Wave-64 file format".
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import FileIO
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.speech.sound.file import bytes_at, file_bytes
from avatar3d.speech.sound.source import Blocks, SoundSource, check_header, corrupt, empty, nonfinite, unsupported

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_OTHER_CODINGS: Final = {2: "ADPCM", 6: "A-law", 7: "mu-law", 0x11: "IMA ADPCM", 0x31: "GSM", 0x55: "MP3"}
_SUBFORMAT: Final = bytes.fromhex("0000 0000 1000 8000 00aa 0038 9b71")
"""KSDATAFORMAT_SUBTYPE_*, after its two bytes of tag."""
_W64_FILE: Final = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
_W64_PART: Final = bytes.fromhex("f3acd3118cd100c04f8edb8a")
"""What follows the four letters in the name of a W64 chunk."""
_W64_HEAD_BYTES: Final = 24
_MOST_CHUNKS: Final = 4096
_LOOK_THROUGH_FRAMES: Final = 1 << 16


@dataclass(frozen=True)
class _Body:
    """Where the samples lie."""

    start: int
    size: int
    unknown: bool
    """Whether the size was never filled in: written to a pipe by ffmpeg, sox or arecord, or by a recorder that crashed."""


@dataclass(frozen=True)
class _Coding:
    """How one sample lies in the file."""

    floating: bool
    bytes: int


def open_wav(file: FileIO) -> SoundSource:
    """The sound of a WAV, RF64, BW64 or W64 file. Raises as check_header, and for codings that are not plain numbers."""
    layout, body = _w64_parts(file) if bytes_at(file, 0, 4) == b"riff" else _riff_parts(file)
    if layout is None:
        raise corrupt("the WAV header breaks off or does not say how the samples are stored")
    coding, channels, rate_hz = _coding(layout)
    if body is None:
        raise empty()
    check_header(rate_hz, channels, None)
    frame_bytes = coding.bytes * channels
    there = max(0, file_bytes(file) - body.start)
    promised, frames = body.size // frame_bytes, min(body.size, there) // frame_bytes
    if body.unknown and body.size != there:
        promised = frames = there // frame_bytes
    check_header(rate_hz, channels, frames)
    cut = f"after {frames / rate_hz:.1f} of {promised / rate_hz:.1f} seconds" if frames < promised else ""

    def blocks(count: int) -> Blocks:
        for first in range(0, frames, count):
            wanted = min(count, frames - first)
            raw = bytes_at(file, body.start + first * frame_bytes, wanted * frame_bytes)
            yield _decoded(raw[: len(raw) // frame_bytes * frame_bytes], coding).reshape(-1, channels)

    peak = _peak(blocks, rate_hz) if coding.floating else 1.0
    return SoundSource(rate_hz, channels, frames, blocks, cut=cut, peak=peak)


def _riff_parts(file: FileIO) -> tuple[bytes | None, _Body | None]:
    """The bytes of `fmt `, and where the samples are."""
    layout: bytes | None = None
    long_size: int | None = None
    at = 12
    for _ in range(_MOST_CHUNKS):
        head = bytes_at(file, at, 8)
        if len(head) < 8:
            return layout, None
        name, size = struct.unpack("<4sI", head)
        if name == b"data":
            if size == 0xFFFFFFFF and long_size is not None:
                return layout, _Body(at + 8, long_size, long_size == 0 or long_size >= 1 << 63)
            return layout, _Body(at + 8, size, _never_filled_in(file, at + 8, size))
        if name == b"ds64":
            sizes = bytes_at(file, at + 8, 16)
            long_size = struct.unpack("<QQ", sizes)[1] if len(sizes) == 16 else None
        if name == b"fmt ":
            layout = bytes_at(file, at + 8, min(size, 40))
        at += 8 + size + size % 2
    raise corrupt(f"the WAV header has more than {_MOST_CHUNKS:,} parts")


def _never_filled_in(file: FileIO, start: int, size: int) -> bool:
    if size == 0:  # a finished file without samples knows its own length
        return struct.unpack("<I", bytes_at(file, 4, 4))[0] + 8 < file_bytes(file)
    if size == 0xFFFFFFFF:  # no true size, since that of the whole file would not fit
        return True
    return start + size > file_bytes(file) and (size >= 0xFFFFFF00 or 0x7FFFF000 <= size <= 0x7FFFFFFF)


def _w64_parts(file: FileIO) -> tuple[bytes | None, _Body | None]:
    """The same of a W64 file, whose names have 16 bytes and whose lengths 8, their own head included."""
    layout: bytes | None = None
    at = 40
    for _ in range(_MOST_CHUNKS):
        head = bytes_at(file, at, _W64_HEAD_BYTES)
        if len(head) < _W64_HEAD_BYTES or head[4:16] != _W64_PART:
            return layout, None
        name, size = head[:4], struct.unpack("<Q", head[16:])[0] - _W64_HEAD_BYTES
        if name == b"data":
            return layout, _Body(at + _W64_HEAD_BYTES, max(0, size), size < 0 or size >= 1 << 62)
        if size < 0:
            return layout, None
        if name == b"fmt ":
            layout = bytes_at(file, at + _W64_HEAD_BYTES, min(size, 40))
        at += _W64_HEAD_BYTES + (size + 7) // 8 * 8
    raise corrupt(f"the W64 header has more than {_MOST_CHUNKS:,} parts")


def is_wav(head: bytes) -> bool:
    """Whether these first 40 bytes announce one of them."""
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        return head[8:12] == b"WAVE"
    return head[:16] == _W64_FILE and head[24:40] == b"wave" + _W64_PART


def _coding(layout: bytes) -> tuple[_Coding, int, int]:
    """How samples are stored, how many channels, how many frames per second."""
    if len(layout) < 16:
        raise corrupt("the WAV header breaks off")
    tag, channels, rate_hz, _, frame_bytes, bits = struct.unpack("<HHIIHH", layout[:16])
    if tag == _EXTENSIBLE and len(layout) == 40:
        tag = struct.unpack("<H", layout[24:26])[0] if layout[26:] == _SUBFORMAT else tag
    if tag not in (_PCM, _FLOAT):
        raise unsupported(f"its samples are coded as {_OTHER_CODINGS.get(tag, 'something rare')} (WAV tag 0x{tag:04X})")
    check_header(rate_hz, channels, None)
    wide = (bits + 7) // 8
    if frame_bytes != wide * channels:
        raise corrupt(f"{channels} channels of {bits} bits do not make the {frame_bytes} bytes that its header says")
    if wide not in ((4, 8) if tag == _FLOAT else (1, 2, 3, 4)):
        raise unsupported(f"its samples have {bits} bits")
    return _Coding(tag == _FLOAT, wide), channels, rate_hz


def _decoded(raw: bytes, coding: _Coding) -> Float32[np.ndarray, "N"]:
    """Samples as floats, full scale at 1."""
    if coding.floating:
        with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, and is refused as such
            return np.frombuffer(raw, f"<f{coding.bytes}").astype(np.float32)
    if coding.bytes == 1:
        return (np.frombuffer(raw, np.uint8).astype(np.float32) - 128) / 128
    if coding.bytes == 3:
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        return wide.view("<i4")[:, 0].astype(np.float32) / np.float32(2**31)
    whole = np.frombuffer(raw, f"<i{coding.bytes}").astype(np.float32)
    return whole / np.float32(2 ** (8 * coding.bytes - 1))


def _peak(blocks: Callable[[int], Blocks], rate_hz: int) -> float:
    """The largest value of a file of floats, which is read once for it: a level must hold for the whole sound."""
    peak, at = 0.0, 0
    for block in blocks(_LOOK_THROUGH_FRAMES):
        highest = float(np.abs(block).max(initial=0))
        if not np.isfinite(highest):
            raise nonfinite((at + int(np.argmin(np.isfinite(block).all(1)))) / rate_hz)
        peak, at = max(peak, highest), at + len(block)
    return peak
