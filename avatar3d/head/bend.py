"""Bends a head smoothly so that some of its landmarks come to lie elsewhere, and what is far from them stays.

    shifts at landmarks --kriging--> a weight per landmark --> a shift for every vertex near one

Nearness is told on the mean head and on how it moves: points that jawOpen or a blink parts, such as the two lips, are far
from each other, however near they rest. A Gaussian process with that distance (Rasmussen & Williams 2006, eq. 2.25).
"""

from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel

_PARTING: Final = (("jawOpen", 1.0), ("eyeBlinkLeft", 2.0), ("eyeBlinkRight", 2.0))
"""Shapes that tell sheets of skin apart which touch at rest, and how much their motion counts."""
_WIDTHS_M: Final = ((0.6, 0.008), (0.4, 0.025))
"""Shares and standard deviations: most of a bend is of a feature, the rest of the region around it. A shift of 10 mm then
leaves slopes under .6, so that nothing folds over."""
_RIDGE: Final = 1e-5
_SOFT: Final = ("face", "lashes", "brows", "mouth")
_EYES: Final = ("eyeLeft", "eyeRight")


def bend_field(
    model: HeadModel, landmarks: Int32[np.ndarray, "P"], shifts_m: Float32[np.ndarray, "P 3"]
) -> Float32[np.ndarray, "V 3"]:
    """Displacement of every vertex (metres) that shifts these landmarks; linear in the shifts.

    Skin and what grows on it bend; an eyeball goes along whole with the lids before it; teeth stay.
    """
    field: Float32[np.ndarray, "V 3"] = np.zeros_like(model.rest)
    if len(landmarks) == 0:
        return field
    places, soft, fronts = _places(model)
    corners = model.triangles[model.landmark_triangles[landmarks]]
    pinned = np.einsum("pc,pcd->pd", model.landmark_barycentric[landmarks].astype(np.float64), places[corners])
    weights = np.linalg.solve(_alike(pinned, pinned) + _RIDGE * np.eye(len(pinned)), shifts_m.astype(np.float64))
    field[soft] = _alike(places[soft], pinned) @ weights
    for part, front in fronts:
        field[part] = _alike(places[front], pinned) @ weights
    return field


def _alike(one: Float64[np.ndarray, "N D"], other: Float64[np.ndarray, "P D"]) -> Float64[np.ndarray, "N P"]:
    """1 for the same place, 0 for one far away."""
    apart2 = ((one[:, None] - other[None]) ** 2).sum(2)
    return np.sum([share * np.exp(apart2 / (-2 * width**2)) for share, width in _WIDTHS_M], axis=0)


@lru_cache(maxsize=2)
def _places(
    model: HeadModel,
) -> tuple[
    Float64[np.ndarray, "V D"],
    Int32[np.ndarray, "S"],
    tuple[tuple[Int32[np.ndarray, "E"], Int32[np.ndarray, "1"]], ...],
]:
    """Every vertex at rest and as it parts from others; those that bend; each eyeball and its foremost vertex."""
    moves = [factor * model.expression[ARKIT_INDEX[name]] for name, factor in _PARTING]
    places = np.concatenate([model.rest, *moves], axis=1).astype(np.float64)

    def members(*names: str) -> Int32[np.ndarray, "N"]:
        found = [model.part(name) for name in names if name in model.part_names]
        return np.unique(model.triangles[np.concatenate(found)]).astype(np.int32)

    eyes = [members(name) for name in _EYES if name in model.part_names]
    fronts = tuple((ball, ball[[int(np.argmax(model.rest[ball, 2]))]]) for ball in eyes)
    return places, members(*_SOFT), fronts
