"""Which point of the skin does each texel of the face atlas show?"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.head import HeadModel
from avatar3d.render.blend import blend_corners
from avatar3d.render.raycast import Scene

_CUT_WIDTH_M: Final = 0.035


@dataclass(frozen=True, eq=False)
class PartTexels:
    """The texels (N of height x width, row by row) of a part's texture that show something."""

    texels: Int32[np.ndarray, "N"]
    """Flat index row * width + column."""
    corners: Int32[np.ndarray, "N 3"]
    """Vertices of the triangle a texel lies in."""
    barycentric: Float32[np.ndarray, "N 3"]

    def blend(
        self, values: Float32[np.ndarray, "V C"], chosen: Int32[np.ndarray, "M"] | None = None
    ) -> Float32[np.ndarray, "_ C"]:
        """Vertex values at the texels (or at those chosen)."""
        if chosen is None:
            return blend_corners(values, self.corners, self.barycentric)
        return blend_corners(values, self.corners[chosen], self.barycentric[chosen])


@dataclass(frozen=True, eq=False)
class Atlas(PartTexels):
    """The texels of the face's square texture that show skin."""

    size: int
    """Its edge, texels."""

    def image(self, values: Float32[np.ndarray, "N *C"]) -> np.ndarray:
        """Values at their texels, zero elsewhere: [size size *C]."""
        picture = np.zeros((self.size * self.size, *values.shape[1:]), values.dtype)
        picture[self.texels] = values
        return picture.reshape(self.size, self.size, *values.shape[1:])


_parts: WeakKeyDictionary[HeadModel, dict[tuple[str, int, int], PartTexels]] = WeakKeyDictionary()


def part_texels(model: HeadModel, part: str, width: int, height: int) -> PartTexels:
    """A part's own texture square at this resolution; made once per model, part and size."""
    known = _parts.setdefault(model, {})
    key = (part, width, height)
    if key not in known:
        texels, triangles, barycentric = _lay_flat(model, part, width, height)
        known[key] = PartTexels(texels, model.triangles[triangles], barycentric)
    return known[key]


Picture = TypeVar("Picture")


def once_per_atlas(make: Callable[[HeadModel, Atlas], Picture]) -> Callable[[HeadModel, Atlas], Picture]:
    """Remembers what depends on nothing but the model and its atlas, while the atlas lives."""
    known: WeakKeyDictionary[Atlas, Picture] = WeakKeyDictionary()

    @wraps(make)
    def remembered(model: HeadModel, atlas: Atlas) -> Picture:
        if atlas not in known:
            known[atlas] = make(model, atlas)
        return known[atlas]

    return remembered


_atlases: WeakKeyDictionary[HeadModel, dict[int, Atlas]] = WeakKeyDictionary()


def face_atlas(model: HeadModel, size: int) -> Atlas:
    """The face part's atlas at this size; made once per model and size."""
    known = _atlases.setdefault(model, {})
    if size not in known:
        known[size] = _rasterise(model, size)
    return known[size]


def _rasterise(model: HeadModel, size: int) -> Atlas:
    texels, triangles, barycentric = _lay_flat(model, "face", size, size)
    return Atlas(texels, model.triangles[triangles], barycentric, size)


def _lay_flat(
    model: HeadModel, part: str, width: int, height: int
) -> tuple[Int32[np.ndarray, "N"], Int32[np.ndarray, "N"], Float32[np.ndarray, "N 3"]]:
    """Rays through the texel centres onto the flattened part: texels that meet it, triangle and place in it."""
    chosen = model.part(part)
    flat = np.zeros((len(model.uvs), 3), np.float32)
    flat[:, :2] = model.uvs
    u = (np.arange(width, dtype=np.float32) + np.float32(0.5)) / np.float32(width)
    v = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
    across, down = np.meshgrid(u, v)
    origins = np.stack([across.ravel(), down.ravel(), np.ones(across.size, np.float32)], axis=1)
    hits = Scene(flat, model.triangle_uvs[chosen]).cast(
        origins, np.tile(np.array([0, 0, -1], np.float32), (len(origins), 1))
    )
    texels = np.flatnonzero(hits.triangle >= 0).astype(np.int32)
    return texels, chosen[hits.triangle[texels]].astype(np.int32), hits.barycentric[texels]


@once_per_atlas
def beyond_skin(model: HeadModel, atlas: Atlas) -> Int32[np.ndarray, "2 N"]:
    """The texels that show no skin, and of each the nearest that does: what bleeds over an edge is to be like it."""
    del model
    bare = np.ones(atlas.size * atlas.size, np.uint8)
    bare[atlas.texels] = 0
    picture = bare.reshape(atlas.size, atlas.size)
    _, labels = cv2.distanceTransformWithLabels(picture, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    label = np.asarray(labels, np.int32).ravel()
    inside, outside = np.flatnonzero(bare == 0), np.flatnonzero(bare)
    texel = np.zeros(int(label.max()) + 1, np.int32)
    texel[label[inside]] = inside
    return np.stack([outside, texel[label[outside]]]).astype(np.int32)


@once_per_atlas
def away_from_cut(model: HeadModel, atlas: Atlas) -> Float32[np.ndarray, "N"]:
    """0 at the atlas's cut down the back of head and neck, 1 from _CUT_WIDTH_M beside it, per texel."""
    places = atlas.blend(model.rest)
    middle = float(model.rest[np.unique(model.triangles[model.part("face")]), 2].mean())
    aside = np.clip(np.abs(places[:, 0]) / _CUT_WIDTH_M, 0, 1)
    behind = np.clip((middle - places[:, 2]) / _CUT_WIDTH_M, 0, 1)
    fade = aside * aside * (3 - 2 * aside)
    return (1 - behind * (1 - fade)).astype(np.float32)
