"""Shading that the first, cautious light left in the skin: what goes with the direction the skin faces is light.

log ratio of bare skin, normals --> how it goes with the normal, harmonics of degree 4 --> taken out, for the refined light
"""

from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.photo import Light, light_basis
from avatar3d.texture.delight import SPHERE
from avatar3d.texture.project import Look

_TERMS: Final = 25
_FREEDOM: Final = (0.30, 0.30, 0.15, 0.15)
"""How far the terms of degree 1 to 4 may stray, root mean square over the sphere in log colour."""
_SPREAD: Final = 0.12
"""Usual spread of log colour over skin of one tone; the Huber threshold."""
_EFFECTIVE: Final = 130.0
"""Texels are not independent: together they count as so many measurements."""
_SAMPLES: Final = 12_000
_LEAST: Final = 200
_ITERATIONS: Final = 6
import os
_TAKEN: Final = float(os.environ.get("TAKEN","0.7"))


def fit_shading(ratio: Float32[np.ndarray, "M 3"], look: Look) -> Float32[np.ndarray, "25 3"]:
    """Harmonics of the normal that log ratios of bare skin go with, zero in the mean; none where too little is seen."""
    chosen = np.flatnonzero((look.plain > 0.9) & (look.weight > 0.05))
    if len(chosen) < _LEAST:
        return np.zeros((_TERMS, 3), np.float32)
    chosen = chosen[:: max(1, len(chosen) // _SAMPLES)]
    basis = light_basis(look.normals[chosen].astype(np.float64), _TERMS)
    values = ratio[chosen].astype(np.float64)
    weights = np.sqrt(look.weight[chosen].astype(np.float64))
    weights *= _EFFECTIVE / weights.sum()
    stiffness = np.diag([0.0, *(1 / _FREEDOM_OF**2)])
    robust = np.ones_like(weights)
    for _ in range(_ITERATIONS):
        weighted = basis * (weights * robust / _SPREAD**2)[:, None]
        found = np.linalg.solve(weighted.T @ basis + stiffness, weighted.T @ values)
        error = np.linalg.norm(values - basis @ found, axis=1)
        robust = np.minimum(1, 2 * _SPREAD / np.maximum(error, 1e-9))
    found[0] -= (weights[:, None] * (basis @ found)).sum(0) / weights.sum()
    return found.astype(np.float32)


def shading(harmonics: Float32[np.ndarray, "25 3"], look: Look) -> Float32[np.ndarray, "M 3"]:
    """What to take off log colour."""
    basis = light_basis(look.normals.astype(np.float64), _TERMS).astype(np.float32)
    return np.float32(_TAKEN) * (basis @ harmonics)


def with_shading(light: Light, harmonics: Float32[np.ndarray, "25 3"]) -> Light:
    """The light that does both."""
    sphere = light_basis(SPHERE.astype(np.float64), _TERMS)
    shade = np.maximum(light.shade(SPHERE), np.float32(0.02)) * np.exp(_TAKEN * (sphere @ harmonics))
    own = np.stack([np.linalg.lstsq(sphere / each[:, None], np.ones(len(each)), rcond=None)[0] for each in shade.T], axis=1)
    return Light(own.astype(np.float32))


_FREEDOM_OF: Final = np.repeat(_FREEDOM, (3, 5, 7, 9)) / np.sqrt(
    (light_basis(SPHERE.astype(np.float64), _TERMS)[:, 1:] ** 2).mean(axis=0)
)
