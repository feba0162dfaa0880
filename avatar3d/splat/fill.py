"""What no photo shows takes after what one does: hidden splats beside the seen ones, coloured by neighbours and mirror.

seen splats: learnt albedo over the mesh's --smoothed over neighbours, both sides of the face--> hidden splats' albedo
"""

from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32
from scipy.spatial import KDTree

from avatar3d.core.avatar import Avatar
from avatar3d.core.photo import Camera
from avatar3d.core.splats import SplatCloud
from avatar3d.core.transforms import matrix_from_quaternion, quaternion_from_matrix
from avatar3d.render.first_hit import first_hits
from avatar3d.render.lights import ambient_light
from avatar3d.render.preview import RenderParams, render_linear
from avatar3d.render.stage import Stage, stage_avatar
from avatar3d.splat.look import Look
from avatar3d.splat.sow import Sown, chosen, joined, rest_places, sow_hits

_YAWS_DEG: Final = (0.0, -60.0, 60.0)
"""From there hidden places are looked for, and from the photo those where it is not believed; positive: the person's left."""
_PX: Final = 256
_APART_M: Final = 0.003
"""A place nearer to a seen splat than this is not hidden."""
_REACH_M: Final = 0.03
"""How far colours are carried: hidden splats fade over this distance from the seen ones."""
_SQUARELY: Final = 0.4
"""Least cosine under which a place is met: near the outline splats would reach beyond it."""
_NEIGHBOURS: Final = 24
_SOFT_M: Final = 0.012
_ASLANT: Final = (0.4, 0.7)
"""Cosines: below the first a splat has its neighbours' colour alone, above the second its own."""
_MIRRORED: Final = 0.5
"""Weight of what is seen on the other side of the face: hair and light differ there."""
_FAINTEST: Final = np.float32(0.003)
_POWER: Final = 4
"""Of the confidence by which a splat counts."""


def fill(avatar: Avatar, look: Look, sown: Sown, learnt: SplatCloud, *, count: int) -> Sown:
    """About `count` hidden splats at most, to be frozen: on face and hair, within reach of what the look shows."""
    stage = stage_avatar(avatar)
    seen = rest_places(stage, learnt)
    parts: list[Sown] = []
    for yaw in _YAWS_DEG:
        camera = turned(look.camera, np.deg2rad(yaw), _PX)
        hits = first_hits(stage, look.posed.vertices, camera)
        bare = render_linear(
            avatar, camera, weights=look.weights, light=ambient_light((1.0, 1.0, 1.0)), params=RenderParams(exact=True)
        )
        albedo = bare.colour / np.maximum(bare.coverage, np.float32(1 / 255))[..., None]
        parts.append(
            sow_hits(stage, look.posed, camera, hits, albedo, hits.triangle >= 0, count=count // len(_YAWS_DEG))
        )
    return joined([_beside(stage, part, seen, sown, learnt) for part in parts])


def settle(stage: Stage, sown: Sown, learnt: SplatCloud) -> tuple[Sown, SplatCloud]:
    """Splats seen aslant take after their neighbours, and the most aslant are frozen so: what they learnt is a smear.

    Their number stays; the cloud's colours of those less aslant are a mixture.
    """
    places = rest_places(stage, learnt)
    told = _told(sown, learnt)
    way = np.clip((sown.confidence - _ASLANT[0]) / (_ASLANT[1] - _ASLANT[0]), 0, 1)[:, None]
    for hair in (False, True):
        sure, alike = _sure_of(sown, hair), np.flatnonzero(sown.on_hair == hair)
        if len(sure) > _NEIGHBOURS:
            carried = _carried(places[sure], told[sure], sown.confidence[sure] ** _POWER, places[alike])
            told[alike] = way[alike] * told[alike] + (1 - way[alike]) * carried
    colour = (sown.cloud.colour * np.exp(told)).astype(np.float32)
    return replace(sown, frozen=sown.frozen | (sown.confidence < _ASLANT[0])), replace(learnt, colour=colour)


def _sure_of(sown: Sown, hair: bool) -> Int32[np.ndarray, "N"]:
    """The splats of hair, or of skin, whose colours are carried to others: those that are seen squarely."""
    return np.flatnonzero((sown.on_hair == hair) & (sown.confidence > _ASLANT[1])).astype(np.int32)


def _told(sown: Sown, learnt: SplatCloud) -> Float32[np.ndarray, "S 3"]:
    """Natural logarithm of learnt over mesh's albedo."""
    return np.log(np.maximum(learnt.colour, np.float32(1e-3))) - np.log(sown.cloud.colour)


def _beside(stage: Stage, part: Sown, seen: Float32[np.ndarray, "S 3"], sown: Sown, learnt: SplatCloud) -> Sown:
    """Of the part what is hidden and in reach, in its neighbours' colours."""
    places = rest_places(stage, part.cloud)
    distance = np.asarray(KDTree(seen).query(places, distance_upper_bound=2 * _REACH_M)[0])
    kept = (distance > _APART_M) & np.isfinite(distance) & (part.confidence > _SQUARELY)
    kept = np.flatnonzero(kept).astype(np.int32)
    ratio = np.zeros((len(kept), 3), np.float32)
    told = _told(sown, learnt)
    for hair in (False, True):
        sure, own = _sure_of(sown, hair), np.flatnonzero(part.on_hair[kept] == hair)
        if len(sure) > _NEIGHBOURS and len(own):
            ratio[own] = _carried(seen[sure], told[sure], sown.confidence[sure] ** _POWER, places[kept[own]])
    near = np.exp(-((distance[kept] / _REACH_M) ** 2)).astype(np.float32)
    kept_part = chosen(part, kept)
    cloud = kept_part.cloud
    return Sown(
        replace(cloud, colour=cloud.colour * np.exp(ratio), opacity=np.maximum(cloud.opacity * near, _FAINTEST)),
        confidence=np.ones(len(kept), np.float32),
        on_hair=kept_part.on_hair,
        frozen=np.ones(len(kept), bool),
    )


def _carried(
    seen: Float32[np.ndarray, "N 3"],
    told: Float32[np.ndarray, "N 3"],
    sure: Float32[np.ndarray, "N"],
    places: Float32[np.ndarray, "M 3"],
) -> Float32[np.ndarray, "M 3"]:
    """Weighted mean of what neighbours tell, here and mirrored in the sagittal plane."""
    both = np.concatenate([seen, seen * np.array([-1, 1, 1], np.float32)])
    weights = np.concatenate([sure, np.float32(_MIRRORED) * sure])
    distance, neighbour = KDTree(both).query(places, _NEIGHBOURS)
    distance = np.asarray(distance)
    share = weights[neighbour] / (1 + (distance / np.maximum(distance[:, :1], _SOFT_M)) ** 2)
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-9)
    return np.einsum("mk,mkc->mc", share, told[neighbour % len(seen)]).astype(np.float32)


def turned(camera: Camera, yaw_rad: float, size_px: int) -> Camera:
    """A square camera that has walked about the head's axis (x = z = 0), toward the person's left."""
    cosine, sine = np.cos(yaw_rad), np.sin(yaw_rad)
    about = np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])
    factor = size_px / camera.width_px
    return replace(
        camera,
        focal_px=camera.focal_px * factor,
        principal_px=camera.principal_px * np.float32(factor),
        width_px=size_px,
        height_px=size_px,
        rotation_wxyz=quaternion_from_matrix((matrix_from_quaternion(camera.rotation_wxyz) @ about).astype(np.float32)),
    )
