"""How the landmark detector answers to a head, and what it gets wrong.

A detector trained on faces pulls every face toward its own idea of one: it answers only in part to who is before it,
how the head is turned and how near it is, and hundreds of points err together. An optimiser that takes what it says
for the truth, and its points for independent, reads those errors as identity. So both are measured on renders of heads
whose truth is known (tools/head/noise.py): the answer (a linear map from head and circumstances to the mean error),
the main directions in which the errors left over vary, and what is left of each number.

Layout of a residual: x and y of every skin landmark in the head's upright picture frame, then its depth, in IOD.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64
from safetensors.numpy import load_file

from avatar3d.core.head import HeadModel
from avatar3d.fit.basis import SKIN_LANDMARKS, LandmarkBasis
from avatar3d.fit.camera import View
from avatar3d.fit.energies import VIEW, State, Term

_FOLDER: Final = Path(__file__).parents[1] / "head/data"
# Of the circumstances: yaw, pitch, their squares and product, nearness, nearness times yaw.
CIRCUMSTANCES: Final = 7
_STEP: Final = 1e-4


@dataclass(frozen=True, eq=False)
class LandmarkNoise:
    """observed - true = N(mean + answer . (identity, expression, circumstances), modes^T modes + diag(left^2))."""

    mean: Float64[np.ndarray, "L 3"]
    answer: Float64[np.ndarray, "C L 3"]
    """By identity, then the seen expressions, then the circumstances."""
    modes: Float64[np.ndarray, "M L 3"]
    """Each scaled by its standard deviation."""
    left: Float64[np.ndarray, "L 3"]
    """Standard deviation of what the modes do not tell."""


@dataclass(frozen=True, eq=False)
class Whitening:
    """The same noise for one basis, ready to make residuals independent and of unit variance."""

    mean: Float64[np.ndarray, "R"]
    answer: Float64[np.ndarray, "R C"]
    scale: Float64[np.ndarray, "R"]
    directions: Float64[np.ndarray, "R M"]
    """Orthonormal, in scaled residuals."""
    shrink: Float64[np.ndarray, "M"]
    """How much of each direction is taken away: C^-1/2 = I - U diag(shrink) U^T."""

    def expected(
        self, at: State, residual: Float64[np.ndarray, "R"], jacobian: Float64[np.ndarray, "R S"]
    ) -> tuple[Float64[np.ndarray, "R"], Float64[np.ndarray, "R S"]]:
        """Model - observed (upright, IOD) as the detector would have it, and its derivatives by the state's columns."""
        around = circumstances(at.view)
        split = self.answer.shape[1] - CIRCUMSTANCES
        slopes = jacobian.copy()
        slopes[:, VIEW:] += self.answer[:, :split]
        slopes[:, :VIEW] += self.answer[:, split:] @ _by_view(at.view, around)
        head = np.concatenate([at.identity, at.expression, around])
        return residual + self.mean + self.answer @ head, slopes

    def term(self, at: State, residual: Float64[np.ndarray, "R"], jacobian: Float64[np.ndarray, "R S"]) -> Term:
        """Whitened residuals (model - observed, upright, IOD) and their derivatives."""
        bare, bare_slopes = self.expected(at, residual, jacobian)
        off, slopes = bare * self.scale, bare_slopes * self.scale[:, None]
        return Term(
            off - self.directions @ (self.shrink * (self.directions.T @ off)),
            slopes - self.directions @ (self.shrink[:, None] * (self.directions.T @ slopes)),
        )

    def strangeness(
        self, at: State, residual: Float64[np.ndarray, "R"], jacobian: Float64[np.ndarray, "R S"]
    ) -> Float64[np.ndarray, "L"]:
        """How far each landmark lies from what the modes can explain, in its standard deviations (picture only)."""
        off = self.expected(at, residual, jacobian)[0] * self.scale
        explained = 1 - (1 - self.shrink) ** 2  # s^2 / (1 + s^2): the modes' posterior mean
        unexplained = off - self.directions @ (explained * (self.directions.T @ off))
        return np.linalg.norm(unexplained[: len(off) // 3 * 2].reshape(-1, 2), axis=1)


def circumstances(view: View) -> Float64[np.ndarray, "7"]:
    """What the detector's error depends on besides the head: how it is turned (radians) and how near it is (1 / m)."""
    yaw, pitch = view.turned_rad
    near = 1 / view.distance_m
    return np.array([yaw, pitch, yaw * yaw, pitch * pitch, yaw * pitch, near, near * yaw])


def _by_view(view: View, around: Float64[np.ndarray, "7"]) -> Float64[np.ndarray, "7 7"]:
    """Derivatives of the circumstances by a step of the view."""
    steps = _STEP * np.eye(VIEW)
    return np.stack([(circumstances(view.moved(step)) - around) / _STEP for step in steps], axis=1)


def whitening(
    noise: LandmarkNoise, basis: LandmarkBasis, *, inflate: float, doubt: Float64[np.ndarray, "L"] | None = None
) -> Whitening:
    """Square root of the inverse covariance, `inflate` times the measured one (renders are not photos).

    `doubt` multiplies the standard deviation of single landmarks (a beard, a fringe).

    With Q = D^-1/2 modes^T = U s W^T and C = D^1/2 (I + Q Q^T) D^1/2, the inverse root is
    (I - U (1 - 1 / sqrt(1 + s^2)) U^T) D^-1/2.
    """
    keep = basis.index
    own = noise.left[keep] if doubt is None else noise.left[keep] * doubt[:, None]
    left = flat_residual(own) * np.sqrt(inflate)
    modes = np.stack([flat_residual(mode[keep]) for mode in noise.modes]) * np.sqrt(inflate)
    directions, strength, _ = np.linalg.svd((modes / left).T, full_matrices=False)
    return Whitening(
        mean=flat_residual(noise.mean[keep]),
        answer=np.stack([flat_residual(slope[keep]) for slope in noise.answer], axis=1),
        scale=1 / left,
        directions=directions,
        shrink=1 - 1 / np.sqrt(1 + strength**2),
    )


def upright_term(view: View, picture: Term, depth: Term) -> tuple[Float64[np.ndarray, "R"], Float64[np.ndarray, "R C"]]:
    """Picture residuals turned so that the head stands upright, then depth residuals; and their derivatives."""
    turn = upright_turn(view)
    residual = (picture.residual.reshape(-1, 2) @ turn.T).ravel()
    jacobian = np.matmul(turn, picture.jacobian.reshape(-1, 2, picture.jacobian.shape[1]))
    return (
        np.concatenate([residual, depth.residual]),
        np.concatenate([jacobian.reshape(len(residual), -1), depth.jacobian]),
    )


def upright_turn(view: View) -> Float64[np.ndarray, "2 2"]:
    """Turns picture vectors so that the head stands upright."""
    across = view.rotation[:2, 0] / np.linalg.norm(view.rotation[:2, 0])
    return np.array([[across[0], across[1]], [-across[1], across[0]]])


def flat_residual(points: Float64[np.ndarray, "L 3"]) -> Float64[np.ndarray, "R"]:
    """(x, y) of all points, then z of all points."""
    return np.concatenate([points[:, :2].ravel(), points[:, 2]])


@lru_cache(maxsize=4)
def landmark_noise(head: str) -> LandmarkNoise | None:
    """The measured noise for a head's landmark map; None for heads it was not measured on."""
    path = _FOLDER / f"{head}_noise.safetensors"
    if not path.is_file():
        return None
    stored = load_file(path)
    noise = LandmarkNoise(*(stored[f"noise.{key}"].astype(np.float64) for key in ("mean", "answer", "modes", "left")))
    if noise.modes.shape[1:] != (SKIN_LANDMARKS, 3):
        raise ValueError(f"{path.name}: expected modes of {SKIN_LANDMARKS} landmarks, got {noise.modes.shape}")
    return noise


def noise_of(model: HeadModel) -> LandmarkNoise | None:
    """As landmark_noise, for a model."""
    return landmark_noise(model.name)
