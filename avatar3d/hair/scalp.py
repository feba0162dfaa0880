"""Where hair grows on a head that nobody has looked at yet: directions from the skull's middle and a usual hairline."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Float32, Float64

from avatar3d.core.head import HeadModel

# The usual hairline: azimuth from the front (degrees, either side) -> height above the eyes in inter-ocular distances.
# By eye on adult heads: forehead, temple recess, sideburn, over and behind the ear, nape.
_HAIRLINE: Final = np.array(
    [(0, 1.02), (22, 1.03), (38, 0.95), (48, 0.75), (58, 0.62), (66, 0.30), (73, -0.20), (77, -0.44),
     (81, -0.46), (85, 0.02), (92, 0.18), (100, 0.14), (107, -0.10), (114, -0.45), (122, -0.74), (136, -0.92), (160, -1.03),
     (180, -1.00)]
)  # fmt: skip
# The skull's middle from the middle between the eyes, in inter-ocular distances: up, forward.
_SKULL_MIDDLE: Final = (0.30, -1.20)


@dataclass(frozen=True, eq=False)
class Skull:
    """The frame in which hair is described."""

    middle: Float64[np.ndarray, "3"]
    """Inside the skull, in the sagittal plane; metres, head frame."""
    eyes: Float64[np.ndarray, "3"]
    """Between the eyes."""
    iod_m: float

    def azimuth(self, points: Float[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N"]:
        """Degrees around the vertical: 0 ahead, positive to the person's left, 180 behind."""
        away = points.astype(np.float64) - self.middle
        return np.degrees(np.arctan2(away[:, 0], away[:, 2]))

    def height(self, points: Float[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N"]:
        """Above the eyes, in inter-ocular distances."""
        return (points[:, 1].astype(np.float64) - self.eyes[1]) / self.iod_m


def find_skull(model: HeadModel, vertices: Float32[np.ndarray, "V 3"]) -> Skull:
    """The frame of one head (metres)."""
    joints = model.joint_regressor @ vertices
    left, right = (joints[model.joint_names.index(name)].astype(np.float64) for name in ("leftEye", "rightEye"))
    eyes = (left + right) / 2 * [0, 1, 1]
    iod = float(np.linalg.norm(left - right))
    return Skull(middle=eyes + np.array([0, *_SKULL_MIDDLE]) * iod, eyes=eyes, iod_m=iod)


def usual_hairline(azimuth_deg: Float64[np.ndarray, "*S"]) -> Float64[np.ndarray, "*S"]:
    """Height above the eyes (inter-ocular distances) where hair usually begins at each azimuth."""
    return np.interp(np.abs(azimuth_deg), _HAIRLINE[:, 0], _HAIRLINE[:, 1])
