"""Other colours in the pictures an avatar already has: hair, skin, irises, and the traces of age.

texture --> linear RGB --> factor from the colour it has to the one asked for --> texture; shade and detail stay
"""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.core.avatar import Texture
from avatar3d.core.errors import UsageError
from avatar3d.render.lights import LUMINANCE
from avatar3d.render.stage import LINEAR_FROM_SRGB, srgb_from_linear

HAIR: Final = {"black": "#17120f", "brown": "#4a3020", "auburn": "#6e3420", "red": "#8f4524", "blond": "#b98f57",
               "grey": "#8c8a87", "white": "#d8d5cf"}  # fmt: skip
EYES: Final = {"brown": "#4a2c1a", "hazel": "#6b5530", "green": "#5c6f4a", "blue": "#5b7f9e", "grey": "#77848c"}
# Skin: the ten orbs of the Monk Skin Tone scale (Ellis Monk, skintone.google, CC BY 4.0).
MONK: Final = ("#f6ede4", "#f3e7db", "#f7ead0", "#eadaba", "#d7bd96", "#a07e56", "#825c43", "#604134", "#3a312a", "#292420")  # fmt: skip
# Darker than this share of the skin's own tone is no skin but brow, lash line or nostril, and keeps its colour ...
_NO_SKIN: Final = (0.12, 0.4)
# Albedo (linear luminance) of the darkest and the lightest skin, and how far a Monk orb's hue counts; by eye.
_SKIN_LUMINANCE: Final = (0.045, 0.55)
_ORB_HUE: Final = 0.35
# Detail of albedo: what is finer than this, in texels of a 1024 atlas.
_DETAIL_TEXELS: Final = 6.0
# Years over which hair turns grey and by which the relief of skin doubles; by eye.
_GREYING_YEARS: Final = 40.0
_RELIEF_YEARS: Final = 50.0
_RELIEF: Final = (0.25, 2.2)


def parse_colour(text: str, names: dict[str, str]) -> Float32[np.ndarray, "3"]:
    """Linear RGB of a name or of #rrggbb. Raises UsageError."""
    digits = names.get(text.lower(), text).lstrip("#")
    try:
        if len(digits) != 6:
            raise ValueError
        parts = bytes.fromhex(digits)
    except ValueError as cause:
        raise UsageError(
            f"expected {', '.join(names)} or #rrggbb, got {text!r}.", hint="For example: #6b4a2f"
        ) from cause
    return LINEAR_FROM_SRGB[np.frombuffer(parts, np.uint8)]


def parse_skin(text: str, own: Float32[np.ndarray, "3"]) -> Float32[np.ndarray, "3"]:
    """Albedo (linear RGB) of #rrggbb, or of a step of the Monk scale (1 to 10) for somebody whose skin is `own`.

    The scale's orbs are swatches: from paper white to near black, with little red. A step gives the lightness that
    skin of this rank has, and part of the orb's hue. Raises UsageError.
    """
    steps = {str(number): colour for number, colour in enumerate(MONK, start=1)}
    if text not in steps:
        return parse_colour(text, steps)
    orbs = np.stack([parse_colour(colour, {}) for colour in MONK])
    lightness = np.log(orbs @ LUMINANCE)
    rank = (lightness[int(text) - 1] - lightness.min()) / np.ptp(lightness)
    luminance = _SKIN_LUMINANCE[0] * (_SKIN_LUMINANCE[1] / _SKIN_LUMINANCE[0]) ** rank
    hue = orbs[int(text) - 1] ** _ORB_HUE * own ** (1 - _ORB_HUE)
    return (hue * luminance / float(hue @ LUMINANCE)).astype(np.float32)


def tint_hair(texture: Texture, colour: Float32[np.ndarray, "3"], share: float = 1.0) -> Texture:
    """Hair's texture with `colour` as its middle; streaks and alpha stay. `share` below 1 goes part of the way."""
    linear = LINEAR_FROM_SRGB[texture.pixels[..., :3]]
    opaque = texture.pixels[..., 3] > 127 if texture.pixels.shape[2] == 4 else np.ones(linear.shape[:2], bool)
    own = np.maximum(np.median(linear[opaque], axis=0), 1e-3)
    return _repaint(texture, linear * (colour / own) ** np.float32(share))


def tone_skin(texture: Texture, own: Float32[np.ndarray, "3"], colour: Float32[np.ndarray, "3"]) -> Texture:
    """The face's albedo, whose skin is `own`, in another tone; what is much darker than skin keeps its colour."""
    linear = LINEAR_FROM_SRGB[texture.pixels[..., :3]]
    light = linear @ LUMINANCE / float(own @ LUMINANCE)
    skin = np.clip((light - _NO_SKIN[0]) / (_NO_SKIN[1] - _NO_SKIN[0]), 0, 1)[..., None]
    return _repaint(texture, linear * (colour / np.maximum(own, 1e-3)) ** skin)


def tint_irises(texture: Texture, edge: float, colour: Float32[np.ndarray, "3"]) -> Texture:
    """The eyes' texture with irises of another colour; `edge` is the iris's radius over the texture's size."""
    linear = LINEAR_FROM_SRGB[texture.pixels[..., :3]]
    size = len(linear)
    y, x = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    radius = np.hypot(x, y) / edge
    ring = (radius > 0.45) & (radius < 0.85)
    own = np.maximum(linear[ring].mean(axis=0), 1e-3)
    iris = np.clip((1.04 - radius) / 0.08, 0, 1).astype(np.float32)[..., None]
    return _repaint(texture, linear * (colour / own) ** iris)


def age_albedo(texture: Texture, years: float) -> Texture:
    """Spots and lines of the albedo deepened, or softened when `years` is negative."""
    linear = np.log(LINEAR_FROM_SRGB[texture.pixels[..., :3]] + np.float32(0.01))
    sigma = _DETAIL_TEXELS * len(linear) / 1024
    broad = cv2.GaussianBlur(linear, (0, 0), sigma)
    detail = (linear - broad) * np.float32(relief_factor(years) ** 0.5)
    return _repaint(texture, np.exp(broad + detail) - np.float32(0.01))


def relief_factor(years: float) -> float:
    """How much deeper skin's relief is so many years later."""
    return float(np.clip(1 + years / _RELIEF_YEARS, *_RELIEF))


def greying(years: float) -> float:
    """How far hair has turned grey so many years later, 0 to 1."""
    return float(np.clip(years / _GREYING_YEARS, 0, 1))


def scale_relief(texture: Texture, factor: float) -> Texture:
    """A normal map (+Y up) whose slopes are `factor` times as steep."""
    normal = texture.pixels[..., :3].astype(np.float32) / np.float32(127.5) - 1
    normal[..., :2] *= np.float32(factor)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    return replace(texture, pixels=np.round((normal + 1) * 127.5).astype(np.uint8))


def simplify_albedo(texture: Texture, share: float) -> Texture:
    """As a painter of cartoons sees skin: edges stay, pores and blotches go, by `share` 0 to 1."""
    painted = texture.pixels[..., :3]
    for _ in range(3):
        painted = cv2.bilateralFilter(painted, 9, 24, 7)
    mixed = cv2.addWeighted(painted, share, np.ascontiguousarray(texture.pixels[..., :3]), 1 - share, 0)
    return replace(texture, pixels=np.asarray(mixed, np.uint8))


def _repaint(texture: Texture, linear: Float32[np.ndarray, "H W 3"]) -> Texture:
    pixels = texture.pixels.copy()
    pixels[..., :3] = srgb_from_linear(np.clip(linear, 0, 1).astype(np.float32))
    return replace(texture, pixels=pixels)
