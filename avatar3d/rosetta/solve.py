"""Least squares with bounds, for many frames at once, without more than numpy."""

from typing import Final

import numpy as np
from jaxtyping import Float64

_ROUNDS: Final = 400
_SETTLED: Final = 1e-6
_RIDGE: Final = 1e-6
"""Of the mean diagonal: names that say the same thing share it in one way only."""


def bounded(
    gram: Float64[np.ndarray, "N N"], right: Float64[np.ndarray, "T N"], most: float = 1.0
) -> Float64[np.ndarray, "T N"]:
    """The x in [0, most] that makes x gram x / 2 - right x least, per row: cyclic coordinate descent.

    It converges for every positive definite matrix (Hildreth 1957); the same input gives the same bytes.
    """
    scale = max(float(np.trace(gram)) / len(gram), 1e-12)
    matrix = gram + _RIDGE * scale * np.eye(len(gram))
    diagonal = np.diag(matrix)
    x = np.zeros_like(right)
    slope = -right.copy()  # matrix @ x - right, kept up to date
    for _ in range(_ROUNDS):
        largest = 0.0
        for k in range(len(matrix)):
            step = np.clip(x[:, k] - slope[:, k] / diagonal[k], 0.0, most) - x[:, k]
            x[:, k] += step
            slope += step[:, None] * matrix[k]
            largest = max(largest, float(np.abs(step).max(initial=0.0)))
        if largest < _SETTLED:
            break
    return x
