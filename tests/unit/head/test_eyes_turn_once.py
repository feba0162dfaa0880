"""Gaze has one rule: weights turn the eyeball first, the joint turns it further, and nothing is turned twice."""

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel
from avatar3d.head.deform import pose_head, turns_left
from avatar3d.head.load import load_head_model

STILL = np.array([1, 0, 0, 0], np.float32)


def turn_wxyz(degrees: float, axis: int) -> np.ndarray:
    half = np.radians(degrees) / 2
    quaternion = np.zeros(4, np.float32)
    quaternion[[0, 1 + axis]] = np.cos(half), np.sin(half)
    return quaternion


def looks(model: HeadModel, vertices: np.ndarray, side: str) -> np.ndarray:
    """Unit direction from the eyeball's middle to the point that is its foremost at rest."""
    ball = np.unique(model.triangles[model.part(f"eye{side}")])
    centre = (model.joint_regressor @ vertices)[model.joint_names.index(f"{side.lower()}Eye")]
    ahead = vertices[ball[np.argmax(model.rest[ball, 2])]] - centre
    return ahead / np.linalg.norm(ahead)


def aside(weight: float) -> np.ndarray:
    """Both eyes to the person's left and a little down."""
    weights = np.zeros(52, np.float32)
    for name in ("eyeLookOutLeft", "eyeLookInRight"):
        weights[ARKIT_INDEX[name]] = weight
    for name in ("eyeLookDownLeft", "eyeLookDownRight"):
        weights[ARKIT_INDEX[name]] = 0.3 * weight
    return weights


def test_the_joint_turns_an_eye_further_than_its_weights_did() -> None:
    model = load_head_model()
    by_weights = pose_head(model, model.rest, aside(0.5), STILL, STILL)
    further = pose_head(model, model.rest, aside(0.5), turn_wxyz(10, 1), STILL)
    start, end = looks(model, by_weights, "Left"), looks(model, further, "Left")
    assert np.degrees(np.arccos(start @ end)) == pytest.approx(10, abs=0.5)
    np.testing.assert_array_equal(looks(model, by_weights, "Right"), looks(model, further, "Right"))


@pytest.mark.parametrize("weight", [0.0, 0.4, 0.8])
def test_eyes_look_along_the_gaze_whatever_the_weights_did_already(weight: float) -> None:
    model = load_head_model()
    gaze = turn_wxyz(18, 1)  # to the person's left
    left, right = turns_left(model, aside(weight), gaze, gaze)
    posed = pose_head(model, model.rest, aside(weight), left, right)
    for side in ("Left", "Right"):
        wanted = looks(model, pose_head(model, model.rest, np.zeros(52, np.float32), gaze, gaze), side)
        assert np.degrees(np.arccos(min(1, looks(model, posed, side) @ wanted))) < 0.5


def test_weights_that_say_it_all_leave_the_joints_nothing() -> None:
    model = load_head_model()
    left, right = turns_left(model, np.zeros(52, np.float32), STILL, STILL)
    np.testing.assert_allclose([left, right], [STILL, STILL], atol=1e-6)
    alone, _ = turns_left(model, aside(0.6), STILL, STILL)
    # Turned by weights, told to look straight ahead: the joint turns it back, by as much.
    back = pose_head(model, model.rest, aside(0.6), alone, STILL)
    assert looks(model, back, "Left")[2] > 0.9999 * looks(model, model.rest, "Left")[2]
