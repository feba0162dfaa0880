"""What the photo shows between the lips: this person's teeth, and how dark the mouth is behind them.

photo, opening of the mouth --> colour per texel of each jaw (and of its mirror image) --> divided by the light
      --> the usual picture of teeth in these teeth's colour, each crown as light as it is seen
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from avatar3d.core.avatar import Texture
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation, Light
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.head.pictures import part_picture
from avatar3d.render.lights import LUMINANCE
from avatar3d.render.raycast import Scene
from avatar3d.render.stage import LINEAR_FROM_SRGB, srgb_from_linear
from avatar3d.texture.atlas import PartTexels, part_texels
from avatar3d.texture.closeup import Closeup, look_closely
from avatar3d.texture.project import vertex_normals
from avatar3d.texture.regions import LIPS, MOUTH_OPENING, fill_polygon, mouth_is_open
from avatar3d.texture.warp import aligned_pixels, sample

_JAWS: Final = ("teethUpper", "teethLower")
_BEHIND: Final = ("mouth", "tongue")
# Texels across the fourteen crowns of a jaw and along their height: a quarter of a millimetre.
_WIDTH: Final = 1024
_HEIGHT: Final = 256
_CROWN: Final = 0.60
"""Texture rows (share of the height) above which crowns lie, below it the gum."""
_FACING: Final = (0.0, 0.12)
"""Cosines between normal and view: below the first nothing is believed, above the second everything."""
_OFFSET_M: Final = 2e-4
_LEAST_OPEN: Final = 0.01
"""A pixel that is less likely than this inside the opening is not."""
_MIRROR_TRUST: Final = 0.7
_DARKEST: Final = 0.3
"""Colour is never divided by less light than this."""
_LEAST_TONE: Final = 0.3
"""Teeth are at least this bright, as a share of the skin; a mouth that shows darker things shows no teeth."""
_LESS_RED: Final = 0.08
"""A tenth of what is seen is less red than skin by at least this in log(R/G) when teeth show."""
_WHITE_SPREAD: Final = 0.3
"""What is redder than that tenth by no more than this belongs to the teeth."""
_LIPS: Final = (0.30, 0.60)
"""On the way in log(R/G) from these teeth to these lips: from the first on it is less tooth, from the second none."""
_FRONT: Final = (4 / 14, 10 / 14)
"""The six front crowns: what the photo shows dark on them is the gap below a shorter tooth, not a tooth in the shade."""
_LOG_RANGE: Final = (-1.6, 0.45)
"""Of a texel's luminance around the teeth's tone: what is darker is the mouth's shade, and deep enough then."""
_GAP: Final = (-0.75, -1.15)
"""From this log luminance down it is a gap between teeth: nothing to mirror."""
_GUM_RANGE: Final = (0.35, 1.1)
_BEHIND_RANGE: Final = (0.4, 1.3)
"""A narrow gap is black in a photo for want of light; flesh that dark would be a hole once the jaw opens."""
_TEETH: Final = 14
_NEIGHBOURS: Final = 0.5
"""A crown is as light as one so many places further on to 1/e."""
_AS_USUAL: Final = 0.002
"""Share of all that is seen which each crown has of the usual light."""
_SLOW: Final = (3.0, 6.0)
"""Standard deviation of what is slow on a crown, across and along it: .8 and .4 mm, texels."""
_SLOW_RANGE: Final = (-0.8, 0.4)
"""Of its log light: the lip's shade, not its edge."""
_LEAST_PIXELS: Final = 12
_MOST_RAYS: Final = 3000


