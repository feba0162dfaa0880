"""Meshes as trimesh.Trimesh, and the faults that trimesh finds in them. The only file that imports trimesh here."""

from dataclasses import dataclass

import numpy as np
import trimesh
from trimesh.visual import TextureVisuals

from avatar3d.core.avatar import Mesh


@dataclass(frozen=True)
class MeshFaults:
    """Counts of what a modeller would call broken."""

    degenerate: int
    """Triangles without area."""
    duplicate: int
    """Triangles over the same three places as an earlier one."""
    consistent_winding: bool
    """Neighbouring triangles agree on which side is outside."""
    inverted: int
    """Triangles whose corners' normals all point to their back."""


def mesh_to_trimesh(mesh: Mesh) -> trimesh.Trimesh:
    """Geometry, normals and UVs (trimesh puts UV's origin at the lower left). Vertices keep their order."""
    uvs = mesh.uvs * np.array([1, -1], np.float32) + np.array([0, 1], np.float32)
    return trimesh.Trimesh(
        vertices=mesh.positions,
        faces=mesh.triangles,
        vertex_normals=mesh.normals,
        visual=TextureVisuals(uv=uvs),
        process=False,
        metadata={"name": mesh.name},
    )


def find_faults(mesh: Mesh) -> MeshFaults:
    """Faults of the surface itself: vertices split by UV seams are joined first."""
    surface = trimesh.Trimesh(vertices=mesh.positions, faces=mesh.triangles, process=False)
    face_normals = np.cross(
        *np.moveaxis(np.diff(surface.triangles, axis=1), 1, 0)
    )  # twice the area long; trimesh's own drops the degenerate
    area = np.linalg.norm(face_normals, axis=1)
    facing = np.einsum("fc,fkc->fk", face_normals, mesh.normals[mesh.triangles])
    surface.merge_vertices(merge_tex=True, merge_norm=True)
    sound = area > 1e-14  # 10 nm squared: below, float32 positions are noise
    surface.update_faces(sound)
    return MeshFaults(
        degenerate=int(np.count_nonzero(~sound)),
        duplicate=len(surface.faces) - int(np.count_nonzero(surface.unique_faces())),
        consistent_winding=bool(surface.is_winding_consistent),
        inverted=int(np.count_nonzero((facing < 0).all(axis=1) & sound)),
    )
