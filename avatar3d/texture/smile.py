"""Where smiles fold faces, as pictures on the face's atlas, and how much this face smiles."""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.texture.atlas import Atlas, once_per_atlas
from avatar3d.texture.regions import blur

# Where smiles crease whatever the mesh says: along the folds beside nose and mouth, below and outside the eyes (landmarks).
_LINES: Final = (
    (129, 203, 206, 216, 212, 202), (358, 423, 426, 436, 432, 422), (207, 187, 147), (427, 411, 376),
    (57, 214, 192, 213, 147), (287, 434, 416, 433, 376), (187, 147, 177, 215), (411, 376, 401, 435),
    (143, 35, 111, 117, 118), (372, 265, 340, 346, 347), (34, 143, 116), (264, 372, 345),
)  # fmt: skip
# The deep ones among them: whole valleys of shade, from the nose past the mouth, from its corners over the cheeks.
_VALLEYS: Final = (
    (129, 203, 206, 216, 212, 202), (358, 423, 426, 436, 432, 422),
    (57, 216, 207, 187, 147), (287, 436, 427, 411, 376), (57, 214, 192, 213), (287, 434, 416, 433),
)  # fmt: skip
# The folds themselves run past the nose and the corners of the mouth.
_FOLDS: Final = (
    (129, 203, 206, 216, 212, 202), (358, 423, 426, 436, 432, 422), (216, 207, 214), (436, 427, 434),
)  # fmt: skip
# The pits at the corners of a mouth, the deeper the broader it smiles.
_PITS: Final = ((78, 61, 57), (308, 291, 287))
_PIT_WIDTH: Final = 0.028
_PIT_SOFT: Final = 0.006
_WIDTH: Final = 0.06
"""How wide a zone belongs to each, since all of it lies in the fold's shade, atlas edges."""
_SOFT: Final = 0.015
_FOLD_SOFT: Final = 0.010
_CREASING: Final = ("mouthSmileLeft", "mouthSmileRight", "cheekSquintLeft", "cheekSquintRight")


def smile_of(fitted: HeadFit) -> float:
    """How strongly the photo's expression creases the cheeks, 0 to 1."""
    return float(np.clip(1.5 * max(fitted.expression[ARKIT_INDEX[name]] for name in _CREASING), 0, 1))


@once_per_atlas
def smile_lines(model: HeadModel, atlas: Atlas) -> Float32[np.ndarray, "S S"]:
    """1 where a broad smile creases nearly every face."""
    return _painted(model, atlas.size, _LINES, _SOFT)


@once_per_atlas
def smile_valleys(model: HeadModel, atlas: Atlas) -> Float32[np.ndarray, "S S"]:
    """1 where it folds them so deep that whole valleys lie in shade."""
    return _painted(model, atlas.size, _VALLEYS, _SOFT)


@once_per_atlas
def smile_folds(model: HeadModel, atlas: Atlas) -> Float32[np.ndarray, "S S"]:
    """1 where it folds the cheeks."""
    return _painted(model, atlas.size, _FOLDS, _FOLD_SOFT)


@once_per_atlas
def mouth_corners(model: HeadModel, atlas: Atlas) -> Float32[np.ndarray, "S S"]:
    """1 in the pits at the corners of the mouth."""
    return _painted(model, atlas.size, _PITS, _PIT_SOFT, _PIT_WIDTH)


def _painted(
    model: HeadModel, size: int, paths: tuple[tuple[int, ...], ...], soft: float, width: float = _WIDTH
) -> Float32[np.ndarray, "S S"]:
    canvas = np.zeros((size, size), np.uint8)
    for path in paths:
        corners = model.uvs[model.triangle_uvs[model.landmark_triangles[list(path)]]]
        places = np.einsum("ni,nic->nc", model.landmark_barycentric[list(path)], corners) * size
        line = np.round(places * 16).astype(np.int32)[None]
        cv2.polylines(canvas, list(line), False, (255,), max(1, round(width * size)), cv2.LINE_AA, 4)
    return blur(canvas.astype(np.float32) / np.float32(255), soft * size)
