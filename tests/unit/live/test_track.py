import numpy as np
import pytest

from avatar3d.live.track import HELD_S, Playout, Track, presence


def mean(before: float, after: float, part: float) -> float:
    return before + part * (after - before)


def test_a_track_is_blended_between_its_values_and_holds_the_last() -> None:
    track = Track(mean)
    for time_s, value in ((0.0, 0.0), (0.1, 1.0), (0.3, 3.0)):
        track.add(time_s, value)
    assert [track.at(t) for t in (-1.0, 0.05, 0.1, 0.2, 0.3, 9.0)] == pytest.approx([0, 0.5, 1, 2, 3, 3])


def test_a_value_that_comes_too_late_is_left_out() -> None:
    track = Track(mean)
    track.add(0.2, 2.0)
    track.add(0.1, 7.0)
    assert track.at(0.2) == 2.0


def test_what_is_lost_is_held_for_a_quarter_of_a_second_and_gone_half_a_second_later() -> None:
    assert presence(0.0) == presence(HELD_S) == 1.0
    assert presence(0.5) == pytest.approx(0.5)
    assert presence(0.75) == presence(10.0) == 0.0
    steps = np.diff([presence(t) for t in np.arange(0, 1, 1 / 60)])
    assert steps.max() <= 0
    assert steps.min() > -0.06  # no jerk


@pytest.mark.parametrize("jitter_s", [0.0, 0.02, 0.05])
def test_a_sender_with_jitter_is_shown_in_even_steps_and_no_later_than_need_be(jitter_s: float) -> None:
    """A ramp of 1 a second: what is shown must be a ramp too, late by the usual jitter and one step."""
    chance = np.random.default_rng(2)
    sent = [(k / 60, 100 + k / 60 + 0.01 + float(chance.uniform(0, jitter_s))) for k in range(600)]
    arrivals = sorted(sent, key=lambda each: each[1])
    playout, shown, at = Playout(mean), [], 0
    for now_s in 100 + np.arange(0, 10, 1 / 60):
        while at < len(arrivals) and arrivals[at][1] <= now_s:
            playout.add(arrivals[at][0], arrivals[at][0], arrivals[at][1])
            at += 1
        if (value := playout.at(float(now_s))) is not None:
            shown.append((now_s - 100 - value, value))
    late_s = np.array([each[0] for each in shown][120:])
    assert np.percentile(late_s, 95) < 0.01 + jitter_s + 2 / 60
    steps = np.diff([each[1] for each in shown][120:])
    assert (steps >= 0).all()
    assert np.mean(steps < 1 / 200) < 0.06  # hardly ever does it stand still


def test_a_sender_that_begins_anew_is_shown_at_once() -> None:
    playout = Playout(mean)
    for k in range(60):
        playout.add(500 + k / 60, 1.0, k / 60)
        playout.at(k / 60)
    for k in range(60, 70):
        playout.add((k - 60) / 60, 2.0, k / 60)
        shown = playout.at(k / 60)
    assert shown == 2.0


def test_nothing_is_shown_of_somebody_who_never_came() -> None:
    playout = Playout(mean)
    assert playout.at(1.0) is None
    assert playout.silent_s(1.0) == np.inf
