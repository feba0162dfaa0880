"""The photo's light from the shading of its skin: spherical harmonics fitted in log luminance.

Degree 2 for what albedo is divided by; degree 4, once albedo is known, for what gives the photo back.
"""

from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.photo import Light, light_basis
from avatar3d.render.lights import LUMINANCE

# How far a coefficient may stray, relative to the constant one, before it costs as much as a texel's usual error:
# a face shows half of the sphere of normals, so what the other half would tell is a guess. By degree; tuned, with
# _EFFECTIVE and _CHROMA_FREEDOM, for albedo error on synthetic heads in skins of the calibration half of congress. Their
# best is tighter still, but real light is not as smooth as theirs (dark cheeks under one hard lamp).
_FREEDOM: Final = np.array([10.0, 0.3, 0.3, 0.3, 0.066, 0.066, 0.048, 0.066, 0.066])
_CHROMA_FREEDOM: Final = 0.04
"""The same for how a colour channel's light may differ in shape from the luminance's."""
_SPHERE: Final = 256
"""Directions spread over the sphere in which shading is expected near its mean: nostrils, chin and the back of the
head tell nothing, and light bounces."""
_SPHERE_WEIGHT: Final = 3.0
"""Together they count as so many measurements."""
_SPHERE_SPREAD: Final = 0.45
"""In log shading."""
_LOG_ERROR: Final = 0.15
"""Usual spread of log albedo over skin; the Huber threshold."""
_EFFECTIVE: Final = 20.0
"""Texels are not independent: together they count as so many measurements."""
_ITERATIONS: Final = 12
_FACES_OWN: Final = np.array([0.0, 0.12, 0.0, 0.0, 0.0, 0.02, 0.0, 0.0, -0.05])
"""What faces look as if lit by though light is even (foreheads are paler than jaws, middles than sides), relative to the
constant coefficient: mean excess of fitted over true light on synthetic heads in skins of the calibration half."""
_DOUBT: Final = 0.10
"""Spread of log shading at which half of a fitted light is believed; of less, ever less: faint shading is mostly skin.
Lowered from .13 for portraits, whose rims stayed dark (decision 0013)."""
_DOUBT_POWER: Final = 4
_REFINED_FREEDOM: Final = np.array([0.35, *[0.7] * 8])
"""How far a refined coefficient may stray from the first estimate, relative to the constant one: albedo is known then."""
_REFINED_TERMS: Final = 25
_FINER: Final = 0.5
"""How far a term of degree 3 or 4 may stray, in root mean square over the sphere relative to the constant one: gloss, and
light that skin bounces onto skin, are sharper than what one lamp does to matte skin."""
_REFINED_EFFECTIVE: Final = 130.0
_DIMMEST: Final = 0.05
"""No direction is lit by less than this share of the mean: coefficients that would are held to the estimate there, by so
many times more in each of so many tries."""
_HELD: Final = 3.0
_TRIES: Final = 12
DARKEST: Final = 0.5
"""Albedo is never divided by less than this share of the face's mean shading: where the fit is darker, light bounces."""


def fit_light(
    colour: Float32[np.ndarray, "N 3"], normals: Float32[np.ndarray, "N 3"], weights: Float32[np.ndarray, "N"]
) -> Light:
    """The light under which skin of one colour would look like these samples (linear RGB, unit normals).

    What one photo cannot tell is set: on average over the samples the light is white and of strength 1, so
    albedo keeps the photo's exposure and white balance.
    """
    basis = light_basis(normals.astype(np.float64), 9)
    share = weights / max(float(weights.sum()), 1e-9) * _EFFECTIVE
    luminance = np.log(np.maximum(colour @ LUMINANCE, 1e-3)).astype(np.float64)
    start = np.zeros(9)
    start[0] = np.exp(np.average(luminance, weights=share + 1e-12))
    basis, share = np.concatenate([basis, _SPHERE_BASIS]), np.concatenate([share, _SPHERE_SHARE])
    luminance = np.concatenate([luminance, np.full(_SPHERE, np.log(start[0]))])
    grey = _fit(luminance, basis, share, start, start, _FREEDOM)
    coefficients = np.zeros((9, 3), np.float32)
    for channel in range(3):
        value = np.log(np.maximum(colour[:, channel], 1e-3)).astype(np.float64)
        tint = np.exp(np.average(value - luminance[:-_SPHERE], weights=share[:-_SPHERE] + 1e-12))
        value = np.concatenate([value, np.full(_SPHERE, np.log(start[0] * tint))])
        freedom = np.concatenate([_FREEDOM[:1], np.full(8, _CHROMA_FREEDOM)])
        own = _fit(value, basis, share, grey * tint, grey * tint, freedom)
        shade = np.maximum(basis[:-_SPHERE] @ own, 1e-3)
        coefficients[:, channel] = own / np.exp(np.average(np.log(shade), weights=share[:-_SPHERE] + 1e-12))
    return Light(coefficients)


