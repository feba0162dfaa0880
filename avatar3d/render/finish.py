"""What an avatar's surfaces are made of, as the loops of raster.py want it: numbers in rows, pictures in one piece."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Int32, UInt8, UInt32

from avatar3d.core.photo import Camera
from avatar3d.render import raster
from avatar3d.render.stage import Stage, Surface

_SHARPER = 0.3
"""Texture levels are chosen this much finer than texels as large as pixels, as render/preview.py does."""


@dataclass(frozen=True, eq=False)
class Finish:
    """All materials of a stage, seen at one size."""

    numbers: Float32[np.ndarray, "M 9"]
    """Per mesh; columns as raster.py names them."""
    pictures: Int32[np.ndarray, "M 9"]
    """Where each mesh's pictures lie in the arrays below."""
    colours: UInt8[np.ndarray, "T 4"]
    """Roots of linear RGB (as fine in the dark as sRGB) and alpha, 255 for 1; a byte each: what lies in the processor's
    cache decides how long a look takes."""
    reliefs: UInt8[np.ndarray, "S 4"]
    """Along the tangent and aside of it (0 to 1 for -1 to 1), occlusion, roughness."""
    alphas: UInt32[np.ndarray, "A"]
    """Of cut-outs, finer than the colours: of samples, not of pixels. Each texel has its right, lower and lower right
    neighbours' in its higher bytes, unless all four say the same."""
    solid: Int32[np.ndarray, "N"]
    """The triangles that hide what is behind them,"""
    glass: Int32[np.ndarray, "G"]
    """and those that do not; what a cut-out leaves nothing of is neither."""
    kinds: UInt8[np.ndarray, "F"]
    """Of every triangle: HOLE, SOLID, LACE or GLASS."""


def gather_finish(stage: Stage, camera: Camera, fine: int) -> Finish:
    """The stage's materials for pictures through the camera with `fine` samples per pixel and axis."""
    coarse_levels, fine_levels = _levels(stage, camera, 1), _levels(stage, camera, fine)
    numbers = np.zeros((len(stage.surfaces), raster.FINISH), np.float32)
    pictures = np.zeros((len(stage.surfaces), raster.PICTURES), np.int32)
    colours, reliefs = _Pile(np.zeros((1, 4), np.uint8)), _Pile(np.zeros((1, 4), np.uint8))
    alphas = _Pile(np.zeros(1, np.uint32))
    kinds = np.full(len(stage.surfaces), raster.SOLID, np.uint8)
    for mesh, surface in enumerate(stage.surfaces):
        material = surface.material
        numbers[mesh, raster.DOUBLE_SIDED] = material.double_sided
        numbers[mesh, raster.ROUGHNESS] = material.roughness
        numbers[mesh, raster.SPECULAR] = material.specular
        numbers[mesh, raster.FACTOR : raster.FACTOR + 4] = material.colour_factor
        numbers[mesh, raster.PROPERTIES] = bool(surface.properties)
        if surface.colour:
            level = min(int(coarse_levels[mesh]), len(surface.colour) - 1)
            pictures[mesh, raster.COLOUR : raster.COLOUR + 3] = colours.add(_bytes(_roots(surface.colour[level])))
        if surface.normal or surface.properties:
            relief = _bytes(_relief(surface, int(coarse_levels[mesh])))
            pictures[mesh, raster.RELIEF : raster.RELIEF + 3] = reliefs.add(relief)
        if material.alpha_mode == "BLEND":
            kinds[mesh] = raster.GLASS
        elif material.alpha_mode == "MASK":
            factor = material.colour_factor[3]
            if surface.colour and factor > 0:
                level = min(int(fine_levels[mesh]), len(surface.colour) - 1)
                numbers[mesh, raster.CUTOFF] = material.alpha_cutoff / factor
                pictures[mesh, raster.ALPHA :] = alphas.add(
                    cut_outs(surface.colour[level][..., 3], numbers[mesh, raster.CUTOFF])
                )
            elif factor < material.alpha_cutoff:
                kinds[mesh] = raster.HOLE
    finish = Finish(
        numbers, pictures, colours.all(), reliefs.all(), alphas.all(),
        solid=np.empty(0, np.int32), glass=np.empty(0, np.int32), kinds=kinds[stage.triangle_mesh],
    )  # fmt: skip
    return _sorted_by_alpha(stage, finish)


