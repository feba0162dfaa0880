"""The linings: a closed bag from the inner lips to the throat, and a cup behind each pair of lids (`sockets`).

    ICT's mouth socket --> flattened onto a disk (lips = rim) --> our polar grid of 28 x 9 --> carried back to 3D

The rim follows ICT's lips in all shapes and modes; deeper, the palate half stays with the skull, the lower half goes
with the jaw, the cheeks between. The outermost ring is pushed into the lips' flesh so that no gap shows between lining
and skin; near teeth and gums the bag is laid closely around them, because the flesh of lip and chin is thin there.
"""

from typing import Final

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from avatar3d.core.blendshapes import ARKIT_INDEX
from tools.head.part import PartGeometry
from tools.head.parts.dentition import FORMS, Socket, measure_sockets
from tools.head.parts.follow import Carrier, bind_closest, follow_similarity
from tools.head.parts.loops import border_loop
from tools.head.parts.sockets import build_sockets
from tools.head.parts.source import IctSource
from tools.head.parts.teeth import TONGUE_OUT_JAW, jaw_motion, jaw_vertices

SEGMENTS: Final = 28
RINGS: Final = 9
LIP_SHARE: Final = (1.0, 0.5, 0.12)
"""How far the first rings follow the lips; the deeper ones only follow skull and jaw."""
FLANGE_M: Final = 1.4e-3
WALL_MM: Final = (0.9, 1.8)
"""From the outer side of the teeth to the lining, at the front teeth and at the last molars."""
FOLD_MM: Final = (7.0, 4.8)
"""From the necks of the teeth to the fold of the lining, upper and lower."""
NEAR_M: Final = 5e-3
FAR_M: Final = 13e-3
"""Distances from the dentition up to which the bag is laid around it, and from which it keeps ICT's place."""


def build_mouth(ict: IctSource) -> PartGeometry:
    """The bag as one part around both dentitions; its texture is the disk itself, throat in the middle."""
    triangles = _socket_triangles(ict)
    rim = lip_loop(ict)
    flat = _flatten(ict.mean.astype(np.float64), triangles, rim)
    azimuth = np.pi / 2 + np.arange(SEGMENTS) * 2 * np.pi / SEGMENTS
    circle = np.c_[np.cos(azimuth), np.sin(azimuth)]
    disk = np.concatenate([*(r * circle for r in _ring_radii(ict, triangles, flat)), np.zeros((1, 2))])
    carrier = _locate(disk, flat, triangles)
    mirror = np.concatenate(
        [r * SEGMENTS + (-np.arange(SEGMENTS)) % SEGMENTS for r in range(RINGS)] + [np.array([RINGS * SEGMENTS])]
    )
    vertices = carrier.carry(ict.mean).astype(np.float64)
    vertices[:SEGMENTS] += _into_flesh(vertices)
    vertices = (vertices + vertices[mirror] * [-1, 1, 1]) / 2
    vertices = _hugging(ict, carrier, vertices)
    vertices = (vertices + vertices[mirror] * [-1, 1, 1]) / 2
    shapes, jaw = _motion(ict, carrier, vertices)
    sockets, socket_identity, socket_shapes = build_sockets(ict)
    count = len(vertices)
    own = bag_polygons()
    cups = np.where(sockets.polygons < 0, -1, sockets.polygons + count)
    polygons = np.concatenate([own, cups]).astype(np.int32)
    jaw = np.concatenate([jaw, np.zeros(len(sockets.vertices))]).astype(np.float32)
    return PartGeometry(
        name="mouth",
        vertices=np.concatenate([vertices, sockets.vertices]).astype(np.float32),
        polygons=polygons,
        polygon_uvs=polygons,
        uvs=np.concatenate([0.5 + 0.49 * disk * [1, -1], sockets.uvs]).astype(np.float32),
        identity=np.concatenate([_identity(ict, carrier, vertices, jaw[:count]), socket_identity], 1).astype(
            np.float32
        ),
        expression=np.concatenate([shapes, socket_shapes], axis=1).astype(np.float32),
        tongue=None,
        joint_weights={"jaw": jaw, "head": 1 - jaw},
        mirror=np.concatenate([mirror, sockets.mirror + count]).astype(np.int32),
    )


def _ring_share() -> np.ndarray:
    """[v 1] how far each bag vertex follows the lips: 1 at the rim, 0 from the fourth ring on."""
    share = np.repeat(np.array([*LIP_SHARE, *[0.0] * (RINGS - len(LIP_SHARE))]), SEGMENTS)
    return np.concatenate([share, [0.0]])[:, None]


