"""Following without pictures: what is lost is held and eased, what is calm is neutral to the bit."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.transforms import IDENTITY_WXYZ
from avatar3d.fit.neutral import neutral_of
from avatar3d.fit.steady import steady_from
from avatar3d.following import AT_REST, STEADY, Follower, eye_turn, frame_of, rotation_vector
from avatar3d.photo.track import Tracker
from tests.unit.fit.test_neutral import points_m, seen, texture

BLACK = np.zeros((64, 64, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class Blind(Tracker):
    """A tracker that sees no face."""

    def step(self, time_s: float, pixels: np.ndarray) -> tuple[Tracker, None]:
        return self, None


@pytest.fixture(scope="module")
def lost() -> Follower:
    """A face that smiled when it was seen last, at 1 s."""
    curves = np.zeros(54)
    curves[ARKIT_INDEX["mouthSmileLeft"]] = 0.6
    neutral = neutral_of([texture()], [seen(points_m(), np.eye(3))])
    return Follower(neutral, {}, np.zeros(51, np.float32), Blind(), steady_from(STEADY, 1.0, curves), 1.0)


def smile(follower: Follower, time_s: float) -> float:
    return float(follower.step(time_s, BLACK)[1].weights[ARKIT_INDEX["mouthSmileLeft"]])


def test_a_lost_face_is_held_then_eased_to_exactly_neutral(lost: Follower) -> None:
    before = float(frame_of(1.0, lost.curves.value).weights[ARKIT_INDEX["mouthSmileLeft"]])  # type: ignore[union-attr]
    assert smile(lost, 1.2) == before
    eased = [smile(lost, time_s) for time_s in np.arange(1.25, 1.8, 1 / 30)]
    assert all(later <= earlier for earlier, later in pairwise(eased))
    assert smile(lost, 1.5) == pytest.approx(before / 2, abs=0.03)
    assert smile(lost, 1.75) == 0


def test_a_face_never_seen_is_neutral(lost: Follower) -> None:
    _, frame = replace(lost, curves=None, seen_s=-np.inf).step(0.0, BLACK)
    assert not frame.weights.any()


def test_noise_of_a_calm_face_is_the_neutral_frame() -> None:
    rng = np.random.default_rng(1)
    curves = np.concatenate([rng.uniform(-0.2, AT_REST, 51), rng.normal(0, 0.002, 3)])
    frame = frame_of(0.0, curves)
    assert not frame.weights.any()
    for turn in (frame.head_wxyz, frame.left_eye_wxyz, frame.right_eye_wxyz):
        np.testing.assert_array_equal(turn, IDENTITY_WXYZ)


def test_a_weight_of_one_stays_one() -> None:
    assert frame_of(0.0, np.concatenate([np.full(51, 1.0), np.zeros(3)])).weights[:51].min() == 1


def test_both_eyes_turn_to_the_persons_left() -> None:
    weights = np.zeros(52, np.float32)
    weights[[ARKIT_INDEX["eyeLookOutLeft"], ARKIT_INDEX["eyeLookInRight"]]] = 1
    for side in ("Left", "Right"):
        w, x, y, z = eye_turn(weights, side)
        assert 2 * np.arctan2(y, w) == pytest.approx(np.radians(30), abs=1e-3)
        assert (x, z) == pytest.approx((0, 0), abs=1e-6)


def test_a_rotation_vector_is_its_axis_times_its_angle() -> None:
    c, s = np.cos(0.3), np.sin(0.3)
    np.testing.assert_allclose(rotation_vector(np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])), [0, 0.3, 0], atol=1e-9)
