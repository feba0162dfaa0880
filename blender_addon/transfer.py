# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one surface to another: the UV of the head, looked up on a mesh that was remeshed.

A corner has the UV of the point below it, unless a seam runs between it and its polygon's middle: then the triangle below the
middle is continued up to it, so that no polygon spans the picture.
"""

from dataclasses import dataclass

import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

_LOOSE, _NEAR = 1.5, 0.004
"""A corner is beyond a seam when its UV is off by more than this share of its polygon's own UV reach, and four thousandths."""


@dataclass(frozen=True)
class Surface:
    """Triangles of the head: positions [V 3], triangles [F 3], UV of their corners [F 3 2]."""

    positions: np.ndarray
    triangles: np.ndarray
    uvs: np.ndarray


def triangulated(positions: np.ndarray, corners: np.ndarray, starts: np.ndarray, uvs: np.ndarray) -> Surface:
    """Polygons as fans of triangles; UV per corner [C 2]."""
    sizes = np.diff(np.append(starts, len(corners)))
    rows = [
        np.stack(
            [starts[sizes > step + 1], starts[sizes > step + 1] + step, starts[sizes > step + 1] + step + 1], axis=1
        )
        for step in range(1, int(sizes.max(initial=2)) - 1)
    ]
    found = np.concatenate(rows) if rows else np.zeros((0, 3), np.int64)
    return Surface(positions, corners[found], uvs[found])


def transfer_uvs(head: Surface, positions: np.ndarray, corners: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """UV per corner [C 2] of other polygons that lie on the head."""
    tree = BVHTree.FromPolygons(head.positions.tolist(), head.triangles.tolist())
    places, triangles = _nearest(tree, positions)
    share = _barycentric(places, head.positions[head.triangles[triangles]])
    own = np.einsum("vk,vkd->vd", share, head.uvs[triangles])[corners]
    # What the triangle below a polygon's middle says of its corners.
    owner = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(corners))))
    count = np.bincount(owner, minlength=len(starts))[:, None]
    middles = np.stack([np.bincount(owner, positions[corners, axis], len(starts)) for axis in range(3)], axis=1) / count
    below = _nearest(tree, middles)[1][owner]
    base = head.positions[head.triangles[below]]
    share = _barycentric(positions[corners], base, inside=False)
    continued = np.einsum("ck,ckd->cd", share, head.uvs[below])
    span = np.linalg.norm(np.ptp(head.uvs[below], axis=1), axis=1) / np.linalg.norm(np.ptp(base, axis=1), axis=1)
    reach = np.linalg.norm(positions[corners] - middles[owner], axis=1)
    across = np.linalg.norm(own - continued, axis=1) > _LOOSE * span * reach + _NEAR
    return np.clip(np.where(across[:, None], continued, own), 0, 1).astype(np.float32)


def _nearest(tree: BVHTree, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest places [N 3] on a surface, and their triangles [N]."""
    hits = [tree.find_nearest(Vector(point)) for point in points.tolist()]
    return np.array([hit[0] for hit in hits]), np.array([hit[2] for hit in hits], np.int64)


def _barycentric(points: np.ndarray, corners: np.ndarray, *, inside: bool = True) -> np.ndarray:
    """Shares [N 3] of points [N 3] in the planes of triangles [N 3 3] (Ericson, Real-Time Collision Detection, 3.4)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    one, two, to = b - a, c - a, points - a
    d00, d01, d11 = (one * one).sum(1), (one * two).sum(1), (two * two).sum(1)
    d20, d21 = (to * one).sum(1), (to * two).sum(1)
    scale = np.maximum(d00 * d11 - d01 * d01, 1e-30)
    v, w = (d11 * d20 - d01 * d21) / scale, (d00 * d21 - d01 * d20) / scale
    share = np.stack([1 - v - w, v, w], axis=1)
    if inside:
        share = np.clip(share, 0, 1)
    return share / share.sum(axis=1, keepdims=True)
