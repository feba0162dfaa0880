"""The one door to soundfile (libsndfile): FLAC, Ogg Vorbis, Opus and MP3 become blocks of samples.

What comes here has passed our own reading of its header: see sound_kinds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from jaxtyping import Float32

from avatar3d.speech.sound.source import Blocks, BrokenOffError, corrupt

_UNKNOWN: Final = 1 << 62
"""libsndfile's number of frames when the header does not tell."""


@dataclass(frozen=True)
class Measured:
    """What libsndfile makes of a file's header."""

    rate_hz: int
    channels: int
    frames: int | None


class _Forwards(soundfile.SoundFile):
    """Only read forwards. After each read of a file that can seek, soundfile seeks to where it is already:

    that fails for FLAC of unknown length, and makes MP3 and Vorbis look for their place again.
    """

    def seekable(self) -> bool:
        return False


def measure(opened: Callable[[], BufferedReader]) -> Measured:
    """Rate, channels and length. Raises UnreadableError (10)."""
    with _open(opened()) as sound:
        return Measured(sound.samplerate, sound.channels, sound.frames if sound.frames < _UNKNOWN else None)


def decode(opened: Callable[[], BufferedReader], count: int) -> Blocks:
    """Blocks of so many frames from the start. Raises BrokenOffError where the decoder cannot go on."""
    with _open(opened()) as sound:
        while True:
            # What a failing decoder has not written stays NaN: the samples before the damage are good.
            block = np.full((count, sound.channels), np.nan, np.float32)
            try:
                read = len(sound.read(out=block))
            except soundfile.LibsndfileError:
                good = int(np.isnan(block).any(1).argmax()) if np.isnan(block).any() else count
                if good:
                    yield block[:good]
                raise BrokenOffError from None
            if read:
                yield block[:read]
            if read < count:
                return


def read_own(path: Path) -> tuple[Float32[np.ndarray, "N"], int]:
    """Samples and rate of a mono file that a program we started has just written: of strangers' files, see speech.sound.open."""
    return soundfile.read(path, dtype="float32")


def _open(file: BufferedReader) -> soundfile.SoundFile:
    try:
        return _Forwards(file)
    except (soundfile.LibsndfileError, TypeError, ValueError):
        raise corrupt("its header says that it is sound, but it cannot be decoded") from None
