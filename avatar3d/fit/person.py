"""Who is this? View, identity and expression that explain the landmarks of one photo.

landmarks --> orthographic first view --> pose --> pose + identity + expression (robust, bounded)
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64

from avatar3d.core.photo import FaceObservation
from avatar3d.fit.basis import LIDS, LIPS, SEEN, LandmarkBasis
from avatar3d.fit.camera import first_view, usual_focal_px
from avatar3d.fit.energies import (
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
from avatar3d.fit.noise import LandmarkNoise, Whitening, upright_term, upright_turn, whitening
from avatar3d.fit.prior import Glance, IdentityPrior, people
from avatar3d.fit.solve import Moving, bounded_step, bounds, cost, normal_equations

# A landmark further than this from what the noise explains, in its standard deviations, is hidden or wrong. Of 50
# faces, portraits and renders alike, 99.9 % of the landmarks lie within 2.8.
STRANGE: Final = 4.0
USUAL_STRANGENESS: Final = 2.0
DOUBTING_ROUNDS: Final = 3


@dataclass(frozen=True)
class FitParams:
    """How much each kind of evidence is believed."""

    noise_inflation: float = 10.0
    """The detector's measured covariance counts this many times: it was measured on renders, not on photos."""
    glance_sigma: float = 0.3
    """Standard deviation of the learnt guess at a coefficient of identity, where people vary by 1."""
    landmark_sigma_iod: float = 0.06
    """Standard deviation of a landmark, in inter-ocular distances, when they are taken for independent. Larger than
    the detector's own error (2.6 %) because neighbours err together; a smaller one over-fits identity (facts.md)."""
    depth_sigma_iod: float = 0.25
    """Of the detector's depth."""
    settling_sigma: float = 0.1
    """How far identity may move, per mode, when the head is laid on the picture after the person is known."""
    line_weight: float = 2.5
    """How much more lid and lip lines count then."""
    pin_sigma_iod: float = 0.015
    """Of a landmark that was pinned by hand, then ..."""
    pin_huber: float = 0.15
    """... and the residual, IOD, from which it counts less: a wrong pin turns no head."""
    expression_sigma: float = 0.35
    huber: float = 0.06
    """Picture residual, IOD, from which a landmark counts less (beard, glasses, fringe)."""
    focal_sigma: float = 1.0
    """Of the logarithm of the focal length when the picture does not tell it; 0 holds it."""
    iterations: int = 12
    tolerance: float = 1e-3
    """Relative fall of the energy at which to stop."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that one fit looks at."""

    basis: LandmarkBasis
    seen: Seen
    focal_px: float
    focal_known: bool
    params: FitParams
    prior: IdentityPrior
    """Who this may be."""
    pinned: Bool[np.ndarray, "L"]
    """Put there by hand."""

    @property
    def moving(self) -> Moving:
        return "all but focal" if self.focal_known or self.params.focal_sigma == 0 else "all"

    def off(self, at: State) -> Float64[np.ndarray, "L"]:
        """Distance of each landmark from where it was seen, IOD."""
        points = self.basis.points(at.identity, at.expression)
        return np.linalg.norm(at.view.project(points) - self.seen.points_px, axis=1) / self.seen.interocular_px

    def picture(self, at: State, robust: Float64[np.ndarray, "L"]) -> Term:
        """Landmarks taken for independent."""
        weights = np.sqrt(self.basis.confidence) * robust / self.params.landmark_sigma_iod
        return landmark_term(self.basis, at, self.seen, weights)

    def pins(self, at: State) -> Float64[np.ndarray, "P"]:
        """Weights of the pinned landmarks, in the place of `robust` of `picture`."""
        firm = self.params.landmark_sigma_iod / self.params.pin_sigma_iod
        robust = huber_weights(self.off(at)[self.pinned], self.params.pin_huber)
        return firm * robust / np.sqrt(self.basis.confidence[self.pinned])

    def upright(self, at: State) -> tuple[Float64[np.ndarray, "R"], Float64[np.ndarray, "R C"]]:
        """Bare residuals and derivatives in the noise's layout, IOD."""
        even = np.ones(len(self.basis.index))
        picture = landmark_term(self.basis, at, self.seen, even)
        return upright_term(at.view, picture, depth_term(self.basis, at, self.seen, even))

    def believed(self, at: State, white: Whitening, doubt: Float64[np.ndarray, "L"]) -> Seen:
        """What was seen, doubted landmarks moved toward where this head would be seen."""
        off = white.expected(at, *self.upright(at))[0] * self.seen.interocular_px
        share = 1 - 1 / doubt**2
        count = len(share)
        picture = off[: 2 * count].reshape(-1, 2) @ upright_turn(at.view)
        return replace(
            self.seen,
            points_px=self.seen.points_px + share[:, None] * picture,
            depth_px=self.seen.depth_px + share * off[2 * count :],
        )

    def expression_prior(self, at: State) -> Term:
        return expression_term(at, np.full(len(SEEN), self.params.expression_sigma))

    def priors(self, at: State) -> list[Term]:
        """People, expressions and, when the picture does not tell it, the focal length."""
        terms = [identity_term(at, self.prior.mean, self.prior.sigma), self.expression_prior(at)]
        return terms if self.moving != "all" else [*terms, focal_term(at, self.focal_px, self.params.focal_sigma)]


