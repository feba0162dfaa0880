"""The colours of a frame: the photo's, as shades of one material each for the frame and for bare edges of lenses."""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from avatar3d.wear.plane import PIXEL_M, in_picture

# Where a lens has no rim its edge shows faintly, so thick (metres).
EDGE_M: Final = 0.0006
# The part of a line's width that is pure; blur (pixels); colours from twice as far around count so much less.
_PURE: Final = 0.5
_FLOW_PX: Final = 0.8
_WEAKER: Final = 0.01
# Brighter and darker parts than these quantiles of a material are reflections, or what lies beside it.
_SHADES: Final = (0.1, 0.9)
# Thin parts are blurred: what differs most from the picture blurred so far (pixels) is least mixed with it.
_AROUND_PX: Final = 6.0
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)

Part = tuple[Float64[np.ndarray, "_ 2"], Float64[np.ndarray, "_"], bool]
"""A line in the plane (metres), how thick it is (metres), and whether it is closed."""


def paint_frame(
    flat: Float32[np.ndarray, "H W 3"], sure: Bool[np.ndarray, "H W"], materials: tuple[list[Part], ...]
) -> UInt8[np.ndarray, "H W 3"]:
    """The photo's colours on these parts where they are sure to be theirs, spread evenly to all that lies beside them."""
    sums = np.zeros((*flat.shape[:2], 4), np.float32)
    for parts in materials:
        drawn = np.zeros(flat.shape[:2], np.uint8)
        for line, thick, closed in parts:
            draw_line(drawn, in_picture(line), _PURE * thick / PIXEL_M, closed=closed)
        pure = drawn * sure if (drawn * sure).any() else drawn
        if pure.any():
            share = pure[..., None] / np.float32(255)
            sums += np.dstack([_shades(flat, pure > 0) * share, share])
    return np.clip(_spread(sums) + 0.5, 0, 255).astype(np.uint8)


def _shades(flat: Float32[np.ndarray, "H W 3"], where: Bool[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W 3"]:
    """The picture in shades of one material: the median of what differs most from its surroundings, as bright as the picture within limits."""
    differs = np.linalg.norm(flat - cv2.GaussianBlur(flat, (0, 0), _AROUND_PX), axis=-1)[where]
    own = np.median(flat[where][differs >= np.median(differs)], axis=0)
    bright = flat @ _LUMA
    low, high = np.quantile(bright[where], _SHADES)
    return np.maximum(own + (np.clip(bright, low, high) - own @ _LUMA)[..., None], 0).astype(np.float32)


def _spread(sums: Float32[np.ndarray, "H W 4"]) -> Float32[np.ndarray, "H W 3"]:
    """Weighted colours (and their weights): the mean of each pixel's surroundings, as near ones as have any weight."""
    height, width = sums.shape[:2]
    total = cv2.GaussianBlur(sums, (0, 0), _FLOW_PX)
    coarse, weaker = total, 1.0
    while min(coarse.shape[:2]) > 2:
        coarse = cv2.GaussianBlur(cv2.resize(coarse, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), (0, 0), 1)
        weaker *= _WEAKER
        total = total + np.float32(weaker) * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return total[..., :3] / np.maximum(total[..., 3:], 1e-30)


def draw_line(
    mask: UInt8[np.ndarray, "H W"],
    at_px: Float64[np.ndarray, "P 2"],
    thick_px: Float64[np.ndarray, "P"],
    *,
    closed: bool,
) -> None:
    """Draw a line of changing thickness into a mask; nothing where it is 0."""
    fine = np.round(16 * at_px).astype(np.int32)
    for index in range(0 if closed else 1, len(at_px)):
        if min(thick_px[index - 1], thick_px[index]) > 0:
            broad = max(1, round(float(thick_px[index - 1] + thick_px[index]) / 2))
            cv2.line(mask, fine[index - 1].tolist(), fine[index].tolist(), (255,), broad, cv2.LINE_AA, shift=4)
