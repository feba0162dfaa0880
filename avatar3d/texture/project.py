"""Texels looked up in the photo: who is seen, how well, and what colour."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.render.raycast import Scene
from avatar3d.texture.atlas import Atlas
from avatar3d.texture.evidence import Evidence
from avatar3d.texture.warp import sample

_GRAZING: Final = (0.1, 0.35)
"""Cosines between normal and view: below the first nothing is believed, above the second everything."""
_LEAST: Final = 0.01
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
    sockets: Float32[np.ndarray, "M"]
    drawn: Float32[np.ndarray, "M"]
    plain: Float32[np.ndarray, "M"]
    cosine: Float32[np.ndarray, "M"]
    """Between normal and view: 1 seen squarely, 0 edge-on."""


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


@dataclass(frozen=True, eq=False)
class Front:
    """The texels turned toward the camera."""

    chosen: Int32[np.ndarray, "M"]
    """Rows of the atlas."""
    pixels: Float32[np.ndarray, "M 2"]
    """Where the photo shows them, were nothing in the way."""
    grazing: Float32[np.ndarray, "M"]
    """1 seen squarely, 0 seen edge-on."""
    cosine: Float32[np.ndarray, "M"]


def facing(atlas: Atlas, surface: Surface, pixels: Float32[np.ndarray, "V 2"]) -> Front:
    """The part of the atlas that a camera at the surface's eye point could see; `pixels` are the vertices' own.

    Triangles are so small that pixels are interpolated in them without perspective.
    """
    toward = surface.eye - surface.vertices
    toward = toward / np.linalg.norm(toward, axis=1, keepdims=True)
    cosine = (toward * surface.normals).sum(axis=1, dtype=np.float32)
    likely = np.flatnonzero((cosine > 0)[atlas.corners[:, 0]]).astype(np.int32)
    blended = atlas.blend(np.concatenate([cosine[:, None], pixels], axis=1).astype(np.float32), likely)
    front = np.flatnonzero(blended[:, 0] > _GRAZING[0])
    t = np.clip((blended[front, 0] - _GRAZING[0]) / (_GRAZING[1] - _GRAZING[0]), 0, 1)
    return Front(likely[front], blended[front, 1:], t * t * (3 - 2 * t), blended[front, 0])


def look_up(atlas: Atlas, front: Front, surface: Surface, evidence: Evidence) -> Look:
    """Every texel the camera sees, as the photo shows it."""
    place = evidence.place(front.pixels)
    judged = sample(np.dstack([evidence.trust, evidence.sockets, evidence.drawn, evidence.plain]), place)
    weight = front.grazing * judged[:, 0]
    able = np.flatnonzero(weight > _LEAST)  # most texels fall out here, before the rays
    both = atlas.blend(np.concatenate([surface.vertices, surface.normals], axis=1), front.chosen[able])
    points, normals = both[:, :3], both[:, 3:]
    normals = normals / np.maximum(np.sqrt((normals * normals).sum(axis=1, keepdims=True)), 1e-9)
    free = ~surface.scene.blocked(points + np.float32(_OFFSET_M) * normals, surface.eye - points)
    kept = able[free]
    return Look(
        front.chosen[kept],
        np.maximum(sample(evidence.colour, place[kept], sharp=True), 0),
        normals[free],
        weight[kept],
        judged[kept, 1],
        judged[kept, 2],
        judged[kept, 3],
        front.cosine[kept],
    )