def recover_mouth(
    model: HeadModel,
    fitted: HeadFit,
    face: FaceObservation,
    *,
    light: Light,
    tone: Float32[np.ndarray, "3"],
) -> dict[str, Texture]:
    """Albedo of teeth, mouth and tongue by part, as far as the photo shows them; empty for closed lips.

    `tone` is the skin's albedo (linear).
    """
    if not mouth_is_open(face) or any(part_picture("teeth") is None or name not in model.part_names for name in _JAWS):
        return {}
    opening = _opening(face)
    parts = [model.part(name) for name in _JAWS]
    triangles = model.triangles[np.concatenate(parts)]
    seen = _Seen(
        opening,
        fitted,
        aligned_pixels(model, fitted, face),
        vertex_normals(fitted.posed, triangles),
        Scene(fitted.posed, triangles),
        light,
    )
    looks = {name: seen.look(part_texels(model, name, _WIDTH, _HEIGHT), model.mirror) for name in _JAWS}
    found = dict[str, Texture]()
    ivory = _tone(list(looks.values()), tone)
    if ivory is not None:
        ring = opening.lips
        lips = (
            float(np.median(_redness(ring, ivory)))
            if len(ring) >= _LEAST_PIXELS
            else float(_redness(tone[None], ivory)[0])
        )
        found = {
            name: Texture(name, _paint(part_texels(model, name, _WIDTH, _HEIGHT), look, ivory, lips))
            for name, look in looks.items()
        }
    return found | _behind(model, fitted, opening, light) if found else {}


@dataclass(frozen=True, eq=False)
class _Opening:
    """The photo around the mouth."""

    closeup: Closeup
    inside: Float32[np.ndarray, "H W"]
    """1 between the lips."""
    lips: Float32[np.ndarray, "N 3"]
    """Colours of their red."""


def _opening(face: FaceObservation) -> _Opening:
    closeup = look_closely(face, MOUTH_OPENING, margin=0.15)
    points, outline = (closeup.place(face.landmarks_px[list(ring)]) for ring in (MOUTH_OPENING, LIPS))
    soft = max(0.008 * closeup.unit, 0.5)
    inside = fill_polygon(closeup.shape, points, soften=soft)
    red = (fill_polygon(closeup.shape, outline, grow=-2 * soft) > 0.5) & (inside < 0.02)
    return _Opening(closeup, np.clip(2 * inside - 0.6, 0, 1), closeup.colour[red])


@dataclass(frozen=True, eq=False)
class _Look:
    """Albedo of a jaw's texels, linear RGB, and how far it is believed: their own and their mirror image's."""

    own: Float32[np.ndarray, "N 3"]
    own_weight: Float32[np.ndarray, "N"]
    mirrored: Float32[np.ndarray, "N 3"]
    mirrored_weight: Float32[np.ndarray, "N"]


@dataclass(frozen=True, eq=False)
class _Seen:
    opening: _Opening
    fitted: HeadFit
    pixels: Float32[np.ndarray, "V 2"]
    normals: Float32[np.ndarray, "V 3"]
    scene: Scene
    light: Light

    def look(self, jaw: PartTexels, mirror: Int32[np.ndarray, "V"]) -> _Look:
        own = self._sample(jaw, np.arange(len(mirror)))
        return _Look(*own, *self._sample(jaw, mirror))

    def _sample(
        self, jaw: PartTexels, order: np.ndarray
    ) -> tuple[Float32[np.ndarray, "N 3"], Float32[np.ndarray, "N"]]:
        place = self.opening.closeup.place(jaw.blend(self.pixels[order]))
        height, width = self.opening.inside.shape
        within = np.flatnonzero(((place > 0) & (place < [width, height])).all(axis=1))
        opened = sample(self.opening.inside[..., None], place[within])[:, 0]
        shown = opened > _LEAST_OPEN
        able, opened = within[shown].astype(np.int32), opened[shown]  # most texels fall out here
        points, normals = jaw.blend(self.fitted.posed[order], able), jaw.blend(self.normals[order], able)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        toward = self.fitted.camera.position_m - points
        cosine = (toward * normals).sum(axis=1) / np.maximum(np.linalg.norm(toward, axis=1), 1e-9)
        t = np.clip((cosine - _FACING[0]) / (_FACING[1] - _FACING[0]), 0, 1)
        free = ~self.scene.blocked(points + np.float32(_OFFSET_M) * normals, toward)
        colour = np.maximum(sample(self.opening.closeup.colour, place[able], sharp=True), 0)
        colours, weights = np.zeros((len(place), 3), np.float32), np.zeros(len(place), np.float32)
        colours[able] = colour / np.maximum(self.light.shade(normals), np.float32(_DARKEST))
        weights[able] = t * opened * free
        return colours, weights


