"""The one door to PyAV: pictures, and sound, to an MP4 file (extra `video`)."""

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, UInt8

from avatar3d.core.audio import AudioChunk
from avatar3d.core.durable import stream_atomically, write_atomically
from avatar3d.core.errors import MissingExtraError

# ITU-T H.273: what says that the pictures are sRGB. Untagged, one player in two shifts skin by several levels.
_BT709, _SRGB_CURVE, _LIMITED_RANGE = 1, 13, 1
# libx264 and not SVT-AV1, whose threads ask for real-time scheduling and, where they get it, starve all others.
_CODEC: Final = "libx264"
# As small as `medium` to a hundredth, in two fifths of its time; without pictures that wait for later ones, so that
# readers who ignore edit lists show sound and picture together, too.
_QUICK: Final = {"crf": "18", "preset": "veryfast", "bf": "0"}
_SOUND_HZ: Final = 48_000
_SOUND_BITS: Final = 96_000
"""A second, one voice."""
_AAC_SAMPLES: Final = 1024
"""In a frame of AAC."""
_IN_MEMORY: Final = 64 * 2**20
_PIECE: Final = 2**20


def require_av() -> Any:
    """PyAV, an optional extra with GPL codecs in its wheel. Raises MissingExtraError: ask before a long job."""
    try:
        return import_module("av")
    except ImportError as cause:
        raise MissingExtraError("av", "video", "A video") from cause


def write_video(
    pictures: Iterable[UInt8[np.ndarray, "H W 3"]], path: Path, *, rate_hz: int = 30, comment: str = ""
) -> Path:
    """Encode sRGB pictures of one even size as H.264 (yuv420p, BT.709), with a comment in the file's metadata.

    Raises MissingExtraError without PyAV and DiskError when it cannot be written.
    """
    av = require_av()
    film = io.BytesIO()
    with av.open(film, "w", format="mp4") as container:
        container.metadata["comment"] = comment
        reel = _Reel(av, container, rate_hz, {"crf": "18", "preset": "medium"})
        for picture in pictures:
            reel.add(picture)
        reel.end()
    return write_atomically(path, film.getvalue())


def write_film(
    pictures: Iterable[UInt8[np.ndarray, "H W 3"]],
    path: Path,
    *,
    sound: Iterable[AudioChunk] = (),
    rate_hz: int = 25,
    comment: str = "",
) -> Path:
    """As `write_video`, quicker, with sound (AAC, mono), both taken as they come: hours need no memory.

    Both begin at time 0 and end together: the last picture stays while there is sound, silence follows where there is
    none. Without any sound the file has no track for it.
    """
    av = require_av()
    pieces = _pieces(sound)
    first = next(pieces, None)
    with SpooledTemporaryFile(_IN_MEMORY) as film:
        with av.open(film, "w", format="mp4") as container:
            container.metadata["comment"] = comment
            reel = _Reel(av, container, rate_hz, _QUICK)
            track = _Track(av, container, first, pieces) if first else None
            picture = None
            for picture in pictures:
                reel.add(picture)
                if track:
                    track.play_until(reel.duration_s)
            while track and picture is not None and (track.duration_s > reel.duration_s or not track.over):
                reel.add(picture)
                track.play_until(reel.duration_s)
            reel.end()
            if track:
                track.end()
        film.seek(0)
        return stream_atomically(path, iter(lambda: film.read(_PIECE), b""))


@dataclass(frozen=True, eq=False)
class _Sound:
    """A short piece of sound that follows the one before."""

    rate_hz: int
    samples: Float32[np.ndarray, "N"]


def _pieces(chunks: Iterable[AudioChunk]) -> Iterator[_Sound]:
    """Sound in pieces of a twentieth of a second at most, with silence where chunks leave a gap."""
    played = 0
    for chunk in chunks:
        step = max(chunk.rate_hz // 20, 1)
        gap = max(round(chunk.time_s * chunk.rate_hz) - played, 0)
        for start in range(0, gap, step):
            yield _Sound(chunk.rate_hz, np.zeros(min(step, gap - start), np.float32))
        for start in range(0, len(chunk.samples), step):
            yield _Sound(chunk.rate_hz, chunk.samples[start : start + step])
        played += gap + len(chunk.samples)


class _Reel:
    """Pictures on their way into a container."""

    def __init__(self, av: Any, container: Any, rate_hz: int, options: dict[str, str]) -> None:
        self._av, self._container, self._rate_hz = av, container, rate_hz
        self._stream = container.add_stream(_CODEC, rate=rate_hz, options=options)
        self._stream.pix_fmt = "yuv420p"
        coder = self._stream.codec_context
        coder.color_primaries, coder.color_trc, coder.colorspace = _BT709, _SRGB_CURVE, _BT709
        coder.color_range = _LIMITED_RANGE
        coder.thread_count = 1  # pictures are drawn beside: more threads only wait for another
        self._count = 0

    @property
    def duration_s(self) -> float:
        return self._count / self._rate_hz

    def add(self, picture: UInt8[np.ndarray, "H W 3"]) -> None:
        if self._count == 0:
            self._stream.height, self._stream.width = picture.shape[:2]
        frame = self._av.VideoFrame.from_ndarray(picture, format="rgb24")
        converted = frame.reformat(format="yuv420p", dst_colorspace=_BT709, dst_color_range=_LIMITED_RANGE)
        self._container.mux(self._stream.encode(converted))
        self._count += 1

    def end(self) -> None:
        self._container.mux(self._stream.encode())


class _Track:
    """Sound on its way into a container."""

    def __init__(self, av: Any, container: Any, first: _Sound, others: Iterator[_Sound]) -> None:
        self._av, self._container, self._next, self._others = av, container, first, others
        self._stream = container.add_stream("aac", rate=_SOUND_HZ, layout="mono")
        self._stream.bit_rate = _SOUND_BITS
        self._resampler = av.AudioResampler("fltp", "mono", _SOUND_HZ, frame_size=_AAC_SAMPLES)
        self._rate_hz = first.rate_hz
        self._played = 0
        self.over = False

    @property
    def duration_s(self) -> float:
        return self._played / self._rate_hz

    def play_until(self, time_s: float) -> None:
        """Sound that begins before `time_s`, or silence when there is no more."""
        until = math.ceil(time_s * self._rate_hz)
        while self._played < until and not self.over:
            self._play(self._next.samples)
            following = next(self._others, None)
            self._next, self.over = following or self._next, following is None
        if self._played < until:
            self._play(np.zeros(until - self._played, np.float32))

    def end(self) -> None:
        for frame in self._resampler.resample(None):
            self._container.mux(self._stream.encode(frame))
        self._container.mux(self._stream.encode())

    def _play(self, samples: Float32[np.ndarray, "N"]) -> None:
        frame = self._av.AudioFrame.from_ndarray(np.clip(samples, -1, 1)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.time_base = self._rate_hz, Fraction(1, self._rate_hz)
        frame.pts = self._played
        self._played += len(samples)
        for piece in self._resampler.resample(frame):
            self._container.mux(self._stream.encode(piece))
