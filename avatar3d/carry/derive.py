"""Shapes and skin weights of an edited mesh, read off the head it was made of.

own --laid on the edited surface--> each edited vertex matched --> displacements and weights there --> gaps filled in
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64

from avatar3d.carry.fill import fill_in
from avatar3d.carry.match import Match, edited_on, match
from avatar3d.carry.register import lay_on, turned
from avatar3d.carry.sheet import Sheet
from avatar3d.core.clock import Progress

_SCULPTED_M: Final = (0.0002, 0.0006)
"""Own vertices that had to move less than the first were not sculpted (a coarser mesh cuts corners), beyond the second were ..."""
_FINE_M: Final = 0.002
"""... where the edited mesh is no coarser than this; coarser ones lie less exactly on what they were made of."""
_MOST_JOINTS: Final = 4
_NEAR_M, _MOST_OF = 0.005, 0.9
"""Neighbours were no further apart than three times what they are, and so much; of so many edges at least."""
_FEWEST: Final = 100
"""Own vertices to compare shapes at."""


@dataclass(frozen=True, eq=False)
class Laid:
    """The head's own surface before and after it was laid on the edited one; metres."""

    own: Sheet
    edited: Sheet
    kept: Int64[np.ndarray, "W"]
    """For each vertex of `edited`: which of `own` it was, -1 for a new one."""
    points: Float64[np.ndarray, "V 3"]
    """Where the own vertices were sculpted to; as they were where nobody did anything."""
    sculpted: Float64[np.ndarray, "V"]
    """0 where the surface is as it was, 1 where somebody moved it."""
    met: Bool[np.ndarray, "V"]
    """What the edited surface told about; the rest followed."""

    @property
    def moves(self) -> Float64[np.ndarray, "V 3"]:
        """How far each own vertex was sculpted, metres."""
        return self.points - self.own.points


def believable(own: Sheet, edited: Sheet, kept: Int64[np.ndarray, "W"]) -> bool:
    """Whether vertices can be what they are said to have been: neighbours were near each other."""
    i, j = edited.edges[(kept[edited.edges] >= 0).all(1)].T
    were = np.linalg.norm(own.points[kept[i]] - own.points[kept[j]], axis=1)
    are = np.linalg.norm(edited.points[i] - edited.points[j], axis=1)
    return bool(np.mean(were < 3 * are + _NEAR_M) > _MOST_OF) if len(i) else True


def lay(own: Sheet, edited: Sheet, kept: Int64[np.ndarray, "W"]) -> Laid:
    """The own surface laid on the edited one."""
    was = np.flatnonzero(kept >= 0)
    points, met = lay_on(own, edited, (kept[was], edited.points[was]))
    gone = points - own.points
    if len(np.unique(kept[was])) == len(own.points):  # every vertex is known: nothing is guessed
        return Laid(own, edited, kept, points, 1.0 * (np.abs(gone).max(1) > 0), met)
    sculpted = _sculpted(own, edited, points)
    return Laid(own, edited, kept, own.points + sculpted[:, None] * gone, sculpted, met)


def _sculpted(own: Sheet, edited: Sheet, points: Float64[np.ndarray, "V 3"]) -> Float64[np.ndarray, "V"]:
    """How surely each own vertex was moved by somebody.

    A coarser mesh cuts corners: its triangles leave the surface, but its vertices lie on it. So a vertex was sculpted when it
    had to move and the edited vertices around it have left the surface too.
    """
    left = own.nearest(edited.points, edited.normals, least_alike=0.0, turn_m=0.001).distance_m
    around = edited_on(edited, points, own.moved(points).normals)
    left = edited.at(around, left[:, None])[:, 0]
    low, high = np.array(_SCULPTED_M) * max(1.0, _coarseness(edited) / _FINE_M)
    share = np.clip((np.minimum(np.linalg.norm(points - own.points, axis=1), left) - low) / (high - low), 0, 1)
    for widened in (True, True, True, False, False, False):
        share = _spread(own, share, widened=widened)
    return share


def _coarseness(edited: Sheet) -> float:
    """Median length of its edges, metres."""
    i, j = edited.edges.T
    return float(np.median(np.linalg.norm(edited.points[i] - edited.points[j], axis=1)))