def _tone(looks: list[_Look], skin: Float32[np.ndarray, "3"]) -> Float32[np.ndarray, "3"] | None:
    """Albedo of the brighter half of the teeth that are seen, linear RGB; None when nothing there can be teeth."""
    colours = np.concatenate([look.own[look.own_weight > 0.6] for look in looks])
    if len(colours) < _LEAST_PIXELS:
        return None
    pale = -_redness(colours, skin)
    palest = float(np.quantile(pale, 0.9))
    teeth = colours[pale >= palest - _WHITE_SPREAD]
    bright = teeth @ LUMINANCE
    tone = np.median(teeth[bright >= np.median(bright)], axis=0).astype(np.float32)
    bright_enough = float(tone @ LUMINANCE) > _LEAST_TONE * float(skin @ LUMINANCE)
    return tone if bright_enough and palest > _LESS_RED else None


def _redness(colours: Float32[np.ndarray, "N 3"], skin: Float32[np.ndarray, "3"]) -> Float32[np.ndarray, "N"]:
    """log(R/G) beyond that of skin."""
    floored = np.maximum(colours, np.float32(1e-3))
    return np.log(floored[:, 0] / floored[:, 1]) - np.float32(np.log(max(skin[0], 1e-3) / max(skin[1], 1e-3)))


def _tooth_share(
    colour: Float32[np.ndarray, "N 3"], front: Bool[np.ndarray, "N"], ivory: Float32[np.ndarray, "3"], lips: float
) -> Float32[np.ndarray, "N"]:
    """How surely these are teeth, or the shade of a mouth's corner; `lips` is log(R/G) of lips beyond that of teeth."""
    bright = np.log(np.maximum(colour @ LUMINANCE, 1e-4) / float(ivory @ LUMINANCE))
    lit = np.clip((bright - _GAP[1]) / (_GAP[0] - _GAP[1]), 0, 1)
    red = _redness(colour, ivory) / max(lips, 0.05)
    red = np.clip((red - _LIPS[0]) / (_LIPS[1] - _LIPS[0]), 0, 1)
    return (np.where(front, lit, 1) * (1 - lit * red)).astype(np.float32)


