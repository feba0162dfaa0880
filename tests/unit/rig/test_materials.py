"""What the parts are made of."""

import numpy as np

from avatar3d.core.avatar import Texture
from avatar3d.rig.materials import part_material


def test_lower_molars_lie_in_the_cheeks_shade_and_incisors_do_not() -> None:
    white = Texture("teethLower", np.full((256, 1024, 3), 200, np.uint8))
    lower, upper = (part_material(name, seen=white).base_colour for name in ("teethLower", "teethUpper"))
    assert lower is not None
    assert upper is not None
    assert (lower.pixels[:, 360:664] == 200).all()
    assert lower.pixels[:, :100].max() < 100
    np.testing.assert_array_equal(lower.pixels[:, :10], lower.pixels[:, -10:])
    assert (upper.pixels == 200).all()
