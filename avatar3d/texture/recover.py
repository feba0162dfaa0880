"""From the photo and the fitted head to the skin's own colour.

photo --evidence--> what is skin --look_up--> colour per texel (and of its mirror image)
      --fit_light, divide--> albedo --temper--> log ratio to the skin tone
      --mirror fill, pull-push, fade--> albedo everywhere --> normal map
"""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.avatar import Skin, Texture
from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation, Light
from avatar3d.render.lights import ambient_light
from avatar3d.render.stage import srgb_from_linear
from avatar3d.texture.atlas import Atlas, face_atlas
from avatar3d.texture.complete import pull_push
from avatar3d.texture.delight import LUMINANCE, divide_by_light, fit_light
from avatar3d.texture.evidence import gather_evidence, photo_pixels_per_texel
from avatar3d.texture.cavities import nostril_shade
from avatar3d.texture.normals import normal_map
from avatar3d.texture.project import Look, Surface, facing, look_up, posed_surface
from avatar3d.texture.regions import blur
from avatar3d.texture.warp import aligned_pixels
from avatar3d.texture.white import white_gain

_WHITE: Final = ambient_light((1.0, 1.0, 1.0))
_LIGHT_SAMPLES: Final = 12_000
_FLOOR: Final = 0.004
"""Least linear albedo; keeps logarithms of black hair finite."""
_MIRROR_TRUST: Final = 0.9
"""A mirrored texel counts so much less than one really seen."""
# What outshines its surroundings (a Gaussian of so many atlas edges) by more than a knee, in log luminance, is gloss.
_SURROUNDINGS: Final = 0.03
_GLOSS_KNEE: Final = 0.16
_GLOSS_KEPT: Final = 0.35
_CREASE_KNEE: Final = 0.08
_CREASE_LOST: Final = 0.6
_CREASING: Final = ("mouthSmileLeft", "mouthSmileRight", "cheekSquintLeft", "cheekSquintRight")


def recover_skin(
    model: HeadModel, fitted: HeadFit, face: FaceObservation, *, size: int = 1024, delight: bool = True
) -> Skin:
    """Albedo, normal map and light of one face; `size` is the atlas's edge in texels (1024 or 2048).

    Without `delight` the photo's light stays in the albedo: for benchmarks.
    """
    atlas = face_atlas(model, size)
    surface = posed_surface(model, fitted)
    pixels = aligned_pixels(model, fitted, face)
    front = facing(atlas, surface, pixels)
    evidence = gather_evidence(face, photo_pixels_per_texel(front.pixels, atlas.texels[front.chosen], size))
    seen = look_up(atlas, front, surface, evidence)
    other = Surface(surface.vertices[model.mirror], surface.normals[model.mirror], surface.eye, surface.scene)
    mirrored = look_up(atlas, facing(atlas, other, pixels[model.mirror]), other, evidence)

    light = _measure_light(seen) if delight else _WHITE
    tone = _measure_tone(seen, light)
    own, own_weight = _log_ratio(atlas, seen, light, tone)
    opposite, opposite_weight = _log_ratio(atlas, mirrored, light, tone)
    drawn = _picture(atlas, seen.chosen, seen.drawn)
    own = _temper(own, own_weight, drawn, _smile(fitted))
    own, weight = _fill_from_mirror(own, own_weight, opposite, opposite_weight)
    # What lies hidden in the fold of a lid is skin like that around the eye, not like the dark rim of its lashes.
    around = pull_push(own, weight * (1 - _picture(atlas, seen.chosen, seen.sockets)))
    ratio = own * weight[..., None] + around * (1 - weight)[..., None]
    ratio += ((1 - weight) * atlas.image(nostril_shade(model, atlas)))[..., None]
    gain = white_gain(face, tone) if delight else np.ones(3, np.float32)
    light, tone = Light(light.coefficients / gain), tone * gain
    albedo = tone * np.exp(ratio)
    pixels = srgb_from_linear(albedo)
    bumps = normal_map(ratio @ LUMINANCE, own_weight)
    return Skin(Texture("skin", pixels), Texture("skin_normal", bumps), own_weight, light, tone)


