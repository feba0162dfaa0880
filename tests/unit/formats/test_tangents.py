"""Tangents follow the picture."""

import numpy as np

from avatar3d.formats.tangents import vertex_tangents

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
TOWARDS_US = np.tile(np.array([0, 0, 1], np.float32), (4, 1))
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
UPRIGHT = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)  # (0, 0) is the picture's upper left corner
MIRRORED = np.array([[1, 1], [0, 1], [0, 0], [1, 0]], np.float32)


def test_an_upright_picture_has_its_tangent_to_the_right_and_its_bitangent_up() -> None:
    tangents = vertex_tangents(SQUARE, TOWARDS_US, UPRIGHT, TRIANGLES)
    np.testing.assert_allclose(tangents, np.tile([1, 0, 0, 1], (4, 1)), atol=1e-7)
    bitangent = np.cross(TOWARDS_US, tangents[:, :3]) * tangents[:, 3:]
    np.testing.assert_allclose(bitangent, np.tile([0, 1, 0], (4, 1)), atol=1e-7)


def test_a_mirrored_picture_has_the_other_sign() -> None:
    tangents = vertex_tangents(SQUARE, TOWARDS_US, MIRRORED, TRIANGLES)
    np.testing.assert_allclose(tangents, np.tile([-1, 0, 0, -1], (4, 1)), atol=1e-7)


def test_tangents_are_unit_and_finite_even_without_usable_uvs() -> None:
    tangents = vertex_tangents(SQUARE, TOWARDS_US, np.zeros((4, 2), np.float32), TRIANGLES)
    np.testing.assert_allclose(np.linalg.norm(tangents[:, :3], axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(tangents[:, 2], 0, atol=1e-7)
    assert set(tangents[:, 3]) <= {-1.0, 1.0}
