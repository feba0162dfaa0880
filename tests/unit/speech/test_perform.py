"""The performance as a whole: alive, causal, repeatable, never beyond its bounds, and still when nothing is said."""

import json
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES, Frame
from avatar3d.speech.performance.controls import STYLES, Controls
from avatar3d.speech.performance.emotion import EMOTIONS
from avatar3d.speech.performance.perform import Performer
from tests.unit.speech.babble import Heard, babble, instant, perform, silence, turn_deg

MOUTH = [i for name, i in ARKIT_INDEX.items() if name.startswith(("mouth", "jaw", "tongue", "cheekPuff"))]
LOOKS = [i for name, i in ARKIT_INDEX.items() if name.startswith("eyeLook")]
BLINKS = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
OTHERS = [i for i in range(52) if i not in LOOKS + BLINKS]


def assert_same(first: Frame, second: Frame) -> None:
    for name in ("weights", "head_wxyz", "left_eye_wxyz", "right_eye_wxyz", "tongue"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_the_same_seed_gives_the_same_performance_and_another_one_another() -> None:
    heard = babble(6, 30)
    first, second, other = (perform(heard, seed=seed)[1][-1] for seed in (4, 4, 5))
    assert_same(first, second)
    assert not np.array_equal(first.head_wxyz, other.head_wxyz)


def test_a_kept_performance_can_be_taken_up_again() -> None:
    heard = babble(6, 30)
    performers, frames = perform(heard)
    performer = performers[99]
    for moment in heard[100:]:
        performer, frame = performer.step(moment.articulation, moment.pitch_hz, Controls())
    assert_same(frame, frames[-1])


def test_what_comes_later_changes_nothing_before_it() -> None:
    heard = babble(6, 30)
    _, whole = perform(heard)
    _, cut = perform(heard[:90] + silence(3, 30, start_s=3.0))
    for first, second in zip(whole[:90], cut[:90], strict=True):
        assert_same(first, second)


@pytest.mark.parametrize("emotion", ["anger", "surprise", "fear"])
def test_every_frame_is_within_bounds(emotion: str) -> None:
    wild = [
        Heard(
            instant(i / 30, dict.fromkeys(ARKIT_NAMES, 1.0), closed=i % 2, tucked=0.5, voice=1, loudness_db=-10), 400.0
        )
        for i in range(60)
    ]
    for heard in (babble(6, 30), wild):
        _, frames = perform(heard, Controls(emotion=emotion, head_motion=2, style="lively"))
        for frame in frames:
            assert frame.weights.dtype == np.float32
            assert 0 <= frame.weights.min() <= frame.weights.max() <= 1
            for rotation in (frame.head_wxyz, frame.left_eye_wxyz, frame.right_eye_wxyz):
                assert rotation.dtype == np.float32
                assert np.linalg.norm(rotation) == pytest.approx(1, abs=1e-5)
                assert rotation[0] > 0.8


def test_silence_is_a_neutral_face_that_blinks() -> None:
    for head_motion in (0.0, 1.0):
        _, frames = perform(silence(25, 20), Controls(head_motion=head_motion))
        weights = np.array([frame.weights for frame in frames])
        assert not weights[:, MOUTH].any()
        open_eyed = weights[:, BLINKS[0]] < 0.01
        assert weights[open_eyed][:, OTHERS].max() < 0.01
        assert weights[:, OTHERS].max() < 0.15  # the squint of a blink
        assert weights[:, BLINKS[0]].max() > 0.95
        assert weights[:, LOOKS].max() < (0.12 if head_motion else 0.03)  # eyes stay on the listener


def test_without_blinks_silence_is_the_neutral_face() -> None:
    _, frames = perform(silence(5, 20), Controls(blink=False, head_motion=0))
    weights = np.array([frame.weights for frame in frames])
    assert not weights[:, OTHERS].any()
    assert not weights[:, BLINKS].any()


def test_five_minutes_have_the_statistics_of_people_and_cost_little() -> None:
    told = json.loads(
        subprocess.run(
            [sys.executable, "-m", "tests.unit.speech.five_minutes"], capture_output=True, text=True, check=True
        ).stdout
    )
    assert 10 <= told["blinks_per_minute"] <= 30  # Doughty 2001
    assert 0.2 <= told["blink_s"] <= 0.4  # with lids more than 2 % closed
    assert 0.4 < told["accents_per_s"] < 2.5
    assert 0.1 < told["away"] < 0.4  # Lee et al. 2002: 0.23 of the time
    assert 0.5 < told["saccades_per_s"] < 3
    yaw, pitch, roll = told["head_deviation_deg"]
    assert 1.5 < yaw < 6
    assert 1.0 < pitch < 5
    assert 0.8 < roll < 4
    assert max(told["head_most_deg"]) < 20
    assert told["head_fastest_deg_s"] < 80
    assert 0.005 < told["brow_mean"] < 0.15 < told["brow_most"]
    assert told["step_ms"] < 0.3


def test_the_frame_rate_changes_the_sampling_and_not_the_performance() -> None:
    calm = Controls(blink=False)
    slow, fast = (perform(babble(8, rate), calm)[0][-1] for rate in (30, 60))
    assert abs(slow.head.accents - fast.head.accents) <= 2
    assert abs(slow.gaze.attention.count - fast.gaze.attention.count) <= 0.35 * fast.gaze.attention.count
    swaying = [np.array([p.head.angles for p in perform(silence(4, rate), calm)[0]]) for rate in (30, 60)]
    np.testing.assert_allclose(swaying[0], swaying[1][::2], atol=1e-3)


def test_no_change_of_controls_makes_the_face_or_the_head_jump() -> None:
    asked = [
        Controls(blink=False),
        Controls(emotion="surprise", blink=False, style="lively", head_motion=2.0),
        Controls(emotion="anger", blink=False, style="calm", head_motion=0.0),
        Controls(emotion="sadness", intensity=0.4, blink=False, style="shy"),
        Controls(emotion="auto", blink=False, style="newsreader", gaze=(0.3, 0.1, 1.0)),
    ]
    performer, frames = Performer(seed=2), []
    for i in range(360):
        moment = instant(i / 60, voice=0.0)
        performer, frame = performer.step(moment, 0.0, asked[(i // 45) % len(asked)])
        frames.append(frame)
    weights = np.array([frame.weights for frame in frames])
    assert np.abs(np.diff(weights[:, OTHERS + BLINKS], axis=0)).max() < 0.1
    turns = [turn_deg(a.head_wxyz, b.head_wxyz) for a, b in pairwise(frames)]
    assert max(turns) < 1.5  # 90 degrees a second
    eyes = [turn_deg(a.left_eye_wxyz, b.left_eye_wxyz) for a, b in pairwise(frames)]
    assert max(eyes) < 10  # a saccade's peak, 600 degrees a second


def test_a_performance_begins_with_the_face_that_is_asked_for() -> None:
    _, frame = Performer(seed=0).step(instant(5.0), 0.0, Controls(emotion="joy"))
    assert frame.weights[ARKIT_INDEX["mouthSmileLeft"]] > 0.6
    assert frame.time_s == 5.0


def test_speech_passes_through_a_neutral_performer() -> None:
    spoken = instant(0.0, {"jawOpen": 0.3, "mouthFunnel": 0.2, "mouthUpperUpLeft": 0.1}, voice=1, loudness_db=-20)
    _, frame = Performer(seed=0).step(spoken, 120.0, Controls(blink=False))
    np.testing.assert_allclose(frame.weights[MOUTH], spoken.weights[MOUTH], atol=1e-6)


def test_every_emotion_and_style_can_be_performed() -> None:
    for emotion in (*EMOTIONS, "auto"):
        for style in STYLES:
            _, frames = perform(babble(0.15, 20), Controls(emotion=emotion, style=style))
            assert np.isfinite(frames[-1].weights).all()


def test_a_long_gap_or_a_time_that_stands_still_is_no_accident() -> None:
    performer = Performer(seed=0)
    for time_s in (0.0, 0.0, 0.02, 60.0, 60.02):
        performer, frame = performer.step(instant(time_s, voice=1, loudness_db=-20), 100.0, Controls())
        assert np.isfinite(frame.weights).all()
        assert np.isfinite(frame.head_wxyz).all()
