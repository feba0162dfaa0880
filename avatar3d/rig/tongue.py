"""This person's tongue poses for speech: the model's, as large as this tongue."""

import numpy as np
from jaxtyping import Float32

from avatar3d.core.head import HeadModel


def tongue_poses(model: HeadModel, neutral: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "P V 3"]:
    """Displacements (metres, TONGUE_NAMES order) of this neutral head (metres), zero but for the tongue."""
    if len(model.tongue) == 0:
        return model.tongue
    tongue = np.unique(model.triangles[model.part("tongue")])
    own, mean = (float(np.linalg.norm(np.ptp(vertices[tongue], axis=0))) for vertices in (neutral, model.rest))
    return model.tongue * np.float32(own / mean)
