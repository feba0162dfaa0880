"""A performance shown at another rate is the same performance."""

from itertools import count

import numpy as np

from avatar3d.core.blendshapes import Frame
from avatar3d.core.transforms import quaternion_from_rotation_vector
from avatar3d.render.retime import frames_at


def frame(time_s: float, weight: float = 0.0, yaw_rad: float = 0.0, sign: float = 1.0) -> Frame:
    turned = (sign * quaternion_from_rotation_vector(np.float32([0, yaw_rad, 0]))).astype(np.float32)
    still = np.array([1, 0, 0, 0], np.float32)
    tongue = np.full(4, weight, np.float32)
    return Frame(time_s, np.full(52, weight, np.float32), turned, still, still, tongue)


def test_pictures_come_at_their_own_rate_as_long_as_the_performance_lasts() -> None:
    times = [shown.time_s for shown in frames_at((frame(k / 60) for k in range(61)), 25)]
    np.testing.assert_allclose(times, np.arange(26) / 25)


def test_between_two_frames_everything_is_between() -> None:
    _, half, _ = frames_at([frame(0.0), frame(1.0, weight=1.0, yaw_rad=0.2)], 2)
    np.testing.assert_allclose(half.weights, 0.5)
    np.testing.assert_allclose(half.tongue, 0.5)
    np.testing.assert_allclose(half.head_wxyz, quaternion_from_rotation_vector(np.float32([0, 0.1, 0])), atol=1e-4)


def test_a_head_turns_the_shorter_way_round() -> None:
    _, half, _ = frames_at([frame(0.0, yaw_rad=0.2), frame(1.0, yaw_rad=0.2, sign=-1.0)], 2)
    np.testing.assert_allclose(np.abs(half.head_wxyz), np.abs(frame(0.0, yaw_rad=0.2).head_wxyz), atol=1e-6)


def test_before_the_first_frame_the_face_is_the_first_ones() -> None:
    shown = list(frames_at([frame(0.5, weight=0.7), frame(1.0, weight=0.7)], 10))
    assert len(shown) == 11
    assert all(np.allclose(each.weights, 0.7) for each in shown)


def test_an_endless_performance_is_shown_as_it_comes() -> None:
    endless = frames_at((frame(k / 60) for k in count()), 25)
    assert [round(next(endless).time_s * 25) for _ in range(3)] == [0, 1, 2]
