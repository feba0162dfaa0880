"""The splats' look for engines without splats: what they change is written into the textures of face and hair.

cloud and mesh, albedo alone, from virtual cameras --log ratio, pixel by pixel--> scattered over the atlas --> textures
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from avatar3d.core.avatar import Avatar, Mesh, Texture
from avatar3d.core.photo import Camera
from avatar3d.core.splats import SplatCloud
from avatar3d.render.blend import blend_corners
from avatar3d.render.first_hit import first_hits
from avatar3d.render.lights import ambient_light
from avatar3d.render.pose import pose_stage
from avatar3d.render.preview import RenderParams, render_linear
from avatar3d.render.splats import Hiding, SplatRenderer
from avatar3d.render.stage import LINEAR_FROM_SRGB, srgb_from_linear, stage_avatar, unit
from avatar3d.splat.bind import frames_of, place
from avatar3d.splat.draw import REACH_M, show
from avatar3d.splat.fill import turned
from avatar3d.splat.look import Look

_PARTS: Final = ("face", "hair")
_YAWS_DEG: Final = (0.0, -35.0, 35.0)
"""Of the virtual cameras, from the photo's."""
_PX: Final = 1024
_WHITE: Final = ambient_light((1.0, 1.0, 1.0))
_EXACT: Final = RenderParams(exact=True)
_DARKEST: Final = np.float32(0.004)
"""Linear; darker albedo is not divided by."""
_FULL: Final = 0.12
"""Weight from which a texel takes all of what was seen of it; less of it with less."""
_SMOOTH_PX: Final = 0.5
"""Between the samples that fall on an atlas of 1024."""
_MOST: Final = 1.0
"""Natural logarithm by which a texel is changed at most."""
_SLOW: Final = 0.04
"""Atlas edges: what changes more slowly over the face than this is light, which is not albedo."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """One virtual camera's picture, pixel by pixel."""

    mesh: UInt8[np.ndarray, "N"]
    """Which of _PARTS."""
    uv: Float32[np.ndarray, "N 2"]
    ratio: Float32[np.ndarray, "N 3"]
    """Logarithm of the albedo with splats over that without."""
    weight: Float32[np.ndarray, "N"]


def bake(avatar: Avatar, cloud: SplatCloud, look: Look, renderer: SplatRenderer, *, skin: bool = False) -> Avatar:
    """The same avatar, the texture of its hair as the splats show it; geometry is not touched.

    With `skin` the face's too: nearer to the photo, but creases of a smile and gloss, which the skin's own recovery took
    out, come back and stay on a calm face.
    """
    parts = _PARTS if skin else _PARTS[1:]
    seen = [_see(avatar, cloud, look, turned(look.camera, np.deg2rad(yaw), _PX), renderer) for yaw in _YAWS_DEG]
    return replace(avatar, meshes=tuple(_painted(mesh, seen) if mesh.name in parts else mesh for mesh in avatar.meshes))


def _see(avatar: Avatar, cloud: SplatCloud, look: Look, camera: Camera, renderer: SplatRenderer) -> _Seen:
    stage = stage_avatar(avatar)
    posed = pose_stage(stage, look.weights, {}, camera.position_m, sky=None, pixel_m=1e-3)
    hits = first_hits(stage, posed.vertices, camera)
    bare = render_linear(avatar, camera, weights=look.weights, light=_WHITE, params=_EXACT)
    frames = frames_of(posed.vertices, stage.triangles, cloud.triangle)
    drawn = renderer.draw(
        place(cloud, frames, show(cloud, stage, posed, camera, None)), camera, Hiding(hits.depth_m, REACH_M)
    )
    albedo = bare.colour / np.maximum(bare.coverage, np.float32(1e-3))[..., None]
    both = drawn.colour + (1 - drawn.coverage)[..., None] * albedo
    ratio = np.log(np.maximum(both, _DARKEST) / np.maximum(albedo, _DARKEST))
    names = [surface.material.name for surface in stage.surfaces]
    part = np.array([_PARTS.index(name) if name in _PARTS else len(_PARTS) for name in names], np.uint8)
    kind = part[stage.triangle_mesh[hits.triangle]]
    here = (hits.triangle >= 0) & (kind < len(_PARTS)) & (bare.coverage > 0.99)
    corners, share = stage.triangles[hits.triangle[here]], hits.barycentric[here]
    toward = unit(camera.position_m - blend_corners(posed.vertices, corners, share))
    cosine = np.abs(np.einsum("nc,nc->n", unit(blend_corners(posed.normals, corners, share)), toward))
    return _Seen(
        kind[here],
        blend_corners(stage.uvs, corners, share),
        np.clip(ratio[here], -_MOST, _MOST).astype(np.float32),
        (cosine**4 * drawn.coverage[here]).astype(np.float32),
    )


def _painted(mesh: Mesh, seen: Sequence[_Seen]) -> Mesh:
    texture = mesh.material.base_colour
    if texture is None:
        return mesh
    height, width = texture.pixels.shape[:2]
    sums = np.zeros((height, width, 4), np.float32)
    for view in seen:
        own = view.mesh == _PARTS.index(mesh.name)
        uv = view.uv[own]
        row = np.clip(uv[:, 1] * height, 0, height - 1).astype(np.int32)
        column = np.clip(uv[:, 0] * width, 0, width - 1).astype(np.int32)
        columns = np.concatenate([view.ratio[own], np.ones((int(own.sum()), 1), np.float32)], axis=1)
        columns *= view.weight[own, None]
        for channel in range(4):
            plane = np.bincount(row * width + column, columns[:, channel], height * width)
            sums[..., channel] += plane.reshape(height, width).astype(np.float32)
    smooth = _SMOOTH_PX * width / 1024
    told = np.asarray(cv2.GaussianBlur(sums, (0, 0), smooth), np.float32)
    weight = np.clip(told[..., 3] / _FULL, 0, 1)
    ratio = told[..., :3] / np.maximum(told[..., 3:], np.float32(1e-6))
    if mesh.name == "face":
        ratio = ratio - _slow(ratio, weight, _SLOW * width)
    linear = LINEAR_FROM_SRGB[texture.pixels[..., :3]] * np.exp(weight[..., None] * ratio)
    pixels = np.concatenate([srgb_from_linear(linear), texture.pixels[..., 3:]], axis=2)
    return replace(mesh, material=replace(mesh.material, base_colour=Texture(texture.name, pixels)))


def _slow(
    ratio: Float32[np.ndarray, "H W 3"], weight: Float32[np.ndarray, "H W"], sigma_px: float
) -> Float32[np.ndarray, "H W 3"]:
    """What changes slowly, over the texels that were seen."""
    blurred = cv2.GaussianBlur(ratio * weight[..., None], (0, 0), sigma_px)
    return np.asarray(blurred / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma_px), 1e-6)[..., None], np.float32)
