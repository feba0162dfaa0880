"""What one photo tells of the skin: its own colour wherever it is seen, and wherever its mirror image is.

photo --evidence--> what is skin --look_up--> colour per texel (and of its mirror image)
      --fit_light, divide--> albedo --temper, shading_aslant, even out, calm--> log ratio to the skin tone
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation, Light
from avatar3d.render.lights import LUMINANCE, ambient_light
from avatar3d.texture.atlas import Atlas, face_atlas
from avatar3d.texture.blend import Layer
from avatar3d.texture.complete import smooth
from avatar3d.texture.creases import GROUNDS, VALLEYS, creased_skin, lift_creases, sink_ridges
from avatar3d.texture.delight import divide_by_light, doubt_light, fit_light
from avatar3d.texture.even import Side, even_out, without_strands
from avatar3d.texture.evidence import Evidence, gather_evidence, photo_pixels_per_texel
from avatar3d.texture.lids import unfolding_lids
from avatar3d.texture.oblique import calm_oblique
from avatar3d.texture.project import Look, Surface, facing, look_up, posed_surface
from avatar3d.texture.regions import blur
from avatar3d.texture.shading import fit_shading, shading_aslant
from avatar3d.texture.smile import smile_folds, smile_lines, smile_of, smile_valleys
from avatar3d.texture.temper import temper
from avatar3d.texture.warp import aligned_pixels

_WHITE: Final = ambient_light((1.0, 1.0, 1.0))
LIGHT_SAMPLES: Final = 12_000
_FLOOR: Final = 0.004
"""Least linear albedo; keeps logarithms of black hair finite."""
_TONE_REACH: Final = 0.3
"""Skin this close to the median in log luminance tells the tone."""
_BARE: Final = (0.85, 0.98)
"""Mean probability of skin around a pixel beside the face: below the first it is not believed, above the second it is."""
_BARE_RIM: Final = 0.04
"""Standard deviation of that mean, inter-ocular distances."""
_EAR_RIM: Final = 0.05
"""An ear's outline throws a shadow so far, inter-ocular distances."""
_EAR_BLUR: Final = 0.12
"""What is smaller in an ear is its relief, inter-ocular distances."""
_FEATHER: Final = 0.005
"""Width over which a seen region fades into what is filled in, atlas edges."""


@dataclass(frozen=True, eq=False)
class SkinView:
    """A photo, the head in it, and what lies before the skin there (planes of `plane_size`, 0 to 1)."""

    fitted: HeadFit
    face: FaceObservation
    hidden: Float32[np.ndarray, "H W"] | None = None
    """How surely hair or something else lies before the face (not brows, not a beard)."""
    worn: Float32[np.ndarray, "H W"] | None = None
    """How surely glasses do (before brows too)."""
    beard: Float32[np.ndarray, "H W"] | None = None
    """Where one grows."""
    bare: Float32[np.ndarray, "H W"] | None = None
    """Where skin goes on beside the face, ears too. Only for photos from the side, which show it well."""
    ears: Float32[np.ndarray, "H W"] | None = None


@dataclass(frozen=True, eq=False)
class SeenSkin:
    """All that one photo tells."""

    own: Layer
    opposite: Layer
    look: Look
    light: Light
    tone: Float32[np.ndarray, "3"]
    """Linear RGB."""
    skin: Float32[np.ndarray, "S S"]
    """0 on strands of hair at the rim of what is seen."""
    bald: float


