"""Skin that no photo shows and no engine shades: the insides of the nostrils, the rims of the lids under the lashes."""

from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.head import HeadModel
from avatar3d.render.occlusion import FINE, vertex_openness
from avatar3d.render.raycast import Scene
from avatar3d.texture.atlas import Atlas, once_per_atlas
from avatar3d.texture.project import vertex_normals

_NOSE_TIP, _NOSE_BASE = 4, 2
"""Landmarks."""
_REACH_M: Final = (0.021, 0.013)
"""Nostrils lie within this distance across and up from the base of the nose."""
_BEHIND_TIP_M: Final = 0.010
_OPEN: Final = 0.55
"""Share of free directions from which skin counts as outside."""
_DEEPEST: Final = 2.2
"""Fall of log colour in the deepest fold."""
_RAYS: Final = 48

_RIM_M: Final = (0.0012, 0.0028)
"""Distance from the opening's edge up to which skin is the lid's rim, and from which it no longer is."""
# What lashes and their shade add to the log colour of the rims, upper and lower; the lower one is moist and pink.
_UPPER_RIM: Final = np.array([-0.30, -0.36, -0.36], np.float32)
_LOWER_RIM: Final = np.array([-0.15, -0.32, -0.30], np.float32)
_MARGIN_M: Final = (0.0024, 0.0038)
"""The same for the lid's margin: between its rim and the roots of its lashes."""

_LID_M: Final = (0.0013, 0.0025, 0.0090, 0.0130)
"""Height over the line of the upper lashes at which a lid's skin begins, is all lid, is still all lid, and ends."""
_CORNER_M: Final = 0.003
"""It dies out so far beside the corners of the eye."""
_BEHIND_LIDS_M: Final = 0.004
"""What lies further behind the line is the lining of the lids."""
# Landmarks of the upper margins, from the outer corner to the inner one and the reverse.
_UPPER_LIDS: Final = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))


@once_per_atlas
def cavity_shade(model: HeadModel, atlas: Atlas) -> Float32[np.ndarray, "N 3"]:
    """What to add to the log colour of each texel of the atlas: 0 outside, negative in nostrils and on lid rims."""
    return atlas.blend(_nostrils(model)[:, None] + _lid_rims(model))


@once_per_atlas
def lid_margin(model: HeadModel, atlas: Atlas) -> Float32[np.ndarray, "N"]:
    """1 on each texel of the lids' margins: hidden there is what the lash roots beside it are like, not a fold's skin."""
    margin = np.zeros((len(model.rest), 1), np.float32)
    for around, away, _ in _openings(model):
        near = np.clip((_MARGIN_M[1] - away) / (_MARGIN_M[1] - _MARGIN_M[0]), 0, 1)
        margin[around, 0] = np.maximum(margin[around, 0], near)
    return atlas.blend(margin)[:, 0]


@once_per_atlas
def lid_skin(model: HeadModel, atlas: Atlas) -> Float32[np.ndarray, "N"]:
    """1 on each texel of the upper lids' skin between the roots of the lashes and the fold: it covers a closed eye.

    Told texel by texel from the line of the upper margin (landmarks) on the mean head, seen from the front: lids are
    narrower than the mesh's triangles are fine.
    """
    places = atlas.blend(model.rest)
    lid = np.zeros(len(places), np.float32)
    for marks in _UPPER_LIDS:
        corners = model.rest[model.triangles[model.landmark_triangles[list(marks)]]]
        line = np.einsum("nc,ncd->nd", model.landmark_barycentric[list(marks)], corners)
        line = line[np.argsort(line[:, 0])]
        above = places[:, 1] - np.interp(places[:, 0], line[:, 0], line[:, 1])
        beside = np.maximum(line[0, 0] - places[:, 0], places[:, 0] - line[-1, 0])
        on = np.clip((above - _LID_M[0]) / (_LID_M[1] - _LID_M[0]), 0, 1)
        on *= np.clip((_LID_M[3] - above) / (_LID_M[3] - _LID_M[2]), 0, 1) * np.clip(1 - beside / _CORNER_M, 0, 1)
        lid = np.maximum(lid, on * (places[:, 2] > line[:, 2].min() - _BEHIND_LIDS_M))
    return lid.astype(np.float32)


def _lid_rims(model: HeadModel) -> Float32[np.ndarray, "V 3"]:
    shade = np.zeros((len(model.rest), 3), np.float32)
    for around, away, height in _openings(model):
        rim = np.clip((_RIM_M[1] - away) / (_RIM_M[1] - _RIM_M[0]), 0, 1)[:, None]
        upper = np.clip(0.5 + height / 0.004, 0, 1)[:, None]
        shade[around] += (rim * (upper * _UPPER_RIM + (1 - upper) * _LOWER_RIM)).astype(np.float32)
    return shade


def _openings(
    model: HeadModel,
) -> list[tuple[Int32[np.ndarray, "N"], Float32[np.ndarray, "N"], Float32[np.ndarray, "N"]]]:
    """Around either eye: vertices, distance from the edge of the lids' opening, height of its nearest point (metres)."""
    triangles = model.triangles[model.part("face")]
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    pairs, count = np.unique(edges, axis=0, return_counts=True)
    border = np.unique(pairs[count == 1])
    found: list[tuple[Int32[np.ndarray, "N"], Float32[np.ndarray, "N"], Float32[np.ndarray, "N"]]] = []
    for name in ("eyeLeft", "eyeRight"):
        ball = model.rest[np.unique(model.triangles[model.part(name)])]
        centre = (ball.min(axis=0) + ball.max(axis=0)) / 2
        radius = float(np.median(np.linalg.norm(ball - centre, axis=1)))
        edge = model.rest[border[np.linalg.norm(model.rest[border] - centre, axis=1) < 1.3 * radius]]
        around = np.flatnonzero(np.linalg.norm(model.rest - centre, axis=1) < 1.6 * radius).astype(np.int32)
        if len(edge) == 0:
            continue
        away = np.linalg.norm(model.rest[around][:, None] - edge[None], axis=2)
        nearest = away.argmin(axis=1)
        found.append((around, away.min(axis=1).astype(np.float32), edge[nearest, 1] - edge[:, 1].mean()))
    return found


def _nostrils(model: HeadModel) -> Float32[np.ndarray, "V"]:
    tip, base = _landmark(model, _NOSE_TIP), _landmark(model, _NOSE_BASE)
    away = model.rest - base
    within = (np.abs(away[:, 0]) < _REACH_M[0]) & (np.abs(away[:, 1]) < _REACH_M[1])
    within &= model.rest[:, 2] < tip[2] - _BEHIND_TIP_M
    triangles = model.triangles[model.part("face")]
    skin = np.zeros(len(model.rest), bool)
    skin[triangles] = True
    chosen = np.flatnonzero(within & skin).astype(np.int32)
    shade = np.zeros(len(model.rest), np.float32)
    if len(chosen):
        normals = vertex_normals(model.rest, triangles)
        free = vertex_openness(Scene(model.rest, triangles), model.rest, normals, chosen, replace(FINE, rays=_RAYS))
        shade[chosen] = -_DEEPEST * np.clip(1 - free / _OPEN, 0, 1)
    return shade


def _landmark(model: HeadModel, index: int) -> Float32[np.ndarray, "3"]:
    return model.landmark_barycentric[index] @ model.rest[model.triangles[model.landmark_triangles[index]]]
