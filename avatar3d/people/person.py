"""A photo of a person who does not exist, from a seed, and the truth about it.

seed --> sitter, traits, skin, style --> portrait on fine paper --> exposure --> lens, sensor, JPEG --> photo, truth
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from avatar3d.core.photo import Camera
from avatar3d.people.heads import random_sitter, see_head
from avatar3d.people.paint import Paper, Picture
from avatar3d.people.portrait import Portrait, develop, draw_portrait
from avatar3d.people.skin import load_skin_model
from avatar3d.people.wardrobe import PLAIN

PHOTO_PX: Final = 800
_SCALE: Final = 3
"""Points are drawn by three pixels and photographed by two: edges come out smooth."""


_LIFTED: Final = (0.1, 0.3)
"""Dark skin stays dark, and brown hair beside it brown."""


@dataclass(frozen=True, eq=False)
class Person:
    """What the camera took, and the truth."""

    pixels: UInt8[np.ndarray, "800 800 3"]
    """sRGB."""
    label: UInt8[np.ndarray, "800 800"]
    """Index into KINDS."""
    landmarks_px: Float32[np.ndarray, "478 2"]
    camera: Camera
    """In pixels of the photo."""
    portrait: Portrait
    licence: str
    """Of what the person was drawn from, besides the head model."""


def generate_person(seed: int, attempt: int) -> Person:
    """One person; the same seed and attempt give the same pixels."""
    skins = load_skin_model()
    head = see_head(random_sitter(np.random.default_rng([seed, attempt, 0]), calm=True), Paper(_SCALE))
    rng = np.random.default_rng([seed, attempt, 1])
    portrait = draw_portrait(rng, head, skins, PLAIN)
    pixels = take_photo(rng, portrait)
    label = cv2.resize(portrait.canvas.label, (PHOTO_PX, PHOTO_PX), interpolation=cv2.INTER_NEAREST)
    smaller = PHOTO_PX / head.paper.px
    camera = Camera(
        focal_px=head.camera.focal_px * smaller,
        principal_px=head.camera.principal_px * np.float32(smaller),
        width_px=PHOTO_PX,
        height_px=PHOTO_PX,
        rotation_wxyz=head.camera.rotation_wxyz,
        translation_m=head.camera.translation_m,
    )
    return Person(
        pixels=pixels,
        label=label,
        landmarks_px=head.landmarks * np.float32(head.paper.scale * smaller),
        camera=camera,
        portrait=portrait,
        licence=skins.licence,
    )


def take_photo(rng: np.random.Generator, portrait: Portrait) -> UInt8[np.ndarray, "800 800 3"]:
    """The portrait as a camera gives it, sRGB."""
    image = develop(rng, portrait, lifted=_LIFTED)
    return _expose(rng, cv2.resize(image, (PHOTO_PX, PHOTO_PX), interpolation=cv2.INTER_AREA))


def _expose(rng: np.random.Generator, image: Picture) -> UInt8[np.ndarray, "H W 3"]:
    """The lens' softness, the sensor's noise (less of it in colour than in brightness), a good JPEG."""
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 0.9))
    strength = rng.choice([0.004, rng.uniform(0.004, 0.018)])
    noise = rng.standard_normal((*image.shape[:2], 1), np.float32)
    noise = noise + np.float32(0.5) * rng.standard_normal(image.shape, np.float32)
    pixels = np.round(np.clip(image + strength * noise, 0, 1) * 255).astype(np.uint8)
    _, coded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(82, 98))])
    return np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])
