"""Nearest points are exact, sides are told apart, and gaps are filled as fairly as a plane would be."""

import numpy as np
import pytest

from avatar3d.carry.fill import fill_in
from avatar3d.carry.match import match
from avatar3d.carry.register import lay_on, turned
from avatar3d.carry.sheet import Sheet, nearest_on_triangles, welded


def grid(side: int = 12, size: float = 0.1) -> Sheet:
    """A square in the plane z = 0 that looks to +z, metres."""
    x, y = np.meshgrid(np.linspace(0, size, side), np.linspace(0, size, side))
    points = np.stack([x.ravel(), y.ravel(), np.zeros(side * side)], axis=1)
    at = np.arange(side * side).reshape(side, side)
    a, b, c, d = (part.ravel() for part in (at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]))
    return Sheet(points, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]))


def none() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(0, np.int64), np.zeros((0, 3))


def test_the_nearest_point_of_a_triangle_is_the_nearest_of_very_many() -> None:
    rng = np.random.default_rng(3)
    corners, points = rng.normal(size=(60, 3, 3)), rng.normal(size=(60, 3))
    place, barycentric = nearest_on_triangles(points, corners)
    np.testing.assert_allclose(np.einsum("nk,nkc->nc", barycentric, corners), place, atol=1e-9)
    assert barycentric.min() > -1e-9
    u, v = (part.ravel() for part in np.meshgrid(np.linspace(0, 1, 200), np.linspace(0, 1, 200)))
    inside = u + v <= 1
    shares = np.stack([1 - u - v, u, v], axis=1)[inside]
    best = np.linalg.norm(np.einsum("sk,nkc->nsc", shares, corners) - points[:, None], axis=2).min(1)
    found = np.linalg.norm(place - points, axis=1)
    assert (found <= best + 1e-9).all()
    assert (best - found).max() < 0.05


def test_two_sheets_back_to_back_are_told_apart_by_where_they_look() -> None:
    front = grid()
    back = Sheet(front.points - [0, 0, 0.001], front.triangles[:, ::-1] + len(front.points))
    both = Sheet(np.concatenate([front.points, back.points]), np.concatenate([front.triangles, back.triangles]))
    asked = np.array([[0.05, 0.05, -0.0008]])  # nearer to the back
    found = both.nearest(asked, np.array([[0, 0, 1.0]]), least_alike=0.3, turn_m=0.003)
    assert found.triangle[0] < len(front.triangles)
    found = both.nearest(asked, np.array([[0, 0, -1.0]]), least_alike=0.3, turn_m=0.003)
    assert found.triangle[0] >= len(front.triangles)


def test_seams_are_welded_and_slivers_left_out() -> None:
    sheet, number = welded(
        np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], np.float32),
        np.array([[0, 1, 2], [3, 5, 4], [1, 3, 5]]),
    )
    assert len(sheet.points) == 4
    assert len(sheet.triangles) == 2
    assert number[1] == number[3]


def test_a_hole_in_a_linear_field_is_filled_with_the_field() -> None:
    sheet = grid()
    field = sheet.points @ np.array([[1.0, 2.0], [3.0, -1.0], [0, 0]])
    known = np.linalg.norm(sheet.points[:, :2] - 0.05, axis=1) > 0.02
    spoiled = np.where(known[:, None], field, 99.0)
    np.testing.assert_allclose(fill_in(sheet, spoiled, known), field, atol=2e-3)


def test_a_loose_piece_takes_what_is_nearest_and_nothing_known_is_nothing() -> None:
    sheet = grid(4)
    far = Sheet(
        np.concatenate([sheet.points, sheet.points + [0, 0, 1]]),
        np.concatenate([sheet.triangles, sheet.triangles + 16]),
    )
    known = np.arange(32) < 16
    values = np.where(known[:, None], 7.0, 0.0)
    np.testing.assert_array_equal(fill_in(far, values, known), np.full((32, 1), 7.0))
    assert not fill_in(far, values, np.zeros(32, bool)).any()


def test_a_surface_that_nobody_touched_stays_where_it_is() -> None:
    sheet = grid()
    points, met = lay_on(sheet, sheet, none())
    assert np.abs((points - sheet.points)[:, 2]).max() < 1e-6
    assert met.mean() > 0.9


def test_what_was_cut_away_is_not_pulled_onto_the_rest() -> None:
    sheet = grid()
    kept = sheet.points[sheet.triangles].mean(1)[:, 0] < 0.05
    points, met = lay_on(sheet, Sheet(sheet.points, sheet.triangles[kept]), none())
    gone = sheet.points[:, 0] > 0.07
    assert not met[gone].any()
    assert np.abs(points - sheet.points)[gone].max() < 0.004


def test_frames_turn_with_the_surface() -> None:
    sheet = grid()
    quarter = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0.0]])
    np.testing.assert_allclose(turned(sheet, sheet.points @ quarter.T), np.tile(quarter, (144, 1, 1)), atol=1e-6)


@pytest.mark.parametrize("told", [True, False])
def test_a_bridge_between_what_shapes_part_is_found(told: bool) -> None:
    """Two halves that open like lips; the edited surface has grown together where they meet."""
    whole = grid(14)
    middle = whole.points[whole.triangles].mean(1)
    lips = (np.abs(middle[:, 1] - 0.05) < 0.004) & (np.abs(middle[:, 0] - 0.05) < 0.035)
    slit = Sheet(whole.points, whole.triangles[~lips])
    opens = np.zeros((1, len(whole.points), 3))
    upper = whole.points[:, 1] > 0.05
    opens[0, upper, 2] = (0.03 if told else 0.0) * np.sin(np.pi * whole.points[upper, 0] / 0.1)
    found = match(slit, opens, whole, np.full(len(whole.points), -1))
    assert bool(found.torn.any()) is told


def test_the_back_of_thickened_skin_goes_with_its_front() -> None:
    front = grid()
    back = Sheet(front.points - [0, 0, 0.004], front.triangles[:, ::-1])
    found = match(front, np.zeros((1, len(front.points), 3)), back, np.full(len(front.points), -1))
    assert found.trusted.all()
    np.testing.assert_allclose(found.nearest.point[:, :2], front.points[:, :2], atol=1e-9)
