"""Texels looked up in the photo: who is seen, how well, and what colour."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.render.raycast import Scene
from avatar3d.texture.atlas import Atlas
from avatar3d.texture.evidence import Evidence
from avatar3d.texture.warp import Warp, sample

_GRAZING: Final = (0.22, 0.6)
"""Cosines between normal and view: below the first nothing is believed, above the second everything."""
_OFFSET_M: Final = 3e-4
_HIDING: Final = ("face", "eyeLeft", "eyeRight")
"""Parts that hide skin: lashes and brows do not, teeth lie behind the lips."""


@dataclass(frozen=True, eq=False)
class Look:
    """Some texels as the photo shows them."""

    chosen: Int32[np.ndarray, "M"]
    """Rows of the atlas."""
    colour: Float32[np.ndarray, "M 3"]
    """Linear RGB."""
    normals: Float32[np.ndarray, "M 3"]
    weight: Float32[np.ndarray, "M"]
    features: Float32[np.ndarray, "M"]
    plain: Float32[np.ndarray, "M"]


@dataclass(frozen=True, eq=False)
class Surface:
    """The posed head as the camera sees it, per vertex."""

    vertices: Float32[np.ndarray, "V 3"]
    normals: Float32[np.ndarray, "V 3"]
    eye: Float32[np.ndarray, "3"]
    scene: Scene


def posed_surface(model: HeadModel, fitted: HeadFit) -> Surface:
    """Smooth normals of the face part and a scene of all that hides skin."""
    parts = [model.part_names.index(name) for name in _HIDING if name in model.part_names]
    hiding = np.flatnonzero(np.isin(model.triangle_parts, parts))
    normals = vertex_normals(fitted.posed, model.triangles[model.part("face")])
    return Surface(fitted.posed, normals, fitted.camera.position_m, Scene(fitted.posed, model.triangles[hiding]))


def vertex_normals(
    vertices: Float32[np.ndarray, "V 3"], triangles: Int32[np.ndarray, "F 3"]
) -> Float32[np.ndarray, "V 3"]:
    """Area-weighted unit normals."""
    corners = vertices[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat = triangles.T.ravel()
    total = np.stack([np.bincount(flat, np.tile(faces[:, axis], 3), len(vertices)) for axis in range(3)], axis=1)
    return (total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20)).astype(np.float32)


def facing(
    atlas: Atlas, surface: Surface
) -> tuple[Int32[np.ndarray, "M"], Float32[np.ndarray, "M 3"], Float32[np.ndarray, "M 3"], Float32[np.ndarray, "M"]]:
    """The texels turned toward the camera: their rows, points, unit normals and grazing weight."""
    toward = surface.eye - surface.vertices
    toward = toward / np.linalg.norm(toward, axis=1, keepdims=True)
    cosine = (toward * surface.normals).sum(axis=1, dtype=np.float32)[:, None]
    rough = atlas.blend(cosine.astype(np.float32))[:, 0]
    chosen = np.flatnonzero(rough > _GRAZING[0]).astype(np.int32)
    points = atlas.blend(surface.vertices, chosen)
    normals = atlas.blend(surface.normals, chosen)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    t = np.clip((rough[chosen] - _GRAZING[0]) / (_GRAZING[1] - _GRAZING[0]), 0, 1)
    return chosen, points, normals, (t * t * (3 - 2 * t)).astype(np.float32)


def look_up(atlas: Atlas, surface: Surface, fitted: HeadFit, evidence: Evidence, warp: Warp) -> Look:
    """Every texel the camera sees."""
    chosen, points, normals, grazing = facing(atlas, surface)
    toward = surface.eye - points
    free = ~surface.scene.blocked(points + np.float32(_OFFSET_M) * normals, toward)
    chosen, points, normals, grazing = chosen[free], points[free], normals[free], grazing[free]
    place = evidence.place(warp.apply(fitted.camera.project(points)))
    judged = sample(np.dstack([evidence.trust, evidence.features, evidence.plain]), place)
    return Look(
        chosen,
        np.maximum(sample(evidence.colour, place, sharp=True), 0),
        normals,
        grazing * judged[:, 0],
        judged[:, 1],
        judged[:, 2],
    )
