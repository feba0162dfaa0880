"""A body for a finished head on one page.

photo's guess, what was asked for --> traits --> Dressed --> skin, cloth --> avatar with its body
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from jaxtyping import Float32

from avatar3d.body.attach import dress, put_together
from avatar3d.body.fabric import clothes_materials, colours_by, shirt_colour
from avatar3d.body.figure import Figure, Traits
from avatar3d.body.guess import USUAL_AGE_YEARS, guess_build
from avatar3d.body.model import load_body_model
from avatar3d.body.skin import skin_material
from avatar3d.core.avatar import Avatar, Skin
from avatar3d.core.errors import UsageError
from avatar3d.core.head import HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.core.segments import Segments

_HEAD: Final = "avatar3d"
_LIMITS: Final = {
    "--height": (1.40, 2.10, "m"),
    "--weight": (30.0, 250.0, "kg"),
    "--age": (18.0, 95.0, "years"),
}


@dataclass(frozen=True)
class BodyParams:
    """Whether there is a body, and what of it is given instead of guessed from the photo."""

    kind: Literal["none", "bust", "full"] = "none"
    height_m: float | None = None
    """Barefoot."""
    weight_kg: float | None = None
    age_years: float | None = None
    sex: Literal["female", "male"] | None = None


@dataclass(frozen=True, eq=False)
class Embodied:
    """An avatar with its body."""

    avatar: Avatar
    figure: Figure | None
    """None without a body."""
    lift_m: float
    """How far the head was moved up from the fit's own frame."""
    remarks: tuple[str, ...]


def check_body(params: BodyParams, head: str = _HEAD) -> None:
    """Raise UsageError for values that no adult has, a figure without a body, or a head whose neck fits none."""
    given = {"--height": params.height_m, "--weight": params.weight_kg, "--age": params.age_years}
    for option, value in given.items():
        low, high, unit = _LIMITS[option]
        if value is not None and not low <= value <= high:  # false for nan too
            raise UsageError(
                f"expected {option} from {low:g} to {high:g} {unit}, got {value:g}.",
                hint="Bodies are of adults; see avatar3d create --help.",
            )
    named = [option for option, value in {**given, "--sex": params.sex}.items() if value is not None]
    if params.kind != "none" and head != _HEAD:
        raise UsageError(
            f"--body goes with the head {_HEAD!r}, not {head!r}: a body is cut to its neck.",
            hint="Leave out --head, or --body.",
        )
    if params.kind == "none" and named:
        raise UsageError(f"{named[0]} tells of a body, and there is none.", hint="Add --body full, or --body bust.")


def give_body(
    avatar: Avatar,
    model: HeadModel,
    neutral: Float32[np.ndarray, "V 3"],
    skin: Skin,
    face: FaceObservation,
    segments: Segments,
    params: BodyParams,
) -> Embodied:
    """The avatar, whose rigged neutral (metres) is `neutral`, on a body as the photo and `params` tell it.

    Without a body asked for, the avatar itself. Raises UsageError for what cannot be, such as a weight that does not go
    with the height.
    """
    if params.kind == "none":
        return Embodied(avatar, None, 0.0, ())
    check_body(params, model.name)
    guess = guess_build(model, neutral, face, segments)
    male = guess.male if params.sex is None else float(params.sex == "male")
    traits = Traits(male, params.age_years or USUAL_AGE_YEARS, guess.bmi, params.height_m, params.weight_kg)
    dressed = dress(avatar, model, neutral, traits, params.kind)
    seed = int(face.photo.sha256[:8] or "0", 16)
    colours = colours_by(seed, shirt_colour(segments, skin.tone))
    materials = {"body": skin_material(dressed, avatar.meshes[0], skin)}
    materials |= clothes_materials(dressed, colours, seed % 1000)
    embodied = put_together(avatar, dressed, materials)
    named = replace(embodied, extras=_with_licence(embodied.extras, load_body_model().licence))
    return Embodied(named, dressed.figure, dressed.lift_m, _remarks(dressed.figure, params))


def _with_licence(extras: dict[str, Any], line: str) -> dict[str, Any]:
    copyright_line = f"{extras['copyright']}; {line}" if "copyright" in extras else line
    return extras | {"copyright": copyright_line, "licences": [*extras.get("licences", []), line]}


def _remarks(figure: Figure, params: BodyParams) -> tuple[str, ...]:
    """What was guessed, so that nobody takes it for measured."""
    guessed = {
        "--sex": (params.sex, "a man's" if figure.build.male else "a woman's"),
        "--height": (params.height_m, f"{figure.height_m:.2f} m"),
        "--weight": (params.weight_kg, f"{figure.weight_kg:.0f} kg"),
        "--age": (params.age_years, f"{USUAL_AGE_YEARS:.0f} years"),
    }
    told = [f"{told} ({option})" for option, (given, told) in guessed.items() if given is None]
    return (f"The body is a guess: {', '.join(told)}.",) if told else ()
