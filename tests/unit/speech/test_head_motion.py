"""The head nods on accents, sways, and stays within what necks do; at 0 it does not turn at all."""

import math
from itertools import pairwise

import numpy as np
import pytest

from avatar3d.core.blendshapes import Frame
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.speech.performance.controls import Controls
from avatar3d.speech.performance.head_motion import HeadMotion, Manner, head_wxyz
from avatar3d.speech.performance.hearing import Hearing
from tests.unit.speech.babble import babble, perform, silence, turn_deg

DEG = math.pi / 180


def angles_deg(seconds: float, controls: Controls, rate_hz: float) -> np.ndarray:
    performers, _ = perform(babble(seconds, rate_hz), controls)
    return np.array([performer.head.angles for performer in performers]) / DEG


def speeds(frames: list[Frame], rate_hz: float) -> np.ndarray:
    turns = [turn_deg(a.head_wxyz, b.head_wxyz) for a, b in pairwise(frames)]
    return np.array(turns) * rate_hz


def test_head_motion_0_is_no_rotation_at_all() -> None:
    for emotion in ("neutral", "sadness"):
        controls = Controls(emotion=emotion, head_motion=0, style="shy", gaze=(1.0, 0.2, 1.0))
        _, frames = perform(babble(4, 30), controls)
        for frame in frames:
            np.testing.assert_array_equal(frame.head_wxyz, np.array([1, 0, 0, 0], np.float32))


def test_a_head_that_is_told_to_stop_ends_at_no_rotation() -> None:
    performers, _ = perform(babble(3, 30), Controls())
    performer, frame = performers[-1], None
    for moment in babble(7, 30)[90:]:
        performer, frame = performer.step(moment.articulation, moment.pitch_hz, Controls(head_motion=0))
    assert frame is not None
    np.testing.assert_array_equal(frame.head_wxyz, np.array([1, 0, 0, 0], np.float32))


def test_motion_grows_with_what_is_asked() -> None:
    small, plain, large = (angles_deg(20, Controls(head_motion=scale), 15).std(axis=0) for scale in (0.5, 1, 2))
    np.testing.assert_allclose(small / plain, 0.5, atol=0.05)
    np.testing.assert_allclose(large / plain, 2, atol=0.15)


@pytest.mark.parametrize(("head_motion", "style", "most"), [(1.0, "natural", 80), (2.0, "lively", 200)])
def test_heads_turn_no_faster_than_necks_and_without_jerks(head_motion: float, style: str, most: float) -> None:
    _, frames = perform(babble(12), Controls(head_motion=head_motion, style=style))
    speed = speeds(frames, 60)
    assert speed.max() < most
    assert np.median(speed) > 1
    # From one frame to the next the speed changes by far less than it is: no steps.
    assert np.abs(np.diff(speed)).max() < 0.25 * most


def test_an_accent_makes_the_head_beat_a_fifth_of_a_second_later() -> None:
    heard = Hearing(accent=1.0, pause_s=0.0)
    peaks, sizes = [], []
    for seed in range(16):
        head, quiet, way = HeadMotion(), HeadMotion(), []
        for i in range(45):
            moment = heard if i == 0 else Hearing(pause_s=0.0)
            head = head.step(seed, i / 60, 1 / 60, moment, (0.0, 0.0), Manner())
            quiet = quiet.step(seed, i / 60, 1 / 60, Hearing(pause_s=0.0), (0.0, 0.0), Manner())
            way.append(np.subtract(head.angles, quiet.angles) / DEG)
        turned = np.linalg.norm(way, axis=1)
        peaks.append(np.argmax(turned) / 60)
        sizes.append(np.array(way)[np.argmax(turned), 1])
        assert turned[-1] < 0.3
    assert 0.12 < np.median(peaks) < 0.25
    assert 1.5 < np.max(sizes) < 8
    assert np.mean(np.array(sizes) > 0.5) > 0.5  # most of them nod, down


def test_in_silence_the_head_only_sways() -> None:
    performers, frames = perform(silence(40, 10), Controls())
    angles = np.array([performer.head.angles for performer in performers]) / DEG
    assert 0.1 < angles.std(axis=0).max() < 1.0
    assert np.abs(angles).max() < 2.5
    assert speeds(frames, 10).max() < 5


def test_signs_are_those_of_the_conventions() -> None:
    ahead = np.array([0, 0, 1])
    left = matrix_from_quaternion(np.array(head_wxyz((0.3, 0.0, 0.0)), np.float32)) @ ahead
    down = matrix_from_quaternion(np.array(head_wxyz((0.0, 0.3, 0.0)), np.float32)) @ ahead
    assert left[0] > 0.2
    assert down[1] < -0.2
    tilted = matrix_from_quaternion(np.array(head_wxyz((0.0, 0.0, 0.3)), np.float32)) @ np.array([0, 1, 0])
    assert tilted[0] < -0.2  # the crown goes to the person's right
