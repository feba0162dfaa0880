"""Videos of any length, picture after picture with the file's own times; nothing but the newest picture is held.

path --container, codec, size--> Footage --decoded once, in order--> Still, Still, ...

The same containers and codecs as video.py opens, and no other file; but no limit on how long it lasts.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from avatar3d.core.errors import InputError, UnreadableError, UnsupportedFormatError
from avatar3d.core.files import shown_path
from avatar3d.photo.container import HEAD_BYTES, VIDEO_OPENED, sniff_video
from avatar3d.photo.file import open_picture
from avatar3d.photo.video import CODECS, Still, check_size, decoded, find_track
from avatar3d.render.av import require_av

_HINT: Final = "Give an MP4, MOV, MKV or WebM video as a phone or a webcam writes it."
_COPY: Final = "Copy the file again from the camera."
_MICROSECOND: Final = Fraction(1, 1_000_000)


@dataclass(frozen=True)
class Footage:
    """A video file that can be decoded, not yet decoded."""

    path: Path
    container: str
    """libav's name of it."""
    lasts_s: float
    """As the file says; 0 when it does not."""


def open_footage(path: Path) -> Footage:
    """What a video file is; nothing of it is decoded but its first picture.

    Raises UnreadableError (10), UnsupportedFormatError (11), LimitError (12); MissingExtraError (2) without PyAV.
    """
    require_av()
    with open_picture(path) as file:
        container = sniff_video(file.read(HEAD_BYTES))
    with _told_of(path):
        if container is None:
            raise UnreadableError("it is not a video.", hint=_HINT, id="VIDEO_NOT_A_VIDEO")
        if container not in VIDEO_OPENED:
            raise UnsupportedFormatError(
                f"this kind of video ({container}) is not opened.", hint=_HINT, id="VIDEO_FORMAT"
            )
        with _opened(path, container) as film:
            track = find_track(film)
            check_size(track.codec_context.width, track.codec_context.height)
            return Footage(path, container, float((film.duration or 0) * _MICROSECOND))


def pictures_of(footage: Footage) -> Iterator[Still]:
    """Every undamaged picture in the order of showing, at its time in the file: sound and pictures count from the same.

    Raises UnreadableError (10) when not one can be decoded.
    """
    last_s = None
    with _told_of(footage.path), _opened(footage.path, footage.container) as film:
        track = find_track(film)
        began_s, tick_s = (film.start_time or 0) * _MICROSECOND, track.time_base
        stretch = float(track.sample_aspect_ratio or 1)
        for frame in decoded(film):
            time_s = None if frame.pts is None or frame.is_corrupt else float(frame.pts * tick_s - began_s)
            if time_s is not None and (last_s is None or time_s > last_s):
                last_s = time_s
                yield Still(time_s, frame, stretch if 0.25 < stretch < 4 else 1.0)
        if last_s is None:
            raise UnreadableError("not one of its pictures can be decoded.", hint=_COPY, id="VIDEO_CORRUPT")


@contextmanager
def _opened(path: Path, container: str) -> Generator[Any]:
    """PyAV's container, read as it is wanted, with no way to another file."""
    av = require_av()
    with open_picture(path) as file:
        try:
            allowed = {"codec_whitelist": ",".join([*CODECS, "libdav1d"])}
            film = av.open(file, "r", format=container, options=allowed, metadata_errors="replace")
        except (av.FFmpegError, ValueError) as error:
            raise UnreadableError(
                f"it cannot be read as a video ({getattr(error, 'strerror', None) or error}); it may be cut off.",
                hint=_COPY,
                id="VIDEO_CORRUPT",
            ) from None
        with film:
            yield film


@contextmanager
def _told_of(path: Path) -> Generator[None]:
    """Errors that name the file."""
    try:
        yield
    except InputError as error:
        if error.file is None:
            error.file = shown_path(path)
            error.message = f'"{Path(error.file).name}": {error.message}'
            error.args = (f"{error.message} {error.hint}".strip(),)
        raise
