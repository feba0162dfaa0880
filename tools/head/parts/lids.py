"""The lid margins of ICT's skin: the outline of the eye's opening, from which the lashes grow."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tools.head.parts.eyes import eye_sphere
from tools.head.parts.follow import Carrier, material_triangles
from tools.head.parts.source import IctSource

_DIRECTIONS: Final = 180


@dataclass(frozen=True, eq=False)
class Margin:
    """Points of the left eye's opening, anti-clockwise as seen from the front, starting toward the ear."""

    points: np.ndarray
    """[n 3] metres."""
    carrier: Carrier
    """Binds them to ICT's skin."""


def left_margin(ict: IctSource) -> Margin:
    """The nearest skin around the line of sight of the left eye, direction by direction."""
    centre, radius = eye_sphere(ict, "Left")
    triangles = material_triangles(ict, ("M_Face",))
    corners = ict.mean[triangles].astype(np.float64)
    middle = corners.mean(1)
    near = (
        (np.abs(middle[:, 0] - centre[0]) < 20e-3)
        & (np.abs(middle[:, 1] - centre[1]) < 14e-3)
        & (middle[:, 2] > centre[2] + 0.25 * radius)
        & (np.linalg.norm(middle - centre, axis=1) < radius + 6e-3)
    )
    triangles, corners = triangles[near], corners[near]
    grid = [(i, j) for i in range(7) for j in range(7 - i)]
    weights = np.array([(6 - i - j, i, j) for i, j in grid]) / 6
    samples = np.einsum("gk,fkc->fgc", weights, corners).reshape(-1, 3)
    owner = np.repeat(np.arange(len(triangles)), len(weights))
    weight = np.tile(weights, (len(triangles), 1))
    heart = np.array([centre[0], centre[1] - 1e-3])
    # The opening is wide: squeeze x so that directions are spread evenly along it.
    flat = (samples[:, :2] - heart) * [0.6, 1.0]
    direction = np.mod(np.arctan2(flat[:, 1], flat[:, 0]), 2 * np.pi)
    bins = (direction / (2 * np.pi) * _DIRECTIONS).astype(int) % _DIRECTIONS
    distance = np.linalg.norm(flat, axis=1)
    best = np.array([np.flatnonzero(bins == b)[distance[bins == b].argmin()] for b in range(_DIRECTIONS)])
    return Margin(samples[best], Carrier(triangles[owner[best]], weight[best]))