def doubt_light(light: Light, normals: Float32[np.ndarray, "N 3"], weights: Float32[np.ndarray, "N"]) -> Light:
    """The light as far as it can be told from skin: what faces look like in even light is taken off, and a faint rest
    is believed less than a strong one. Its mean over the samples stays.
    """

    def log_shade(coefficients: np.ndarray) -> np.ndarray:
        return np.log(np.maximum(Light(coefficients).shade(normals), 1e-3))

    before = log_shade(light.coefficients)
    share = weights / max(float(weights.sum()), 1e-9)
    grey = before @ LUMINANCE
    spread = float(np.sqrt(((grey - share @ grey) ** 2) @ share))
    believed = spread**_DOUBT_POWER / (spread**_DOUBT_POWER + _DOUBT**_DOUBT_POWER)
    shape = light.coefficients / light.coefficients[:1] - _FACES_OWN[:, None]
    doubted = (light.coefficients[:1] * np.concatenate([np.ones((1, 3)), believed * shape[1:]])).astype(np.float32)
    kept = np.exp(share @ (before - log_shade(doubted)))
    return Light((doubted * kept).astype(np.float32))


def refine_light(
    light: Light,
    albedo: Float32[np.ndarray, "N 3"],
    colour: Float32[np.ndarray, "N 3"],
    normals: Float32[np.ndarray, "N 3"],
    weights: Float32[np.ndarray, "N"],
) -> Light:
    """The light that gives the photo back from the finished albedo, as far as 25 coefficients a channel can.

    What was taken out of the albedo as light too small for the first, cautious estimate goes where it belongs. Toward
    directions that the photo does not show, the first estimate stays.
    """
    around = light_basis(SPHERE.astype(np.float64), _REFINED_TERMS)
    basis = np.concatenate([light_basis(normals.astype(np.float64), _REFINED_TERMS), around])
    freedom = np.concatenate([_REFINED_FREEDOM, _FINER / np.sqrt((around[:, 9:] ** 2).mean(axis=0))])
    share = np.concatenate([weights / max(float(weights.sum()), 1e-9) * _REFINED_EFFECTIVE, _SPHERE_SHARE])
    usual = np.maximum(light.shade(SPHERE), np.float32(0.02)).astype(np.float64)
    coefficients = np.zeros((_REFINED_TERMS, 3), np.float32)
    for channel in range(3):
        ratio = np.maximum(colour[:, channel], 1e-3) / np.maximum(albedo[:, channel], 1e-3)
        target = np.log(np.concatenate([ratio.astype(np.float64), usual[:, channel]]))
        prior = np.zeros(_REFINED_TERMS)
        prior[: len(light.coefficients)] = light.coefficients[:, channel]
        held, own = share.copy(), prior
        for _ in range(_TRIES):
            own = _fit(target, basis, held, prior, prior, freedom)
            unlit = around @ own < _DIMMEST * own[0]
            if not unlit.any():
                break
            held[-_SPHERE:][unlit] *= _HELD
        spare, least = (around @ each - _DIMMEST * each[0] for each in (prior, own))
        share_kept = np.where(least < 0, spare / np.maximum(spare - least, 1e-9), 1).min()
        own = prior + np.clip(share_kept, 0, 1) * (own - prior)
        coefficients[:, channel] = own
    return Light(coefficients)


def divide_by_light(
    colour: Float32[np.ndarray, "N 3"], normals: Float32[np.ndarray, "N 3"], light: Light
) -> Float32[np.ndarray, "N 3"]:
    """Albedo (linear RGB) of what looks like this under the light."""
    return colour / np.maximum(light.shade(normals), np.float32(DARKEST))


def _fit(
    target: np.ndarray,
    basis: np.ndarray,
    weights: np.ndarray,
    start: np.ndarray,
    prior: np.ndarray,
    freedom: np.ndarray,
) -> np.ndarray:
    """Gauss-Newton on log(basis @ c) = target, Huber weights, Gaussian prior around `prior`."""
    stiffness = 1 / (freedom * abs(prior[0])) ** 2
    current = start.astype(np.float64)
    for _ in range(_ITERATIONS):
        shade = np.maximum(basis @ current, 0.1 * current[0])
        error = target - np.log(shade)
        robust = weights * np.minimum(1, _LOG_ERROR / np.maximum(np.abs(error), 1e-9)) / _LOG_ERROR**2
        jacobian = basis / shade[:, None]
        weighted = jacobian * robust[:, None]
        hessian = weighted.T @ jacobian + np.diag(stiffness)
        gradient = weighted.T @ error - stiffness * (current - prior)
        current = current + np.linalg.solve(hessian, gradient)
    return current


def _sphere() -> Float32[np.ndarray, "256 3"]:
    """Directions on a golden-angle spiral."""
    index = np.arange(_SPHERE) + 0.5
    height, angle = 1 - 2 * index / _SPHERE, index * 2.399963
    across = np.sqrt(1 - height * height)
    return np.stack([across * np.cos(angle), height, across * np.sin(angle)], axis=1).astype(np.float32)


SPHERE = _sphere()
_SPHERE_BASIS = light_basis(SPHERE.astype(np.float64), 9)
_SPHERE_SHARE = np.full(_SPHERE, _SPHERE_WEIGHT / _SPHERE * (_LOG_ERROR / _SPHERE_SPREAD) ** 2)
