"""The skin as a place to move points on: the mean head with mouth and eyes open, so that lips and lids lie apart."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy.spatial import KDTree

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel

# How far mouth and eyes stand open on the surface points are moved on.
_OPEN: Final = {"jawOpen": 0.5, "eyeWideLeft": 1.0, "eyeWideRight": 1.0}


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """Points bound to a mesh."""

    triangles: Int32[np.ndarray, "L"]
    barycentric: Float32[np.ndarray, "L 3"]


@dataclass(frozen=True, eq=False)
class Skin:
    """The face part, opened."""

    vertices: Float64[np.ndarray, "V 3"]
    members: Int32[np.ndarray, "N"]
    """Which of the model's triangles are skin."""
    corners: Float64[np.ndarray, "N 3 3"]
    tree: Any
    """Over the triangles' middles."""

    def at(self, points: SurfacePoints, model: HeadModel) -> Float64[np.ndarray, "L 3"]:
        """Where the points lie on the opened skin, metres."""
        return np.einsum("lc,lcd->ld", points.barycentric, self.vertices[model.triangles[points.triangles]])

    def frames(self, points: SurfacePoints, model: HeadModel) -> Float64[np.ndarray, "L 3 2"]:
        """Two unit tangents at each point."""
        corners = self.vertices[model.triangles[points.triangles]]
        first = corners[:, 1] - corners[:, 0]
        first /= np.linalg.norm(first, axis=1, keepdims=True)
        normal = np.cross(first, corners[:, 2] - corners[:, 0])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        return np.stack([first, np.cross(normal, first)], axis=2)

    def nearest(self, points: Float64[np.ndarray, "L 3"], *, candidates: int = 24) -> SurfacePoints:
        """The nearest skin points to points in space."""
        around = np.asarray(self.tree.query(points, candidates)[1])
        corners = self.corners[around].reshape(-1, 3, 3)
        asked = np.repeat(points, candidates, axis=0)
        weights = closest_barycentric(asked, corners)
        distance = np.linalg.norm(np.einsum("nc,ncd->nd", weights, corners) - asked, axis=1).reshape(-1, candidates)
        best = distance.argmin(1)
        rows = np.arange(len(points))
        return SurfacePoints(
            self.members[around[rows, best]].astype(np.int32),
            weights.reshape(-1, candidates, 3)[rows, best].astype(np.float32),
        )


def open_skin(model: HeadModel) -> Skin:
    """The skin of a model's mean head, opened."""
    vertices = model.rest.astype(np.float64)
    for name, weight in _OPEN.items():
        vertices = vertices + weight * model.expression[ARKIT_INDEX[name]]
    members = model.part("face")
    corners = vertices[model.triangles[members]]
    return Skin(vertices, members, corners, KDTree(corners.mean(1)))


def closest_barycentric(
    points: Float64[np.ndarray, "N 3"], corners: Float64[np.ndarray, "N 3 3"]
) -> Float64[np.ndarray, "N 3"]:
    """Weights of the point of each triangle that is nearest to each point: inside, else on the best edge."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11 = (ab * ab).sum(1), (ab * ac).sum(1), (ac * ac).sum(1)
    d20, d21 = (ap * ab).sum(1), (ap * ac).sum(1)
    determinant = np.maximum(d00 * d11 - d01 * d01, 1e-30)
    v = (d11 * d20 - d01 * d21) / determinant
    w = (d00 * d21 - d01 * d20) / determinant
    inside = np.stack([1 - v - w, v, w], axis=1)
    options = [inside]
    for first, second in ((0, 1), (1, 2), (2, 0)):
        start, along = corners[:, first], corners[:, second] - corners[:, first]
        t = np.clip(((points - start) * along).sum(1) / np.maximum((along * along).sum(1), 1e-30), 0, 1)
        edge = np.zeros_like(inside)
        edge[:, first], edge[:, second] = 1 - t, t
        options.append(edge)
    distances = np.stack([np.linalg.norm(np.einsum("nc,ncd->nd", o, corners) - points, axis=1) for o in options])
    distances[0, (inside < 0).any(1)] = np.inf
    return np.stack(options)[distances.argmin(0), np.arange(len(points))]
