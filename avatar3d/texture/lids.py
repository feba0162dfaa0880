"""Skin of the lids that lies folded while the eye is open: a photo shows a hair's breadth of it, aslant, and no more."""

from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.head import HeadFit, HeadModel

_BLINKS: Final = ("eyeBlinkLeft", "eyeBlinkRight")
_UNFOLDS: Final = (2.0, 3.5)
"""So many times larger with the eye shut than in the photo, skin is believed wholly, and not at all: what is painted there from
a few pixels would be drawn out into streaks over the closed lid."""


def unfolding_lids(model: HeadModel, fitted: HeadFit) -> Float32[np.ndarray, "V 1"]:
    """1 on vertices whose skin the photo shows as large as it is, 0 where a blink unfolds it."""
    triangles = model.triangles[model.part("face")]
    rows = [ARKIT_NAMES.index(name) for name in _BLINKS]
    left = 1 - fitted.expression[rows]
    shut = fitted.posed + np.einsum("k,kvc->vc", left, model.expression[rows])
    larger = _areas(shut, triangles) / np.maximum(_areas(fitted.posed, triangles), 1e-12)
    total, count = np.zeros(len(shut)), np.zeros(len(shut))
    for corner in range(3):
        np.add.at(total, triangles[:, corner], larger)
        np.add.at(count, triangles[:, corner], 1)
    mean = total / np.maximum(count, 1)
    t = np.clip((mean - _UNFOLDS[0]) / (_UNFOLDS[1] - _UNFOLDS[0]), 0, 1)
    return (1 - t * t * (3 - 2 * t)).astype(np.float32)[:, None]


def _areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    first, second = (points[triangles[:, k]] - points[triangles[:, 0]] for k in (1, 2))
    return np.linalg.norm(np.cross(first, second), axis=1)
