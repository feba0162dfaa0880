"""Fit a head to one face.

landmarks --> orthographic first view --> pose --> pose + identity + expression (robust, bounded) --> gaze --> lids
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import Float64

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.fit.basis import FACE_OVAL, SEEN, LandmarkBasis, landmark_basis
from avatar3d.fit.camera import first_view, to_camera, usual_focal_px
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
from avatar3d.fit.gaze import LEFT_IRIS, RIGHT_IRIS, eye_angles, eye_rotation, eyeballs, look_weights, together
from avatar3d.fit.lids import resting_lids
from avatar3d.fit.noise import LandmarkNoise, Whitening, noise_of, upright_term, whitening
from avatar3d.fit.solve import bounded_step, cost, normal_equations
from avatar3d.head.deform import pose_head, shape_head

# A landmark further than this from what the noise explains, in its standard deviations, is hidden or wrong. Of 50
# faces, portraits and renders alike, 99.9 % of the landmarks lie within 2.8.
STRANGE: Final = 4.0
USUAL_STRANGENESS: Final = 2.0
DOUBTING_ROUNDS: Final = 3
Moving = Literal["pose", "all but focal", "all"]


@dataclass(frozen=True)
class FitParams:
    """How much each kind of evidence is believed."""

    noise_inflation: float = 2.0
    """The detector's measured covariance counts this many times: it was measured on renders, not on photos."""
    landmark_sigma_iod: float = 0.06
    """Standard deviation of a landmark, in inter-ocular distances, when they are taken for independent. Larger than
    the detector's own error (2.6 %) because neighbours err together; a smaller one over-fits identity (facts.md)."""
    depth_sigma_iod: float = 0.25
    """Of the detector's depth."""
    settling_sigma: float = 0.3
    """How far identity may move, per mode, when the head is laid on the picture after the person is known."""
    expression_sigma: float = 0.35
    huber: float = 0.06
    """Picture residual, IOD, from which a landmark counts less (beard, glasses, fringe)."""
    focal_sigma: float = 0.5
    """Of the logarithm of the focal length when the picture does not tell it; 0 holds it."""
    iterations: int = 12
    tolerance: float = 1e-3
    """Relative fall of the energy at which to stop."""


Energy = Callable[[State, Float64[np.ndarray, "L"]], list[Term]]
"""Terms at a state, given each landmark's robust weight."""


def solve_skin(
    basis: LandmarkBasis,
    seen: Seen,
    focal_px: float,
    *,
    focal_known: bool,
    params: FitParams,
    noise: LandmarkNoise | None = None,
) -> State:
    """View, identity and expression that explain the skin landmarks.

    With the detector's noise measured: first who this is (errors that go together explained away), then the head is
    laid on the picture by pose and expression while identity hardly moves. Without: both at once.
    """
    confidence = np.sqrt(basis.confidence)
    sigma = np.full(len(SEEN), params.expression_sigma)
    hold_focal = focal_known or params.focal_sigma == 0
    state = State(
        first_view(basis.rest, seen.points_px, basis.confidence, focal_px),
        np.zeros(len(basis.identity)),
        np.zeros(len(SEEN)),
    )

    def picture(at: State, robust: Float64[np.ndarray, "L"]) -> list[Term]:
        return [landmark_term(basis, at, seen, confidence * robust / params.landmark_sigma_iod)]

    def independent(at: State, robust: Float64[np.ndarray, "L"]) -> list[Term]:
        weights = confidence / params.depth_sigma_iod
        terms = [*picture(at, robust), depth_term(basis, at, seen, weights), identity_term(at)]
        return [*terms, expression_term(at, sigma), *focal(at)]

    def focal(at: State) -> list[Term]:
        return [] if hold_focal else [focal_term(at, focal_px, params.focal_sigma)]

    state = _descend(basis, seen, picture, state, params, moving="pose")
    if noise is None:
        return _descend(basis, seen, independent, state, params, moving="all but focal" if hold_focal else "all")
    even = np.ones(len(basis.index))
    doubt = even

    def upright(at: State) -> tuple[Float64[np.ndarray, "R"], Float64[np.ndarray, "R C"]]:
        return upright_term(at.view, landmark_term(basis, at, seen, even), depth_term(basis, at, seen, even))

    known = state
    for _ in range(1 + DOUBTING_ROUNDS):
        white = whitening(noise, basis, inflate=params.noise_inflation, doubt=doubt)

        def correlated(at: State, _: Float64[np.ndarray, "L"], white: Whitening = white) -> list[Term]:
            return [white.term(*upright(at)), identity_term(at), expression_term(at, sigma), *focal(at)]

        known = _descend(basis, seen, correlated, known, params, moving="all but focal" if hold_focal else "all")
        strange = white.strangeness(upright(known)[0])
        if strange.max() < STRANGE:
            break
        doubt = doubt * np.maximum(1, strange / USUAL_STRANGENESS)

    def settling(at: State, robust: Float64[np.ndarray, "L"]) -> list[Term]:
        near = identity_term(at)
        stay = Term((at.identity - known.identity) / params.settling_sigma, near.jacobian / params.settling_sigma)
        return [*picture(at, robust), stay, expression_term(at, sigma)]

    return _descend(basis, seen, settling, known, params, moving="all but focal")


