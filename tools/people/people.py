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
from avatar3d.photo.crop import CROP_PX, crop_from_photo, draw_guides
from tools.people.hair import Grower, draw_beard, draw_brows, random_style
from tools.people.heads import CANVAS_PX, EAR, EYE, FACE, MOUTH, NECK, UNIT_PX, BareHead, random_head
from tools.people.ingredients import SKIN_PX, Ingredients, read_ingredients
from tools.people.paint import Canvas, clouds, grid, lines, polygon, soft, spread_out, step
from tools.people.skin import SkinMixer
from tools.people.wear import background, dress, put_before, put_on_glasses, put_on_headwear

K: Final = {name: index for index, name in enumerate(KINDS)}
_OUTER_LIPS: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_UPPER_LIDS: Final = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (263, 466, 388, 387, 386, 385, 384, 398, 362))
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
    lit = _light(rng, head)
    canvas = Canvas(background(rng, stuff).copy(), np.zeros((CANVAS_PX, CANVAS_PX), np.uint8))
    skin = _skin_picture(rng, head, albedo, lit)
    tone = np.median(skin[head.part == FACE], axis=0)
    canvas.lit = spread_out(lit.mean(2), head.on_head, UNIT_PX * 0.5).clip(0.15, 1.6)
    style = random_style(rng, tone.astype(np.float32))
    grower = Grower(rng, head, style, stuff)
    hat = rng.random() < 0.10
    grower.behind(canvas)
    _lay_part(canvas, head.part == NECK, skin, K["neck"])
    if rng.random() < 0.75:
        shadow = soft(np.roll((head.part == FACE).astype(np.float32), round(rng.uniform(4, 16)), 0), rng.uniform(2, 7))
        under = (head.part == NECK) * shadow * rng.uniform(0.1, 0.65)
        canvas.lay(under.astype(np.float32), tone * 0.15, None)
    dress(rng, head, canvas, stuff)
    _lay_part(canvas, (head.part != 0) & (head.part != NECK), skin, K["skin"])
    canvas.label[head.part == EAR] = K["ears"]
    canvas.label[head.part == EYE] = K["eyes"]
    canvas.label[head.part == MOUTH] = K["teeth"]
    _lips(rng, head, canvas)
    _lashes(rng, head, canvas)
    draw_brows(rng, head, canvas, style.colour)
    bearded = rng.random() < (0.42 if style.kind in ("short", "wreath", "shaved") else 0.10)
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
    if rng.random() < 0.16:
        put_before(rng, head, canvas, stuff, tone)
    return _photograph(rng, head, canvas)


def _light(rng: np.random.Generator, head: BareHead) -> Float32[np.ndarray, "H W 3"]:
    """Soft light, a lamp, now and then a hard sun and a shadow's edge across the face."""
    normal = head.normal
    toward = np.array([rng.normal(0, 0.6), rng.uniform(-0.2, 0.9), rng.uniform(0.2, 1.0)])
    toward /= np.linalg.norm(toward)
    facing = normal @ toward.astype(np.float32)
    ambient = rng.uniform(0.25, 0.85)
    wrap = rng.uniform(0.0, 0.5)
    key = np.clip((facing + wrap) / (1 + wrap), 0, None) * (1 - ambient + 0.25)
    sky = 0.12 * normal[..., 1] * rng.uniform(0, 1)
    shade = ambient + key + sky
    tint = 1 + rng.normal(0, 0.04, 3)
    warm = 1 + rng.normal(0, 0.05, 3)
    light = shade[..., None] * tint + (key * 0.3)[..., None] * (warm - 1)
    if rng.random() < 0.12:
        x, y = grid()
        angle = rng.uniform(0, 2 * np.pi)
        edge = (x - 200 - rng.normal(0, 60)) * np.cos(angle) + (y - 200 - rng.normal(0, 60)) * np.sin(angle)
        light = light * (1 - rng.uniform(0.2, 0.6) * step(edge + 12 * clouds(rng, 50), rng.uniform(2, 30)))[..., None]
    # Creases are darker: what curves inward sees less sky.
    hollow = soft(normal[..., 2], 6) - normal[..., 2]
    light = light * (1 - rng.uniform(0, 0.5) * np.clip(-hollow, -0.3, 0.3))[..., None]
    return light.astype(np.float32)


