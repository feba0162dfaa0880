"""From the photo and the fitted head to the skin's own colour.

photo --evidence--> what is skin --look_up--> colour per texel (and of its mirror image)
      --fit_light, divide--> albedo --temper, even out, calm--> log ratio to the skin tone
      --mirror fill, pull-push, fade--> albedo everywhere --> normal map
"""

from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.avatar import Skin, Texture
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation, Light
from avatar3d.render.lights import LUMINANCE, ambient_light
from avatar3d.render.stage import srgb_from_linear
from avatar3d.texture.atlas import Atlas, away_from_cut, face_atlas
from avatar3d.texture.cavities import cavity_shade, lid_margin, lid_skin
from avatar3d.texture.complete import pull_push, smooth
from avatar3d.texture.creases import GROUNDS, VALLEYS, creased_skin, lift_creases, smile_lines, smile_valleys
from avatar3d.texture.delight import divide_by_light, doubt_light, fit_light, refine_light
from avatar3d.texture.even import Side, even_out, without_strands
from avatar3d.texture.evidence import gather_evidence, photo_pixels_per_texel
from avatar3d.texture.neck import neck_tint
from avatar3d.texture.normals import normal_map
from avatar3d.texture.oblique import calm_oblique
from avatar3d.texture.pores import even_texels, grain, mottling
from avatar3d.texture.project import Look, Surface, facing, look_up, posed_surface
from avatar3d.texture.scalp import above_eyes, even_scalp, scalp_tone
from avatar3d.texture.temper import clear_lids, smile_folds, smile_of, temper
from avatar3d.texture.warp import aligned_pixels
from avatar3d.texture.white import white_gain

_WHITE: Final = ambient_light((1.0, 1.0, 1.0))
_LIGHT_SAMPLES: Final = 12_000
_FLOOR: Final = 0.004
"""Least linear albedo; keeps logarithms of black hair finite."""
_MIRROR_TRUST: Final = 0.9
"""A mirrored texel counts so much less than one really seen."""
_TONE_REACH: Final = 0.3
"""Skin this close to the median in log luminance tells the tone."""
_LARGEST_GAIN: Final = 0.25
"""The two sides of a face differ by no more in log colour; the rest is light."""
_FOLD_DOUBT: Final = 0.8
"""How much less the surroundings of an eye, dark with lashes and make-up, count for skin in the fold of its lid."""
_TOWARD_TONE: Final = 0.05
"""Ears and neck are guessed from the rim of the face, in shade more often than not: the tone wins sooner there."""
_FEATHER: Final = 0.005
"""Width over which a seen region fades into what is filled in, atlas edges."""


