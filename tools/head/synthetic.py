"""Synthetic portraits: any head, any surface colour, any camera, by ray casting. For calibration and benchmarks.

vertices + colour of (triangle, barycentric)  -->  rays  -->  Lambert under SH light  -->  sRGB picture
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32, Float64, Int32, UInt8

from avatar3d.core.head import HeadModel
from avatar3d.core.photo import Camera, Light
from avatar3d.fit.basis import LandmarkBasis
from avatar3d.people.camera import pixel_rays
from avatar3d.people.heads import solid_triangles
from avatar3d.render.raycast import Scene
from avatar3d.texture.project import vertex_normals

Colouring = Callable[[Int32[np.ndarray, "N"], Float32[np.ndarray, "N 3"]], Float64[np.ndarray, "N 3"]]
"""Linear RGB of surface points (triangle, barycentric)."""


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
