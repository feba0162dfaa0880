"""Chance is the same for everybody who asks; what is eased arrives without a jump, at any frame rate."""

import numpy as np
import pytest

from avatar3d.speech.performance.easing import STILL, UNHIT, Spring, minimum_jerk
from avatar3d.speech.performance.noise import exponential, normal, pink, uniform


def test_chance_depends_on_nothing_but_seed_channel_and_place() -> None:
    assert uniform(3, 5, 7) == uniform(3, 5, 7)
    assert len({uniform(3, 5, 7), uniform(4, 5, 7), uniform(3, 6, 7), uniform(3, 5, 8)}) == 4


def test_chance_has_the_distributions_it_says() -> None:
    flat = np.array([uniform(1, 2, i) for i in range(4000)])
    np.testing.assert_allclose(np.histogram(flat, 10, (0, 1))[0], 400, atol=80)
    bell = np.array([normal(1, 2, i) for i in range(4000)])
    assert abs(bell.mean()) < 0.05
    assert bell.std() == pytest.approx(1, abs=0.06)
    assert np.mean([exponential(1, 2, i) for i in range(4000)]) == pytest.approx(1, abs=0.06)


def test_numbers_that_follow_each_other_have_nothing_in_common() -> None:
    flat = np.array([uniform(0, 1, i) for i in range(4000)])
    assert abs(np.corrcoef(flat[1:], flat[:-1])[0, 1]) < 0.05
    other = np.array([uniform(0, 2, i) for i in range(4000)])
    assert abs(np.corrcoef(flat, other)[0, 1]) < 0.05


def test_pink_noise_is_as_strong_in_every_octave_and_smooth() -> None:
    times = np.arange(0, 1200, 0.05)
    sway = np.array([pink(5, 6, t, 0.05, 4) for t in times])
    assert sway.std() == pytest.approx(1, abs=0.2)
    power = np.abs(np.fft.rfft(sway - sway.mean())) ** 2
    hz = np.fft.rfftfreq(len(sway), 0.05)
    octaves = [power[(hz >= low) & (hz < 2 * low)].sum() for low in (0.02, 0.04, 0.08, 0.16)]
    assert max(octaves) / min(octaves) < 5
    # Continuous in speed: at steps of 1 ms nothing leaps.
    close = np.array([pink(5, 6, 10 + i / 1000, 0.05, 4) for i in range(20000)])
    assert np.abs(np.diff(close, 2)).max() < 1e-4


def test_a_spring_is_where_it_is_however_often_it_is_asked() -> None:
    once = Spring(0.0, 3.0).step(1.0, 0.5, 0.8)
    often = Spring(0.0, 3.0)
    for _ in range(50):
        often = often.step(1.0, 0.01, 0.8)
    assert often.value == pytest.approx(once.value, abs=1e-9)
    assert often.speed == pytest.approx(once.speed, abs=1e-9)


def test_a_spring_has_settled_in_its_time_and_never_overshoots() -> None:
    way = [STILL.step(1.0, t, 0.5).value for t in np.linspace(0, 2, 200)]
    assert way[0] == 0
    assert STILL.step(1.0, 0.5, 0.5).value == pytest.approx(0.95, abs=0.01)
    assert max(way) <= 1
    assert (np.diff(way) >= 0).all()


def test_springs_ease_whole_vectors_in_their_own_precision() -> None:
    eased = Spring(np.zeros(3, np.float32), np.zeros(3, np.float32)).step(np.ones(3, np.float32), 0.02, 0.5)
    assert eased.value.dtype == np.float32
    assert (eased.value > 0).all()


def test_a_beat_has_its_full_size_at_its_peak_and_dies_away() -> None:
    beat, way = UNHIT.hit(2.0, 0.17), []
    for _ in range(200):
        beat = beat.step(0.0, 0.005, 0.17)
        way.append(beat.value)
    assert max(way) == pytest.approx(2.0, rel=0.1)
    assert 0.005 * (int(np.argmax(way)) + 1) == pytest.approx(0.17, abs=0.03)
    assert abs(way[-1]) < 0.02
    assert min(way) >= 0


def test_minimum_jerk_starts_and_ends_at_rest() -> None:
    assert minimum_jerk(-1) == minimum_jerk(0) == 0
    assert minimum_jerk(1) == minimum_jerk(2) == 1
    assert minimum_jerk(0.5) == 0.5
    assert minimum_jerk(0.01) < 1e-4
