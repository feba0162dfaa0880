"""Cloth as grids of points: their normals, their colours from the photo, and the mesh they become.

grid --finer--> places and normals per texel --photo, divided by its light--> colours where it was well seen
                                            `-> elsewhere the colours of the same row, so that bands go on around the head
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int32, UInt8
from scipy.ndimage import gaussian_filter1d  # pyright: ignore[reportUnknownVariableType]

from avatar3d.core.avatar import Material, Mesh, Texture
from avatar3d.core.photo import Light
from avatar3d.render.raycast import Scene
from avatar3d.render.stage import LINEAR_FROM_SRGB, srgb_from_linear
from avatar3d.wear.wearer import Wearer, look

_WIDTH_PX: Final = 512
# What is finer than this in the photo is noise or weave (standard deviation, metres).
_BLUR_M: Final = 0.0012
# Cosines to the camera from which a texel's colour counts, and fully; what is less sure to be worn than this is not it.
_SQUARE: Final = (0.25, 0.55)
_EDGE_ON: Final = (0.02, 0.10)
_CLEAR_M: Final = 0.002
_SURE: Final = 0.85
# At the rim of what is worn its surroundings are mixed in: so wide (texels), and as softly it gives way to what is filled in.
_RIM_PX: Final = 7
_SOFT_PX: Final = 5.0
# The photo's light explains no more than this (factors of albedo).
_LIGHT: Final = (0.45, 2.0)
# Fewer seen texels than this tell no colour, of a row or of the whole.
_FEW_IN_ROW: Final = 4
_FEW: Final = 30
_ROUGHNESS: Final = 0.92
_SPECULAR: Final = 0.35


@dataclass(frozen=True, eq=False)
class Sheet:
    """A grid of points; counter-clockwise from outside when rows go down and columns to the person's left as seen from before."""

    points: Float64[np.ndarray, "R C 3"]
    """Metres."""
    rows_px: int
    """Height of its part of the texture."""
    alike_px: float = 3.0
    """Rows share their colours with rows so near (texels, standard deviation)."""
    leaf: bool = False
    """Thin and seen edge-on: all of it has the colour of what little is seen."""


def triangles_of(rows: int, columns: int) -> Int32[np.ndarray, "F 3"]:
    """Two to a cell."""
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]))
    return np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).astype(np.int32)


def normals_of(points: Float64[np.ndarray, "R C 3"]) -> Float64[np.ndarray, "R C 3"]:
    """Unit, outward; the same where points of the grid coincide, as they do at seams and poles."""
    flat = points.reshape(-1, 3)
    corners = triangles_of(*points.shape[:2])
    place = flat[corners]
    across = np.cross(place[:, 1] - place[:, 0], place[:, 2] - place[:, 0])
    _, same = np.unique(np.round(flat * 1e5).astype(np.int64), axis=0, return_inverse=True)
    total = np.zeros((same.max() + 1, 3))
    for corner in corners.T:
        np.add.at(total, same.ravel()[corner], across)
    normals = total[same.ravel()]
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(length > 1e-12, normals / np.maximum(length, 1e-20), [0.0, 1.0, 0.0]).reshape(points.shape)


def cut_cloth(
    name: str,
    sheets: list[Sheet],
    wearer: Wearer,
    pixels: UInt8[np.ndarray, "H W 3"],
    light: Light,
    joints: tuple[int, ...],
    weights: list[Float64[np.ndarray, "_ _ J"]],
) -> Mesh:
    """All sheets as one mesh in the photo's colours; `joints`, at most four, share each point by `weights`."""
    colours = _paint(sheets, wearer, pixels, light)
    height = sum(sheet.rows_px for sheet in sheets)
    points, normals, uvs, triangles, first, top = [], [], [], [], 0, 0
    for sheet in sheets:
        rows, columns = sheet.points.shape[:2]
        # Half a texel off the neighbours' rows.
        v, u = np.meshgrid(
            np.linspace(0.5, sheet.rows_px - 0.5, rows), np.linspace(0.5, _WIDTH_PX - 0.5, columns), indexing="ij"
        )
        points.append(sheet.points.reshape(-1, 3))
        normals.append(normals_of(sheet.points).reshape(-1, 3))
        uvs.append(np.stack([u.ravel() / _WIDTH_PX, (top + v.ravel()) / height], -1))
        triangles.append(first + triangles_of(rows, columns))
        first, top = first + rows * columns, top + sheet.rows_px
    places, faces = np.concatenate(points), np.concatenate(triangles)
    corner = places[faces]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    kept, index = np.unique(faces[area > 1e-9], return_inverse=True)
    share = np.concatenate([one.reshape(-1, len(joints)) for one in weights])[kept]
    held = np.zeros((len(kept), 4), np.float32)
    held[:, : len(joints)] = share
    bound = np.zeros((len(kept), 4), np.int32)
    bound[:, : len(joints)] = joints
    return Mesh(
        name=name,
        positions=places[kept].astype(np.float32),
        normals=np.concatenate(normals)[kept].astype(np.float32),
        uvs=np.concatenate(uvs)[kept].astype(np.float32),
        triangles=index.reshape(-1, 3).astype(np.int32),
        material=Material(
            name, base_colour=Texture(name, colours), roughness=_ROUGHNESS, specular=_SPECULAR, double_sided=True
        ),
        morph_names=(),
        morphs=np.zeros((0, len(kept), 3), np.float32),
        joints=np.where(held > 0, bound, 0).astype(np.int32),
        weights=held,
    )


