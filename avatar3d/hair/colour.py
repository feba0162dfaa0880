"""The hair's own colour: the photo's where it saw hair, without its light and its gloss, and a continuation elsewhere."""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from avatar3d.core.avatar import Skin
from avatar3d.core.photo import FaceObservation
from avatar3d.hair.segment import HairPicture
from avatar3d.hair.texels import SIZE, Texels, ramp

_CHROMA: Final = 0.95
# Hair's own colour is looked for where it is so surely hair alone.
_PURE: Final = (0.55, 0.90)
# Linear albedo of hair that has melanin's hue alone, and of hair whose hue is believed; the most of it, log red over grey.
_DARK: Final = (0.015, 0.06)
_BROWNEST: Final = 0.45
_NOISE: Final = 0.35
# Blue over red, half their logarithm, up to which blue is taken off hair; dyed hair has more.
_COLDEST: Final = 0.20
# No hair is purple: how far the mean of log red and blue may lie over green, in grey and per log red over grey.
_PINKEST: Final = 0.04
_PINK_OF_RED: Final = 0.25
# What was not seen goes on as what was beside it, and beyond that as what grows at the same level: eighths of a texel.
_CONTINUED: Final = ((5.0, 5.0), (16.0, 4.0))
# Of its light and dark this share was the lamp's.
_LAMP: Final = 0.5
# Linear albedo above which hair is not made brighter, and below which none is.
_WHITEST: Final = 0.60
_BLACKEST: Final = 0.004
# Standard deviation of the strands' log brightness, at least and at most.
_CONTRAST: Final = (0.18, 0.32)
# Natural logarithm by which the photo's hair may differ from its median: beyond it is glare, shadow or background.
_RANGE: Final = 1.2
_BROAD: Final = 0.9
_HUE: Final = 0.25
# Linear brightness that gloss adds to hair, and its largest share of what is seen.
_GLOSS: Final = 0.006
_MOST_GLOSS: Final = 0.6
_SKIN_LIKE: Final = 0.35
# Natural logarithm by which locks, their roots and what lies between them are darker than the photo's mean; and by how much
# all of hair may be made brighter for that and its light's sake.
_BETWEEN_LOCKS: Final = 0.15
_MADE_BRIGHTER: Final = (0.0, 0.6)
_LOCKS: Final = 1.0