def recover_skin(
    model: HeadModel,
    fitted: HeadFit,
    face: FaceObservation,
    *,
    size: int = 1024,
    delight: bool = True,
    hidden: Float32[np.ndarray, "H W"] | None = None,
    worn: Float32[np.ndarray, "H W"] | None = None,
    beard: Float32[np.ndarray, "H W"] | None = None,
) -> Skin:
    """Albedo, normal map and light of one face; `size` is the atlas's edge in texels (1024 or 2048).

    `hidden` says, per photo pixel, how surely hair or something else lies before the face (not brows, not a beard), `worn`
    how surely glasses do (before brows too): the skin there is filled in from around; `beard` where one grows. Without
    `delight` the photo's light stays in the albedo: for benchmarks.
    """
    atlas = face_atlas(model, size)
    surface = posed_surface(model, fitted)
    pixels = aligned_pixels(model, fitted, face)
    front = facing(atlas, surface, pixels)
    texel_px = photo_pixels_per_texel(front.pixels, atlas.texels[front.chosen], size)
    evidence = gather_evidence(face, texel_px, hidden, worn, beard)
    seen = look_up(atlas, front, surface, evidence)
    other = Surface(surface.vertices[model.mirror], surface.normals[model.mirror], surface.eye, surface.scene)
    mirrored = look_up(atlas, facing(atlas, other, pixels[model.mirror]), other, evidence)

    light = _measure_light(seen) if delight else _WHITE
    tone = _measure_tone(seen, light)
    own, own_weight = _log_ratio(atlas, seen, light, tone)
    opposite, opposite_weight = _log_ratio(atlas, mirrored, light, tone)
    drawn, sockets = _picture(atlas, seen.chosen, seen.drawn), _picture(atlas, seen.chosen, seen.sockets)
    other_drawn, other_sockets = (_picture(atlas, mirrored.chosen, part) for part in (mirrored.drawn, mirrored.sockets))
    skin, other_skin = np.ones_like(own_weight), np.ones_like(own_weight)
    if not evidence.bearded:
        skin = without_strands(Side(own, own_weight, drawn, sockets))
        other_skin = without_strands(Side(opposite, opposite_weight, other_drawn, other_sockets))
    own_weight, opposite_weight = own_weight * skin, opposite_weight * other_skin
    creased = np.maximum(creased_skin(model, fitted, atlas), smile_of(fitted) * smile_lines(model, size))
    own = lift_creases(own, own_weight, drawn, creased)
    if not evidence.bearded:  # a beard is a dark valley too
        valleys = smile_of(fitted) * smile_valleys(model, size)
        for kind in (VALLEYS, GROUNDS):
            own = lift_creases(own, own_weight, drawn, valleys, kind)
    own = temper(own, own_weight, drawn, sockets, smile_folds(model, size), smile_of(fitted))
    own, opposite = even_out(
        Side(own, own_weight, drawn, sockets),
        Side(opposite, opposite_weight, other_drawn, other_sockets),
        bearded=evidence.bearded,
    )
    own, opposite = (
        calm_oblique(ratio, trust, lines, _picture(atlas, look.chosen, look.cosine), bearded=evidence.bearded)
        for ratio, trust, lines, look in (
            (own, own_weight, drawn, seen),
            (opposite, opposite_weight, other_drawn, mirrored),
        )
    )
    own, weight = _fill_from_mirror(own, own_weight, opposite, opposite_weight)
    # What lies hidden in the fold of a lid is skin like that around the eye, not like the dark rim of its lashes; what
    # lies hidden between these and the eyeball is.
    above, even = above_eyes(model, atlas), even_texels(model, atlas)
    far = scalp_tone(own, weight * (1 - drawn), above)
    if evidence.bald > 0:
        own += np.float32(evidence.bald) * (even_scalp(own, weight * (1 - drawn), above, even, far) - own)
    around = pull_push(own - far, weight * (1 - _FOLD_DOUBT * sockets), decay=_TOWARD_TONE)
    margin = atlas.image(lid_margin(model, atlas))[..., None]
    around = around * (1 - margin) + pull_push(own - far, weight) * margin
    # The atlas is cut behind the head: what is guessed on its two sides meets in the plain tone.
    around = far + around * atlas.image(away_from_cut(model, atlas))[..., None]
    ratio = own * weight[..., None] + around * (1 - weight)[..., None]
    ratio = clear_lids(ratio, np.maximum(weight, np.float32(0.05)), atlas.image(lid_skin(model, atlas)))
    ratio += (1 - weight)[..., None] * atlas.image(cavity_shade(model, atlas) + neck_tint(model, atlas))
    plain = _picture(atlas, seen.chosen, seen.plain * (seen.weight > 0.9))
    ratio += grain(own, plain, (1 - weight) * even)
    ratio += (1 - weight)[..., None] * mottling(model, atlas)
    gain = white_gain(face, tone) if delight else np.ones(3, np.float32)
    light, tone = Light(light.coefficients / gain), tone * gain
    albedo = tone * np.exp(ratio)
    texels = atlas.texels[seen.chosen]
    light = _refine(light, albedo.reshape(-1, 3)[texels], replace(seen, weight=seen.weight * skin.ravel()[texels]))
    bumps = normal_map(ratio @ LUMINANCE, own_weight)
    return Skin(Texture("skin", srgb_from_linear(albedo)), Texture("skin_normal", bumps), own_weight, light, tone)


