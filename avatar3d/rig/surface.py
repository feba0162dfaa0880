"""From shared geometry with per-corner UVs to what engines draw: vertices split at UV seams, normals welded."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.head import HeadModel


@dataclass(frozen=True, eq=False)
class PartSurface:
    """One part's own vertices."""

    source: Int32[np.ndarray, "N"]
    """The model vertex behind each one; seam vertices repeat it."""
    uvs: Float32[np.ndarray, "N 2"]
    triangles: Int32[np.ndarray, "F 3"]


def split_part(model: HeadModel, name: str) -> PartSurface:
    """One vertex per distinct pair of model vertex and UV."""
    chosen = model.part(name)
    corners = np.stack([model.triangles[chosen].ravel(), model.triangle_uvs[chosen].ravel()], axis=1)
    pairs, index = np.unique(corners, axis=0, return_inverse=True)
    return PartSurface(
        source=pairs[:, 0].astype(np.int32),
        uvs=model.uvs[pairs[:, 1]],
        triangles=index.reshape(-1, 3).astype(np.int32),
    )


def smooth_normals(
    vertices: Float32[np.ndarray, "V 3"], triangles: Int32[np.ndarray, "F 3"]
) -> Float32[np.ndarray, "V 3"]:
    """Unit normals, triangles weighted by the angle at the vertex (Thuermer & Wuethrich 1998); +Z where there are none."""
    corners = vertices[triangles].astype(np.float64)
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    face /= np.maximum(np.linalg.norm(face, axis=1, keepdims=True), 1e-20)
    normals = np.zeros((len(vertices), 3))
    for corner in range(3):
        a = corners[:, (corner + 1) % 3] - corners[:, corner]
        b = corners[:, (corner + 2) % 3] - corners[:, corner]
        size = np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-20)
        angle = np.arccos(np.clip(np.sum(a * b, axis=1) / size, -1, 1))
        for axis in range(3):
            normals[:, axis] += np.bincount(triangles[:, corner], angle * face[:, axis], len(vertices))
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.where(length > 1e-9, normals / np.maximum(length, 1e-20), [0.0, 0.0, 1.0])
    return normals.astype(np.float32)
