"""Faces with known truth: landmarks projected from the head itself, no picture needed."""

import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.core.head import HeadModel
from avatar3d.core.photo import Camera, FaceObservation, Photo
from avatar3d.core.transforms import matrix_from_quaternion, quaternion_from_rotation_vector
from avatar3d.fit.basis import SEEN
from avatar3d.fit.camera import View
from avatar3d.fit.noise import circumstances, landmark_noise
from avatar3d.head.deform import shape_head
from avatar3d.head.load import load_head_model

WIDTH, HEIGHT = 600, 800


def default_head() -> HeadModel:
    return load_head_model()


def camera_at(distance_m: float, *, yaw_rad: float = 0.0, pitch_rad: float = 0.0, focal_px: float = 1120.0) -> Camera:
    """A camera straight before a head that is turned."""
    turn = np.array([np.pi + pitch_rad, 0, 0], np.float32)  # pi about X: glTF axes to OpenCV's
    pitch = quaternion_from_rotation_vector(turn)
    yaw = quaternion_from_rotation_vector(np.array([0, yaw_rad, 0], np.float32))
    w1, x1, y1, z1 = pitch
    w2, x2, y2, z2 = yaw
    both = np.array(
        [
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ],
        np.float32,
    )
    return Camera(
        focal_px=focal_px,
        principal_px=np.array([WIDTH / 2, HEIGHT / 2], np.float32),
        width_px=WIDTH,
        height_px=HEIGHT,
        rotation_wxyz=both,
        translation_m=np.array([0.01, 0.02, distance_m], np.float32),
    )


def landmarks_of(model: HeadModel, vertices: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "478 3"]:
    corners = vertices[model.triangles[model.landmark_triangles]]
    return np.einsum("lc,lcd->ld", model.landmark_barycentric, corners).astype(np.float32)


def face_of(
    model: HeadModel, vertices: Float32[np.ndarray, "V 3"], camera: Camera, *, focal_known: bool = True
) -> FaceObservation:
    """What the detector would see of these vertices: the truth and how it answers to it, nothing random."""
    points = landmarks_of(model, vertices)
    depth = camera.view(points)[:, 2]
    seen = camera.project(points)
    noise = landmark_noise(model.name)
    assert noise is not None
    distance = depth.mean()
    eyes = seen[[33, 133]].mean(0) - seen[[263, 362]].mean(0)
    interocular = float(np.linalg.norm(eyes))
    expected = noise.mean + np.tensordot(_head_of(model, vertices, camera), noise.answer, 1)
    seen[:468] += (expected[:, :2] * interocular).astype(np.float32)
    relative = camera.focal_px * (depth - distance) / distance
    relative[:468] += expected[:, 2] * interocular
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    focal = camera.focal_px if focal_known else None
    return FaceObservation(
        photo=Photo(name="known", pixels=pixels, alpha=None, focal_px=focal, sha256=""),
        landmarks_px=seen,
        depth_px=relative.astype(np.float32),
        person=np.ones((HEIGHT, WIDTH), bool),
    )


def _head_of(model: HeadModel, vertices: Float32[np.ndarray, "V 3"], camera: Camera) -> Float64[np.ndarray, "C"]:
    """Identity, seen expression and circumstances of these vertices."""
    modes = np.concatenate([model.identity, model.expression[SEEN]]).astype(np.float64)
    some = slice(None, None, 7)
    off = (vertices - model.rest)[some].ravel()
    columns = modes[:, some].reshape(len(modes), -1)
    numbers = np.linalg.solve(columns @ columns.T + 1e-9 * np.eye(len(modes)), columns @ off)
    rotation = matrix_from_quaternion(camera.rotation_wxyz).astype(np.float64)
    view = View(rotation, np.zeros(2), camera.focal_px / float(camera.translation_m[2]), camera.focal_px)
    return np.concatenate([numbers, circumstances(view)])


def random_person(model: HeadModel, seed: int) -> Float32[np.ndarray, "V 3"]:
    identity = np.random.default_rng(seed).standard_normal(len(model.identity)).astype(np.float32)
    return shape_head(model, identity)