def _descend(
    basis: LandmarkBasis, seen: Seen, energy: Energy, state: State, params: FitParams, *, moving: Moving
) -> State:
    """Levenberg-Marquardt with bounds; landmarks are re-weighted in every iteration."""
    damping = 1e-3
    lenient = 4.0 if moving == "pose" else 1.0
    for _ in range(2 if moving == "pose" else params.iterations):
        points = basis.points(state.identity, state.expression)
        off = np.linalg.norm(state.view.project(points) - seen.points_px, axis=1) / seen.interocular_px
        robust = huber_weights(off, params.huber * lenient)
        terms = energy(state, robust)
        before = cost(terms)
        hessian, gradient = normal_equations(terms)
        lower, upper = _bounds(state, moving)
        damped = hessian + np.diag(damping * np.diag(hessian) + 1e-9)
        ahead = state.moved(bounded_step(damped, gradient, lower, upper))
        after = cost(energy(ahead, robust))
        if after > before and moving != "pose":
            damping *= 10
            continue
        state, damping = ahead, damping / 3
        if before - after < params.tolerance * before:
            break
    return state


def _bounds(state: State, moving: Moving) -> tuple[Float64[np.ndarray, "C"], Float64[np.ndarray, "C"]]:
    """Of one step: expressions stay in [0, 1], what does not move has none."""
    count = VIEW + len(state.identity) + len(state.expression)
    lower, upper = np.full(count, -np.inf), np.full(count, np.inf)
    lower[-len(state.expression) :], upper[-len(state.expression) :] = -state.expression, 1 - state.expression
    if moving == "pose":
        lower[VIEW:] = upper[VIEW:] = 0
    if moving != "all":
        lower[VIEW - 1] = upper[VIEW - 1] = 0
    return lower, upper


def gather(basis: LandmarkBasis, face: FaceObservation) -> Seen:
    """The observation in the basis' order."""
    photo = face.photo
    middle = np.array([photo.pixels.shape[1] / 2, photo.pixels.shape[0] / 2])
    return Seen(
        points_px=face.landmarks_px[basis.index].astype(np.float64) - middle,
        depth_px=face.depth_px[basis.index].astype(np.float64),
        interocular_px=face.interocular_px,
    )


def fit_head(model: HeadModel, face: FaceObservation, params: FitParams | None = None) -> HeadFit:
    """Who this is, with which expression, seen from where.

    The camera is the photo's: its focal length when EXIF told it, else one estimated from the perspective of the face.
    Raises ModelError when the head has no calibrated landmarks.
    """
    basis = landmark_basis(model)
    height, width = face.photo.pixels.shape[:2]
    known = face.photo.focal_px is not None
    focal = face.photo.focal_px or usual_focal_px(width, height)
    seen = gather(basis, face)
    state = solve_skin(basis, seen, focal, focal_known=known, params=params or FitParams(), noise=noise_of(model))
    identity = state.identity.astype(np.float32)
    camera = to_camera(state.view, basis.centre, width, height)
    expression = np.zeros(len(ARKIT_NAMES))
    expression[SEEN] = state.expression
    person = shape_head(model, identity)
    centres, radii = eyeballs(model, person)
    left = eye_angles(camera, face.landmarks_px[LEFT_IRIS], centres[0], radii[0])
    right = eye_angles(camera, face.landmarks_px[RIGHT_IRIS], centres[1], radii[1])
    left, right = together(left, right)
    expression += look_weights(left, right)
    resting = resting_lids(expression)
    remaining = (expression - resting).astype(np.float32)
    lids = np.flatnonzero(resting)
    neutral = person + np.tensordot(resting[lids].astype(np.float32), model.expression[lids], 1)
    left_eye, right_eye = eye_rotation(left), eye_rotation(right)
    return HeadFit(
        identity=identity,
        expression=remaining,
        resting=resting.astype(np.float32),
        camera=camera,
        left_eye_wxyz=left_eye,
        right_eye_wxyz=right_eye,
        neutral=neutral,
        posed=pose_head(model, neutral, remaining, left_eye, right_eye),
        residual_iod=inner_residual(basis, state, seen),
    )


def inner_residual(basis: LandmarkBasis, state: State, seen: Seen) -> float:
    """Mean distance of the landmarks inside the face's outline from where they were seen, inter-ocular distances."""
    points = basis.points(state.identity, state.expression)
    off = np.linalg.norm(state.view.project(points) - seen.points_px, axis=1) / seen.interocular_px
    return float(off[~np.isin(basis.index, FACE_OVAL)].mean())
