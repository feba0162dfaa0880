"""Cut the bust along a curve without leaving a staircase."""

import numpy as np
from jaxtyping import Float64, Int32


def cut_polygons(
    vertices: Float64[np.ndarray, "v 3"], polygons: Int32[np.ndarray, "p 4"], height: Float64[np.ndarray, "v"]
) -> tuple[Float64[np.ndarray, "w 3"], Int32[np.ndarray, "q 4"], Int32[np.ndarray, "w"]]:
    """Keep what has height >= 0; outer corners of cut quads slide along their edges to height 0.

    Returns vertices, polygons (a quad with one inner corner becomes a triangle) and, per kept vertex, its old index.
    """
    inside = height >= 0
    count = inside[polygons].sum(1)
    kept = polygons[count > 0]
    moved = np.zeros_like(vertices)
    votes = np.zeros(len(vertices))
    for corner in range(4):
        for step in (1, 3):
            here, there = kept[:, corner], kept[:, (corner + step) % 4]
            crossing = inside[there] & ~inside[here]
            a, b = here[crossing], there[crossing]
            share = (height[b] / (height[b] - height[a]))[:, None]
            np.add.at(moved, a, vertices[b] + share * (vertices[a] - vertices[b]))
            np.add.at(votes, a, 1.0)
    placed = np.where(votes[:, None] > 0, moved / np.maximum(votes, 1)[:, None], vertices)
    result: list[list[int]] = []
    for quad in kept:
        corners = [int(index) for index in quad if inside[index] or votes[index] > 0]
        result.append(corners + [-1] * (4 - len(corners)))
    table = np.array(result, np.int32)
    table = table[(table >= 0).sum(1) >= 3]
    members = np.unique(table[table >= 0])
    position = np.full(len(vertices) + 1, -1)
    position[members] = np.arange(len(members))
    return placed[members], position[table].astype(np.int32), members.astype(np.int32)
