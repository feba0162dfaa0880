"""From photos and fitted heads to the skin's own colour.

each photo --see_skin--> log ratio to the skin tone, of the face and of its mirror image --blend_layers--> of all photos
           --mirror fill, pull-push, fade--> albedo everywhere --> normal map
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.avatar import Skin, Texture
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation, Light
from avatar3d.render.lights import LUMINANCE
from avatar3d.render.stage import srgb_from_linear
from avatar3d.texture.atlas import away_from_cut, beyond_skin, face_atlas
from avatar3d.texture.blend import Layer, blend_layers
from avatar3d.texture.cavities import cavity_shade, lid_margin, lid_skin
from avatar3d.texture.complete import pull_push, smooth
from avatar3d.texture.delight import refine_light
from avatar3d.texture.neck import neck_tint
from avatar3d.texture.normals import normal_map
from avatar3d.texture.planes import times
from avatar3d.texture.pores import even_texels, grain, mottling
from avatar3d.texture.project import Look
from avatar3d.texture.scalp import above_eyes, even_scalp, scalp_tone
from avatar3d.texture.see import LIGHT_SAMPLES, SkinView, picture, see_skin
from avatar3d.texture.smile import mouth_corners
from avatar3d.texture.temper import clear_lids, fill_pits
from avatar3d.texture.white import white_gain

_MIRROR_TRUST: Final = 0.9
"""A mirrored texel counts so much less than one really seen."""
_LARGEST_GAIN: Final = 0.25
"""The two sides of a face differ by no more in log colour; the rest is light."""
_RELIEF: Final = (0.35, 0.70)
"""Cosines between normal and view: below the first, detail is drawn out too far to tell relief, above the second it tells."""
_FOLD_DOUBT: Final = 0.8
"""How much less the surroundings of an eye, dark with lashes and make-up, count for skin in the fold of its lid."""
_SCALP: Final = (0.3, 0.6)
"""How far above the eyes the skin of further photos fades out: hair and scalp are the first photo's."""
_TOWARD_TONE: Final = 0.05
"""Ears and neck are guessed from the rim of the face, in shade more often than not: the tone wins sooner there."""


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
    sides: Sequence[SkinView] = (),
) -> Skin:
    """Albedo, normal map and light of one face; `size` is the atlas's edge in texels (1024 or 2048).

    `hidden` says, over the photo (`plane_size`), how surely hair or something else lies before the face (not brows, not a beard), `worn`
    how surely glasses do (before brows too): the skin there is filled in from around; `beard` where one grows. Without
    `delight` the photo's light stays in the albedo: for benchmarks. `sides` are further photos of the same person.
    """
    atlas = face_atlas(model, size)
    main = see_skin(model, SkinView(fitted, face, hidden, worn, beard), size, delight=delight)
    beside = [see_skin(model, side, size, delight=delight) for side in sides]
    above, even = above_eyes(model, atlas), even_texels(model, atlas)
    layer, mirrored = main.own, main.opposite
    if beside:
        expected = _continued(layer, scalp_tone(layer.ratio, layer.weight * (1 - layer.drawn), above))
        below = np.clip((_SCALP[1] - above) / (_SCALP[1] - _SCALP[0]), 0, 1)
        layer = blend_layers([layer, *(_within(side.own, below) for side in beside)], expected)
        mirrored = blend_layers([mirrored, *(_within(side.opposite, below) for side in beside)], expected)
    seen, light, tone, drawn = main.look, main.light, main.tone, layer.drawn
    own, weight = _fill_from_mirror(layer, mirrored)
    # What nobody sees of a scalp is like the forehead, and a bald one goes over into it.
    far = scalp_tone(own, weight * (1 - drawn), above)
    if main.bald > 0:
        own += np.float32(main.bald) * (even_scalp(own, weight * (1 - drawn), above, even, far) - own)
    # What lies hidden in the fold of a lid is skin like that around the eye, not like the dark rim of its lashes; what
    # lies hidden between these and the eyeball is.
    around = pull_push(own - far, weight * (1 - _FOLD_DOUBT * layer.sockets), decay=_TOWARD_TONE)
    margin = atlas.image(lid_margin(model, atlas))
    around = times(around, 1 - margin) + times(pull_push(own - far, weight), margin)
    # The atlas is cut behind the head: what is guessed on its two sides meets in the plain tone.
    around = far + times(around, atlas.image(away_from_cut(model, atlas)))
    ratio = times(own, weight) + times(around, 1 - weight)
    ratio = clear_lids(ratio, np.maximum(weight, np.float32(0.05)), atlas.image(lid_skin(model, atlas)))
    ratio = fill_pits(ratio, np.maximum(weight, np.float32(0.05)), mouth_corners(model, atlas))
    ratio += times(atlas.image(cavity_shade(model, atlas) + neck_tint(model, atlas)), 1 - weight)
    plain = picture(atlas, seen.chosen, seen.plain * (seen.weight > 0.9))
    ratio += grain(own, plain, (1 - weight) * even)
    ratio += times(mottling(model, atlas), 1 - weight)
    outside, nearest = beyond_skin(model, atlas)
    flat = ratio.reshape(-1, 3)
    flat[outside] = flat[nearest]
    gain = white_gain(face, tone) if delight else np.ones(3, np.float32)
    light, tone = Light(light.coefficients / gain), tone * gain
    albedo = tone * np.exp(ratio)
    texels = atlas.texels[seen.chosen]
    light = _refine(light, albedo.reshape(-1, 3)[texels], replace(seen, weight=seen.weight * main.skin.ravel()[texels]))
    squarely = np.clip((layer.cosine - _RELIEF[0]) / np.float32(_RELIEF[1] - _RELIEF[0]), 0, 1)
    bumps = normal_map(ratio @ LUMINANCE, layer.weight * squarely)
    return Skin(Texture("skin", srgb_from_linear(albedo)), Texture("skin_normal", bumps), layer.weight, light, tone)


