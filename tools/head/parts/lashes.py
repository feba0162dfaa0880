"""Our lashes: one curved alpha card a lid. The roots ride on ICT's lid skin and the hairs turn with the lid."""

from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter1d

from tools.head.part import PartGeometry
from tools.head.parts.eyes import eye_sphere
from tools.head.parts.follow import Carrier, bind_closest, material_triangles
from tools.head.parts.lids import left_margin
from tools.head.parts.source import IctSource

COLUMNS: Final = 15
ROWS: Final = (0.0, 0.3, 0.65, 1.0)
UPPER_LENGTH_MM: Final = 7.0
LOWER_LENGTH_MM: Final = 3.6
UPPER_SPAN_DEG: Final = (12.0, 166.0)
"""From the outer to the inner corner, directions seen from the front (left eye)."""
UPPER_TURN: Final = 1.3
"""The upper hairs turn a little more than the lid: closed lashes point slightly down."""
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
    gain = np.concatenate([np.full(rows * COLUMNS, share) for share in (UPPER_TURN, 1.0)] * 2)
    centres = np.concatenate([np.tile(centre, (len(left), 1)), np.tile(centre * [-1, 1, 1], (len(left), 1))])
    arms, from_eye = vertices - roots, roots - centres
    polygons, uvs = _faces()
    count = len(left)
    return PartGeometry(
        name="lashes",
        vertices=vertices.astype(np.float32),
        polygons=polygons,
        polygon_uvs=polygons,
        uvs=uvs,
        identity=_ride(skin, arms, from_eye, gain, ict.identity, exact=False),
        expression=_ride(skin, arms, from_eye, gain, ict.expression, exact=True),
        tongue=None,
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


def _ride(
    skin: Carrier, arms: np.ndarray, from_eye: np.ndarray, gain: np.ndarray, field: np.ndarray, *, exact: bool
) -> np.ndarray:
    """Displacement [n v 3]: the lid's at the root, plus the hair turning as the lid turns about the eyeball.

    `arms` [v 3] point from root to vertex, `from_eye` [v 3] from the eye's centre to the root; `exact` uses the finite
    rotation (shapes), otherwise its linear part (identity modes must stay linear).
    """
    lid = skin.carry(field).astype(np.float64)
    reach = (from_eye**2).sum(-1, keepdims=True)
    turn = np.cross(from_eye, lid) / reach
    if not exact:
        return (lid + np.cross(turn, arms)).astype(np.float32)
    after = from_eye + lid
    axis = np.cross(from_eye, after)
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    angle = np.arctan2(sine, (from_eye * after).sum(-1, keepdims=True)) * gain[:, None]
    axis = axis / np.maximum(sine, 1e-15)
    along = axis * (axis * arms).sum(-1, keepdims=True)
    turned = along + (arms - along) * np.cos(angle) + np.cross(axis, arms) * np.sin(angle)
    return (lid + turned - arms).astype(np.float32)


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
