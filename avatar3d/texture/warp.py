"""A small smooth warp that aligns the photo's pixels to the fitted mesh; geometry is never touched by it."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation

# Widths of the Gaussian kernels, inter-ocular distances: coarse first, each takes what the one before left over.
_WIDTHS = (0.5, 0.22, 0.10)
_LARGEST = 0.08
"""Residuals beyond this share of the inter-ocular distance are a wrong landmark, not a misfit."""
_TRUST = 0.35
"""Weight of "no shift" beside the landmarks within one kernel: the warp fades away from the face."""
_GRID = 56


@dataclass(frozen=True, eq=False)
class Warp:
    """photo pixel = projected pixel + shift(projected pixel)."""

    left_top_px: Float32[np.ndarray, "2"]
    step_px: float
    shift_px: Float32[np.ndarray, "G G 2"]
    """On a square grid that starts at left_top_px."""

    def apply(self, pixels: Float32[np.ndarray, "N 2"]) -> Float32[np.ndarray, "N 2"]:
        """Where in the photo to look for what the mesh shows at these pixels."""
        place = (pixels - self.left_top_px) / np.float32(self.step_px)
        edge = np.float32(self.shift_px.shape[0] - 1)
        place = np.clip(place, 0, edge)
        corner = np.minimum(place.astype(np.int32), int(edge) - 1)
        x, y = (place - corner).T.astype(np.float32)
        column, row = corner.T
        grid = self.shift_px
        upper = grid[row, column] * (1 - x)[:, None] + grid[row, column + 1] * x[:, None]
        lower = grid[row + 1, column] * (1 - x)[:, None] + grid[row + 1, column + 1] * x[:, None]
        return pixels + upper * (1 - y)[:, None] + lower * y[:, None]


def align_photo(model: HeadModel, fitted: HeadFit, face: FaceObservation) -> Warp:
    """The warp that brings the model's landmarks onto the observed ones, by Gaussian kernels from coarse to fine."""
    corners = fitted.posed[model.triangles[model.landmark_triangles]]
    on_head = np.einsum("nij,ni->nj", corners, model.landmark_barycentric).astype(np.float32)
    projected = fitted.camera.project(on_head)
    unit = face.interocular_px
    residual = face.landmarks_px - projected
    length = np.linalg.norm(residual, axis=1)
    weight = model.landmark_confidence * (length < _LARGEST * unit)
    weight[468:] = 0  # irises move with the gaze, not with the skin
    left_top = projected.min(axis=0) - np.float32(0.6 * unit)
    extent = float((projected.max(axis=0) - left_top).max() + 0.6 * unit)
    step = extent / (_GRID - 1)
    x, y = np.meshgrid(np.arange(_GRID), np.arange(_GRID))
    nodes = left_top + np.stack([x, y], axis=-1).reshape(-1, 2) * np.float32(step)
    shift = np.zeros((len(nodes), 2), np.float32)
    left_over = residual.astype(np.float32)
    for width in _WIDTHS:
        shift += _smooth(nodes, projected, left_over, weight, width * unit)
        left_over = left_over - _smooth(projected, projected, left_over, weight, width * unit)
    return Warp(left_top.astype(np.float32), step, shift.reshape(_GRID, _GRID, 2))


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
    rows = -(-len(pixels) // width)
    padded = np.zeros((2, rows * width), np.float32)
    padded[:, : len(pixels)] = pixels.T - np.float32(0.5)
    x, y = padded.reshape(2, rows, width)
    how = cv2.INTER_CUBIC if sharp else cv2.INTER_LINEAR
    looked = cv2.remap(image, x, y, how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(looked, np.float32).reshape(rows * width, -1)[: len(pixels)]
