"""Our lashes: one curved alpha card a lid. The roots ride on ICT's lid skin, the tips turn with ICT's lashes."""

from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from tools.head.part import PartGeometry
from tools.head.parts.eyes import eye_sphere
from tools.head.parts.follow import Carrier, bind_closest, material_triangles, material_vertices
from tools.head.parts.lids import left_margin
from tools.head.parts.source import IctSource

COLUMNS: Final = 15
ROWS: Final = (0.0, 0.3, 0.65, 1.0)
UPPER_LENGTH_MM: Final = 8.0
LOWER_LENGTH_MM: Final = 4.5
UPPER_SPAN_DEG: Final = (12.0, 166.0)
"""From the outer to the inner corner, directions seen from the front (left eye)."""
LOWER_SPAN_DEG: Final = (344.0, 206.0)


def build_lashes(ict: IctSource) -> PartGeometry:
    """Upper and lower lashes of both eyes as one part."""
    margin = left_margin(ict)
    centre, _ = eye_sphere(ict, "Left")
    cards = [
        _card(margin.points, centre, UPPER_SPAN_DEG, UPPER_LENGTH_MM, upper=True),
        _card(margin.points, centre, LOWER_SPAN_DEG, LOWER_LENGTH_MM, upper=False),
    ]
    rows = len(ROWS)
    left = np.concatenate([card.reshape(-1, 3) for card in cards])
    vertices = np.concatenate([left, left * [-1, 1, 1]])
    roots = np.concatenate([np.repeat(card[:1], rows, axis=0).reshape(-1, 3) for card in cards])
    roots = np.concatenate([roots, roots * [-1, 1, 1]])
    skin = bind_closest(roots, ict.mean.astype(np.float64), material_triangles(ict, ("M_Face",)))
    reference = material_vertices(ict, "M_EyeLashes")
    uppers = np.concatenate([np.full(rows * COLUMNS, upper) for upper in (True, False)] * 2)
    tips = _beside(vertices, roots, ict, reference, uppers)
    polygons, uvs = _faces()
    count = len(left)
    return PartGeometry(
        name="lashes",
        vertices=vertices.astype(np.float32),
        polygons=polygons,
        polygon_uvs=polygons,
        uvs=uvs,
        identity=_ride(skin, tips, ict.identity),
        expression=_ride(skin, tips, ict.expression),
        joint_weights={"head": np.ones(len(vertices), np.float32)},
        mirror=np.concatenate([np.arange(count) + count, np.arange(count)]).astype(np.int32),
    )


def _card(
    margin: np.ndarray, centre: np.ndarray, span_deg: tuple[float, float], length_mm: float, *, upper: bool
) -> np.ndarray:
    """[rows columns 3] points of one card, from the outer to the inner corner."""
    wrapped = np.concatenate([margin, margin, margin])
    smooth = gaussian_filter1d(wrapped, 2.0, axis=0)[len(margin) : 2 * len(margin)]
    at = np.linspace(*span_deg, COLUMNS) / 360 * len(margin)
    low = np.floor(at).astype(int) % len(margin)
    part = (at - np.floor(at))[:, None]
    root = smooth[low] * (1 - part) + smooth[(low + 1) % len(margin)] * part
    # Lashes fan out from the ball and are longest in the outer half.
    share = np.linspace(0, 1, COLUMNS)
    length = length_mm * 1e-3 * np.interp(share, [0, 0.25, 0.6, 1], [0.75, 1.0, 0.85, 0.45])
    outward = root - centre
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    sweep = np.array([1.0, 0, 0])[None] * np.interp(share, [0, 0.5, 1], [0.35, 0.0, -0.3])[:, None]
    lift = np.array([0, 1.0 if upper else -1.0, 0])[None]
    points = []
    for row in ROWS:
        curl = row**1.6 * (0.75 if upper else 0.45)
        direction = outward * (1 - 0.35 * row) + sweep * row + lift * curl
        if upper:
            direction = direction - lift * 0.25 * (1 - row)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        points.append(root + outward * 2e-4 + direction * (length * row)[:, None])
    return np.stack(points)


def _beside(
    vertices: np.ndarray, roots: np.ndarray, ict: IctSource, reference: np.ndarray, uppers: np.ndarray
) -> tuple[Carrier, Carrier]:
    """Carriers of our tips and of our roots on ICT's lashes of the same lid (mean of the eight nearest)."""
    blink = np.linalg.norm(ict.expression[8:10][:, reference], axis=2).max(0)
    carriers = []
    for points in (vertices, roots):
        corners, weights = np.zeros((len(points), 8), int), np.zeros((len(points), 8))
        for upper in (True, False):
            # ICT's upper lashes travel far in a blink, the lower ones at most 3.1 mm.
            lid = _lid_members(ict, reference, blink, upper=upper)
            rows = np.flatnonzero(uppers == upper)
            distance, near = cKDTree(ict.mean[lid]).query(points[rows], k=8)
            weight = 1 / (distance + 3e-4) ** 2
            corners[rows], weights[rows] = lid[near], weight / weight.sum(1, keepdims=True)
        carriers.append(Carrier(corners, weights))
    return carriers[0], carriers[1]


def _lid_members(ict: IctSource, reference: np.ndarray, blink: np.ndarray, *, upper: bool) -> np.ndarray:
    """ICT's lash vertices of the upper or lower lids, told apart by the strand's largest travel in a blink."""
    strands = reference.reshape(-1, 114)
    travel = blink.reshape(-1, 114).max(1)
    return strands[(travel > 6e-3) == upper].ravel()


def _ride(skin: Carrier, tips: tuple[Carrier, Carrier], field: np.ndarray) -> np.ndarray:
    """Displacement: the lid's at the root plus how ICT's lash turns between root and this point."""
    return skin.carry(field) + tips[0].carry(field) - tips[1].carry(field)


def _faces() -> tuple[np.ndarray, np.ndarray]:
    """Polygons and texture points: upper lashes in the upper half of the picture (tips at the top), lower below."""
    rows = len(ROWS)
    polygons: list[list[int]] = []
    uvs: list[np.ndarray] = []
    for side in range(2):
        for card in range(2):
            base = (side * 2 + card) * rows * COLUMNS
            v = np.array([0.48 - 0.46 * row if card == 0 else 0.52 + 0.46 * row for row in ROWS])
            u = np.linspace(0.01, 0.99, COLUMNS)
            uvs.append(np.stack(np.broadcast_arrays(u[None, :], v[:, None]), -1).reshape(-1, 2))
            for r in range(rows - 1):
                for c in range(COLUMNS - 1):
                    quad = [r * COLUMNS + c, r * COLUMNS + c + 1, (r + 1) * COLUMNS + c + 1, (r + 1) * COLUMNS + c]
                    forward = (card == 0) == (side == 0)
                    polygons.append([base + i for i in (quad if not forward else quad[::-1])])
    return np.array(polygons, np.int32), np.concatenate(uvs).astype(np.float32)
