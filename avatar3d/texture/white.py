"""The eyes as photographed, measured once: the whites, and what they say about exposure and white balance.

One picture cannot tell pale skin in dim, warm light from dark, ruddy skin in bright light. The sclera can help: it is
nearly neutral in everybody, and lighter than the skin only where the skin is dark.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32

from avatar3d.core.photo import FaceObservation
from avatar3d.render.lights import LUMINANCE
from avatar3d.render.stage import LINEAR_FROM_SRGB
from avatar3d.texture.regions import LEFT_EYE, LEFT_IRIS, RIGHT_EYE, RIGHT_IRIS, fill_polygon

# Log chroma (R/G, B/G) that whites have without any cast: from nearly neutral, as a clean sclera is, to the mean of 97
# portraits (94 of Congress), where skin bleeds into a few pixels. How much of the spread beyond the skin's chroma
# follows: regression slopes on the same portraits are 0.37 and 0.5.
_LEAST_CHROMA: Final = np.array([0.05, -0.15])
_MOST_CHROMA: Final = np.array([0.41, 0.0])
_CAST_FOLLOWED: Final = 0.5
_LARGEST_CAST: Final = 0.35
_NARROW: Final = (0.6, 0.95)
"""Between lids this far apart, in iris radii, the white begins to tell a cast, and tells it fully: a slit shows lids."""
# Skin over white luminance: below the first the skin itself is dark (deep tones measured 0.43 to 0.8), above the
# second it is fair, however dim the picture.
_DARK_RATIO: Final = 0.85
_FAIR_RATIO: Final = 1.3
_FAIR_LUMINANCE: Final = 0.40
"""Linear albedo luminance of fair skin: median of the well exposed half of those portraits."""
_EXPOSURE_TRUST: Final = 0.75
_SMALLEST: Final = 6
"""Pixels that an iris or a white must have to tell anything."""
_SIDES: Final = ((RIGHT_EYE, RIGHT_IRIS, 468), (LEFT_EYE, LEFT_IRIS, 473))


@dataclass(frozen=True, eq=False)
class SeenEye:
    """One eye of the photo, cut out."""

    linear: Float32[np.ndarray, "H W 3"]
    inside: Bool[np.ndarray, "H W"]
    """Between the lids, clear of their rims."""
    away: Float32[np.ndarray, "H W"]
    """Distance from the iris's middle in iris radii."""
    radius_px: float
    """Of the iris, photo pixels."""

    @property
    def opening(self) -> float:
        """Height between the lids, iris radii."""
        rows = np.flatnonzero(self.inside.any(axis=1))
        return float(np.ptp(rows)) / self.radius_px if len(rows) else 0.0

    @property
    def white(self) -> Float32[np.ndarray, "N 3"]:
        """Linear RGB of the pixels of the white."""
        return self.linear[self.inside & (self.away > 1.25)]


def see_eyes(face: FaceObservation) -> list[SeenEye]:
    """The person's right and left eye; those at the picture's edge are left out."""
    found: list[SeenEye] = []
    height, width = face.photo.pixels.shape[:2]
    for opening, ring, centre in _SIDES:
        middle, rim = face.landmarks_px[centre], face.landmarks_px[list(opening)]
        radius = float(np.linalg.norm(face.landmarks_px[list(ring)] - middle, axis=1).mean())
        low, high = np.floor(rim.min(0) - 3).astype(int), np.ceil(rim.max(0) + 3).astype(int)
        if (low < 0).any() or high[0] > width or high[1] > height or radius < 1:
            continue
        linear = LINEAR_FROM_SRGB[face.photo.pixels[low[1] : high[1], low[0] : high[0]]]
        shape = (linear.shape[0], linear.shape[1])
        inside = fill_polygon(shape, (rim - low).astype(np.float32), grow=-max(0.08 * radius, 0.5)) > 0.9
        y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
        away = np.hypot(x - (middle[0] - low[0]), y - (middle[1] - low[1])) / radius
        found.append(SeenEye(linear, inside, away.astype(np.float32), radius))
    return found


def white_gain(face: FaceObservation, skin: Float32[np.ndarray, "3"]) -> Float32[np.ndarray, "3"]:
    """Factors (linear RGB) from the photo's skin colour to albedo: 1 when the eyes tell nothing.

    A colour cast is taken out partly; a dim picture of fair skin is brightened; nothing is ever darkened.
    """
    eyes = see_eyes(face)
    white = _white_of(eyes)
    if white is None:
        return np.ones(3, np.float32)
    beyond = _chroma(white) - np.clip(_chroma(white), _LEAST_CHROMA, _MOST_CHROMA)
    opening = float(np.mean([eye.opening for eye in eyes]))
    trust = np.clip((opening - _NARROW[0]) / (_NARROW[1] - _NARROW[0]), 0, 1)
    cast = trust * np.clip(_CAST_FOLLOWED * beyond, -_LARGEST_CAST, _LARGEST_CAST)
    gain = np.exp(-np.array([cast[0], 0.0, cast[1]]))
    gain *= float(skin @ LUMINANCE) / float((skin * gain) @ LUMINANCE)
    ratio = float(skin @ LUMINANCE) / max(float(white @ LUMINANCE), 1e-4)
    fair = np.clip(np.log(ratio / _DARK_RATIO) / np.log(_FAIR_RATIO / _DARK_RATIO), 0, 1)
    missing = max(0.0, float(np.log(_FAIR_LUMINANCE / max(float(skin @ LUMINANCE), 1e-4))))
    return (gain * np.exp(_EXPOSURE_TRUST * fair * missing)).astype(np.float32)


def _white_of(eyes: list[SeenEye]) -> Float32[np.ndarray, "3"] | None:
    """Mean linear RGB of the brighter part of what lies between lids and iris, both eyes together."""
    found: list[Float32[np.ndarray, "3"]] = []
    for eye in eyes:
        white = eye.white
        if len(white) >= _SMALLEST:
            brightness = white @ LUMINANCE
            found.append(white[brightness >= np.quantile(brightness, 0.6)].mean(axis=0))
    return np.mean(found, axis=0).astype(np.float32) if found else None


def _chroma(colour: Float32[np.ndarray, "3"]) -> np.ndarray:
    return np.log(np.maximum(colour[[0, 2]], 1e-4) / max(float(colour[1]), 1e-4))
