"""Blinks come as often, last as long and move as people's do, and close the eye wherever it looks."""

import math
from itertools import pairwise

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.head.load import load_head_model
from avatar3d.rig.lids import lid_gap
from avatar3d.speech.performance.blink import Blinking, close_lids
from avatar3d.speech.performance.controls import STYLES
from avatar3d.speech.performance.emotion import EMOTIONS, Look, look_of
from avatar3d.speech.performance.eyes import look
from tests.unit.rig.people import rigged

STEP_S = 1 / 200


def blink(
    minutes: float, per_minute: float = 19, *, seed: int = 3, called: float = 0.0, step_s: float = STEP_S
) -> np.ndarray:
    """Closure at every step; something calls every two seconds, with this chance."""
    lids, curve = Blinking(), []
    for i in range(round(minutes * 60 / step_s)):
        lids = lids.step(seed, step_s, per_minute, called if i % round(2 / step_s) == 0 else 0.0, allowed=True)
        curve.append(lids.closure)
    return np.array(curve)


def events(curve: np.ndarray) -> list[tuple[int, int]]:
    """First and last sample of every blink."""
    moving = np.concatenate([[0], (curve > 1e-4).astype(int), [0]])
    return list(zip(np.flatnonzero(np.diff(moving) == 1), np.flatnonzero(np.diff(moving) == -1), strict=True))


def test_lids_fall_fast_and_rise_slowly() -> None:
    curve = blink(1)
    for start, end in events(curve)[:-1]:
        one = curve[start:end]
        assert one.max() == 1
        closing, opening = np.argmax(one == 1) * STEP_S, (len(one) - np.flatnonzero(one == 1)[-1]) * STEP_S
        assert 0.06 < closing <= 0.105
        assert 0.12 < opening <= 0.21
        assert 0.015 <= (one == 1).sum() * STEP_S < 0.06
        # Half open sooner than half of the time: fast at first, then creeping.
        half = np.argmax(one[np.flatnonzero(one == 1)[-1] :] < 0.5) * STEP_S
        assert half < 0.45 * opening
        assert np.abs(np.diff(one)).max() < 0.15


def test_two_blinks_are_never_nearer_than_a_quarter_second_however_much_calls() -> None:
    curve = blink(2, 24, called=1.0, step_s=0.02)
    spans = events(curve)
    apart = [(second[0] - first[1] + 1) * 0.02 for first, second in pairwise(spans)]
    assert min(apart) >= 0.25


def test_intervals_are_skewed_and_not_regular() -> None:
    starts = np.array([start for start, _ in events(blink(6, step_s=0.05))]) * 0.05
    between = np.diff(starts)
    assert np.mean(between) > np.median(between)
    assert between.std() / between.mean() > 0.35


def test_no_style_and_emotion_leave_the_normal_rates() -> None:
    factors = [style.blinks * emotion.blinks for style in STYLES.values() for emotion in EMOTIONS.values()]
    for per_minute, called in ((14 * min(factors), 0.0), (19 * max(factors), 0.4)):
        lids, blinks = Blinking(), 0
        for i in range(5 * 60 * 20):
            lids = lids.step(1, 0.05, per_minute, called if i % 60 == 0 else 0.0, allowed=True)
            blinks += lids.age_s == 0
        assert 9 <= blinks / 5 <= 31


def test_off_means_off_but_a_blink_that_began_is_finished() -> None:
    lids = Blinking()
    while not lids.closure:
        lids = lids.step(0, 0.01, 19, 0, allowed=True)
    shut = 0.0
    for _ in range(100):
        lids = lids.step(0, 0.01, 19, 1.0, allowed=False)
        shut = max(shut, lids.closure)
    assert shut == 1
    assert lids.closure == 0
    for _ in range(3000):
        lids = lids.step(0, 0.01, 19, 1.0, allowed=False)
        assert lids.closure == 0


@pytest.mark.parametrize("gaze_deg", [(0, 0), (20, 0), (-10, -20), (0, -25)])
@pytest.mark.parametrize("emotion", ["neutral", "joy", "surprise", "anger", "sadness"])
def test_lids_meet_on_our_heads_whatever_they_did_before(gaze_deg: tuple[int, int], emotion: str) -> None:
    neutral, shapes = rigged(4)
    face = look(Look(look_of(emotion, 1.0)).face, *(math.radians(angle) for angle in gaze_deg))
    shut = close_lids(np.clip(face, 0, 1), 1.0)
    gap_mm = 1000 * lid_gap(load_head_model(), neutral + np.tensordot(shut, shapes, 1).astype(np.float32))
    assert np.median(gap_mm, axis=1).max() < 0.15
    assert gap_mm.max() < 0.8
    assert np.median(gap_mm, axis=1).min() > -2.0


def test_a_closure_of_nothing_changes_nothing_and_the_brow_hardly_moves() -> None:
    face = look(Look(look_of("joy", 1.0)).face, 0.1, 0.1)
    assert close_lids(face, 0.0) is face
    changed = close_lids(face, 1.0) - face
    assert abs(changed[ARKIT_INDEX["browDownLeft"]]) < 0.05
    assert not changed[[i for name, i in ARKIT_INDEX.items() if name.startswith(("mouth", "jaw"))]].any()
