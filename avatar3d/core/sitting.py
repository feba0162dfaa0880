"""What one photo told of a face, and what a person corrected in it by hand."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int32


@dataclass(frozen=True, eq=False)
class Sitting:
    """Enough of an observation to fit the head once more without the picture: corrections by hand start here."""

    photo_sha256: str
    size_px: tuple[int, int]
    """Width and height of the upright picture that the pixels count in."""
    landmarks_px: Float32[np.ndarray, "478 2"]
    """As observed, before any correction."""
    known: Float64[np.ndarray, "C"]
    """View, identity and expression before head and picture were laid on each other (`fit.pins.packed`)."""


@dataclass(frozen=True, eq=False)
class Pins:
    """Landmarks that somebody has put where they belong."""

    landmarks: Int32[np.ndarray, "P"]
    """Of MediaPipe's 478, rising, none twice."""
    points_px: Float32[np.ndarray, "P 2"]
    """Pixels of the upright picture; pixel centres at integer + 0.5."""
