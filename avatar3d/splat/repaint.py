"""Points that a learnt field gave are painted into the textures of face and hair, where the avatar's photos did not reach.

points --nearest surface--> light taken out --exposure as over the seen part--> log ratio to the texture --scattered--> textures
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Int32, UInt8

from avatar3d.core.avatar import Avatar, Mesh, Texture
from avatar3d.core.photo import Light
from avatar3d.core.splats import ColouredPoints
from avatar3d.render.blend import blend_corners
from avatar3d.render.first_hit import first_hits
from avatar3d.render.pose import Posed
from avatar3d.render.stage import LINEAR_FROM_SRGB, Stage, srgb_from_linear, stage_avatar, unit
from avatar3d.splat.attach import nearest
from avatar3d.splat.nerfstudio import View

_PARTS: Final = ("face", "hair")
_NEAR_M: Final = 0.004
"""A point farther from every surface shows something else, or is fog of the field."""
_LOOK_PX: Final = 512
"""Longer side of the depth pictures that tell what a photo reached."""
_FACING: Final = (0.25, 0.5)
"""Cosines between which a photo's word about a surface grows from none to all."""
_SEEN: Final = 0.8
_UNSEEN: Final = 0.2
_LEAST_SEEN: Final = 200
"""Points over the seen part, to tell the exposure from."""
_DARKEST: Final = np.float32(0.004)
"""Linear; darker albedo is not divided by."""
_LEAST_LIGHT: Final = np.float32(0.15)
_MOST: Final = 1.0
"""Natural logarithm by which a texel is changed at most."""
_IN_REACH: Final = 4.0
"""Points that the blur between samples is to hold, on average."""
_NARROWEST: Final = 0.8 / 1024
_WIDEST: Final = 6 / 1024
"""Of that blur, atlas edges: where the widest holds fewer points, the texture keeps more of itself."""


@dataclass(frozen=True)
class Repainted:
    """How much of the cloud told something."""

    used: int
    """Points on face and hair where no photo of the avatar reached."""
    seen: int
    """Points on what the photos show, which tell the exposure."""
    left_out: int
    """Points near no surface of either."""
    exposure: tuple[float, float, float] | None
    """Factor per channel, linear, of the face's points; None when too few lie where the photos tell, and nothing was painted."""


@dataclass(frozen=True, eq=False)
class _Samples:
    """Points on one mesh."""

    uv: Float32[np.ndarray, "N 2"]
    albedo: Float32[np.ndarray, "N 3"]
    reached: Float32[np.ndarray, "N"]


def repaint(
    avatar: Avatar, posed: Posed, points: ColouredPoints, views: Sequence[View], light: Light
) -> tuple[Avatar, Repainted]:
    """The avatar with its unseen skin and hair in the points' colours; geometry is not touched.

    `posed` is its stage as the points show it, in whose frame they lie (metres); `views` are the photos that its
    textures were made of, `light` that of the main one. Nothing changes where the points do not overlap with what
    these photos show: their exposure would be unknown.
    """
    stage = stage_avatar(avatar)
    samples, left_out = _on_surfaces(stage, posed, points, views, light)
    gain: Float32[np.ndarray, "3"] | None = None
    painted: dict[str, Mesh] = {}
    used = seen = 0
    for name in _PARTS:  # the face first: hair that no photo shows takes its exposure
        mesh = next((each for each in avatar.meshes if each.name == name), None)
        if mesh is None or mesh.material.base_colour is None:
            continue
        own = samples[name]
        texture = LINEAR_FROM_SRGB[_look_up(mesh.material.base_colour.pixels[..., :3], own.uv)]
        ratio = np.log(np.maximum(texture, _DARKEST) / np.maximum(own.albedo, _DARKEST))
        sure = own.reached > _SEEN
        matched = np.median(ratio[sure], axis=0).astype(np.float32) if sure.sum() >= _LEAST_SEEN else gain
        if matched is None:
            continue
        gain = matched if gain is None else gain
        used, seen = used + int((own.reached < _UNSEEN).sum()), seen + int(sure.sum())
        painted[name] = _painted(mesh, own, np.clip(matched - ratio, -_MOST, _MOST).astype(np.float32))
    exposure = None if gain is None else (float(np.exp(gain[0])), float(np.exp(gain[1])), float(np.exp(gain[2])))
    told = Repainted(used, seen, left_out, exposure)
    return replace(avatar, meshes=tuple(painted.get(mesh.name, mesh) for mesh in avatar.meshes)), told


def _on_surfaces(
    stage: Stage, posed: Posed, points: ColouredPoints, views: Sequence[View], light: Light
) -> tuple[dict[str, _Samples], int]:
    """The points of each part, by the surface that is nearest among all; and how many lie on none."""
    triangle, distance = nearest(points.places, replace(stage, positions=posed.vertices))
    names = np.array([surface.material.name for surface in stage.surfaces])[stage.triangle_mesh[triangle]]
    kept = np.flatnonzero((distance <= _NEAR_M) & np.isin(names, _PARTS))
    triangle, names = triangle[kept], names[kept]
    corners = stage.triangles[triangle]
    share = _feet(points.places[kept], posed.vertices[corners])
    normal = unit(blend_corners(posed.normals, corners, share))
    albedo = points.colours[kept] / np.maximum(light.shade(normal), _LEAST_LIGHT)
    places = blend_corners(posed.vertices, corners, share)
    reached = np.zeros(len(kept), np.float32)
    for view in views:
        reached = np.maximum(reached, _reached(stage, posed, places, normal, view))
    uvs = blend_corners(stage.uvs, corners, share)
    parts = {name: _Samples(uvs[own], albedo[own], reached[own]) for name in _PARTS for own in [names == name]}
    return parts, len(points.places) - len(kept)


