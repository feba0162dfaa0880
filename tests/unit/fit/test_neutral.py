"""A face laid on its neutral: turns and cameras are undone, movements are kept."""

import cv2
import numpy as np
import pytest

from avatar3d.fit.camera import rotation_matrix
from avatar3d.fit.neutral import Neutral, lay, neutral_of, turn_of
from avatar3d.fit.reader import seen_by_net
from avatar3d.head.load import load_head_model

SIDE_PX, FOCAL = 240, 950.0
CHIN = 152


def points_m() -> np.ndarray:
    """The mean head's landmarks, OpenCV axes, from their mean."""
    model = load_head_model()
    corners = model.rest[model.triangles[model.landmark_triangles]]
    points = np.einsum("lc,lcd->ld", model.landmark_barycentric, corners).astype(np.float64)
    return (points - points.mean(0)) * [1, -1, -1]


def seen(points: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Landmarks in a picture taken from far, with the detector's depth."""
    turned = points @ turn.T * FOCAL
    turned[:, :2] += SIDE_PX / 2
    return turned.astype(np.float32)


def texture() -> np.ndarray:
    noise = np.random.default_rng(5).normal(0, 1, (SIDE_PX, SIDE_PX, 3)).astype(np.float32)
    return np.clip(130 + 260 * cv2.GaussianBlur(noise, (0, 0), 4), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def neutral() -> Neutral:
    still = seen(points_m(), np.eye(3))
    return neutral_of([texture(), texture()], [still, still])


def test_the_neutral_laid_on_itself_shows_no_difference(neutral: Neutral) -> None:
    laid = lay(neutral, texture(), seen(points_m(), np.eye(3)))
    np.testing.assert_allclose(laid.moved, 0, atol=1e-6)
    difference = seen_by_net(neutral.picture, laid.picture, neutral.mask)[..., 2:]
    assert np.abs(difference).max() < 1e-3
    np.testing.assert_allclose(turn_of(laid.camera, 1.0), np.eye(3), atol=1e-6)


def test_a_moved_enlarged_and_rolled_picture_is_laid_back(neutral: Neutral) -> None:
    matrix = cv2.getRotationMatrix2D((SIDE_PX / 2 - 0.5, SIDE_PX / 2 - 0.5), 7.0, 1.15)
    picture = np.asarray(cv2.warpAffine(texture(), matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_CUBIC), np.uint8)
    landmarks = seen(points_m(), np.eye(3))
    landmarks[:, :2] = (landmarks[:, :2] - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    landmarks[:, 2] *= 1.15
    laid = lay(neutral, picture, landmarks)
    off = (np.abs(laid.picture[0] - neutral.picture[0]) * neutral.mask).sum() / neutral.mask.sum()
    assert off < 6
    assert np.abs(laid.moved).max() < 0.01


@pytest.mark.parametrize("turn_rad", [(0.0, 0.25, 0.0), (-0.15, 0.0, 0.0), (0.0, 0.0, 0.1), (0.1, -0.2, 0.05)])
def test_the_heads_turn_is_found(neutral: Neutral, turn_rad: tuple[float, float, float]) -> None:
    """Nothing but landmarks turns here, and a flat picture holds no other opinion."""
    turn = rotation_matrix(np.array(turn_rad))
    flat = np.full((SIDE_PX, SIDE_PX, 3), 120, np.uint8)
    still = neutral_of([flat], [seen(points_m(), np.eye(3))])
    laid = lay(still, flat, seen(points_m(), turn))
    flip = np.diag([1.0, -1.0, -1.0])
    np.testing.assert_allclose(turn_of(laid.camera, 1.0), flip @ turn @ flip, atol=2e-3)
    assert np.abs(laid.moved).max() < 2e-3


def test_a_chin_that_drops_is_a_movement_and_no_turn(neutral: Neutral) -> None:
    dropped = seen(points_m(), np.eye(3))
    dropped[CHIN, 1] += 10
    laid = lay(neutral, texture(), dropped)
    iod = np.linalg.norm(np.diff([dropped[[33, 133], :2].mean(0), dropped[[263, 362], :2].mean(0)], axis=0))
    assert laid.moved[CHIN, 1] == pytest.approx(10 / iod, rel=0.02)
    assert np.abs(np.delete(laid.moved, CHIN, 0)).max() < 1e-3
