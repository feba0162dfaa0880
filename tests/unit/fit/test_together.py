"""Several photos of one person, whose truth is known: one head, and a camera for each."""

from dataclasses import replace

import numpy as np
import pytest

from avatar3d.core.errors import FaceUnusableError
from avatar3d.core.photo import FaceObservation
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.fit.basis import SKIN_LANDMARKS
from avatar3d.fit.fit import fit_head
from avatar3d.fit.together import fit_together
from tests.unit.fit.faces import camera_at, default_head, face_of, random_person

YAWS = (0.0, 0.6, -0.6)


def shaken(face: FaceObservation, seed: int) -> FaceObservation:
    """Every landmark seen a little beside its place."""
    off = np.random.default_rng(seed).normal(0, 0.02 * face.interocular_px, (SKIN_LANDMARKS, 2))
    points = face.landmarks_px.copy()
    points[:SKIN_LANDMARKS] += off.astype(np.float32)
    return replace(face, landmarks_px=points)


def faces_of(seed: int) -> list[FaceObservation]:
    model, person = default_head(), random_person(default_head(), seed)
    return [shaken(face_of(model, person, camera_at(0.7, yaw_rad=yaw)), 10 * seed + k) for k, yaw in enumerate(YAWS)]


def test_one_photo_is_fitted_as_ever() -> None:
    model, (face, *_) = default_head(), faces_of(1)
    (together,), alone = fit_together(model, [face], segments=[None]).fits, fit_head(model, face)
    np.testing.assert_array_equal(together.posed, alone.posed)


def test_all_photos_get_one_head_and_each_its_own_camera() -> None:
    model, faces = default_head(), faces_of(2)
    fits = fit_together(model, faces, segments=[None] * 3).fits
    for fitted, yaw in zip(fits, YAWS, strict=True):
        np.testing.assert_array_equal(fitted.neutral, fits[0].neutral)
        turn = matrix_from_quaternion(camera_at(0.7, yaw_rad=yaw).rotation_wxyz)
        between = turn @ matrix_from_quaternion(fitted.camera.rotation_wxyz).T
        assert np.degrees(np.arccos(np.clip((np.trace(between) - 1) / 2, -1, 1))) < 5
        assert fitted.residual_iod < 0.04


def test_three_photos_tell_a_person_better_than_one() -> None:
    model = default_head()
    skin = np.unique(model.triangles[model.landmark_triangles[:SKIN_LANDMARKS]])

    def error(neutral: np.ndarray, truth: np.ndarray) -> float:
        a, b = neutral[skin] - neutral[skin].mean(0), truth[skin] - truth[skin].mean(0)
        return float(np.sqrt(((a - b) ** 2).sum(1).mean()))

    one, three = [], []
    for seed in range(5):
        faces, truth = faces_of(seed), random_person(model, seed)
        one.append(error(fit_head(model, faces[0]).neutral, truth))
        three.append(error(fit_together(model, faces, segments=[None] * 3).fits[0].neutral, truth))
    assert np.mean(three) < 0.95 * np.mean(one)


def test_the_order_of_the_further_photos_does_not_matter() -> None:
    model, (front, left, right) = default_head(), faces_of(3)
    first, second = (
        fit_together(model, [front, *others], segments=[None] * 3).fits[0] for others in ((left, right), (right, left))
    )
    assert first.neutral == pytest.approx(second.neutral, abs=1e-6)


def test_photos_of_two_people_are_refused_by_name() -> None:
    model = default_head()
    mine, theirs = faces_of(4)[0], faces_of(5)[0]
    theirs = replace(theirs, photo=replace(theirs.photo, file="theirs.jpg"))
    with pytest.raises(FaceUnusableError, match=r"theirs\.jpg") as refused:
        fit_together(model, [mine, theirs], segments=[None] * 2)
    assert (refused.value.id, refused.value.exit_code) == ("FACE_DIFFERENT", 15)


def test_photos_of_one_person_are_not_doubted() -> None:
    model = default_head()
    for seed in range(4):
        assert fit_together(model, faces_of(seed), segments=[None] * 3).doubts == ()
