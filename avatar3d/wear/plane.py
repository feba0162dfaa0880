"""The surface that glasses lie on, before a head's eyes, and pictures of it.

Places on it are metres in the plane of the frame, x to the person's left, y up, (0, 0) between the eyes.
"""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.core.head import HeadModel

# Usual fitting values: vertex distance 12 mm, pantoscopic angle 8 degrees (metres, radians); fronts are flatter than their
# lenses: at 0.13 m (base curve 4) lenses of turned faces come out unequal, at 0.3 m they do not.
_VERTEX_M: Final = 0.012
_PANTOSCOPIC: Final = np.radians(8.0)
_WRAP_RADIUS_M: Final = 0.3
# The picture of that surface: half its size and its pixel (metres).
_HALF_WIDTH_M: Final = 0.078
_HALF_HEIGHT_M: Final = 0.036
PIXEL_M: Final = 0.0004


def place_on_frame(
    model: HeadModel, vertices: Float32[np.ndarray, "V 3"], flat: Float64[np.ndarray, "*S 2"]
) -> Float64[np.ndarray, "*S 3"]:
    """Points of the frame's plane (metres) on the curved surface before this head's eyes."""
    eyes = (model.joint_regressor @ vertices)[[model.joint_names.index(name) for name in ("leftEye", "rightEye")]]
    balls = np.unique(model.triangles[np.concatenate([model.part("eyeLeft"), model.part("eyeRight")])])
    front = float(vertices[balls, 2].max()) + _VERTEX_M
    x, y = flat[..., 0], flat[..., 1]
    depth = front + y * np.tan(_PANTOSCOPIC) - x**2 / (2 * _WRAP_RADIUS_M)
    middle = eyes.mean(0)
    return np.stack([middle[0] + x, middle[1] + y, depth], axis=-1)


def frame_grid() -> Float64[np.ndarray, "H W 2"]:
    """Places of the picture's pixels, row 0 at the top, column 0 at the person's right."""
    across = np.arange(-_HALF_WIDTH_M, _HALF_WIDTH_M, PIXEL_M)
    down = np.arange(_HALF_HEIGHT_M, -_HALF_HEIGHT_M, -PIXEL_M)
    return np.stack(np.meshgrid(across, down), axis=-1)


def in_picture(places: Float64[np.ndarray, "*S 2"]) -> Float64[np.ndarray, "*S 2"]:
    """Places (metres) in pixels of the picture; pixel centres at whole numbers."""
    return np.stack([places[..., 0] + _HALF_WIDTH_M, _HALF_HEIGHT_M - places[..., 1]], axis=-1) / PIXEL_M


def look(image: np.ndarray, at_px: Float32[np.ndarray, "H W 2"]) -> np.ndarray:
    """An image at places given with pixel centres at integer + 0.5."""
    at = at_px - np.float32(0.5)
    return cv2.remap(image, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def look_at_places(picture: np.ndarray, places: Float64[np.ndarray, "*S N 2"]) -> np.ndarray:
    """The picture of the surface at places of the frame's plane."""
    at = in_picture(places).reshape(-1, places.shape[-2], 2).astype(np.float32)
    seen = cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return seen.reshape(*places.shape[:-1], *picture.shape[2:])
