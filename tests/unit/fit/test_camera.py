"""The fit's camera: derivatives are right, and perspective is separate from size."""

import numpy as np

from avatar3d.fit.camera import View, first_view, rotation_matrix, to_camera


def _view() -> View:
    rotation = rotation_matrix(np.array([np.pi - 0.1, 0.2, 0.05]))
    return View(rotation, np.array([12.0, -7.0]), 1400.0, 900.0)


def _points() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.05, (20, 3))


def test_derivatives_of_the_projection_agree_with_finite_differences() -> None:
    view, points = _view(), _points()
    by_step, by_points = view.jacobians(points)
    for column in range(7):
        step = np.zeros(7)
        step[column] = 1e-6
        numeric = (view.moved(step).project(points) - view.moved(-step).project(points)) / 2e-6
        np.testing.assert_allclose(by_step[:, :, column], numeric, atol=1e-4)
    for axis in range(3):
        shift = np.zeros(3)
        shift[axis] = 1e-7
        numeric = (view.project(points + shift) - view.project(points - shift)) / 2e-7
        np.testing.assert_allclose(by_points[:, :, axis], numeric, atol=1e-3)


def test_the_focal_length_alone_does_not_change_the_size_at_the_heads_centre() -> None:
    near, far = _view(), _view().moved(np.array([0, 0, 0, 0, 0, 0, 1.0]))
    across = np.array([[0.0, 0, 0], [0.03, 0, 0]]) @ near.rotation  # in the plane of the centre
    np.testing.assert_allclose(near.project(across), far.project(across), atol=1e-9)
    assert far.distance_m > 2 * near.distance_m


def test_the_first_view_finds_the_pose_of_a_far_camera() -> None:
    points = _points()
    view = View(_view().rotation, np.array([30.0, 10.0]), 1200.0, 1e6)
    found = first_view(points, view.project(points), np.ones(len(points)), 1e6)
    np.testing.assert_allclose(found.rotation, view.rotation, atol=1e-3)
    np.testing.assert_allclose(found.scale_px, view.scale_px, rtol=1e-3)


def test_the_camera_noun_projects_as_the_view_does() -> None:
    view, points, centre = _view(), _points(), np.array([0.0, 0.01, 0.08])
    camera = to_camera(view, centre, 640, 480)
    seen = camera.project((points + centre).astype(np.float32))
    np.testing.assert_allclose(seen - [320, 240], view.project(points), atol=2e-2)
