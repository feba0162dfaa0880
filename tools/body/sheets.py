"""Clothes as sheets over the body: the part of its surface where a field is positive, cut cleanly at zero.

surface, field --triangles that reach inside, outer corners slid to the cut--> sheet with hems, each vertex a mean of the body's
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64, Int32

from avatar3d.body.model import Garment

_SLOTS: Final = 6
_MARGIN_UV: Final = 0.02
"""Between a sheet's outline and its picture's edge."""


@dataclass(frozen=True, eq=False)
class Surface:
    """The body in its canonical T-pose with the bust that the head has."""

    places: Float64[np.ndarray, "V 3"]
    triangles: Int32[np.ndarray, "F 3"]
    triangle_uvs: Int32[np.ndarray, "F 3"]
    uvs: Float64[np.ndarray, "T 2"]


def cut_sheet(name: str, surface: Surface, fields: Float64[np.ndarray, "K V"]) -> Garment:
    """Where all the fields (metres inside each hem) are positive."""
    field = fields.min(0)
    nearest = fields.argmin(0)
    chosen = surface.triangles[(field[surface.triangles] > 0).any(1)]
    chosen_uvs = surface.triangle_uvs[(field[surface.triangles] > 0).any(1)]
    means, wedge_uvs = _slide(field, chosen, chosen_uvs, surface.uvs)
    pairs, index = np.unique(np.stack([chosen.ravel(), chosen_uvs.ravel()], 1), axis=0, return_inverse=True)
    _, first, same = np.unique(pairs[:, 0], return_index=True, return_inverse=True)
    vertices = np.zeros((len(pairs), _SLOTS), np.int32)
    shares = np.zeros((len(pairs), _SLOTS), np.float32)
    uvs = np.zeros((len(pairs), 2))
    for row, (vertex, uv) in enumerate(pairs.tolist()):
        mean = sorted(means.get(vertex, {vertex: 1.0}).items(), key=lambda each: (-each[1], each[0]))[:_SLOTS]
        total = sum(share for _, share in mean)
        vertices[row, : len(mean)] = [one for one, _ in mean]
        shares[row, : len(mean)] = [share / total for _, share in mean]
        uvs[row] = wedge_uvs.get((vertex, uv), surface.uvs[uv])
    low, high = uvs.min(0), uvs.max(0)
    size = (high - low).max() / (1 - 2 * _MARGIN_UV)
    outside = field[pairs[:, 0]] <= 0
    depth = np.where(outside, 0, field[pairs[:, 0]])
    return Garment(
        name,
        vertices,
        shares,
        index.reshape(-1, 3).astype(np.int32),
        ((uvs - low) / size + _MARGIN_UV).astype(np.float32),
        first[same].astype(np.int32),
        depth.astype(np.float32),
        nearest[pairs[:, 0]].astype(np.int32),
    )


def _slide(
    field: np.ndarray, triangles: np.ndarray, triangle_uvs: np.ndarray, uvs: np.ndarray
) -> tuple[dict[int, dict[int, float]], dict[tuple[int, int], np.ndarray]]:
    """Of each outer corner: the mean of the places where its edges cross zero, as shares of vertices; of its UVs too."""
    crossings: dict[int, dict[int, float]] = defaultdict(dict)
    of_wedge: dict[tuple[int, int], dict[int, np.ndarray]] = defaultdict(dict)
    for corners, names in zip(triangles.tolist(), triangle_uvs.tolist(), strict=True):
        for k in range(3):
            for step in (1, 2):
                a, b = corners[k], corners[(k + step) % 3]
                if field[a] <= 0 < field[b]:
                    share = float(field[b] / (field[b] - field[a]))  # of the outer end
                    crossings[a][b] = share
                    of_wedge[a, names[k]][b] = (1 - share) * uvs[names[(k + step) % 3]] + share * uvs[names[k]]
    means: dict[int, dict[int, float]] = {}
    for outer, inner in crossings.items():
        mean = {outer: sum(inner.values()) / len(inner)}
        for one, share in inner.items():
            mean[one] = (1 - share) / len(inner)
        means[outer] = mean
    return means, {key: np.mean(list(found.values()), axis=0) for key, found in of_wedge.items()}
