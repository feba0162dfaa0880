"""Painted skins: lips, brows, lids and irises put on a bare head so that a face detector knows them.

The places come from the 68 landmarks in ICT-FaceKit's own index table, in the frontal plane of its mean head, which is
also the frame of every head built from it.
"""

import functools
import itertools
import json
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int32

from avatar3d.core.head import HeadModel
from avatar3d.head.ict import ict_path

# Indices of the 68-point scheme (Multi-PIE).
_BROWS = (range(17, 22), range(22, 27))
_EYES = (range(36, 42), range(42, 48))
_OUTER_LIPS = range(48, 60)
_SKINS = np.array([[0.72, 0.50, 0.40], [0.62, 0.40, 0.30], [0.45, 0.27, 0.18], [0.26, 0.14, 0.09], [0.66, 0.47, 0.33]])
_IRISES = np.array([[0.05, 0.03, 0.02], [0.10, 0.06, 0.03], [0.12, 0.17, 0.24], [0.10, 0.13, 0.07]])
IRIS_RADIUS_RAD, _PUPIL_RADIUS_RAD = 0.49, 0.19  # 5.9 and 2.3 mm on a ball of 12.3 mm


@dataclass(frozen=True, eq=False)
class Paint:
    """One painted complexion for one model; call it with surface points."""

    model: HeadModel
    skin: Float64[np.ndarray, "3"]
    iris: Float64[np.ndarray, "3"]
    brow: Float64[np.ndarray, "3"]
    lips: Float64[np.ndarray, "3"]
    marks: Float64[np.ndarray, "68 3"]

    def __call__(
        self, triangle: Int32[np.ndarray, "N"], weights: Float32[np.ndarray, "N 3"]
    ) -> Float64[np.ndarray, "N 3"]:
        """Linear RGB."""
        rest = np.einsum("nc,ncd->nd", weights, self.model.rest[self.model.triangles[triangle]]).astype(np.float64)
        part = np.array(self.model.part_names)[self.model.triangle_parts[triangle]]
        colour = np.tile(self.skin, (len(rest), 1))
        face = part == "face"
        colour[face] = self._skin(rest[face])
        for name, inner in (("teethUpper", 0.6), ("teethLower", 0.6), ("tongue", 0.2), ("mouth", 0.05)):
            colour[part == name] = inner * np.array([1.0, 0.55, 0.5]) if inner < 0.5 else inner
        for name in ("eyeLeft", "eyeRight"):
            chosen = part == name
            ball = self.model.rest[np.unique(self.model.triangles[self.model.part(name)])]
            colour[chosen] = self._eye(rest[chosen] - (ball.min(0) + ball.max(0)) / 2)
        return colour

    def _skin(self, rest: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N 3"]:
        whole = np.tile(self.skin, (len(rest), 1))
        near = (rest[:, 2] > 0.06) & (np.abs(rest[:, 1]) < 0.075) & (np.abs(rest[:, 0]) < 0.07)
        whole[near] = self._features(rest[near])
        return whole

    def _features(self, rest: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N 3"]:
        colour = np.tile(self.skin, (len(rest), 1))
        for brow in _BROWS:
            height = _distance_to_line(rest[:, :2], self.marks[list(brow), :2] - [0, 0.002])
            ink = np.clip((0.0042 - height) / 0.002, 0, 1) * 0.75
            colour += ink[:, None] * (self.brow - colour)
        for eye in _EYES:
            margin = _distance_to_line(rest[:, :2], self.marks[[*eye, eye[0]], :2])
            ink = np.clip((0.0016 - margin) / 0.001, 0, 1) * 0.7
            colour += ink[:, None] * (self.brow * 0.5 - colour)
        outline = _smooth_closed(self.marks[list(_OUTER_LIPS), :2])
        inside = _inside(rest[:, :2], outline)
        edge = _distance_to_line(rest[:, :2], np.concatenate([outline, outline[:1]]))
        ink = np.where(inside, np.clip(edge / 0.001, 0.3, 1), 0)
        return colour + ink[:, None] * (self.lips - colour)

    def _eye(self, ball: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N 3"]:
        angle = np.arccos(np.clip(ball[:, 2] / np.maximum(np.linalg.norm(ball, axis=1), 1e-9), -1, 1))[:, None]
        colour = np.where(angle < IRIS_RADIUS_RAD, self.iris, np.array([0.62, 0.58, 0.55]))
        return np.where(angle < _PUPIL_RADIUS_RAD, 0.01, colour)


def random_paint(model: HeadModel, rng: np.random.Generator) -> Paint:
    """A complexion between light and dark."""
    skin = _SKINS[rng.integers(len(_SKINS))] * rng.uniform(0.85, 1.1)
    return Paint(
        model=model,
        skin=skin,
        iris=_IRISES[rng.integers(len(_IRISES))],
        brow=skin * rng.uniform(0.08, 0.35),
        lips=skin * np.array([0.85, 0.5, 0.5]) * rng.uniform(0.8, 1.0),
        marks=marks_of_ict(),
    )


@functools.cache
def marks_of_ict() -> Float64[np.ndarray, "68 3"]:
    """The 68 landmarks on ICT's mean head, metres."""
    with np.load(ict_path(), allow_pickle=False) as archive:
        table = json.loads(str(archive["vertex_indices"]))
        return archive["mean"][table["idx_to_landmark_verts"]].astype(np.float64) * 0.01


def _distance_to_line(points: Float64[np.ndarray, "N 2"], line: Float64[np.ndarray, "M 2"]) -> Float64[np.ndarray, "N"]:
    nearest = np.full(len(points), np.inf)
    for start, end in itertools.pairwise(line):
        along = np.clip((points - start) @ (end - start) / np.sum((end - start) ** 2), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(points - start - along[:, None] * (end - start), axis=1))
    return nearest


def _smooth_closed(outline: Float64[np.ndarray, "M 2"]) -> Float64[np.ndarray, "N 2"]:
    """A closed Catmull-Rom curve through the points, eight pieces a span."""
    t = (np.arange(8) / 8)[:, None, None]
    a, b, c, d = (np.roll(outline, shift, axis=0) for shift in (1, 0, -1, -2))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return curve.transpose(1, 0, 2).reshape(-1, 2)


def _inside(points: Float64[np.ndarray, "N 2"], outline: Float64[np.ndarray, "M 2"]) -> np.ndarray:
    """Even-odd rule."""
    x, y = points.T
    inside = np.zeros(len(points), bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        inside ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0 if y1 != y0 else 1e-12) + x0)
    return inside
