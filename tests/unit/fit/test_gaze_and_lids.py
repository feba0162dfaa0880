"""Gaze comes from the irises, resting lids belong to the person."""

from dataclasses import replace

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.fit.fit import fit_head
from avatar3d.fit.gaze import eye_rotation, look_weights, together
from avatar3d.fit.lids import calmed_lids, resting_lids
from avatar3d.head.deform import pose_head
from tests.unit.fit.faces import camera_at, default_head, face_of


def _gaze(quaternion: np.ndarray) -> np.ndarray:
    return matrix_from_quaternion(quaternion) @ np.array([0, 0, 1], np.float32)


def test_an_eye_rotation_turns_forward_to_the_gaze() -> None:
    gaze = _gaze(eye_rotation(np.array([0.3, -0.2])))
    np.testing.assert_allclose(gaze, [np.sin(0.3) * np.cos(0.2), -np.sin(0.2), np.cos(0.3) * np.cos(0.2)], atol=1e-6)


def test_looking_left_is_out_for_the_left_eye_and_in_for_the_right() -> None:
    weights = look_weights(np.array([0.2, 0.0]), np.array([0.2, 0.0]))
    assert weights[ARKIT_INDEX["eyeLookOutLeft"]] > 0.3
    assert weights[ARKIT_INDEX["eyeLookInRight"]] > 0.3
    assert weights[ARKIT_INDEX["eyeLookInLeft"]] == weights[ARKIT_INDEX["eyeLookUpLeft"]] == 0


def test_eyes_never_look_apart() -> None:
    left, right = together(np.array([0.3, 0.1]), np.array([-0.1, 0.0]))
    assert left[0] <= right[0]
    assert left[1] == right[1]


def test_a_turned_gaze_is_found() -> None:
    model, camera = default_head(), camera_at(0.7)
    turned = eye_rotation(np.array([0.3, 0.0]))
    looking = pose_head(model, model.rest, np.zeros(52, np.float32), turned, turned)
    face = face_of(model, model.rest, camera)
    points = face.landmarks_px.copy()
    points[468:] = face_of(model, looking, camera).landmarks_px[468:]
    ahead, aside = fit_head(model, face), fit_head(model, replace(face, landmarks_px=points))
    change = _gaze(aside.left_eye_wxyz)[0] - _gaze(ahead.left_eye_wxyz)[0]
    assert 0.2 < change < 0.4


def test_heavy_lids_rest_in_the_neutral() -> None:
    expression = np.zeros(52)
    for side in ("Left", "Right"):
        expression[ARKIT_INDEX[f"eyeBlink{side}"]] = 0.2
    np.testing.assert_array_equal(resting_lids(expression), expression)


def test_a_wink_stays_expression() -> None:
    expression = np.zeros(52)
    expression[ARKIT_INDEX["eyeBlinkLeft"]] = 0.9
    assert not resting_lids(expression).any()


def test_the_squint_of_a_smile_stays_expression() -> None:
    expression = np.zeros(52)
    for side in ("Left", "Right"):
        expression[ARKIT_INDEX[f"mouthSmile{side}"]] = 0.8
        expression[ARKIT_INDEX[f"eyeSquint{side}"]] = 0.5
    assert not resting_lids(expression).any()


def test_a_relaxed_eye_does_not_stare() -> None:
    model = default_head()
    none = np.zeros(52)
    wide_eyes = model.expression[ARKIT_INDEX["eyeWideLeft"]] + model.expression[ARKIT_INDEX["eyeWideRight"]]
    wide = model.rest + np.float32(0.8) * wide_eyes
    calm = calmed_lids(model, wide, none)
    shapes = [ARKIT_INDEX[f"{kind}{side}"] for kind in ("eyeBlink", "eyeSquint") for side in ("Left", "Right")]
    assert (calm[shapes] > 0.01).all()
    assert np.count_nonzero(calm) == len(shapes)
    settled = calmed_lids(model, wide, calm)
    assert (settled[shapes] - calm[shapes] < 0.5 * calm[shapes]).all()
    blink = model.expression[ARKIT_INDEX["eyeBlinkLeft"]] + model.expression[ARKIT_INDEX["eyeBlinkRight"]]
    half_shut = model.rest + np.float32(0.4) * blink
    sleepy = calmed_lids(model, half_shut, none)
    assert sleepy[ARKIT_INDEX["eyeBlinkLeft"]] == sleepy[ARKIT_INDEX["eyeBlinkRight"]] == 0
