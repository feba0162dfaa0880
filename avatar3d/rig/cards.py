"""Hair with fewer triangles: its cap collapses, of its cards those stay that are seen most, and these grow simpler."""

from dataclasses import replace
from typing import Final

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float64, Int64
from scipy.sparse.csgraph import connected_components

from avatar3d.core.avatar import Avatar, Mesh
from avatar3d.core.photo import Camera
from avatar3d.core.transforms import OPENCV_FROM_GLTF, quaternion_from_matrix
from avatar3d.render.first_hit import first_hits
from avatar3d.render.stage import stage_avatar
from avatar3d.rig.collapse import collapse, keep_triangles, weld

LARGEST_CARD: Final = 64
"""Triangles; a connected piece with more is a cap, a lining or a curtain."""
_CAP: Final = 0.35
"""Share of the hair's triangles that its cap gets, if it has so many."""
_SIMPLEST: Final = 6
"""Triangles of a card that has been bent at all."""
_GLIMPSE: Final = 0.01
"""A card that is seen less than this share of the most seen one is not worth its triangles."""
_VIEWS: Final = ((0, 0), (45, 0), (90, 0), (135, 0), (180, 0), (225, 0), (270, 0), (315, 0), (0, 55), (180, 55))
"""Degrees around and above: from where people look at heads."""
_VIEW_PX: Final = 160
_DISTANCE_M: Final = 2.0


def pieces(mesh: Mesh) -> Int64[np.ndarray, "F"]:
    """For each triangle the number of the connected piece it belongs to."""
    corners = weld(mesh)[mesh.triangles]
    count = int(corners.max(initial=-1)) + 1
    links = sp.coo_matrix(
        (np.ones(corners.size), (corners.ravel(), np.roll(corners, 1, axis=1).ravel())), (count, count)
    )
    return connected_components(links, directed=False)[1][corners[:, 0]].astype(np.int64)


def is_card(piece: Int64[np.ndarray, "F"]) -> np.ndarray:
    """For each triangle whether its piece is small enough to be a card."""
    return np.bincount(piece)[piece] <= LARGEST_CARD


def seen_pixels(avatar: Avatar, mesh: Mesh) -> Int64[np.ndarray, "F"]:
    """How many pixels of pictures from all around show each triangle of `mesh` (one of the avatar's), cut-outs looked through."""
    stage = stage_avatar(avatar)
    own = stage.triangle_mesh == avatar.meshes.index(mesh)
    begin = int(np.argmax(own))
    size_m = float(np.linalg.norm(np.ptp(mesh.positions, axis=0)))
    total = np.zeros(len(mesh.triangles), np.int64)
    middle = (mesh.positions.min(0) + mesh.positions.max(0)).astype(np.float64) / 2
    for around, above in _VIEWS:
        hits = first_hits(stage, stage.positions, _camera(middle, around, above, size_m)).triangle
        inside = hits[(hits >= begin) & (hits < begin + len(total))] - begin
        total += np.bincount(inside, minlength=len(total))
    return total


def thin_hair(mesh: Mesh, target: int, seen: Int64[np.ndarray, "F"]) -> tuple[Mesh, Int64[np.ndarray, "G"]]:
    """Hair of at most `target` triangles, and what `seen` says of those that are left."""
    if len(mesh.triangles) <= target:
        return mesh, seen
    piece = pieces(mesh)
    card = is_card(piece)
    cap_count, card_count = int((~card).sum()), int(card.sum())
    cap_target = min(cap_count, max(round(_CAP * target), target - card_count))
    room = target - cap_target
    parts: list[tuple[Mesh, Int64[np.ndarray, "G"]]] = []
    if cap_count:
        cap = keep_triangles(mesh, mesh.triangles[~card])
        parts.append(_collapsed(cap, cap_target, seen[~card]))
    if card_count and room >= _SIMPLEST:
        number = np.unique(piece[card])
        mean = card_count / len(number)
        each = float(np.clip(mean * np.sqrt(room / card_count), _SIMPLEST, mean))
        pixels = np.bincount(piece, seen * card)[number]
        order = np.argsort(-pixels, kind="stable")[: max(1, int(room / each))]
        kept = number[order[pixels[order] > _GLIMPSE * pixels.max()]]  # what nobody sees goes first
        chosen = np.isin(piece, kept if len(kept) else number[:1])
        parts.append(_collapsed(keep_triangles(mesh, mesh.triangles[chosen]), room, seen[chosen]))
    return _joined(mesh, [part for part, _ in parts]), np.concatenate([pixels for _, pixels in parts])


def _collapsed(mesh: Mesh, target: int, seen: Int64[np.ndarray, "F"]) -> tuple[Mesh, Int64[np.ndarray, "G"]]:
    """A piece's pixels stay with the piece; its own triangles share them."""
    small = collapse(mesh, [target], mirrored=False)[0] if len(mesh.triangles) > target else mesh
    if small is mesh:
        return mesh, seen
    old, new = pieces(mesh), pieces(small)
    whole = np.bincount(old, seen)
    # a piece keeps some of its vertices: the first kept one tells which it was
    where = {place.tobytes(): number for place, number in zip(mesh.positions[mesh.triangles[:, 0]], old, strict=True)}
    places = small.positions[small.triangles]
    came = np.array([next((where[p.tobytes()] for p in row if p.tobytes() in where), 0) for row in places])
    return small, (whole[came] / np.maximum(np.bincount(new)[new], 1)).astype(np.int64)


def _joined(mesh: Mesh, parts: list[Mesh]) -> Mesh:
    starts = np.cumsum([0, *(len(part.positions) for part in parts)])
    return replace(
        mesh,
        positions=np.concatenate([part.positions for part in parts]),
        normals=np.concatenate([part.normals for part in parts]),
        uvs=np.concatenate([part.uvs for part in parts]),
        triangles=np.concatenate([part.triangles + start for part, start in zip(parts, starts, strict=False)]).astype(
            np.int32
        ),
        morphs=np.concatenate([part.morphs for part in parts], axis=1),
        joints=np.concatenate([part.joints for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
    )


def _camera(middle: Float64[np.ndarray, "3"], around_deg: float, above_deg: float, size_m: float) -> Camera:
    """From that direction, wide enough for `size_m`."""
    yaw, pitch = np.deg2rad(around_deg), np.deg2rad(above_deg)
    about_up = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    tilted = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    rotation = (OPENCV_FROM_GLTF @ tilted @ about_up).astype(np.float32)
    return Camera(
        focal_px=_VIEW_PX * _DISTANCE_M / size_m,
        principal_px=np.full(2, _VIEW_PX / 2, np.float32),
        width_px=_VIEW_PX,
        height_px=_VIEW_PX,
        rotation_wxyz=quaternion_from_matrix(rotation),
        translation_m=(np.array([0, 0, _DISTANCE_M]) - rotation @ middle).astype(np.float32),
    )
