"""Bare heads seen by a camera: what of the surface each pixel shows. Rendered once, dressed many times.

identity, expression, gaze, camera --> rays --> part, atlas place, normal, place on the skull, landmarks
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel
from avatar3d.core.photo import Camera
from avatar3d.hair.scalp import find_skull, usual_hairline
from avatar3d.head.deform import pose_head, shape_head
from avatar3d.head.load import load_head_model
from avatar3d.people.camera import Lens, look_at_head, pixel_rays
from avatar3d.people.paint import CANVAS_PT, EYES_PT, UNIT_PT, Paper
from avatar3d.render.raycast import Scene
from avatar3d.texture.project import vertex_normals

OUTSIDE, FACE, NECK, EAR, EYE, MOUTH = range(6)
# MediaPipe's oval from ear to ear along the jaw, person's right to left.
_JAW: Final = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454)


_MOVES: Final = (
    "mouthSmileLeft", "jawOpen", "browInnerUp", "browDownLeft", "eyeBlinkLeft", "eyeSquintLeft", "mouthPucker",
    "mouthFrownLeft", "mouthStretchLeft", "noseSneerLeft", "cheekSquintLeft", "mouthUpperUpLeft",
    "mouthLowerDownLeft", "eyeWideLeft", "mouthPressLeft", "mouthShrugLower", "mouthRollLower", "mouthRollUpper",
    "browOuterUpLeft", "mouthDimpleLeft",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Sitter:
    """Who sits before the camera, and how."""

    identity: Float32[np.ndarray, "K"]
    expression: Float32[np.ndarray, "52"]
    gaze_wxyz: Float32[np.ndarray, "4"]
    """Of both eyes."""
    yaw_rad: float
    """Positive to the person's left."""
    pitch_rad: float
    distance_m: float


@dataclass(frozen=True, eq=False)
class BareHead:
    """One head before the camera, nothing on it."""

    sitter: Sitter
    paper: Paper
    camera: Camera
    """In pixels of the paper."""
    part: UInt8[np.ndarray, "H W"]
    """OUTSIDE, FACE, NECK, EAR, EYE (eyeball) or MOUTH (all that lies between the lips)."""
    inner: UInt8[np.ndarray, "H W"]
    """Index of the model's part plus one."""
    uv: Float32[np.ndarray, "H W 2"]
    normal: Float32[np.ndarray, "H W 3"]
    """Unit, camera's x right, y up, z towards the camera."""
    azimuth: Float32[np.ndarray, "H W"]
    """Degrees around the skull, of the surface seen; 0 ahead."""
    height: Float32[np.ndarray, "H W"]
    """Over the eyes, inter-ocular distances, of the neutral surface seen."""
    over: Float32[np.ndarray, "H W"]
    """Over the usual hairline, the same unit."""
    landmarks: Float32[np.ndarray, "478 2"]
    """Points."""

    @property
    def on_head(self) -> Bool[np.ndarray, "H W"]:
        return self.part != OUTSIDE


@lru_cache(maxsize=1)
def _regions() -> tuple[Int32[np.ndarray, "F"], Float32[np.ndarray, "V"], Float32[np.ndarray, "V"]]:
    """Solid triangles; per vertex of the mean head: how much neck, how much ear."""
    model = load_head_model()
    corners = model.rest[model.triangles[model.landmark_triangles]]
    marks = np.einsum("nc,ncd->nd", model.landmark_barycentric, corners)
    jaw = marks[list(_JAW)]
    x, y, z = model.rest.T
    order = np.argsort(jaw[:, 0])
    edge_y = np.interp(x, jaw[order, 0], jaw[order, 1])
    edge_z = np.interp(x, jaw[order, 0], jaw[order, 2])
    # Below the jaw's edge, or behind it and below the ear's lobe.
    skull = find_skull(model, model.rest)
    level, aside = skull.height(model.rest), np.abs(x) / skull.iod_m
    azimuth = np.abs(skull.azimuth(model.rest))
    below = (y < edge_y - 0.002) & (level < -0.9)
    behind = (z < edge_z - 0.012) & (level < -0.85)
    neck = (below | behind).astype(np.float32)
    ear = ((azimuth > 66) & (azimuth < 118) & (aside > 1.08) & (level > -0.9) & (level < 0.24)).astype(np.float32)
    return solid_triangles(model), neck, ear


def solid_triangles(model: HeadModel) -> Int32[np.ndarray, "N"]:
    """All but lashes and brows, whose cards are mostly transparent; textures and paint carry them here."""
    thin = [model.part_names.index(name) for name in ("lashes", "brows") if name in model.part_names]
    return np.flatnonzero(~np.isin(model.triangle_parts, thin)).astype(np.int32)


def random_expression(rng: np.random.Generator) -> Float32[np.ndarray, "52"]:
    """Two in five neutral; else up to four movements, a third of them with a smile."""
    weights = np.zeros(52, np.float32)
    if rng.random() < 0.4:
        return weights
    for name in rng.choice(_MOVES, rng.integers(1, 5), replace=False):
        strength = rng.uniform(0, 0.6) * (0.6 if name in ("jawOpen", "eyeBlinkLeft", "mouthPucker") else 1)
        weights[ARKIT_INDEX[name]] = strength
        if name.endswith("Left"):
            weights[ARKIT_INDEX[f"{name[:-4]}Right"]] = np.clip(strength + rng.normal(0, 0.08), 0, 1)
    if rng.random() < 0.35:
        strength = rng.uniform(0.2, 0.9)
        weights[ARKIT_INDEX["mouthSmileLeft"]] = strength
        weights[ARKIT_INDEX["mouthSmileRight"]] = np.clip(strength + rng.normal(0, 0.07), 0, 1)
        weights[[ARKIT_INDEX["cheekSquintLeft"], ARKIT_INDEX["cheekSquintRight"]]] = 0.4 * strength
    return weights


