"""Gaze comes from the irises, resting lids belong to the person."""

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.fit.fit import fit_head
from avatar3d.fit.gaze import RIGHT_IRIS, direction_of, look_weights, together, turn_between
from avatar3d.fit.lids import calmed_lids, lids_on_picture, resting_lids
from avatar3d.head.deform import pose_head
from tests.unit.fit.faces import camera_at, default_head, face_of, landmarks_of


def _gaze(quaternion: np.ndarray) -> np.ndarray:
    return matrix_from_quaternion(quaternion) @ np.array([0, 0, 1], np.float32)


def test_a_turn_leads_from_one_direction_to_the_other() -> None:
    gaze = direction_of(np.array([0.3, -0.2]))
    np.testing.assert_allclose(gaze, [np.sin(0.3) * np.cos(0.2), -np.sin(0.2), np.cos(0.3) * np.cos(0.2)])
    np.testing.assert_allclose(_gaze(turn_between(np.array([0.0, 0, 1]), gaze)), gaze, atol=1e-6)


def test_looking_left_is_out_for_the_left_eye_and_in_for_the_right() -> None:
    weights = look_weights(np.array([0.2, 0.0]), np.array([0.2, 0.0]))
    assert weights[ARKIT_INDEX["eyeLookOutLeft"]] > 0.3
    assert weights[ARKIT_INDEX["eyeLookInRight"]] > 0.3
    assert weights[ARKIT_INDEX["eyeLookInLeft"]] == weights[ARKIT_INDEX["eyeLookUpLeft"]] == 0


def test_eyes_hardly_look_apart() -> None:
    left, right = together(np.array([0.5, 0.1]), np.array([-0.3, 0.0]))
    assert left[0] - right[0] < np.radians(10)
    assert left[1] == right[1]


def test_eyes_may_look_at_something_near() -> None:
    left, right = together(np.array([-0.05, 0.0]), np.array([0.05, 0.0]))
    np.testing.assert_allclose([left[0], right[0]], [-0.05, 0.05])


def test_the_fitted_irises_fall_where_they_were_seen() -> None:
    model, camera = default_head(), camera_at(0.7)
    aside = look_weights(np.array([0.3, 0.1]), np.array([0.3, 0.1])).astype(np.float32)
    straight = np.array([1, 0, 0, 0], np.float32)
    face = face_of(model, pose_head(model, model.rest, aside, straight, straight), camera)
    fitted = fit_head(model, face)
    assert fitted.expression[ARKIT_INDEX["eyeLookOutLeft"]] > 0.3
    irises = fitted.camera.project(landmarks_of(model, fitted.posed))[RIGHT_IRIS].mean(0)
    assert np.linalg.norm(irises - face.landmarks_px[RIGHT_IRIS].mean(0)) < 0.02 * face.interocular_px


def test_weights_alone_turn_the_eyes_of_the_default_head() -> None:
    model = default_head()
    aside = look_weights(np.array([0.25, 0.0]), np.array([0.25, 0.0])).astype(np.float32)
    straight = np.array([1, 0, 0, 0], np.float32)
    fitted = fit_head(model, face_of(model, pose_head(model, model.rest, aside, straight, straight), camera_at(0.7)))
    for turn in (fitted.left_eye_wxyz, fitted.right_eye_wxyz):
        assert _gaze(turn)[2] > np.cos(np.radians(5))


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


def test_lids_come_to_lie_where_the_photo_shows_them() -> None:
    model, camera = default_head(), camera_at(0.7)
    shapes = {f"eyeSquint{side}": 0.5 for side in ("Left", "Right")} | {"eyeBlinkLeft": 0.2, "eyeBlinkRight": 0.05}
    true = np.zeros(52)
    for name, weight in shapes.items():
        true[ARKIT_INDEX[name]] = weight
    seen = model.rest + np.tensordot(true.astype(np.float32), model.expression, 1)
    margins = landmarks_of(model, seen)
    marked = margins.copy()  # on the upper lashes, below the lower lid's wet line
    marked[[385, 386, 387, 158, 159, 160], 1] += 0.0004
    marked[[380, 374, 373, 144, 145, 153], 1] -= 0.0003
    found = lids_on_picture(model, model.rest, np.zeros(52), camera, camera.project(marked))
    np.testing.assert_allclose(found, true, atol=0.02)
    wider = lids_on_picture(model, model.rest, np.zeros(52), camera, camera.project(margins))
    assert (wider[found > 0] > found[found > 0]).all()  # what is marked nearer together is more shut


def test_a_shut_eye_is_not_shut_further() -> None:
    model, camera = default_head(), camera_at(0.7)
    shut = model.rest + model.expression[ARKIT_INDEX["eyeBlinkLeft"]] + model.expression[ARKIT_INDEX["eyeBlinkRight"]]
    found = lids_on_picture(model, model.rest, np.zeros(52), camera, camera.project(landmarks_of(model, shut)))
    for side in ("Left", "Right"):
        assert found[ARKIT_INDEX[f"eyeBlink{side}"]] == pytest.approx(1, abs=0.06)
        assert found[ARKIT_INDEX[f"eyeSquint{side}"]] < 0.06


def test_lids_seen_wider_than_any_weight_allows_are_left_open() -> None:
    model, camera = default_head(), camera_at(0.7)
    wide = model.rest + model.expression[ARKIT_INDEX["eyeWideLeft"]] + model.expression[ARKIT_INDEX["eyeWideRight"]]
    found = lids_on_picture(model, model.rest, np.zeros(52), camera, camera.project(landmarks_of(model, wide)))
    assert found.min() >= 0
    assert found[ARKIT_INDEX["eyeBlinkLeft"]] == found[ARKIT_INDEX["eyeBlinkRight"]] == 0
