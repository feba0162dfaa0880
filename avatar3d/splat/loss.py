"""How far the splats over the mesh are from the photo, and which way is nearer."""

from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.splat.look import Look

_EMPTY_WEIGHT: Final = 0.5
"""Of covering what the photo shows to be empty, beside the error of colour."""


def compare(
    colour: Float32[np.ndarray, "H W 3"], coverage: Float32[np.ndarray, "H W"], look: Look
) -> tuple[float, Float32[np.ndarray, "H W 3"], Float32[np.ndarray, "H W"]]:
    """Mean squared error (sRGB) of the splats over the mesh where the photo is believed, and of splats where nothing is.

    The loss, and its gradients for the splats' premultiplied colour and coverage.
    """
    both = colour + (1 - coverage)[..., None] * look.mesh
    shown, slope = _encoded(both)
    believed = look.believed[..., None]
    off = (shown - look.photo) * believed
    count = np.float32(max(3 * float(look.believed.sum()), 1.0))
    to_colour = 2 * off * slope / count
    spill = coverage * look.empty
    to_coverage = -(to_colour * look.mesh).sum(axis=2) + 2 * np.float32(_EMPTY_WEIGHT) * 3 * spill / count
    loss = float((off * off).sum() / count) + _EMPTY_WEIGHT * 3 * float((spill * spill).sum() / count)
    return loss, to_colour.astype(np.float32), to_coverage.astype(np.float32)


def _encoded(
    linear: Float32[np.ndarray, "H W 3"],
) -> tuple[Float32[np.ndarray, "H W 3"], Float32[np.ndarray, "H W 3"]]:
    """sRGB in [0, 1] and its slope (IEC 61966-2-1); beyond 1 it goes on straight, so that there is a way back."""
    safe = np.clip(linear, np.float32(0.0031308), 1)
    power = safe ** np.float32(1 / 2.4)
    curved = np.float32(1.055) * power - np.float32(0.055)
    steep = np.float32(1.055 / 2.4) * power / safe
    low = linear <= np.float32(0.0031308)
    steep = np.where(low, np.float32(12.92), steep)
    return np.where(low, np.float32(12.92) * linear, curved + (linear - safe) * steep), steep
