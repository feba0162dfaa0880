"""Skin seen from the side shows no blotches that the photo drew out; what is seen squarely stays."""

import numpy as np

from avatar3d.render.lights import LUMINANCE
from avatar3d.texture.oblique import calm_oblique

SIZE = 256
SEEN, NOTHING = np.ones((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.float32)
# Seen squarely to the left, edge-on to the right.
TURNING = np.tile(np.linspace(1.6, 0.1, SIZE, dtype=np.float32).clip(0, 1), (SIZE, 1))


def blotched(depth: float = -0.5) -> np.ndarray:
    ratio = np.zeros((SIZE, SIZE, 3), np.float32)
    ratio[120:136, 40:56] = ratio[120:136, 215:231] = depth
    return ratio


def test_a_blotch_fades_where_skin_is_seen_obliquely_and_stays_where_it_is_seen_squarely() -> None:
    calmed = calm_oblique(blotched(), SEEN, NOTHING, TURNING, bearded=False)
    assert calmed[128, 223].max() > 0.5 * -0.5
    np.testing.assert_array_equal(calmed[:, :100], blotched()[:, :100])


def test_brows_stay_and_a_beard_fades_less() -> None:
    brow = calm_oblique(blotched(), SEEN, SEEN, TURNING, bearded=False)
    np.testing.assert_array_equal(brow, blotched())
    skin, beard = (calm_oblique(blotched(), SEEN, NOTHING, TURNING, bearded=b)[128, 223, 0] for b in (False, True))
    assert -0.5 < beard < skin


def test_pores_stay() -> None:
    pores = np.zeros((SIZE, SIZE, 3), np.float32)
    pores[::2, ::2] = -0.2
    calmed = calm_oblique(pores, SEEN, NOTHING, TURNING, bearded=False)
    assert (calmed @ LUMINANCE)[64:192, 200:240].std() > 0.9 * (pores @ LUMINANCE)[64:192, 200:240].std()


def test_the_side_of_a_nose_is_oblique_but_narrow_and_keeps_its_shade() -> None:
    nose = SEEN.copy()
    nose[:, 126:130] = 0.3
    shaded = np.zeros((SIZE, SIZE, 3), np.float32)
    shaded[:, 126:130] = -0.4
    np.testing.assert_array_equal(calm_oblique(shaded, SEEN, NOTHING, nose, bearded=False), shaded)
