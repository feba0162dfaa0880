"""All pictures of an avatar in one: where each goes, and the texture coordinates that follow.

sizes -> rectangles at the largest scale that fits -> pictures drawn with their edges repeated into a gutter
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8

from avatar3d.core.errors import OutputInvalidError
from avatar3d.rig.textures import resized

_GUTTER: Final = 1 / 256
"""Of the atlas's edge, on all sides of a picture: 8 px at 2048, so that three mip levels do not bleed."""
_STEPS: Final = 40


@dataclass(frozen=True)
class Place:
    """A rectangle of the atlas, px, without its gutter."""

    left: int
    top: int
    width: int
    height: int

    def uvs(self, uvs: Float32[np.ndarray, "V 2"], atlas_px: int) -> Float32[np.ndarray, "V 2"]:
        """Coordinates of the picture (edges repeat) as the atlas's."""
        size, corner = np.array([self.width, self.height]), np.array([self.left, self.top])
        return ((corner + np.clip(uvs, 0, 1) * size) / atlas_px).astype(np.float32)


def place_pictures(sizes: Sequence[tuple[int, int]], atlas_px: int) -> list[Place]:
    """A place per picture of (width, height), all at one scale, as large as fits; none larger than it is."""
    gutter = max(1, round(_GUTTER * atlas_px))
    low, high = 0.0, 1.0
    best = _fitted(sizes, atlas_px, gutter, high)
    for _ in range(0 if best else _STEPS):
        scale = (low + high) / 2
        found = _fitted(sizes, atlas_px, gutter, scale)
        low, high, best = (scale, high, found) if found else (low, scale, best)
    if best is None:
        raise OutputInvalidError(f"{len(sizes)} pictures do not fit into an atlas of {atlas_px} px.")
    return best


def _fitted(sizes: Sequence[tuple[int, int]], atlas_px: int, gutter: int, scale: float) -> list[Place] | None:
    """Largest first, each into the free rectangle whose shorter side it fills best (Jylanki 2010, MAXRECTS-BSSF)."""
    wanted = [
        (max(4, int(width * scale)) + 2 * gutter, max(4, int(height * scale)) + 2 * gutter) for width, height in sizes
    ]
    places: list[Place | None] = [None] * len(sizes)
    free = [(0, 0, atlas_px, atlas_px)]
    for index in sorted(range(len(sizes)), key=lambda at: (-max(wanted[at]), -min(wanted[at]), at)):
        width, height = wanted[index]
        fits = [(min(w - width, h - height), y, x) for x, y, w, h in free if w >= width and h >= height]
        if not fits:
            return None
        _, top, left = min(fits)
        places[index] = Place(left + gutter, top + gutter, width - 2 * gutter, height - 2 * gutter)
        free = _without(free, (left, top, width, height))
    return [place for place in places if place is not None]


_Box = tuple[int, int, int, int]


def _without(free: list[_Box], taken: _Box) -> list[_Box]:
    """The free rectangles (left, top, width, height) that remain, none inside another."""
    left, top, width, height = taken
    right, bottom = left + width, top + height
    parts: list[_Box] = []
    for x, y, w, h in free:
        if left >= x + w or right <= x or top >= y + h or bottom <= y:
            parts.append((x, y, w, h))
            continue
        parts += [(x, y, left - x, h), (right, y, x + w - right, h), (x, y, w, top - y), (x, bottom, w, y + h - bottom)]
    parts = sorted({part for part in parts if part[2] > 0 and part[3] > 0})
    return [part for part in parts if not any(part != other and _inside(part, other) for other in parts)]


def _inside(one: _Box, other: _Box) -> bool:
    return (
        one[0] >= other[0]
        and one[1] >= other[1]
        and one[0] + one[2] <= other[0] + other[2]
        and one[1] + one[3] <= other[1] + other[3]
    )


def draw_atlas(
    pictures: Sequence[UInt8[np.ndarray, "_ _ C"]],
    places: Sequence[Place],
    atlas_px: int,
    background: tuple[int, ...],
    *,
    shrunk: int = 1,
) -> UInt8[np.ndarray, "A A C"]:
    """The pictures at their places; `shrunk` divides the whole atlas."""
    size = atlas_px // shrunk
    atlas = np.empty((size, size, len(background)), np.uint8)
    atlas[:] = np.array(background, np.uint8)
    gutter = max(1, round(_GUTTER * atlas_px))
    for picture, place in zip(pictures, places, strict=True):
        drawn = resized(picture, (place.width, place.height))
        drawn = np.pad(drawn, ((gutter, gutter), (gutter, gutter), (0, 0)), mode="edge")
        if shrunk > 1:
            drawn = resized(drawn, (max(1, drawn.shape[1] // shrunk), max(1, drawn.shape[0] // shrunk)))
        top, left = (place.top - gutter) // shrunk, (place.left - gutter) // shrunk
        height, width = min(drawn.shape[0], size - top), min(drawn.shape[1], size - left)
        atlas[top : top + height, left : left + width] = drawn[:height, :width]
    return atlas
