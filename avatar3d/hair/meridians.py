"""The bald skull along meridians: where a hairstyle is measured."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64

from avatar3d.core.head import HeadFit
from avatar3d.hair.segment import HairPicture

AZIMUTHS: Final = np.arange(-180.0, 180.0, 5.0)
"""Degrees at which a style is described."""
_VISIBLE: Final = 0.2
"""Cosine to the camera."""


@dataclass(frozen=True, eq=False)
class MeridianSurface:
    """The bald skull sampled along meridians."""

    points: Float32[np.ndarray, "A P 3"]
    """From the crown downward, per AZIMUTHS."""
    facing: Float64[np.ndarray, "A P"]
    """Cosine between the outward direction and the camera's."""

    def seen(self, picture: HairPicture, fitted: HeadFit) -> tuple[Float64[np.ndarray, "A P"], Bool[np.ndarray, "A P"]]:
        """Probability of hair at its points, and which of them the camera sees."""
        flat = self.points.reshape(-1, 3)
        probability = picture.sample(fitted.camera.project(flat), picture.hair).reshape(self.facing.shape)
        return probability.astype(np.float64), self.facing > _VISIBLE
