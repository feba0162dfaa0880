"""Which pixels of the photo show skin that may be painted onto the head?

crop and scale --> polygons of the landmarks --> colour of sure skin --> what is hair, cloth, teeth, eye, background
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.photo import FaceObservation
from avatar3d.render.lights import LUMINANCE
from avatar3d.render.stage import LINEAR_FROM_SRGB
from avatar3d.texture.regions import (
    CHIN,
    LEFT_BROW,
    LEFT_EYE,
    LIPS,
    MOUTH_OPENING,
    NOSTRILS,
    OVAL,
    RIGHT_BROW,
    RIGHT_EYE,
    SURE_SKIN,
    blur,
    fill_polygon,
    mouth_is_open,
)
from avatar3d.texture.scalp import baldness

# Least standard deviations of log(R/G), log(B/G) and log luminance over one person's skin.
_CHROMA_SPREAD: Final = (0.08, 0.10)
_LUMINANCE_SPREAD: Final = 0.22
# Outside the face's oval trust falls from here to here, inter-ocular distances: a forehead goes on above it, but beside
# and below it come ears, neck and clothes, where the fitted head lies too roughly on the photo.
_REACH_ABOVE: Final = (0.05, 0.35)
_REACH_BELOW: Final = (-0.01, 0.10)
_REACH_BALD: Final = (0.1, 0.9)
"""The same above the oval of a bald head: its top is lit from before and seen edge-on, so trust falls slowly."""
_TEMPLES: Final = (21, 54, 251, 284)
"""Landmarks: above them a bald head is nothing but skin, up to so near its outline (inter-ocular distances), where it is
seen edge-on and the background's glow lies on it."""
_OUTLINE: Final = 0.14
_BEARDLESS: Final = 0.6
"""A chin with less skin-coloured area than this wears a beard."""
_A_BEARD: Final = (-0.6, -0.3)
"""Minus the probability of a beard that is believed wholly, and not at all."""
_BEARD_CHROMA: Final = (5.0, 8.0)
"""A beard's colour is nearer to skin than a wall's or a collar's, in standard deviations of skin."""
_JUDGED_PX: Final = 180.0
"""Between the eyes, so many pixels tell what is skin; colour is taken from all there are."""
_MARGIN: Final = 1.1
"""What is kept of the photo around the face's oval, inter-ocular distances."""
_LASH_LINE: Final = 0.015
"""The landmarks of an eye's opening run along the roots of the lashes, whose dark line is this wide and belongs to the
lids, inter-ocular distances."""
_RIM: Final = 0.05
"""Width of the face's rim, where hair, collar and background may be mistaken for it, inter-ocular distances."""
_HIDDEN_GROWN: Final = 0.035
"""What lies over the face throws a shadow and bleeds into the pixels beside it, inter-ocular distances."""
_SHADOW: Final = 0.09
"""So far beside hair skin lies in its shadow where it is darker than the face (standard deviations from one to the other);
that shadow stays behind as a stain when the avatar is lit anew. Inter-ocular distances."""
_SHADED: Final = (-2.2, -1.2)
_WHITE: Final = (0.40, 0.65)
"""Share of the way from skin's hue to grey at which what is bright beside an eye's opening begins to be, and is, the white of a
wide eye: the landmarks' opening is never quite the photo's."""
_BRIGHT: Final = (-0.5, 0.5)
"""And its lightness over skin's, standard deviations."""
_STRANDS: Final = (0.035, 0.075)
"""Spread of log luminance within 0.02 inter-ocular distances: bare skin below the first, hair above the second."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """The part of the photo around the head, scaled to about one pixel per texel."""

    colour: Float32[np.ndarray, "H W 3"]
    """Linear RGB."""
    trust: Float32[np.ndarray, "H W"]
    """1 where the pixel may be painted."""
    sockets: Float32[np.ndarray, "H W"]
    """1 around eyes and brows, where lashes, folds and hair darken the skin."""
    drawn: Float32[np.ndarray, "H W"]
    """1 on brows, lid margins, lips and nostrils, which are meant to differ from the skin around."""
    plain: Float32[np.ndarray, "H W"]
    """1 where it certainly is bare skin: what light and tone are measured on."""
    bearded: bool
    bald: float
    """1 when skin goes on over the forehead up to the head's outline, 0 when hair does."""
    left_top_px: Float32[np.ndarray, "2"]
    scale: float
    """Pixels here = (photo pixels - left_top_px) * scale."""

    def place(self, pixels: Float32[np.ndarray, "N 2"]) -> Float32[np.ndarray, "N 2"]:
        """Photo pixels in this picture."""
        return (pixels - self.left_top_px) * np.float32(self.scale)


