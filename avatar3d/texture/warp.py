"""A small smooth warp that aligns the photo's pixels to the fitted mesh; geometry is never touched by it.

Only where mesh and picture must meet: lids, lips and nostrils, which open or are holes. Elsewhere a landmark's residual is
mostly the detector's error, and a texture moved by it is wrong from every side.
"""

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.texture.regions import LEFT_EYE, LIPS, MOUTH_OPENING, NOSTRILS, RIGHT_EYE

# Widths of the Gaussian kernels, inter-ocular distances: coarse first, each takes what the one before left over.
_WIDTHS = (0.06, 0.03)
_LARGEST = 0.08
"""Residuals beyond this share of the inter-ocular distance are a wrong landmark, not a misfit."""
_TRUST = 0.35
"""Weight of "no shift" beside the landmarks within one kernel: the warp fades away from the face."""
_OPENINGS = np.array(sorted({*RIGHT_EYE, *LEFT_EYE, *LIPS, *MOUTH_OPENING, *NOSTRILS}))
FIRST_IRIS = 468
"""Irises move with the gaze, not with the skin."""


def aligned_pixels(model: HeadModel, fitted: HeadFit, face: FaceObservation) -> Float32[np.ndarray, "V 2"]:
    """Where in the photo to look for each vertex: its projection, shifted as the landmarks near it were missed.

    Residuals of the landmarks at the openings are spread by Gaussian kernels from coarse to fine; the other landmarks
    hold their places.
    """
    corners = fitted.posed[model.triangles[model.landmark_triangles]]
    on_head = np.einsum("nij,ni->nj", corners, model.landmark_barycentric).astype(np.float32)
    landmarks, pixels = fitted.camera.project(on_head), fitted.camera.project(fitted.posed)
    unit = face.interocular_px
    residual = face.landmarks_px - landmarks
    weight = model.landmark_confidence * (np.linalg.norm(residual, axis=1) < _LARGEST * unit)
    weight[FIRST_IRIS:] = 0
    near = np.flatnonzero(
        (pixels > landmarks.min(axis=0) - unit).all(axis=1) & (pixels < landmarks.max(axis=0) + unit).all(axis=1)
    )
    shift = np.zeros((len(near), 2), np.float32)
    left_over = np.zeros_like(residual)
    left_over[_OPENINGS] = residual[_OPENINGS]
    for width in _WIDTHS:
        shift += _smooth(pixels[near], landmarks, left_over, weight, width * unit)
        left_over = left_over - _smooth(landmarks, landmarks, left_over, weight, width * unit)
    moved = pixels.copy()
    moved[near] += shift
    return moved


def _smooth(
    where: Float32[np.ndarray, "N 2"],
    points: Float32[np.ndarray, "K 2"],
    values: Float32[np.ndarray, "K 2"],
    weights: Float32[np.ndarray, "K"],
    width: float,
) -> Float32[np.ndarray, "N 2"]:
    """Weighted mean of the values under a Gaussian, with a share of zero."""
    used = np.flatnonzero(weights > 0)
    if len(used) == 0:
        return np.zeros((len(where), 2), np.float32)
    squared = (where**2).sum(axis=1)[:, None] - 2 * where @ points[used].T + (points[used] ** 2).sum(axis=1)[None, :]
    kernel = np.exp(-0.5 * np.maximum(squared, 0) / width**2) * weights[used]
    return ((kernel @ values[used]) / (kernel.sum(axis=1, keepdims=True) + _TRUST)).astype(np.float32)


def sample(
    image: Float32[np.ndarray, "H W C"], pixels: Float32[np.ndarray, "N 2"], *, sharp: bool = False
) -> Float32[np.ndarray, "N C"]:
    """The picture at pixels (centres at integer + 0.5), bilinear or bicubic, edges replicated."""
    width = 4096
    rows = max(1, -(-len(pixels) // width))  # cv2.remap refuses an empty map
    padded = np.zeros((2, rows * width), np.float32)
    padded[:, : len(pixels)] = pixels.T - np.float32(0.5)
    x, y = padded.reshape(2, rows, width)
    how = cv2.INTER_CUBIC if sharp else cv2.INTER_LINEAR
    looked = cv2.remap(image, x, y, how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(looked, np.float32).reshape(rows * width, -1)[: len(pixels)]
