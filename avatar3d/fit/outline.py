"""How wide are ears, jaw and throat, and how far away was the camera? What the outline of the skin tells of it.

    Segments --> where skin ends on level lines -----+
    head --> its outermost points on those lines ----+--> distance along the head's outline, in its normal --> person

Landmarks lie on the face. What lies behind it looks narrow to a near camera, and on a narrow head: they cannot tell.
Where hair, a beard, a collar or a hand comes next, skin may go on behind it: such lines say nothing.
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int32

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.head import HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.core.segments import Segments
from avatar3d.fit.basis import SEEN, LandmarkBasis
from avatar3d.fit.energies import State, Term, huber_weights, shape_columns
from avatar3d.fit.solve import Moving, bounded_step, bounds, normal_equations

# MediaPipe's points at the corners of the eyes, and down the middle of the face.
_RIGHT_EYE, _LEFT_EYE = (33, 133), (263, 362)
_MIDDLE: Final = (1, 4, 152)
_CHIN: Final = 152
# Lines from the eyes to the chin, about a tenth of an inter-ocular distance apart.
_LINES: Final = 18
_SKIN: Final = ("skin", "neck", "ears", "brows", "eyes", "lips", "teeth")
# Along each line, IOD from the middle of the face: from where to where skin may end, and in which steps it is asked.
_INNERMOST, _OUTERMOST, _STEP = 0.3, 2.0, 0.01
# So far beyond its end, IOD, the net must be so sure of the background. 97 portraits: the picture's own edge lies
# 1 % IOD from there (quartiles -1.4 and .5).
_BEYOND, _SURE = 0.06, 0.7
# Of the rest head, metres: without the middle of the face, from so far over the eyes to so far below them.
_BESIDE_M, _ABOVE_M, _BELOW_M = 0.03, 0.05, 0.19
# A head that moves by less than this, IOD, goes on crossing a line.
_MARGIN: Final = 0.2
# Standard deviation of one line, IOD: expression, a neck that turns less than the head, what the net gets wrong.
# Neighbours err together, so it is larger than what is left of a line (97 portraits: 4.5 to 5.8 %).
_SIGMA: Final = 0.06
_HUBER: Final = 0.1
# The outermost points change with the head.
_ROUNDS: Final = 3


@dataclass(frozen=True, eq=False)
class SeenOutline:
    """Points of the picture where skin ends and the background begins."""

    points_px: Float64[np.ndarray, "N 2"]
    """From the principal point."""
    side: Float64[np.ndarray, "N"]
    """-1 on the picture's left, 1 on its right."""
    across: Float64[np.ndarray, "2"]
    """Unit vector along the lines, rightward in the picture."""
    interocular_px: float

    @property
    def down(self) -> Float64[np.ndarray, "2"]:
        """Unit vector from line to line."""
        return np.array([-self.across[1], self.across[0]])


@dataclass(frozen=True, eq=False)
class Rim:
    """The skin that can be a head's outline between eyes and collar."""

    vertices: LandmarkBasis
    """Each vertex as a landmark."""
    edges: Int32[np.ndarray, "E 2"]


def seen_outline(face: FaceObservation, segments: Segments) -> SeenOutline:
    """Where skin ends beside the face, on lines parallel to that through the eyes."""
    points = face.landmarks_px.astype(np.float64)
    iod = face.interocular_px
    right, left = (points[list(corners)].mean(0) for corners in (_RIGHT_EYE, _LEFT_EYE))
    across = (left - right) / np.linalg.norm(left - right)
    down = np.array([-across[1], across[0]])
    middle = points[list(_MIDDLE)].mean(0)
    levels = np.linspace(((left + right) / 2 - middle) @ down, (points[_CHIN] - middle) @ down, _LINES, endpoint=False)
    outward = np.arange(_INNERMOST, _OUTERMOST, _STEP) * iod
    side = np.repeat([-1.0, 1.0], _LINES)
    start = middle + np.tile(levels, 2)[:, None] * down
    lines = start[:, None] + (side[:, None] * outward)[..., None] * across
    places = lines @ segments.crop_from_photo[:, :2].T + segments.crop_from_photo[:, 2]
    skin, background = _at(segments.of(*_SKIN), places), _at(segments.of("background"), places)
    row, end = np.arange(len(lines)), np.argmax(skin < 0.5, axis=1)
    beyond = np.minimum(end + round(_BEYOND / _STEP), len(outward) - 1)
    height, width = face.photo.pixels.shape[:2]
    inside = ((lines[row, beyond] > 0) & (lines[row, beyond] < [width, height])).all(1)
    told = (end > 0) & inside & (background[row, beyond] > _SURE)
    last, first = skin[row, end - 1], skin[row, end]
    share = (last - 0.5) / np.maximum(last - first, 1e-6)
    found = lines[row, end - 1] + share[:, None] * (lines[row, end] - lines[row, end - 1])
    return SeenOutline(found[told] - np.array([width / 2, height / 2]), side[told], across, iod)