def _paint(
    sheets: list[Sheet], wearer: Wearer, pixels: UInt8[np.ndarray, "H W 3"], light: Light
) -> UInt8[np.ndarray, "T 512 3"]:
    """The texture: every sheet's own rows."""
    counts = np.cumsum([0, *(sheet.points[..., 0].size for sheet in sheets)])
    places = np.concatenate([sheet.points.reshape(-1, 3) for sheet in sheets]).astype(np.float32)
    corners = [first + triangles_of(*sheet.points.shape[:2]) for first, sheet in zip(counts, sheets, strict=False)]
    cloth = Scene(places, np.concatenate(corners).astype(np.int32))
    seen = [_seen(sheet, cloth, wearer, pixels, light) for sheet in sheets]
    sure = np.concatenate([share.ravel() for _, share in seen]) > 0.5
    every = np.concatenate([colour.reshape(-1, 3) for colour, _ in seen])
    usual = np.median(every[sure], axis=0) if sure.sum() > _FEW else np.full(3, 0.2, np.float32)
    filled = [_fill(*each, usual, sheet) for each, sheet in zip(seen, sheets, strict=True)]
    return srgb_from_linear(np.concatenate(filled))


def _seen(
    sheet: Sheet, cloth: Scene, wearer: Wearer, pixels: UInt8[np.ndarray, "H W 3"], light: Light
) -> tuple[Float32[np.ndarray, "T 512 3"], Float32[np.ndarray, "T 512"]]:
    """Albedo (linear RGB) of each texel as the photo shows it, and how well it does."""
    points, normals = (_finer(part, sheet.rows_px) for part in (sheet.points, normals_of(sheet.points)))
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    flat, facing = points.reshape(-1, 3), normals.reshape(-1, 3)
    toward = wearer.camera.position_m - flat
    depth_m = np.linalg.norm(toward, axis=1)
    cosine = (toward * facing).sum(1) / depth_m
    at = wearer.camera.project(flat.astype(np.float32))
    low = np.clip(np.floor(at.min(0)).astype(int) - 4, 0, None)
    high = np.maximum(np.ceil(at.max(0)).astype(int) + 4, low + 8)
    cut = pixels[low[1] : high[1], low[0] : high[0]]
    blur_px = _BLUR_M * wearer.camera.focal_px / float(depth_m.mean())
    smooth = cv2.GaussianBlur(cut, (0, 0), blur_px) if blur_px > 0.4 else cut
    colour = LINEAR_FROM_SRGB[np.round(look(smooth, at - low)).astype(np.uint8)]
    shade = np.clip(light.shade(facing.astype(np.float32)), *_LIGHT)
    low_cosine, high_cosine = _EDGE_ON if sheet.leaf else _SQUARE
    share = np.clip((cosine - low_cosine) / (high_cosine - low_cosine), 0, 1)
    able = np.flatnonzero(share > 0)
    start = (flat + _CLEAR_M * facing)[able].astype(np.float32)
    share[able] *= ~cloth.blocked(start, toward[able].astype(np.float32))
    shape = points.shape[:2]
    sure = (wearer.worn(points, surely=True) > _SURE).astype(np.float32)
    inside = cv2.GaussianBlur(cv2.erode(sure, np.ones((_RIM_PX, _RIM_PX))), (0, 0), _SOFT_PX)
    share = share.reshape(shape) * np.minimum(sure, np.clip(1.5 * inside - 0.25, 0, 1))
    return (colour / shade).reshape(*shape, 3).astype(np.float32), share.astype(np.float32)


def _finer(grid: Float64[np.ndarray, "R C 3"], rows_px: int) -> Float64[np.ndarray, "T 512 3"]:
    """The grid at texels: as the mesh interpolates, its first and last rows and columns in the middle of the outermost texels."""
    rows, columns = grid.shape[:2]
    x, y = np.meshgrid(np.linspace(0, columns - 1, _WIDTH_PX), np.linspace(0, rows - 1, rows_px))
    return cv2.remap(grid, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR).astype(np.float64)


def _fill(
    colour: Float32[np.ndarray, "T 512 3"],
    share: Float32[np.ndarray, "T 512"],
    usual: Float32[np.ndarray, "3"],
    sheet: Sheet,
) -> Float32[np.ndarray, "T 512 3"]:
    """What was not well seen has the middle colour of what was seen in the same rows, or the usual one."""
    if sheet.leaf:
        told = share > 0.5
        tone = np.median(colour[told], axis=0) if told.sum() > _FEW else usual
        return np.broadcast_to(tone, colour.shape)
    middle, known = np.zeros((len(colour), 3), np.float32), np.zeros(len(colour), np.float32)
    for row, (own, sure) in enumerate(zip(colour, share > 0.5, strict=True)):
        if sure.sum() >= _FEW_IN_ROW:
            middle[row], known[row] = np.median(own[sure], axis=0), sure.sum()
    weight = known[:, None]
    total, tones = (
        gaussian_filter1d(part, sheet.alike_px, axis=0, mode="nearest") for part in (weight, middle * weight)
    )
    tone = (tones + np.float32(1e-3) * usual) / (total + np.float32(1e-3))
    return share[..., None] * colour + (1 - share[..., None]) * tone[:, None]
