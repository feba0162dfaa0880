"""Skin weights of the head's skin: root, neck, head and jaw, at most four per vertex.

The ARKit shape jawOpen moves the jaw by displacement; the jaw joint is the alternative for engines that drive bones,
so its weights follow the same shape: how far a vertex goes along with the lower teeth.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Float64, Int32

_NECK_BLEND_M: Final = 0.030
"""Half the height over which neck hands over to head, and root to neck."""
_NAPE_M: Final = (0.045, 0.060)
"""How far below and behind the origin the hand-over is half done at the nape."""


def smoothstep(x: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, smooth between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def skin_weights(
    vertices: Float64[np.ndarray, "v 3"],
    jaw_open: Float64[np.ndarray, "v 3"],
    joints: Mapping[str, tuple[float, float, float]],
    jaw_angle_rad: float,
) -> dict[str, Float64[np.ndarray, "v"]]:
    """Weight per joint name; sums to 1."""
    _, y, z = vertices.T
    # From the nape to below the chin the skull's edge falls towards the front: so does the hand-over.
    tilted = y + _NAPE_M[0] + 0.40 * (z + _NAPE_M[1])
    above = smoothstep(tilted / (2 * _NECK_BLEND_M) + 0.5)
    low = smoothstep((y - joints["neck"][1] + 0.01) / (2 * _NECK_BLEND_M))
    arm = vertices - np.array(joints["jaw"])
    turned = _turn_x(arm, jaw_angle_rad) - arm
    share = (jaw_open * turned).sum(1) / np.maximum((turned**2).sum(1), 1e-9)
    lever = np.linalg.norm(turned, axis=1)
    jaw = smoothstep(np.clip(share, 0, 1)) * smoothstep(lever / 0.01)
    neck = (1 - above) * low * (1 - jaw)
    return {"root": (1 - above) * (1 - low) * (1 - jaw), "neck": neck, "head": above * (1 - jaw), "jaw": jaw}


def _turn_x(points: np.ndarray, angle_rad: float) -> np.ndarray:
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return points @ np.array([[1, 0, 0], [0, c, s], [0, -s, c]])


def strongest_four(
    weights: dict[str, Float64[np.ndarray, "v"]], names: tuple[str, ...]
) -> tuple[Int32[np.ndarray, "v 4"], Float64[np.ndarray, "v 4"]]:
    """Joint indices and weights that sum to 1; unused slots are joint 0 with weight 0."""
    table = np.stack([weights.get(name, np.zeros(len(next(iter(weights.values()))))) for name in names], 1)
    order = np.argsort(-table, axis=1, kind="stable")[:, :4]
    best = np.take_along_axis(table, order, 1)
    best[best < 1e-3] = 0
    best /= best.sum(1, keepdims=True)
    return np.where(best > 0, order, 0).astype(np.int32), best
