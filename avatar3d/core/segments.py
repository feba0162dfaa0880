"""What lies where around one face: a probability per kind and pixel of an aligned crop."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, UInt8

KINDS: Final = (
    "background", "skin", "neck", "ears", "hair", "brows", "eyes", "lips", "teeth", "clothes", "glasses", "beard",
    "headwear", "occluder",
)  # fmt: skip
"""Skin is the face's; teeth is all that shows between the lips; glasses are frames, and lenses one cannot see through;
occluder is anything else before the person, a hand or a microphone."""

HEAD_KINDS: Final = ("skin", "ears", "hair", "brows", "eyes", "lips", "teeth", "beard")
"""What belongs to face and hair."""


@dataclass(frozen=True, eq=False)
class Segments:
    """The crop around one face and what each of its pixels shows."""

    pixels: UInt8[np.ndarray, "H W 3"]
    """The crop, sRGB."""
    probability: Float32[np.ndarray, "K H W"]
    """One plane per kind in the order of KINDS; they sum to 1."""
    crop_from_photo: Float64[np.ndarray, "2 3"]
    """Similarity from photo to crop pixels; pixel centres at integer + 0.5 in both."""

    def of(self, *kinds: str) -> Float32[np.ndarray, "H W"]:
        """Probability that a pixel shows one of these kinds."""
        return self.probability[[KINDS.index(kind) for kind in kinds]].sum(0)
