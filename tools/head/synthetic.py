"""Synthetic portraits: any head, any surface colour, any camera, by ray casting. For calibration and benchmarks.

vertices + colour of (triangle, barycentric)  -->  rays  -->  Lambert under SH light  -->  sRGB picture
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int32, UInt8

from avatar3d.core.head import HeadModel
from avatar3d.core.photo import Camera, Light
from avatar3d.core.transforms import matrix_from_quaternion, quaternion_from_matrix
from avatar3d.fit.basis import LandmarkBasis
from avatar3d.render.raycast import Scene

Colouring = Callable[[Int32[np.ndarray, "N"], Float32[np.ndarray, "N 3"]], Float64[np.ndarray, "N 3"]]
"""Linear RGB of surface points (triangle, barycentric)."""


@dataclass(frozen=True, eq=False)
class Lens:
    """A camera without its place."""

    width_px: int
    height_px: int
    focal_px: float


def look_at_head(lens: Lens, *, distance_m: float, yaw_rad: float, pitch_rad: float, roll_rad: float = 0.0,
                 target_m: tuple[float, float, float] = (0.0, 0.0, 0.05), shift_px: tuple[float, float] = (0.0, 0.0)) -> Camera:  # fmt: skip
    """A camera `distance_m` from `target_m`, the head turned to its left by yaw, up by pitch, tilted by roll."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw_rad, pitch_rad, roll_rad) for f in (np.cos, np.sin))
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    rotation = np.diag([1.0, -1.0, -1.0]) @ roll @ pitch @ yaw
    placed = np.array([*(np.array(shift_px) * distance_m / lens.focal_px), distance_m])
    return Camera(
        focal_px=lens.focal_px,
        principal_px=np.array([lens.width_px / 2, lens.height_px / 2], np.float32),
        width_px=lens.width_px,
        height_px=lens.height_px,
        rotation_wxyz=quaternion_from_matrix(rotation.astype(np.float32)),
        translation_m=(placed - rotation @ np.array(target_m)).astype(np.float32),
    )


def pixel_rays(
    camera: Camera, points_px: Float64[np.ndarray, "N 2"]
) -> tuple[Float32[np.ndarray, "N 3"], Float32[np.ndarray, "N 3"]]:
    """Origins and unit directions, head frame, of picture points."""
    rotation = matrix_from_quaternion(camera.rotation_wxyz)
    inside = np.concatenate([(points_px - camera.principal_px) / camera.focal_px, np.ones((len(points_px), 1))], axis=1)
    inside /= np.linalg.norm(inside, axis=1, keepdims=True)
    return np.tile(camera.position_m, (len(points_px), 1)).astype(np.float32), (inside @ rotation).astype(np.float32)


def vertex_normals(vertices: Float32[np.ndarray, "V 3"], triangles: Int32[np.ndarray, "F 3"]) -> Float32[np.ndarray, "V 3"]:  # fmt: skip
    """Area-weighted."""
    corners = vertices[triangles]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.stack([np.bincount(triangles.ravel(), np.repeat(face[:, k], 3), len(vertices)) for k in range(3)], axis=1)  # fmt: skip
    return (normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def render_portrait(
    model: HeadModel,
    vertices: Float32[np.ndarray, "V 3"],
    colouring: Colouring,
    camera: Camera,
    light: Light,
    *,
    background: tuple[float, float, float] = (0.35, 0.38, 0.42),
    samples: int = 2,
) -> UInt8[np.ndarray, "H W 3"]:
    """An sRGB picture of the head; `samples`^2 rays per pixel; background linear RGB."""
    picture = np.tile(np.array(background, np.float64), (camera.height_px, camera.width_px, 1))
    seen = camera.project(vertices)
    left, top = np.maximum(np.floor(seen.min(0)).astype(int) - 1, 0)
    right, bottom = np.minimum(np.ceil(seen.max(0)).astype(int) + 1, [camera.width_px, camera.height_px])
    across, down = ((np.arange(low * samples, high * samples) + 0.5) / samples for low, high in ((left, right), (top, bottom)))  # fmt: skip
    x, y = np.meshgrid(across, down)
    solid = solid_triangles(model)
    hits = Scene(vertices, model.triangles[solid]).cast(*pixel_rays(camera, np.stack([x.ravel(), y.ravel()], axis=1)))
    hit = np.flatnonzero(hits.triangle >= 0)
    triangle, weights = solid[hits.triangle[hit]], hits.barycentric[hit]
    normals = np.einsum("nc,ncd->nd", weights, vertex_normals(vertices, model.triangles)[model.triangles[triangle]])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    image = np.tile(np.array(background, np.float64), (x.size, 1))
    image[hit] = colouring(triangle, weights) * light.shade(normals.astype(np.float32))
    image = image.reshape(*x.shape, 3)
    rows = np.sum([image[k::samples] for k in range(samples)], axis=0)
    picture[top:bottom, left:right] = np.sum([rows[:, k::samples] for k in range(samples)], axis=0) / samples**2
    return (srgb_from_linear(picture) * 255 + 0.5).astype(np.uint8)


def solid_triangles(model: HeadModel) -> Int32[np.ndarray, "N"]:
    """All but lashes and brows, whose cards are mostly transparent; textures and paint carry them here."""
    thin = [model.part_names.index(name) for name in ("lashes", "brows") if name in model.part_names]
    return np.flatnonzero(~np.isin(model.triangle_parts, thin)).astype(np.int32)


def srgb_from_linear(linear: Float64[np.ndarray, "*N 3"]) -> Float64[np.ndarray, "*N 3"]:
    """IEC 61966-2-1, clipped to [0, 1]."""
    clipped = np.clip(linear, 0, 1)
    return np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)


def linear_from_srgb(srgb: Float64[np.ndarray, "*N 3"]) -> Float64[np.ndarray, "*N 3"]:
    """IEC 61966-2-1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def random_light(rng: np.random.Generator, *, contrast: float = 1.0) -> Light:
    """Soft light from above and one side; radiance about 1 toward the camera."""
    side, above = rng.uniform(-0.35, 0.35) * contrast, rng.uniform(0.05, 0.35) * contrast
    coefficients = np.zeros((9, 3), np.float32)
    coefficients[0], coefficients[1], coefficients[2], coefficients[3] = 0.75, above, 0.3, side
    tint = 1 + rng.uniform(-0.06, 0.06, 3)
    return Light(coefficients=(coefficients * tint * rng.uniform(0.85, 1.15)).astype(np.float32))


def basis_points(basis: LandmarkBasis, identity: Float64[np.ndarray, "K"]) -> Float64[np.ndarray, "L 3"]:
    """Landmarks of a neutral head in the head's own frame, metres."""
    return basis.rest + np.tensordot(identity, basis.identity, 1) + basis.centre
