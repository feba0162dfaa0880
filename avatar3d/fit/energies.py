"""One function per term of the fit. Each gives residuals and their derivatives; the fit minimises half their squares.

Columns: [7 view, K identity, E expression]. Picture residuals are in inter-ocular distances (IOD) before weighting.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.fit.basis import LandmarkBasis
from avatar3d.fit.camera import View

VIEW: Final = 7


@dataclass(frozen=True, eq=False)
class State:
    """What the fit moves."""

    view: View
    identity: Float64[np.ndarray, "K"]
    expression: Float64[np.ndarray, "E"]

    def moved(self, step: Float64[np.ndarray, "C"]) -> "State":
        """One step along all columns; expressions stay in [0, 1]."""
        split = VIEW + len(self.identity)
        return State(
            self.view.moved(step[:VIEW]),
            self.identity + step[VIEW:split],
            np.clip(self.expression + step[split:], 0, 1),
        )


@dataclass(frozen=True, eq=False)
class Seen:
    """What the picture says, in the order of the basis."""

    points_px: Float64[np.ndarray, "L 2"]
    """From the principal point."""
    depth_px: Float64[np.ndarray, "L"]
    interocular_px: float


@dataclass(frozen=True, eq=False)
class Term:
    """Residuals and their derivatives by the columns."""

    residual: Float64[np.ndarray, "R"]
    jacobian: Float64[np.ndarray, "R C"]


def landmark_term(basis: LandmarkBasis, state: State, seen: Seen, weights: Float64[np.ndarray, "L"]) -> Term:
    """Where landmarks fall against where they were seen; `weights` multiply each point's residual (per IOD)."""
    points = basis.points(state.identity, state.expression)
    by_step, by_points = state.view.jacobians(points)
    scale = weights / seen.interocular_px
    residual = (state.view.project(points) - seen.points_px) * scale[:, None]
    by_points = by_points * scale[:, None, None]
    jacobian = np.concatenate([by_step * scale[:, None, None], shape_columns(basis, by_points)], axis=2)
    return Term(residual.ravel(), jacobian.reshape(-1, jacobian.shape[2]))


def depth_term(basis: LandmarkBasis, state: State, seen: Seen, weights: Float64[np.ndarray, "L"]) -> Term:
    """MediaPipe's relative depth against the head's, both about their weighted means (the network knows no offset)."""
    points = basis.points(state.identity, state.expression)
    turned = points @ state.view.rotation.T
    per_iod = state.view.scale_px / seen.interocular_px
    share = weights / weights.sum()

    def centred(rows: np.ndarray) -> np.ndarray:
        return rows - np.tensordot(share, rows, 1)

    residual = centred(turned[:, 2] * per_iod - seen.depth_px / seen.interocular_px) * weights
    by_view = np.zeros((len(points), VIEW))
    by_view[:, 0], by_view[:, 1] = turned[:, 1] * per_iod, -turned[:, 0] * per_iod
    by_view[:, 5] = turned[:, 2] * per_iod
    axis = np.broadcast_to(state.view.rotation[2] * per_iod, (len(points), 1, 3))
    jacobian = np.concatenate([by_view, shape_columns(basis, axis)[:, 0]], axis=1)
    return Term(residual, centred(jacobian) * weights[:, None])


def identity_term(state: State, mean: Float64[np.ndarray, "K"], sigma: float) -> Term:
    """Coefficients are N(mean, sigma^2)."""
    jacobian = _columns(state, len(state.identity))
    jacobian[:, VIEW : VIEW + len(state.identity)] = np.eye(len(state.identity)) / sigma
    return Term((state.identity - mean) / sigma, jacobian)


def expression_term(state: State, sigma: Float64[np.ndarray, "E"]) -> Term:
    """Faces are near rest."""
    jacobian = _columns(state, len(sigma))
    jacobian[:, VIEW + len(state.identity) :] = np.diag(1 / sigma)
    return Term(state.expression / sigma, jacobian)


def focal_term(state: State, focal_px: float, sigma: float) -> Term:
    """The focal length is log-normal about a guess."""
    jacobian = _columns(state, 1)
    jacobian[0, 6] = 1 / sigma
    return Term(np.array([np.log(state.view.focal_px / focal_px) / sigma]), jacobian)


def shape_columns(basis: LandmarkBasis, by_points: Float64[np.ndarray, "L D 3"]) -> Float64[np.ndarray, "L D S"]:
    """Derivatives by the points, carried on to identity and expression columns."""
    identity = np.matmul(by_points, basis.identity.transpose(1, 2, 0))
    expression = np.matmul(by_points, basis.expression.transpose(1, 2, 0))
    return np.concatenate([identity, expression], axis=2)


def huber_weights(distance: Float64[np.ndarray, "L"], threshold: float) -> Float64[np.ndarray, "L"]:
    """Square roots of Huber's weights: 1 within the threshold, falling as its inverse beyond."""
    return np.sqrt(np.minimum(1.0, threshold / np.maximum(distance, 1e-12)))


def _columns(state: State, rows: int) -> Float64[np.ndarray, "R C"]:
    return np.zeros((rows, VIEW + len(state.identity) + len(state.expression)))
