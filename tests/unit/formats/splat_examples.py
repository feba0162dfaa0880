"""Splats on the synthetic avatar, for the tests of their files."""

import numpy as np

from avatar3d.core.splats import BoundSplats, Gaussians, RestSplats, SplatCloud
from avatar3d.render.stage import stage_avatar
from avatar3d.splat.bind import at_rest
from tests.synthetic import synthetic_avatar

EGG = synthetic_avatar()
STAGE = stage_avatar(EGG)


def cloud(count: int = 300) -> SplatCloud:
    """Of every size, turn, colour and opacity; as thin as a hair and as wide as a triangle."""
    rng = np.random.default_rng(7)
    turns = rng.normal(size=(count, 4))
    return SplatCloud(
        triangle=rng.integers(0, len(STAGE.triangles), count).astype(np.int32),
        barycentric=rng.dirichlet((1, 1, 1), count).astype(np.float32),
        offset=rng.uniform(-0.1, 1, count).astype(np.float32),
        rotation_wxyz=(turns / np.linalg.norm(turns, axis=1, keepdims=True)).astype(np.float32),
        scale=rng.uniform(0.02, 0.6, (count, 3)).astype(np.float32),
        colour=rng.uniform(0.001, 0.9, (count, 3)).astype(np.float32),
        opacity=rng.uniform(0.01, 0.99, count).astype(np.float32),
    )


def rest(count: int = 300) -> RestSplats:
    return at_rest(cloud(count), STAGE.positions, STAGE.triangles)


def bound(count: int = 300) -> BoundSplats:
    meshes = EGG.meshes
    return BoundSplats(cloud(count), tuple(each.name for each in meshes), tuple(len(each.triangles) for each in meshes))


def angles_deg(one: Gaussians, other: Gaussians) -> np.ndarray:
    """Between rotations, whatever their quaternions' signs."""
    cosine = np.abs(np.sum(one.rotation_wxyz.astype(np.float64) * other.rotation_wxyz, axis=1))
    return np.rad2deg(2 * np.arccos(np.clip(cosine, 0, 1)))
