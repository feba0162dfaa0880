"""The one door to soxr: sound at one rate becomes sound at another, piece by piece, without a delay."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from jaxtyping import Float32


def resampled(
    pieces: Iterable[Float32[np.ndarray, "N"]], from_hz: int, to_hz: int
) -> Iterator[Float32[np.ndarray, "M"]]:
    """The same sound at `to_hz`: its first sample is at the same instant, what does not fit below to_hz / 2 is gone."""
    if from_hz == to_hz:
        yield from pieces
        return
    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")
    for piece in pieces:
        if len(out := stream.resample_chunk(piece)):
            yield out
    if len(rest := stream.resample_chunk(np.zeros(0, np.float32), last=True)):
        yield rest
