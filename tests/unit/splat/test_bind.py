"""Posing the mesh poses the splats."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from avatar3d.core.blendshapes import ARKIT_NAMES, SHAPE_INDEX
from avatar3d.core.splats import Gaussians, SplatCloud
from avatar3d.core.transforms import matrix_from_quaternion, quaternion_from_rotation_vector
from avatar3d.render.pose import pose_stage
from avatar3d.render.stage import stage_avatar
from avatar3d.splat.bind import Shown, frames_of, place, pull_back
from tests.synthetic import JOINTS, PARENTS, synthetic_avatar

STAGE = stage_avatar(synthetic_avatar())
EYE = np.float32([0, 0, 1])


def cloud_on(triangles: int, per_triangle: int = 2) -> SplatCloud:
    rng = np.random.default_rng(5)
    triangle = np.repeat(np.arange(triangles, dtype=np.int32), per_triangle)
    count = len(triangle)
    turns = rng.normal(size=(count, 4))
    return SplatCloud(
        triangle=triangle,
        barycentric=rng.dirichlet((1, 1, 1), count).astype(np.float32),
        offset=rng.uniform(-0.5, 1, count).astype(np.float32),
        rotation_wxyz=(turns / np.linalg.norm(turns, axis=1, keepdims=True)).astype(np.float32),
        scale=rng.uniform(0.05, 0.6, (count, 3)).astype(np.float32),
        colour=rng.uniform(0, 1, (count, 3)).astype(np.float32),
        opacity=rng.uniform(0, 1, count).astype(np.float32),
    )


CLOUD = cloud_on(len(STAGE.triangles))


def posed(weights: np.ndarray | None = None, rotations: dict | None = None) -> tuple[np.ndarray, Gaussians]:
    pose = pose_stage(STAGE, weights, rotations or {}, EYE, sky=None, pixel_m=1e-3)
    return pose.vertices, place(CLOUD, frames_of(pose.vertices, STAGE.triangles, CLOUD.triangle))


def covariance(gaussians: Gaussians) -> np.ndarray:
    root = Rotation.from_quat(gaussians.rotation_wxyz[:, [1, 2, 3, 0]]).as_matrix() * gaussians.scale[:, None]
    return root @ root.transpose(0, 2, 1)


def carried(rest: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """How each splat's triangle went, from nothing but three points before and after: a, rotation, growth, a'.

    Gram-Schmidt on the corners, in another order of operations than the code's.
    """
    parts = []
    for vertices in (rest, now):
        a, b, c = (vertices[STAGE.triangles[CLOUD.triangle, k]].astype(np.float64) for k in range(3))
        x = (b - a) / np.linalg.norm(b - a, axis=1, keepdims=True)
        y = (c - a) - np.sum((c - a) * x, axis=1, keepdims=True) * x
        height = np.linalg.norm(y, axis=1)
        y /= height[:, None]
        size = (np.linalg.norm(b - a, axis=1) + height) / 2
        parts.append((a, b, c, np.stack([x, y, np.cross(x, y)], 2), size))
    (a, b, c, frame, size), (a2, b2, c2, frame2, size2) = parts
    points = [np.einsum("sk,ksc->sc", CLOUD.barycentric, np.stack(p)) for p in ((a, b, c), (a2, b2, c2))]
    return points[0], frame2 @ frame.transpose(0, 2, 1), size2 / size, points[1]


def check_carried(rest: np.ndarray, now: np.ndarray, before: Gaussians, after: Gaussians) -> np.ndarray:
    start, turn, growth, end = carried(rest, now)
    sound = growth > 0  # every triangle of the egg has area in every pose
    assert sound.all()
    expected = end + growth[:, None] * np.einsum("sij,sj->si", turn, before.mean - start)
    np.testing.assert_allclose(after.mean, expected, atol=2e-6)
    old = covariance(before)
    np.testing.assert_allclose(
        covariance(after), growth[:, None, None] ** 2 * (turn @ old @ turn.transpose(0, 2, 1)), atol=2e-8
    )
    return np.linalg.norm(after.mean - before.mean, axis=1)


@pytest.mark.parametrize("name", ARKIT_NAMES)
def test_every_shape_carries_the_splats_on_its_triangles_and_no_others(name: str) -> None:
    rest, before = posed()
    weights = np.zeros(len(SHAPE_INDEX), np.float32)
    weights[SHAPE_INDEX[name]] = 1
    now, after = posed(weights)
    moved = check_carried(rest, now, before, after)
    touched = np.any(now != rest, axis=1)[STAGE.triangles].any(axis=1)[CLOUD.triangle]
    assert moved[touched].max() > 1e-3
    assert moved[~touched].max() == 0


@pytest.mark.parametrize("name", JOINTS)
def test_every_joint_carries_the_splats(name: str) -> None:
    rest, before = posed()
    turn = quaternion_from_rotation_vector(np.float32([0.25, -0.2, 0.15]))
    now, after = posed(rotations={name: turn})
    moved = check_carried(rest, now, before, after)
    assert moved.max() > 1e-3


def test_splats_on_what_a_joint_carries_whole_turn_rigidly() -> None:
    _, before = posed()
    turn = quaternion_from_rotation_vector(np.float32([0.25, -0.2, 0.15]))
    _, after = posed(rotations={"root": turn})
    matrix, pivot = matrix_from_quaternion(turn), STAGE.skeleton.positions[0]
    assert PARENTS[0] == -1
    np.testing.assert_allclose(after.mean, (before.mean - pivot) @ matrix.T + pivot, atol=2e-6)
    np.testing.assert_allclose(covariance(after), matrix @ covariance(before) @ matrix.T, atol=2e-9)


def test_a_step_in_the_world_is_led_back_to_the_cloud() -> None:
    """d loss / d cloud by differences of `place` itself, in a direction drawn at random."""
    vertices, _ = posed()
    frames = frames_of(vertices, STAGE.triangles, CLOUD.triangle)
    rng = np.random.default_rng(3)
    count = len(CLOUD.triangle)
    light = Shown(
        rng.uniform(0.5, 2, (count, 3)).astype(np.float32), facing=rng.uniform(0, 1, count).astype(np.float32)
    )
    at = place(CLOUD, frames, light)
    toward = Gaussians(*(rng.normal(size=getattr(at, f).shape).astype(np.float32) for f in at.__dataclass_fields__))
    back = pull_back(toward, frames, light)
    for field in ("barycentric", "offset", "rotation_wxyz", "scale", "colour", "opacity"):
        value = getattr(CLOUD, field)
        step = rng.normal(size=value.shape)
        if field == "barycentric":
            step -= step.mean(axis=1, keepdims=True)
        scores = []
        for sign in (1, -1):
            there = {**vars(CLOUD), field: (value + sign * 1e-2 * step).astype(np.float32)}
            moved = place(SplatCloud(**there), frames, light)
            scores.append(sum(np.sum(getattr(toward, f).astype(np.float64) * getattr(moved, f)) for f in vars(moved)))
        expected, found = (scores[0] - scores[1]) / 2e-2, float(np.sum(getattr(back, field).astype(np.float64) * step))
        assert abs(found - expected) < 2e-3 * max(abs(expected), 1), field
