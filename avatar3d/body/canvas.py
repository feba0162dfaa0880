"""Pictures for surfaces: which place of a part each texel shows, noise in space, and relief as a normal map."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8
from scipy.ndimage import distance_transform_edt

from avatar3d.body.cloth import Draped
from avatar3d.render.raycast import Scene
from avatar3d.render.stage import srgb_from_linear

_MASK = 63


@dataclass(frozen=True, eq=False)
class Canvas:
    """A part's picture, unrolled."""

    size: int
    shown: Bool[np.ndarray, "S S"]
    """Texels that lie on the part."""
    triangle: Int32[np.ndarray, "N"]
    """Of the shown ones, row by row."""
    barycentric: Float32[np.ndarray, "N 3"]
    part: Draped

    def of(self, values: Float32[np.ndarray, "V *C"]) -> Float32[np.ndarray, "N *C"]:
        """What vertices have, at each shown texel."""
        return np.einsum("nk,nk...->n...", self.barycentric, values[self.part.triangles[self.triangle]])

    def picture(self, values: Float32[np.ndarray, "N *C"]) -> Float32[np.ndarray, "S S *C"]:
        """Values of the shown texels as a picture, gaps filled with what is nearest."""
        whole = np.zeros((self.size, self.size, *values.shape[1:]), np.float32)
        whole[self.shown] = values
        return whole[self._nearest[0], self._nearest[1]]

    @cached_property
    def _nearest(self) -> Int32[np.ndarray, "2 S S"]:
        """Row and column of the nearest shown texel."""
        return np.asarray(distance_transform_edt(~self.shown, return_distances=False, return_indices=True))


def unroll(part: Draped, size: int) -> Canvas:
    """The canvas of a part: one ray per texel, into its flat UVs."""
    flat = np.concatenate([part.uvs, np.zeros((len(part.uvs), 1), np.float32)], axis=1)
    step = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / size
    u, v = np.meshgrid(step, step)
    origins = np.stack([u.ravel(), v.ravel(), np.ones(size * size, np.float32)], axis=1)
    down = np.broadcast_to(np.array([0, 0, -1], np.float32), origins.shape)
    hits = Scene(flat, part.triangles).cast(origins, np.ascontiguousarray(down))
    met = hits.triangle >= 0
    return Canvas(size, met.reshape(size, size), hits.triangle[met], hits.barycentric[met], part)


def noise(points: Float32[np.ndarray, "N 3"], seed: int) -> Float32[np.ndarray, "N"]:
    """Smooth value noise of grain 1, in [-1, 1], repeating after 64: lattice values, quintic between them (Perlin 2002)."""
    table = _lattice(seed)
    floor = np.floor(points)
    part = points - floor
    fade = part * part * part * (part * (part * 6 - 15) + 10)
    x, y, z = floor.astype(np.int32).T
    sides = [[(axis & _MASK) << shift, ((axis + 1) & _MASK) << shift] for axis, shift in ((x, 12), (y, 6), (z, 0))]
    fx, fy, fz = np.ascontiguousarray(fade.T)

    def along_x(dy: int, dz: int) -> Float32[np.ndarray, "N"]:
        rest = sides[1][dy] + sides[2][dz]
        low = table[sides[0][0] + rest]
        return low + fx * (table[sides[0][1] + rest] - low)

    near, far = along_x(0, 0), along_x(0, 1)
    near += fy * (along_x(1, 0) - near)
    far += fy * (along_x(1, 1) - far)
    return near + fz * (far - near)


@lru_cache(maxsize=16)
def _lattice(seed: int) -> Float32[np.ndarray, "M"]:
    return np.random.default_rng(seed).uniform(-1, 1, 64**3).astype(np.float32)


def relief(height_m: Float32[np.ndarray, "S S"], texel_m: float) -> UInt8[np.ndarray, "S S 3"]:
    """Tangent-space normals (+Y up) of heights in metres on texels so wide."""
    along_u = cv2.Sobel(height_m, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8) / texel_m
    along_v = cv2.Sobel(height_m, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8) / texel_m
    length = np.sqrt(along_u**2 + along_v**2 + 1)
    vectors = np.stack([-along_u, along_v, np.ones_like(along_u)], axis=-1) / length[..., None]
    return np.round(vectors * 127 + 128).astype(np.uint8)


def encoded(linear: Float32[np.ndarray, "S S 3"]) -> UInt8[np.ndarray, "S S 3"]:
    """Linear colour as sRGB."""
    return srgb_from_linear(np.clip(linear, 0, 1).astype(np.float32))


def texel_width(part: Draped, size: int) -> float:
    """How wide a texel is on the part, metres: median over triangles."""
    corners, places = part.positions[part.triangles], part.uvs[part.triangles] * size
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    one, other = places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]
    texels = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])
    usable = texels > 1
    return float(np.sqrt(np.median(area[usable] / texels[usable])))
