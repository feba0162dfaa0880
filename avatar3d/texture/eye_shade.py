"""How the photo's lids, lashes and corners shade the eyeball: no engine throws these shadows, and unshaded eyes stare.

drawn eye + photo --> log ratio per texel of either eye --> both together, smoothed --> the usual lid shadow elsewhere
"""

from typing import Final

import numpy as np
from jaxtyping import Bool, Float32

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation, Light
from avatar3d.render.lights import LUMINANCE
from avatar3d.render.raycast import Scene
from avatar3d.texture.atlas import part_texels
from avatar3d.texture.closeup import look_closely
from avatar3d.texture.complete import pull_push
from avatar3d.texture.project import vertex_normals
from avatar3d.texture.regions import LEFT_EYE, LEFT_IRIS, RIGHT_EYE, RIGHT_IRIS, blur, fill_polygon
from avatar3d.texture.warp import aligned_pixels, sample

_SIDES: Final = (("eyeRight", RIGHT_EYE, RIGHT_IRIS, 468), ("eyeLeft", LEFT_EYE, LEFT_IRIS, 473))
_WITHIN: Final = 0.01
"""Pixels this near to the lids are lashes or blur, inter-ocular distances."""
# In iris radii: what is surely iris (neither pupil nor the white's blur) and what is surely white, in texture and photo.
_IRIS_FROM: Final = 0.45
_IRIS_TO: Final = 0.90
_WHITE_FROM: Final = 1.14
_GLINT: Final = 0.55
"""Irises this much brighter than drawn, in log luminance, mirror a lamp."""
_IRIS_RANGE: Final = np.array([-0.35, 0.55], np.float32)
_WHITE_RANGE: Final = np.array([-0.8, 0.5], np.float32)
"""The white beside its own colour: darker than this is lash, lid or blur, and dull whites look ill."""
_CHROMA_KEPT: Final = 0.3
_DARKEST: Final = 0.3
_OFFSET_M: Final = 4e-4
_SMOOTH: Final = 0.14
"""Standard deviation of what is kept of the photo's shading, in iris radii: coarser than lashes, finer than a lid."""
_BRIGHT: Final = 2.0
"""Exponent of the mean over the white: lashes and lids bleed darkness into it, hardly anything brightens it."""
_DARK: Final = -2.0
"""And over the iris, which glints and the white's blur brighten."""