def _measure_light(seen: Look) -> Light:
    chosen = np.flatnonzero((seen.plain > 0.9) & (seen.weight > 0.5))
    if len(chosen) < 200:
        chosen = np.flatnonzero(seen.weight > 0.3)
    if len(chosen) < 20:
        return _WHITE
    chosen = chosen[:: max(1, len(chosen) // _LIGHT_SAMPLES)]
    return fit_light(seen.colour[chosen], seen.normals[chosen], seen.weight[chosen])


def _measure_tone(seen: Look, light: Light) -> Float32[np.ndarray, "3"]:
    """Median albedo of plain skin, linear RGB."""
    chosen = np.flatnonzero((seen.plain > 0.9) & (seen.weight > 0.7))
    if len(chosen) < 20:
        chosen = np.flatnonzero(seen.weight >= np.quantile(seen.weight, 0.8)) if len(seen.weight) else chosen
    if len(chosen) == 0:
        return np.array([0.45, 0.28, 0.2], np.float32)
    albedo = divide_by_light(seen.colour[chosen], seen.normals[chosen], light)
    return np.clip(np.median(albedo, axis=0), 0.01, 0.9).astype(np.float32)


def _log_ratio(
    atlas: Atlas, look: Look, light: Light, tone: Float32[np.ndarray, "3"]
) -> tuple[Float32[np.ndarray, "S S 3"], Float32[np.ndarray, "S S"]]:
    """log(albedo / tone) as a picture, and how far it is believed (a little less at the rims of what is seen)."""
    albedo = divide_by_light(look.colour, look.normals, light)
    values = np.zeros((atlas.size * atlas.size, 3), np.float32)
    weights = np.zeros(atlas.size * atlas.size, np.float32)
    places = atlas.texels[look.chosen]
    values[places] = np.log(np.clip(albedo, _FLOOR, 1.0) / tone)
    weights[places] = look.weight
    picture = weights.reshape(atlas.size, atlas.size)
    sigma = 3.0 * atlas.size / 1024
    seen = (picture > 0).astype(np.float32)
    rim = np.clip(2 * blur(seen, sigma) - 1, 0, 1)
    return values.reshape(atlas.size, atlas.size, 3), picture * rim


def _smile(fitted: HeadFit) -> float:
    """How strongly the photo's expression creases the cheeks, 0 to 1."""
    return float(np.clip(1.5 * max(fitted.expression[ARKIT_INDEX[name]] for name in _CREASING), 0, 1))


def _picture(
    atlas: Atlas, chosen: Int32[np.ndarray, "M"], values: Float32[np.ndarray, "M"]
) -> Float32[np.ndarray, "S S"]:
    picture = np.zeros(atlas.size * atlas.size, np.float32)
    picture[atlas.texels[chosen]] = values
    return picture.reshape(atlas.size, atlas.size)


def _temper(
    ratio: Float32[np.ndarray, "S S 3"],
    weight: Float32[np.ndarray, "S S"],
    drawn: Float32[np.ndarray, "S S"],
    smile: float,
) -> Float32[np.ndarray, "S S 3"]:
    """Gloss and the creases of a smile are light, not skin: draw them back toward their surroundings."""
    around = _smooth(ratio, weight * (1 - drawn) + np.float32(1e-4), _SURROUNDINGS)
    excess = (ratio - around) @ LUMINANCE
    shine = np.clip(excess - _GLOSS_KNEE, 0, None) * (1 - _GLOSS_KEPT)
    crease = np.clip(-excess - _CREASE_KNEE, 0, 0.8) * np.float32(_CREASE_LOST * smile)
    share = (shine + crease) / np.maximum(np.abs(excess), 1e-3) * np.clip(1 - 2.5 * drawn, 0, 1) * (weight > 0)
    return ratio + share[..., None] * (around - ratio)


def _smooth(
    values: Float32[np.ndarray, "S S C"], weights: Float32[np.ndarray, "S S"], width: float
) -> Float32[np.ndarray, "S S C"]:
    """Weighted mean under a Gaussian of `width` atlas edges, computed at a quarter of the resolution."""
    size = values.shape[0] // 4
    small = cv2.resize(np.dstack([values * weights[..., None], weights]), (size, size), interpolation=cv2.INTER_AREA)
    small = blur(np.asarray(small, np.float32), width * size)
    mean = small[..., :-1] / np.maximum(small[..., -1:], 1e-3)
    spread = np.asarray(cv2.resize(mean, values.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    return spread.reshape(values.shape)  # OpenCV drops a last axis of one


def _fill_from_mirror(
    own: Float32[np.ndarray, "S S 3"],
    own_weight: Float32[np.ndarray, "S S"],
    other: Float32[np.ndarray, "S S 3"],
    other_weight: Float32[np.ndarray, "S S"],
) -> tuple[Float32[np.ndarray, "S S 3"], Float32[np.ndarray, "S S"]]:
    """Where a texel was not seen, its mirror image's value, shifted by how the two sides differ nearby."""
    both = own_weight * other_weight
    gain = pull_push(np.ascontiguousarray(_smooth(own - other, both, 0.02)), np.minimum(_spread(both), 1.0), decay=0.1)
    borrowed = (1 - own_weight) * np.clip(2 * other_weight - 1, 0, 1) * np.float32(_MIRROR_TRUST)
    weight = own_weight + borrowed
    mixed = own * own_weight[..., None] + (other + gain) * borrowed[..., None]
    return mixed / np.maximum(weight, 1e-6)[..., None], weight


def _spread(weights: Float32[np.ndarray, "S S"]) -> Float32[np.ndarray, "S S"]:
    """Where the smoothed difference of the two sides rests on evidence."""
    return np.clip(_smooth(weights[..., None], np.ones_like(weights), 0.02).reshape(weights.shape) * 4, 0, 1)
