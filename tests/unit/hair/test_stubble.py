"""Stubble: a scalp that is greyer than the forehead before it has some, one in the shadow or as rosy as it has none."""

import numpy as np
import pytest

from avatar3d.hair.stubble import find_stubble

Colour = tuple[float, float, float]

IOD, EYES, MIDDLE, HALF = 44.0, 130, 110, 55
ROSY, GREY, SHADOW = (68.0, 18.0, 20.0), (64.0, 4.0, 6.0), (45.0, 5.0, 7.0)


def head_with_sides(left: Colour, right: Colour) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lab and mask of a rosy head without hair, 2.5 inter-ocular distances wide before a blue wall, its outer parts in two colours."""
    lab = np.tile(np.array((50.0, -5.0, -25.0), np.float32), (220, 220, 1))
    lab[40:220, MIDDLE - HALF : MIDDLE + HALF] = ROSY
    lab[40:220, MIDDLE - HALF : MIDDLE - HALF + 13] = left
    lab[40:220, MIDDLE + HALF - 13 : MIDDLE + HALF] = right
    head = np.zeros((220, 220), np.float32)
    head[40:220, MIDDLE - HALF : MIDDLE + HALF] = 1
    return lab, head, np.zeros_like(head)


@pytest.mark.parametrize(("left", "right"), [(GREY, ROSY), (SHADOW, GREY), (GREY, GREY)])
def test_one_grey_side_in_the_light_tells_of_stubble(left: Colour, right: Colour) -> None:
    amount, where = find_stubble(*head_with_sides(left, right), EYES, IOD)
    assert amount > 0.9
    rows = slice(EYES - 40, EYES - 10)
    grey, bare = where[rows, MIDDLE - HALF + 5], where[rows, MIDDLE - 10 : MIDDLE + 10]
    assert bare.max() == 0
    assert (grey.mean() > 0.7) == (left != ROSY)


@pytest.mark.parametrize("side", [ROSY, SHADOW])
def test_a_shaved_head_has_none(side: Colour) -> None:
    amount, _ = find_stubble(*head_with_sides(side, side), EYES, IOD)
    assert amount == 0
