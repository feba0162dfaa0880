"""One person who does not exist under one light after another, and in none at all: the truth about a skin.

    number, Monk tone --sit--> Sitting --in_even_light--> Portrait: the true colours
                                  `-----in_light--------> Portrait: lit, shaded and glossy, ready for take_photo

The same light falls on everybody who sits under it.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32

from avatar3d.core.segments import KINDS
from avatar3d.people.backdrop import background
from avatar3d.people.beard import draw_brows
from avatar3d.people.clothes import dress
from avatar3d.people.face import Lamp, draw_lashes, draw_lips, light_on, lit_picture, skin_colour
from avatar3d.people.heads import FACE, NECK, BareHead, random_sitter, see_head
from avatar3d.people.paint import CANVAS_PT, UNIT_PT, Canvas, Paper, Picture
from avatar3d.people.person import PHOTO_PX
from avatar3d.people.portrait import Portrait
from avatar3d.people.skin import FINE_PX, MadeSkin, draw_skin, load_skin_model
from avatar3d.people.style import Style, random_style
from avatar3d.people.traits import Traits, random_traits
from avatar3d.people.wardrobe import PLAIN
from avatar3d.texture.regions import LEFT_BROW, LEFT_EYE, LIPS, RIGHT_BROW, RIGHT_EYE, fill_polygon

_PEOPLE_SEED: Final = 41
_LIGHTS_SEED: Final = 8
"""Its first twelve lights come from both sides, and two throw a hard shadow. They shade faces about as strongly (deviation of
log light .23) as those of other seeds do (.25)."""
_PAPER: Final = Paper(3)
_PX_PER_PT: Final = PHOTO_PX / CANVAS_PT
_UNDER_NOSE: Final = (98, 97, 2, 326, 327, 309, 79)
_CLEAR: Final = (0.03, 0.06)
"""Skin lies so far inside the oval, and so far from what is drawn on it; inter-ocular distances."""


@dataclass(frozen=True, eq=False)
class Sitting:
    """Someone before the camera, bare-headed; light has yet to fall."""

    number: int
    head: BareHead
    traits: Traits
    skin: MadeSkin
    style: Style
    wall: Picture
    colour: Float[np.ndarray, "N 3"]
    """Linear RGB on each pixel of the head."""


def sit(number: int, monk: int) -> Sitting:
    """The first person of that tone among those of this number."""
    rng, traits, skin = next(one for one in _applicants(number) if one[2].monk == monk)
    head = see_head(random_sitter(rng, calm=True), _PAPER)
    style = random_style(rng, traits, skin.tone, paleness=skin.paleness)
    wall = background(rng, _PAPER, PLAIN)
    return Sitting(number, head, traits, skin, style, wall, skin_colour(rng, head, skin))


def _applicants(number: int) -> Iterator[tuple[np.random.Generator, Traits, MadeSkin]]:
    """People without end, drawn as draw_portrait does, each with the rest of their luck."""
    for attempt in itertools.count():
        rng = np.random.default_rng([_PEOPLE_SEED, number, attempt])
        traits = random_traits(rng)
        contrast = rng.uniform(0.6, 0.9) + 0.5 * traits.lined
        skin = draw_skin(rng, load_skin_model(), size_px=2 * FINE_PX, contrast=contrast, bearded=traits.male)
        yield rng, traits, skin


def in_even_light(sitting: Sitting) -> Portrait:
    """The true colours: as much light everywhere, and no gloss."""
    on = sitting.head.on_head
    skin = np.zeros((*_PAPER.shape, 3), np.float32)
    skin[on] = np.clip(sitting.colour, 0, 1) ** (1 / 2.2)
    falling = np.ones((int(on.sum()), 3), np.float32)
    toward = np.array([0, 0, 1], np.float32)
    return _draw(sitting, Lamp(toward, ambient=1.0, wrap=1.0, shadow=0.0, falling=falling), skin)


def in_light(sitting: Sitting, light: int) -> Portrait:
    """Under one of the lights, glossy."""
    rng = lights_rng(light)
    lamp = light_on(rng, sitting.head)
    return _draw(sitting, lamp, lit_picture(rng, sitting.head, sitting.colour, lamp.falling, shiny=is_shiny(light)))


def is_shiny(light: int) -> bool:
    """Every third light is mirrored as in training, the others as in `avatar3d create --seed`."""
    return light % 3 == 2


def lights_rng(light: int, *stream: int) -> np.random.Generator:
    """What is random about a light, whoever sits under it; another stream for its camera."""
    return np.random.default_rng([_LIGHTS_SEED, light, *stream])


def shrink(picture: Float[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "800 800 3"]:
    """From paper to photo."""
    return np.asarray(cv2.resize(picture, (PHOTO_PX, PHOTO_PX), interpolation=cv2.INTER_AREA), np.float32)


def skin_mask(portrait: Portrait) -> Bool[np.ndarray, "800 800"]:
    """Skin in the photo, inside the face's oval, without eyes, brows, lips and what lies under the nose.

    A turned face goes on to its outline: the oval's landmarks lie behind that.
    """
    size, unit_px = (PHOTO_PX, PHOTO_PX), UNIT_PT * _PX_PER_PT
    marks = portrait.head.landmarks * np.float32(_PX_PER_PT)
    skin = cv2.resize(portrait.canvas.label, size, interpolation=cv2.INTER_NEAREST) == KINDS.index("skin")
    inside = skin * fill_polygon(size, cv2.convexHull(marks[:468])[:, 0])
    mask = cv2.erode(inside, np.ones((2 * round(_CLEAR[0] * unit_px) + 1,) * 2)) > 0.5
    for part in (RIGHT_EYE, LEFT_EYE, RIGHT_BROW, LEFT_BROW, LIPS, _UNDER_NOSE):
        mask &= fill_polygon(size, marks[list(part)], grow=_CLEAR[1] * unit_px) < 0.5
    return mask


def _draw(sitting: Sitting, lamp: Lamp, skin: Picture) -> Portrait:
    """The head in that picture of its skin, with lips, lashes and brows, dressed: the same strokes in every light."""
    head, rng = sitting.head, np.random.default_rng([_PEOPLE_SEED, sitting.number])
    canvas = Canvas(_PAPER, sitting.wall.copy())
    brightness = np.zeros(_PAPER.shape, np.float32)
    brightness[head.on_head] = lamp.falling.mean(1)
    canvas.lit = _PAPER.spread_out(brightness, head.on_head, UNIT_PT * 0.5).clip(0.15, 1.6) ** (1 / 2.2)
    neck = head.part == NECK
    canvas.image[neck] = skin[neck]
    near = (sitting.skin.tone ** (1 / 2.2), sitting.style.colour)
    worn: dict[str, str | None] = {"clothes": dress(rng, head, canvas, PLAIN, sitting.traits, near=near)}
    bare = head.on_head & ~neck
    canvas.image[bare] = skin[bare]
    canvas.label[bare] = KINDS.index("ears")
    canvas.label[head.part == FACE] = KINDS.index("skin")
    draw_lips(rng, head, canvas, sitting.traits)
    draw_lashes(rng, head, canvas, sitting.traits)
    draw_brows(rng, head, canvas, sitting.style.colour, sitting.traits)
    return Portrait(head, sitting.traits, sitting.skin, lamp, sitting.style, worn, canvas)
