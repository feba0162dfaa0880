"""Shoes about a foot of any form: level loops round what of the foot lies at least so high, on a flat sole.

foot's vertices --hull per height--> loops about the ankle --smoothed--> upper, opening with a sock, sole
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32

from avatar3d.body.cloth import Draped
from avatar3d.body.joints import BODY_JOINTS
from avatar3d.body.neck import four_strongest
from avatar3d.render.stage import vertex_normals

SOLE_M: Final = 0.020
"""Thickness of the sole below the foot."""
SOLE, UPPER, SOCK = range(3)
_AROUND: Final = 24
_DIRECTIONS: Final = 72
_LEATHER_M: Final = 0.005
_WELT_M: Final = 0.005
"""How far the sole stands out."""
_LEVELS: Final = (0.0, 0.2, 0.34, 0.45, 0.56, 0.68, 0.82, 1.0)
"""Of the upper's height."""
_OVER_FOOT_M: Final = 0.014
"""Room over the foot: a loop takes in what lies so much lower than it."""
_TOE_BOX_M: Final = 0.026
"""Up to here the upper stands upright."""
_OVER_ANKLE_M: Final = 0.026
"""What the opening lies over the ankle's joint."""
_BEND_M: Final = 0.05
"""Length over which toes take over from the foot."""


@dataclass(frozen=True, eq=False)
class Shoes:
    """Both, as one mesh."""

    draped: Draped
    ground_m: float
    """Height of the soles' underside."""


def make_shoes(
    vertices: Float32[np.ndarray, "V 3"], joints: Float32[np.ndarray, "J 3"], weights: Float32[np.ndarray, "V J"]
) -> Shoes:
    """For the feet of a body in its T-pose (metres; feet flat, toes ahead)."""
    ground = float(vertices[:, 1].min()) - SOLE_M
    shoes = [_shoe(vertices, joints, weights, side, ground) for side in ("left", "right")]
    count = len(shoes[0].positions)
    return Shoes(
        Draped(
            np.concatenate([shoe.positions for shoe in shoes]),
            np.concatenate([shoe.normals for shoe in shoes]),
            np.concatenate([shoe.uvs for shoe in shoes]),
            np.concatenate([shoes[0].triangles, shoes[1].triangles + count]).astype(np.int32),
            np.concatenate([shoe.joints for shoe in shoes]),
            np.concatenate([shoe.weights for shoe in shoes]),
        ),
        ground,
    )


def _shoe(vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray, side: str, ground: float) -> Draped:
    foot, toes = (BODY_JOINTS.index(f"{side}{bone}") for bone in ("Foot", "Toes"))
    ankle = joints[foot].astype(np.float64)
    top = ankle[1] + _OVER_ANKLE_M
    mine = (weights[:, [foot, toes]].sum(1) > 0.3) & (vertices[:, 1] < top + 0.015)
    points = vertices[mine].astype(np.float64)
    welt = ground + SOLE_M
    loops = _loops(points, welt, top)
    sole = _grown(loops[0], _WELT_M)
    centre = sole.mean(0) * [1, 0, 1]
    rim = _grown(loops[-1], -_LEATHER_M)
    stack = [
        (SOLE, [np.tile(centre + [0, ground, 0], (_AROUND, 1)), sole * [1, 0, 1] + [0, ground, 0]]),
        (SOLE, [sole * [1, 0, 1] + [0, ground, 0], sole * [1, 0, 1] + [0, welt + 0.003, 0]]),
        (SOLE, [sole * [1, 0, 1] + [0, welt + 0.003, 0], _grown(loops[0], -0.002) * [1, 0, 1] + [0, welt + 0.003, 0]]),
        (UPPER, [*loops, rim]),
        (SOCK, [rim - [0, 0.004, 0], _grown(rim, -0.02) + [0, 0.02, 0], np.tile(rim.mean(0) + [0, 0.02, 0], (_AROUND, 1))]),
    ]  # fmt: skip
    positions, uvs, triangles, normals = [], [], [], []
    count = 0
    for part, rows in stack:
        grid = (count + np.arange(len(rows) * _AROUND, dtype=np.int32)).reshape(len(rows), _AROUND)
        own = np.concatenate(rows)
        faces = _quads(grid)
        positions.append(own)
        uvs.append(_uvs(part, rows))
        triangles.append(faces)
        normals.append(vertex_normals(own.astype(np.float32), (faces - count).astype(np.int32), _welded(own)))
        count += grid.size
    everything = np.concatenate(positions)
    ahead = np.clip((everything[:, 2] - float(joints[toes, 2])) / _BEND_M + 0.5, 0, 1)
    bound = np.zeros((count, weights.shape[1]), np.float32)
    bound[:, toes] = ahead * ahead * (3 - 2 * ahead)
    bound[:, foot] = 1 - bound[:, toes]
    chosen, shares = four_strongest(bound)
    faces = np.concatenate(triangles)
    corners = everything[faces]
    flat = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) < 1e-10
    return Draped(
        everything.astype(np.float32),
        np.concatenate(normals),
        np.concatenate(uvs).astype(np.float32),
        faces[~flat].astype(np.int32),
        chosen,
        shares,
    )


