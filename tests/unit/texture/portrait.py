"""A synthetic portrait of the mean head: known skin, known light, perfect landmarks."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import Camera, FaceObservation, Light, Photo
from avatar3d.core.transforms import IDENTITY_WXYZ, OPENCV_FROM_GLTF, matrix_from_quaternion, quaternion_from_matrix
from avatar3d.head.load import load_head_model
from avatar3d.render.lights import add_lights, ambient_light, directional_light
from avatar3d.render.raycast import Scene
from avatar3d.render.stage import srgb_from_linear
from avatar3d.texture.project import vertex_normals

SKIN = np.array([0.50, 0.28, 0.19], np.float32)
GREEN = np.array([0.05, 0.60, 0.08], np.float32)
SIDE_LIGHT = add_lights(ambient_light((0.55, 0.55, 0.55)), directional_light((0.8, 0.2, 0.6), (0.6, 0.6, 0.6)))
Paint = Callable[[np.ndarray], np.ndarray]


@lru_cache
def head() -> HeadModel:
    return load_head_model()


def plain(points: np.ndarray) -> np.ndarray:
    """The same skin everywhere."""
    return np.tile(SKIN, (len(points), 1))


def portrait(
    paint: Paint = plain,
    *,
    light: Light = SIDE_LIGHT,
    yaw_rad: float = 0.0,
    iris: tuple[float, float, float] = (0.1, 0.05, 0.02),
    teeth: tuple[float, float, float] = (0.6, 0.57, 0.5),
    expression: np.ndarray | None = None,
) -> tuple[HeadFit, FaceObservation]:
    """A picture of the mean head in this paint (linear RGB of rest points) before a green wall, and its perfect fit."""
    model, camera = head(), _camera(yaw_rad)
    weights = np.zeros(52, np.float32) if expression is None else expression
    posed = (model.rest + np.tensordot(weights, model.expression, 1)).astype(np.float32)
    solid = np.concatenate([model.part(name) for name in ("face", "eyeLeft", "eyeRight", "teethUpper", "teethLower")])
    x, y = np.meshgrid(np.arange(camera.width_px) + 0.5, np.arange(camera.height_px) + 0.5)
    inside = (np.stack([x.ravel(), y.ravel()], axis=1) - camera.principal_px) / camera.focal_px
    rays = np.concatenate([inside, np.ones((len(inside), 1))], axis=1) @ matrix_from_quaternion(camera.rotation_wxyz)
    rays = (rays / np.linalg.norm(rays, axis=1, keepdims=True)).astype(np.float32)
    hits = Scene(posed, model.triangles[solid]).cast(np.tile(camera.position_m, (len(rays), 1)), rays)
    hit = hits.triangle >= 0
    triangle, share = solid[hits.triangle[hit]], hits.barycentric[hit][..., None]
    points = (model.rest[model.triangles[triangle]] * share).sum(axis=1)
    normals = (vertex_normals(posed, model.triangles)[model.triangles[triangle]] * share).sum(axis=1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    albedo = paint(points)
    for name in ("eyeLeft", "eyeRight"):
        ball = np.isin(triangle, model.part(name))
        corners = model.rest[model.triangles[model.part(name)]].reshape(-1, 3)
        away = np.linalg.norm(points[ball, :2] - (corners.max(0) + corners.min(0))[:2] / 2, axis=1)
        albedo[ball] = np.where((away < 0.0059)[:, None], np.float32(iris), np.float32([0.5, 0.48, 0.46]))
    albedo[np.isin(triangle, np.concatenate([model.part("teethUpper"), model.part("teethLower")]))] = teeth
    image = np.tile(GREEN, (len(rays), 1))
    image[hit] = albedo * light.shade(normals.astype(np.float32))
    pixels = srgb_from_linear(image.reshape(camera.height_px, camera.width_px, 3).astype(np.float32))
    corners = posed[model.triangles[model.landmark_triangles]]
    landmarks = camera.project(np.einsum("nij,ni->nj", corners, model.landmark_barycentric).astype(np.float32))
    face = FaceObservation(
        photo=Photo("synthetic", pixels, None, camera.focal_px, ""),
        landmarks_px=landmarks,
        depth_px=np.zeros(478, np.float32),
        person=hit.reshape(camera.height_px, camera.width_px),
    )
    nothing = np.zeros(52, np.float32)
    fitted = HeadFit(
        np.zeros(len(model.identity), np.float32), weights, nothing, camera, IDENTITY_WXYZ, IDENTITY_WXYZ,
        model.rest, posed, 0.0,
    )  # fmt: skip
    return fitted, face


def _camera(yaw_rad: float) -> Camera:
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    turn = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]], np.float32)
    rotation = (OPENCV_FROM_GLTF @ turn).astype(np.float32)
    middle = np.array([0, 0, 0.05], np.float32)
    return Camera(
        focal_px=700.0,
        principal_px=np.array([170, 190], np.float32),
        width_px=340,
        height_px=380,
        rotation_wxyz=quaternion_from_matrix(rotation),
        translation_m=(np.array([0, 0, 0.8]) - rotation @ middle).astype(np.float32),
    )
