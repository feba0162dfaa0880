"""Our teeth: fourteen crowns a jaw, modelled by tables and set on the arc measured on ICT's teeth.

ICT's 16 teeth a jaw --> 14 Sockets (place, axes, size; wisdom teeth left out) --> crowns (lofted rings) + gum
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from tools.head.parts.follow import material_triangles
from tools.head.parts.source import IctSource

RING: Final = (10, 10, 10, 8, 8, 8, 8)
"""Points around a crown, from the midline outward: fewer where lips and cheeks leave little to see."""
SPREAD: Final = (1.145, 1.08, 1.05, 1.02, 1.01, 1.01, 1.01)
"""Crown width over its share of the arc: front teeth touch near the edge, which stands outside the arc of centres."""
# Clinical crown heights, mm, from the midline outward (textbook means, Wheeler).
UPPER_HEIGHT_MM: Final = (10.5, 9.3, 10.0, 8.5, 8.0, 7.5, 7.0)
LOWER_HEIGHT_MM: Final = (9.0, 9.2, 10.2, 8.6, 8.0, 7.5, 7.0)
UPPER_WIDTH_MM: Final = (8.5, 6.6, 7.6, 7.1, 6.7, 10.2, 9.4)
LOWER_WIDTH_MM: Final = (5.2, 5.7, 6.9, 7.0, 7.1, 11.0, 10.4)
UPPER_DEPTH_MM: Final = (7.0, 6.2, 8.0, 9.0, 9.0, 11.0, 11.0)
LOWER_DEPTH_MM: Final = (6.0, 6.4, 7.6, 7.7, 8.2, 10.4, 10.2)


@dataclass(frozen=True, eq=False)
class Socket:
    """Where one tooth stands: its crown's frame and size, metres."""

    position: int
    """0 central incisor, 1 lateral, 2 canine, 3 and 4 premolars, 5 and 6 molars."""
    edge: np.ndarray
    """[3] middle of the biting edge."""
    along: np.ndarray
    """[3] unit, along the arc toward the person's left."""
    out: np.ndarray
    """[3] unit, toward lip or cheek."""
    root: np.ndarray
    """[3] unit, from the edge toward the gum."""
    width: float
    depth: float
    height: float

    def place(self, a: np.ndarray, b: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Points [..., 3] from half-widths a, half-depths b and height h (0 at the gum, 1 at the edge)."""
        return (
            self.edge
            + (a * self.width / 2)[..., None] * self.along
            + (b * self.depth / 2)[..., None] * self.out
            + ((1 - h) * self.height)[..., None] * self.root
        )


@dataclass(frozen=True)
class Form:
    """Cross-sections of a crown, one per height: half-width, outer and inner half-depth as fractions."""

    heights: tuple[float, ...]
    widths: tuple[float, ...]
    outer: tuple[float, ...]
    inner: tuple[float, ...]
    squareness: float
    """Superellipse exponent: 2 round, larger is squarer."""


INCISOR: Final = Form(
    (-0.2, 0.12, 0.45, 0.82, 1.0),
    (0.82, 0.90, 0.97, 1.0, 0.93),
    (0.70, 0.98, 1.0, 0.82, 0.56),
    (-0.85, -0.95, -0.45, 0.10, 0.28),
    2.7,
)
CANINE: Final = Form(
    (-0.2, 0.12, 0.45, 0.76, 1.0),
    (0.82, 0.91, 0.98, 1.0, 0.42),
    (0.72, 1.0, 1.02, 0.80, 0.36),
    (-0.85, -0.98, -0.62, -0.18, 0.08),
    2.4,
)
PREMOLAR: Final = Form(
    (-0.2, 0.15, 0.55, 0.78, 0.93),
    (0.70, 0.84, 1.0, 0.96, 0.74),
    (0.80, 0.98, 1.0, 0.88, 0.58),
    (-0.80, -0.98, -1.0, -0.88, -0.58),
    2.3,
)
MOLAR: Final = Form(
    (-0.2, 0.15, 0.55, 0.80, 0.94),
    (0.80, 0.90, 1.0, 0.97, 0.80),
    (0.82, 0.98, 1.0, 0.90, 0.64),
    (-0.82, -0.98, -1.0, -0.90, -0.64),
    2.7,
)
FORMS: Final = (INCISOR, INCISOR, CANINE, PREMOLAR, PREMOLAR, MOLAR, MOLAR)


def measure_sockets(ict: IctSource, *, upper: bool) -> list[Socket]:
    """The fourteen sockets of one jaw, from the person's right to the left, symmetric about x = 0.

    ICT gives the arc (a smooth curve through its crowns), the biting height and the lean; human means give the crowns'
    proportions, which are set side by side along that arc so that neighbours just touch.
    """
    teeth = sorted(_teeth(ict, upper=upper), key=lambda points: points[:, 0].mean())[8:15]
    heights = UPPER_HEIGHT_MM if upper else LOWER_HEIGHT_MM
    up = 1.0 if upper else -1.0
    tips = np.array([(points[:, 1] * up).min() * up for points in teeth])
    crowns = [
        points[np.abs(points[:, 1] - tip) < height * 1e-3]
        for points, tip, height in zip(teeth, tips, heights, strict=True)
    ]
    centres = np.array([(crown.max(0) + crown.min(0)) / 2 for crown in crowns])
    arc, length = _arc(centres)
    proportion = np.array(UPPER_WIDTH_MM if upper else LOWER_WIDTH_MM)
    scale = length[1] / proportion.sum()
    width = proportion * scale
    at = np.cumsum(width) - width / 2
    depth = np.array(UPPER_DEPTH_MM if upper else LOWER_DEPTH_MM) * scale
    tip_height = np.interp(at, length[0], tips)
    left: list[Socket] = []
    for k, crown in enumerate(crowns):
        place, along = arc(at[k]), arc(at[k], 1)
        along = np.array([along[0], 0, along[1]]) / np.linalg.norm(along)
        out = np.array([-along[2], 0.0, along[0]])
        near = crown[np.abs(crown[:, 1] - tips[k]) < 1.2e-3].mean(0)
        neck = crown[np.abs(crown[:, 1] - tips[k]) > heights[k] * 0.75e-3].mean(0)
        lean = (neck - near) / np.linalg.norm(neck - near)
        root = np.array([0, up, 0]) + out * (lean @ out) * (0.8 if k < 3 else 0.3)
        root /= np.linalg.norm(root)
        out = out - root * (out @ root)
        out /= np.linalg.norm(out)
        middle = np.array([place[0], centres[k, 1], place[1]])
        edge = middle + root * ((tip_height[k] - middle[1]) / root[1])
        left.append(Socket(k, edge, along, out, root, width[k] * SPREAD[k], depth[k], heights[k] * 1e-3))
    return [_mirrored(socket) for socket in left[::-1]] + left


def _arc(centres: np.ndarray) -> tuple[CubicSpline, tuple[np.ndarray, float]]:
    """The dental arc as (x, z) by arc length from the midline; its knots' lengths and the length to the last tooth's end.

    A polynomial in x, even about the midline, smooths ICT's centres; it is then re-sampled by length.
    """
    both = np.concatenate([centres[::-1] * [-1, 1, 1], centres])
    # z as an even polynomial of x is too steep at the molars: fit both over a common parameter instead.
    step = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(both[:, [0, 2]], axis=0), axis=1))])
    parameter = step / step[-1] * 2 - 1
    odd = np.stack([parameter, parameter**3, parameter**5], 1)
    even = np.stack([np.ones_like(parameter), parameter**2, parameter**4, parameter**6], 1)
    x = np.linalg.lstsq(odd, both[:, 0], rcond=None)[0]
    z = np.linalg.lstsq(even, both[:, 2], rcond=None)[0]
    fine = np.linspace(0, 1.12, 1200)
    curve = np.stack(
        [fine * x[0] + fine**3 * x[1] + fine**5 * x[2], z[0] + fine**2 * z[1] + fine**4 * z[2] + fine**6 * z[3]], 1
    )
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    knots = np.interp(parameter[len(centres) :], fine, length)
    end = knots[-1] + (knots[-1] - knots[-2]) / 2
    return CubicSpline(length[::40], curve[::40]), (knots, float(end))


def _mirrored(socket: Socket) -> Socket:
    flip = np.array([-1.0, 1.0, 1.0])
    return Socket(
        socket.position, socket.edge * flip, -socket.along * flip, socket.out * flip, socket.root * flip,
        socket.width, socket.depth, socket.height,
    )  # fmt: skip


def _teeth(ict: IctSource, *, upper: bool) -> list[np.ndarray]:
    """Vertices of each of ICT's teeth of one jaw [16 x [n 3]], metres."""
    triangles = material_triangles(ict, ("M_Teeth",))
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    count = len(ict.mean)
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (count, count))
    _, label = connected_components(graph, directed=False)
    used = np.unique(triangles)
    teeth = [ict.mean[used[label[used] == one]].astype(np.float64) for one in np.unique(label[used])]
    height = np.array([tooth[:, 1].mean() for tooth in teeth])
    middle = (height.max() + height.min()) / 2
    return [tooth for tooth, y in zip(teeth, height, strict=True) if (y > middle) == upper]


