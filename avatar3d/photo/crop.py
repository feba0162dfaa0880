"""The aligned crop that the segmentation net reads: three colours, two guides drawn from landmarks, the person mask."""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from avatar3d.photo.mesh_layout import MIRROR

CROP_PX: Final = 256
"""Edge of the crop."""
UNIT_PX: Final = 42.0
"""Inter-ocular distance there."""
EYES_PX: Final = (128.0, 108.0)
"""Where the middle between the eyes lies: hair up to 2.6 inter-ocular distances above it, shoulders 3.5 below."""
_MOUTH_BELOW: Final = 1.12
"""From eyes to mouth over the inter-ocular distance: what tells the scale of a face turned aside."""
_OVAL: Final = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
                149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
_RIGHT_EYE: Final = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
_RIGHT_BROW: Final = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
_LIPS: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_OPENING: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
# What each part is drawn with, so that one plane tells them apart.
_SHADES: Final = ((_RIGHT_BROW, 0.4), (_RIGHT_EYE, 1.0), (_LIPS, 0.6), (_OPENING, 0.8))


def crop_from_photo(landmarks_px: Float32[np.ndarray, "478 2"]) -> Float64[np.ndarray, "2 3"]:
    """The similarity that turns the eyes level and to their place; pixel centres at integer + 0.5 on both sides."""
    points = landmarks_px.astype(np.float64)
    right, left = points[[33, 133]].mean(0), points[[263, 362]].mean(0)
    eyes, mouth = (right + left) / 2, points[[61, 291]].mean(0)
    across = left - right
    apart = float(np.linalg.norm(across))
    across = across / max(apart, 1e-6)
    down = abs(float((mouth - eyes) @ np.array([-across[1], across[0]])))
    scale = UNIT_PX / max(apart, down / _MOUTH_BELOW, 1e-6)
    turn = scale * np.array([[across[0], across[1]], [-across[1], across[0]]])
    return np.column_stack([turn, np.array(EYES_PX) - turn @ eyes])


def warp_into(
    image: np.ndarray, crop: Float64[np.ndarray, "2 3"], *, size: int = CROP_PX, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    """An image of the photo's size in the crop's place; smoothed first where the crop is coarser."""
    scale = float(np.hypot(crop[0, 0], crop[0, 1]))
    inside = np.linalg.inv(np.vstack([crop, [0, 0, 1]]))[:2] @ np.array(
        [[0, size, 0, size], [0, 0, size, size], [1, 1, 1, 1.0]]
    )
    low = np.maximum(np.floor(inside.min(1)).astype(int) - 4, 0)
    high = np.minimum(np.ceil(inside.max(1)).astype(int) + 4, [image.shape[1], image.shape[0]])
    high = np.maximum(high, low + 1)
    low = np.minimum(low, high - 1)
    part = np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])
    moved = crop.copy()
    moved[:, 2] += crop[:, :2] @ low
    if scale < 0.75:
        # Halve by areas first: warpAffine alone would skip pixels.
        fewer = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        shrink = np.diag([part.shape[1] / fewer[0], part.shape[0] / fewer[1]])
        part = cv2.resize(part, fewer, interpolation=cv2.INTER_AREA)
        moved[:, :2] = moved[:, :2] @ shrink
    # warpAffine counts pixel centres at whole numbers.
    moved[:, 2] += 0.5 * moved[:, :2].sum(1) - 0.5
    return cv2.warpAffine(part, moved, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)


def draw_guides(points: Float64[np.ndarray, "478 2"], *, size: int = CROP_PX) -> UInt8[np.ndarray, "2 H W"]:
    """The face's oval, and brows, eyes, lips and their opening, from landmarks in crop pixels; 0 to 255."""
    oval, parts = np.zeros((size, size), np.uint8), np.zeros((size, size), np.uint8)
    fixed = np.round((np.clip(points, -2 * size, 3 * size) - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(oval, [fixed[list(_OVAL)]], (255,), cv2.LINE_AA, 4)
    for ring, shade in _SHADES:
        rings = [ring] if ring in (_LIPS, _OPENING) else [ring, tuple(int(MIRROR[k]) for k in ring)]
        for one in rings:
            cv2.fillPoly(parts, [fixed[list(one)]], (round(255 * shade),), cv2.LINE_AA, 4)
    return np.stack([oval, parts])
