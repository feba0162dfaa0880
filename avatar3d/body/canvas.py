"""Pictures for surfaces: which place of a part each texel shows, noise in space, and relief as a normal map."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8
from scipy.ndimage import distance_transform_edt

from avatar3d.body.cloth import Draped
from avatar3d.render.raycast import Scene
from avatar3d.render.stage import srgb_from_linear


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
        _, (rows, columns) = distance_transform_edt(~self.shown, return_indices=True)
        return whole[rows, columns]


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
    """Smooth value noise of grain 1, in [-1, 1]: lattice values by an integer hash, quintic between them (Perlin 2002)."""
    whole = np.floor(points).astype(np.int64)
    part = (points - whole).astype(np.float32)
    fade = part * part * part * (part * (part * 6 - 15) + 10)
    total = np.zeros(len(points), np.float32)
    for corner in range(8):
        offset = np.array([corner & 1, corner >> 1 & 1, corner >> 2])
        x, y, z = (whole + offset).T
        code = (x * 73856093 ^ y * 19349663 ^ z * 83492791 ^ seed * 2654435761) & 0xFFFFFFFF
        code = (code ^ code >> 15) * 2246822519 & 0xFFFFFFFF
        code = (code ^ code >> 13) * 3266489917 & 0xFFFFFFFF
        value = ((code ^ code >> 16) & 0xFFFF).astype(np.float32) / np.float32(32767.5) - 1
        total += value * np.where(offset, fade, 1 - fade).prod(axis=1)
    return total


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