def _within(layer: Layer, where: Float32[np.ndarray, "S S"]) -> Layer:
    return replace(layer, weight=layer.weight * where)


def _continued(own: Layer, far: Float32[np.ndarray, "S S 3"]) -> Float32[np.ndarray, "S S 3"]:
    """How skin goes on beyond what is seen."""
    return far + pull_push(own.ratio - far, own.weight * (1 - _FOLD_DOUBT * own.sockets), decay=_TOWARD_TONE)


def _refine(light: Light, albedo: Float32[np.ndarray, "M 3"], seen: Look) -> Light:
    """The light once more, on bare skin in its final colour."""
    weight = np.sqrt(seen.weight) * (1 - seen.drawn)  # the face's rim is seen edge-on, yet tells of light from the side
    chosen = np.flatnonzero(weight > 0.05)
    if len(chosen) < 200:
        return light
    chosen = chosen[:: max(1, len(chosen) // LIGHT_SAMPLES)]
    return refine_light(light, albedo[chosen], seen.colour[chosen], seen.normals[chosen], weight[chosen])


def _fill_from_mirror(own: Layer, other: Layer) -> tuple[Float32[np.ndarray, "S S 3"], Float32[np.ndarray, "S S"]]:
    """Where a texel was not seen, its mirror image's value, shifted by how the two sides differ nearby."""
    both = own.weight * other.weight
    difference = np.ascontiguousarray(smooth(own.ratio - other.ratio, both, 0.02))
    gain = pull_push(difference, _spread(both), decay=0.1)
    gain = np.clip(gain, -_LARGEST_GAIN, _LARGEST_GAIN)
    borrowed = (1 - own.weight) * np.clip(2 * other.weight - 1, 0, 1) * np.float32(_MIRROR_TRUST)
    weight = own.weight + borrowed
    mixed = times(own.ratio, own.weight) + times(other.ratio + gain, borrowed)
    return times(mixed, 1 / np.maximum(weight, np.float32(1e-6))), weight


def _spread(weights: Float32[np.ndarray, "S S"]) -> Float32[np.ndarray, "S S"]:
    """Where the smoothed difference of the two sides rests on evidence."""
    return np.clip(smooth(weights[..., None], np.ones_like(weights), 0.02).reshape(weights.shape) * 4, 0, 1)
