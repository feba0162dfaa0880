"""One texture for both eyeballs: a drawn iris in the colour the photo shows, on a sclera with veins and lid shadow.

    photo --> iris pixels (no lids, lashes, glints), the white beside them --> colours
          --> fibres, limbal ring, pupil drawn at texture resolution

An iris of a few pixels cannot be unwrapped; a drawn one in its colour looks right at every size.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from avatar3d.core.avatar import Texture
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation, Light
from avatar3d.render.lights import LUMINANCE, ambient_light
from avatar3d.render.stage import LINEAR_FROM_SRGB, srgb_from_linear
from avatar3d.texture.eye_shade import shade_of_the_lids
from avatar3d.texture.regions import SURE_SKIN, blur
from avatar3d.texture.white import SeenEye, see_eyes, white_gain

_SIZE: Final = 512
_IRIS_M: Final = 0.0059
"""Radius of a human iris; it hardly varies."""
_PUPIL: Final = 0.29
"""Pupil over iris radius in daylight."""
_LIMBUS: Final = 0.08
"""Half the width of the soft edge between iris and white, in iris radii."""
_SCLERA: Final = np.array([0.66, 0.58, 0.53], np.float32)
"""Linear albedo of the white of the eye, by eye from portraits: never pure white."""
_BROWN: Final = np.array([0.075, 0.042, 0.024], np.float32)
"""Linear; the most common iris, when the photo tells nothing."""
# log(R/G), log(B/G) of dark brown and of blue irises, by eye from portraits.
_BROWN_CHROMA: Final = np.array([0.65, -0.62])
_BLUE_CHROMA: Final = np.array([-0.32, 0.35])
_STRAY_KEPT: Final = 0.5
_DARK_IRIS: Final = (0.04, 0.10)
"""Linear luminance of an iris that is wholly dark, and of one that is not."""
_CLEARLY_BLUE: Final = (0.6, 0.8)
"""Share of the way from brown to blue from which a dark iris may be blue after all, and surely is."""
_MIRRORED: Final = 0.85
"""How much of a dark iris's greyness is reflection; these three by eye on eight portraits."""
_IRIS_RANGE: Final = (0.026, 0.22)
"""Linear luminance that irises have."""
_WHITE_RANGE: Final = (0.40, 0.60)
_SEED: Final = 20240911
_RING: Final = (0.5, 0.88)
"""Radii between which the photo's iris tells its colour, over the limbus: neither pupil nor the white's blur."""
_LASHES: Final = 0.15
"""Nearer to the lids than this, in iris radii, lashes and their shade redden an iris ..."""
_UPPER_SHADE: Final = 0.45
"""... and below the upper lid they darken it so far down."""
_SMALLEST: Final = 6
"""Pixels that an iris or a white must have to tell its colour."""
_RESOLVED_PX: Final = 3.5
"""Radius from which an iris tells its colour."""
_MOST_CERTAIN: Final = 0.9
"""Share of the measured brightness at best: small irises are brightened by their surroundings and by glints."""


def recover_eyes(model: HeadModel, fitted: HeadFit, face: FaceObservation, *, light: Light | None = None) -> Texture:
    """The eye texture, iris in the middle, sRGB 512 x 512.

    `light` is the photo's, as recover_skin found it: what it explains of the shading is not painted on the eye.
    """
    edge = iris_edge(model, fitted)
    colours = _measure_eyes(face)
    y, x = np.mgrid[:_SIZE, :_SIZE].astype(np.float32) + np.float32(0.5)
    x, y = x / _SIZE - np.float32(0.5), y / _SIZE - np.float32(0.5)
    radius = np.hypot(x, y) / np.float32(edge)  # 1 at the limbus
    angle = np.arctan2(y, x)
    soft = 1.5 / (_SIZE * edge)
    white, iris = _sclera(radius, angle, colours.white), _iris(radius, angle, colours.iris)
    shadow = _lid_shadow(radius, y / np.float32(edge))
    within = _step(1.0 + _LIMBUS, 1.0 - _LIMBUS, radius)[..., None]
    if colours.seen:
        light = light or ambient_light([float(1 / gain) for gain in white_gain(face, _skin_in_photo(face))])
        smaller = [_halved(image) for image in (white * (1 - within) + iris * within, shadow, radius)]
        on_iris, on_white = shade_of_the_lids(model, fitted, face, light, *smaller)
        iris, white = iris * _doubled(on_iris), white * _doubled(on_white)
    else:
        iris, white = iris * shadow[..., None], white * shadow[..., None]
    picture = white * (1 - within) + iris * within
    pupil = _step(_PUPIL + 3 * soft, _PUPIL - 3 * soft, radius)[..., None]
    return Texture("eyes", srgb_from_linear((picture * (1 - pupil) + np.float32(0.004) * pupil).astype(np.float32)))


