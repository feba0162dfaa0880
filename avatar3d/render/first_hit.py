"""What each pixel's ray meets first, cut-outs looked through: the surface that hides, and that splats are sown on."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Int32

from avatar3d.core.photo import Camera
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.render.blend import blend_corners
from avatar3d.render.raycast import Scene
from avatar3d.render.stage import Stage

_LAYERS: Final = 24
"""Cut-out surfaces that a ray passes at most; locks of hair lie up to a dozen deep."""
_STEP_M: Final = 2e-6


@dataclass(frozen=True, eq=False)
class FirstHits:
    """One hit per pixel."""

    triangle: Int32[np.ndarray, "H W"]
    """Of the stage; -1 where there is nothing."""
    barycentric: Float32[np.ndarray, "H W 3"]
    depth_m: Float32[np.ndarray, "H W"]
    """Along the camera's axis; infinite where there is nothing."""


def first_hits(stage: Stage, vertices: Float32[np.ndarray, "V 3"], camera: Camera) -> FirstHits:
    """Through the middle of each pixel; `vertices` is the posed stage, metres. What is blended (lenses) is no surface."""
    height, width = camera.height_px, camera.width_px
    shown = np.array([surface.material.alpha_mode != "BLEND" for surface in stage.surfaces])[stage.triangle_mesh]
    chosen = np.flatnonzero(shown).astype(np.int32)
    scene = Scene(vertices, stage.triangles[chosen])
    across, down = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    inside = np.stack([across.ravel(), down.ravel()], axis=1) - camera.principal_px
    rays = np.concatenate([inside / camera.focal_px, np.ones((len(inside), 1))], axis=1)  # length 1 along the axis
    directions = (rays @ matrix_from_quaternion(camera.rotation_wxyz)).astype(np.float32)
    triangle = np.full(len(rays), -1, np.int32)
    barycentric, depth = np.zeros((len(rays), 3), np.float32), np.zeros(len(rays), np.float32)
    open_rays, origin = np.arange(len(rays)), camera.position_m
    for _ in range(_LAYERS):
        toward = directions[open_rays]
        hits = scene.cast(origin + toward * depth[open_rays, None], toward)
        met = hits.triangle >= 0
        open_rays, share = open_rays[met], hits.barycentric[met]
        depth[open_rays] += hits.distance[met]
        found = chosen[hits.triangle[met]]
        there = _is_there(stage, found, share)
        triangle[open_rays[there]], barycentric[open_rays[there]] = found[there], share[there]
        open_rays = open_rays[~there]
        depth[open_rays] += np.float32(_STEP_M)
        if not len(open_rays):
            break
    depth[triangle < 0] = np.inf
    shape = height, width
    return FirstHits(triangle.reshape(shape), barycentric.reshape(*shape, 3), depth.reshape(shape))


def _is_there(
    stage: Stage, triangles: Int32[np.ndarray, "N"], share: Float32[np.ndarray, "N 3"]
) -> Bool[np.ndarray, "N"]:
    """Whether the material is not cut out at these places (nearest texel)."""
    there = np.ones(len(triangles), bool)
    meshes = stage.triangle_mesh[triangles]
    for mesh in np.flatnonzero(np.bincount(meshes)):
        surface = stage.surfaces[mesh]
        if surface.material.alpha_mode != "MASK" or not surface.colour:
            continue
        own = np.flatnonzero(meshes == mesh)
        uvs = blend_corners(stage.uvs, stage.triangles[triangles[own]], share[own])
        alpha = surface.colour[0][..., 3]
        height, width = alpha.shape
        column = ((uvs[:, 0] - np.floor(uvs[:, 0])) * width).astype(np.int32).clip(0, width - 1)
        row = ((uvs[:, 1] - np.floor(uvs[:, 1])) * height).astype(np.int32).clip(0, height - 1)
        there[own] = alpha[row, column] >= surface.material.alpha_cutoff
    return there
