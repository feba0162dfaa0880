"""What the report compares: shapes where the surface is as it was."""

import numpy as np

from avatar3d.carry.derive import Laid, shape_errors
from avatar3d.carry.sheet import Sheet
from tests.unit.carry.test_sheet import grid


def laid(sheet: Sheet, sculpted: np.ndarray) -> Laid:
    count = len(sheet.points)
    return Laid(sheet, sheet, np.arange(count), sheet.points, sculpted, np.ones(count, bool))


def test_shapes_are_compared_where_nobody_sculpted() -> None:
    sheet = grid(20)
    carved = sheet.points[:, 0] > 0.05
    own = np.zeros((1, len(carved), 3), np.float32)
    edited = np.where(carved[:, None], [0, 0, 0.004], [0, 0, 0.001])[None].astype(np.float32)
    errors, at = shape_errors(laid(sheet, 1.0 * carved), own, edited)
    np.testing.assert_array_equal(at, np.flatnonzero(~carved))
    np.testing.assert_allclose(errors, 0.001, atol=1e-6)


def test_shapes_are_compared_everywhere_where_hardly_any_skin_was_left_alone() -> None:
    sheet = grid(20)
    carved = np.arange(len(sheet.points)) >= 20
    own = np.zeros((1, len(carved), 3), np.float32)
    _, at = shape_errors(laid(sheet, 1.0 * carved), own, own)
    assert len(at) == len(carved)
