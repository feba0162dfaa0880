"""A head of nothing but splats, for programs that know no meshes: the cloud, and under it the mesh's own surface as splats.

Avatar --cover--> opaque splats in the textures' colours;  with the cloud over them, in the studio's light --still--> Gaussians
"""

from dataclasses import fields
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.avatar import Avatar
from avatar3d.core.photo import Light
from avatar3d.core.splats import Gaussians, SplatCloud
from avatar3d.core.transforms import IDENTITY_WXYZ
from avatar3d.render.splats import LEAST_ALPHA
from avatar3d.render.stage import Stage, stage_avatar, unit
from avatar3d.splat.bind import Shown, frames_of, place

COVER_SPLATS: Final = 80_000
"""Two millimetres apart on a bust with hair; a photo's details are in the cloud over them."""
_WIDTH: Final = 0.7
"""Standard deviation over the mean distance of neighbours: closed, since splats that lie at random leave gaps."""
_FLAT: Final = 0.1
_OPACITY: Final = 0.98
_UNDER_M: Final = 0.0015
"""So far below the surface of face and hair, or splats that lie on it would be half hidden."""
_UNDERNEATH: Final = ("face", "hair")
_LEAST_ALPHA: Final = 0.5
"""Of a texture: less is a gap between strands."""
_PLASTIC: Final = (0.7548776662466927, 0.5698402909980532)
"""Steps that fill a square evenly (Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018)."""


def seen_only(cloud: SplatCloud) -> SplatCloud:
    """Without splats so faint that no rasteriser draws them."""
    kept = cloud.opacity >= np.float32(LEAST_ALPHA)
    return SplatCloud(*(getattr(cloud, field.name)[kept] for field in fields(SplatCloud)))


def still(avatar: Avatar, cloud: SplatCloud, light: Light, *, count: int = COVER_SPLATS) -> Gaussians:
    """The resting head in that light (linear RGB, metres): `count` splats of its surface and those of the cloud."""
    stage = stage_avatar(avatar)
    both = [cover(stage, count), cloud]
    whole = SplatCloud(*(np.concatenate([getattr(each, field.name) for each in both]) for field in fields(SplatCloud)))
    normal = unit(np.einsum("sk,skc->sc", whole.barycentric, stage.normals[stage.triangles[whole.triangle]]))
    shown = Shown(light.shade(normal.astype(np.float32)), np.ones(len(normal), np.float32))
    return place(whole, frames_of(stage.positions, stage.triangles, whole.triangle), shown)


def cover(stage: Stage, count: int) -> SplatCloud:
    """About `count` opaque splats, evenly over all surfaces, in the colours of their textures; none where those are clear."""
    corners = stage.positions[stage.triangles].astype(np.float64)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    steps = np.arange(count)
    until = np.cumsum(areas)
    triangle = np.searchsorted(until, (steps + 0.5) / count * until[-1]).clip(max=len(areas) - 1).astype(np.int32)
    second, third = ((0.5 + step * steps) % 1 for step in _PLASTIC)
    folded = second + third > 1
    second, third = np.where(folded, 1 - second, second), np.where(folded, 1 - third, third)
    share = np.stack([1 - second - third, second, third], axis=1).astype(np.float32)
    colour, alpha = _painted(stage, triangle, share)
    frames = frames_of(stage.positions, stage.triangles, triangle)
    width = np.float32(_WIDTH * np.sqrt(until[-1] / count)) / frames.size_m
    names = np.array([surface.material.name for surface in stage.surfaces])
    under = np.isin(names, _UNDERNEATH)[stage.triangle_mesh[triangle]]
    kept = alpha >= _LEAST_ALPHA
    return SplatCloud(
        triangle=triangle[kept],
        barycentric=share[kept],
        offset=np.where(under, -np.float32(_UNDER_M) / frames.size_m, np.float32(0))[kept].astype(np.float32),
        rotation_wxyz=np.tile(IDENTITY_WXYZ, (int(kept.sum()), 1)),
        scale=(width[:, None] * np.array([1, 1, _FLAT], np.float32))[kept].astype(np.float32),
        colour=colour[kept],
        opacity=np.full(int(kept.sum()), _OPACITY, np.float32),
    )


def _painted(
    stage: Stage, triangle: Int32[np.ndarray, "S"], share: Float32[np.ndarray, "S 3"]
) -> tuple[Float32[np.ndarray, "S 3"], Float32[np.ndarray, "S"]]:
    """Base colour (linear) and alpha of the materials there; of textures the nearest texel, which is finer than a splat."""
    uvs = np.einsum("sk,skc->sc", share, stage.uvs[stage.triangles[triangle]]).astype(np.float32)
    rgba = np.ones((len(triangle), 4), np.float32)
    for number, surface in enumerate(stage.surfaces):
        here = stage.triangle_mesh[triangle] == number
        if surface.colour and here.any():
            finest = surface.colour[0]
            size = np.array(finest.shape[1::-1])
            column, row = np.clip((uvs[here] * size).astype(np.int32), 0, size - 1).T
            rgba[here] = finest[row, column]
        rgba[here] *= np.asarray(surface.material.colour_factor, np.float32)
    return rgba[:, :3], rgba[:, 3]