def _motion(ict: IctSource, carrier: Carrier, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shapes [52 v 3] and jaw weight [v].

    The rim is ICT's lips in all shapes; deeper the lower half goes rigidly with the jaw and the upper half stays, so
    that the lining never cuts the teeth, whatever the lips do.
    """
    lips = carrier.carry(ict.expression)
    rigid = jaw_motion(ict, vertices)
    opened = ARKIT_INDEX["jawOpen"]
    ratio = (lips[opened] * rigid[opened]).sum(1) / np.maximum((rigid[opened] ** 2).sum(1), 1e-12)
    jaw = np.clip((ratio - 0.15) / 0.7, 0, 1)
    jaw = jaw * jaw * (3 - 2 * jaw)
    lips[ARKIT_INDEX["tongueOut"]] = TONGUE_OUT_JAW * lips[opened]
    share = _ring_share()
    return (share * lips + (1 - share) * jaw[:, None] * rigid).astype(np.float32), jaw


def _identity(ict: IctSource, carrier: Carrier, vertices: np.ndarray, jaw: np.ndarray) -> np.ndarray:
    """Modes [K v 3]: the rim with ICT's lips, the rest with the upper or the lower dentition's similarity."""
    upper, lower = (
        follow_similarity(ict.mean[teeth], ict.identity[:, teeth], vertices)
        for teeth in (jaw_vertices(ict, upper=True), jaw_vertices(ict, upper=False))
    )
    deep = (1 - jaw)[:, None] * upper + jaw[:, None] * lower
    share = _ring_share()
    return (share * carrier.carry(ict.identity) + (1 - share) * deep).astype(np.float32)


def _hugging(ict: IctSource, carrier: Carrier, vertices: np.ndarray) -> np.ndarray:
    """The bag laid closely around teeth and gums: the flesh of lip and chin before it is thin.

    Points near a dentition move onto a wall a little before its outer side (WALL_MM); points far from it (roof, floor,
    throat) stay where ICT has them.
    """
    _, jaw = _motion(ict, carrier, vertices)
    hugged = vertices.copy()
    for upper in (True, False):
        wall, triangles = _wall(measure_sockets(ict, upper=upper))
        mine = np.flatnonzero((jaw < 0.5) == upper)
        mine = mine[mine >= SEGMENTS]
        target = bind_closest(vertices[mine], wall, triangles).carry(wall).astype(np.float64)
        distance = np.linalg.norm(target - vertices[mine], axis=1)
        pull = np.clip((FAR_M - distance) / (FAR_M - NEAR_M), 0, 1)[:, None]
        pull = pull * pull * (3 - 2 * pull)
        hugged[mine] += pull * (target - vertices[mine])
    return hugged


def _wall(sockets: list[Socket]) -> tuple[np.ndarray, np.ndarray]:
    """A sheet [w 3] and its triangles before the teeth and gum of one jaw, from the biting edge to the gum's fold."""
    heights = np.array([1.05, 0.8, 0.5, 0.2, -0.1])
    columns = []
    for index, socket in enumerate(sockets):
        form = FORMS[socket.position]
        away = np.interp(abs(index - 6.5), [0.5, 6.5], WALL_MM) * 1e-3 / (socket.depth / 2)
        fold = -(FOLD_MM[0] if socket.root[1] > 0 else FOLD_MM[1]) * 1e-3 / socket.height
        outer = np.interp(heights, form.heights, form.outer)
        h = np.concatenate([heights, [0.6 * fold, fold]])
        swell = 0.7e-3 / (socket.depth / 2)
        b = np.concatenate([np.maximum(outer, outer[2]), [form.outer[1] + swell] * 2]) + away
        columns += [socket.place(np.full(len(h), a), b, h) for a in (-0.7, 0.7)]
    grid = np.array(columns)
    count, rows = grid.shape[:2]
    corner = np.arange(count * rows).reshape(count, rows)
    quads = np.stack([corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]], -1).reshape(-1, 4)
    return grid.reshape(-1, 3), np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]])


def lip_loop(ict: IctSource) -> np.ndarray:
    """ICT's inner lip loop: where its face ends and its mouth socket begins, in order."""
    return border_loop(ict, ((-0.025, -0.05, 0.09), (0.025, -0.02, 0.12)))


def _socket_triangles(ict: IctSource) -> np.ndarray:
    """Triangles of ICT's mouth socket: what the lip loop cuts off from the back of the head."""
    back = ict.polygons[ict.polygon_materials == ict.materials.index("M_BackHead")]
    quads = back[back[:, 3] >= 0]
    triangles = np.concatenate([back[:, :3], quads[:, [0, 2, 3]]])
    inside = np.zeros(len(ict.mean), bool)
    inside[lip_loop(ict)] = True
    while True:
        touched = inside[triangles].any(1)
        grown = inside.copy()
        grown[triangles[touched]] = True
        if (grown == inside).all():
            return triangles[inside[triangles].all(1)]
        inside = grown


