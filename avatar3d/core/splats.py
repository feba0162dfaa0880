"""Gaussians bound to triangles."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32


@dataclass(frozen=True, eq=False)
class SplatCloud:
    """Gaussians that ride on a mesh: each is placed in the frame of its triangle."""

    triangle: Int32[np.ndarray, "S"]
    barycentric: Float32[np.ndarray, "S 3"]
    offset: Float32[np.ndarray, "S"]
    """Along the triangle's normal, metres."""
    rotation_wxyz: Float32[np.ndarray, "S 4"]
    """In the triangle's frame."""
    scale: Float32[np.ndarray, "S 3"]
    """Standard deviations, metres."""
    colour: Float32[np.ndarray, "S 3"]
    """Linear RGB (spherical harmonics of degree 0)."""
    opacity: Float32[np.ndarray, "S"]
