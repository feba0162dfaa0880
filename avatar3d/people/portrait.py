"""A person who does not exist, drawn around a bare head, with the truth of every pixel.

bare head --> light on a made skin --> background, hair behind, clothes, hair, brows, beard, glasses, hats, things before
          --> exposure, white balance, contrast
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar3d.core.segments import KINDS
from avatar3d.people.backdrop import background
from avatar3d.people.beard import draw_beard, draw_brows
from avatar3d.people.clothes import dress
from avatar3d.people.face import Lamp, draw_lashes, draw_lips, light_on, skin_picture
from avatar3d.people.glasses import put_on_glasses
from avatar3d.people.hair import Grower
from avatar3d.people.heads import EAR, EYE, FACE, MOUTH, NECK, BareHead
from avatar3d.people.headwear import put_on_headwear
from avatar3d.people.paint import UNIT_PT, Canvas, Picture
from avatar3d.people.skin import FINE_PX, MadeSkin, SkinModel, draw_skin
from avatar3d.people.style import Style, random_style
from avatar3d.people.things import put_before
from avatar3d.people.traits import Traits, random_traits
from avatar3d.people.wardrobe import Wardrobe

K: Final = {name: index for index, name in enumerate(KINDS)}


@dataclass(frozen=True, eq=False)
class Portrait:
    """Someone before the camera, and all that was decided about them."""

    head: BareHead
    traits: Traits
    skin: MadeSkin
    lamp: Lamp
    style: Style
    worn: dict[str, str | None]
    """What kind of clothes, beard, glasses, headwear and occluder; None without."""
    canvas: Canvas


def draw_portrait(rng: np.random.Generator, head: BareHead, skins: SkinModel, wardrobe: Wardrobe) -> Portrait:
    """One person around a bare head."""
    paper, traits = head.paper, random_traits(rng)
    contrast = rng.uniform(0.6, 0.9) + 0.5 * traits.lined
    made = draw_skin(rng, skins, size_px=FINE_PX * min(paper.scale, 2), contrast=contrast, bearded=traits.male)
    lamp = light_on(rng, head)
    canvas = Canvas(paper, background(rng, paper, wardrobe).copy())
    skin = skin_picture(rng, head, made, lamp.falling, shiny=not wardrobe.plain)
    tone = np.median(skin[head.part == FACE], axis=0)
    brightness = np.zeros(head.part.shape, np.float32)
    brightness[head.on_head] = lamp.falling.mean(1)
    # What has no surface is painted in sRGB.
    canvas.lit = paper.spread_out(brightness, head.on_head, UNIT_PT * 0.5).clip(0.15, 1.6) ** (1 / 2.2)
    style = random_style(rng, traits, tone.astype(np.float32), paleness=made.paleness if wardrobe.plain else None)
    grower = Grower(rng, head, style)
    hat = rng.random() < 0.06
    grower.behind(canvas)
    _lay_part(canvas, head.part == NECK, skin, K["neck"])
    if rng.random() < 0.75:
        face = (head.part == FACE).astype(np.float32)
        shadow = paper.soft(paper.lowered(face, rng.uniform(4, 16)), rng.uniform(2, 7))
        under = (head.part == NECK) * shadow * rng.uniform(0.1, 0.65)
        canvas.lay(under.astype(np.float32), tone * 0.15, None)
    worn: dict[str, str | None] = dict.fromkeys(("beard", "glasses", "headwear", "occluder"))
    worn["clothes"] = dress(rng, head, canvas, wardrobe, traits, near=(tone, style.colour))
    _lay_part(canvas, (head.part != 0) & (head.part != NECK), skin, K["skin"])
    canvas.label[head.part == EAR] = K["ears"]
    canvas.label[head.part == EYE] = K["eyes"]
    canvas.label[head.part == MOUTH] = K["teeth"]
    draw_lips(rng, head, canvas, traits)
    draw_lashes(rng, head, canvas, traits)
    draw_brows(rng, head, canvas, style.colour, traits)
    if traits.male and rng.random() < 0.6:
        worn["beard"] = draw_beard(rng, head, canvas, style.colour, traits)
    if not (hat and rng.random() < 0.3):
        grower.on_skull(canvas)
        glasses_first = rng.random() < 0.5
        glasses = rng.random() < 0.34
        if glasses and glasses_first:
            worn["glasses"] = put_on_glasses(rng, head, canvas)
        grower.before(canvas)
        if glasses and not glasses_first:
            worn["glasses"] = put_on_glasses(rng, head, canvas)
    if hat:
        worn["headwear"] = put_on_headwear(rng, head, canvas, wardrobe, grower.skull)
    if rng.random() < 0.10:
        worn["occluder"] = put_before(rng, head, canvas, tone)
    return Portrait(head, traits, made, lamp, style, worn, canvas)


def _lay_part(canvas: Canvas, chosen: np.ndarray, picture: Picture, kind: int) -> None:
    canvas.image[chosen] = picture[chosen]
    canvas.label[chosen] = kind


def develop(rng: np.random.Generator, portrait: Portrait, *, lifted: tuple[float, float] = (0.5, 1.0)) -> Picture:
    """Haze, exposure, contrast and white balance; roughly sRGB, may leave [0, 1].

    `lifted` is the range from which it is drawn how far the camera goes to expose every face alike: 0 not at all, 1 fully.
    """
    head, image = portrait.head, portrait.canvas.image
    if rng.random() < 0.3:
        image = image + (head.paper.soft(image.mean(2), 8.0)[..., None] - 0.3) * rng.uniform(0, 0.1)
    # Cameras expose for faces: dark skin in little light is lifted, pale skin in the sun is held back.
    seen = float(np.median(image[head.part == FACE]))
    wanted = rng.uniform(0.27, 0.45) + 0.38 * min(seen, 0.7) + rng.normal(0, 0.04)
    image = image * (wanted / max(seen, 0.05)) ** rng.uniform(*lifted)
    image = np.clip(image, 0, 1) ** rng.uniform(0.8, 1.25)
    image = image * rng.uniform(0.85, 1.1) * (1 + rng.normal(0, 0.035, 3))
    contrast = rng.uniform(0.8, 1.25)
    return ((image - 0.45) * contrast + 0.45).astype(np.float32)