def gather_evidence(
    face: FaceObservation,
    texel_px: float,
    hidden: Float32[np.ndarray, "H W"] | None = None,
    worn: Float32[np.ndarray, "H W"] | None = None,
    beard: Float32[np.ndarray, "H W"] | None = None,
) -> Evidence:
    """Judge the photo around the face; `texel_px` photo pixels lie between neighbouring texels.

    `hidden` (of `plane_size`, 1 = hair or another thing before the face) takes its pixels out of the evidence. Brows, a
    beard, and what is as plain and of the same colour as sure skin stay: a mask of hair may be wrong about a forehead.
    `worn` (likewise, 1 = glasses) takes brows out too: a rim before them is not their hair.
    `beard` (likewise) is painted out to the rim of the face, where otherwise only what looks like skin is.
    """
    unit = face.interocular_px
    left, top, right, bottom = _window(face, unit)
    crop = face.photo.pixels[top:bottom, left:right]
    person = face.person[top:bottom, left:right].astype(np.float32)
    share = face.plane_scale
    rows, columns = (slice(round(share * first), round(share * last)) for first, last in ((top, bottom), (left, right)))
    masks = [
        np.zeros_like(person) if plane is None else np.ascontiguousarray(plane[rows, columns], np.float32)
        for plane in (hidden, worn, beard)
    ]
    scale = 1.0 if texel_px <= 1.3 else 1 / texel_px
    if scale < 1:
        size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
        scale = size[0] / crop.shape[1]
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
        person = np.asarray(cv2.resize(person, size, interpolation=cv2.INTER_AREA), np.float32)
        masks = [np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32) for plane in masks]
    left_top = np.array([left, top], np.float32)
    colour = LINEAR_FROM_SRGB[np.asarray(crop, np.uint8)]
    points = ((face.landmarks_px - left_top) * np.float32(scale)).astype(np.float32)
    finer = max(1.0, unit * scale / _JUDGED_PX)
    shape = round(colour.shape[1] / finer), round(colour.shape[0] / finer)
    seen, *planes = (cv2.resize(plane, shape, interpolation=cv2.INTER_AREA) for plane in (colour, person, *masks))
    *judged, bearded, bald = _judge(
        seen, tuple(planes), points / np.float32(finer), unit * scale / finer,
        open_mouth=mouth_is_open(face), hair_known=hidden is not None,
    )  # fmt: skip
    trust, sockets, drawn, plain = (cv2.resize(plane, colour.shape[1::-1]) for plane in judged)
    return Evidence(colour, trust, sockets, drawn, plain, bearded, bald, left_top, scale)


def photo_pixels_per_texel(pixels: Float32[np.ndarray, "N 2"], texels: Int32[np.ndarray, "N"], size: int) -> float:
    """Median distance in the photo between texels that are neighbours in a row."""
    beside = np.flatnonzero((np.diff(texels) == 1) & (texels[1:] % size != 0))[::7]
    if len(beside) == 0:
        return 1.0
    return float(np.median(np.linalg.norm(pixels[beside + 1] - pixels[beside], axis=1)))


