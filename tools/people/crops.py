"""Generated people as the segmentation net sees them: an aligned crop, its labels, landmarks and person mask.

python -m tools.people.crops PATCHES.npz SHEET.png [--seed 0]
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from avatar3d.people.heads import random_sitter, see_head
from avatar3d.people.paint import Paper
from avatar3d.people.portrait import K, Portrait, develop, draw_portrait
from avatar3d.people.skin import SkinModel, load_skin_model
from avatar3d.people.truth import PALETTE
from avatar3d.people.wardrobe import Wardrobe
from avatar3d.photo.crop import CROP_PX, crop_from_photo
from tools.people.patches import read_wardrobe

_DRAWN_EACH: Final = 6


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


def people(seed: int, skins: SkinModel, wardrobe: Wardrobe) -> Iterator[Person]:
    """An endless crowd; each bare head comes several times, dressed anew and mirrored at random by who trains."""
    number = 0
    while True:
        head = see_head(random_sitter(np.random.default_rng([seed, number, 0])), Paper())
        for which in range(_DRAWN_EACH):
            rng = np.random.default_rng([seed, number, 1 + which])
            yield crop_person(rng, draw_portrait(rng, head, skins, wardrobe))
        number += 1


def crop_person(rng: np.random.Generator, portrait: Portrait) -> Person:
    """Lens, sensor and file; the aligned crop, a little off as landmarks are."""
    image, marks = develop(rng, portrait), portrait.head.landmarks
    crop = crop_from_photo(marks)
    turn, zoom = rng.normal(0, 0.05), np.exp(rng.normal(0, 0.06))
    c, s = np.cos(turn) * zoom, np.sin(turn) * zoom
    jitter = np.array([[c, -s], [s, c]])
    centre = np.array([CROP_PX / 2, CROP_PX / 2])
    warp = jitter @ crop
    warp[:, 2] += centre - jitter @ centre + rng.normal(0, 4, 2)
    at = warp.copy()
    at[:, 2] += 0.5 * at[:, :2].sum(1) - 0.5
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.35, 0.75))
    small = cv2.warpAffine(image, at, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    label = cv2.warpAffine(
        portrait.canvas.label, at, (CROP_PX, CROP_PX), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
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
    landmarks = marks @ warp[:, :2].T + warp[:, 2]
    return Person(pixels, label, label != K["background"], landmarks.astype(np.float32))


def main() -> None:
    """A sheet of generated people beside their truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patches", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=24)
    chosen = parser.parse_args()
    crowd = people(chosen.seed, load_skin_model(), read_wardrobe(chosen.patches))
    shown = islice(crowd, 0, chosen.count * _DRAWN_EACH, _DRAWN_EACH)
    cells = [np.hstack([one.pixels, PALETTE[one.label]]) for one in shown]
    rows = [np.hstack(cells[k : k + 4]) for k in range(0, len(cells) - 3, 4)]
    cv2.imwrite(str(chosen.sheet), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
