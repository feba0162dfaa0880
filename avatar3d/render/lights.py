"""Lights as spherical harmonics of degree 2, made from directions."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.photo import Light

LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Of linear RGB (Rec. 709)."""


def directional_light(toward: Sequence[float], colour: Sequence[float]) -> Light:
    """A distant lamp in the direction `toward` (head's frame), `colour` linear RGB at normal incidence.

    Clamped cosine in Legendre polynomials of c = n.toward: 1/4 + c/2 + 5/32 (3 c^2 - 1)
    (Ramamoorthi and Hanrahan, "An efficient representation for irradiance environment maps", 2001).
    """
    x, y, z = np.asarray(toward, np.float64) / np.linalg.norm(toward)
    quadratic = [6 * x * y, 6 * y * z, z * z - (x * x + y * y) / 2, 6 * x * z, 1.5 * (x * x - y * y)]
    basis = np.array([1 / 4, y / 2, z / 2, x / 2, *(5 / 32 * value for value in quadratic)])
    return Light((basis[:, None] * np.asarray(colour)[None, :]).astype(np.float32))


def ambient_light(colour: Sequence[float]) -> Light:
    """The same light from everywhere, linear RGB."""
    coefficients = np.zeros((9, 3), np.float32)
    coefficients[0] = colour
    return Light(coefficients)


def add_lights(*lights: Light) -> Light:
    """All of them together."""
    return Light(np.sum([light.coefficients for light in lights], axis=0, dtype=np.float32))


def studio_light() -> Light:
    """What avatars are shown in: a large key from above and the person's left, a cool fill, a pale rim.

    So bright that skin facing the camera shows its albedo.
    """
    return add_lights(
        ambient_light((0.41, 0.41, 0.42)),
        directional_light((0.45, 0.55, 0.75), (0.78, 0.75, 0.71)),
        directional_light((-0.8, 0.1, 0.5), (0.22, 0.23, 0.26)),
        directional_light((0.0, 0.5, -0.9), (0.14, 0.14, 0.15)),
    )


def main_direction(light: Light) -> tuple[Float32[np.ndarray, "3"], Float32[np.ndarray, "3"]]:
    """Where most light comes from (unit) and how strong a lamp there would be (linear RGB)."""
    linear = light.coefficients[[3, 1, 2]]
    luminance = linear @ LUMINANCE
    length = float(np.linalg.norm(luminance))
    if length < 1e-6:
        return np.array([0, 0, 1], np.float32), np.zeros(3, np.float32)
    toward = (luminance / length).astype(np.float32)
    return toward, np.maximum(2 * (toward @ linear), 0).astype(np.float32)
