"""The insides of the nostrils: no photo shows that skin, and no engine shades it."""

from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float32

from avatar3d.core.head import HeadModel
from avatar3d.render.raycast import Scene
from avatar3d.render.stage import vertex_openness
from avatar3d.texture.atlas import Atlas
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

_known: WeakKeyDictionary[HeadModel, Float32[np.ndarray, "V"]] = WeakKeyDictionary()


def nostril_shade(model: HeadModel, atlas: Atlas) -> Float32[np.ndarray, "N"]:
    """What to add to the log colour of each texel of the atlas: 0 outside, negative deep in a nostril."""
    if model not in _known:
        _known[model] = _vertex_shade(model)
    return atlas.blend(_known[model][:, None])[:, 0]


def _vertex_shade(model: HeadModel) -> Float32[np.ndarray, "V"]:
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
        free = vertex_openness(Scene(model.rest, triangles), model.rest, normals, chosen, _RAYS)
        shade[chosen] = -_DEEPEST * np.clip(1 - free / _OPEN, 0, 1)
    return shade


def _landmark(model: HeadModel, index: int) -> Float32[np.ndarray, "3"]:
    return model.landmark_barycentric[index] @ model.rest[model.triangles[model.landmark_triangles[index]]]