def see_skin(model: HeadModel, view: SkinView, size: int, *, delight: bool = True) -> SeenSkin:
    """One photo's skin; without `delight` its light stays in."""
    fitted, face = view.fitted, view.face
    atlas = face_atlas(model, size)
    surface = posed_surface(model, fitted)
    pixels = aligned_pixels(model, fitted, face)
    front = facing(atlas, surface, pixels)
    texel_px = photo_pixels_per_texel(front.pixels, atlas.texels[front.chosen], size)
    evidence = gather_evidence(face, texel_px, view.hidden, view.worn, view.beard)
    if view.bare is not None and view.ears is not None:
        evidence = _with_sides(evidence, view.bare, view.ears, face)
    seen = look_up(atlas, front, surface, evidence)
    other = Surface(surface.vertices[model.mirror], surface.normals[model.mirror], surface.eye, surface.scene)
    mirrored = look_up(atlas, facing(atlas, other, pixels[model.mirror]), other, evidence)
    lids = unfolding_lids(model, fitted)
    seen, mirrored = (
        replace(look, weight=look.weight * atlas.blend(own, look.chosen)[:, 0])
        for look, own in ((seen, lids), (mirrored, lids[model.mirror]))
    )

    light = _measure_light(seen) if delight else _WHITE
    tone = _measure_tone(seen, light)
    own, own_weight = _log_ratio(atlas, seen, light, tone)
    opposite, opposite_weight = _log_ratio(atlas, mirrored, light, tone)
    drawn, sockets = picture(atlas, seen.chosen, seen.drawn), picture(atlas, seen.chosen, seen.sockets)
    other_drawn, other_sockets = (picture(atlas, mirrored.chosen, part) for part in (mirrored.drawn, mirrored.sockets))
    skin, other_skin = np.ones_like(own_weight), np.ones_like(own_weight)
    if not evidence.bearded:
        skin = without_strands(Side(own, own_weight, drawn, sockets))
        other_skin = without_strands(Side(opposite, opposite_weight, other_drawn, other_sockets))
    own_weight, opposite_weight = own_weight * skin, opposite_weight * other_skin
    creased = np.maximum(creased_skin(model, fitted, atlas), smile_of(fitted) * smile_lines(model, atlas))
    own = lift_creases(own, own_weight, drawn, creased)
    own = sink_ridges(own, own_weight, drawn, creased)
    if not evidence.bearded:  # a beard is a dark valley too
        valleys = smile_of(fitted) * smile_valleys(model, atlas)
        for kind in (VALLEYS, GROUNDS):
            own = lift_creases(own, own_weight, drawn, valleys, kind)
    own = temper(own, own_weight, drawn, sockets, smile_folds(model, atlas), smile_of(fitted))
    if delight:
        left = fit_shading(own.reshape(-1, 3)[atlas.texels[seen.chosen]], seen)
        own -= picture(atlas, seen.chosen, shading_aslant(left, seen))
        opposite -= picture(atlas, mirrored.chosen, shading_aslant(left, mirrored))
    own, opposite = even_out(
        Side(own, own_weight, drawn, sockets),
        Side(opposite, opposite_weight, other_drawn, other_sockets),
        bearded=evidence.bearded,
    )
    cosine, other_cosine = (picture(atlas, look.chosen, look.cosine) for look in (seen, mirrored))
    own = calm_oblique(own, own_weight, drawn, cosine, bearded=evidence.bearded)
    opposite = calm_oblique(opposite, opposite_weight, other_drawn, other_cosine, bearded=evidence.bearded)
    return SeenSkin(
        Layer(own, own_weight, drawn, sockets, cosine),
        Layer(opposite, opposite_weight, other_drawn, other_sockets, other_cosine),
        seen, light, tone, skin, evidence.bald,
    )  # fmt: skip


def _with_sides(
    evidence: Evidence, bare: Float32[np.ndarray, "H W"], ears: Float32[np.ndarray, "H W"], face: FaceObservation
) -> Evidence:
    """Skin beside the face is believed as well, clear of its rim; of ears only the colour, for the mesh has its own."""
    share = face.plane_scale
    offset = share * (evidence.left_top_px + 0.5 / evidence.scale) - 0.5  # warpAffine counts centres at whole numbers
    plane_from_here = np.column_stack([share * np.eye(2) / evidence.scale, offset])
    height, width = evidence.trust.shape
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    skin, ear = (
        np.asarray(cv2.warpAffine(plane, plane_from_here, (width, height), flags=how), np.float32)
        for plane in (bare, ears)
    )
    unit = face.interocular_px * evidence.scale
    core = np.clip((blur(skin, _BARE_RIM * unit) - _BARE[0]) / (_BARE[1] - _BARE[0]), 0, 1)
    around = blur(np.dstack([evidence.colour * core[..., None], core]), _EAR_BLUR * unit)
    even = around[..., :3] / np.maximum(around[..., 3:], np.float32(1e-4))
    about = np.clip(3 * blur(ear, _EAR_RIM * unit), 0, 1)[..., None]
    return replace(
        evidence,
        trust=np.maximum(evidence.trust, core.astype(np.float32)),
        colour=evidence.colour * (1 - about) + even * about,
    )


def _measure_light(seen: Look) -> Light:
    chosen = np.flatnonzero((seen.plain > 0.9) & (seen.weight > 0.5))
    if len(chosen) < 200:
        chosen = np.flatnonzero(seen.weight > 0.3)
    if len(chosen) < 20:
        return _WHITE
    chosen = chosen[:: max(1, len(chosen) // LIGHT_SAMPLES)]
    light = fit_light(seen.colour[chosen], seen.normals[chosen], seen.weight[chosen])
    return doubt_light(light, seen.normals[chosen], seen.weight[chosen])


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
    weight = picture(atlas, look.chosen, look.weight)
    seen = np.maximum(weight, picture(atlas, look.chosen, np.maximum(look.drawn, look.sockets)))
    inner = np.clip(2 * smooth(seen[..., None], np.ones_like(seen), _FEATHER)[..., 0] - 0.8, 0, 1)
    return values.reshape(atlas.size, atlas.size, 3), weight * inner


def picture(
    atlas: Atlas, chosen: Int32[np.ndarray, "M"], values: Float32[np.ndarray, "M *C"]
) -> Float32[np.ndarray, "S S *C"]:
    """Values at their texels, zero elsewhere."""
    flat = np.zeros((atlas.size * atlas.size, *values.shape[1:]), np.float32)
    flat[atlas.texels[chosen]] = values
    return flat.reshape(atlas.size, atlas.size, *values.shape[1:])
