"""fit_head on faces whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.errors import ModelError
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.fit.fit import fit_head
from avatar3d.head.deform import pose_head, shape_head
from tests.unit.fit.faces import WIDTH, camera_at, default_head, face_of, random_person


def _angle_rad(first: np.ndarray, second: np.ndarray) -> float:
    turn = matrix_from_quaternion(first) @ matrix_from_quaternion(second).T
    return float(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))


def _apart(first: np.ndarray, second: np.ndarray) -> float:
    """RMS distance in metres after a similarity (Procrustes): neither place nor size shows in a picture."""
    a, b = first - first.mean(0), second - second.mean(0)
    u, s, vt = np.linalg.svd(a.T @ b)
    return float(np.sqrt(((a @ (u @ vt) * (s.sum() / (a**2).sum()) - b) ** 2).sum(1).mean()))


def test_pose_and_distance_are_found() -> None:
    model, camera = default_head(), camera_at(0.7, yaw_rad=0.3, pitch_rad=-0.1)
    fitted = fit_head(model, face_of(model, random_person(model, 1), camera))
    assert _angle_rad(fitted.camera.rotation_wxyz, camera.rotation_wxyz) < np.radians(4)
    assert np.linalg.norm(fitted.camera.position_m - camera.position_m) < 0.08
    assert fitted.residual_iod < 0.03


def test_two_people_get_different_heads() -> None:
    model, camera = default_head(), camera_at(0.7)
    first, second = (fit_head(model, face_of(model, random_person(model, seed), camera)) for seed in (1, 2))
    assert np.linalg.norm(first.neutral - second.neutral, axis=1).mean() > 0.001


def test_the_fitted_head_is_nearer_to_the_person_than_the_mean_head() -> None:
    model, camera = default_head(), camera_at(0.7)
    skin = np.unique(model.triangles[model.landmark_triangles[:468]])
    better = 0
    for seed in range(6):
        person = random_person(model, seed)
        fitted = fit_head(model, face_of(model, person, camera))
        better += bool(_apart(fitted.neutral[skin], person[skin]) < _apart(model.rest[skin], person[skin]))
    assert better == 6


def test_a_smile_is_expression_and_not_identity() -> None:
    model, camera = default_head(), camera_at(0.8)
    person = random_person(model, 3)
    weights = np.zeros(52, np.float32)
    for side in ("Left", "Right"):
        weights[ARKIT_INDEX[f"mouthSmile{side}"]] = 0.7
    straight = np.array([1, 0, 0, 0], np.float32)
    smiling = fit_head(model, face_of(model, pose_head(model, person, weights, straight, straight), camera))
    neutral = fit_head(model, face_of(model, person, camera))
    assert smiling.expression[ARKIT_INDEX["mouthSmileLeft"]] > 0.35
    assert _apart(smiling.neutral, neutral.neutral) < 0.5 * _apart(neutral.neutral, model.rest)


def test_expressions_stay_in_zero_to_one() -> None:
    model = default_head()
    fitted = fit_head(model, face_of(model, random_person(model, 4), camera_at(0.5, yaw_rad=-0.4)))
    assert fitted.expression.min() >= 0
    assert (fitted.expression + fitted.resting).max() <= 1


def test_neutral_and_posed_are_what_their_numbers_say() -> None:
    model = default_head()
    fitted = fit_head(model, face_of(model, random_person(model, 5), camera_at(0.6)))
    neutral = shape_head(model, fitted.identity) + np.tensordot(fitted.resting, model.expression, 1)
    np.testing.assert_allclose(fitted.neutral, neutral, atol=1e-6)
    posed = pose_head(model, fitted.neutral, fitted.expression, fitted.left_eye_wxyz, fitted.right_eye_wxyz)
    np.testing.assert_allclose(fitted.posed, posed, atol=1e-6)


def test_the_mirrored_face_gives_the_mirrored_head() -> None:
    model = default_head()
    face = face_of(model, random_person(model, 6), camera_at(0.7, yaw_rad=0.2))
    from avatar3d.photo.mesh_layout import MIRROR

    flipped = face.landmarks_px[MIRROR] * np.array([-1, 1], np.float32) + np.array([WIDTH, 0], np.float32)
    mirrored = replace(face, landmarks_px=flipped, depth_px=face.depth_px[MIRROR])
    straight, other = fit_head(model, face), fit_head(model, mirrored)
    skin = np.unique(model.triangles[model.part("face")])
    back = (other.neutral[model.mirror] * np.array([-1, 1, 1], np.float32))[skin]
    assert np.linalg.norm(back - straight.neutral[skin], axis=1).mean() < 0.0005


def test_a_hidden_chin_does_not_bend_the_rest() -> None:
    model = default_head()
    face = face_of(model, random_person(model, 7), camera_at(0.7))
    beard = [152, 148, 176, 377, 400, 175, 199, 200, 208, 428, 171, 396]
    moved = face.landmarks_px.copy()
    moved[beard] += np.array([0, 0.25 * face.interocular_px], np.float32)
    clean, bearded = fit_head(model, face), fit_head(model, replace(face, landmarks_px=moved))
    upper = np.unique(model.triangles[model.part("face")])
    upper = upper[model.rest[upper, 1] > 0]
    shift = np.linalg.norm(clean.neutral[upper] - bearded.neutral[upper], axis=1).mean()
    assert shift < 0.003


def test_the_same_face_gives_the_same_bytes() -> None:
    model = default_head()
    face = face_of(model, random_person(model, 8), camera_at(0.9))
    first, second = fit_head(model, face), fit_head(model, face)
    assert first.posed.tobytes() == second.posed.tobytes()


def test_a_head_without_landmarks_is_refused() -> None:
    model = default_head()
    bare = replace(model, landmark_confidence=np.zeros(478, np.float32))
    with pytest.raises(ModelError, match="landmarks"):
        fit_head(bare, face_of(model, model.rest, camera_at(0.7)))
