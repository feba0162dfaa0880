"""Terms of the energy: derivatives, bounds and the detector's noise."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from avatar3d.fit.basis import SEEN, landmark_basis
from avatar3d.fit.camera import View, rotation_matrix
from avatar3d.fit.energies import (
    VIEW,
    Seen,
    State,
    Term,
    depth_term,
    expression_term,
    focal_term,
    huber_weights,
    identity_term,
    landmark_term,
)
from avatar3d.fit.noise import (
    CIRCUMSTANCES,
    LandmarkNoise,
    flat_residual,
    landmark_noise,
    upright_term,
    whitening,
)
from avatar3d.fit.solve import bounded_step
from tests.unit.fit.faces import default_head

BASIS = landmark_basis(default_head())
COUNT = len(BASIS.index)
WEIGHTS = np.random.default_rng(1).uniform(0.5, 2, COUNT)


def _state() -> State:
    rng = np.random.default_rng(2)
    view = View(rotation_matrix(np.array([np.pi, 0.2, 0.1])), np.array([3.0, 4.0]), 1300.0, 1000.0)
    return State(view, rng.normal(0, 0.5, len(BASIS.identity)), rng.uniform(0.2, 0.6, len(SEEN)))


def _seen() -> Seen:
    rng = np.random.default_rng(3)
    return Seen(rng.normal(0, 60, (COUNT, 2)), rng.normal(0, 20, COUNT), 80.0)


@pytest.mark.parametrize(
    "term",
    [
        lambda state: landmark_term(BASIS, state, _seen(), WEIGHTS),
        lambda state: depth_term(BASIS, state, _seen(), WEIGHTS),
        lambda state: identity_term(state, np.full(len(state.identity), 0.3), 0.7),
        lambda state: expression_term(state, np.full(len(SEEN), 0.35)),
        lambda state: focal_term(state, 1200.0, 0.4),
    ],
    ids=["landmarks", "depth", "identity", "expression", "focal"],
)
def test_derivatives_agree_with_finite_differences(term: Callable[[State], Term]) -> None:
    state = _state()
    slopes = term(state).jacobian
    for column in (0, 1, 2, 3, 4, 5, 6, 7, 20, slopes.shape[1] - 1):
        step = np.zeros(slopes.shape[1])
        step[column] = 1e-6
        numeric = (term(state.moved(step)).residual - term(state.moved(-step)).residual) / 2e-6
        np.testing.assert_allclose(slopes[:, column], numeric, atol=1e-5)


def test_derivatives_of_what_the_detector_is_expected_to_see_agree_with_finite_differences() -> None:
    noise = landmark_noise(default_head().name)
    assert noise is not None
    white, even = whitening(noise, BASIS, inflate=1.0), np.ones(COUNT)

    def term(state: State) -> Term:
        picture, depth = landmark_term(BASIS, state, _seen(), even), depth_term(BASIS, state, _seen(), even)
        return white.term(state, *upright_term(state.view, picture, depth))

    state = _state()
    slopes = term(state).jacobian
    for column in (3, 5, 6, 7, 20, slopes.shape[1] - 1):  # a turn also turns what is upright, which the fit leaves out
        step = np.zeros(slopes.shape[1])
        step[column] = 1e-6
        numeric = (term(state.moved(step)).residual - term(state.moved(-step)).residual) / 2e-6
        np.testing.assert_allclose(slopes[:, column], numeric, atol=2e-3, rtol=1e-3)


def test_a_step_stays_within_its_bounds_and_is_the_best_one_there() -> None:
    rng = np.random.default_rng(4)
    design, target = rng.normal(size=(40, 12)), rng.normal(0, 3, 40)
    lower, upper = np.full(12, -0.2), np.full(12, 0.3)
    lower[0] = upper[0] = 0.0
    step = bounded_step(design.T @ design, -design.T @ target, lower, upper)
    best = lsq_linear(design[:, 1:], target, (lower[1:], upper[1:])).x
    assert step[0] == 0
    np.testing.assert_allclose(step[1:], best, atol=1e-6)


def test_huber_trusts_near_points_fully_and_far_ones_less() -> None:
    weights = huber_weights(np.array([0.0, 0.5, 4.0]), 1.0)
    np.testing.assert_allclose(weights, [1, 1, 0.5])


def test_whitening_is_the_root_of_the_inverse_covariance() -> None:
    rng = np.random.default_rng(5)
    columns = len(BASIS.identity) + len(SEEN) + CIRCUMSTANCES
    noise = LandmarkNoise(
        mean=rng.normal(size=(468, 3)),
        answer=np.zeros((columns, 468, 3)),
        modes=rng.normal(size=(4, 468, 3)),
        left=rng.uniform(0.5, 2, (468, 3)),
    )
    white = whitening(noise, BASIS, inflate=1.5)
    size = 3 * COUNT
    state, wide = _state(), VIEW + columns - CIRCUMSTANCES
    unit = np.pad(np.eye(size), ((0, 0), (0, -size % wide)))
    parts = [white.term(state, np.zeros(size), part).jacobian for part in np.split(unit, unit.shape[1] // wide, axis=1)]
    root = np.concatenate(parts, axis=1)[:, :size]
    modes = np.stack([flat_residual(mode[BASIS.index]) for mode in noise.modes])
    covariance = 1.5 * (modes.T @ modes + np.diag(flat_residual(noise.left[BASIS.index]) ** 2))
    np.testing.assert_allclose(root @ covariance @ root.T, np.eye(size), atol=1e-8)


def test_upright_residuals_do_not_depend_on_how_the_picture_is_turned() -> None:
    state = _state()
    roll = rotation_matrix(np.array([0, 0, 0.7]))
    turned = State(
        View(roll @ state.view.rotation, roll[:2, :2] @ state.view.place_px, 1300.0, 1000.0),
        state.identity,
        state.expression,
    )
    seen = _seen()
    seen_turned = Seen(seen.points_px @ roll[:2, :2].T, seen.depth_px, seen.interocular_px)
    even = np.ones(COUNT)

    def upright(at: State, what: Seen) -> np.ndarray:
        return upright_term(at.view, landmark_term(BASIS, at, what, even), depth_term(BASIS, at, what, even))[0]

    np.testing.assert_allclose(upright(state, seen), upright(turned, seen_turned), atol=1e-9)
