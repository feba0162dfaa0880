"""Curves made steady: rest stays rest, noise is damped, what moves is hardly late."""

import numpy as np

from avatar3d.fit.steady import SteadyParams, steady_from
from avatar3d.following import STEADY

RATE_HZ = 30


def steadied(seen: np.ndarray, params: SteadyParams = STEADY) -> np.ndarray:
    state, told = steady_from(params, 0.0, seen[0]), [seen[0]]
    for index, row in enumerate(seen[1:], start=1):
        state = state.step(index / RATE_HZ, row)
        told.append(state.value)
    return np.array(told)


def test_what_stays_stays_to_the_bit() -> None:
    seen = np.tile(np.array([0.0, 0.3, 1.0]), (20, 1))
    np.testing.assert_array_equal(steadied(seen), seen)


def test_noise_of_a_held_face_is_damped() -> None:
    noisy = 0.4 + np.random.default_rng(3).normal(0, 0.01, (120, 1))
    assert steadied(noisy)[30:].std() < 0.75 * noisy[30:].std()


def test_a_blink_is_neither_lost_nor_later_than_one_picture() -> None:
    blink = np.zeros((30, 1))
    blink[10:16, 0] = [0.3, 0.8, 1.0, 1.0, 0.6, 0.2]
    told = steadied(blink)
    assert told.max() > 0.9
    late = [np.corrcoef(np.roll(blink[:, 0], by), told[:, 0])[0, 1] for by in range(4)]
    assert int(np.argmax(late)) <= 1


def test_a_state_is_a_value() -> None:
    state = steady_from(STEADY, 0.0, np.zeros(2))
    one, other = state.step(0.1, np.ones(2)), state.step(0.1, np.ones(2))
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(state.value, 0)
