"""The reference renderer: an avatar, a camera and a light become a picture, slowly and right, on any CPU.

    camera rays -> Tracer: linear colour -> averaged -> sRGB

Nothing here knows faces; whatever looks wrong in these pictures is wrong in the asset.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from avatar3d.core.avatar import Avatar
from avatar3d.core.photo import Camera, Light
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.render.lights import studio_light
from avatar3d.render.occlusion import COARSE, FINE, Sky
from avatar3d.render.pose import Posed, pose_stage
from avatar3d.render.sight import pixels_in, rectangles_of, touching
from avatar3d.render.stage import LINEAR_FROM_SRGB, Stage, srgb_from_linear, stage_avatar
from avatar3d.render.trace import make_tracer

_PIXELS_PER_BAND = 8_192
"""Drawn at a time: few enough for a processor's cache, enough to be worth a call."""
_THREADS = min(4, os.cpu_count() or 1)
_THUMBNAIL_PX = 200
"""Pictures narrower than this are drawn without relief and with fewer occlusion rays."""


@dataclass(frozen=True)
class RenderParams:
    """How a picture is taken."""

    samples: int = 2
    """Rays per pixel and axis."""
    occlusion_rays: int | None = None
    """Per vertex; 0 leaves out the shadow in eye sockets and mouth. None: what is fit for the picture's size."""
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
    weights: Float32[np.ndarray, "K"] | None = None,
    rotations: Mapping[str, Float32[np.ndarray, "4"]] | None = None,
    light: Light | None = None,
    params: RenderParams | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """A picture (sRGB) of the avatar.

    `weights` in ARKIT_NAMES order, then, if given, the tongue's in TONGUE_NAMES order; `rotations` (wxyz) by joint name, relative to rest; `light` in the avatar's frame
    (a studio when None).
    """
    shot = _Shot(stage_avatar(avatar), camera, light or studio_light(), params or RenderParams())
    posed = shot.pose(weights, rotations)
    return shot.encode(shot.draw(posed, shot.boxes(posed)))


def render_faces(
    avatar: Avatar,
    camera: Camera,
    faces: Sequence[Float32[np.ndarray, "K"]],
    *,
    light: Light | None = None,
    params: RenderParams | None = None,
) -> list[UInt8[np.ndarray, "H W 3"]]:
    """One picture per set of weights, as render_avatar draws them; what none of the weights moves is drawn once."""
    shot = _Shot(stage_avatar(avatar), camera, light or studio_light(), params or RenderParams())
    rest = shot.pose()
    rest_boxes = shot.boxes(rest)
    whole = shot.draw(rest, rest_boxes)

    def draw(face: Float32[np.ndarray, "K"]) -> UInt8[np.ndarray, "H W 3"]:
        posed = shot.pose(face, near=rest)
        boxes = shot.boxes(posed)
        differing = posed.differs_from(rest, shot.pixel_m)[shot.stage.triangles].any(axis=1)
        pixels = pixels_in(np.concatenate([rest_boxes[differing], boxes[differing]]), camera)
        return shot.encode(np.where(pixels[..., None], shot.draw(posed, boxes, pixels), whole))

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(draw, faces))


def render_linear(
    avatar: Avatar,
    camera: Camera,
    *,
    weights: Float32[np.ndarray, "K"] | None = None,
    rotations: Mapping[str, Float32[np.ndarray, "4"]] | None = None,
    light: Light | None = None,
    params: RenderParams | None = None,
) -> LinearPicture:
    """As render_avatar, before the background and sRGB."""
    shot = _Shot(stage_avatar(avatar), camera, light or studio_light(), params or RenderParams())
    posed = shot.pose(weights, rotations)
    drawn = shot.draw(posed, shot.boxes(posed))
    return LinearPicture(drawn[..., :3], drawn[..., 3])


