"""Colours the scalp under the hair and around it, so that no bald skin shines between strands and no edge is left."""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Int, UInt8

from avatar3d.core.avatar import Mesh, Skin, Texture
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.hair.atlas import is_shell
from avatar3d.hair.finish import encode
from avatar3d.hair.follicles import draw_follicles
from avatar3d.hair.grow import Hair
from avatar3d.hair.scalp import Skull, usual_hairline
from avatar3d.hair.texels import ramp
from avatar3d.render.raycast import Scene

# How much of the skin's colour is hair's under hanging hair, and how dark it is in its own shadow.
_SHARE: Final = 0.85
_SHADOW: Final = 0.75
# Beside the face, from these azimuths on, hair that hangs over skin it does not grow from (ears, cheeks) takes so much less of
# its colour: an ear that peeps out is no plug of hair.
_BESIDE_DEG: Final = (55.0, 70.0)
_ONLY_OVER: Final = 0.3
# Hair further off the scalp than this does not colour it (metres).
_NEAR_M: Final = 0.07


def tint_scalp(model: HeadModel, fitted: HeadFit, skin: Skin, hair: Hair | None) -> Skin:
    """The skin with the hair that grows out of it drawn on it, and in the hair's shadow where it hangs over it."""
    if hair is None:
        return skin
    pixels = skin.albedo.pixels.copy()
    size = pixels.shape[0]
    if hair.mesh is not None and (hair.style.hang is not None or hair.style.ears > 0):
        cover, colour = _cover(model, fitted, hair.mesh)
        cover *= _rooted(fitted.neutral, hair.style.skull)
        mask, tint = (
            cv2.resize(part, (size, size), interpolation=cv2.INTER_LINEAR)
            for part in _to_atlas(model, cover, colour, min(size, 512))
        )
        shaded = np.flatnonzero(mask > 0)
        _lay_over(pixels, shaded, _SHARE * mask.ravel()[shaded], _SHADOW * tint.reshape(-1, 3)[shaded])
    texels, opacity, log = draw_follicles(model, fitted, hair, size)
    _lay_over(pixels, texels, opacity, encode(log[None])[0])
    return replace(skin, albedo=Texture(name=skin.albedo.name, pixels=pixels))


def _lay_over(
    pixels: UInt8[np.ndarray, "S S 4"] | UInt8[np.ndarray, "S S 3"],
    texels: Int[np.ndarray, "N"],
    opacity: Float32[np.ndarray, "N"],
    colour: np.ndarray,
) -> None:
    """Mix a colour (sRGB) into some texels (row * size + column) of a picture of our own."""
    flat = pixels.reshape(-1, pixels.shape[2])
    below = flat[texels, :3].astype(np.float32)
    flat[texels, :3] = np.clip(np.round(below + opacity[:, None] * (colour - below)), 0, 255).astype(np.uint8)


def _rooted(points: Float32[np.ndarray, "V 3"], skull: Skull) -> Float32[np.ndarray, "V"]:
    """1 where hair may grow and before the face, less beside it where hair only hangs over skin."""
    azimuth = np.abs(skull.azimuth(points))
    beside = ramp(azimuth, *_BESIDE_DEG) * (1 - ramp(skull.height(points) - usual_hairline(azimuth), -0.1, 0.1))
    return (1 - (1 - _ONLY_OVER) * beside).astype(np.float32)


def _cover(
    model: HeadModel, fitted: HeadFit, hair: Mesh
) -> tuple[Float32[np.ndarray, "V"], Float32[np.ndarray, "V 3"]]:
    """Per model vertex: opacity of the hair over it and its sRGB colour."""
    assert hair.material.base_colour is not None
    picture = hair.material.base_colour.pixels
    # The shell without its locks.
    shell = hair.triangles[is_shell(hair.uvs)[hair.triangles].all(1)]
    soft = cv2.GaussianBlur(picture, (0, 0), 3)
    members = np.unique(model.triangles[model.part("face")])
    points = fitted.neutral[members]
    middle = hair.positions.mean(0) * np.array([0, 1, 1], np.float32)
    away = points - middle
    away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
    # From a little inside, so that hair lying on the skin is not missed.
    hits = Scene(hair.positions, shell).cast(points - 0.004 * away, away)
    seen = (hits.triangle >= 0) & (hits.distance < _NEAR_M)
    uv = np.einsum("nc,ncd->nd", hits.barycentric, hair.uvs[shell[hits.triangle]])
    column = np.clip((uv[:, 0] * picture.shape[1]).astype(int), 0, picture.shape[1] - 1)
    row = np.clip((uv[:, 1] * picture.shape[0]).astype(int), 0, picture.shape[0] - 1)
    opacity = np.zeros(len(model.rest), np.float32)
    colour = np.zeros((len(model.rest), 3), np.float32)
    cover, tint = np.where(seen, soft[row, column, 3] / 255, 0), soft[row, column, :3].astype(np.float32)
    opacity[members] = cover
    colour[members] = tint
    return opacity, colour


def _to_atlas(
    model: HeadModel, cover: Float32[np.ndarray, "V"], colour: Float32[np.ndarray, "V 3"], size: int
) -> tuple[Float32[np.ndarray, "S S"], Float32[np.ndarray, "S S 3"]]:
    """Vertex values painted into the face atlas, triangle by triangle, softened over a few texels."""
    chosen = model.part("face")
    triangles, corners = model.triangles[chosen], model.uvs[model.triangle_uvs[chosen]] * size
    covered = (cover[triangles] > 0.02).any(1)
    mask, tint = np.zeros((size, size), np.float32), np.zeros((size, size, 3), np.float32)
    spots = np.round(corners).astype(np.int32)
    shares, colours = cover[triangles].mean(1), colour[triangles].mean(1)
    for index in np.flatnonzero(covered):
        cv2.fillConvexPoly(mask, spots[index], [float(shares[index])])
        cv2.fillConvexPoly(tint, spots[index], colours[index].tolist())
    # Beyond the atlas's islands there is nothing to soften with: their rims meet at the seams and must agree.
    island = np.zeros((size, size), np.uint8)
    for spot in spots:
        cv2.fillConvexPoly(island, spot, [1.0])
    width = size / 128
    near = cv2.dilate((mask > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    weight = cv2.GaussianBlur((mask > 0).astype(np.float32), (0, 0), width)
    spread = cv2.GaussianBlur(tint, (0, 0), width) / np.maximum(weight, 1e-3)[..., None]
    there = cv2.GaussianBlur(island.astype(np.float32), (0, 0), width, borderType=cv2.BORDER_CONSTANT)
    soft = cv2.GaussianBlur(mask, (0, 0), width, borderType=cv2.BORDER_CONSTANT) / np.maximum(there, 0.05)
    return np.minimum(soft, 1), np.where(near[..., None], spread, tint)