def _window(face: FaceObservation, unit: float) -> tuple[int, int, int, int]:
    oval = face.landmarks_px[list(OVAL)]
    height, width = face.photo.pixels.shape[:2]
    low, high = oval.min(axis=0) - _MARGIN * unit, oval.max(axis=0) + _MARGIN * unit
    left, top = np.maximum(np.floor(low), 0).astype(int)
    right, bottom = np.minimum(np.ceil(high), [width, height]).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _judge(
    colour: Float32[np.ndarray, "H W 3"],
    masks: tuple[Float32[np.ndarray, "H W"], ...],
    points: Float32[np.ndarray, "478 2"],
    unit: float,
    *,
    open_mouth: bool,
    hair_known: bool,
) -> tuple[
    Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W"],
    bool, float,
]:  # fmt: skip
    """Trust, sockets, drawn features and plainness of each pixel, whether there is a beard, and how bald the head is.

    `masks` are where a person is, what hides the face, what is worn and where a beard grows; `unit` is the inter-ocular distance here.
    """
    person, over, worn, hairy = masks
    shape = (colour.shape[0], colour.shape[1])

    def polygon(indices: tuple[int, ...], grow: float = 0.0, soften: float = 0.0) -> Float32[np.ndarray, "H W"]:
        return fill_polygon(shape, points[list(indices)], grow=grow * unit, soften=soften * unit)

    softened = np.asarray(cv2.GaussianBlur(colour, (0, 0), max(0.012 * unit, 0.5)), np.float32)
    chroma, luminance = _features(softened)
    sure = np.zeros(shape, np.float32)
    for point in points[list(SURE_SKIN)]:
        cv2.circle(sure, (int(point[0]), int(point[1])), max(1, round(0.07 * unit)), (1.0,), -1)
    inside_oval = polygon(OVAL)
    sure *= inside_oval * person
    middle, spread, bright, bright_spread = _skin_colour(chroma, luminance, sure > 0.5)
    off_chroma = np.sqrt((((chroma - middle) / spread) ** 2).sum(axis=-1))
    off_luminance = (luminance - bright) / bright_spread

    features = np.maximum.reduce(
        [
            polygon(RIGHT_BROW, 0.02),
            polygon(LEFT_BROW, 0.02),
            polygon(RIGHT_EYE, 0.09),
            polygon(LEFT_EYE, 0.09),
            polygon(LIPS, 0.02),
            polygon(NOSTRILS),
        ]
    )
    features = blur(features, 0.02 * unit) * inside_oval
    skin_like = _falloff(off_chroma, 2.6, 4.2) * _falloff(-off_luminance, 2.6, 4.0) * _falloff(off_luminance, 3.0, 5.0)
    radius = max(1, round(0.02 * unit))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    speck = np.ones((2 * round(0.008 * unit) + 1,) * 2, np.uint8)  # moles and pores are skin
    skin_like = np.asarray(cv2.morphologyEx(skin_like, cv2.MORPH_CLOSE, speck), np.float32)
    skin_like = np.asarray(cv2.morphologyEx(skin_like, cv2.MORPH_OPEN, kernel), np.float32)
    low = _below(shape, points, (*RIGHT_EYE, *LEFT_EYE))
    strandless = _strandless(colour, off_chroma.astype(np.float32), unit)
    bare = strandless * _falloff(np.abs(off_luminance), 1.5, 2.5)
    chin = polygon(CHIN) > 0.5
    bearded = bool(chin.any()) and float(skin_like[chin].mean()) < _BEARDLESS
    beard = _falloff(-blur(hairy, 0.02 * unit), *_A_BEARD) * _falloff(np.abs(off_chroma), *_BEARD_CHROMA)
    skin_like = np.maximum(skin_like, beard)
    middle_shape = fill_polygon(shape, points[list(OVAL)], grow=-_RIM * unit, soften=0.04 * unit)
    # Inside the face's rim, where no hair is known of, only what no skin, beard or thin fringe looks like is refused:
    # a shaded cheek is skin, and a fringe that nobody found is better seen than missing.
    outside = cv2.distanceTransform((inside_oval < 0.5).astype(np.uint8), cv2.DIST_L2, 3).astype(np.float32) / unit
    bald = baldness(over, person, outside, points, unit) if hair_known else 0.0
    crown = (bald * (1 - _below(shape, points, _TEMPLES))).astype(np.float32)
    inner = _shrunk(person, _OUTLINE * unit, 0.3 * _OUTLINE * unit)
    core = np.maximum(middle_shape, crown * inner)
    core *= np.maximum(low, 1 - _grown(np.maximum(over, worn), _HIDDEN_GROWN * unit))
    skin_like = _connected(np.maximum(skin_like, features), np.maximum(core, sure)) * skin_like
    skin_like = np.asarray(cv2.erode(skin_like, kernel, iterations=2), np.float32)
    skin_like = blur(skin_like, 0.02 * unit)
    kept = np.maximum(core * np.maximum(_falloff(off_chroma, 7.0, 10.0), skin_like), features)
    trust = skin_like * (1 - kept) + kept

    above = _falloff(outside, *_REACH_ABOVE)
    above += bald * (_falloff(outside, *_REACH_BALD) - above)
    trust *= low * _falloff(outside, *_REACH_BELOW) + (1 - low) * above
    kept_over = np.maximum.reduce(
        [core * bearded, bare, polygon(LIPS, 0.02), polygon(NOSTRILS), polygon(RIGHT_BROW, 0.0, 0.01), polygon(LEFT_BROW, 0.0, 0.01)]
    )  # fmt: skip
    beside = _grown(over * (1 - strandless) * (1 - np.maximum(features, core * bearded)), _SHADOW * unit)
    over = _grown(over * (1 - bare), _HIDDEN_GROWN * unit) * (1 - kept_over)
    shadow = beside * (1 - _falloff(-off_luminance, -_SHADED[1], -_SHADED[0]))
    over = np.maximum(over, shadow * (1 - np.maximum(features, core * bearded)))
    over = np.maximum(over, _grown(worn * (1 - bare), _HIDDEN_GROWN * unit) * (1 - bare))
    trust *= 1 - over
    trust *= _shrunk(person, 0.03 * unit, 0.02 * unit) * (1 - crown * (1 - inner))
    trust *= _inside_picture(shape, unit)
    openings = np.maximum(polygon(RIGHT_EYE, -_LASH_LINE, 0.006), polygon(LEFT_EYE, -_LASH_LINE, 0.006))
    if open_mouth:
        openings = np.maximum(openings, polygon(MOUTH_OPENING, 0.015, 0.01))
    trust *= 1 - np.clip(1.3 * openings, 0, 1)
    beside_eyes = np.maximum(polygon(RIGHT_EYE, 0.09, 0.01), polygon(LEFT_EYE, 0.09, 0.01))
    grey = ((middle - chroma) @ middle) / max(float(middle @ middle), 0.01)
    white = (1 - _falloff(grey, *_WHITE)) * (1 - _falloff(off_luminance, *_BRIGHT)) * beside_eyes
    trust *= 1 - _grown(white.astype(np.float32), 0.015 * unit)

    plain = (off_chroma < 2.2) & (off_luminance > -4.0) & (off_luminance < 3.0) & (features < 0.05)
    plain &= (fill_polygon(shape, points[list(OVAL)], grow=-0.08 * unit) > 0.5) & (person > 0.5) & (over < 0.3)
    eyes = np.maximum(polygon(RIGHT_EYE, 0.10, 0.02), polygon(LEFT_EYE, 0.10, 0.02))
    brows = np.maximum(polygon(RIGHT_BROW, 0.04, 0.02), polygon(LEFT_BROW, 0.04, 0.02))
    near_eyes = np.maximum(polygon(RIGHT_EYE, 0.03, 0.01), polygon(LEFT_EYE, 0.03, 0.01))
    mouth = np.maximum(polygon(LIPS, 0.02, 0.01), polygon(NOSTRILS, 0.0, 0.01))
    drawn = np.maximum(np.maximum(near_eyes, brows), mouth)
    return trust, np.maximum(eyes, brows), drawn, plain.astype(np.float32), bearded, bald


