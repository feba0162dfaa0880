"""Eyes jump as eyes do, stay on their target while the head turns, and are turned once."""

import math

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.head.deform import turns_left
from avatar3d.head.load import load_head_model
from avatar3d.speech.performance.attention import Wish, place_of
from avatar3d.speech.performance.controls import Controls
from avatar3d.speech.performance.eyes import LIMITS, eye_wxyz, in_head, look
from avatar3d.speech.performance.gaze import Gaze
from avatar3d.speech.performance.head_motion import head_wxyz
from tests.unit.speech.babble import babble, perform, silence

DEG = math.pi / 180
STEP_S = 0.002


def gaze_for(seconds: float, wish: Wish, *, seed: int = 2, step_s: float = 0.02) -> list[Gaze]:
    gaze, states = Gaze(), []
    for _ in range(round(seconds / step_s)):
        gaze = gaze.step(seed, step_s, wish)
        states.append(gaze)
    return states


def direction(yaw_deg: float, pitch_deg: float) -> tuple[float, float, float]:
    yaw, pitch = yaw_deg * DEG, pitch_deg * DEG
    return math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)


def test_saccades_keep_the_main_sequence() -> None:
    gaze, places, sizes, starts = Gaze(), [], [], []
    for i in range(6000):
        target = (0.03 * (i // 200) * (-1) ** (i // 200) / 2, 0.004 * (i // 200))
        gaze = gaze.step(2, STEP_S, Wish(target=target, pause_s=0.0))
        places.append(gaze.place)
        if gaze.shifted_rad > 1 * DEG:
            starts.append(i)
            sizes.append(gaze.shifted_rad / DEG)
    speed = np.hypot(*np.diff(np.array(places) / DEG, axis=0).T) / STEP_S
    durations, peaks = [], []
    for start in starts:
        window = speed[start : start + 75]
        top = int(np.argmax(window))
        durations.append((top + np.argmax(window[top:] < 0.02 * window[top])) * STEP_S)
        peaks.append(window[top])
    assert len(sizes) > 20
    slope, base = np.polyfit(sizes, durations, 1)
    assert 0.0016 < slope < 0.003  # Carpenter 1988: 2.2 ms a degree
    assert 0.012 < base < 0.03  # and 21 ms
    assert max(peaks) < 750  # Bahill et al. 1975: never faster
    ten = np.interp(10, *np.array(sorted(zip(sizes, peaks, strict=True))).T)
    assert 250 < ten < 480


def test_a_speaker_looks_away_about_a_quarter_of_the_time_and_a_silent_face_never() -> None:
    speaking = gaze_for(200, Wish(pause_s=0.0), step_s=0.05)
    assert 0.12 < np.mean([state.attention.away for state in speaking]) < 0.35
    assert not any(state.attention.away for state in gaze_for(30, Wish()))
    still = np.array([state.place for state in gaze_for(30, Wish())]) / DEG
    assert np.abs(still).max() < 0.6
    saccades = sum(state.shifted_rad > 0 for state in gaze_for(60, Wish()))
    assert 30 < saccades < 120  # microsaccades: about one a second


def test_fixations_last_at_least_their_latency() -> None:
    states = gaze_for(60, Wish(pause_s=0.0))
    starts = np.array([i for i, state in enumerate(states) if state.shifted_rad > 0])
    assert np.diff(starts).min() * 0.02 > 0.15


@pytest.mark.parametrize(("yaw", "pitch"), [(15, 0), (-12, 6), (0, -18)])
def test_a_target_is_reached_and_held_while_the_head_moves(yaw: float, pitch: float) -> None:
    _, frames = perform(babble(4, 30), Controls(gaze=direction(yaw, pitch), blink=False))
    wanted = np.array(direction(yaw, pitch))
    errors = []
    for frame in frames[30:]:
        in_the_head = matrix_from_quaternion(frame.left_eye_wxyz)[:, 2]
        errors.append(np.degrees(np.arccos(min(1, matrix_from_quaternion(frame.head_wxyz) @ in_the_head @ wanted))))
    assert np.percentile(errors, 95) < 1.0
    assert np.std([frame.head_wxyz[1] for frame in frames]) > 0.005  # it did move


def test_far_targets_take_the_head_along_and_near_ones_do_not() -> None:
    def head_yaw(target_deg: float, head_motion: float = 1.0) -> float:
        controls = Controls(gaze=direction(target_deg, 0), head_motion=head_motion)
        performers, _ = perform(silence(2, 30), controls)
        return performers[-1].head.angles[0] / DEG

    assert abs(head_yaw(10)) < 2
    assert 12 < head_yaw(40) < 30
    assert 12 < -head_yaw(-40) < 30
    assert head_yaw(40, 0.0) == 0
    assert head_yaw(40, 2.0) < 40


def test_a_moving_target_is_followed() -> None:
    gaze, behind = Gaze(), []
    for i in range(300):
        target = (0.3 * math.sin(i / 60), 0.0)
        gaze = gaze.step(0, 1 / 60, Wish(target=target))
        behind.append(abs(gaze.place[0] - target[0]) / DEG)
    assert max(behind[30:]) < 4


def test_the_eyes_do_not_leave_their_range() -> None:
    performers, frames = perform(silence(1), Controls(gaze=(5.0, 3.0, 0.1), head_motion=0))
    looking = frames[-1].weights[ARKIT_INDEX["eyeLookOutLeft"]]
    assert 0.8 < looking <= 1
    assert in_head(*performers[-1].gaze.place, (1.0, 0.0, 0.0, 0.0)) == (LIMITS[0], LIMITS[1])


@pytest.mark.parametrize(("yaw", "pitch"), [(20, 0), (-25, 0), (0, 18), (0, -22), (12, 8), (-15, -12)])
def test_weights_and_quaternions_say_the_same_so_that_nothing_is_left_to_the_joints(yaw: float, pitch: float) -> None:
    weights = look(np.zeros(52, np.float32), yaw * DEG, pitch * DEG)
    eye = eye_wxyz(yaw * DEG, pitch * DEG)
    for left_over in turns_left(load_head_model(), weights, eye, eye):
        assert 2 * np.degrees(np.arccos(min(1, left_over[0]))) < 1.0


def test_left_is_the_persons_left_and_lids_follow() -> None:
    left = look(np.zeros(52, np.float32), 0.2, 0.0)
    assert left[ARKIT_INDEX["eyeLookOutLeft"]] == left[ARKIT_INDEX["eyeLookInRight"]] > 0.3
    assert left[ARKIT_INDEX["eyeLookInLeft"]] == 0
    assert matrix_from_quaternion(eye_wxyz(0.2, 0.0))[0, 2] > 0.1
    down = look(np.zeros(52, np.float32), 0.0, -0.2)
    assert down[ARKIT_INDEX["eyeLookDownLeft"]] > 0.3
    assert matrix_from_quaternion(eye_wxyz(0.0, -0.2))[1, 2] < -0.1
    assert place_of((1.0, 1.0, 1.0)) == pytest.approx((math.pi / 4, math.asin(1 / math.sqrt(3))))


def test_the_head_is_taken_off_the_gaze_exactly() -> None:
    head = head_wxyz((0.3, -0.1, 0.15))
    matrix = matrix_from_quaternion(np.array(head, np.float32))
    yaw, pitch = in_head(0.2, 0.1, head)
    seen = matrix @ np.array(direction(yaw / DEG, pitch / DEG))
    np.testing.assert_allclose(seen, direction(0.2 / DEG, 0.1 / DEG), atol=1e-5)