def shade_of_the_lids(
    model: HeadModel,
    fitted: HeadFit,
    face: FaceObservation,
    light: Light,
    drawn: Float32[np.ndarray, "S S 3"],
    usual: Float32[np.ndarray, "S S"],
    radius: Float32[np.ndarray, "S S"],
) -> tuple[Float32[np.ndarray, "S S 3"], Float32[np.ndarray, "S S 3"]]:
    """Factors on the drawn iris and on the drawn white (linear albedo, unshaded), each told on the whole texture.

    As photographed where seen, `usual` far from there. They are two because a limbus is soft: one factor that leaps
    there would draw a bright ring.

    `radius` is each texel's distance from the middle in iris radii.
    """
    size = len(drawn)
    pixels = aligned_pixels(model, fitted, face)
    solid = np.concatenate([model.part(name) for name in ("face", "eyeLeft", "eyeRight")])
    scene = Scene(fitted.posed, model.triangles[solid])
    normals = vertex_normals(fitted.posed, model.triangles[solid])
    total, weights = np.zeros((size * size, 3), np.float32), np.zeros(size * size, np.float32)
    flat, around = drawn.reshape(-1, 3), radius.ravel()
    iris = around < 1
    for part, opening, ring, middle in _SIDES:
        texels = part_texels(model, part, size, size)
        place, points = texels.blend(pixels), texels.blend(fitted.posed)
        facing = texels.blend(normals)
        facing /= np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-9)
        toward = fitted.camera.position_m - points
        cosine = (toward * facing).sum(axis=1) / np.maximum(np.linalg.norm(toward, axis=1), 1e-9)
        colour, inside = _look(face, opening, place)
        weight = np.clip((cosine - 0.15) / 0.3, 0, 1) * inside
        able = np.flatnonzero(weight > 0.02)
        weight[able] *= ~scene.blocked(points[able] + np.float32(_OFFSET_M) * facing[able], toward[able])
        centre = face.landmarks_px[middle]
        unit = float(np.linalg.norm(face.landmarks_px[list(ring)] - centre, axis=1).mean())
        away = np.linalg.norm(place - centre, axis=1) / max(unit, 1e-3)
        own = around[texels.texels]
        in_iris = (own > _IRIS_FROM) & (own < _IRIS_TO) & (away > _IRIS_FROM) & (away < _IRIS_TO)
        weight *= in_iris | ((own > _WHITE_FROM) & (away > _WHITE_FROM))
        albedo = colour / np.maximum(light.shade(facing), np.float32(_DARKEST))
        ratio = np.log(np.maximum(albedo, 0.003) / np.maximum(flat[texels.texels], 0.003))
        grey = (np.log(np.maximum(albedo @ LUMINANCE, 0.003) / np.maximum(flat[texels.texels] @ LUMINANCE, 0.003)))[
            :, None
        ]
        weight *= np.where(in_iris, grey[:, 0] < _GLINT, 1)
        limits = np.where(in_iris[:, None], _IRIS_RANGE, _WHITE_RANGE)
        kept = np.where(in_iris, 0, np.float32(_CHROMA_KEPT))[:, None]
        limited = np.clip(grey, limits[:, :1], limits[:, 1:]) + kept * np.clip(ratio - grey, -0.5, 0.5)
        total[texels.texels] += limited * weight[:, None]
        weights[texels.texels] += weight
    usual_log = np.log(np.maximum(usual, 0.05))[..., None]
    sigma = _SMOOTH * float(np.sqrt(iris.sum() / np.pi))

    def factor(zone: Bool[np.ndarray, "N"], power: float) -> Float32[np.ndarray, "S S 3"]:
        share = (weights * zone).reshape(size, size)
        mean = (total * zone[:, None]).reshape(size, size, 3) / np.maximum(share, 1e-6)[..., None]
        return np.exp(_spread(mean - usual_log, np.minimum(share, 1), sigma, power) + usual_log)

    return factor(iris, power=_DARK), factor(~iris, power=_BRIGHT)


def _look(
    face: FaceObservation, opening: tuple[int, ...], place: Float32[np.ndarray, "N 2"]
) -> tuple[Float32[np.ndarray, "N 3"], Float32[np.ndarray, "N"]]:
    """Linear RGB of the photo at pixels, and whether they lie well between the lids."""
    closeup = look_closely(face, opening, margin=0.1)
    colour, unit, shape = closeup.colour, closeup.unit, closeup.shape
    points = closeup.place(face.landmarks_px[list(opening)])
    inside = fill_polygon(shape, points, grow=-_WITHIN * unit, soften=0.008 * unit)
    at = closeup.place(place)
    within = ((at > 0) & (at < [shape[1], shape[0]])).all(axis=1)
    seen = np.clip(2 * sample(inside[..., None], at)[:, 0] - 0.7, 0, 1)
    return np.maximum(sample(colour, at), 0), (seen * within).astype(np.float32)


def _spread(
    values: Float32[np.ndarray, "S S 3"], weights: Float32[np.ndarray, "S S"], sigma: float, power: float
) -> Float32[np.ndarray, "S S 3"]:
    """Smoothed where seen, continued to the rim of what is seen, fading to 0 far from it."""
    total = blur(np.exp(power * values) * weights[..., None], sigma)
    share = blur(weights, sigma)
    mean = np.log(np.maximum(total, 1e-6) / np.maximum(share, 1e-4)[..., None]) / power
    mean *= (share > 1e-4)[..., None]
    return pull_push(np.ascontiguousarray(mean), np.clip(8 * share, 0, 1), decay=0.06)
