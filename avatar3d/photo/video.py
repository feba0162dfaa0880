"""The one place that opens videos: a file becomes a Reel, and a Reel upright sRGB stills; or an error that says why not.

path --size, first bytes--> bytes --container, codec, lengths--> Reel --decoded once, in order--> Still, Still, ...

Every limit stands before what it limits: the file's size before it is read, pictures and their sizes before the first
is decoded. Only containers and codecs that cameras write are opened, and those name no other file.
"""

import hashlib
import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import UInt8

from avatar3d.core.errors import InputError, LimitError, UnreadableError, UnsupportedFormatError
from avatar3d.core.files import shown_path
from avatar3d.photo.colour import from_hdr
from avatar3d.photo.container import HEAD_BYTES, VIDEO_OPENED, name_refused, sniff, sniff_video
from avatar3d.photo.file import first_bytes, read_file
from avatar3d.photo.load import WORKING_SIDE_PX
from avatar3d.render.av import require_av

MAX_FILE_BYTES: Final = 400_000_000
MAX_SECONDS: Final = 60.0
MAX_SIDE_PX: Final = 4096
MAX_DECODED_PIXELS: Final = 8_000_000_000
"""Of all pictures together: 60 s of full HD, 32 s of 4K at 30 Hz; half a minute of one core."""
_MAX_PICTURES: Final = 14_400
"""60 s of slow motion."""
CODECS: Final = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg", "prores")
_COVER: Final = 1 << 10
"""libav's mark of a track that is one picture for the whole file."""
_SUFFIXES: Final = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".wmv", ".flv", ".mpg", ".mpeg", ".mts", ".3gp")
_BROKEN_OFF_S: Final = 1.0
"""Sound may last a little longer than pictures; when more is missing, the file breaks off."""
_HDR: Final = {16: "pq", 18: "hlg"}
"""ITU-T H.273 numbers of transfer curves."""
_UNSPECIFIED, _LARGEST_SD_PX = 2, 576
"""A picture with more rows than those of standard definition is BT.709 when it does not say what it is."""
_HINT: Final = "Give an MP4, MOV, MKV or WebM video as a phone writes it, or photos."
_COPY: Final = "Copy the file again from the phone."
_TRIM: Final = "Trim it to the few seconds in which the head turns."


@dataclass(frozen=True)
class Video:
    """A video file of one person, whose best stills stand for photos."""

    path: Path


@dataclass(frozen=True, eq=False)
class Reel:
    """A video within the limits, not yet decoded."""

    name: str
    """File stem."""
    file: str
    """The file's name with its ending, without its folder; for messages."""
    data: bytes
    sha256: str
    container: str
    """libav's name of it."""
    ticks: tuple[int, ...]
    """When its pictures are shown, ascending, in units of `tick_s`."""
    tick_s: Fraction
    stretch: float = 1.0
    """How much wider than high a decoded pixel is."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Still:
    """One picture of a video, in the decoder's own form: a fraction of the memory, and converted only when wanted."""

    time_s: float
    """Since the first picture."""
    decoded: Any
    """PyAV's frame."""
    stretch: float = 1.0
    """How much wider than high a decoded pixel is."""

    def pixels(self, longest_px: int = WORKING_SIDE_PX) -> UInt8[np.ndarray, "H W 3"]:
        """Upright sRGB, its longer side at most so many pixels."""
        frame = self.decoded
        width, height = frame.width * self.stretch, float(frame.height)
        scale = min(1.0, longest_px / max(width, height))
        curve = _HDR.get(frame.color_trc)
        told = frame.colorspace != _UNSPECIFIED or frame.height <= _LARGEST_SD_PX
        shown = frame.to_ndarray(
            width=max(1, round(width * scale)),
            height=max(1, round(height * scale)),
            format="rgb48le" if curve else "rgb24",
            src_colorspace=None if told else "ITU709",
            interpolation="AREA",
        )
        upright = np.rot90(shown, round(frame.rotation / 90) % 4)
        return from_hdr(upright, curve) if curve else np.ascontiguousarray(upright)


def photo_or_video(path: Path) -> Path | Video:
    """A video where the file's first bytes say so, or its name when they say nothing; else the path itself."""
    head = first_bytes(path, HEAD_BYTES)
    known = sniff_video(head) is not None
    named = path.suffix.lower() in _SUFFIXES and sniff(head) is None and name_refused(head) is None
    return Video(path) if head and (known or named) else path


def load_video(path: Path) -> Reel:
    """Read a video file and measure it; nothing but its first picture is decoded.

    Raises UnreadableError (10), UnsupportedFormatError (11), LimitError (12); MissingExtraError (2) without PyAV.
    """
    require_av()
    data, shown = read_file(path, MAX_FILE_BYTES, too_large="VIDEO_FILE_TOO_LARGE", hint=_TRIM), shown_path(path)
    try:
        return _measured(data, shown)
    except InputError as error:
        error.file = shown
        error.message = f'"{Path(shown).name}": {error.message}'
        error.args = (f"{error.message} {error.hint}".strip(),)
        raise