def _spread(own: Sheet, share: Float64[np.ndarray, "V"], *, widened: bool) -> Float64[np.ndarray, "V"]:
    """The largest value around each vertex, or the mean with its neighbours."""
    if not widened:
        return share - 0.5 * (own.laplacian @ share)
    i, j = own.edges.T
    wider = share.copy()
    np.maximum.at(wider, i, share[j])
    np.maximum.at(wider, j, share[i])
    return wider


def with_frames(laid: Laid, shapes: Float32[np.ndarray, "M V 3"]) -> Float32[np.ndarray, "M V 3"]:
    """Displacements turned as the surface under them was."""
    if not laid.sculpted.any():
        return shapes
    turn = turned(laid.own, laid.points)
    return np.einsum("vij,mvj->mvi", turn, shapes).astype(np.float32)


def match_all(laid: Laid, parted: Sequence[Float32[np.ndarray, "V 3"]], progress: Progress) -> Match:
    """Every edited vertex on the laid surface."""
    progress("match")
    moves = np.zeros((max(len(parted), 1), *laid.own.points.shape))
    for row, shape in enumerate(parted):
        moves[row] = shape
    return match(laid.own.moved(laid.points), moves, laid.edited, laid.kept)


def read_off(
    laid: Laid, found: Match, shapes: Float32[np.ndarray, "M V 3"], progress: Progress
) -> Float32[np.ndarray, "M W 3"]:
    """Displacements of the own vertices, at every edited vertex."""
    progress("shapes")
    there = laid.own.at(found.nearest, shapes)
    count = there.shape[1]
    rows = np.moveaxis(there, 0, 1).reshape(count, -1).astype(np.float64)
    filled = fill_in(laid.edited, rows, found.trusted)
    return np.moveaxis(filled.reshape(count, len(shapes), 3), 1, 0).astype(np.float32)


def read_weights(
    laid: Laid,
    found: Match,
    joints: Int32[np.ndarray, "V 4"],
    weights: Float32[np.ndarray, "V 4"],
) -> tuple[Int32[np.ndarray, "W 4"], Float32[np.ndarray, "W 4"]]:
    """Skin weights of the own vertices, at every edited vertex: the four largest, summing to 1."""
    count = int(joints.max(initial=0)) + 1
    dense = np.zeros((len(joints), max(count, _MOST_JOINTS)))
    np.add.at(dense, (np.arange(len(joints))[:, None], joints), weights)
    there = np.maximum(fill_in(laid.edited, laid.own.at(found.nearest, dense), found.trusted), 0)
    there[there.sum(1) <= 0, 0] = 1
    order = np.argsort(-there, axis=1, kind="stable")[:, :_MOST_JOINTS]
    most = np.take_along_axis(there, order, axis=1)
    most /= most.sum(1, keepdims=True)
    most = most.astype(np.float32)
    most[:, 0] += 1 - most.sum(1)
    return np.where(most > 0, order, 0).astype(np.int32), most


def shape_errors(
    laid: Laid, own_shapes: Float32[np.ndarray, "M V 3"], shapes: Float32[np.ndarray, "M W 3"]
) -> tuple[Float64[np.ndarray, "M N"], Int64[np.ndarray, "N"]]:
    """How far the edited surface's displacements are from the head's, metres, at the own vertices that were not sculpted (at all of
    them where hardly any was left alone).

    Asked the other way round than they were read off: at the edited surface's point next to each own vertex, so that a mesh
    too coarse for a shape shows. Also which own vertices these are.
    """
    place = laid.own.moved(laid.points)
    found = edited_on(laid.edited, laid.points, place.normals)
    there_too = laid.met & (found.alike > 0.35) & (found.distance_m < 0.003)
    chosen = np.flatnonzero(there_too & (laid.sculpted < 0.5))
    if len(chosen) < _FEWEST:
        chosen = np.flatnonzero(there_too)
    there = laid.edited.at(found, shapes)[:, chosen]
    return np.linalg.norm(there - own_shapes[:, chosen], axis=2).astype(np.float64), chosen