def random_sitter(rng: np.random.Generator, *, calm: bool = False) -> Sitter:
    """Anyone, with any expression, turned as people turn for portraits and a little further.

    Calm people move their faces half as much, keep their eyes open and sit nearly straight.
    """
    model = load_head_model()
    identity = rng.normal(0, 1, len(model.identity)).astype(np.float32)
    expression = random_expression(rng)
    if rng.random() < 0.4:
        smile = rng.uniform(0.3, 1.0)
        for name in ("mouthSmileLeft", "mouthSmileRight"):
            expression[ARKIT_INDEX[name]] = smile
        for name in ("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight"):
            expression[ARKIT_INDEX[name]] = rng.uniform(0, 0.5)
    if rng.random() < 0.12:
        expression[ARKIT_INDEX["jawOpen"]] = rng.uniform(0.2, 0.8)
    if rng.random() < 0.1:
        for name in ("eyeBlinkLeft", "eyeBlinkRight"):
            expression[ARKIT_INDEX[name]] = rng.uniform(0.5, 1)
    gaze = _turn(rng.normal(0, 0.12), rng.normal(0, 0.07))
    yaw = float(np.clip(rng.normal(0, 0.22 if rng.random() < 0.8 else 0.5), -0.8, 0.8))
    pitch = float(np.clip(rng.normal(0, 0.12), -0.4, 0.4))
    if calm:
        expression *= np.float32(0.5)
        expression[[ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]] = 0
        yaw *= 0.7
    return Sitter(identity, expression, gaze, yaw, pitch, distance_m=float(np.exp(rng.uniform(-0.9, 0.8))))


def see_head(sitter: Sitter, paper: Paper) -> BareHead:
    """The head by rays, one per pixel of the paper."""
    model = load_head_model()
    neutral = shape_head(model, sitter.identity)
    posed = pose_head(model, neutral, sitter.expression, sitter.gaze_wxyz, sitter.gaze_wxyz)
    skull = find_skull(model, neutral)
    focal = UNIT_PT * paper.scale / skull.iod_m * (sitter.distance_m - 0.03)
    shift = ((EYES_PT[0] - CANVAS_PT / 2) * paper.scale, (EYES_PT[1] - CANVAS_PT / 2) * paper.scale)
    camera = look_at_head(
        Lens(paper.px, paper.px, focal), distance_m=sitter.distance_m, yaw_rad=sitter.yaw_rad,
        pitch_rad=sitter.pitch_rad, target_m=(0.0, float(skull.eyes[1]), 0.07), shift_px=shift,
    )  # fmt: skip
    solid, neck, ear = _regions()
    x, y = np.meshgrid(np.arange(paper.px) + 0.5, np.arange(paper.px) + 0.5)
    hits = Scene(posed, model.triangles[solid]).cast(*pixel_rays(camera, np.stack([x.ravel(), y.ravel()], 1)))
    seen = hits.triangle >= 0
    triangle, weights = solid[hits.triangle[seen]], hits.barycentric[seen]
    corners = model.triangles[triangle]
    over = (skull.height(neutral) - usual_hairline(skull.azimuth(neutral))).astype(np.float32)
    normals = camera.view(vertex_normals(posed, model.triangles)) - camera.translation_m
    table = np.column_stack(
        [normals * np.array([1, -1, -1]), skull.azimuth(neutral), skull.height(neutral), over, neck, ear]
    )
    values = np.einsum("nc,ncd->nd", weights, table[corners].astype(np.float32))
    uv = np.einsum("nc,ncd->nd", weights, model.uvs[model.triangle_uvs[triangle]])
    kind = np.full(len(triangle), FACE, np.uint8)
    kind[values[:, 6] > 0.5] = NECK
    kind[values[:, 7] > 0.5] = EAR
    owner = model.triangle_parts[triangle]
    for name, label in (("eyeLeft", EYE), ("eyeRight", EYE), ("teethUpper", MOUTH), ("teethLower", MOUTH), ("tongue", MOUTH), ("mouth", MOUTH)):  # fmt: skip
        kind[owner == model.part_names.index(name)] = label

    def picture(found: np.ndarray, empty: float = 0.0) -> np.ndarray:
        filled = np.full((paper.px * paper.px, *found.shape[1:]), empty, found.dtype)
        filled[seen] = found
        return filled.reshape(*paper.shape, *found.shape[1:])

    normal = values[:, :3] / np.maximum(np.linalg.norm(values[:, :3], axis=1, keepdims=True), 1e-6)
    mark_corners = posed[model.triangles[model.landmark_triangles]]
    landmarks = camera.project(np.einsum("nc,ncd->nd", model.landmark_barycentric, mark_corners).astype(np.float32))
    return BareHead(
        sitter=sitter, paper=paper, camera=camera,
        part=picture(kind), inner=picture((owner + 1).astype(np.uint8)), uv=picture(uv.astype(np.float32)),
        normal=picture(normal), azimuth=picture(values[:, 3]), height=picture(values[:, 4], -9.0),
        over=picture(values[:, 5], -9.0), landmarks=landmarks / np.float32(paper.scale),
    )  # fmt: skip


def _turn(yaw: float, pitch: float) -> Float32[np.ndarray, "4"]:
    """A small rotation of the eyes."""
    q = np.array([1.0, pitch / 2, yaw / 2, 0.0])
    return (q / np.linalg.norm(q)).astype(np.float32)
