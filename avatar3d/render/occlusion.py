"""How open a surface is to the sky: what darkens eye sockets and mouths."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.render.raycast import Scene
from avatar3d.render.stage import unit


@dataclass(frozen=True)
class Sky:
    """How openness is asked for."""

    rays: int
    """Per vertex."""
    reach_m: float
    """What lies further off hides nothing."""


FINE: Final = Sky(rays=24, reach_m=0.035)
"""Deep enough to darken the mouth and the eye sockets, short of the chin's shadow on the neck."""
COARSE: Final = Sky(rays=8, reach_m=0.018)
"""For thumbnails: half the triangles are near enough."""
_SURFACE_OFFSET_M = 2e-4


def vertex_openness(
    solid: Scene,
    vertices: Float32[np.ndarray, "V 3"],
    normals: Float32[np.ndarray, "V 3"],
    chosen: Int32[np.ndarray, "N"],
    sky: Sky,
) -> Float32[np.ndarray, "N"]:
    """Share of cosine-distributed rays that get away, per chosen vertex (the same directions for all: no noise)."""
    unique, place = np.unique(chosen, return_inverse=True)
    rays = sky.rays
    index = np.arange(rays) + 0.5
    radius, angle = np.sqrt(index / rays), index * 2.399963  # sunflower: golden-angle spiral
    local = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - index / rays)], axis=1)
    n = normals[unique]
    side = unit(np.cross(n, np.where(np.abs(n[:, 1:2]) > 0.9, [[1.0, 0, 0]], [[0, 1.0, 0]])).astype(np.float32))
    frames = np.stack([side, np.cross(n, side), n], axis=1)
    directions = np.matmul(local.astype(np.float32), frames).reshape(-1, 3)
    origins = np.repeat(vertices[unique] + _SURFACE_OFFSET_M * n, rays, axis=0)
    blocked = solid.blocked(origins, directions, sky.reach_m).reshape(-1, rays)
    return (1 - np.count_nonzero(blocked, axis=1) / rays)[place].astype(np.float32)