def rim_of(model: HeadModel, centre: Float64[np.ndarray, "3"]) -> Rim:
    """Sides of head and throat; points count from `centre` as in the landmarks' basis."""
    triangles = model.triangles[model.part("face")]
    over_eyes = model.rest[:, 1] - model.rest[np.unique(model.triangles[model.part("eyeLeft")]), 1].mean()
    beside = (np.abs(model.rest[:, 0]) > _BESIDE_M) & (over_eyes < _ABOVE_M) & (over_eyes > -_BELOW_M)
    kept, corners = np.unique(triangles[beside[triangles].all(1)], return_inverse=True)
    corners = corners.reshape(-1, 3)
    edges = np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]]), axis=1)
    vertices = _as_landmarks(
        model.rest[kept].astype(np.float64) - centre,
        model.identity[:, kept].astype(np.float64),
        model.expression[np.ix_(SEEN, kept)].astype(np.float64),
        centre,
    )
    return Rim(vertices, np.unique(edges, axis=0).astype(np.int32))


def reach_outline(
    rim: Rim, seen: SeenOutline, person: State, firmness: Float64[np.ndarray, "C C"], *, moving: Moving
) -> tuple[State, Float64[np.ndarray, "C C"]]:
    """The person moved toward the seen outline, as far as `firmness` (the inverse covariance of what is known) lets it.

    Also how firmly the outline holds them.
    """
    seen = _within(rim, person, seen)
    state, gone, hessian = person, np.zeros(len(firmness)), np.zeros_like(firmness)
    for _ in range(_ROUNDS):
        hessian, gradient = normal_equations([outline_term(rim, state, seen)])
        lower, upper = bounds(len(state.identity), state.expression, moving)
        step = bounded_step(firmness + hessian, firmness @ gone + gradient, lower, upper)
        state, gone = state.moved(step), gone + step
    return state, hessian


def outline_term(rim: Rim, at: State, seen: SeenOutline) -> Term:
    """The head's outermost points on the lines against where skin ends, along the normal of the head's outline."""
    points = outermost(rim, at, seen)
    place = points.points(at.identity, at.expression)
    now = at.view.project(place)
    normal = _normals(now @ seen.across, seen) / seen.interocular_px
    off = ((now - seen.points_px) * normal).sum(1)
    by_step, by_points = at.view.jacobians(place)
    columns = np.concatenate([by_step, shape_columns(points, by_points)], axis=2)
    weight = huber_weights(np.abs(off), _HUBER) / _SIGMA
    return Term(off * weight, np.einsum("nd,ndc->nc", normal * weight[:, None], columns))


def outermost(rim: Rim, at: State, seen: SeenOutline) -> LandmarkBasis:
    """Where the head reaches farthest out on each line: points on its edges."""
    flat = at.view.project(rim.vertices.points(at.identity, at.expression))
    u, w = flat @ seen.across, flat @ seen.down
    a, b = rim.edges.T
    ends, share = np.zeros((len(seen.side), 2), np.int32), np.zeros(len(seen.side))
    for line, level in enumerate(seen.points_px @ seen.down):
        crossing = np.flatnonzero((w[a] <= level) != (w[b] <= level))
        p, q = a[crossing], b[crossing]
        along = (level - w[p]) / (w[q] - w[p])
        farthest = np.argmax(seen.side[line] * (u[p] + along * (u[q] - u[p])))
        ends[line], share[line] = (p[farthest], q[farthest]), along[farthest]

    def on(field: np.ndarray) -> np.ndarray:
        return field[..., ends[:, 0], :] * (1 - share)[:, None] + field[..., ends[:, 1], :] * share[:, None]

    skin = rim.vertices
    return _as_landmarks(on(skin.rest), on(skin.identity), on(skin.expression), skin.centre)


def _as_landmarks(
    rest: Float64[np.ndarray, "N 3"],
    identity: Float64[np.ndarray, "K N 3"],
    expression: Float64[np.ndarray, "E N 3"],
    centre: Float64[np.ndarray, "3"],
) -> LandmarkBasis:
    """Points of the skin that no gaze moves."""
    count = len(rest)
    looks = np.zeros((len(ARKIT_NAMES), count, 3))
    return LandmarkBasis(np.arange(count, dtype=np.int32), rest, identity, expression, np.ones(count), centre, looks)


def _within(rim: Rim, at: State, seen: SeenOutline) -> SeenOutline:
    """The lines that cross the rim, and will when it moves a little."""
    heights = at.view.project(rim.vertices.points(at.identity, at.expression)) @ seen.down
    level, margin = seen.points_px @ seen.down, _MARGIN * seen.interocular_px
    crosses = (level > heights.min() + margin) & (level < heights.max() - margin)
    return replace(seen, points_px=seen.points_px[crosses], side=seen.side[crosses])


def _normals(u: Float64[np.ndarray, "N"], seen: SeenOutline) -> Float64[np.ndarray, "N 2"]:
    """Outward unit normals of an outline that is at `u` on each line: level where it is one line alone."""
    slope, level = np.zeros(len(u)), seen.points_px @ seen.down
    for side in (-1.0, 1.0):
        mine = np.flatnonzero(seen.side == side)
        if len(mine) > 1:
            slope[mine] = np.gradient(u[mine], level[mine])
    normal = seen.side[:, None] * (seen.across - slope[:, None] * seen.down)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def _at(plane: Float32[np.ndarray, "H W"], places: Float64[np.ndarray, "*S 2"]) -> Float32[np.ndarray, "*S"]:
    """Bilinear, 0 outside; places count pixel centres at integer + 0.5."""
    x, y = np.moveaxis(places.astype(np.float32) - np.float32(0.5), -1, 0)
    return np.asarray(cv2.remap(plane, x, y, cv2.INTER_LINEAR), np.float32)
