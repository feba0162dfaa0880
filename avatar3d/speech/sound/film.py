"""The sound of a film, or of an M4A or WebM, by PyAV (extra `video`): on the film's own clock, so that lips meet it."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import FileIO
from itertools import islice
from typing import Any, Final

import numpy as np

from avatar3d.core.errors import AudioUnusableError, MissingExtraError, UnreadableError, UnsupportedFormatError
from avatar3d.render.av import require_av
from avatar3d.speech.sound.file import file_bytes, region
from avatar3d.speech.sound.source import (
    COPY_AGAIN,
    Blocks,
    BrokenOffError,
    SoundSource,
    check_header,
    check_length,
    corrupt,
    even,
    rate_changes,
    unsupported,
)

_CODECS: Final = ("aac", "mp3", "opus", "vorbis", "flac", "alac", "ac3", "eac3", "pcm_s16le", "pcm_s16be", "pcm_s24le",
                  "pcm_s24be", "pcm_s32le", "pcm_f32le", "pcm_f32be")  # fmt: skip
_DECODERS: Final = (*_CODECS, "mp3float", "libopus")
"""libav's names of what decodes them."""
_MOV_ATOMS: Final = (b"moov", b"mdat", b"wide", b"free", b"skip")
"""With what a MOV without `ftyp` begins."""
_PICTURES: Final = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"crx ")
"""Brands of the same family that hold no sound."""
_GAP_S: Final = 0.05
"""From here on a hole between two packets is silence; less is rounding."""
_SLACK_S: Final = 0.5
"""Sound may end a little before the pictures."""
_MICROSECOND: Final = 1e-6
_FIRST_PACKETS: Final = 64
"""By then every track has begun, or begins late."""


def film_container(head: bytes) -> str:
    """libav's name of the container these first bytes announce: MP4, M4A, MOV; WebM, MKV; "" when it is neither."""
    if (head[4:8] == b"ftyp" and head[8:12] not in _PICTURES) or head[4:8] in _MOV_ATOMS:
        return "mov"
    return "matroska" if head.startswith(b"\x1a\x45\xdf\xa3") else ""


def open_film(file: FileIO, container: str) -> SoundSource:
    """The first sound track. Raises UnsupportedFormatError (11) without PyAV or for another coding, UnreadableError (10)."""
    try:
        require_av()
    except MissingExtraError:
        raise UnsupportedFormatError(
            "the sound of an MP4, M4A, MOV or WebM file needs an optional package.",
            hint='Install it with: pip install "avatar3d[video]", or save the sound as WAV.',
            id="AUDIO_VIDEO_EXTRA",
        ) from None
    with _opened(file, container) as film:
        begins_s = _begins_s(film)
    with _opened(file, container) as film:
        track = _track(film)
        told_s = float(track.duration * track.time_base) if track.duration else (film.duration or 0) * _MICROSECOND
        try:
            first = next(_decoded(film, track), None)
        except BrokenOffError:
            first = None
        if first is None:
            raise corrupt("its sound track holds nothing that can be decoded")
        rate_hz, channels = first.sample_rate, first.layout.nb_channels
    check_header(rate_hz, channels, None)
    check_length(told_s)

    def blocks(count: int) -> Blocks:
        with _opened(file, container) as again:
            yield from even(_pieces(again, _track(again), rate_hz, channels, begins_s), count)

    frames = round(told_s * rate_hz) if told_s > 0 else None
    return SoundSource(rate_hz, channels, frames, blocks, slack_s=_SLACK_S)


@contextmanager
def _opened(file: FileIO, container: str) -> Generator[Any, None, None]:
    """PyAV's container, with no way to another file."""
    av = require_av()
    try:
        allowed = {"codec_whitelist": ",".join(_DECODERS)}
        film = av.open(
            region(file, 0, file_bytes(file)), "r", format=container, options=allowed, metadata_errors="replace"
        )
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableError(
            f"it cannot be read ({reason}); it may be cut off.", hint=COPY_AGAIN, id="AUDIO_CORRUPT"
        ) from None
    with film:
        yield film


def _track(film: Any) -> Any:
    """The first track of sound that can be decoded."""
    tracks = [track for track in film.streams.audio if track.time_base and track.codec_context]
    names = [track.codec_context.codec.canonical_name for track in tracks]
    for track, name in zip(tracks, names, strict=True):
        if name in _CODECS:
            return track
    if names:
        raise unsupported(f"its sound is {', '.join(names)}, which is not decoded here")
    raise AudioUnusableError("it has no sound track.", hint="Give a file with sound.", id="AUDIO_EMPTY")


def _decoded(film: Any, track: Any) -> Iterator[Any]:
    """Every packet's frames, in order; by one thread, so that damage sounds the same twice."""
    av = require_av()
    track.codec_context.thread_count = 1
    try:
        for packet in film.demux(track):
            yield from packet.decode()
    except (av.FFmpegError, ValueError):
        raise BrokenOffError from None


def _begins_s(film: Any) -> float:
    """When the first of all its tracks begins, on the film's clock; before 0 stands what decoders warm up with.

    libav tells it only of films whose pictures it may decode, which nobody needs here.
    """
    av, begins_s = require_av(), list[float]()
    try:
        for packet in islice(film.demux(), _FIRST_PACKETS):
            if packet.pts is not None:
                begins_s.append(float(packet.pts * packet.time_base))
    except (av.FFmpegError, ValueError):
        pass  # it breaks off here
    return max(0.0, min(begins_s, default=0.0))


def _pieces(film: Any, track: Any, rate_hz: int, channels: int, begins_s: float) -> Blocks:
    """Samples as they come, silence where the film has none: before the sound begins, and in holes."""
    av = require_av()
    floats = av.AudioResampler(format="flt")
    at = 0
    for frame in _decoded(film, track):
        if (frame.sample_rate, frame.layout.nb_channels) != (rate_hz, channels):
            raise rate_changes(f"its rate or its number of channels changes after {at / rate_hz:.1f} seconds")
        gap_s = 0.0 if frame.time is None else frame.time - begins_s - at / rate_hz
        check_length(at / rate_hz + gap_s)
        missing = round(gap_s * rate_hz) if gap_s > _GAP_S else 0
        for first in range(0, missing, rate_hz):
            yield np.zeros((min(rate_hz, missing - first), channels), np.float32)
        at += missing
        for converted in floats.resample(frame):
            piece = converted.to_ndarray().reshape(-1, channels)
            at += len(piece)
            yield piece
