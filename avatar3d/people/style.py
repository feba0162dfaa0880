"""How people wear their hair: kind, lengths, colours, curl, and how smoothly it lies."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.people.traits import Traits

# sRGB and how often: black, browns, blonds, reds, greys, white.
_COLOURS: Final = np.array(
    [(22, 19, 19), (45, 33, 27), (74, 52, 38), (104, 76, 54), (138, 106, 76), (176, 140, 98), (204, 172, 126),
     (228, 206, 165), (150, 80, 48), (110, 50, 32), (96, 94, 92), (140, 138, 136), (176, 174, 170), (206, 204, 200)],
    np.float32,
) / np.float32(255)  # fmt: skip
_OFTEN: Final = np.array([14, 13, 11, 9, 9, 9, 9, 6, 3, 3, 6, 7, 8, 6], float)
_GREYS: Final = np.arange(len(_OFTEN)) >= 10
_FAIR: Final = (np.arange(len(_OFTEN)) >= 3) & ~_GREYS
"""Seldom above dark skin."""
_KINDS: Final = ("shaved", "wreath", "short", "bob", "long", "bun", "afro")
_MEN: Final = np.array([0.11, 0.20, 0.55, 0.05, 0.04, 0.01, 0.04])
_WOMEN: Final = np.array([0.01, 0.01, 0.18, 0.38, 0.30, 0.07, 0.05])
# A crown is bald seldom at 20, often at 80.
_BALD: Final = np.array([0.2, 1.8])


@dataclass(frozen=True, eq=False)
class Style:
    """How someone wears their hair. Lengths in inter-ocular distances."""

    kind: str
    colour: Float32[np.ndarray, "3"]
    second: Float32[np.ndarray, "3"]
    """Colour of some strands: grey ones, highlights."""
    share: float
    """How many strands have it, from none (-1) to most (1)."""
    top: float
    side: float
    end_deg: float
    """Where the hair around the head ends, degrees from straight up."""
    bottom: float
    """How far below the eyes it falls."""
    curl: float
    """0 straight, 1 coily."""
    contrast: float
    """Of light and dark strands, in natural logarithms."""
    fray: float
    """0: combed, smooth edges, as for a portrait; 1: every strand for itself."""
    part: float
    """Where it is parted, from the middle."""


def hair_colour(rng: np.random.Generator, traits: Traits, *, paleness: float) -> Float32[np.ndarray, "3"]:
    """A natural colour for the age and, from 0 to 1, the paleness of the skin."""
    own = np.where(_FAIR, paleness, 1.0) * _OFTEN * ~_GREYS
    grey = _OFTEN * _GREYS
    often = (1 - traits.greyed) * own / own.sum() + traits.greyed * grey / grey.sum()
    a, b = rng.choice(len(_COLOURS), 2, p=often)
    share = rng.uniform(0, 0.3)
    mixed = _COLOURS[a] * (1 - share) + _COLOURS[b] * share
    return (mixed * np.exp(rng.normal(0, 0.12)) * np.exp(rng.normal(0, 0.03, 3))).clip(0.02, 0.97).astype(np.float32)


def random_style(
    rng: np.random.Generator, traits: Traits, skin_tone: Float32[np.ndarray, "3"], *, paleness: float | None
) -> Style:
    """How someone of this skin may wear their hair; without `paleness`, anything.

    Anything: any colour on any skin, one in seven the colour of the skin itself, now and then dyed.
    """
    often = (_MEN if traits.male else _WOMEN).copy()
    often[1] *= np.interp(traits.age_years, (20, 80), _BALD)
    kind = str(rng.choice(_KINDS, p=often / often.sum()))
    colour = hair_colour(rng, traits, paleness=1.0 if paleness is None else paleness)
    way = rng.random() if paleness is None else 1.0
    if way < 0.03:
        colour = rng.uniform(0.1, 0.8, 3).astype(np.float32)
    elif way < 0.17:
        colour = (skin_tone * np.exp(rng.normal(0, 0.12, 3))).clip(0.05, 0.95).astype(np.float32)
    big = kind in ("bob", "long")
    top = rng.uniform(0.10, 0.55) if big else rng.uniform(0.05, 0.38)
    side = rng.uniform(0.12, 0.60) if big else rng.uniform(0.02, 0.16)
    if kind == "bun":
        top, side = rng.uniform(0.03, 0.1), rng.uniform(0.03, 0.12)
    if kind == "wreath":
        top, side = rng.uniform(0.03, 0.1), rng.uniform(0.05, 0.26)
    if kind == "afro":
        top = rng.uniform(0.3, 1.1)
        side = top * rng.uniform(0.6, 1.0)
    curl = rng.uniform(0.7, 1) if kind == "afro" else float(rng.beta(0.7, 1.9))
    return Style(
        kind=kind, colour=colour, second=_second_colour(rng, traits, colour, paleness), share=rng.uniform(-1, 1), top=top, side=side,
        end_deg=rng.uniform(115, 150) if big or kind == "afro" else rng.uniform(84, 104),
        bottom=rng.uniform(0.9, 2.3) if kind == "bob" else rng.uniform(2.0, 4.2),
        curl=curl, contrast=rng.uniform(0.05, 0.32), fray=float(rng.beta(0.8, 1.6)), part=rng.normal(0, 0.45),
    )  # fmt: skip


def _second_colour(
    rng: np.random.Generator, traits: Traits, colour: Float32[np.ndarray, "3"], paleness: float | None
) -> Float32[np.ndarray, "3"]:
    """The same but lighter or darker; highlights; grey; now and then any other."""
    way = rng.random()
    if paleness is not None and way > 0.75 * paleness + 0.25 and rng.random() > traits.greyed:
        way = 0.0
    if way < 0.5:
        second = colour * rng.uniform(0.75, 1.3)
    elif way < 0.75:
        second = colour * rng.uniform(1.2, 1.9) * np.array([1.0, 0.95, 0.85])
    elif way < 0.93 or paleness is not None:
        second = np.full(3, rng.uniform(0.45, 0.8))
    else:
        second = hair_colour(rng, traits, paleness=1.0)
    return second.clip(0, 1).astype(np.float32)
