"""A guess at who this is, from the landmarks at a glance: where the optimiser starts from and what it leans on.

landmarks, turned upright and to the front by the mean head's pose --> linear regression --> identity

The regression was learnt on renders of generated people (tools/head/noise.py), whose landmarks the same detector found;
so it knows what an optimiser cannot: which shapes the detector tells apart, and which it only seems to. It was not
learnt on photos: the guess is held within what people look like, and its error leaves the landmarks room to differ.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64
from safetensors.numpy import load_file

from avatar3d.fit.basis import LandmarkBasis
from avatar3d.fit.camera import first_view
from avatar3d.fit.energies import Seen

_FOLDER: Final = Path(__file__).parents[1] / "head/data"
# Centimetres, and a fifth of a radian, so that all columns are of one size.
_PER_METRE: Final = 100.0
_PER_RADIAN: Final = 5.0
# So far from the mean, in standard deviations of people, may a glance place one coefficient.
_FURTHEST: Final = 2.0
# Features at the end of a glance that are no landmarks.
ANGLES: Final = 5
# An orthographic look: the perspective of the picture is not known yet.
_FAR_PX: Final = 1e4


@dataclass(frozen=True, eq=False)
class IdentityPrior:
    """Coefficients are N(mean, sigma^2)."""

    mean: Float64[np.ndarray, "K"]
    sigma: float


@dataclass(frozen=True, eq=False)
class Glance:
    """A learnt linear regression."""

    offset: Float64[np.ndarray, "K"]
    slopes: Float64[np.ndarray, "F K"]

    def prior(self, basis: LandmarkBasis, seen: Seen, *, sigma: float) -> IdentityPrior:
        """What these landmarks say of the person."""
        guess = self.offset + glance_features(basis, seen) @ self.slopes
        return IdentityPrior(np.clip(guess, -_FURTHEST, _FURTHEST), sigma)


def people(basis: LandmarkBasis) -> IdentityPrior:
    """Anyone."""
    return IdentityPrior(np.zeros(len(basis.identity)), 1.0)


def glance_features(basis: LandmarkBasis, seen: Seen) -> Float64[np.ndarray, "F"]:
    """Landmarks in the head's axes about the mean head's, cm; then yaw, pitch, their squares and product."""
    view = first_view(basis.rest, seen.points_px, basis.confidence, _FAR_PX)
    flat = np.concatenate([seen.points_px, seen.depth_px[:, None]], axis=1)
    turned = (flat - flat.mean(0)) / view.scale_px @ view.rotation
    yaw, pitch = view.turned_rad
    angles = np.array([yaw, pitch, yaw * yaw, pitch * pitch, yaw * pitch])
    rest = basis.rest - basis.rest.mean(0)
    return np.concatenate([(turned - rest).ravel() * _PER_METRE, angles * _PER_RADIAN])


@lru_cache(maxsize=4)
def learnt_glance(head: str) -> Glance | None:
    """The regression learnt for a head and its landmark map; None for heads it was not learnt for."""
    path = _FOLDER / f"{head}_noise.safetensors"
    if not path.is_file():
        return None
    stored = load_file(path)
    return Glance(stored["glance.offset"].astype(np.float64), stored["glance.slopes"].astype(np.float64))
