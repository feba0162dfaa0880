"""An avatar made ready for rays: all meshes as one, textures linear.

Avatar --stage_avatar, once--> Stage --pose_stage--> Posed --Tracer, for some pixels--> picture

A stage is kept while its avatar lives; a pose is made anew for every picture.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from avatar3d.core.avatar import Avatar, Material, Skeleton
from avatar3d.core.blendshapes import SHAPE_INDEX

_MIP_LEVELS = 6
_LIT_THROUGH = {"eyeLeft": 0.8, "eyeRight": 0.8, "teethUpper": 0.65, "teethLower": 0.65, "tongue": 0.3, "mouth": 0.2}
"""Openness that is never undercut: enamel and wet flesh scatter light, and lips that part let it in from everywhere.
Eyes bear the shadow of their lids in their texture."""


@dataclass(frozen=True, eq=False)
class Surface:
    """A material with its textures as linear float pyramids."""

    material: Material
    colour: tuple[Float32[np.ndarray, "_ _ 4"], ...]
    """Linear RGB and alpha, finest first; empty without a texture."""
    normal: tuple[Float32[np.ndarray, "_ _ 3"], ...]
    properties: tuple[Float32[np.ndarray, "_ _ 3"], ...]
    """Occlusion, roughness, metallic."""


@dataclass(frozen=True, eq=False)
class Stage:
    """Every mesh of an avatar in one set of arrays; V counts all their vertices, F their triangles."""

    positions: Float32[np.ndarray, "V 3"]
    normals: Float32[np.ndarray, "V 3"]
    uvs: Float32[np.ndarray, "V 2"]
    morphs: Float32[np.ndarray, "S V 3"]
    """In the order of SHAPE_INDEX: the 52, then the tongue's."""
    joints: Int32[np.ndarray, "V 4"]
    weights: Float32[np.ndarray, "V 4"]
    triangles: Int32[np.ndarray, "F 3"]
    triangle_mesh: Int32[np.ndarray, "F"]
    surfaces: tuple[Surface, ...]
    """One per mesh."""
    welded: Int32[np.ndarray, "V"]
    """The first of all vertices at the same place in the same mesh."""
    skeleton: Skeleton
    solid: Bool[np.ndarray, "F"]
    """Triangles that cast shadows: those of opaque materials."""
    least_open: Float32[np.ndarray, "V"]
    """What occlusion leaves at least."""
    surface_normals: Float32[np.ndarray, "V 3"]
    """Of the resting surface itself; `normals` are the asset's own."""


_stages: WeakKeyDictionary[Avatar, Stage] = WeakKeyDictionary()


def stage_avatar(avatar: Avatar) -> Stage:
    """The avatar's stage, built on first use and kept while the avatar lives."""
    stage = _stages.get(avatar)
    if stage is None:
        stage = _stages[avatar] = _build(avatar)
    return stage


def _build(avatar: Avatar) -> Stage:
    counts = [len(mesh.positions) for mesh in avatar.meshes]
    starts = np.concatenate([[0], np.cumsum(counts)])
    morphs = np.zeros((len(SHAPE_INDEX), int(starts[-1]), 3), np.float32)
    welded = np.empty(int(starts[-1]), np.int32)
    for mesh, start in zip(avatar.meshes, starts[:-1], strict=True):
        for name, morph in zip(mesh.morph_names, mesh.morphs, strict=True):
            if name in SHAPE_INDEX:  # a far level's visemes, and what others call theirs, are not posed here
                morphs[SHAPE_INDEX[name], start : start + len(morph)] = morph
        micrometres = np.round(mesh.positions * 1e6).astype(np.int64)
        _, first, same = np.unique(micrometres, axis=0, return_index=True, return_inverse=True)
        welded[start : start + len(micrometres)] = start + first[same.ravel()]
    triangle_mesh = np.repeat(np.arange(len(counts)), [len(mesh.triangles) for mesh in avatar.meshes])
    opaque = np.array([mesh.material.alpha_mode == "OPAQUE" for mesh in avatar.meshes])
    positions = np.concatenate([mesh.positions for mesh in avatar.meshes])
    triangles = np.concatenate([mesh.triangles + start for mesh, start in zip(avatar.meshes, starts, strict=False)])
    return Stage(
        positions=positions,
        normals=np.concatenate([mesh.normals for mesh in avatar.meshes]),
        uvs=np.concatenate([mesh.uvs for mesh in avatar.meshes]),
        morphs=morphs,
        joints=np.concatenate([mesh.joints for mesh in avatar.meshes]),
        weights=np.concatenate([mesh.weights for mesh in avatar.meshes]),
        triangles=triangles.astype(np.int32),
        triangle_mesh=triangle_mesh.astype(np.int32),
        surfaces=tuple(_surface(mesh.material) for mesh in avatar.meshes),
        welded=welded,
        skeleton=avatar.skeleton,
        solid=opaque[triangle_mesh],
        least_open=np.repeat([_LIT_THROUGH.get(mesh.name, 0.0) for mesh in avatar.meshes], counts).astype(np.float32),
        surface_normals=vertex_normals(positions, triangles.astype(np.int32), welded),
    )