def _skin_picture(
    rng: np.random.Generator,
    head: BareHead,
    albedo: Float32[np.ndarray, "256 256 3"],
    light: Float32[np.ndarray, "H W 3"],
) -> Float32[np.ndarray, "H W 3"]:
    """sRGB of skin, eyes and mouth under the light."""
    at = head.uv * SKIN_PX - 0.5
    colour = cv2.remap(albedo, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    colour = colour * np.exp(np.float32(0.05) * clouds(rng, 40))[..., None]
    away = np.hypot(head.uv[..., 0] - 0.5, head.uv[..., 1] - 0.5)
    eye = head.part == EYE
    if eye.any():
        rim = np.float32(0.16)
        iris = np.array(
            [[0.05, 0.03, 0.02], [0.10, 0.06, 0.03], [0.12, 0.16, 0.10], [0.13, 0.2, 0.28], [0.2, 0.22, 0.22]]
        )
        inside = step(rim - away, 0.02)[..., None]
        pupil = step(0.06 - away, 0.015)[..., None]
        eyes = (1 - inside) * np.array([0.62, 0.56, 0.53]) * rng.uniform(0.7, 1.1) + inside * iris[rng.integers(5)]
        eyes = eyes * (1 - pupil)
        colour = np.where(eye[..., None], eyes, colour)
    mouth = head.part == MOUTH
    if mouth.any():
        ivory = np.array([0.70, 0.63, 0.52]) * rng.uniform(0.6, 1.2)
        inner = np.where(((head.inner == 4) | (head.inner == 5))[..., None], ivory, np.array([0.10, 0.02, 0.02]))
        inner = np.where((head.inner == 6)[..., None], np.array([0.35, 0.1, 0.1]), inner)
        colour = np.where(mouth[..., None], inner * rng.uniform(0.8, 1.2), colour)
    shine = np.zeros(head.part.shape, np.float32)
    for _ in range(int(rng.integers(1, 4))):
        # A lamp's mirror image on brow, crown, nose and cheeks: half-way between lamp and camera.
        half = np.array([rng.normal(0, 0.45), rng.normal(0.35, 0.4), 1.0], np.float32)
        lobe = np.clip(head.normal @ (half / np.linalg.norm(half)), 0, 1) ** rng.uniform(6, 60)
        strength = rng.choice([rng.uniform(0, 0.1), rng.uniform(0.1, 0.5)], p=[0.65, 0.35])
        shine += (lobe * strength * (0.8 + 0.3 * clouds(rng, 12))).astype(np.float32)
    linear = colour * light + np.clip(shine * ((head.part == FACE) | (head.part == NECK)), 0, None)[..., None]
    made = np.clip(linear, 0, 1.5).astype(np.float32) ** np.float32(1 / 2.2)
    if eye.any() and rng.random() < 0.8:
        glint = step(0.035 - np.hypot(head.uv[..., 0] - 0.5 - rng.normal(0, 0.05), head.uv[..., 1] - 0.44), 0.02) * eye
        made = made + (glint * 0.8)[..., None]
    return made.astype(np.float32)


def _lay_part(canvas: Canvas, chosen: np.ndarray, picture: Float32[np.ndarray, "H W 3"], kind: int) -> None:
    canvas.image[chosen] = picture[chosen]
    canvas.label[chosen] = kind


def _lips(rng: np.random.Generator, head: BareHead, canvas: Canvas) -> None:
    mask = polygon(head.landmarks[list(_OUTER_LIPS)], soften=0.7) * (head.part == FACE)
    colour = np.array([0.62, 0.30, 0.30]) if rng.random() < 0.7 else rng.uniform([0.4, 0.02, 0.05], [0.9, 0.4, 0.45])
    strength = rng.choice([rng.uniform(0, 0.3), rng.uniform(0.3, 0.9)], p=[0.6, 0.4])
    canvas.lay((mask * strength).astype(np.float32), colour * canvas.lit[..., None], None)
    canvas.label[(mask > 0.5)] = K["lips"]


def _lashes(rng: np.random.Generator, head: BareHead, canvas: Canvas) -> None:
    """Lid lines, liner, shadow of the brow bone, wrinkles."""
    paths = [head.landmarks[list(ring)].astype(np.float64) for ring in _UPPER_LIDS]
    face = (head.part == FACE) | (head.part == EYE)
    canvas.lay(lines(paths, rng.uniform(0.8, 3.0)) * rng.uniform(0.3, 1) * face, (0.08, 0.05, 0.05), None)
    if rng.random() < 0.5:
        lids = [path - np.array([0, rng.uniform(2, 6)]) for path in paths]
        canvas.lay(soft(lines(lids, 2), 1.2) * rng.uniform(0, 0.6) * face, (0.25, 0.12, 0.1), None)
    if rng.random() < 0.5:
        hollow = soft(np.maximum(polygon(paths[0] + [0, -2]), polygon(paths[1] + [0, -2])), 6)
        canvas.lay(np.clip(hollow * rng.uniform(0, 1.2), 0, 0.7) * (head.part == FACE), (0.25, 0.14, 0.12), None)
    marks = head.landmarks.astype(np.float64)
    if rng.random() < 0.4:
        folds = [marks[[129, 203, 206, 216, 212]], marks[[358, 423, 426, 436, 432]]]
        canvas.lay(soft(lines(folds, 2), 1.5) * rng.uniform(0.1, 0.6) * face, (0.2, 0.09, 0.07), None)
    if rng.random() < 0.3:
        rows = [marks[[54, 68, 104, 69, 108, 151, 337, 299, 333, 298, 284]] + [0, dy] for dy in rng.uniform(-6, 12, 3)]
        canvas.lay(soft(lines(rows, 1), 1.0) * rng.uniform(0.1, 0.5) * face, (0.25, 0.12, 0.1), None)


def _photograph(rng: np.random.Generator, head: BareHead, canvas: Canvas) -> Person:
    """Lens, sensor and file; then the aligned crop, a little off as landmarks are."""
    image = canvas.image
    if rng.random() < 0.3:
        image = image + (soft(image.mean(2), 8)[..., None] - 0.3) * rng.uniform(0, 0.1)
    # Cameras expose for faces: dark skin in little light is lifted, pale skin in the sun is held back.
    seen = float(np.median(image[head.part == FACE]))
    wanted = rng.uniform(0.30, 0.48) + 0.4 * min(seen, 0.7) + rng.normal(0, 0.05)
    image = image * (wanted / max(seen, 0.05)) ** rng.uniform(0.5, 1.0)
    image = np.clip(image, 0, 1) ** rng.uniform(0.8, 1.25)
    image = image * rng.uniform(0.85, 1.12) * (1 + rng.normal(0, 0.05, 3))
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


def network_input(
    pixels: UInt8[np.ndarray, "256 256 3"], landmarks: np.ndarray, person: np.ndarray
) -> UInt8[np.ndarray, "256 256 6"]:
    """Six planes: colour, oval, parts, person."""
    guides = draw_guides(landmarks.astype(np.float64)).transpose(1, 2, 0)
    return np.concatenate([pixels, guides, (person > 0).astype(np.uint8)[..., None] * np.uint8(255)], 2)


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
