"""Shoulders are as smooth as the mean head's, whoever wears them."""

import numpy as np
import pytest

from avatar3d.head.deform import shape_head
from avatar3d.head.load import load_head_model
from avatar3d.rig.bust import even_bust

PEOPLE = 12


def turned_over(vertices: np.ndarray) -> int:
    """Triangles below the neck that look away from where the mean head's look."""
    model = load_head_model()
    triangles = model.triangles[model.part("face")]
    low = model.rest[triangles].mean(axis=1)[:, 1] < -0.08

    def normals(points: np.ndarray) -> np.ndarray:
        corners = points[triangles]
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        return across / np.linalg.norm(across, axis=1, keepdims=True)

    return int((((normals(vertices) * normals(model.rest)).sum(axis=1) < 0.3) & low).sum())


@pytest.fixture(scope="module")
def heads() -> list[np.ndarray]:
    model, rng = load_head_model(), np.random.default_rng(0)
    return [shape_head(model, rng.standard_normal(len(model.identity)).astype(np.float32)) for _ in range(PEOPLE)]


def test_nobodys_shoulders_are_folded_over(heads: list[np.ndarray]) -> None:
    model = load_head_model()
    assert sum(turned_over(head) for head in heads) > 0
    assert sum(turned_over(even_bust(model, head)) for head in heads) == 0


def test_face_and_neck_stay_as_fitted(heads: list[np.ndarray]) -> None:
    model = load_head_model()
    above = model.rest[:, 1] > -0.1
    np.testing.assert_array_equal(even_bust(model, heads[0])[above], heads[0][above])