def vertex_normals(
    vertices: Float32[np.ndarray, "V 3"], triangles: Int32[np.ndarray, "F 3"], welded: Int32[np.ndarray, "V"]
) -> Float32[np.ndarray, "V 3"]:
    """Area-weighted normals; vertices at the same place in the same mesh share one."""
    corners = vertices[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return unit(gather(welded[triangles], faces, len(vertices))[welded])


def gather(
    corners: Int32[np.ndarray, "F 3"], values: Float32[np.ndarray, "F C"], count: int
) -> Float32[np.ndarray, "V C"]:
    """Sum of a per-triangle value at each of its corners."""
    flat = corners.T.ravel()
    columns = [np.bincount(flat, np.tile(values[:, c], 3), count) for c in range(values.shape[1])]
    return np.stack(columns, axis=1).astype(np.float32)


def unit(vectors: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N 3"]:
    """The same directions, of length 1."""
    return vectors / np.sqrt(np.maximum(np.einsum("nc,nc->n", vectors, vectors), 1e-30))[:, None]


def _surface(material: Material) -> Surface:
    colour: tuple[Float32[np.ndarray, "_ _ 4"], ...] = ()
    if material.base_colour is not None:
        pixels = material.base_colour.pixels
        opaque = np.full((*pixels.shape[:2], 1), 255, np.uint8)
        rgba = pixels if pixels.shape[2] == 4 else np.concatenate([pixels, opaque], axis=2)
        colour = _pyramid(np.dstack([LINEAR_FROM_SRGB[rgba[..., :3]], rgba[..., 3].astype(np.float32) / 255]))
    normal = () if material.normal is None else _pyramid(material.normal.pixels[..., :3] / np.float32(127.5) - 1)
    packed = material.occlusion_roughness_metallic
    properties = () if packed is None else _pyramid(packed.pixels[..., :3].astype(np.float32) / 255)
    return Surface(material, colour, normal, properties)


def _pyramid(image: Float32[np.ndarray, "H W C"]) -> tuple[Float32[np.ndarray, "_ _ C"], ...]:
    levels = [np.ascontiguousarray(image, np.float32)]
    while len(levels) < _MIP_LEVELS and min(levels[-1].shape[:2]) >= 8:
        height, width = levels[-1].shape[:2]
        smaller = cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(smaller, np.float32))
    return tuple(levels)


def _linear_from_srgb() -> Float32[np.ndarray, "256"]:
    """IEC 61966-2-1."""
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


LINEAR_FROM_SRGB: Float32[np.ndarray, "256"] = _linear_from_srgb()


def _srgb_from_linear() -> UInt8[np.ndarray, "65536"]:
    value = np.arange(65536) / 65535
    encoded = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    return np.round(255 * encoded).astype(np.uint8)


_SRGB_FROM_LINEAR: UInt8[np.ndarray, "65536"] = _srgb_from_linear()


def srgb_from_linear(linear: Float32[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Clipped to [0, 1], encoded and rounded (IEC 61966-2-1, by a table of 65,536 steps)."""
    return _SRGB_FROM_LINEAR[(np.clip(linear, 0, 1) * np.float32(65535) + np.float32(0.5)).astype(np.uint16)]