def _halved(image: Float32[np.ndarray, "S S *C"]) -> Float32[np.ndarray, "_ _ *C"]:
    return np.asarray(cv2.resize(image, (_SIZE // 2, _SIZE // 2), interpolation=cv2.INTER_AREA), np.float32)


def _doubled(image: Float32[np.ndarray, "S S 3"]) -> Float32[np.ndarray, "_ _ 3"]:
    return np.asarray(cv2.resize(image, (_SIZE, _SIZE), interpolation=cv2.INTER_LINEAR), np.float32)


def iris_edge(model: HeadModel, fitted: HeadFit) -> float:
    """Distance of the limbus from the texture's centre: eyeballs grow with the head, irises do not."""
    triangles = model.part("eyeLeft")
    vertices, corners = model.triangles[triangles].ravel(), model.triangle_uvs[triangles].ravel()
    ball = fitted.neutral[np.unique(vertices)]
    offset = fitted.neutral[vertices] - (ball.min(axis=0) + ball.max(axis=0)) / 2
    distance = np.linalg.norm(offset, axis=1)
    angle = np.arccos(np.clip(offset[:, 2] / np.maximum(distance, 1e-9), -1, 1))
    from_centre = np.linalg.norm(model.uvs[corners] - 0.5, axis=1)
    order = np.argsort(angle)
    limbus = np.arcsin(min(_IRIS_M / float(np.median(distance)), 0.9))
    return float(np.interp(limbus, angle[order], from_centre[order]))


@dataclass(frozen=True, eq=False)
class _Colours:
    """Linear RGB albedo."""

    iris: Float32[np.ndarray, "3"]
    white: Float32[np.ndarray, "3"]
    seen: bool
    """Whether the photo told, rather than what is usual."""


def _measure_eyes(face: FaceObservation) -> _Colours:
    """Both eyes together; usual colours as far as the photo does not resolve them.

    The whites keep the shade the lids throw on them: engines throw none.
    """
    found = [(eye, colours) for eye in see_eyes(face) if (colours := _measure(eye)) is not None]
    if not found:
        return _Colours(_BROWN, _SCLERA, seen=False)
    sizes = [eye.radius_px for eye, _ in found]
    gain = white_gain(face, _skin_in_photo(face))
    resolved = float(np.clip(np.mean(sizes) / _RESOLVED_PX - 0.5, 0, 1))
    iris = np.average([colours.iris for _, colours in found], axis=0, weights=sizes)
    white = gain * np.average([colours.white for _, colours in found], axis=0, weights=sizes)
    bright = float(np.clip(white @ LUMINANCE, *_WHITE_RANGE))
    tint = np.sqrt(_SCLERA / float(_SCLERA @ LUMINANCE) / (white / max(float(white @ LUMINANCE), 1e-4)))
    iris = _plausible((gain * tint * iris).astype(np.float32))  # seen in the same cast as the white
    usual = float(_BROWN @ LUMINANCE)
    luminance = usual * (float(iris @ LUMINANCE) / usual) ** (_MOST_CERTAIN * resolved)
    iris = np.exp(resolved * np.log(iris) + (1 - resolved) * np.log(_BROWN))
    iris *= np.clip(luminance, *_IRIS_RANGE) / float(iris @ LUMINANCE)
    white = white * tint
    white *= bright / float(white @ LUMINANCE)
    return _Colours(iris.astype(np.float32), white.astype(np.float32), seen=resolved > 0.3)


def _skin_in_photo(face: FaceObservation) -> Float32[np.ndarray, "3"]:
    """Median of the photo at points where skin is bare on nearly everyone, linear RGB."""
    height, width = face.photo.pixels.shape[:2]
    column, row = np.clip(face.landmarks_px[list(SURE_SKIN)], 0, [width - 1, height - 1]).astype(int).T
    return np.maximum(np.median(LINEAR_FROM_SRGB[face.photo.pixels[row, column]], axis=0), 1e-3).astype(np.float32)


def _measure(eye: SeenEye) -> _Colours | None:
    """The ring of its iris without lids and glints, and the white beside it."""
    ring = eye.inside & (eye.away > _RING[0]) & (eye.away < _RING[1])
    from_lids = cv2.distanceTransform(np.pad(eye.inside, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    clear = ring & (from_lids > _LASHES * eye.radius_px)
    lit = clear & (np.cumsum(eye.inside, axis=0) > _UPPER_SHADE * eye.radius_px)
    iris = eye.linear[next((pixels for pixels in (lit, clear) if pixels.sum() >= _SMALLEST), ring)]
    white = eye.white
    if min(len(iris), len(white)) < _SMALLEST:
        return None
    bright = np.median(white[_brightest(white)], axis=0)
    return _Colours(np.maximum(_without_extremes(iris), 0.004), np.maximum(bright, 0.01).astype(np.float32), seen=True)


def _plausible(colour: Float32[np.ndarray, "3"]) -> Float32[np.ndarray, "3"]:
    """Irises lie near one line of chroma from brown to blue; what strays from it is noise, fringes or a colour cast."""
    chroma = np.log(colour[[0, 2]] / colour[1])
    along = _BLUE_CHROMA - _BROWN_CHROMA
    share = np.clip((chroma - _BROWN_CHROMA) @ along / (along @ along), 0, 1)
    dark = np.clip((_DARK_IRIS[1] - float(colour @ LUMINANCE)) / (_DARK_IRIS[1] - _DARK_IRIS[0]), 0, 1)
    unclear = np.clip((_CLEARLY_BLUE[1] - share) / (_CLEARLY_BLUE[1] - _CLEARLY_BLUE[0]), 0, 1)
    share *= 1 - _MIRRORED * dark * unclear  # a dark iris that looks grey is a brown one that mirrors the sky
    nearest = _BROWN_CHROMA + share * along
    chroma = nearest + _STRAY_KEPT * (chroma - nearest)
    green = float(colour @ LUMINANCE) / float(np.exp([chroma[0], 0, chroma[1]]) @ LUMINANCE)
    return (green * np.exp([chroma[0], 0, chroma[1]])).astype(np.float32)


def _without_extremes(colours: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "3"]:
    """Mean of the lower middle of the brightness range: no lashes, no glints, no blur of the white."""
    brightness = colours @ LUMINANCE
    low, high = np.quantile(brightness, [0.2, 0.65])
    return colours[(brightness >= low) & (brightness <= high)].mean(axis=0)


def _brightest(colours: Float32[np.ndarray, "N 3"]) -> Bool[np.ndarray, "N"]:
    """What lids and lashes do not shade."""
    brightness = colours @ LUMINANCE
    return brightness >= np.quantile(brightness, 0.7)


def _iris(
    radius: Float32[np.ndarray, "S S"], angle: Float32[np.ndarray, "S S"], colour: Float32[np.ndarray, "3"]
) -> Float32[np.ndarray, "S S 3"]:
    """Fibres that run outward, lighter around the pupil, with a dark soft ring at the limbus."""
    generator = np.random.default_rng(_SEED)
    fibres = np.zeros_like(radius)
    for count, strength in ((17, 0.13), (31, 0.15), (53, 0.18), (89, 0.16), (131, 0.12)):
        phase, bend = generator.uniform(0, 2 * np.pi), generator.uniform(-0.6, 0.6)
        wander = 0.5 * np.sin(3 * angle + generator.uniform(0, 6)) * radius
        fibres += np.float32(strength) * np.sin(count * angle + phase + bend * 6 * radius + wander)
    collarette = np.exp(-(((radius - 0.47) / 0.11) ** 2)).astype(np.float32)
    across = 1 + fibres * _step(_PUPIL, 0.55, radius) + 0.28 * collarette - 0.12 * _step(0.6, 0.95, radius)
    warm = 1 + collarette[..., None] * np.array([0.22, 0.06, -0.10], np.float32)
    limbal = 1 - 0.58 * _step(0.74, 1.0, radius)
    drawn = warm * (across * limbal)[..., None]
    measured = (radius > _RING[0]) & (radius < _RING[1])  # as in the photo, so that the whole is as dark as there
    drawn /= float((drawn[measured] @ LUMINANCE).mean())
    return np.maximum(colour * drawn, 0.003).astype(np.float32)


def _sclera(
    radius: Float32[np.ndarray, "S S"], angle: Float32[np.ndarray, "S S"], white: Float32[np.ndarray, "3"]
) -> Float32[np.ndarray, "S S 3"]:
    """Off-white, pinker away from the iris, a few soft veins toward the corners."""
    generator = np.random.default_rng(_SEED + 1)
    cloud = blur(generator.standard_normal(radius.shape).astype(np.float32), 14)
    cloud *= np.float32(0.03) / max(float(cloud.std()), 1e-6)
    veins = np.zeros_like(radius)
    for _ in range(14):
        start, side = generator.uniform(-0.5, 0.5), generator.choice([0, np.pi])
        wave = start + 0.10 * np.sin(generator.uniform(4, 8) * radius + generator.uniform(0, 6))
        turn = np.angle(np.exp(1j * (angle - side - wave)))
        width = generator.uniform(0.006, 0.016)
        reach = generator.uniform(1.25, 1.7)
        veins += np.exp(-((turn / width) ** 2)).astype(np.float32) * _step(reach, reach + 0.5, radius)
    pink = np.clip(0.18 * _step(1.1, 2.1, radius) + 0.14 * np.clip(veins, 0, 1.2), 0, 1)[..., None]
    rosy = white * np.array([0.98, 0.60, 0.55], np.float32)
    return ((white * (1 - pink) + rosy * pink) * (1 + cloud[..., None])).astype(np.float32)


def _lid_shadow(radius: Float32[np.ndarray, "S S"], height: Float32[np.ndarray, "S S"]) -> Float32[np.ndarray, "S S"]:
    """Lids and lashes shade the ball, most from above; engines do not, and unshaded eyes stare."""
    above = 1 - 0.65 * _step(0.0, 1.1, -height)
    corners = 1 - 0.40 * _step(1.05, 1.9, radius)
    return (above * corners).astype(np.float32)


def _step(start: float, end: float, value: Float32[np.ndarray, "S S"]) -> Float32[np.ndarray, "S S"]:
    """0 at start, 1 at end (in either order), smooth between."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)
