"""Tubes along paths, and the lenses in them: vertices, normals, triangles, and where their colours are."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64, Int32, Int64

AHEAD: Final = (0.0, 0.0, 1.0)
UP: Final = (0.0, 1.0, 0.0)
_SIDES: Final = 6
# A ring is left out where path and thickness miss it by no more than this (metres, share), at most over so far (metres).
_STRAIGHT_M: Final = 0.0002
_EVEN: Final = 0.08
_LONGEST_M: Final = 0.008


@dataclass(frozen=True, eq=False)
class Tube:
    """A path with an elliptic section."""

    path: Float64[np.ndarray, "P 3"]
    flat: Float64[np.ndarray, "P 2"]
    """Where its colours are, in the plane of the frame."""
    across_m: Float64[np.ndarray, "P"]
    """Sideways: at right angles to the path and `deep`; no tube where it is 0."""
    deep_m: Float64[np.ndarray, "P"]
    deep: tuple[float, float, float]
    """About which way its depth lies; never along the path."""
    closed: bool = False


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a mesh."""

    points: Float64[np.ndarray, "N 3"]
    normals: Float64[np.ndarray, "N 3"]
    flat: Float64[np.ndarray, "N 2"]
    triangles: Int32[np.ndarray, "T 3"]


def fewer_rings(tube: Tube) -> Tube:
    """The tube without the rings that nobody would miss: as straight, as thick, with the same ends."""
    count = len(tube.path)
    last = count if tube.closed else count - 1
    kept, here = [0], 0
    while here < last:
        there = here + 1
        while there < last and _spans(tube, here, there + 1):
            there += 1
        kept.append(there)
        here = there
    kept = np.array(kept[:-1] if tube.closed else kept)
    if len(kept) < 3:
        return tube
    parts = (tube.path, tube.flat, tube.across_m, tube.deep_m)
    return Tube(*(part[kept] for part in parts), deep=tube.deep, closed=tube.closed)


def _spans(tube: Tube, first: int, last: int) -> bool:
    """Whether a straight, even piece from one ring to another stands for those between."""
    run = np.arange(first, last + 1) % len(tube.path)
    path, thick = tube.path[run], np.stack([tube.across_m, tube.deep_m])[:, run]
    chord = path[-1] - path[0]
    length = float(np.linalg.norm(chord))
    if length > _LONGEST_M or length < 1e-9 or not ((thick > 0).all() or (thick == 0).all()):
        return False
    t = np.clip((path - path[0]) @ chord / length**2, 0, 1)
    aside = np.linalg.norm(path - path[0] - t[:, None] * chord, axis=1).max()
    between = thick[:, :1] + t * (thick[:, -1:] - thick[:, :1])
    return bool(aside <= _STRAIGHT_M and (np.abs(thick - between) <= _EVEN * thick).all())


def skin_tube(tube: Tube) -> Piece:
    """A tube's surface; open ends are closed by drawing their ring together."""
    path, flat, sizes = tube.path, tube.flat, np.stack([tube.across_m, tube.deep_m], axis=-1)
    if not tube.closed:
        path, flat, sizes = (np.concatenate([part[:1], part, part[-1:]]) for part in (path, flat, sizes))
    ahead = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    if not tube.closed:
        ahead[:2], ahead[-2:] = path[2] - path[1], path[-2] - path[-3]
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    across = np.cross(ahead, tube.deep)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    deep = np.cross(across, ahead)
    angle = np.arange(_SIDES) * 2 * np.pi / _SIDES
    cosine, sine = np.cos(angle)[None, :, None], np.sin(angle)[None, :, None]
    wide, thick = (np.maximum(part, 1e-4)[:, None, None] for part in sizes.T)
    normals = thick * cosine * across[:, None] + wide * sine * deep[:, None]
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    if not tube.closed:
        sizes[[0, -1]] = 0
        normals[[0, -1]] = np.stack([-ahead[0], ahead[-1]])[:, None]
    wide, thick = (part[:, None, None] / 2 for part in sizes.T)
    offset = wide * cosine * across[:, None] + thick * sine * deep[:, None]
    rings = len(path) if tube.closed else len(path) - 1
    here = np.arange(rings)[:, None] * _SIDES + np.arange(_SIDES)
    after = (np.arange(rings)[:, None] + 1) % len(path) * _SIDES + np.arange(_SIDES)
    here_next, after_next = np.roll(here, -1, axis=1), np.roll(after, -1, axis=1)
    triangles = np.concatenate(
        [np.stack(corners, -1).reshape(-1, 3) for corners in ((here, after, after_next), (here, after_next, here_next))]
    )
    beside = offset[..., :2] if tube.deep == AHEAD else 0 * offset[..., :2]
    return _without_nothing(
        (path[:, None] + offset).reshape(-1, 3),
        normals.reshape(-1, 3),
        (flat[:, None] + beside).reshape(-1, 2),
        triangles,
    )


def _without_nothing(
    points: Float64[np.ndarray, "N 3"],
    normals: Float64[np.ndarray, "N 3"],
    flat: Float64[np.ndarray, "N 2"],
    triangles: Int64[np.ndarray, "T 3"],
) -> Piece:
    """Without triangles that have no area, and vertices that have no triangle."""
    corner, second, third = (points[triangles[:, i]] for i in range(3))
    full = np.linalg.norm(np.cross(second - corner, third - corner), axis=1) > 1e-12
    used, index = np.unique(triangles[full], return_inverse=True)
    return Piece(points[used], normals[used], flat[used], index.reshape(-1, 3).astype(np.int32))


def fan(tube: Tube) -> Piece:
    """A lens in its rim: its middle bulges a little."""
    rim = tube.path
    middle = rim.mean(0) + [0, 0, 0.002]
    points = np.concatenate([rim, middle[None]])
    normals = points - (middle - np.array([0, 0, 0.09]))
    index = np.arange(len(rim))
    triangles = np.stack([index, np.roll(index, -1), np.full(len(rim), len(rim))], axis=1)
    corner, second, third = points[triangles[0]]
    if np.cross(second - corner, third - corner)[2] < 0:
        triangles = triangles[:, ::-1]
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Piece(points, normals, np.zeros((len(points), 2)), triangles.astype(np.int32))
