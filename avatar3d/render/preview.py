"""The reference renderer: an avatar, a camera and a light become a picture, slowly and right, on any CPU.

    camera rays -> nearest triangles -> texture, normal map, light -> through what is transparent -> averaged -> sRGB

Nothing here knows faces; whatever looks wrong in these pictures is wrong in the asset.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float32, Int32, UInt8

from avatar3d.core.avatar import Avatar
from avatar3d.core.photo import Camera, Light
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.render.lights import main_direction, studio_light
from avatar3d.render.raycast import Hits
from avatar3d.render.stage import LINEAR_FROM_SRGB, Posed, Stage, Surface, pose_stage, srgb_from_linear, stage_avatar

_MOST_LAYERS = 12
"""Transparent surfaces a ray passes at most."""
_STEP_M = 2e-6
_DIELECTRIC = 0.04
"""Reflectance at normal incidence of skin, teeth and corneas (glTF 2.0, appendix B: index 1.5)."""
_REMAP_WIDTH = 4096
"""cv2.remap takes pictures of at most 32,767 rows and columns."""
_RAYS_PER_BAND = 120_000
_THUMBNAIL_PX = 200
"""Pictures narrower than this are drawn without relief and with fewer occlusion rays."""
_ENVIRONMENT_SHEEN = 0.35
"""Share of the surroundings that a rough surface mirrors; by eye."""


@dataclass(frozen=True)
class RenderParams:
    """How a picture is taken."""

    samples: int = 2
    """Rays per pixel and axis."""
    occlusion_rays: int | None = None
    """Per vertex; 0 leaves out the shadow in eye sockets and mouth. None: 24, and 8 for thumbnails."""
    exact: bool = False
    """Only albedo times Light.shade(interpolated normal): no normal map, gloss, occlusion or factor of roughness."""
    background: tuple[int, int, int] = (236, 237, 240)
    """sRGB."""


@dataclass(frozen=True, eq=False)
class LinearPicture:
    """A picture before encoding."""

    colour: Float32[np.ndarray, "H W 3"]
    """Linear RGB, premultiplied by coverage."""
    coverage: Float32[np.ndarray, "H W"]
    """0 where only background is seen."""


def render_avatar(
    avatar: Avatar,
    camera: Camera,
    *,
    weights: Float32[np.ndarray, "52"] | None = None,
    rotations: Mapping[str, Float32[np.ndarray, "4"]] | None = None,
    light: Light | None = None,
    params: RenderParams | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """A picture (sRGB) of the avatar.

    `weights` in ARKIT_NAMES order; `rotations` (wxyz) by joint name, relative to rest; `light` in the avatar's frame
    (a studio when None).
    """
    chosen = params or RenderParams()
    picture = render_linear(avatar, camera, weights=weights, rotations=rotations, light=light, params=chosen)
    return srgb_from_linear(picture.colour + (1 - picture.coverage)[..., None] * _linear(chosen.background))


def render_linear(
    avatar: Avatar,
    camera: Camera,
    *,
    weights: Float32[np.ndarray, "52"] | None = None,
    rotations: Mapping[str, Float32[np.ndarray, "4"]] | None = None,
    light: Light | None = None,
    params: RenderParams | None = None,
) -> LinearPicture:
    """As render_avatar, before the background and sRGB."""
    chosen = params or RenderParams()
    stage = stage_avatar(avatar)
    posed = pose_stage(
        stage,
        weights,
        rotations or {},
        camera.position_m,
        occlusion_rays=_occlusion_rays(chosen, camera),
        relief=not chosen.exact and camera.width_px >= _THUMBNAIL_PX,
    )
    left, top, right, bottom = _window(camera, posed.vertices)
    shape = (camera.height_px, camera.width_px)
    colour, coverage = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
    if right > left and bottom > top:
        n = chosen.samples
        origin, directions = _camera_rays(camera, (left, top, right, bottom), n)
        levels = _texture_levels(stage, posed, camera, n)
        tracer = _Tracer(stage, posed, light or studio_light(), chosen, levels)
        bands = np.array_split(directions, max(1, len(directions) // _RAYS_PER_BAND))
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # numpy and Embree release Python's lock
            through = np.concatenate(list(pool.map(lambda band: tracer.trace(origin, band), bands)))
        height, width = bottom - top, right - left
        mean = cv2.resize(through.reshape(height * n, width * n, 4), (width, height), interpolation=cv2.INTER_AREA)
        colour[top:bottom, left:right], coverage[top:bottom, left:right] = mean[..., :3], mean[..., 3]
    return LinearPicture(colour, coverage)


def _occlusion_rays(params: RenderParams, camera: Camera) -> int:
    if params.exact:
        return 0
    if params.occlusion_rays is not None:
        return params.occlusion_rays
    return 8 if camera.width_px < _THUMBNAIL_PX else 24


@lru_cache(maxsize=8)
def _linear(colour: tuple[int, int, int]) -> Float32[np.ndarray, "3"]:
    return LINEAR_FROM_SRGB[np.array(colour)]


def _window(camera: Camera, vertices: Float32[np.ndarray, "V 3"]) -> tuple[int, int, int, int]:
    """The pixels the vertices can cover: left, top, right, bottom."""
    whole = (0, 0, camera.width_px, camera.height_px)
    if camera.view(vertices)[:, 2].min() <= 1e-3:
        return whole
    seen = camera.project(vertices)
    low, high = np.floor(seen.min(axis=0)).astype(int), np.ceil(seen.max(axis=0)).astype(int)
    return max(int(low[0]), 0), max(int(low[1]), 0), min(int(high[0]), whole[2]), min(int(high[1]), whole[3])


def _camera_rays(
    camera: Camera, window: tuple[int, int, int, int], samples: int
) -> tuple[Float32[np.ndarray, "3"], Float32[np.ndarray, "N 3"]]:
    """The eye point and unit directions, row by row, samples x samples per pixel."""
    left, top, right, bottom = window
    step = 1 / samples
    across = (np.arange(left, right, step) + step / 2 - camera.principal_px[0]) / camera.focal_px
    down = (np.arange(top, bottom, step) + step / 2 - camera.principal_px[1]) / camera.focal_px
    head_from_camera = matrix_from_quaternion(camera.rotation_wxyz).T
    x, y = np.meshgrid(across.astype(np.float32), down.astype(np.float32))
    inverse = 1 / np.sqrt(x * x + y * y + 1)
    directions = np.stack([x * inverse, y * inverse, inverse], axis=-1).reshape(-1, 3) @ head_from_camera.T
    return camera.position_m, directions


@dataclass(frozen=True, eq=False)
class _Tracer:
    """What every layer of a picture needs."""

    stage: Stage
    posed: Posed
    light: Light
    params: RenderParams
    levels: Int32[np.ndarray, "M"]
    """Pyramid level per mesh."""

    def trace(
        self, origin: Float32[np.ndarray, "3"], directions: Float32[np.ndarray, "N 3"]
    ) -> Float32[np.ndarray, "N 4"]:
        """Premultiplied linear RGB and coverage per ray."""
        result = np.zeros((len(directions), 4), np.float32)
        rays = np.arange(len(directions))
        left = np.ones(len(directions), np.float32)  # what is still seen through the layers so far
        distance = np.zeros(len(directions), np.float32)
        for _ in range(_MOST_LAYERS):
            toward = directions[rays]
            hits = self.posed.scene.cast(origin + toward * distance[:, None], toward)
            met = np.flatnonzero(hits.triangle >= 0)
            rays, left, distance, toward = rays[met], left[met], distance[met] + hits.distance[met], toward[met]
            colour = self._shade(Hits(hits.triangle[met], hits.barycentric[met], hits.distance[met]), toward)
            share = left * colour[:, 3]
            result[rays, :3] += share[:, None] * colour[:, :3]
            result[rays, 3] += share
            left = left - share
            onward = np.flatnonzero(left > 1 / 256)
            if len(onward) == 0:
                break
            rays, left, distance = rays[onward], left[onward], distance[onward] + np.float32(_STEP_M)
        return result

    def _shade(self, hits: Hits, toward: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N 4"]:
        """Linear RGB and alpha of each hit, mesh by mesh."""
        stage, posed = self.stage, self.posed
        result = np.zeros((len(toward), 4), np.float32)
        meshes = stage.triangle_mesh[hits.triangle]
        for mesh in np.unique(meshes):
            chosen = np.flatnonzero(meshes == mesh)
            surface = stage.surfaces[mesh]
            corners = stage.triangles[hits.triangle[chosen]]
            share = hits.barycentric[chosen]
            uvs = _blend(stage.uvs, corners, share)
            level = int(self.levels[mesh])
            colour = _sample(surface.colour, uvs, level, np.ones(4, np.float32))
            colour = colour * np.array(surface.material.colour_factor, np.float32)
            normals = _blend(posed.normals, corners, share)
            view = toward[chosen]
            away = (posed.faces[hits.triangle[chosen]] * view).sum(axis=1) > 0
            if surface.material.alpha_mode == "OPAQUE":
                colour[:, 3] = 1
            elif surface.material.alpha_mode == "MASK":
                colour[:, 3] = colour[:, 3] >= surface.material.alpha_cutoff
            if surface.material.double_sided:
                normals[away] *= -1
            else:
                colour[away, 3] = 0
            normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
            if self.params.exact:
                colour[:, :3] *= self.light.shade(normals)
            else:
                colour[:, :3] = self._soft(surface, colour[:, :3], normals, view, corners, share, uvs, level)
            result[chosen] = colour
        return result

    def _soft(
        self,
        surface: Surface,
        albedo: Float32[np.ndarray, "N 3"],
        normals: Float32[np.ndarray, "N 3"],
        view: Float32[np.ndarray, "N 3"],
        corners: Int32[np.ndarray, "N 3"],
        share: Float32[np.ndarray, "N 3"],
        uvs: Float32[np.ndarray, "N 2"],
        level: int,
    ) -> Float32[np.ndarray, "N 3"]:
        """Diffuse light under occlusion, one glossy lamp (normalised Blinn-Phong, Schlick's Fresnel) and a sheen."""
        if surface.normal and self.posed.tangents is not None:
            tangent = _blend(self.posed.tangents, corners, share)
            side = np.cross(normals, tangent[:, :3]) * np.sign(tangent[:, 3:])
            x, y, z = _sample(surface.normal, uvs, level, np.array([0, 0, 1], np.float32)).T
            normals = x[:, None] * tangent[:, :3] + y[:, None] * side + z[:, None] * normals
            normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        properties = _sample(surface.properties, uvs, level, np.ones(3, np.float32))
        roughness = np.clip(properties[:, 1] * surface.material.roughness, 0.08, 1)
        openness = _blend(self.posed.openness[:, None], corners, share)[:, 0] * properties[:, 0]
        diffuse = albedo * (self.light.shade(normals) * openness[:, None])
        toward, lamp = main_direction(self.light)
        half = toward - view
        half /= np.maximum(np.linalg.norm(half, axis=1, keepdims=True), 1e-9)
        power = 2 / roughness**4 - 2
        lit = np.maximum((normals * half).sum(axis=1), 1e-6) ** power * (power + 8) / 8
        lit *= np.maximum(normals @ toward, 0) * openness
        facing = np.clip(-(normals * view).sum(axis=1), 0, 1)
        # A rough surface mirrors less at grazing angles, and what looks down sees the body and not the surroundings.
        fresnel = _DIELECTRIC + (np.maximum(1 - roughness, _DIELECTRIC) - _DIELECTRIC) * (1 - facing) ** 5
        specular = np.float32(surface.material.specular)
        sheen = specular * _ENVIRONMENT_SHEEN * fresnel * openness * np.clip((1 + normals[:, 1]) / 2, 0, 1) ** 2
        around = self.light.coefficients[0]
        return diffuse + (specular * _DIELECTRIC * lit)[:, None] * lamp + sheen[:, None] * np.maximum(around, 0)


def _texture_levels(stage: Stage, posed: Posed, camera: Camera, samples: int) -> Int32[np.ndarray, "M"]:
    """Per mesh the pyramid level at which texels are about as large as the samples that see them."""
    pixels = camera.project(posed.vertices)[stage.triangles]
    seen = np.abs(_area(pixels)) * samples**2
    texture = np.abs(_area(stage.uvs[stage.triangles]))
    levels = np.zeros(len(stage.surfaces), np.int32)
    for mesh, surface in enumerate(stage.surfaces):
        own = np.flatnonzero((stage.triangle_mesh == mesh) & (seen > 1e-3))
        if len(surface.colour) > 1 and len(own):
            height, width = surface.colour[0].shape[:2]
            texels = np.sqrt(np.median(texture[own] / seen[own]) * width * height)
            levels[mesh] = np.clip(np.round(np.log2(max(float(texels), 1e-3)) - 0.3), 0, len(surface.colour) - 1)
    return levels


def _area(corners: Float32[np.ndarray, "F 3 2"]) -> Float32[np.ndarray, "F"]:
    """Twice the signed area of triangles in the plane."""
    (x1, y1), (x2, y2) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    return x1 * y2 - x2 * y1


def _blend(
    values: Float32[np.ndarray, "V C"], corners: Int32[np.ndarray, "N 3"], share: Float32[np.ndarray, "N 3"]
) -> Float32[np.ndarray, "N C"]:
    """Interpolate vertex values at hits."""
    result = values[corners[:, 0]] * share[:, :1]
    result += values[corners[:, 1]] * share[:, 1:2]
    result += values[corners[:, 2]] * share[:, 2:]
    return result


def _sample(
    pyramid: tuple[Float32[np.ndarray, "_ _ C"], ...],
    uvs: Float32[np.ndarray, "N 2"],
    level: int,
    absent: Float32[np.ndarray, "C"],
) -> Float32[np.ndarray, "N C"]:
    """Bilinear, repeating texture look-up; `absent` where there is no texture."""
    if not pyramid:
        return np.tile(absent, (len(uvs), 1))
    image = pyramid[min(level, len(pyramid) - 1)]
    size = np.array(image.shape[1::-1], np.float32)
    place = (uvs - np.floor(uvs)) * size - np.float32(0.5)
    rows = -(-len(place) // _REMAP_WIDTH)
    padded = np.zeros((2, rows * _REMAP_WIDTH), np.float32)
    padded[:, : len(place)] = place.T
    x, y = padded.reshape(2, rows, _REMAP_WIDTH)
    looked = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return looked.reshape(rows * _REMAP_WIDTH, -1)[: len(place)].astype(np.float32, copy=False)
