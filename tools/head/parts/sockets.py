"""The lining between lids and eyeball: a cup from ICT's inner lid loop to behind the ball, part of the part `mouth`.

Without it one looks through the corner of the eye into the empty head as soon as a ball turns away or lids draw back.
"""

from typing import Final

import numpy as np

from tools.head.parts.dentition import Surface
from tools.head.parts.eyes import eye_sphere, follow_lids
from tools.head.parts.follow import bind_closest, material_triangles
from tools.head.parts.loops import border_loop
from tools.head.parts.source import IctSource

SEGMENTS: Final = 20
FLANGE_M: Final = 1.0e-3
"""The rim lies this far inside the lids."""
ROOM_M: Final = 0.8e-3
"""Between the ball's equator and the cup."""
UV_CENTRES: Final = ((0.065, 0.065), (0.935, 0.065))
UV_RADIUS: Final = 0.055
_LID_BOX: Final = ((0.018, 0.025, 0.080), (0.048, 0.046, 0.098))


def build_sockets(ict: IctSource) -> tuple[Surface, np.ndarray, np.ndarray]:
    """Both cups, their identity [K v 3] and shapes [52 v 3]."""
    centre, radius = eye_sphere(ict, "Left")
    loop = ict.mean[border_loop(ict, _LID_BOX)].astype(np.float64)
    rim = _even(loop, centre)
    away = rim - centre
    away[:, 2] = 0
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    rings = [
        rim + FLANGE_M * away,
        centre + (radius + ROOM_M) * away + [0, 0, 2e-3],
        centre + (radius + ROOM_M) * away - [0, 0, 4e-3],
        (centre - [0, 0, radius + 2 * ROOM_M])[None],
    ]
    left = np.concatenate(rings)
    flip = np.array([-1.0, 1.0, 1.0])
    vertices = np.concatenate([left, left * flip])
    count = len(left)
    face, mean = material_triangles(ict, ("M_Face",)), ict.mean.astype(np.float64)
    follow = np.concatenate([np.ones(SEGMENTS), np.full(SEGMENTS, 0.3), np.zeros(SEGMENTS + 1)])[:, None]
    identity, shapes = [], []
    for sign, side in ((1.0, "Left"), (-1.0, "Right")):
        turn = np.array([sign, 1.0, 1.0])
        lids = bind_closest(rim * turn, mean, face)
        ball = follow_lids(ict, side, centre * turn, radius, left * turn)
        padded = [
            np.concatenate([lids.carry(field)] * 3 + [lids.carry(field)[:, :1]], axis=1)
            for field in (ict.identity, ict.expression)
        ]
        identity.append(follow * padded[0] + (1 - follow) * ball)
        shapes.append(follow * padded[1])
    polygons, uvs = _faces(count)
    mirror = np.concatenate([np.arange(count) + count, np.arange(count)])
    surface = Surface(vertices, polygons, polygons, uvs, mirror)
    return surface, np.concatenate(identity, axis=1), np.concatenate(shapes, axis=1)


def _even(loop: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The loop at SEGMENTS even lengths, anti-clockwise from the front, starting at the nose."""
    if np.cross(loop - centre, np.roll(loop, -1, 0) - centre)[:, 2].sum() < 0:
        loop = loop[::-1]
    loop = np.roll(loop, -int(loop[:, 0].argmin()), axis=0)
    closed = np.concatenate([loop, loop[:1]])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.linspace(0, length[-1], SEGMENTS, endpoint=False)
    return np.stack([np.interp(at, length, closed[:, axis]) for axis in range(3)], axis=1)


def _faces(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Polygons looking at the ball, and texture points: two small disks in the corners of the mouth's picture."""
    polygons: list[list[int]] = []
    for side in range(2):
        base = side * count
        for s in range(SEGMENTS):
            t = (s + 1) % SEGMENTS
            ring = [
                [r * SEGMENTS + s, r * SEGMENTS + t, (r + 1) * SEGMENTS + t, (r + 1) * SEGMENTS + s] for r in (0, 1)
            ]
            last = [2 * SEGMENTS + s, 2 * SEGMENTS + t, 3 * SEGMENTS]
            if side:
                ring, last = [quad[::-1] for quad in ring], last[::-1]
            polygons += [[base + i for i in quad] for quad in ring] + [[*(base + i for i in last), -1]]
    azimuth = np.arange(SEGMENTS) * 2 * np.pi / SEGMENTS
    circle = np.c_[np.cos(azimuth), np.sin(azimuth)]
    disk = np.concatenate([circle, 0.66 * circle, 0.33 * circle, np.zeros((1, 2))]) * UV_RADIUS
    uvs = np.concatenate([disk + np.array(middle) for middle in UV_CENTRES])
    return np.array(polygons, np.int32), uvs
