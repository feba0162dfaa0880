"""A body of some sex, age and weight: the model's corners, mixed; and how much it weighs."""

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.body.joints import BODY_JOINTS
from avatar3d.body.model import BodyModel

YOUNG_YEARS: Final = 25.0
OLD_YEARS: Final = 85.0
"""What the model's young and old stand for; MakeHuman's slider has 25 years in its middle and 90 at its end."""
_MUSCLES: Final = ("min", "average")
_WEIGHTS: Final = ("min", "average", "max")
_THIN_LOSES: Final = 0.5
"""Of average muscle, what the thinnest have lost; the heaviest have none to show."""


@dataclass(frozen=True)
class Build:
    """A body's sliders."""

    male: float
    """0 female, 1 male."""
    old: float
    """0 at YOUNG_YEARS, 1 at OLD_YEARS."""
    heaviness: float = 0.0
    """-1 the thinnest, 0 MakeHuman's average (which is slender), 1 the heaviest that the model knows."""


@dataclass(frozen=True, eq=False)
class Formed:
    """One person's body, in whatever pose; metres."""

    vertices: Float32[np.ndarray, "V 3"]
    joints: Float32[np.ndarray, "J 3"]
    """In the order of BODY_JOINTS."""
    finger_ends: Float32[np.ndarray, "10 3"]


def form_body(model: BodyModel, build: Build) -> Formed:
    """The body with such sliders, in the pose that the model has."""
    shares = _shares(model.form_names, build)
    added = np.tensordot(shares, model.forms, axes=1)
    joints = np.tensordot(shares, model.joints, axes=1)
    count = len(BODY_JOINTS)
    return Formed(
        (model.mean + added).astype(np.float32), joints[:count].astype(np.float32), joints[count:].astype(np.float32)
    )


def _shares(names: tuple[str, ...], build: Build) -> Float32[np.ndarray, "C"]:
    """They sum to 1: linear in sex and age, piecewise linear in weight; who is far from average shows fewer muscles."""
    sexes = {"female": 1 - build.male, "male": build.male}
    ages = {"young": 1 - build.old, "old": build.old}
    heavy, thin = max(0.0, build.heaviness), max(0.0, -build.heaviness)
    weights = {"min": thin, "average": 1 - heavy - thin, "max": heavy}
    lost = heavy + _THIN_LOSES * thin
    muscles = {"min": lost, "average": 1 - lost}
    told = {
        f"{sex}-{age}-{muscle}-{weight}": sexes[sex] * ages[age] * muscles[muscle] * weights[weight]
        for sex, age, muscle, weight in product(sexes, ages, _MUSCLES, _WEIGHTS)
    }
    return np.array([told[name] for name in names], np.float32)


def volume_m3(vertices: Float32[np.ndarray, "V 3"], triangles: Int32[np.ndarray, "F 3"]) -> float:
    """Of a surface that is closed but for one hole, which is closed by a fan to the hole's middle: divergence theorem."""
    corners = vertices[triangles].astype(np.float64)
    around = _border(triangles)
    middle = vertices[around[:, 0]].astype(np.float64).mean(0)
    inside = np.einsum("fi,fi->f", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum()
    lid = np.einsum(
        "i,fi->f", middle, np.cross(vertices[around[:, 1]], vertices[around[:, 0]]).astype(np.float64)
    ).sum()
    return float((inside + lid) / 6)


def _border(triangles: Int32[np.ndarray, "F 3"]) -> Int32[np.ndarray, "B 2"]:
    """Edges that only one triangle has, as it runs along them."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    count = int(triangles.max()) + 1
    run, back = edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0]
    return edges[~np.isin(run, back)].astype(np.int32)
