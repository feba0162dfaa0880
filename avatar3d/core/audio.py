"""Sound on its way to becoming motion."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, eq=False)
class AudioChunk:
    """A piece of mono sound."""

    time_s: float
    """Time of the first sample since the stream began."""
    rate_hz: int
    samples: Float32[np.ndarray, "N"]
    """In [-1, 1]."""