def stills(reel: Reel, count: int) -> Iterator[Still]:
    """At most `count` undamaged pictures, as evenly spread as the whole of them allows, in order."""
    count = min(count, len(reel.ticks))
    wanted = [reel.ticks[(2 * k + 1) * len(reel.ticks) // (2 * count)] for k in range(count)]
    with _opened(reel.data, reel.container) as film:
        for frame in decoded(film):
            if frame.pts is None or frame.is_corrupt or frame.pts < wanted[0]:
                continue
            yield Still(float((frame.pts - reel.ticks[0]) * reel.tick_s), frame, reel.stretch)
            wanted = [tick for tick in wanted if tick > frame.pts]
            if not wanted:
                return


def _measured(data: bytes, shown: str) -> Reel:
    """The reel in a video file's bytes, or why it is none."""
    container = sniff_video(data[:HEAD_BYTES])
    if container is None:
        raise UnreadableError(f"its {len(data):,} bytes are not a video.", hint=_HINT, id="VIDEO_NOT_A_VIDEO")
    if container not in VIDEO_OPENED:
        raise UnsupportedFormatError(f"this kind of video ({container}) is not opened.", hint=_HINT, id="VIDEO_FORMAT")
    with _opened(data, container) as film:
        track = find_track(film)
        width, height, tick_s = track.codec_context.width, track.codec_context.height, track.time_base
        ought_s = float(track.duration * tick_s if track.duration else Fraction(film.duration or 0, 1_000_000))
        check_size(width, height)
        _check_length(ought_s)
        ticks = _ticks(film, track)
        lasts_s = (
            float((ticks[-1] - ticks[0]) * tick_s) * len(ticks) / max(1, len(ticks) - 1)
        )  # the last one stays, too
        _check_length(lasts_s)
        _check_work(width * height, len(ticks))
        stretch = float(track.sample_aspect_ratio or 1)
    warnings = ()
    if ought_s - lasts_s > _BROKEN_OFF_S:
        warnings = (f"The video breaks off after {lasts_s:.1f} of {ought_s:.1f} seconds; what is there is used.",)
    return Reel(
        name=Path(shown).stem or "video",
        file=Path(shown).name,
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        container=container,
        ticks=tuple(ticks),
        tick_s=tick_s,
        stretch=stretch if 0.25 < stretch < 4 else 1.0,
        warnings=warnings,
    )


@contextmanager
def _opened(data: bytes, container: str) -> Generator[Any, None, None]:
    """PyAV's container, read from memory, with no way to another file."""
    av = require_av()
    try:
        allowed = {
            "codec_whitelist": ",".join([*CODECS, "libdav1d"])
        }  # for the first look, which libav takes by itself
        film = av.open(io.BytesIO(data), "r", format=container, options=allowed, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise UnreadableError(
            f"it cannot be read as a video ({getattr(error, 'strerror', None) or error}); it may be cut off.",
            hint=_COPY,
            id="VIDEO_CORRUPT",
        ) from None
    with film:
        yield film


def find_track(film: Any) -> Any:
    """The first track of pictures that can be decoded, a cover aside."""
    tracks = [track for track in film.streams.video if track.time_base and not track.disposition.value & _COVER]
    names = [track.codec_context.codec.canonical_name if track.codec_context else "unknown" for track in tracks]
    for track, name in zip(tracks, names, strict=True):
        if name in CODECS:
            return track
    what = f"its pictures are {', '.join(names)}, which is not decoded here" if names else "it has no moving pictures"
    raise UnsupportedFormatError(f"{what}.", hint=_HINT, id="VIDEO_FORMAT")


def _ticks(film: Any, track: Any) -> list[int]:
    """When pictures are shown, as far as the file goes; read, not decoded."""
    av, ticks = require_av(), list[int]()
    try:
        for packet in film.demux(track):
            if packet.size and packet.pts is not None and not packet.is_discard:
                ticks.append(packet.pts)
            if len(ticks) > _MAX_PICTURES:
                raise LimitError(f"it has more than {_MAX_PICTURES:,} pictures.", hint=_TRIM, id="VIDEO_TOO_LONG")
    except (av.FFmpegError, ValueError):
        pass  # it breaks off here
    if not ticks:
        raise UnreadableError("it holds no pictures; it may be cut off.", hint=_COPY, id="VIDEO_CORRUPT")
    return sorted(ticks)


def decoded(film: Any) -> Iterator[Any]:
    """Every picture that can be decoded, in the order of showing; by one thread, so that damage looks the same twice."""
    av, track = require_av(), find_track(film)
    track.codec_context.thread_count = 1
    track.codec_context.options = {"max_pixels": str(MAX_SIDE_PX**2)}  # of a picture larger than the first says
    packets = film.demux(track)
    while True:
        try:
            packet = next(packets, None)
        except (av.FFmpegError, ValueError):
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError):
            continue
        yield from frames


def _check_length(seconds: float) -> None:
    if seconds > MAX_SECONDS:
        raise LimitError(
            f"it lasts {seconds:.0f} seconds; the limit is {MAX_SECONDS:.0f}.", hint=_TRIM, id="VIDEO_TOO_LONG"
        )


def check_size(width: int, height: int) -> None:
    if min(width, height) < 1:
        raise UnreadableError(f"it declares a size of {width} x {height} pixels.", hint=_COPY, id="VIDEO_CORRUPT")
    if max(width, height) > MAX_SIDE_PX:
        raise LimitError(
            f"it has {width} x {height} pixels; the limit is {MAX_SIDE_PX} a side.",
            hint="Save it as 4K or full HD.",
            id="VIDEO_TOO_LARGE",
        )


def _check_work(pixels: int, pictures: int) -> None:
    if pixels * pictures > MAX_DECODED_PIXELS:
        raise LimitError(
            f"its {pictures:,} pictures have {pixels * pictures / 1e9:.0f} thousand million pixels together; the limit is "
            f"{MAX_DECODED_PIXELS / 1e9:.0f}.",
            hint=f"{_TRIM[:-1]}, or save it as full HD.",
            id="VIDEO_TOO_LONG",
        )
