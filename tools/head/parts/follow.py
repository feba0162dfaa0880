"""How our own parts follow ICT's statistics: similarities, rigid motions and barycentric carrying. All lengths in metres."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from tools.head.parts.source import IctSource

__all__ = ["Carrier", "IctSource", "follow_similarity", "material_vertices", "rigid_motion"]


def material_vertices(ict: IctSource, name: str) -> np.ndarray:
    """Sorted indices of the ICT vertices that polygons of this material use."""
    used = np.unique(ict.polygons[ict.polygon_materials == ict.materials.index(name)])
    return used[used >= 0]


def material_triangles(ict: IctSource, names: tuple[str, ...]) -> np.ndarray:
    """[F 3] triangles of these materials, quads split."""
    polygons = ict.polygons[np.isin(ict.polygon_materials, [ict.materials.index(name) for name in names])]
    quads = polygons[polygons[:, 3] >= 0]
    return np.concatenate([polygons[:, :3], quads[:, [0, 2, 3]]])


def follow_similarity(
    source: np.ndarray, displacements: np.ndarray, targets: np.ndarray, *, rotate: bool = True
) -> np.ndarray:
    """Displacements [K t 3] of `targets` under the best linearised similarity of each mode.

    source [s 3] moves by displacements [K s 3]; each mode is fitted as translation + scale (+ rotation) by least
    squares. Linear in the mode, so coefficients stay N(0, 1).
    """
    centre = source.mean(0)
    basis = _similarity_basis(source - centre, rotate=rotate)
    flat = displacements.reshape(len(displacements), -1).astype(np.float64)
    solution = np.linalg.lstsq(basis, flat.T, rcond=None)[0]
    moved = _similarity_basis(targets - centre, rotate=rotate) @ solution
    return moved.T.reshape(len(displacements), len(targets), 3).astype(np.float32)


def _similarity_basis(points: np.ndarray, *, rotate: bool) -> np.ndarray:
    """[3n 4 or 7]: translation, scale, infinitesimal rotation about the origin."""
    count = len(points)
    columns = [np.tile(np.eye(3)[axis], count) for axis in range(3)]
    columns.append(points.ravel())
    if rotate:
        columns += [np.cross(np.eye(3)[axis], points).ravel() for axis in range(3)]
    return np.stack(columns, axis=1)


def rigid_motion(source: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation [3 3] and translation [3] with moved = source @ R.T + t (Kabsch)."""
    a, b = source.mean(0), moved.mean(0)
    u, _, vt = np.linalg.svd((source - a).T @ (moved - b))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u @ flip @ vt).T
    return rotation, b - rotation @ a


@dataclass(frozen=True, eq=False)
class Carrier:
    """Points bound to the closest points of a source surface; carries any per-vertex field to them."""

    corners: np.ndarray
    """[t 3] source vertex indices."""
    weights: np.ndarray
    """[t 3] barycentric."""

    def carry(self, field: np.ndarray) -> np.ndarray:
        """[..., v, 3] on the source vertices to [..., t, 3]."""
        return np.einsum("...tkc,tk->...tc", field[..., self.corners, :].astype(np.float64), self.weights).astype(
            np.float32
        )


def bind_closest(targets: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, *, candidates: int = 24) -> Carrier:
    """Bind each target [t 3] to its closest point on the triangles (exact among the nearest by centroid)."""
    tree = KDTree(vertices[triangles].mean(1))
    _, near = tree.query(targets, k=min(candidates, len(triangles)))
    corners = vertices[triangles[near]]
    weights = _closest_barycentric(targets[:, None], corners)
    points = (corners * weights[..., None]).sum(2)
    best = np.linalg.norm(points - targets[:, None], axis=2).argmin(1)
    rows = np.arange(len(targets))
    return Carrier(triangles[near[rows, best]], weights[rows, best])


def _closest_barycentric(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Barycentric coordinates [n c 3] of the closest point of each triangle [n c 3 3] to points [n 1 3]."""
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11 = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    d20, d21 = (ap * ab).sum(-1), (ap * ac).sum(-1)
    denominator = np.maximum(d00 * d11 - d01 * d01, 1e-20)
    v, w = (d11 * d20 - d01 * d21) / denominator, (d00 * d21 - d01 * d20) / denominator
    inside = np.stack([1 - v - w, v, w], -1)
    choices = [inside]
    for i, j in ((0, 1), (1, 2), (2, 0)):
        p, q = corners[..., i, :], corners[..., j, :]
        edge = q - p
        t = np.clip(((points - p) * edge).sum(-1) / np.maximum((edge * edge).sum(-1), 1e-20), 0, 1)
        on_edge = np.zeros_like(inside)
        on_edge[..., i], on_edge[..., j] = 1 - t, t
        choices.append(on_edge)
    stacked = np.stack(choices)
    distance = np.linalg.norm((stacked[..., None] * corners).sum(-2) - points, axis=-1)
    distance[0][(inside < 0).any(-1)] = np.inf
    best = distance.argmin(0)
    return np.take_along_axis(stacked, best[None, ..., None], 0)[0]
