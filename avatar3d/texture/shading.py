"""Shading that the first, cautious light left in skin that is seen aslant: what goes with the way skin faces is light.

log ratio of bare skin, normals --fit_shading--> Shading, harmonics of degree 4 --shading_aslant--> taken out at the rim
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.photo import light_basis
from avatar3d.texture.delight import SPHERE
from avatar3d.texture.project import Look

_TERMS: Final = 25
_FREEDOM: Final = (0.30, 0.30, 0.15, 0.15)
"""How far the terms of degree 1 to 4 may stray, root mean square over the sphere in log colour."""
_TERMS_OF: Final = (3, 5, 7, 9)
_SPREAD: Final = 0.12
"""Usual spread of log colour over skin of one tone; twice this is the Huber threshold."""
_EFFECTIVE: Final = 130.0
"""Texels are not independent: together they count as so many measurements."""
_SAMPLES: Final = 12_000
_LEAST: Final = 200
_ITERATIONS: Final = 6
_TAKEN: Final = 0.7
"""Share of it that is light: jaws are darker than foreheads in even light too. Likeness under the photo's own light has
its best here (8 portraits: 0 26.51, .7 26.55, 1 26.41 dB)."""
_RANGE: Final = (0.01, 0.99)
"""Quantiles of what was measured: harmonics know nothing beyond it."""
_ASLANT: Final = (0.40, 0.75)
"""Cosines to the camera: all of it is taken below the first, where it shows as a brown band from which the fill goes on, and
none above the second, where as much of it is the skin's own (`bench.relight`: decision 0013)."""


@dataclass(frozen=True, eq=False)
class Shading:
    """Log colour that goes with the normal, nowhere more nor less than where it was measured."""

    harmonics: Float32[np.ndarray, "25 3"]
    least: Float32[np.ndarray, "3"]
    most: Float32[np.ndarray, "3"]

    def at(self, normals: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N 3"]:
        """At unit normals."""
        return np.clip(light_basis(normals, _TERMS).astype(np.float32) @ self.harmonics, self.least, self.most)


def fit_shading(ratio: Float32[np.ndarray, "M 3"], look: Look) -> Shading:
    """What of the log ratio goes with the normal on bare skin, zero in the mean; nothing where too little is seen."""
    chosen = np.flatnonzero((look.plain > 0.9) & (look.weight > 0.05))
    if len(chosen) < _LEAST:
        return Shading(np.zeros((_TERMS, 3), np.float32), *np.zeros((2, 3), np.float32))
    chosen = chosen[:: max(1, len(chosen) // _SAMPLES)]
    basis = light_basis(look.normals[chosen].astype(np.float64), _TERMS)
    values = ratio[chosen].astype(np.float64)
    weights = np.sqrt(look.weight[chosen].astype(np.float64))
    weights *= _EFFECTIVE / weights.sum()
    found = np.zeros((_TERMS, 3))
    for _ in range(_ITERATIONS):
        error = np.linalg.norm(values - basis @ found, axis=1)
        robust = np.minimum(1, 2 * _SPREAD / np.maximum(error, 1e-9))
        weighted = basis * (weights * robust / _SPREAD**2)[:, None]
        found = np.linalg.solve(weighted.T @ basis + _STIFFNESS, weighted.T @ values)
    found[0] -= weights @ (basis @ found) / weights.sum()  # the tone stays
    found = (_TAKEN * found).astype(np.float32)
    least, most = np.quantile(basis.astype(np.float32) @ found, _RANGE, axis=0)
    return Shading(found, least.astype(np.float32), most.astype(np.float32))


def shading_aslant(left: Shading, look: Look) -> Float32[np.ndarray, "M 3"]:
    """What of it to take out of what was seen: all at the rim, nothing where skin faces the camera."""
    rim = np.clip((_ASLANT[1] - look.cosine) / (_ASLANT[1] - _ASLANT[0]), 0, 1)
    return (left.at(look.normals) * rim[:, None]).astype(np.float32)


_STIFFNESS: Final = np.diag(
    np.concatenate(
        [
            [0.0],
            (light_basis(SPHERE.astype(np.float64), _TERMS)[:, 1:] ** 2).mean(axis=0)
            / np.repeat(_FREEDOM, _TERMS_OF) ** 2,
        ]
    )
)