def photo_colour(
    texels: Texels,
    picture: HairPicture,
    face: FaceObservation,
    skin: Skin,
    trust: Float32[np.ndarray, "S S"],
    *,
    under_locks: bool,
) -> tuple[Float32[np.ndarray, "S S 3"], Float32[np.ndarray, "S S"]]:
    """Linear albedo of the hair where the photo shows it, and how well."""
    # The photo at about the texture's own resolution, so that no texel skips pixels.
    scale = min(1.0, 110 / face.interocular_px)
    photo = cv2.resize(face.photo.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    at = (texels.photo_px * scale - 0.5).astype(np.float32)
    seen = cv2.remap(photo, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    linear = _linear(seen)
    shade = skin.light.shade(texels.normals.reshape(-1, 3)).reshape(linear.shape)
    ahead = skin.light.shade(np.array([[0, 0, 1]], np.float32))[0]
    # Hair scatters light through itself: it is lit by a third like skin, else like a face turned to the camera.
    plain, shade = shade, _SKIN_LIKE * shade + (1 - _SKIN_LIKE) * ahead
    # The lamp's hue is read off skin and is unsure on hair, where a wrong one turns blond to green: a quarter of it is left.
    shade = _HUE * shade + (1 - _HUE) * shade.mean(2, keepdims=True)
    albedo = linear / np.maximum(shade, 1e-3)
    # Every renderer adds gloss of its own; on black hair it is most of what the photo shows.
    albedo -= np.minimum(_GLOSS, _MOST_GLOSS * albedo)
    known = trust * ramp(picture.sample(texels.photo_px.reshape(-1, 2), picture.pure).reshape(SIZE, SIZE), *_PURE)
    # Engines light hair like skin: under the photo's light its mean is to be the photo's again, with the shadows that locks add.
    fewer = np.log(np.maximum(shade.mean(2), 1e-3) / np.maximum(plain.mean(2), 1e-3))
    if known.sum() > 1:
        albedo = albedo * np.exp(
            np.clip((fewer * known).sum() / known.sum() + under_locks * _BETWEEN_LOCKS, *_MADE_BRIGHTER)
        )
    # White hair in a dim light must not come out whiter than snow: its highlights would drown the strands.
    bright = albedo.mean(2)
    sure = known > 0.3
    if sure.any():
        albedo = albedo * min(1.0, _WHITEST / max(float(np.median(bright[sure])), 1e-3))
    return np.clip(albedo, _BLACKEST, 0.95).astype(np.float32), known.astype(np.float32)


def continue_colour(
    colour: Float32[np.ndarray, "S S 3"],
    known: Float32[np.ndarray, "S S"],
    mean: Float64[np.ndarray, "3"],
) -> tuple[Float32[np.ndarray, "S S 3"], Float32[np.ndarray, "S S"], float]:
    """Log colour everywhere, how far it is the photo's, and the strands' contrast. Known colours kept, the rest a smooth
    continuation; in log so that dark hair stays dark.
    """
    log = _of_hair(np.log(colour))
    # Gloss greys hair in every renderer; the colour is given that much more of its own hue.
    log = log.mean(2, keepdims=True) + _CHROMA * (log - log.mean(2, keepdims=True))
    middle = np.log(mean).astype(np.float32)
    middle = _of_hair((middle.mean() + _CHROMA * (middle - middle.mean()))[None, None])[0, 0]
    away = log - middle
    wide = cv2.GaussianBlur(away * known[..., None], (0, 0), 9) / (cv2.GaussianBlur(known, (0, 0), 9)[..., None] + 0.02)
    # Broad light and dark is half the lamp's doing; locks are the hair's own. Both are bent, not cut, into range.
    kept = middle + _RANGE * np.tanh((_BROAD * wide + _LOCKS * (away - wide)) / _RANGE)
    # The smooth continuation is made small: it has no detail to lose.
    weighted = np.concatenate([kept * known[..., None], known[..., None]], axis=2).astype(np.float32)
    small = cv2.resize(weighted, (SIZE // 8, SIZE // 8), interpolation=cv2.INTER_AREA)
    around = np.concatenate([small] * 3, axis=1)
    near, level = (
        cv2.GaussianBlur(around, (0, 0), sigmaX=x, sigmaY=y)[:, SIZE // 8 : SIZE // 4] for x, y in _CONTINUED
    )
    level = (level[..., :3] + 0.02 * middle) / (level[..., 3:] + 0.02)
    smooth = cv2.resize((near[..., :3] + 0.1 * level) / (near[..., 3:] + 0.1), (SIZE, SIZE))
    smooth -= _LAMP * (smooth.mean(2, keepdims=True) - middle.mean())
    bright = log.mean(2)
    detail = bright - cv2.GaussianBlur(bright, (0, 0), 6)
    contrast = float(np.clip(np.sqrt((known * detail**2).sum() / max(known.sum(), 1)), *_CONTRAST))
    blend = cv2.GaussianBlur(known, (0, 0), 7)
    return (blend[..., None] * kept + (1 - blend[..., None]) * smooth).astype(np.float32), blend, contrast


def _of_hair(log: Float32[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W 3"]:
    """Log colour nearer to those of hair: a little blue is the sky's or a lamp's, no hair's, and dark hair's hue is partly
    the camera's noise, so that it is brought toward the browns that melanin has.
    """
    red, _, blue = log.transpose(2, 0, 1)
    cold = np.clip(0.5 * (blue - red), 0, _COLDEST)[..., None]
    log = log + cold * np.array([1, 0, -1], np.float32)
    red, green, blue = log.transpose(2, 0, 1)
    pink = 0.5 * (red + blue) - green - _PINKEST - _PINK_OF_RED * np.clip(0.5 * (red - blue), 0, None)
    log = log + np.clip(pink, 0, _COLDEST)[..., None] * np.array([-1 / 3, 2 / 3, -1 / 3], np.float32)
    red, _, blue = log.transpose(2, 0, 1)
    brown = np.clip(0.5 * (red - blue), 0, _BROWNEST)
    middle = log.mean(2)
    own = np.stack([middle + brown, middle, middle - brown], axis=2)
    dark = _NOISE * (1 - ramp(middle, *np.log(_DARK)))
    return log + dark[..., None] * (own - log)


def own_colour(colour: Float32[np.ndarray, "S S 3"], known: Float32[np.ndarray, "S S"]) -> Float64[np.ndarray, "3"]:
    """The median's hue, a little brighter: shadows between locks are no colour."""
    chosen = colour[known > 0.3 if (known > 0.3).sum() > 50 else known >= 0]
    bright = chosen.mean(1)
    # The hue of the middling pixels: highlights are the lamp's, shadows are noise.
    low, high = np.percentile(bright, (35, 55))
    own = chosen[(bright >= low) & (bright <= high)]
    hue = np.median(own if len(own) else chosen, axis=0).astype(np.float64)
    return np.clip(hue * high / max(float(hue.mean()), 1e-6), 1e-3, 0.95)


def _linear(pixels: UInt8[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W 3"]:
    """sRGB decoding, IEC 61966-2-1."""
    code = pixels.astype(np.float32) / 255
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).astype(np.float32)
