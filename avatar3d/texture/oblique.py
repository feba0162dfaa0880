"""Skin that the photo shows obliquely: a pixel of it is drawn out over many texels, and all that is wrong in it with it.

A fold's shade, a strand, a background's glow are a line in the photo and a blotch from the side.
"""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.texture.planes import times
from avatar3d.texture.regions import blur

_SQUARE: Final = (0.30, 0.65)
"""Cosines between normal and view: below the first, skin looks like what is seen squarely beside it, above the second
like itself."""
_TREND: Final = 0.025
"""The cosine is a mean over so many atlas edges: the sides of a nose are oblique too, but narrow."""
_BESIDE: Final = 0.05
"""Standard deviation of the Gaussian that tells what is beside, atlas edges."""
_FAINT: Final = 0.02
"""What is seen edge-on counts so much there; what is seen squarely counts 1."""
_FINE: Final = 4
"""Texels of the atlas in one of the small pictures on which this is done."""
_SPECK: Final = 1.0
"""What is smaller is pores and stays, pixels of those."""
_CALMED: Final = 0.8
"""Share of the difference that is taken out."""
_CALMED_BEARDED: Final = 0.4
"""Share of this for a bearded face: hair is no blotch."""


def calm_oblique(
    ratio: Float32[np.ndarray, "S S 3"],
    weight: Float32[np.ndarray, "S S"],
    drawn: Float32[np.ndarray, "S S"],
    cosine: Float32[np.ndarray, "S S"],
    *,
    bearded: bool,
) -> Float32[np.ndarray, "S S 3"]:
    """Log colour drawn toward what is seen squarely beside it, the more the more obliquely it is seen."""
    seen, skin = _smaller(weight), _smaller(weight * (1 - drawn))
    own = blur(_smaller(times(ratio, weight)), _SPECK) / (blur(seen, _SPECK) + np.float32(1e-4))[..., None]
    toward, known = (blur(_smaller(part), _TREND * len(seen)) for part in (cosine, np.sign(cosine)))
    trend = toward / (known + np.float32(1e-6))
    oblique = np.clip((_SQUARE[1] - trend) / np.float32(_SQUARE[1] - _SQUARE[0]), 0, 1)
    trusted = skin * ((1 - oblique) ** 2 + np.float32(_FAINT)) + np.float32(1e-6)
    beside = blur(np.dstack([own * trusted[..., None], trusted]), _BESIDE * len(seen))
    change = beside[..., :3] / beside[..., 3:] - own
    share = oblique * np.float32(_CALMED * (_CALMED_BEARDED if bearded else 1))
    calmed = np.asarray(cv2.resize(change * share[..., None], weight.shape, interpolation=cv2.INTER_LINEAR), np.float32)
    return ratio + times(calmed, (1 - drawn) * (weight > 0))


def _smaller(picture: Float32[np.ndarray, "S S *C"]) -> Float32[np.ndarray, "Q Q *C"]:
    size = len(picture) // _FINE
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.float32)
