"""Where splats begin: one for every few pixels of what a photo shows of face and hair, lying flat on the mesh."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Int32
from scipy.spatial import KDTree

from avatar3d.core.photo import Camera
from avatar3d.core.splats import SplatCloud
from avatar3d.core.transforms import IDENTITY_WXYZ
from avatar3d.render.first_hit import FirstHits
from avatar3d.render.pose import Posed
from avatar3d.render.stage import Stage, unit
from avatar3d.splat.bind import frames_of
from avatar3d.splat.look import Look

SCALE_LIMIT: Final = 0.6
"""Triangle sizes (Qian et al., "GaussianAvatars", 2024, section 3.3)."""
_WIDTH: Final = 0.6
"""Standard deviation over the distance to the next splat: neighbours overlap, and details survive."""
FLAT: Final = 0.1
"""Thickness over the lesser width."""
NARROWEST: Final = 0.02
"""Triangle sizes."""
_LEAST_COSINE: Final = 0.12
"""What is seen more aslant than this is left to the mesh."""
_OPACITY: Final = 0.6
_SEED: Final = 7
_APART_M: Final = 0.004
_BETTER: Final = 0.25


@dataclass(frozen=True, eq=False)
class Sown:
    """A cloud and what the photos know of each splat."""

    cloud: SplatCloud
    confidence: Float32[np.ndarray, "S"]
    """Cosine of the angle between surface and line of sight in the look that sowed it."""
    on_hair: Bool[np.ndarray, "S"]
    frozen: Bool[np.ndarray, "S"]
    """Not to be learnt: no photo shows it."""


def sow_looks(stage: Stage, looks: Sequence[Look], *, count: int) -> Sown:
    """About `count` splats, evenly over what looks show of face and hair; the same looks give the same splats.

    Each place is sown by the look that sees it most squarely, the first one's by right unless another sees it better by
    _BETTER.
    """
    parts: list[Sown] = []
    for look in looks:
        part = sow_hits(stage, look.posed, look.camera, look.hits, look.albedo, look.believed > 0.5, count=count)
        if parts:
            before = joined(parts)
            distance, near = KDTree(rest_places(stage, before.cloud)).query(rest_places(stage, part.cloud))
            new = (np.asarray(distance) > _APART_M) | (part.confidence > before.confidence[near] + _BETTER)
            part = chosen(part, new)
        parts.append(part)
    return joined(parts)


def sow_hits(
    stage: Stage,
    posed: Posed,
    camera: Camera,
    hits: FirstHits,
    albedo: Float32[np.ndarray, "H W 3"],
    where: Bool[np.ndarray, "H W"],
    *,
    count: int,
) -> Sown:
    """About `count` splats over the pixels `where` the mesh of face or hair is met, in the colour it has there (linear)."""
    names = np.array([surface.material.name for surface in stage.surfaces])
    there = where & (hits.triangle >= 0) & np.isin(names, ("face", "hair"))[stage.triangle_mesh[hits.triangle]]
    spacing = float(np.sqrt(max(int(there.sum()), 1) / count))
    rows, columns = _jittered(there.shape, max(spacing, 1.0))
    kept = there[rows, columns]
    rows, columns = rows[kept], columns[kept]
    triangle, share = hits.triangle[rows, columns], hits.barycentric[rows, columns]
    frames = frames_of(posed.vertices, stage.triangles, triangle)
    toward = unit(camera.position_m - np.einsum("sk,skc->sc", share, frames.corners))
    cosine = np.abs(np.einsum("sc,sc->s", frames.normal, toward))
    width_m = np.float32(_WIDTH * spacing) * hits.depth_m[rows, columns] / np.float32(camera.focal_px)
    width = width_m / np.sqrt(np.maximum(cosine, _LEAST_COSINE)) / frames.size_m
    width = np.clip(width, np.float32(NARROWEST), np.float32(SCALE_LIMIT))
    good = cosine > _LEAST_COSINE
    number = int(good.sum())
    cloud = SplatCloud(
        triangle=triangle[good],
        barycentric=share[good],
        offset=np.zeros(number, np.float32),
        rotation_wxyz=np.tile(IDENTITY_WXYZ, (number, 1)),
        scale=(width[good, None] * np.array([1, 1, FLAT], np.float32)).astype(np.float32),
        colour=np.clip(albedo[rows, columns][good], np.float32(1e-3), np.float32(1)),
        opacity=np.full(number, _OPACITY, np.float32),
    )
    on_hair = (names == "hair")[stage.triangle_mesh[cloud.triangle]]
    return Sown(cloud, cosine[good].astype(np.float32), on_hair, np.zeros(number, bool))


def chosen(sown: Sown, kept: Bool[np.ndarray, "S"] | Int32[np.ndarray, "N"]) -> Sown:
    """Some of the splats."""
    cloud = SplatCloud(*(getattr(sown.cloud, field.name)[kept] for field in fields(SplatCloud)))
    return Sown(cloud, sown.confidence[kept], sown.on_hair[kept], sown.frozen[kept])


def joined(parts: Sequence[Sown]) -> Sown:
    """All of them, in order."""
    columns = {
        field.name: np.concatenate([getattr(part.cloud, field.name) for part in parts]) for field in fields(SplatCloud)
    }
    confidence, on_hair, frozen = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("confidence", "on_hair", "frozen")
    )
    return Sown(SplatCloud(**columns), confidence, on_hair, frozen)


def rest_places(stage: Stage, cloud: SplatCloud) -> Float32[np.ndarray, "S 3"]:
    """Where splats lie on the resting avatar, metres: the same for looks with different expressions."""
    corners = stage.positions[stage.triangles[cloud.triangle]]
    return np.einsum("sk,skc->sc", cloud.barycentric, corners).astype(np.float32)


def _jittered(shape: tuple[int, int], spacing: float) -> tuple[Int32[np.ndarray, "N"], Int32[np.ndarray, "N"]]:
    """Pixels (rows, columns) about `spacing` apart, not in lines."""
    rng = np.random.default_rng(_SEED)
    down, across = (int(extent / spacing) for extent in shape)
    places = np.stack(np.meshgrid(np.arange(down), np.arange(across), indexing="ij"), axis=-1).reshape(-1, 2)
    rows, columns = ((places + rng.uniform(0, 1, places.shape)) * spacing).astype(np.int32).T
    return rows, columns