def _sorted_by_alpha(stage: Stage, finish: Finish) -> Finish:
    kinds = finish.kinds.copy()
    raster.sort_by_alpha(
        stage.triangles, stage.triangle_mesh, stage.uvs, finish.numbers, finish.pictures, finish.alphas, kinds
    )
    solid = np.flatnonzero((kinds == raster.SOLID) | (kinds == raster.LACE))
    glass = np.flatnonzero(kinds == raster.GLASS)
    return Finish(
        finish.numbers, finish.pictures, finish.colours, finish.reliefs, finish.alphas,
        solid=solid.astype(np.int32), glass=glass.astype(np.int32), kinds=kinds,
    )  # fmt: skip


class _Pile:
    """Pictures, one after the other in one array."""

    def __init__(self, empty: np.ndarray) -> None:
        self._parts: list[np.ndarray] = []
        self._height = 0
        self._empty = empty

    def add(self, picture: np.ndarray) -> tuple[int, int, int]:
        """Its first texel, width and height."""
        height, width = picture.shape[:2]
        begin = self._height
        self._parts.append(picture.reshape(height * width, *picture.shape[2:]))
        self._height += height * width
        return begin, width, height

    def all(self) -> np.ndarray:
        return np.concatenate(self._parts or [self._empty])


def _roots(colour: Float32[np.ndarray, "H W 4"]) -> Float32[np.ndarray, "H W 4"]:
    return np.concatenate([np.sqrt(colour[..., :3]), colour[..., 3:]], axis=2)


def _bytes(picture: Float32[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    return (picture * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def cut_outs(alpha: Float32[np.ndarray, "H W"], cutoff: np.float32) -> UInt32[np.ndarray, "H W"]:
    """Every texel's alpha and those to the right, below and below to the right, a byte each; or what all four say."""
    own = np.pad(_bytes(alpha).astype(np.uint32), (0, 1), mode="edge")
    four = own[:-1, :-1], own[:-1, 1:], own[1:, :-1], own[1:, 1:]
    there = np.stack([each >= 255 * cutoff for each in four])
    around = four[0] | four[1] << 8 | four[2] << 16 | four[3] << 24
    around[there.all(axis=0)] = raster.ALL
    around[~there.any(axis=0)] = raster.NOTHING
    return around


def _relief(surface: Surface, level: int) -> Float32[np.ndarray, "H W 4"]:
    """Normal map and properties in one picture, as large as the normal map when there is one."""
    normal, properties = _at(surface.normal, level), _at(surface.properties, level)
    largest = properties if normal is None else normal
    height, width = (1, 1) if largest is None else largest.shape[:2]
    relief = np.full((height, width, 4), 0.5, np.float32)
    relief[..., 2:] = 1
    if normal is not None:
        relief[..., :2] += normal[..., :2] / (2 * np.sqrt(np.square(normal).sum(axis=2, keepdims=True)))
    if properties is not None:
        relief[..., 2:] = cv2.resize(properties[..., :2], (width, height), interpolation=cv2.INTER_AREA)
    return relief


def _at(pyramid: Sequence[Float32[np.ndarray, "_ _ C"]], level: int) -> Float32[np.ndarray, "_ _ C"] | None:
    return pyramid[min(level, len(pyramid) - 1)] if pyramid else None


def _levels(stage: Stage, camera: Camera, samples: int) -> Int32[np.ndarray, "M"]:
    """Per mesh the pyramid level whose texels are about as large, at rest, as the samples that see them."""
    seen = np.abs(_area(camera.project(stage.positions)[stage.triangles])) * samples**2
    texture = np.abs(_area(stage.uvs[stage.triangles]))
    levels = np.zeros(len(stage.surfaces), np.int32)
    for mesh, surface in enumerate(stage.surfaces):
        own = np.flatnonzero((stage.triangle_mesh == mesh) & (seen > 1e-3))
        if len(surface.colour) > 1 and len(own):
            height, width = surface.colour[0].shape[:2]
            texels = np.sqrt(np.median(texture[own] / seen[own]) * width * height)
            level = np.round(np.log2(max(float(texels), 1e-3)) - _SHARPER)
            levels[mesh] = np.clip(level, 0, len(surface.colour) - 1)
    return levels


def _area(corners: Float32[np.ndarray, "F 3 2"]) -> Float32[np.ndarray, "F"]:
    """Twice the signed area of triangles in the plane."""
    (x1, y1), (x2, y2) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    return x1 * y2 - x2 * y1
