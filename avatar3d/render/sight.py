"""Which pixels can show which triangles: with what a picture, or a part of one, must be drawn."""

import numpy as np
from jaxtyping import Bool, Float32, Int32

from avatar3d.core.photo import Camera

_NEAREST_M = 1e-3
"""What comes nearer to the camera's plane than this may be anywhere in the picture."""


def rectangles_of(
    camera: Camera, vertices: Float32[np.ndarray, "V 3"], triangles: Int32[np.ndarray, "F 3"]
) -> Int32[np.ndarray, "F 4"]:
    """Around each triangle the pixels left, top, right, bottom, cut to the picture; the last two lie just outside."""
    size = np.array([camera.width_px, camera.height_px], np.float32)
    seen = camera.view(vertices)
    near = seen[:, 2] < _NEAREST_M
    depths = np.where(near, np.float32(1), seen[:, 2])[:, None]
    places = np.clip(np.float32(camera.focal_px) * seen[:, :2] / depths + camera.principal_px, -1, size + 1)
    first, second, third = (places[triangles[:, corner]] for corner in range(3))
    low = np.floor(np.minimum(np.minimum(first, second), third))
    high = np.floor(np.maximum(np.maximum(first, second), third)) + 1
    anywhere = near[triangles].any(axis=1)
    low[anywhere], high[anywhere] = 0, size
    return np.clip(np.concatenate([low, high], axis=1), 0, np.tile(size, 2)).astype(np.int32)


def pixels_in(rectangles: Int32[np.ndarray, "F 4"], camera: Camera) -> Bool[np.ndarray, "H W"]:
    """The pixels that lie in any rectangle: each marks its four corners, and two running sums fill it."""
    left, top, right, bottom = rectangles.T
    width = camera.width_px + 1
    length = (camera.height_px + 1) * width
    begins = np.bincount(top * width + left, minlength=length) + np.bincount(bottom * width + right, minlength=length)
    ends = np.bincount(top * width + right, minlength=length) + np.bincount(bottom * width + left, minlength=length)
    depth = (begins - ends).reshape(-1, width).cumsum(axis=0).cumsum(axis=1)
    return depth[:-1, :-1] > 0


def touching(rectangles: Int32[np.ndarray, "F 4"], pixels: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "F"]:
    """Whether each rectangle holds any of the pixels."""
    left, top, right, bottom = rectangles.T
    count = np.pad(pixels.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32), ((1, 0), (1, 0)))
    return count[bottom, right] - count[top, right] - count[bottom, left] + count[top, left] > 0