def _feet(points: Float32[np.ndarray, "N 3"], corners: Float32[np.ndarray, "N 3 3"]) -> Float32[np.ndarray, "N 3"]:
    """Barycentric place of each point over its triangle, drawn into it."""
    a, b, c = corners.astype(np.float64).transpose(1, 0, 2)
    across = np.cross(b - a, c - a)
    area = np.maximum(np.einsum("nc,nc->n", across, across), 1e-30)
    second = np.einsum("nc,nc->n", np.cross(points - a, c - a), across) / area
    third = np.einsum("nc,nc->n", np.cross(b - a, points - a), across) / area
    share = np.clip(np.stack([1 - second - third, second, third], axis=1), 0, 1)
    return (share / np.maximum(share.sum(axis=1, keepdims=True), 1e-9)).astype(np.float32)


def _reached(
    stage: Stage, posed: Posed, places: Float32[np.ndarray, "N 3"], normal: Float32[np.ndarray, "N 3"], view: View
) -> Float32[np.ndarray, "N"]:
    """How well a photo shows each place: [0, 1]."""
    factor = _LOOK_PX / max(view.camera.width_px, view.camera.height_px)
    camera = replace(
        view.camera,
        focal_px=view.camera.focal_px * factor,
        principal_px=(view.camera.principal_px * factor).astype(np.float32),
        width_px=max(1, round(view.camera.width_px * factor)),
        height_px=max(1, round(view.camera.height_px * factor)),
    )
    depth = first_hits(stage, posed.vertices, camera).depth_m
    size = camera.width_px, camera.height_px
    mask = cv2.resize(view.head, size, interpolation=cv2.INTER_LINEAR)
    pixel = np.floor(camera.project(places)).astype(np.int64)
    inside = (pixel >= 0).all(axis=1) & (pixel < size).all(axis=1)
    column, row = np.where(inside[:, None], pixel, 0).T
    own_depth = camera.view(places)[:, 2]
    there = inside & (own_depth > 0) & (own_depth < depth[row, column] + _NEAR_M) & (mask[row, column] > 0.5)
    cosine = np.einsum("nc,nc->n", normal, unit(camera.position_m - places))
    way = np.clip((cosine - _FACING[0]) / (_FACING[1] - _FACING[0]), 0, 1)
    return np.where(there, way * way * (3 - 2 * way), 0).astype(np.float32)


def _texels(uv: Float32[np.ndarray, "N 2"], width: int, height: int) -> Int32[np.ndarray, "N"]:
    column = ((uv[:, 0] - np.floor(uv[:, 0])) * width).astype(np.int32).clip(0, width - 1)
    row = ((uv[:, 1] - np.floor(uv[:, 1])) * height).astype(np.int32).clip(0, height - 1)
    return row * width + column


def _look_up(pixels: UInt8[np.ndarray, "H W 3"], uv: Float32[np.ndarray, "N 2"]) -> UInt8[np.ndarray, "N 3"]:
    height, width = pixels.shape[:2]
    return pixels.reshape(height * width, -1)[_texels(uv, width, height)]


def _painted(mesh: Mesh, own: _Samples, change: Float32[np.ndarray, "N 3"]) -> Mesh:
    """The mesh, each texel moved by what the unseen points around it say."""
    texture = mesh.material.base_colour
    assert texture is not None, "only meshes with a texture come here"
    height, width = texture.pixels.shape[:2]
    texel = _texels(own.uv, width, height)
    weight = (1 - own.reached)[:, None]
    columns = np.concatenate([change * weight, weight, np.ones_like(weight)], axis=1)
    sums = np.stack([np.bincount(texel, column, height * width) for column in columns.T], axis=1)
    sums = sums.reshape(height, width, 5).astype(np.float32)
    crowd = cv2.GaussianBlur(sums[..., 4], (0, 0), _WIDEST * width).reshape(-1)[texel]  # points per texel around each
    sigma = float(np.sqrt(_IN_REACH / (4 * np.pi * max(float(crowd.mean()), 1e-6))))
    sigma = float(np.clip(sigma, _NARROWEST * width, _WIDEST * width))
    planes = np.asarray(cv2.GaussianBlur(sums, (0, 0), sigma))
    held = planes[..., 4] * np.float32(4 * np.pi * sigma**2)
    told = planes[..., :3] / np.maximum(planes[..., 3:4], np.float32(1e-9))
    share = np.clip(held / (_IN_REACH / 2), 0, 1) * planes[..., 3] / np.maximum(planes[..., 4], np.float32(1e-9))
    linear = LINEAR_FROM_SRGB[texture.pixels[..., :3]] * np.exp(share[..., None] * told)
    pixels = np.concatenate([srgb_from_linear(linear.astype(np.float32)), texture.pixels[..., 3:]], axis=2)
    return replace(mesh, material=replace(mesh.material, base_colour=Texture(texture.name, pixels)))
