"""Bend the head model: identity, expression and gaze, in numpy.

rest + identity --> neutral --> + expression --> + eyes turned about their joints --> posed

An eye is turned by its eyeLook weights first and by its joint after them, as every engine does with the file. So a joint
gets what the weights leave of the gaze: nothing, when both come from one tracker (`turns_left` tells).
"""

import numpy as np
from jaxtyping import Float32
from scipy.spatial.transform import Rotation

from avatar3d.core.blendshapes import ARKIT_INDEX
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
    *,
    smile_lean: float = 0.0,
) -> Float32[np.ndarray, "V 3"]:
    """The neutral head with ARKit weights, then its eyes turned further (unit quaternions about the joints), metres.

    With `smile_lean` the weights are of shapes that lean so (see HeadFit), and the model's do not.
    """
    active = np.flatnonzero(expression)
    flat = model.expression.reshape(len(model.expression), -1)[active]
    weights = expression[active].astype(np.float32) * lean_gains(smile_lean)[active]
    posed = neutral + (weights @ flat).reshape(-1, 3)
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


def lean_gains(smile_lean: float) -> Float32[np.ndarray, "52"]:
    """How much stronger than the model's each shape is, of a person whose smile leans (see HeadFit)."""
    gains = np.ones(len(ARKIT_INDEX), np.float32)
    gains[ARKIT_INDEX["mouthSmileLeft"]] += np.float32(smile_lean)
    gains[ARKIT_INDEX["mouthSmileRight"]] -= np.float32(smile_lean)
    return gains


def turns_left(
    model: HeadModel,
    expression: Float32[np.ndarray, "52"],
    left_gaze_wxyz: Float32[np.ndarray, "4"],
    right_gaze_wxyz: Float32[np.ndarray, "4"],
) -> tuple[Float32[np.ndarray, "4"], Float32[np.ndarray, "4"]]:
    """What the eye joints must still turn so that the eyes look along these gazes (from rest), weights applied.

    For `pose_head` and engines, when weights and whole gazes are given together (a `Frame`). Left, then right.
    """
    active = np.flatnonzero(expression)
    flat = model.expression.reshape(len(model.expression), -1)[active]
    looking = model.rest + (expression[active].astype(np.float32) @ flat).reshape(-1, 3)
    left = _left_to_turn(model, looking, "leftEye", left_gaze_wxyz)
    return left, _left_to_turn(model, looking, "rightEye", right_gaze_wxyz)


def joints(model: HeadModel, vertices: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "J 3"]:
    """Joint positions of a head with these vertices (neutral, not posed), metres."""
    return model.joint_regressor @ vertices


def _left_to_turn(
    model: HeadModel, looking: Float32[np.ndarray, "V 3"], joint: str, gaze_wxyz: Float32[np.ndarray, "4"]
) -> Float32[np.ndarray, "4"]:
    """gaze = left over * turned already; the latter is the eyeball's own rotation (Kabsch 1976)."""
    index = model.joint_names.index(joint)
    ball = np.flatnonzero(np.where(model.skin_joints == index, model.skin_weights, 0).sum(1) > 0.5)
    rest, now = (vertices[ball] - vertices[ball].mean(0) for vertices in (model.rest, looking))
    already = Rotation.align_vectors(now, rest)[0]
    w, x, y, z = gaze_wxyz
    over = (Rotation.from_quat([x, y, z, w]) * already.inv()).as_quat()
    over *= np.where(over[3] < 0, -1, 1)
    return over[[3, 0, 1, 2]].astype(np.float32)


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