@dataclass(frozen=True, eq=False)
class _Shot:
    """What pictures through one camera share."""

    stage: Stage
    camera: Camera
    light: Light
    params: RenderParams

    @cached_property
    def pixel_m(self) -> float:
        """The width of a pixel on the avatar."""
        depth_m = float(self.camera.view(self.stage.positions)[:, 2].mean())
        return depth_m / self.camera.focal_px

    def pose(
        self,
        weights: Float32[np.ndarray, "K"] | None = None,
        rotations: Mapping[str, Float32[np.ndarray, "4"]] | None = None,
        *,
        near: Posed | None = None,
    ) -> Posed:
        """The stage in a pose, or near another one."""
        eye = self.camera.position_m
        return pose_stage(self.stage, weights, rotations or {}, eye, sky=self._sky, near=near, pixel_m=self.pixel_m)

    @property
    def _sky(self) -> Sky | None:
        rays = self.params.occlusion_rays
        if self.params.exact or rays == 0:
            return None
        if rays is None:
            return COARSE if self._thumbnail else FINE
        return replace(FINE, rays=rays)

    def boxes(self, posed: Posed) -> Int32[np.ndarray, "F 4"]:
        """The pixels around each triangle."""
        return rectangles_of(self.camera, posed.vertices, self.stage.triangles)

    def draw(
        self, posed: Posed, boxes: Int32[np.ndarray, "F 4"], pixels: Bool[np.ndarray, "H W"] | None = None
    ) -> Float32[np.ndarray, "H W 4"]:
        """Premultiplied linear RGB and coverage, in the pixels chosen (all when None) and zero elsewhere."""
        if pixels is None:
            pixels = pixels_in(boxes, self.camera)
        picture = np.zeros((*pixels.shape, 4), np.float32)
        if not pixels.any():
            return picture
        shown = touching(boxes, pixels)
        tracer = make_tracer(
            self.stage,
            posed,
            shown,
            self.camera.position_m,
            self.light,
            self._levels,
            exact=self.params.exact,
            relief=not self.params.exact and not self._thumbnail,
        )
        n = self.params.samples

        def average(band: Int32[np.ndarray, "N 2"]) -> Float32[np.ndarray, "N 4"]:
            rays = tracer.trace(self.camera.position_m, _directions(self.camera, band, n))
            return rays.reshape(-1, n * n, 4).mean(axis=1)

        places = np.argwhere(pixels).astype(np.int32)
        bands = np.array_split(places, -(-len(places) // _PIXELS_PER_BAND))
        with ThreadPoolExecutor(_THREADS) as pool:  # numpy and Embree release Python's lock
            picture[pixels] = np.concatenate(list(pool.map(average, bands)))
        return picture

    def encode(self, picture: Float32[np.ndarray, "H W 4"]) -> UInt8[np.ndarray, "H W 3"]:
        """Over the background, as sRGB."""
        return srgb_from_linear(picture[..., :3] + (1 - picture[..., 3:]) * _linear(self.params.background))

    @property
    def _thumbnail(self) -> bool:
        return self.camera.width_px < _THUMBNAIL_PX

    @cached_property
    def _levels(self) -> Int32[np.ndarray, "M"]:
        return _texture_levels(self.stage, self.camera, self.params.samples)


@lru_cache(maxsize=8)
def _linear(colour: tuple[int, int, int]) -> Float32[np.ndarray, "3"]:
    return LINEAR_FROM_SRGB[np.array(colour)]


def _directions(camera: Camera, pixels: Int32[np.ndarray, "N 2"], samples: int) -> Float32[np.ndarray, "R 3"]:
    """Unit directions from the eye, samples x samples through each pixel (row, column), pixel by pixel."""
    step = (np.arange(samples, dtype=np.float32) + np.float32(0.5)) / samples
    down, across = np.meshgrid(step, step, indexing="ij")
    centred = (pixels[:, ::-1].astype(np.float32) - camera.principal_px)[..., None]
    x, y = (centred + np.stack([across.ravel(), down.ravel()])).swapaxes(0, 1) / np.float32(camera.focal_px)
    inverse = 1 / np.sqrt(x * x + y * y + 1)
    directions = np.stack([x * inverse, y * inverse, inverse], axis=-1).reshape(-1, 3)
    return directions @ matrix_from_quaternion(camera.rotation_wxyz)


def _texture_levels(stage: Stage, camera: Camera, samples: int) -> Int32[np.ndarray, "M"]:
    """Per mesh the pyramid level at which texels are about as large as the samples that see them at rest."""
    pixels = camera.project(stage.positions)[stage.triangles]
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
