"""Splats that were trained elsewhere are bound to an avatar: each to the triangle that it is nearest to.

Gaussians --in_world, when a trainer moved them--> Gaussians --attach--> RestSplats
"""

from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy.spatial import KDTree

from avatar3d.core.splats import Gaussians, RestSplats
from avatar3d.core.transforms import quaternion_from_matrix
from avatar3d.render.stage import Stage
from avatar3d.splat.bind import turned_by

_NEAR: Final = 24
"""Triangles looked at for each splat: those with the nearest middles."""
_WIDEST_M: Final = 0.05
"""A splat wider than this is of the room."""


def in_world(
    trained: Gaussians, turn: Float64[np.ndarray, "3 3"], shift: Float64[np.ndarray, "3"], scale: float
) -> Gaussians:
    """Gaussians before a trainer moved its world: trained = scale * (turn world + shift)."""
    return Gaussians(
        mean=((trained.mean / scale - shift) @ turn).astype(np.float32),
        rotation_wxyz=turned_by(quaternion_from_matrix(turn.T.astype(np.float32)), trained.rotation_wxyz),
        scale=(trained.scale / np.float32(scale)).astype(np.float32),
        colour=trained.colour,
        opacity=trained.opacity,
    )


def nearest(
    points: Float32[np.ndarray, "S 3"], stage: Stage
) -> tuple[Int32[np.ndarray, "S"], Float64[np.ndarray, "S"]]:
    """Of each point the nearest triangle, of the _NEAR with the nearest middles, and how far it is, metres."""
    corners = stage.positions[stage.triangles]
    _, near = KDTree(corners.mean(axis=1)).query(points, k=min(_NEAR, len(corners)))
    near = np.atleast_2d(near).reshape(len(points), -1)
    distance = np.stack([_distances(points, corners[column]) for column in near.T], axis=1)
    best, rows = distance.argmin(axis=1), np.arange(len(near))
    return near[rows, best].astype(np.int32), distance[rows, best]


def attach(gaussians: Gaussians, stage: Stage, *, reach_m: float) -> RestSplats:
    """What lies within reach of the resting avatar's surface, on its nearest triangle; the rest is left out.

    Gaussians in the avatar's frame, metres.
    """
    triangle, distance = nearest(gaussians.mean, stage)
    kept = (distance <= reach_m) & (gaussians.scale.max(axis=1) <= _WIDEST_M)
    return RestSplats(
        Gaussians(
            gaussians.mean[kept],
            gaussians.rotation_wxyz[kept],
            gaussians.scale[kept],
            gaussians.colour[kept],
            gaussians.opacity[kept],
        ),
        triangle[kept],
    )


def _distances(points: Float32[np.ndarray, "S 3"], corners: Float32[np.ndarray, "S 3 3"]) -> Float64[np.ndarray, "S"]:
    """From each point to its triangle (Ericson, "Real-Time Collision Detection", 2005, section 5.1.5: inside, or an edge)."""
    p, (a, b, c) = points.astype(np.float64), corners.astype(np.float64).transpose(1, 0, 2)
    across = np.cross(b - a, c - a)
    area = np.maximum(np.einsum("sc,sc->s", across, across), 1e-30)
    height = np.einsum("sc,sc->s", p - a, across)
    foot = p - (height / area)[:, None] * across
    inside = np.ones(len(p), bool)
    least = np.full(len(p), np.inf)
    for start, end in ((a, b), (b, c), (c, a)):
        side = end - start
        inside &= np.einsum("sc,sc->s", np.cross(side, foot - start), across) >= 0
        share = np.einsum("sc,sc->s", p - start, side) / np.maximum(np.einsum("sc,sc->s", side, side), 1e-30)
        least = np.minimum(least, np.linalg.norm(p - start - np.clip(share, 0, 1)[:, None] * side, axis=1))
    return np.where(inside, np.abs(height) / np.sqrt(area), least)