def _loops(points: np.ndarray, welt: float, top: float) -> list[Float64[np.ndarray, "A 3"]]:
    """From the welt to the opening."""
    found: list[np.ndarray] = []
    for share in _LEVELS:
        level = welt + share * (top - welt)
        lowest = -np.inf if level < welt + _TOE_BOX_M else level - _OVER_FOOT_M
        inside = points[points[:, 1] >= lowest][:, [0, 2]]
        found.append(_outline(inside, level))
    for _ in range(2):  # the upper is one piece of leather: no step from loop to loop
        middle = [0.25 * a + 0.5 * b + 0.25 * c for a, b, c in zip(found, found[1:], found[2:], strict=False)]
        found = [found[0], *middle, found[-1]]
    return found


def _outline(points: Float64[np.ndarray, "N 2"], level: float) -> Float64[np.ndarray, "A 3"]:
    """The hull of points (x, z), leather added, as a loop about their middle."""
    centre = 0.5 * (points.min(0) + points.max(0))
    way = np.linspace(0, 2 * np.pi, _DIRECTIONS, endpoint=False)
    support = ((points - centre) @ np.stack([np.cos(way), np.sin(way)])).max(0) + _LEATHER_M
    turn = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)
    cosine = np.cos(turn[:, None] - way[None])
    radius = np.where(cosine > 0.17, support / np.maximum(cosine, 0.17), np.inf).min(1)
    return np.stack([centre[0] + radius * np.cos(turn), np.full(_AROUND, level), centre[1] + radius * np.sin(turn)], 1)


def _grown(loop: Float64[np.ndarray, "A 3"], by_m: float) -> Float64[np.ndarray, "A 3"]:
    out = (loop - loop.mean(0)) * [1, 0, 1]
    length = np.linalg.norm(out, axis=1, keepdims=True)
    return loop + out / length * np.maximum(by_m, -0.9 * length)


def _quads(grid: Int32[np.ndarray, "S A"]) -> Int32[np.ndarray, "F 3"]:
    """Between closed loops, outside outside."""
    a, b = grid[:-1], np.roll(grid[:-1], -1, axis=1)
    c, d = np.roll(grid[1:], -1, axis=1), grid[1:]
    return np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)])


def _welded(points: np.ndarray) -> Int32[np.ndarray, "N"]:
    _, first, same = np.unique(np.round(points * 1e6).astype(np.int64), axis=0, return_index=True, return_inverse=True)
    return first[same.ravel()].astype(np.int32)


def _uvs(part: int, rows: list[np.ndarray]) -> Float64[np.ndarray, "N 2"]:
    """A third of the picture per part: around is across, from row to row is down."""
    across = np.minimum(np.arange(_AROUND), _AROUND - np.arange(_AROUND)) / (_AROUND / 2)  # both sides alike: no seam
    down = np.linspace(0.04, 0.96, len(rows))
    return np.stack([np.tile(0.02 + 0.96 * across, len(rows)), np.repeat((part + down) / 3, _AROUND)], axis=1)