def _strandless(
    colour: Float32[np.ndarray, "H W 3"], off_chroma: Float32[np.ndarray, "H W"], unit: float
) -> Float32[np.ndarray, "H W"]:
    """1 where it has skin's hue and no strand of hair, in light or shadow, whatever a mask says."""
    luminance = np.log(colour @ LUMINANCE + np.float32(0.004))
    width = max(0.02 * unit, 0.8)
    mean = blur(luminance, width)
    spread = np.sqrt(np.maximum(blur(luminance * luminance, width) - mean * mean, 0))
    return _falloff(off_chroma, 1.5, 2.5) * _falloff(spread, *_STRANDS)


def _shrunk(mask: Float32[np.ndarray, "H W"], radius: float, soft: float) -> Float32[np.ndarray, "H W"]:
    """The mask, narrower by so many pixels and soft at its rim."""
    edge = max(1, round(radius))
    border = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * edge + 1, 2 * edge + 1))
    return blur(np.asarray(cv2.erode(mask, border), np.float32), soft)


def _grown(mask: Float32[np.ndarray, "H W"], radius: float) -> Float32[np.ndarray, "H W"]:
    """The mask, wider by so many pixels and soft at its rim."""
    reach = max(1, round(radius))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return blur(np.asarray(cv2.dilate(mask, kernel), np.float32), 0.5 * radius)