@dataclass(frozen=True, eq=False)
class Surface:
    """Vertices, polygons and texture points of something modelled (metres, -1 = no fourth corner)."""

    vertices: np.ndarray
    polygons: np.ndarray
    polygon_uvs: np.ndarray
    uvs: np.ndarray
    mirror: np.ndarray


def build_crown(socket: Socket, cell: tuple[float, float, float, float], *, flip: bool) -> Surface:
    """One crown; `cell` (u0, v0, u1, v1) is its place in the texture, the biting edge at v0. `flip` for the right side.

    The right side's crowns are modelled as mirror images (vertex k mirrors vertex k), `along` then pointing distally.
    """
    form, around = FORMS[socket.position], RING[socket.position]
    theta = np.arange(around) * 2 * np.pi / around
    cos, sin = np.cos(theta), np.sin(theta)
    rounded = (np.abs(cos) ** form.squareness + np.abs(sin) ** form.squareness) ** (-1 / form.squareness)
    a, b = cos * rounded, sin * rounded
    side = -1.0 if flip else 1.0
    rings: list[np.ndarray] = []
    for h, width, outer, inner in zip(form.heights, form.widths, form.outer, form.inner, strict=True):
        height = np.full(around, h)
        if socket.position >= 3 and h == form.heights[-1]:
            height = h - 0.05 + 0.9 * _cusp(socket.position, a, b)
        if socket.position < 2 and h == 1.0:
            height = 1.0 - 0.05 * np.clip(np.maximum(a, 0), 0, 1) ** 2  # the distal corner is rounder
        rings.append(socket.place(side * a * width, (outer + inner) / 2 + b * (outer - inner) / 2, height))
    if socket.position >= 3:
        height = 0.84 + 0.5 * _cusp(socket.position, a, b)
        rings.append(socket.place(side * a * 0.45, b * 0.36, height))
    vertices = np.concatenate(rings)
    count = len(form.heights) + (socket.position >= 3)
    polygons, texture, uvs = _crown_faces(count, around, cell)
    if flip:
        polygons, texture = reverse(polygons, polygons), reverse(texture, polygons)
    return Surface(vertices, polygons, texture, uvs, np.arange(len(vertices)))


