"""How large and how heavy: the model's sliders and its scale for a wanted height (metres) and weight (kilograms).

sex, age, heaviness --> body in a T --scale--> stature with the head on it --volume--> kilograms
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.body.form import OLD_YEARS, YOUNG_YEARS, Build, Formed, form_body, volume_m3
from avatar3d.body.model import BodyModel
from avatar3d.body.tpose import lay_in_t
from avatar3d.core.errors import UsageError

_DENSITY_KG_M3: Final = 1000.0
"""Of a living body with air in its lungs; between 985 and 1060 in the literature on hydrostatic weighing."""
_ABOVE_RING: Final = 0.085
"""Share of the weight above the cut ring: head 7.3 % (Clauser, McConville and Young 1969) and half the neck."""
_STEPS: Final = 16
_STATURE_M: Final = {"female": 1.64, "male": 1.77}
"""Of a young adult with an average head: means of NCD-RisC (2016) over high-income countries, rounded."""
_HEAD_TELLS: Final = 0.35
"""A head so many percent larger than the mean head makes the stature so many of them larger: they correlate weakly."""
_SHRINKS_M: Final = 0.03
"""Discs and posture, from youth to old age."""


@dataclass(frozen=True)
class Traits:
    """Whose body it is to be."""

    male: float
    """0 a woman's, 1 a man's; between them for between them."""
    age_years: float
    bmi: float
    """Kilograms per square metre; decides when no weight is given."""
    height_m: float | None = None
    """Barefoot; None: usual for sex and head."""
    weight_kg: float | None = None


@dataclass(frozen=True, eq=False)
class Figure:
    """The sliders found, and what they come to."""

    build: Build
    scale: float
    """Metres of the avatar per metre of the model."""
    height_m: float
    weight_kg: float


def find_figure(
    model: BodyModel, traits: Traits, head: Float32[np.ndarray, "H 3"], crown_m: float, size: float
) -> Figure:
    """The figure for a fitted head: `head` has the head model's vertices (metres), `crown_m` is the height of its highest
    skin, `size` how large it is beside the mean head.

    Raises UsageError for a weight that no body of that height can have here.
    """
    old = float(np.clip((traits.age_years - YOUNG_YEARS) / (OLD_YEARS - YOUNG_YEARS), 0, 1))
    build = Build(male=traits.male, old=old)
    height_m = traits.height_m or _usual_height(build, size)
    above = crown_m - float(meeting_place(model, head[np.maximum(model.head_vertex, 0)])[1])

    def kilograms(heaviness: float) -> float:
        formed = form_body(model, replace(build, heaviness=heaviness))
        below = volume_m3(formed.vertices, model.triangles) * scale_of(formed) ** 3
        return below * _DENSITY_KG_M3 / (1 - _ABOVE_RING)

    def scale_of(formed: Formed) -> float:
        laid = lay_in_t(formed, model.skin_joints, model.skin_weights)
        below = float(meeting_place(model, laid.vertices)[1] - laid.vertices[:, 1].min())
        return (height_m - above) / below

    lightest, heaviest = kilograms(-1.0), kilograms(1.0)
    if traits.weight_kg is not None and not lightest <= traits.weight_kg <= heaviest:
        raise UsageError(
            f"expected --weight from {np.ceil(lightest):.0f} to {np.floor(heaviest):.0f} kg "
            f"for a body {height_m:.2f} m tall, got {traits.weight_kg:g}.",
            hint="Give a weight between these, or another --height.",
        )
    weight_kg = float(np.clip(traits.weight_kg or traits.bmi * height_m**2, lightest, heaviest))
    build = replace(build, heaviness=_solve(kilograms, weight_kg, (-1.0, 1.0)))
    return Figure(build, scale_of(form_body(model, build)), height_m, weight_kg)


def meeting_place(model: BodyModel, vertices: Float32[np.ndarray, "V 3"]) -> Float64[np.ndarray, "3"]:
    """The middle of the skin where the body's shape fades into the head's."""
    share = np.where(model.head_vertex >= 0, model.below_neck, 0).astype(np.float64)
    weight = share * (1 - share)
    return (weight[:, None] * vertices).sum(0) / weight.sum()


def _usual_height(build: Build, size: float) -> float:
    usual = _STATURE_M["female"] + build.male * (_STATURE_M["male"] - _STATURE_M["female"])
    return usual * (1 + _HEAD_TELLS * (size - 1)) - _SHRINKS_M * build.old


def _solve(value_of: Callable[[float], float], wanted: float, between: tuple[float, float]) -> float:
    """Where a growing function has the wanted value, or the end that is nearest to it; bisection."""
    low, high = between
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if value_of(middle) < wanted else (low, middle)
    return 0.5 * (low + high)
