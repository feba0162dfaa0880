"""Tangents for normal-mapped meshes, the way glTF expects them.

glTF 2.0, section 3.7.2.1: without TANGENT an engine invents its own, and the same normal map looks different in two
engines. The frame is MikkTSpace's (Mikkelsen 2008): per corner, weighted by angle, projected on the vertex normal.
"""

import numpy as np
from jaxtyping import Float32, Float64, Int32


def vertex_tangents(
    positions: Float32[np.ndarray, "V 3"],
    normals: Float32[np.ndarray, "V 3"],
    uvs: Float32[np.ndarray, "V 2"],
    triangles: Int32[np.ndarray, "F 3"],
) -> Float32[np.ndarray, "V 4"]:
    """Unit tangent (direction of rising u) and sign, such that cross(normal, tangent) * sign points up the image.

    Finite and unit everywhere: a vertex without a usable UV neighbourhood gets some direction in its tangent plane.
    """
    corners = positions.astype(np.float64)[triangles]
    corner_uvs = uvs.astype(np.float64)[triangles]
    edges, edge_uvs = corners[:, 1:] - corners[:, :1], corner_uvs[:, 1:] - corner_uvs[:, :1]
    area = edge_uvs[:, 0, 0] * edge_uvs[:, 1, 1] - edge_uvs[:, 1, 0] * edge_uvs[:, 0, 1]
    # dP/du up to the positive factor 1/|area|; a UV triangle wound the other way is a mirrored one.
    along_u = edges[:, 0] * edge_uvs[:, 1, 1:] - edges[:, 1] * edge_uvs[:, 0, 1:]
    along_u = _unit(along_u * np.sign(area)[:, None])
    weights = _corner_angles(corners)

    tangent = np.zeros((len(positions), 3))
    sign = np.zeros(len(positions))
    for corner in range(3):
        at = triangles[:, corner]
        np.add.at(tangent, at, weights[:, corner, None] * along_u)
        np.add.at(sign, at, -weights[:, corner] * np.sign(area))  # v points down the image, hence the minus
    unit_normals = _unit(normals.astype(np.float64))
    tangent = _perpendicular(tangent, unit_normals)
    return np.concatenate([tangent, np.where(sign < 0, -1.0, 1.0)[:, None]], axis=1).astype(np.float32)


def _perpendicular(
    tangent: Float64[np.ndarray, "V 3"], normals: Float64[np.ndarray, "V 3"]
) -> Float64[np.ndarray, "V 3"]:
    """Tangents projected on the plane of the normals; where nothing is left, any direction in that plane."""
    flat = tangent - normals * np.sum(normals * tangent, axis=1, keepdims=True)
    lost = np.linalg.norm(flat, axis=1) < 1e-9
    some_axis = np.eye(3)[np.argmin(np.abs(normals), axis=1)]
    flat[lost] = np.cross(some_axis, normals)[lost]
    return _unit(flat)


def _corner_angles(corners: Float64[np.ndarray, "F 3 3"]) -> Float64[np.ndarray, "F 3"]:
    to_next = _unit(np.roll(corners, -1, axis=1) - corners)
    to_previous = _unit(np.roll(corners, 1, axis=1) - corners)
    return np.arccos(np.clip(np.sum(to_next * to_previous, axis=-1), -1, 1))


def _unit(vectors: Float64[np.ndarray, "*N 3"]) -> Float64[np.ndarray, "*N 3"]:
    """Scaled to length one; a zero vector stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
