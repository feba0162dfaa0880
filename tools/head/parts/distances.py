"""Signed distances and crossings between pieces of a head (open3d's scenes; a development tool only)."""

from typing import Any, Final

import numpy as np

VIEWS: Final = ((0, 0, 1), (1, 0, 1), (-1, 0, 1), (0, 1, 1), (0, -1, 1), (1, 0, 0), (-1, 0, 0))


def signed_distance(points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """[n] distance to the surface, negative behind it (sign by the interpolated normal at the closest point)."""
    scene, corners, local = make_scene(vertices, triangles)
    answer = scene.compute_closest_points(np.ascontiguousarray(points, np.float32))
    face = answer["primitive_ids"].numpy().astype(int)
    offset = points - answer["points"].numpy()
    u, v = answer["primitive_uvs"].numpy().T
    weights = np.stack([1 - u - v, u, v], 1)
    normal = (_corner_normals(corners.astype(np.float64), local)[local[face]] * weights[..., None]).sum(1)
    return np.linalg.norm(offset, axis=1) * np.where((offset * normal).sum(1) < 0, -1, 1)


def crossings(vertices: np.ndarray, part: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where edges of the triangles `part` cross the surface: how far they come out in front [n] and where [n 3].

    The points lie a hair in front of the surface.
    """
    edges = np.unique(np.sort(np.concatenate([part[:, [0, 1]], part[:, [1, 2]], part[:, [2, 0]]]), 1), axis=0)
    start, along = vertices[edges[:, 0]], vertices[edges[:, 1]] - vertices[edges[:, 0]]
    scene, _, _ = make_scene(vertices, triangles)
    hits = scene.cast_rays(np.concatenate([start, along], 1).astype(np.float32))
    at, normal = hits["t_hit"].numpy(), hits["primitive_normals"].numpy()
    cut = at <= 1
    at, normal, along, start = at[cut], normal[cut], along[cut], start[cut]
    leaving = (normal * along).sum(1) > 0
    out = np.where(leaving, 1 - at, at) * np.linalg.norm(along, axis=1)
    return out, start + at[:, None] * along + 5e-5 * normal


def make_scene(vertices: np.ndarray, triangles: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray]:
    """Open3D's scene of some triangles, with the vertices [u 3] and triangles [F 3] it uses."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene(nthreads=1)
    used, local = np.unique(triangles, return_inverse=True)
    local = local.reshape(-1, 3)
    corners = np.ascontiguousarray(vertices[used], np.float32)
    scene.add_triangles(o3d.core.Tensor(corners), o3d.core.Tensor(local.astype(np.uint32)))
    return scene, corners, local.astype(int)


def _corner_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Angle-weighted vertex normals (the pseudo-normals that make the sign right; Baerentzen and Aanaes 2005)."""
    normals = np.zeros_like(vertices)
    face = np.cross(
        vertices[triangles[:, 1]] - vertices[triangles[:, 0]], vertices[triangles[:, 2]] - vertices[triangles[:, 0]]
    )
    face /= np.maximum(np.linalg.norm(face, axis=1, keepdims=True), 1e-15)
    for corner in range(3):
        here, after, before = (triangles[:, (corner + i) % 3] for i in range(3))
        a, b = vertices[after] - vertices[here], vertices[before] - vertices[here]
        cosine = (a * b).sum(1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-15)
        np.add.at(normals, here, face * np.arccos(np.clip(cosine, -1, 1))[:, None])
    return normals


def open_to_view(points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """[n] whether some of the seven directions sees a point past these triangles."""
    scene, _, _ = make_scene(vertices, triangles)
    seen = np.zeros(len(points), bool)
    for direction in VIEWS:
        toward = np.array(direction) / np.linalg.norm(direction)
        rays = np.concatenate([points, np.tile(toward, (len(points), 1))], 1).astype(np.float32)
        seen |= ~np.isfinite(scene.cast_rays(rays)["t_hit"].numpy())
    return seen