def _paint(jaw: PartTexels, look: _Look, ivory: Float32[np.ndarray, "3"], lips: float) -> UInt8[np.ndarray, "H W 3"]:
    """The jaw's texture, sRGB: the usual picture in this person's ivory, every crown as light as the photo shows it.

    Nobody's teeth stand where the model's do: edges, gaps and lips of the photo would lie across its crowns as stains.
    """
    usual = part_picture("teeth")
    assert usual is not None
    usual = cv2.resize(LINEAR_FROM_SRGB[usual[..., :3]], (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    crown = np.arange(_HEIGHT)[:, None] < _CROWN * _HEIGHT
    crowns = usual[: round(0.4 * _HEIGHT)].reshape(-1, 3)
    bright = crowns @ LUMINANCE
    gain = ivory / np.median(crowns[bright >= np.median(bright)], axis=0)
    gum = np.clip(float(gain @ LUMINANCE), *_GUM_RANGE)
    usual = np.maximum(np.where(crown[..., None], usual * gain, usual * np.float32(gum)), 0.003).astype(np.float32)
    on_crown = crown.repeat(_WIDTH, axis=1)
    across = (jaw.texels % _WIDTH + 0.5) / _WIDTH
    front = on_crown.ravel()[jaw.texels] & (across > _FRONT[0]) & (across < _FRONT[1])
    own, mirrored = (
        np.log(np.maximum(colour @ LUMINANCE, 1e-4) / float(ivory @ LUMINANCE)) for colour in (look.own, look.mirrored)
    )
    own_weight = look.own_weight * _tooth_share(look.own, front, ivory, lips)
    whole = np.clip((mirrored - _GAP[1]) / (_GAP[0] - _GAP[1]), 0, 1)
    borrowed = look.mirrored_weight * _tooth_share(look.mirrored, front, ivory, lips) * whole
    borrowed *= (1 - own_weight) * np.float32(_MIRROR_TRUST)
    weight = own_weight + borrowed
    own, mirrored = (np.clip(light, *_LOG_RANGE) for light in (own, mirrored))
    seen = np.zeros((2, _HEIGHT * _WIDTH), np.float32)
    seen[:, jaw.texels] = (own * own_weight + mirrored * borrowed) / np.maximum(weight, 1e-6), weight
    light, share = seen.reshape(2, _HEIGHT, _WIDTH)
    drawn = np.log(usual @ LUMINANCE / float(ivory @ LUMINANCE))
    shade = _shade(light - drawn, share * on_crown)
    return srgb_from_linear(usual * np.exp(on_crown * shade)[..., None].astype(np.float32))


def _shade(light: Float32[np.ndarray, "H W"], share: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """Log light of each crown as a whole, like its neighbours' where it is not seen, and what is slow across it."""
    cells = np.arange(_WIDTH) * _TEETH // _WIDTH
    known, total = (
        np.array([part[:, cells == tooth].sum() for tooth in range(_TEETH)]) for part in (share, light * share)
    )
    near = np.exp(-np.abs(np.subtract.outer(np.arange(_TEETH), np.arange(_TEETH))) / _NEIGHBOURS)
    crowns = (near @ total / (near @ known + _AS_USUAL * known.sum() + 1e-6))[cells].astype(np.float32)
    packed = cv2.GaussianBlur(np.dstack([(light - crowns) * share, share]), (0, 0), sigmaX=_SLOW[0], sigmaY=_SLOW[1])
    slow = packed[..., 0] / np.maximum(packed[..., 1], 1e-3) * np.clip(3 * packed[..., 1], 0, 1)
    return (crowns + np.clip(slow, *_SLOW_RANGE)).astype(np.float32)


def _behind(model: HeadModel, fitted: HeadFit, opening: _Opening, light: Light) -> dict[str, Texture]:
    """Mouth and tongue as dark as the photo shows what is seen beside and between the teeth."""
    rows, columns = np.nonzero(opening.inside > 0.9)
    step = max(1, len(rows) // _MOST_RAYS)
    rows, columns = rows[::step], columns[::step]
    if len(rows) == 0:
        return {}
    camera = fitted.camera
    photo = np.stack([columns + 0.5, rows + 0.5], axis=1) / opening.closeup.scale + opening.closeup.left_top_px
    rays = np.concatenate([(photo - camera.principal_px) / camera.focal_px, np.ones((len(photo), 1))], axis=1)
    rays = (rays @ matrix_from_quaternion(camera.rotation_wxyz)).astype(np.float32)
    names = [name for name in ("face", *_JAWS, *_BEHIND) if name in model.part_names]
    chosen = np.concatenate([model.part(name) for name in names])
    origin = camera.position_m
    hits = Scene(fitted.posed, model.triangles[chosen]).cast(np.tile(origin, (len(rays), 1)), rays)
    part = np.where(hits.triangle >= 0, model.triangle_parts[chosen[np.maximum(hits.triangle, 0)]], -1)
    brightness = opening.closeup.colour[rows, columns] @ LUMINANCE
    ambient = max(float(light.coefficients[0] @ LUMINANCE), 1e-3)
    found = dict[str, Texture]()
    for name in _BEHIND:
        usual = part_picture(name)
        there = part == model.part_names.index(name)
        if usual is None or there.sum() < _LEAST_PIXELS:
            continue
        own = LINEAR_FROM_SRGB[usual[..., :3]]
        uv = np.einsum(
            "ni,nic->nc", hits.barycentric[there], model.uvs[model.triangle_uvs[chosen[hits.triangle[there]]]]
        )
        column, row = np.clip(uv * usual.shape[1::-1], 0, np.array(usual.shape[1::-1]) - 1).astype(int).T
        gain = float(np.median(brightness[there])) / max(float(np.median(own[row, column] @ LUMINANCE)) * ambient, 1e-4)
        found[name] = Texture(name, srgb_from_linear(own * np.float32(np.clip(gain, *_BEHIND_RANGE))))
    return found
