"""Rays meet triangles where geometry says they do."""

import numpy as np

from avatar3d.render.raycast import Scene

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
TWO_TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def test_a_ray_finds_its_triangle_point_and_distance() -> None:
    origins = np.array([[0.75, 0.25, 2.0], [0.25, 0.75, -3.0]], np.float32)
    directions = np.array([[0, 0, -1], [0, 0, 1]], np.float32)
    hits = Scene(SQUARE, TWO_TRIANGLES).cast(origins, directions)
    np.testing.assert_array_equal(hits.triangle, [0, 1])
    np.testing.assert_allclose(hits.distance, [2, 3], atol=1e-6)
    points = np.einsum("nij,ni->nj", SQUARE[TWO_TRIANGLES[hits.triangle]], hits.barycentric)
    np.testing.assert_allclose(points, [[0.75, 0.25, 0], [0.25, 0.75, 0]], atol=1e-6)


def test_a_ray_that_misses_says_so() -> None:
    hits = Scene(SQUARE, TWO_TRIANGLES).cast(np.float32([[5, 5, 1]]), np.float32([[0, 0, -1]]))
    assert hits.triangle[0] == -1
    assert np.isinf(hits.distance[0])
    assert not hits.barycentric.any()


def test_no_rays_give_no_hits() -> None:
    scene = Scene(SQUARE, TWO_TRIANGLES)
    nothing = np.empty((0, 3), np.float32)
    assert len(scene.cast(nothing, nothing).triangle) == 0
    assert len(scene.blocked(nothing, nothing)) == 0


def test_blocked_respects_its_reach() -> None:
    scene = Scene(SQUARE, TWO_TRIANGLES)
    origin, direction = np.float32([[0.7, 0.2, 1]]), np.float32([[0, 0, -1]])
    assert scene.blocked(origin, direction)[0]
    assert scene.blocked(origin, direction, reach=1.1)[0]
    assert not scene.blocked(origin, direction, reach=0.9)[0]


def test_many_rays_on_threads_answer_in_order() -> None:
    generator = np.random.default_rng(3)
    origins = np.ones((100_000, 3), np.float32)
    origins[:, :2] = generator.uniform(-0.5, 1.5, (100_000, 2))
    directions = np.tile(np.float32([0, 0, -1]), (100_000, 1))
    hits = Scene(SQUARE, TWO_TRIANGLES).cast(origins, directions)
    inside = ((origins[:, :2] > 0) & (origins[:, :2] < 1)).all(axis=1)
    np.testing.assert_array_equal(hits.triangle >= 0, inside)
