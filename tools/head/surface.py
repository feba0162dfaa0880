"""Small geometry on polygon meshes that several steps of the builder share."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int32
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree


def edges_of(polygons: Int32[np.ndarray, "p 4"]) -> Int32[np.ndarray, "e 2"]:
    """Every directed polygon edge."""
    pairs: list[np.ndarray] = []
    for polygon_size in (3, 4):
        chosen = polygons[(polygons[:, 3] >= 0) == (polygon_size == 4)][:, :polygon_size]
        pairs += [chosen[:, [i, (i + 1) % polygon_size]] for i in range(polygon_size)]
    return np.concatenate(pairs).astype(np.int32)


def triangulate(polygons: Int32[np.ndarray, "p 4"]) -> tuple[Int32[np.ndarray, "f 3"], Int32[np.ndarray, "f"]]:
    """First halves of all polygons, then second halves of the quads; and the polygon of each triangle."""
    quads = np.flatnonzero(polygons[:, 3] >= 0)
    triangles = np.concatenate([polygons[:, :3], polygons[quads][:, [0, 2, 3]]])
    return triangles.astype(np.int32), np.concatenate([np.arange(len(polygons)), quads]).astype(np.int32)


def vertex_normals(vertices: Float64[np.ndarray, "v 3"], triangles: Int32[np.ndarray, "f 3"]) -> np.ndarray:
    """Area-weighted unit normals."""
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], face)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def border_loops(polygons: Int32[np.ndarray, "p 4"]) -> list[Int32[np.ndarray, "n"]]:
    """The closed borders of an oriented mesh, each in order, longest first."""
    edges = edges_of(polygons)
    known = {(int(a), int(b)) for a, b in edges}
    onward = {a: b for a, b in known if (b, a) not in known}
    loops: list[np.ndarray] = []
    while onward:
        start, here = onward.popitem()
        loop = [start]
        while here != start:
            loop.append(here)
            here = onward.pop(here)
        loops.append(np.array(loop, np.int32))
    return sorted(loops, key=lambda loop: (-len(loop), int(loop.min())))


def graph_laplacian(polygons: Int32[np.ndarray, "p 4"], count: int) -> csr_matrix:
    """Each row: a vertex minus the mean of its neighbours."""
    edges = edges_of(polygons)
    both = np.concatenate([edges, edges[:, ::-1]])
    adjacency = coo_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count)).tocsr()
    adjacency.data[:] = 1.0
    degree = np.asarray(adjacency.sum(1)).ravel()
    return (diags((degree > 0).astype(float)) - diags(1 / np.maximum(degree, 1)) @ adjacency).tocsr()


def path_lengths(
    vertices: Float64[np.ndarray, "v 3"], polygons: Int32[np.ndarray, "p 4"], sources: np.ndarray
) -> Float64[np.ndarray, "v"]:
    """Shortest distance along the edges to the nearest source vertex."""
    edges = edges_of(polygons)
    both = np.concatenate([edges, edges[:, ::-1]])
    lengths = np.linalg.norm(vertices[both[:, 0]] - vertices[both[:, 1]], axis=1)
    order = np.lexsort((both[:, 1], both[:, 0]))
    both, lengths = both[order], lengths[order]
    first = np.r_[True, (np.diff(both, axis=0) != 0).any(1)]
    graph = csr_matrix((lengths[first], (both[first, 0], both[first, 1])), shape=(len(vertices),) * 2)
    return np.asarray(dijkstra(graph, indices=sources, min_only=True))


@dataclass(frozen=True, eq=False)
class Closest:
    """Where points fall on a surface."""

    triangle: Int32[np.ndarray, "n"]
    """-1 where no triangle was allowed."""
    barycentric: Float64[np.ndarray, "n 3"]
    distance: Float64[np.ndarray, "n"]

    def gather(self, values: np.ndarray, triangles: Int32[np.ndarray, "f 3"]) -> np.ndarray:
        """Interpolate per-vertex values [v ...]."""
        corner = values[triangles[np.maximum(self.triangle, 0)]]
        weight = self.barycentric.reshape(*self.barycentric.shape, *([1] * (corner.ndim - 2)))
        return (corner * weight).sum(1)


def closest_points(
    points: Float64[np.ndarray, "n 3"],
    normals: Float64[np.ndarray, "n 3"],
    labels: Int32[np.ndarray, "n"],
    target: Float64[np.ndarray, "v 3"],
    triangles: Int32[np.ndarray, "f 3"],
    triangle_labels: Int32[np.ndarray, "f"],
    *,
    cosine: float = 0.4,
    candidates: int = 24,
) -> Closest:
    """Exact closest points among triangles whose normal agrees and whose label does (0 agrees with every label)."""
    a, b, c = (target[triangles[:, corner]] for corner in range(3))
    face_normal = np.cross(b - a, c - a)
    face_normal /= np.maximum(np.linalg.norm(face_normal, axis=1, keepdims=True), 1e-15)
    near = np.asarray(KDTree((a + b + c) / 3).query(points, candidates)[1])
    weights = _closest_in_triangles(points[:, None], a[near], b[near], c[near])
    hit = weights[..., 0:1] * a[near] + weights[..., 1:2] * b[near] + weights[..., 2:3] * c[near]
    distance = np.linalg.norm(hit - points[:, None], axis=2)
    allowed = (face_normal[near] * normals[:, None]).sum(2) > cosine
    mine, theirs = labels[:, None], triangle_labels[near]
    allowed &= (mine == theirs) | (mine == 0) | (theirs == 0)
    best = np.where(allowed, distance, np.inf).argmin(1)
    row = np.arange(len(points))
    found: Bool[np.ndarray, n] = allowed[row, best]
    return Closest(np.where(found, near[row, best], -1).astype(np.int32), weights[row, best], distance[row, best])


def _closest_in_triangles(p: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Barycentric coordinates of the closest point: the best of the inner projection and the three edges."""

    def edge(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        along = end - start
        t = ((p - start) * along).sum(-1) / np.maximum((along * along).sum(-1), 1e-18)
        t = np.clip(t, 0, 1)
        return t, ((start + t[..., None] * along - p) ** 2).sum(-1)

    ab, ac, ap = b - a, c - a, p - a
    d00, d01, d11 = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    d20, d21 = (ap * ab).sum(-1), (ap * ac).sum(-1)
    denominator = np.maximum(d00 * d11 - d01 * d01, 1e-24)
    v, w = (d11 * d20 - d01 * d21) / denominator, (d00 * d21 - d01 * d20) / denominator
    inner = np.stack([1 - v - w, v, w], -1)
    (t0, e0), (t1, e1), (t2, e2) = edge(a, b), edge(b, c), edge(c, a)
    zero = np.zeros_like(t0)
    sides = np.stack(
        [np.stack([1 - t0, t0, zero], -1), np.stack([zero, 1 - t1, t1], -1), np.stack([t2, zero, 1 - t2], -1)]
    )
    choice = np.stack([e0, e1, e2]).argmin(0)
    on_edge = np.take_along_axis(sides, choice[None, ..., None], 0)[0]
    return np.where((inner >= 0).all(-1, keepdims=True), inner, on_edge)