def _cusp(position: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Height of the chewing surface above its fissures, fraction of the crown, at directions (a, b)."""
    length = np.maximum(np.hypot(a, b), 1e-9)
    if position < 5:  # outer and inner cusp
        across = b / length
        return np.where(across > 0, 0.16, 0.09) * np.abs(across) ** 1.5
    diagonal = 2 * np.abs(a * b) / length**2  # four cusps
    return np.where(b > 0, 0.13, 0.15) * diagonal


def _crown_faces(rings: int, around: int, cell: tuple[float, float, float, float]) -> tuple[np.ndarray, ...]:
    u0, v0, u1, v1 = cell
    polygons: list[list[int]] = []
    texture: list[list[int]] = []
    columns = around + 1
    grid_u = u0 + (u1 - u0) * np.arange(columns) / around
    grid_v = v1 + (v0 - v1) * np.arange(rings) / max(rings - 1, 1)
    uvs = np.stack(np.broadcast_arrays(grid_u[None, :], grid_v[:, None]), -1).reshape(-1, 2)
    for r in range(rings - 1):
        for s in range(around):
            t = (s + 1) % around
            polygons.append([r * around + t, r * around + s, (r + 1) * around + s, (r + 1) * around + t])
            texture.append([r * columns + s + 1, r * columns + s, (r + 1) * columns + s, (r + 1) * columns + s + 1])
    top, top_uv = (rings - 1) * around, (rings - 1) * columns
    # The last ring is closed by a strip: a triangle at each end, quads between.
    half = around // 2
    between = [(k + 1, k, around - k, around - k - 1) for k in range(1, half - 1)]
    for ring in ((1, 0, around - 1), *between, (half, half - 1, half + 1)):
        padding = [-1] * (4 - len(ring))
        polygons.append([top + s for s in ring] + padding)
        texture.append([top_uv + s for s in ring] + padding)
    # The ring runs from +along over `out`; seen from the edge that is clockwise for an upper tooth.
    return np.array(polygons, np.int32), np.array(texture, np.int32), uvs


def reverse(source: np.ndarray, polygons: np.ndarray) -> np.ndarray:
    """`source` (polygons or their texture indices) wound the other way."""
    flipped = source[:, [0, 3, 2, 1]].copy()
    triangle = polygons[:, 3] < 0
    flipped[triangle] = source[triangle][:, [0, 2, 1, 3]]
    return flipped
