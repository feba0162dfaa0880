"""Our brows: two thin alpha cards that hug the skin where brow hair grows.

They are wide enough for brows to lie high or low: the rig paints them from the photo's own brows, hair by hair of the
albedo below, and the card lifts those off the skin. Their stock picture is for heads without a photo.
"""

from typing import Final

import numpy as np
from scipy.interpolate import PchipInterpolator

from tools.head.part import PartGeometry
from tools.head.parts.follow import bind_closest, material_triangles
from tools.head.parts.source import IctSource

COLUMNS: Final = 14
ROWS: Final = 4
LIFT: Final = 6e-4
"""Metres above the skin at the lower edge; hair stands off a little more at the upper edge."""
# Mid-line of the left brow in the front view and its half height, mm, from the nose outward (on ICT's brow ridge).
LINE_MM: Final = ((9.0, 55.5), (18.0, 57.5), (28.0, 59.5), (38.0, 60.0), (46.0, 57.5), (54.0, 53.0))
HALF_HEIGHT_MM: Final = (6.0, 7.0, 7.0, 6.5, 5.5, 3.5)


def build_brows(ict: IctSource) -> PartGeometry:
    """Both brows as one part, carried by the skin below."""
    share = np.linspace(0, 1, len(LINE_MM))
    at = np.linspace(0, 1, COLUMNS)
    line = PchipInterpolator(share, np.array(LINE_MM))(at)
    width = PchipInterpolator(share, np.array(HALF_HEIGHT_MM))(at)
    across = np.gradient(line, axis=0)
    across = np.c_[-across[:, 1], across[:, 0]] / np.linalg.norm(across, axis=1, keepdims=True)
    steps = np.linspace(-1, 1, ROWS)
    flat = line[None] + across[None] * (width[None] * steps[:, None])[..., None]
    skin, normals = _project(ict, flat.reshape(-1, 2) * 1e-3)
    lift = LIFT * (1 + 0.5 * np.repeat(np.arange(ROWS) / (ROWS - 1), COLUMNS))
    left = skin + normals * lift[:, None]
    vertices = np.concatenate([left, left * [-1, 1, 1]])
    both = bind_closest(
        np.concatenate([skin, skin * [-1, 1, 1]]), ict.mean.astype(np.float64), material_triangles(ict, ("M_Face",))
    )
    polygons: list[list[int]] = []
    for side in range(2):
        base = side * ROWS * COLUMNS
        for r in range(ROWS - 1):
            for c in range(COLUMNS - 1):
                quad = [r * COLUMNS + c, r * COLUMNS + c + 1, (r + 1) * COLUMNS + c + 1, (r + 1) * COLUMNS + c]
                polygons.append([base + i for i in (quad if side == 0 else quad[::-1])])
    # Each brow has its own half of the picture, so that a photo's left and right brows can differ.
    u, v = np.linspace(0.01, 0.99, COLUMNS), np.linspace(0.49, 0.01, ROWS)
    half = np.stack(np.broadcast_arrays(u[None, :], v[:, None]), -1).reshape(-1, 2)
    count = ROWS * COLUMNS
    faces = np.array(polygons, np.int32)
    return PartGeometry(
        name="brows",
        vertices=vertices.astype(np.float32),
        polygons=faces,
        polygon_uvs=faces,
        uvs=np.concatenate([half, half + [0, 0.5]]).astype(np.float32),
        identity=both.carry(ict.identity),
        expression=both.carry(ict.expression),
        tongue=None,
        joint_weights={"head": np.ones(len(vertices), np.float32)},
        mirror=np.concatenate([np.arange(count) + count, np.arange(count)]).astype(np.int32),
    )


def _project(ict: IctSource, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Skin points and normals [n 3] in front of (x, y) [n 2], looking along -Z."""
    triangles = material_triangles(ict, ("M_Face",))
    corners = ict.mean[triangles].astype(np.float64)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    points, normals = np.zeros((len(flat), 3)), np.zeros((len(flat), 3))
    vertex_normals = _vertex_normals(ict.mean.astype(np.float64), triangles)
    for row, point in enumerate(flat):
        d = point - a[:, :2]
        v = (d[:, 0] * (c - a)[:, 1] - d[:, 1] * (c - a)[:, 0]) / np.where(area == 0, 1e-20, area)
        w = ((b - a)[:, 0] * d[:, 1] - (b - a)[:, 1] * d[:, 0]) / np.where(area == 0, 1e-20, area)
        hit = (v >= -1e-9) & (w >= -1e-9) & (v + w <= 1 + 1e-9) & (area > 0)
        z = np.where(hit, a[:, 2] * (1 - v - w) + b[:, 2] * v + c[:, 2] * w, -np.inf)
        best = int(z.argmax())
        weight = np.array([1 - v[best] - w[best], v[best], w[best]])
        points[row] = weight @ corners[best]
        normals[row] = weight @ vertex_normals[triangles[best]]
    return points, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def _vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    face = np.cross(
        vertices[triangles[:, 1]] - vertices[triangles[:, 0]], vertices[triangles[:, 2]] - vertices[triangles[:, 0]]
    )
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], face)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
