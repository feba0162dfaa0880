"""A head bends where it is told, smoothly, and nowhere else."""

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel
from avatar3d.head.bend import bend_field
from avatar3d.head.load import load_head_model

NOSE, CHIN, UPPER_LIP, LOWER_LIP = 4, 152, 13, 14


def at(model: HeadModel, field: np.ndarray, landmark: int) -> np.ndarray:
    return model.landmark_barycentric[landmark] @ field[model.triangles[model.landmark_triangles[landmark]]]


def bent(*landmarks: int, by: tuple[float, float, float]) -> tuple[HeadModel, np.ndarray]:
    model = load_head_model()
    shifts = np.tile(np.array(by, np.float32), (len(landmarks), 1))
    return model, bend_field(model, np.array(landmarks, np.int32), shifts)


def test_no_pins_bend_nothing() -> None:
    model, field = bent(by=(0, 0, 0))
    assert not field.any()
    assert field.shape == model.rest.shape


def test_landmarks_go_where_they_are_put() -> None:
    model, field = bent(NOSE, CHIN, by=(0.004, -0.002, 0.001))
    for landmark in (NOSE, CHIN):
        np.testing.assert_allclose(at(model, field, landmark), [0.004, -0.002, 0.001], atol=2e-5)


def test_what_is_far_stays() -> None:
    model, field = bent(NOSE, by=(0.01, 0, 0))
    far = np.linalg.norm(model.rest - at(model, model.rest, NOSE), axis=1) > 0.11
    assert np.abs(field[far]).max() < 1e-5


def test_a_bend_of_ten_millimetres_folds_nothing_over() -> None:
    model, field = bent(NOSE, by=(0.0, 0.01, 0))
    skin = model.triangles[model.part("face")]

    def normals(points: np.ndarray) -> np.ndarray:
        corners = points[skin].astype(np.float64)
        return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])

    before, after = normals(model.rest), normals(model.rest + field)
    size = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    assert ((before * after).sum(1) / size).min() > 0


def test_the_other_lip_does_not_go_along() -> None:
    model, field = bent(LOWER_LIP, by=(0, -0.004, 0))
    assert abs(at(model, field, UPPER_LIP)[1]) < 0.2 * 0.004


def test_an_eyeball_goes_along_whole_and_teeth_stay() -> None:
    model, field = bent(159, by=(0.003, 0, 0))
    ball = np.unique(model.triangles[model.part("eyeRight")])
    assert np.ptp(field[ball], axis=0).max() == 0
    assert field[ball[0], 0] > 0.0005
    assert not field[np.unique(model.triangles[model.part("teethUpper")])].any()


def test_bends_add_up() -> None:
    _, once = bent(NOSE, CHIN, by=(0.001, 0.002, 0))
    _, twice = bent(NOSE, CHIN, by=(0.002, 0.004, 0))
    np.testing.assert_allclose(twice, 2 * once, atol=1e-7)


def test_lips_part_when_the_jaw_opens_or_the_test_above_says_nothing() -> None:
    model = load_head_model()
    jaw = model.expression[ARKIT_INDEX["jawOpen"]]
    assert at(model, jaw, UPPER_LIP)[1] - at(model, jaw, LOWER_LIP)[1] > 0.01