def _flatten(vertices: np.ndarray, triangles: np.ndarray, rim: np.ndarray) -> np.ndarray:
    """Harmonic map [v 2] of the socket onto the unit disk; the rim by arc length, upper lip's middle at the top."""
    rim = np.roll(rim, -int(np.argmin(np.abs(vertices[rim, 0]) - 10 * vertices[rim, 1])))
    loop = vertices[rim]
    step = np.linalg.norm(np.roll(loop, -1, 0) - loop, axis=1)
    along = np.concatenate([[0], np.cumsum(step)[:-1]]) / step.sum()
    direction = 1.0 if loop[len(loop) // 4, 0] < 0 else -1.0
    angle = np.pi / 2 + direction * 2 * np.pi * along
    used = np.unique(triangles)
    local = np.full(len(vertices), -1)
    local[used] = np.arange(len(used))
    tri = local[triangles]
    rows, columns, values = [], [], []
    for i in range(3):
        a, b, c = tri[:, i], tri[:, (i + 1) % 3], tri[:, (i + 2) % 3]
        p, q, r = (vertices[used[x]] for x in (a, b, c))
        cotangent = ((p - r) * (q - r)).sum(1) / np.maximum(np.linalg.norm(np.cross(p - r, q - r), axis=1), 1e-12)
        weight = np.clip(cotangent, 0.02, 20)
        rows += [a, b, a, b]
        columns += [b, a, a, b]
        values += [-weight, -weight, weight, weight]
    matrix = coo_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (len(used), len(used))
    ).tocsr()
    fixed = local[rim]
    free = np.setdiff1d(np.arange(len(used)), fixed)
    flat = np.zeros((len(used), 2))
    flat[fixed] = np.c_[np.cos(angle), np.sin(angle)]
    flat[free] = spsolve(matrix[free][:, free].tocsc(), -matrix[free][:, fixed] @ flat[fixed])
    whole = np.zeros((len(vertices), 2))
    whole[used] = flat
    return whole


def _ring_radii(ict: IctSource, triangles: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """Disk radii whose rings lie evenly along the bag, denser near the lips."""
    sample = np.concatenate([np.linspace(1, 0.05, 400), np.geomspace(0.05, 1e-3, 200)[1:]])
    lengths = np.zeros(len(sample))
    for azimuth in np.linspace(0, 2 * np.pi, 8, endpoint=False):
        line = sample[:, None] * np.array([[np.cos(azimuth), np.sin(azimuth)]])
        points = _locate(line, flat, triangles).carry(ict.mean)
        lengths += np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]) / 8
    wanted = np.linspace(0, 1, RINGS + 1)[:-1] ** 1.25 * lengths[-1]
    return np.interp(wanted, lengths, sample)


def _locate(points: np.ndarray, flat: np.ndarray, triangles: np.ndarray) -> Carrier:
    """Barycentric place of disk points [n 2] in the flattened triangles."""
    a, b, c = flat[triangles[:, 0]], flat[triangles[:, 1]], flat[triangles[:, 2]]
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    area = np.where(np.abs(area) < 1e-14, 1e-14, area)
    corners, weights = [], []
    for point in points:
        d = point - a
        v = (d[:, 0] * (c - a)[:, 1] - d[:, 1] * (c - a)[:, 0]) / area
        w = ((b - a)[:, 0] * d[:, 1] - (b - a)[:, 1] * d[:, 0]) / area
        inside = np.minimum(np.minimum(v, w), 1 - v - w)
        best = int(inside.argmax())
        weight = np.clip([1 - v[best] - w[best], v[best], w[best]], 0, 1)
        corners.append(triangles[best])
        weights.append(weight / weight.sum())
    return Carrier(np.array(corners), np.array(weights))


def _into_flesh(vertices: np.ndarray) -> np.ndarray:
    """Offset [SEGMENTS 3] of the first ring: FLANGE_M away from the opening into the lips, so that their edge covers it."""
    ring = vertices[:SEGMENTS]
    away = ring - ring.mean(0)
    away[:, 2] = 0
    return (FLANGE_M * away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)).astype(np.float32)


def bag_polygons() -> np.ndarray:
    """Ring quads and the throat's fan, facing the inside of the mouth."""
    polygons: list[list[int]] = []
    for s in range(SEGMENTS):
        t = (s + 1) % SEGMENTS
        for r in range(RINGS - 1):
            a, b = r * SEGMENTS, (r + 1) * SEGMENTS
            polygons.append([a + s, a + t, b + t, b + s])
        last = (RINGS - 1) * SEGMENTS
        polygons.append([last + s, last + t, RINGS * SEGMENTS, -1])
    return np.array(polygons, np.int32)
