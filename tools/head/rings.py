"""Finer lips and lids: a new ring of vertices inside each of the first quad strips round a border loop."""

import numpy as np
from jaxtyping import Float64, Int32


def split_strips(
    vertices: Float64[np.ndarray, "v 3"],
    polygons: Int32[np.ndarray, "p 4"],
    mirror: Int32[np.ndarray, "v"],
    loop: Int32[np.ndarray, "n"],
    strips: int,
) -> tuple[Float64[np.ndarray, "w 3"], Int32[np.ndarray, "q 4"], Int32[np.ndarray, "w"]]:
    """Split the first `strips` strips of quads round the loop, counted from it, lengthwise in two.

    The strips must be regular (one edge leads from each ring vertex to the next ring). `mirror` of a new vertex is
    right when both eyes are split in turn: it is found again among the new vertices by position.
    """
    inner, seen = loop, set(loop.tolist())
    for _ in range(strips):
        on_ring = np.isin(polygons, inner)
        outside = ~np.isin(polygons, list(seen - set(inner.tolist()))).any(1)
        strip = np.flatnonzero((on_ring.sum(1) == 2) & outside)
        middle: dict[tuple[int, int], int] = {}
        places: list[np.ndarray] = []
        added: list[list[int]] = []
        outer: list[int] = []
        for row in strip:
            quad = polygons[row].tolist()
            first = next(k for k in range(4) if on_ring[row, k] and on_ring[row, (k + 1) % 4])
            a, b, c, d = (quad[(first + k) % 4] for k in range(4))
            for near, far in ((a, d), (b, c)):
                if (near, far) not in middle:
                    middle[near, far] = len(vertices) + len(places)
                    places.append(0.5 * (vertices[near] + vertices[far]))
                    outer.append(far)
            polygons[row] = [a, b, middle[b, c], middle[a, d]]
            added.append([middle[a, d], middle[b, c], c, d])
        mirror = np.r_[mirror, [middle.get((int(mirror[n]), int(mirror[f])), -1) for n, f in middle]]
        vertices = np.vstack([vertices, places])
        polygons = np.vstack([polygons, np.array(added, np.int32)])
        seen |= set(inner.tolist()) | set(middle.values())
        inner = np.array(outer, np.int32)
        seen |= set(outer)
    return vertices, polygons, mirror.astype(np.int32)


def pair_mirrors(vertices: Float64[np.ndarray, "v 3"], mirror: Int32[np.ndarray, "v"]) -> Int32[np.ndarray, "v"]:
    """Fill the -1 entries: new vertices whose partner lies on the other eye."""
    alone = np.flatnonzero(mirror < 0)
    flipped = vertices[alone] * [-1, 1, 1]
    distance = np.linalg.norm(flipped[:, None] - vertices[alone][None], axis=2)
    partner = distance.argmin(1)
    if (distance[np.arange(len(alone)), partner] > 1e-6).any() or len(set(partner.tolist())) != len(alone):
        raise ValueError("the inserted rings are not symmetric")
    result = mirror.copy()
    result[alone] = alone[partner]
    return result
