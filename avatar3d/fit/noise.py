"""What the landmark detector gets wrong, and how its errors go together.

A detector trained on faces pulls every face toward its own idea of one: hundreds of points err together, and an
optimiser that takes them for independent reads those errors as identity. Measured on renders of heads whose truth is
known (tools/head/noise.py): mean error, the main directions in which errors vary, and what is left of each number.

Layout of a residual: x and y of every skin landmark in the head's upright picture frame, then its depth, in IOD.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.core.head import HeadModel
from avatar3d.fit.basis import SKIN_LANDMARKS, LandmarkBasis
from avatar3d.fit.camera import View
from avatar3d.fit.energies import Term

_FOLDER: Final = Path(__file__).parents[1] / "head/data"


@dataclass(frozen=True, eq=False)
class LandmarkNoise:
    """N(mean, modes^T modes + diag(left^2)) of the residual observed - true, for all skin landmarks."""

    mean: Float64[np.ndarray, "L 3"]
    modes: Float64[np.ndarray, "M L 3"]
    """Each scaled by its standard deviation."""
    left: Float64[np.ndarray, "L 3"]
    """Standard deviation of what the modes do not tell."""


@dataclass(frozen=True, eq=False)
class Whitening:
    """The same noise for one basis, ready to make residuals independent and of unit variance."""

    mean: Float64[np.ndarray, "R"]
    scale: Float64[np.ndarray, "R"]
    directions: Float64[np.ndarray, "R M"]
    """Orthonormal, in scaled residuals."""
    shrink: Float64[np.ndarray, "M"]
    """How much of each direction is taken away: C^-1/2 = I - U diag(shrink) U^T."""

    def term(self, residual: Float64[np.ndarray, "R"], jacobian: Float64[np.ndarray, "R C"]) -> Term:
        """Whitened residuals (model - observed, upright, IOD) and their derivatives."""
        off = (residual + self.mean) * self.scale
        slopes = jacobian * self.scale[:, None]
        return Term(
            off - self.directions @ (self.shrink * (self.directions.T @ off)),
            slopes - self.directions @ (self.shrink[:, None] * (self.directions.T @ slopes)),
        )

    def strangeness(self, residual: Float64[np.ndarray, "R"]) -> Float64[np.ndarray, "L"]:
        """How far each landmark lies from what the modes can explain, in its standard deviations (picture only)."""
        off = (residual + self.mean) * self.scale
        explained = 1 - (1 - self.shrink) ** 2  # s^2 / (1 + s^2): the modes' posterior mean
        unexplained = off - self.directions @ (explained * (self.directions.T @ off))
        return np.linalg.norm(unexplained[: len(off) // 3 * 2].reshape(-1, 2), axis=1)


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
        scale=1 / left,
        directions=directions,
        shrink=1 - 1 / np.sqrt(1 + strength**2),
    )


def upright_term(view: View, picture: Term, depth: Term) -> tuple[Float64[np.ndarray, "R"], Float64[np.ndarray, "R C"]]:
    """Picture residuals turned so that the head stands upright, then depth residuals; and their derivatives."""
    across = view.rotation[:2, 0] / np.linalg.norm(view.rotation[:2, 0])
    turn = np.array([[across[0], across[1]], [-across[1], across[0]]])
    residual = (picture.residual.reshape(-1, 2) @ turn.T).ravel()
    jacobian = np.matmul(turn, picture.jacobian.reshape(-1, 2, picture.jacobian.shape[1]))
    return (
        np.concatenate([residual, depth.residual]),
        np.concatenate([jacobian.reshape(len(residual), -1), depth.jacobian]),
    )


def flat_residual(points: Float64[np.ndarray, "L 3"]) -> Float64[np.ndarray, "R"]:
    """(x, y) of all points, then z of all points."""
    return np.concatenate([points[:, :2].ravel(), points[:, 2]])


@lru_cache(maxsize=4)
def landmark_noise(head: str) -> LandmarkNoise | None:
    """The measured noise for a head's landmark map; None for heads it was not measured on."""
    path = _FOLDER / f"{head}_noise.npz"
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as archive:
        noise = LandmarkNoise(*(archive[key].astype(np.float64) for key in ("mean", "modes", "left")))
    if noise.modes.shape[1:] != (SKIN_LANDMARKS, 3):
        raise ValueError(f"{path.name}: expected modes of {SKIN_LANDMARKS} landmarks, got {noise.modes.shape}")
    return noise


def noise_of(model: HeadModel) -> LandmarkNoise | None:
    """As landmark_noise, for a model."""
    return landmark_noise(model.name)
