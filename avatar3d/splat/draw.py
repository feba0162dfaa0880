"""The picture of an avatar with its splats, in any pose, from anywhere."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.avatar import Avatar
from avatar3d.core.photo import Camera, Light
from avatar3d.core.splats import SplatCloud
from avatar3d.render.first_hit import first_hits
from avatar3d.render.pose import Posed, pose_stage
from avatar3d.render.preview import LinearPicture, RenderParams, render_linear
from avatar3d.render.splats import Hiding, SplatRenderer
from avatar3d.render.stage import Stage, stage_avatar, unit
from avatar3d.splat.bind import Shown, frames_of, place

REACH_M: Final = 0.004
"""Splats this far behind the mesh's surface are still drawn: they lie along it, and only their centres' depth is known."""
_FACING: Final = 0.2
"""Cosine from which a splat of a one-sided surface is wholly there."""


def draw_with_splats(
    avatar: Avatar,
    cloud: SplatCloud,
    camera: Camera,
    renderer: SplatRenderer,
    *,
    light: Light,
    weights: Float32[np.ndarray, "K"] | None = None,
    rotations: Mapping[str, Float32[np.ndarray, "4"]] | None = None,
    params: RenderParams | None = None,
) -> LinearPicture:
    """Linear, premultiplied: the mesh as render_linear draws it, and over it the splats that it does not hide.

    Pose as in render_avatar; splats have albedo and light and nothing else (no gloss, no occlusion).
    """
    stage = stage_avatar(avatar)
    mesh = render_linear(avatar, camera, weights=weights, rotations=rotations, light=light, params=params)
    posed = pose_stage(stage, weights, rotations or {}, camera.position_m, sky=None, pixel_m=1e-3)
    frames = frames_of(posed.vertices, stage.triangles, cloud.triangle)
    gaussians = place(cloud, frames, show(cloud, stage, posed, camera, light))
    hiding = Hiding(first_hits(stage, posed.vertices, camera).depth_m, REACH_M)
    drawn = renderer.draw(gaussians, camera, hiding)
    left = 1 - drawn.coverage
    return LinearPicture(drawn.colour + left[..., None] * mesh.colour, drawn.coverage + left * mesh.coverage)


def show(cloud: SplatCloud, stage: Stage, posed: Posed, camera: Camera, light: Light | None) -> Shown:
    """The light on the mesh's own normal at each splat, on the side that the camera sees (ones when None), and whether it
    faces the camera: splats of one-sided surfaces fade when those turn away, or they would stand out beyond the outline.
    """
    corners = stage.triangles[cloud.triangle]
    normal = unit(np.einsum("sk,skc->sc", cloud.barycentric, posed.normals[corners]))
    there = np.einsum("sk,skc->sc", cloud.barycentric, posed.vertices[corners])
    cosine = np.einsum("sc,sc->s", normal, unit(camera.position_m - there))
    two_sided = np.array([surface.material.double_sided for surface in stage.surfaces])
    way = np.clip(cosine / np.float32(_FACING), 0, 1)
    facing = np.where(two_sided[stage.triangle_mesh[cloud.triangle]], 1, way * way * (3 - 2 * way))
    if light is None:
        return Shown(np.ones_like(normal), facing.astype(np.float32))
    falling = light.shade(np.where(cosine[:, None] < 0, -normal, normal).astype(np.float32))
    return Shown(falling, facing.astype(np.float32))