def _features(
    colour: Float32[np.ndarray, "H W 3"],
) -> tuple[Float32[np.ndarray, "H W 2"], Float32[np.ndarray, "H W"]]:
    """log(R/G), log(B/G) and log luminance; a floor keeps noise in the dark from becoming colour."""
    raised = colour + np.float32(0.004)
    green = np.log(raised[..., 1])
    chroma = np.stack([np.log(raised[..., 0]) - green, np.log(raised[..., 2]) - green], axis=-1)
    return chroma, np.log(raised @ LUMINANCE)


def _skin_colour(
    chroma: Float32[np.ndarray, "H W 2"], luminance: Float32[np.ndarray, "H W"], sure: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Median and robust spread of chroma and log luminance over sure skin."""
    colours, brightness = chroma[sure], luminance[sure]
    if len(brightness) < 20:  # no skin to learn from: accept whatever people look like
        return np.array([0.45, -0.35]), np.array([0.3, 0.3]), float(np.median(luminance)), 1.0
    middle = np.median(colours, axis=0)
    spread = np.maximum(1.4826 * np.median(np.abs(colours - middle), axis=0), _CHROMA_SPREAD)
    bright = float(np.median(brightness))
    bright_spread = max(1.4826 * float(np.median(np.abs(brightness - bright))), _LUMINANCE_SPREAD)
    return middle, np.minimum(spread, 0.2), bright, min(bright_spread, 0.45)


def _below(
    shape: tuple[int, int], points: Float32[np.ndarray, "478 2"], indices: tuple[int, ...]
) -> Float32[np.ndarray, "H W"]:
    """1 below the mean of some landmarks (in the face's own up direction), 0 above, a soft step between."""
    up = points[10] - points[152]
    height = max(float(np.linalg.norm(up)), 1e-6)
    up = up / height
    level = float((points[list(indices)] @ up).mean())
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return np.clip(0.5 - (x * up[0] + y * up[1] - level) / (0.06 * height), 0, 1).astype(np.float32)


def _connected(mask: Float32[np.ndarray, "H W"], seed: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """1 in the parts of the mask that touch the seed."""
    _, labels = cv2.connectedComponents((mask > 0.5).astype(np.uint8))
    touched = np.unique(labels[(seed > 0.5) & (mask > 0.5)])
    return np.isin(labels, touched[touched > 0]).astype(np.float32)


def _falloff(value: np.ndarray, start: float, end: float) -> Float32[np.ndarray, "H W"]:
    """1 below start, 0 above end, smooth between."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return (1 - t * t * (3 - 2 * t)).astype(np.float32)


def _inside_picture(shape: tuple[int, int], unit: float) -> Float32[np.ndarray, "H W"]:
    """Falls to 0 at the border of the picture."""
    reach = max(2.0, 0.05 * unit)
    rows = np.minimum(np.arange(shape[0]), np.arange(shape[0])[::-1])[:, None]
    columns = np.minimum(np.arange(shape[1]), np.arange(shape[1])[::-1])[None, :]
    return np.clip(np.minimum(rows, columns) / reach, 0, 1).astype(np.float32)
