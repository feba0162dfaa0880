"""Values between corners are the barycentric mean of the corners'."""

import numpy as np

from avatar3d.render.blend import blend_corners


def test_blending_is_the_weighted_sum_of_three_corners() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((20, 5)).astype(np.float32)
    corners, share = rng.integers(0, 20, (300, 3)).astype(np.int32), rng.random((300, 3)).astype(np.float32)
    np.testing.assert_allclose(
        blend_corners(values, corners, share), np.einsum("ni,nic->nc", share, values[corners]), rtol=1e-5
    )


def test_no_points_give_no_values() -> None:
    none = blend_corners(np.ones((4, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32))
    assert none.shape == (0, 3)
