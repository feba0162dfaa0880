"""Numbers about a picture as a whole: why no face may have been found in it. No verdicts here: see gates.py."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

_SIDE_PX: Final = 256
"""Larger pictures are reduced to this: no face is found once the blur is wider than a pixel or two there."""
_LEAST_SIDE_PX: Final = 8
_SHARP_PX: Final = 2.0
"""Edges are hardly ever sharper in pixels: JPEG and cameras leave .7 to 2.0, so what is less is no blur."""
_LEAST_RANGE: Final = 16.0
"""Grey levels; a channel with less contrast shows nothing that could be sharp or blurred."""


@dataclass(frozen=True)
class PictureMeasures:
    """What a picture is like, whatever it shows."""

    blur: float
    """Sigma of the Gaussian that its sharpest edges show, as a share of the longer side; 0 when they are sharp."""
    dark: float
    """Grey level of its brightest parts, 0 to 255."""
    burnt: float
    """Share whose three channels are all at 250 or more."""


def measure_picture(pixels: UInt8[np.ndarray, "H W 3"]) -> PictureMeasures:
    """All measures of one picture; a few ms."""
    height, width = pixels.shape[:2]
    scale = min(1.0, _SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    told = [_edge_sigma_px(channel) for channel in np.moveaxis(small.astype(np.float32), 2, 0)]
    sharpest = min((sigma for sigma in told if sigma > 0), default=0.0)
    return PictureMeasures(
        blur=sharpest / max(size) if sharpest > _SHARP_PX and min(size) >= _LEAST_SIDE_PX else 0.0,
        dark=float(np.percentile(small.mean(axis=2), 99.5)),
        burnt=float((pixels.min(axis=2) >= 250).mean()),
    )


def _edge_sigma_px(channel: Float32[np.ndarray, "H W"]) -> float:
    """Sigma of the sharpest edges, if they span the picture's whole contrast; 0 without contrast.

    A step of height h blurred by sigma is nowhere steeper than h / (sigma sqrt(2 pi)).
    """
    low, high = np.percentile(channel, [0.5, 99.5])
    if high - low < _LEAST_RANGE:
        return 0.0
    slope = np.hypot(cv2.Sobel(channel, cv2.CV_32F, 1, 0), cv2.Sobel(channel, cv2.CV_32F, 0, 1)) / 8
    return float((high - low) / np.sqrt(2 * np.pi) / max(float(np.percentile(slope, 99.9)), 1e-3))
