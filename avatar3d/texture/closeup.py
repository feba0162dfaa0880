"""A part of the photo around some landmarks, no finer than textures need."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.core.photo import FaceObservation
from avatar3d.render.stage import LINEAR_FROM_SRGB

_FINEST_IOD_PX: Final = 320.0
"""The photo is reduced to so many pixels between the eyes: finer than the texels."""


@dataclass(frozen=True, eq=False)
class Closeup:
    """Pixels here = (photo pixels - left_top_px) * scale."""

    colour: Float32[np.ndarray, "H W 3"]
    """Linear RGB."""
    left_top_px: Float32[np.ndarray, "2"]
    scale: float
    unit: float
    """Inter-ocular distance, pixels here."""

    @property
    def shape(self) -> tuple[int, int]:
        return self.colour.shape[0], self.colour.shape[1]

    def place(self, pixels: Float32[np.ndarray, "N 2"]) -> Float32[np.ndarray, "N 2"]:
        """Photo pixels in this picture."""
        return ((pixels - self.left_top_px) * np.float32(self.scale)).astype(np.float32)


def look_closely(face: FaceObservation, landmarks: tuple[int, ...], *, margin: float) -> Closeup:
    """The photo around these landmarks; `margin` in inter-ocular distances."""
    rim = face.landmarks_px[list(landmarks)]
    height, width = face.photo.pixels.shape[:2]
    around = margin * face.interocular_px
    left, top = np.maximum(np.floor(rim.min(axis=0) - around), 0).astype(int)
    right, bottom = np.minimum(np.ceil(rim.max(axis=0) + around), [width, height]).astype(int)
    crop = face.photo.pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
    scale = min(1.0, _FINEST_IOD_PX / face.interocular_px)
    if scale < 1:
        size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
        scale = size[0] / crop.shape[1]
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    colour = LINEAR_FROM_SRGB[np.asarray(crop, np.uint8)]
    return Closeup(colour, np.array([left, top], np.float32), scale, face.interocular_px * scale)
