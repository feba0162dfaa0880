"""People who do not exist, with the truth of every pixel, as the segmentation net sees them.

bare head --> light on a made skin --> background, hair behind, clothes, hair, brows, beard, glasses, hats, things before
          --> lens, camera, JPEG --> aligned crop, labels, landmarks, person mask

    python -m tools.people.people INGREDIENTS.npz SHEET.png [--seed 0]
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from avatar3d.core.segments import KINDS
from avatar3d.photo.crop import CROP_PX, crop_from_photo
from tools.people.backdrop import background
from tools.people.beard import draw_beard, draw_brows
from tools.people.clothes import dress
from tools.people.face import draw_lashes, draw_lips, light_on, skin_picture
from tools.people.glasses import put_on_glasses
from tools.people.hair import Grower
from tools.people.heads import CANVAS_PX, EAR, EYE, FACE, MOUTH, NECK, UNIT_PX, BareHead, random_head
from tools.people.headwear import put_on_headwear
from tools.people.ingredients import Ingredients, read_ingredients
from tools.people.paint import Canvas, soft, spread_out
from tools.people.skin import SkinMixer
from tools.people.style import random_style
from tools.people.things import put_before

K: Final = {name: index for index, name in enumerate(KINDS)}
_DRESSED_EACH: Final = 6


@dataclass(frozen=True, eq=False)
class Person:
    """One training picture."""

    pixels: UInt8[np.ndarray, "256 256 3"]
    label: UInt8[np.ndarray, "256 256"]
    """Index into KINDS."""
    person: Bool[np.ndarray, "256 256"]
    """Everything but the background, exactly."""
    landmarks: Float32[np.ndarray, "478 2"]
    """Crop pixels, exactly."""


def people(seed: int, stuff: Ingredients) -> Iterator[Person]:
    """An endless crowd; each bare head comes several times, dressed anew and mirrored at random by who trains."""
    mixer = SkinMixer(stuff.skins)
    number = 0
    while True:
        head = random_head(np.random.default_rng([seed, number, 0]))
        for which in range(_DRESSED_EACH):
            yield dressed(np.random.default_rng([seed, number, 1 + which]), head, mixer, stuff)
        number += 1


def dressed(rng: np.random.Generator, head: BareHead, mixer: SkinMixer, stuff: Ingredients) -> Person:
    """One person around a bare head."""
    albedo = mixer.mix(rng).albedo
    lit = light_on(rng, head)
    canvas = Canvas(background(rng, stuff).copy(), np.zeros((CANVAS_PX, CANVAS_PX), np.uint8))
    skin = skin_picture(rng, head, albedo, lit)
    tone = np.median(skin[head.part == FACE], axis=0)
    brightness = np.zeros(head.part.shape, np.float32)
    brightness[head.on_head] = lit.mean(1)
    canvas.lit = spread_out(brightness, head.on_head, UNIT_PX * 0.5).clip(0.15, 1.6)
    style = random_style(rng, tone.astype(np.float32))
    grower = Grower(rng, head, style)
    hat = rng.random() < 0.06
    grower.behind(canvas)
    _lay_part(canvas, head.part == NECK, skin, K["neck"])
    if rng.random() < 0.75:
        shadow = soft(np.roll((head.part == FACE).astype(np.float32), round(rng.uniform(4, 16)), 0), rng.uniform(2, 7))
        under = (head.part == NECK) * shadow * rng.uniform(0.1, 0.65)
        canvas.lay(under.astype(np.float32), tone * 0.15, None)
    dress(rng, head, canvas, stuff, near=(tone, style.colour))
    _lay_part(canvas, (head.part != 0) & (head.part != NECK), skin, K["skin"])
    canvas.label[head.part == EAR] = K["ears"]
    canvas.label[head.part == EYE] = K["eyes"]
    canvas.label[head.part == MOUTH] = K["teeth"]
    draw_lips(rng, head, canvas)
    draw_lashes(rng, head, canvas)
    draw_brows(rng, head, canvas, style.colour)
    bearded = rng.random() < (0.5 if style.kind in ("short", "wreath", "shaved") else 0.10)
    if bearded:
        draw_beard(rng, head, canvas, style.colour)
    if not (hat and rng.random() < 0.3):
        grower.on_skull(canvas)
        glasses_first = rng.random() < 0.5
        glasses = rng.random() < 0.34
        if glasses and glasses_first:
            put_on_glasses(rng, head, canvas)
        grower.before(canvas)
        if glasses and not glasses_first:
            put_on_glasses(rng, head, canvas)
    if hat:
        put_on_headwear(rng, head, canvas, stuff, grower.skull)
    if rng.random() < 0.10:
        put_before(rng, head, canvas, tone)
    return _photograph(rng, head, canvas)


def _lay_part(canvas: Canvas, chosen: np.ndarray, picture: Float32[np.ndarray, "H W 3"], kind: int) -> None:
    canvas.image[chosen] = picture[chosen]
    canvas.label[chosen] = kind


def _photograph(rng: np.random.Generator, head: BareHead, canvas: Canvas) -> Person:
    """Lens, sensor and file; then the aligned crop, a little off as landmarks are."""
    image = canvas.image
    if rng.random() < 0.3:
        image = image + (soft(image.mean(2), 8)[..., None] - 0.3) * rng.uniform(0, 0.1)
    # Cameras expose for faces: dark skin in little light is lifted, pale skin in the sun is held back.
    seen = float(np.median(image[head.part == FACE]))
    wanted = rng.uniform(0.27, 0.45) + 0.38 * min(seen, 0.7) + rng.normal(0, 0.04)
    image = image * (wanted / max(seen, 0.05)) ** rng.uniform(0.5, 1.0)
    image = np.clip(image, 0, 1) ** rng.uniform(0.8, 1.25)
    image = image * rng.uniform(0.85, 1.1) * (1 + rng.normal(0, 0.035, 3))
    contrast = rng.uniform(0.8, 1.25)
    image = (image - 0.45) * contrast + 0.45
    crop = crop_from_photo(head.landmarks)
    turn, zoom = rng.normal(0, 0.05), np.exp(rng.normal(0, 0.06))
    c, s = np.cos(turn) * zoom, np.sin(turn) * zoom
    jitter = np.array([[c, -s], [s, c]])
    centre = np.array([CROP_PX / 2, CROP_PX / 2])
    warp = jitter @ crop
    warp[:, 2] += centre - jitter @ centre + rng.normal(0, 4, 2)
    at = warp.copy()
    at[:, 2] += 0.5 * at[:, :2].sum(1) - 0.5
    image = cv2.GaussianBlur(image.astype(np.float32), (0, 0), rng.uniform(0.35, 0.75))
    small = cv2.warpAffine(image, at, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    label = cv2.warpAffine(
        canvas.label, at, (CROP_PX, CROP_PX), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    if rng.random() < 0.3:
        factor = rng.uniform(0.35, 0.9)
        size = round(CROP_PX * factor)
        small = cv2.resize(
            cv2.resize(small, (size, size), interpolation=cv2.INTER_AREA),
            (CROP_PX, CROP_PX),
            interpolation=cv2.INTER_CUBIC,
        )
    if rng.random() < 0.3:
        blurred = cv2.GaussianBlur(small, (0, 0), 1.2)
        small = small + rng.uniform(0, 1.0) * (small - blurred)
    if rng.random() < 0.06:
        small = np.repeat(small.mean(2, keepdims=True), 3, 2)
    small = small + rng.normal(0, 1, small.shape) * rng.choice([0.004, rng.uniform(0, 0.04)])
    pixels = (np.clip(small, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.6:
        quality = int(rng.integers(25, 96))
        _, coded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])
    landmarks = head.landmarks @ warp[:, :2].T + warp[:, 2]
    return Person(pixels, label, label != K["background"], landmarks.astype(np.float32))


PALETTE: Final = np.array(
    [(40, 40, 40), (235, 190, 160), (200, 150, 110), (255, 120, 120), (150, 80, 220), (255, 220, 0), (255, 255, 255),
     (220, 30, 60), (0, 255, 255), (40, 110, 220), (0, 255, 0), (120, 70, 20), (255, 130, 0), (255, 0, 255)], np.uint8
)  # fmt: skip
"""A colour per kind, for sheets."""


def main() -> None:
    """A sheet of generated people beside their truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ingredients", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=24)
    chosen = parser.parse_args()
    stuff = read_ingredients(chosen.ingredients)
    mixer = SkinMixer(stuff.skins)
    cells = []
    for number in range(chosen.count):
        head = random_head(np.random.default_rng([chosen.seed, number, 0]))
        one = dressed(np.random.default_rng([chosen.seed, number, 1]), head, mixer, stuff)
        cells.append(np.hstack([one.pixels, PALETTE[one.label]]))
    rows = [np.hstack(cells[k : k + 4]) for k in range(0, len(cells) - 3, 4)]
    cv2.imwrite(str(chosen.sheet), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
