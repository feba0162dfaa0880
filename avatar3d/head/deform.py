"""Bend the head model: identity, expression and gaze, in numpy.

rest + identity --> neutral --> + expression --> + eyes turned about their joints --> posed
"""

import numpy as np
from jaxtyping import Float32

from avatar3d.core.head import HeadModel


def shape_head(model: HeadModel, identity: Float32[np.ndarray, "K"]) -> Float32[np.ndarray, "V 3"]:
    """The neutral head of a person, metres. Fewer coefficients than the model has modes leave the others zero."""
    used = len(identity)
    flat = model.identity.reshape(len(model.identity), -1)[:used]
    return model.rest + (identity.astype(np.float32) @ flat).reshape(-1, 3)


def pose_head(
    model: HeadModel,
    neutral: Float32[np.ndarray, "V 3"],
    expression: Float32[np.ndarray, "52"],
    left_eye_wxyz: Float32[np.ndarray, "4"],
    right_eye_wxyz: Float32[np.ndarray, "4"],
) -> Float32[np.ndarray, "V 3"]:
    """The neutral head with ARKit weights and its eyes turned (unit quaternions about the eye joints), metres."""
    active = np.flatnonzero(expression)
    flat = model.expression.reshape(len(model.expression), -1)[active]
    posed = neutral + (expression[active].astype(np.float32) @ flat).reshape(-1, 3)
    centres = joints(model, neutral)
    for name, quaternion in (("leftEye", left_eye_wxyz), ("rightEye", right_eye_wxyz)):
        if abs(float(quaternion[0])) < 1.0 or quaternion[1:].any():
            joint = model.joint_names.index(name)
            weight = np.where(model.skin_joints == joint, model.skin_weights, 0).sum(1)
            moved = np.flatnonzero(weight)
            arm = posed[moved] - centres[joint]
            turned = arm @ _matrix(quaternion).T
            posed[moved] += weight[moved, None] * (turned - arm)
    return posed


def joints(model: HeadModel, vertices: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "J 3"]:
    """Joint positions of a head with these vertices (neutral, not posed), metres."""
    return model.joint_regressor @ vertices


def _matrix(quat_wxyz: Float32[np.ndarray, "4"]) -> Float32[np.ndarray, "3 3"]:
    """Rotation matrix of a quaternion (normalised here)."""
    w, x, y, z = (quat_wxyz / np.linalg.norm(quat_wxyz)).astype(np.float32)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ],
        np.float32,
    )
