"""Joints and the linear regressor that places them in anyone's head."""

from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32

NAMES: Final = ("root", "neck", "head", "jaw", "leftEye", "rightEye", "tongue")
PARENTS: Final = (-1, 0, 1, 2, 2, 2, 3)

POINTS: Final = {
    # Metres, in the mean head.
    # Root: between the collarbones' inner ends and the spine. Neck and head: seventh neck vertebra and skull base.
    "root": (0.0, -0.165, -0.030),
    "neck": (0.0, -0.115, -0.030),
    "head": (0.0, -0.010, -0.005),
    # ICT's lower teeth turn about this axis when the jaw opens (measured from its jawOpen).
    "jaw": (0.0, -0.0055, 0.0182),
    "tongue": (0.0, -0.035, 0.055),
}
_SUPPORT: Final = 60


def regressor(
    rest: Float64[np.ndarray, "v 3"],
    skin: Int32[np.ndarray, "n"],
    mirror: Int32[np.ndarray, "v"],
    eyes: dict[str, Int32[np.ndarray, "m"]],
) -> Float32[np.ndarray, "J v"]:
    """Rows sum to 1 and give the joints of the mean head exactly.

    An eye joint is the centre of its ball. The others are an affine combination of skin vertices around them
    (weights of least norm, nearer ones preferred), so that they follow the person's width, height and depth.
    """
    result = np.zeros((len(NAMES), len(rest)))
    for row, name in enumerate(NAMES):
        if name in eyes:
            near, point = eyes[name], ball_centre(rest[eyes[name]])
        else:
            point = np.array(POINTS[name])
            distance = np.linalg.norm((rest[skin] - point) * [0.5, 1.0, 1.0], axis=1)
            near = skin[np.argsort(distance, kind="stable")[:_SUPPORT]]
            near = np.unique(np.r_[near, mirror[near]])
        prefer = 1 / (0.01 + np.linalg.norm(rest[near] - point, axis=1))
        system = np.vstack([rest[near].T, np.ones(len(near))]) * prefer
        result[row, near] = prefer * np.linalg.lstsq(system, np.r_[point, 1.0], rcond=None)[0]
    return result.astype(np.float32)


def ball_centre(vertices: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "3"]:
    """Centre of the sphere through the sclera: the vertices behind the front third, where no cornea bulges."""
    depth = vertices[:, 2]
    behind = vertices[depth < depth.min() + 0.66 * (depth.max() - depth.min())]
    system = np.hstack([2 * behind, np.ones((len(behind), 1))])
    return np.linalg.lstsq(system, (behind**2).sum(1), rcond=None)[0][:3]
