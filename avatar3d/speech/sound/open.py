"""The one place that opens sound files: a file becomes mono blocks at 16 kHz, or an error that says why not.

path --header, limits--> SoundSource --decode--> [N C] --level, mix--> [N] --16 kHz--> high-pass --> AudioChunk, AudioChunk, ...

Every limit stands before what it limits. Blocks of a fixed length go through, so that hours need no more memory than
seconds, and the same samples come out however large the chunks are that the caller wants.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.audio import AudioChunk
from avatar3d.core.errors import InputError, UnreadableError, UsageError
from avatar3d.core.files import open_given, short_name, shown_path
from avatar3d.speech.sound.kinds import find_sound
from avatar3d.speech.sound.mono import HighPass, Mixdown
from avatar3d.speech.sound.remarks import OPPOSED, Heard, remarks_of_header
from avatar3d.speech.sound.source import (
    COPY_AGAIN,
    Blocks,
    BrokenOffError,
    SoundSource,
    check_length,
    corrupt,
    empty,
    even,
    nonfinite,
    truncated,
)
from avatar3d.speech.sound.soxr import resampled

RATE_HZ: Final = 16_000
"""What the network hears: speech needs no more than 8 kHz."""
_BLOCK_S: Final = 0.5
"""What is decoded, mixed and resampled at once."""
_STRICT_HINT: Final = f"{COPY_AGAIN} Without --strict, what is there is used."


def open_sound(path: Path, *, channel: int | None = None, strict: bool = False) -> "Sound":
    """The sound of a WAV, FLAC, OGG, Opus or MP3 file, or of an MP4, M4A, MOV or WebM (extra `video`).

    `channel` (0 is the left one) takes one channel instead of the mix of all; `strict` refuses files that break off.
    Raises UnreadableError (10), UnsupportedFormatError (11), LimitError (12), AudioUnusableError (16), UsageError (2);
    what only decoding shows is raised while the sound is read.
    """
    file = open_given(path, "sound")
    try:
        with _named(path):
            source = find_sound(file)
            if channel is not None and not 0 <= channel < source.channels:
                raise UsageError(
                    f'channel {channel} of "{short_name(path)}" does not exist: it has {source.channels}.',
                    hint=f"Give 0 to {source.channels - 1}.",
                )
            if strict and source.cut:
                raise truncated(source.cut, _STRICT_HINT)
    except BaseException:
        file.close()
        raise
    return Sound(path, file, source, channel, strict)


class Sound:
    """An open sound file. Iterating yields mono AudioChunks at RATE_HZ; each iteration begins anew.

    One thread reads it. Close it, or use it in a `with`.
    """

    def __init__(self, path: Path, file: FileIO, source: SoundSource, channel: int | None, strict: bool) -> None:
        self._path, self._file, self._source = path, file, source
        self._channel, self._strict = channel, strict
        self._heard: tuple[str, ...] = ()
        self._cut = source.cut
        self.source_rate_hz = source.rate_hz
        self.channels = source.channels
        """In the file."""
        self.duration_s = None if source.frames is None else source.frames / source.rate_hz
        """By the header, and of a cut WAV, MP3 or Ogg of what is there; None when only decoding tells."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for people, complete once the chunks were read to the end.

        Before that, silence, clipping and opposed channels are not known, nor where a FLAC or a film breaks off.
        """
        cut = (f"The sound breaks off {self._cut}; what is there is used.",) if self._cut else ()
        return cut + remarks_of_header(self.source_rate_hz, self._source.peak) + self._heard

    def __enter__(self) -> "Sound":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[AudioChunk]:
        return self.chunks()

    def chunks(self, seconds: float = 1.0) -> Iterator[AudioChunk]:
        """Mono at RATE_HZ in chunks of this length, the last one shorter; the same samples whatever the length."""
        size = max(1, round(seconds * RATE_HZ))
        for index, samples in enumerate(even(self._spoken(), size)):
            yield AudioChunk(index * size / RATE_HZ, RATE_HZ, samples)

    def original(self) -> Iterator[Float32[np.ndarray, "N C"]]:
        """All channels at `source_rate_hz`, in blocks: what a film of this sound should carry. In [-1, 1], else untouched."""
        with _named(self._path):
            for block in self._levelled():
                yield np.clip(block, -1, 1)

    def _spoken(self) -> Iterator[Float32[np.ndarray, "N"]]:
        """Mono at RATE_HZ, without an offset, in [-1, 1]."""
        heard, mixdown, offset, frames = Heard(), Mixdown(self.source_rate_hz, self._channel), None, 0

        def mixed() -> Iterator[Float32[np.ndarray, "N"]]:
            nonlocal heard, mixdown, offset, frames
            for block in self._levelled():
                heard, frames = heard.given(block), frames + len(block)
                mixdown, voice = mixdown.step(block)
                if offset is None:  # its bulk goes before resampling, where it would be a step and ring
                    offset = voice.mean()
                yield voice - offset

        high_pass = HighPass.at(RATE_HZ)
        with _named(self._path):
            for piece in resampled(mixed(), self.source_rate_hz, RATE_HZ):
                high_pass, level = high_pass.step(piece)
                heard = heard.made(level)
                yield np.clip(level, -1, 1)
        self._heard = heard.remarks(frames / self.source_rate_hz) + (
            (OPPOSED,) if mixdown.spokesman is not None else ()
        )

    def _levelled(self) -> Blocks:
        """What is decoded, at most 1; ends where nothing more can be decoded."""
        rate_hz, promised, frames, broken = self.source_rate_hz, self._source.frames, 0, False
        try:
            for block in self._source.blocks(max(1, round(_BLOCK_S * rate_hz))):
                if not np.isfinite(block).all():
                    raise nonfinite((frames + int(np.isfinite(block).all(1).argmin())) / rate_hz)
                frames += len(block)
                check_length(frames / rate_hz)
                yield block / np.float32(self._source.peak) if self._source.peak > 1 else block
        except BrokenOffError:
            broken = True
        if not frames:
            raise corrupt("no sample of it can be decoded") if broken else empty()
        short = promised is not None and frames < promised - self._source.slack_s * rate_hz
        if (broken or short) and not self._source.cut:
            of = f" of {promised / rate_hz:.1f}" if promised is not None and promised > frames else ""
            self._cut = f"after {frames / rate_hz:.1f}{of} seconds"
            if self._strict:
                raise truncated(self._cut, _STRICT_HINT)


def as_recorded(
    path: Path, *, channel: int | None = None, strict: bool = False, most_hz: int | None = None
) -> Generator[AudioChunk]:
    """The sound as it was recorded, one channel of it or their mean, in blocks; at most at `most_hz`. Raises as `open_sound`."""
    with open_sound(path, channel=channel, strict=strict) as sound:
        rate_hz = min(sound.source_rate_hz, most_hz or sound.source_rate_hz)
        at = 0
        blocks = (block.mean(axis=1) if channel is None else block[:, channel] for block in sound.original())
        mono = (np.ascontiguousarray(one, np.float32) for one in blocks)
        for piece in resampled(mono, sound.source_rate_hz, rate_hz):
            yield AudioChunk(at / rate_hz, rate_hz, piece)
            at += len(piece)


@contextmanager
def _named(path: Path) -> Generator[None, None, None]:
    """Errors inside say which file it is."""
    try:
        yield
    except InputError as error:
        if error.file is None:
            error.file = shown_path(path)
            error.message = f'"{short_name(path)}": {error.message}'
            error.args = (f"{error.message} {error.hint}".strip(),)
        raise
    except OSError as error:
        raise UnreadableError(
            f'"{short_name(path)}" cannot be read: {error.strerror or error}.',
            hint="Copy the file to this machine's disk.",
            file=shown_path(path),
        ) from None