def _measure_light(seen: Look) -> Light:
    chosen = np.flatnonzero((seen.plain > 0.9) & (seen.weight > 0.5))
    if len(chosen) < 200:
        chosen = np.flatnonzero(seen.weight > 0.3)
    if len(chosen) < 20:
        return _WHITE
    chosen = chosen[:: max(1, len(chosen) // _LIGHT_SAMPLES)]
    light = fit_light(seen.colour[chosen], seen.normals[chosen], seen.weight[chosen])
    return doubt_light(light, seen.normals[chosen], seen.weight[chosen])


def _refine(light: Light, albedo: Float32[np.ndarray, "M 3"], seen: Look) -> Light:
    """The light once more, on bare skin in its final colour."""
    weight = np.sqrt(seen.weight) * (1 - seen.drawn)  # the face's rim is seen edge-on, yet tells of light from the side
    chosen = np.flatnonzero(weight > 0.05)
    if len(chosen) < 200:
        return light
    chosen = chosen[:: max(1, len(chosen) // _LIGHT_SAMPLES)]
    return refine_light(light, albedo[chosen], seen.colour[chosen], seen.normals[chosen], weight[chosen])


def _measure_tone(seen: Look, light: Light) -> Float32[np.ndarray, "3"]:
    """Median albedo of bare skin, linear RGB: not of rosy cheeks alone, since neck and scalp are to be painted with it."""
    bare = (seen.weight > 0.7) & (np.maximum(seen.drawn, seen.sockets) < 0.1)
    chosen = np.flatnonzero(bare & (seen.plain > 0.9))
    if len(chosen) < 20:
        chosen = np.flatnonzero(seen.weight >= np.quantile(seen.weight, 0.8)) if len(seen.weight) else chosen
    if len(chosen) == 0:
        return np.array([0.45, 0.28, 0.2], np.float32)
    albedo = divide_by_light(seen.colour, seen.normals, light)
    bright = np.log(np.maximum(albedo @ LUMINANCE, 1e-4))
    usual = float(np.median(bright[chosen]))
    alike = np.flatnonzero(bare & (np.abs(bright - usual) < _TONE_REACH))
    tone = np.median(albedo[alike if len(alike) >= 20 else chosen], axis=0)
    tone *= np.exp(usual) / max(float(tone @ LUMINANCE), 1e-4)
    return np.clip(tone, 0.01, 0.9).astype(np.float32)


def _log_ratio(
    atlas: Atlas, look: Look, light: Light, tone: Float32[np.ndarray, "3"]
) -> tuple[Float32[np.ndarray, "S S 3"], Float32[np.ndarray, "S S"]]:
    """log(albedo / tone) as a picture, and how far it is believed: less toward the rims of what is seen.

    The rims of the eyes' and the mouth's openings are no such rims.
    """
    albedo = divide_by_light(look.colour, look.normals, light)
    values = np.zeros((atlas.size * atlas.size, 3), np.float32)
    values[atlas.texels[look.chosen]] = np.log(np.clip(albedo, _FLOOR, 1.0) / tone)
    weight = _picture(atlas, look.chosen, look.weight)
    seen = np.maximum(weight, _picture(atlas, look.chosen, np.maximum(look.drawn, look.sockets)))
    inner = np.clip(2 * smooth(seen[..., None], np.ones_like(seen), _FEATHER)[..., 0] - 0.8, 0, 1)
    return values.reshape(atlas.size, atlas.size, 3), weight * inner


def _picture(
    atlas: Atlas, chosen: Int32[np.ndarray, "M"], values: Float32[np.ndarray, "M"]
) -> Float32[np.ndarray, "S S"]:
    picture = np.zeros(atlas.size * atlas.size, np.float32)
    picture[atlas.texels[chosen]] = values
    return picture.reshape(atlas.size, atlas.size)


def _fill_from_mirror(
    own: Float32[np.ndarray, "S S 3"],
    own_weight: Float32[np.ndarray, "S S"],
    other: Float32[np.ndarray, "S S 3"],
    other_weight: Float32[np.ndarray, "S S"],
) -> tuple[Float32[np.ndarray, "S S 3"], Float32[np.ndarray, "S S"]]:
    """Where a texel was not seen, its mirror image's value, shifted by how the two sides differ nearby."""
    both = own_weight * other_weight
    gain = pull_push(np.ascontiguousarray(smooth(own - other, both, 0.02)), np.minimum(_spread(both), 1.0), decay=0.1)
    gain = np.clip(gain, -_LARGEST_GAIN, _LARGEST_GAIN)
    borrowed = (1 - own_weight) * np.clip(2 * other_weight - 1, 0, 1) * np.float32(_MIRROR_TRUST)
    weight = own_weight + borrowed
    mixed = own * own_weight[..., None] + (other + gain) * borrowed[..., None]
    return mixed / np.maximum(weight, 1e-6)[..., None], weight


def _spread(weights: Float32[np.ndarray, "S S"]) -> Float32[np.ndarray, "S S"]:
    """Where the smoothed difference of the two sides rests on evidence."""
    return np.clip(smooth(weights[..., None], np.ones_like(weights), 0.02).reshape(weights.shape) * 4, 0, 1)
