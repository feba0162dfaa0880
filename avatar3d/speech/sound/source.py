"""A sound that was found in a file and is within the limits, but is not decoded yet."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.errors import AudioUnusableError, LimitError, UnreadableError, UnsupportedFormatError

LOWEST_HZ: Final = 8_000
HIGHEST_HZ: Final = 192_000
MAX_CHANNELS: Final = 8
MAX_HOURS: Final = 24
_NO_SUCH_HZ: Final = 1_000_000
_NO_SUCH_CHANNELS: Final = 256
"""From here on a header is not ambitious but broken."""
OPENED: Final = "Give a WAV, FLAC, OGG, Opus or MP3 file."
COPY_AGAIN: Final = "Copy the file again from where it was recorded."
CONVERT: Final = "Save it as WAV (16-bit PCM) and give that."

Blocks = Iterator[Float32[np.ndarray, "N C"]]


class BrokenOffError(Exception):
    """Ends the blocks of a sound that cannot be decoded any further; never leaves this room."""


@dataclass(frozen=True)
class SoundSource:
    """One sound of a file: what its header says, and how to decode it."""

    rate_hz: int
    channels: int
    frames: int | None
    """How many come; None when only decoding tells."""
    blocks: Callable[[int], Blocks]
    """Decode from the start: blocks of exactly so many frames, the last one shorter. Raises BrokenOffError."""
    cut: str = ""
    """Where it breaks off, when that is known before decoding: "after 2.0 of 5.0 seconds"."""
    slack_s: float = 0.1
    """So much less than `frames` may come: encoders pad."""
    peak: float = 1.0
    """The largest value when the format allows more than 1 (floats)."""


def even(pieces: Iterable[Float32[np.ndarray, "..."]], count: int) -> Iterator[Float32[np.ndarray, "..."]]:
    """The same samples in blocks of so many, the last one shorter; all that came before a BrokenOffError, then that."""
    waiting, held, broken = list[Float32[np.ndarray, "..."]](), 0, False
    try:
        for piece in pieces:
            waiting.append(piece)
            held += len(piece)
            if held >= count:
                joined, whole = np.concatenate(waiting), held // count * count
                for first in range(0, whole, count):
                    yield joined[first : first + count]
                waiting, held = [joined[whole:]], held - whole
    except BrokenOffError:
        broken = True
    if held:
        yield np.concatenate(waiting)
    if broken:
        raise BrokenOffError


def check_header(rate_hz: int, channels: int, frames: int | None) -> None:
    """Refuse what no sound is (10), what is beyond the limits (12), and no samples at all (16)."""
    if not 0 < channels < _NO_SUCH_CHANNELS:
        raise corrupt(f"its header says {channels:,} channels")
    if not 0 < rate_hz < _NO_SUCH_HZ:
        raise corrupt(f"its header says {rate_hz:,} samples per second")
    if channels > MAX_CHANNELS:
        raise LimitError(
            f"it has {channels} channels; the limit is {MAX_CHANNELS}.",
            hint="Mix it down, or give the channel with the voice as a file of its own.",
            id="AUDIO_CHANNELS",
        )
    if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
        raise LimitError(
            f"it has {rate_hz:,} samples per second; opened are {LOWEST_HZ:,} to {HIGHEST_HZ:,}.",
            hint="Save it with 16,000 or 48,000 samples per second.",
            id="AUDIO_RATE",
        )
    if frames is not None:
        if frames < 1:
            raise empty()
        check_length(frames / rate_hz)


def check_length(seconds: float) -> None:
    if seconds > MAX_HOURS * 3600:
        raise LimitError(
            f"it lasts more than {MAX_HOURS} hours.", hint="Cut it into shorter files.", id="AUDIO_TOO_LONG"
        )


def corrupt(what: str) -> UnreadableError:
    return UnreadableError(f"{what}; the file is damaged.", hint=COPY_AGAIN, id="AUDIO_CORRUPT")


def unsupported(what: str, hint: str = CONVERT) -> UnsupportedFormatError:
    return UnsupportedFormatError(f"{what}.", hint=hint, id="AUDIO_FORMAT")


def empty() -> AudioUnusableError:
    return AudioUnusableError("it holds no samples (0.0 seconds of sound).", hint="Record it again.", id="AUDIO_EMPTY")


def nonfinite(time_s: float) -> AudioUnusableError:
    return AudioUnusableError(
        f"it holds values that are no numbers (NaN or infinite), first at {time_s:.3f} seconds.",
        hint="Export it again, as 16-bit PCM.",
        id="AUDIO_NONFINITE",
    )


def truncated(where: str, hint: str) -> UnreadableError:
    return UnreadableError(f"it breaks off {where}.", hint=hint, id="AUDIO_TRUNCATED")


def rate_changes(what: str) -> UnreadableError:
    return UnreadableError(f"{what}.", hint=CONVERT, id="AUDIO_CHANGES")
