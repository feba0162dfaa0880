"""The joints of one head."""

import numpy as np
from jaxtyping import Float32

from avatar3d.core.avatar import Skeleton
from avatar3d.core.head import HeadModel


def place_skeleton(model: HeadModel, neutral: Float32[np.ndarray, "V 3"]) -> Skeleton:
    """The model's joints where this neutral head (metres) has them; identity rest rotations."""
    return Skeleton(
        names=model.joint_names,
        parents=model.joint_parents,
        positions=(model.joint_regressor @ neutral).astype(np.float32),
    )