Energy = Callable[[State, Float64[np.ndarray, "L"]], list[Term]]
"""Terms at a state, given each landmark's robust weight."""


def solve_skin(evidence: Evidence, noise: LandmarkNoise | None, glance: Glance | None) -> State:
    """View, identity and expression that explain the skin landmarks; the detector's noise when it was measured."""
    pose = first_pose(evidence)
    return independent_fit(evidence, pose) if noise is None else find_person(evidence, noise, glance, pose)


def first_pose(evidence: Evidence) -> State:
    """The mean head, placed."""
    basis = evidence.basis
    view = first_view(basis.rest, evidence.seen.points_px, basis.confidence, evidence.focal_px)
    start = State(view, np.zeros(len(basis.identity)), np.zeros(len(SEEN)))
    return _descend(evidence, lambda at, robust: [evidence.picture(at, robust)], start, moving="pose")


def independent_fit(evidence: Evidence, start: State) -> State:
    """All at once, landmarks independent, the detector's depth as weak evidence: for heads without measured noise."""

    def energy(at: State, robust: Float64[np.ndarray, "L"]) -> list[Term]:
        weights = np.sqrt(evidence.basis.confidence) / evidence.params.depth_sigma_iod
        depth = depth_term(evidence.basis, at, evidence.seen, weights)
        return [evidence.picture(at, robust), depth, *evidence.priors(at)]

    return _descend(evidence, energy, start, moving=evidence.moving)


def find_person(evidence: Evidence, noise: LandmarkNoise, glance: Glance | None, start: State) -> State:
    """Who this is: errors that go together are explained away; landmarks that nothing explains are doubted, again."""
    state, doubt = start, np.ones(len(evidence.basis.index))
    for _ in range(1 + DOUBTING_ROUNDS):
        white = whitening(noise, evidence.basis, inflate=evidence.params.noise_inflation, doubt=doubt)
        state = _explain(evidence, white, state)
        strange = white.strangeness(state, *evidence.upright(state))
        if strange.max() < STRANGE:
            break
        doubt = doubt * np.maximum(1, strange / USUAL_STRANGENESS)
        if glance is not None:
            believed = evidence.believed(state, white, doubt)
            prior = glance.prior(evidence.basis, believed, sigma=evidence.params.glance_sigma)
            evidence = replace(evidence, prior=prior)
    return state


def _explain(evidence: Evidence, white: Whitening, start: State) -> State:
    """One round: all at once, under the detector's noise."""

    def energy(at: State, _: Float64[np.ndarray, "L"]) -> list[Term]:
        return [white.term(at, *evidence.upright(at)), *evidence.priors(at)]

    return _descend(evidence, energy, start, moving=evidence.moving)


def firmness(evidence: Evidence, noise: LandmarkNoise | None, person: State) -> Float64[np.ndarray, "C C"]:
    """How firmly landmarks hold a person (inverse covariance): what they do not tell varies as people do."""
    told = evidence.picture(person, np.ones(len(evidence.basis.index)))
    if noise is not None:
        white = whitening(noise, evidence.basis, inflate=evidence.params.noise_inflation)
        told = white.term(person, *evidence.upright(person))
    anyone = replace(evidence, prior=people(evidence.basis))
    return normal_equations([told, *anyone.priors(person)])[0]


def lay_on_picture(evidence: Evidence, person: State, *, moving: Moving = "all but focal") -> State:
    """Pose and expression against the landmarks themselves, robustly, while identity hardly moves, or not at all."""
    sigma = evidence.params.settling_sigma
    lines = np.where(np.isin(evidence.basis.index, LIDS + LIPS), evidence.params.line_weight, 1.0)

    def energy(at: State, robust: Float64[np.ndarray, "L"]) -> list[Term]:
        stay = identity_term(at, person.identity, sigma)
        weights = robust * lines
        weights[evidence.pinned] = evidence.pins(at)
        return [evidence.picture(at, weights), stay, evidence.expression_prior(at)]

    return _descend(evidence, energy, person, moving=moving)


def _descend(evidence: Evidence, energy: Energy, state: State, *, moving: Moving) -> State:
    """Levenberg-Marquardt with bounds; landmarks are re-weighted in every iteration."""
    params = evidence.params
    damping = 1e-3
    lenient = 4.0 if moving == "pose" else 1.0
    for _ in range(2 if moving == "pose" else params.iterations):
        robust = huber_weights(evidence.off(state), params.huber * lenient)
        terms = energy(state, robust)
        before = cost(terms)
        hessian, gradient = normal_equations(terms)
        lower, upper = bounds(len(state.identity), state.expression, moving)
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


def gather(basis: LandmarkBasis, face: FaceObservation, params: FitParams, glance: Glance | None) -> Evidence:
    """The observation in the basis' order; the focal length from EXIF, else the usual one as a guess."""
    photo = face.photo
    height, width = photo.pixels.shape[:2]
    seen = Seen(
        points_px=face.landmarks_px[basis.index].astype(np.float64) - np.array([width / 2, height / 2]),
        depth_px=face.depth_px[basis.index].astype(np.float64),
        interocular_px=face.interocular_px,
    )
    known = photo.focal_px is not None
    prior = people(basis) if glance is None else glance.prior(basis, seen, sigma=params.glance_sigma)
    focal = photo.focal_px or usual_focal_px(width, height)
    return Evidence(basis, seen, focal, known, params, prior, np.zeros(len(basis.index), bool))
