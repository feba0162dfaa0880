"""Filling keeps what is known and is smooth where nothing is."""

import numpy as np
import pytest

from avatar3d.texture.complete import pull_push, smooth
from avatar3d.texture.normals import normal_map
from avatar3d.texture.planes import reduced, times
from avatar3d.texture.pores import grain
from avatar3d.texture.temper import clear_lids, fill_pits


def test_known_texels_stay() -> None:
    values = np.random.default_rng(0).standard_normal((64, 64, 3)).astype(np.float32)
    np.testing.assert_allclose(pull_push(values, np.ones((64, 64), np.float32)), values, atol=1e-5)


def test_a_hole_takes_the_colour_around_it() -> None:
    values = np.full((64, 64, 3), 0.5, np.float32)
    weights = np.ones((64, 64), np.float32)
    weights[28:36, 28:36], values[28:36, 28:36] = 0, 99
    filled = pull_push(values, weights)
    assert np.abs(filled - 0.5).max() < 0.06


def test_far_from_evidence_the_skin_tone_wins() -> None:
    values, weights = np.zeros((256, 256, 1), np.float32), np.zeros((256, 256), np.float32)
    values[:8, :8], weights[:8, :8] = 1, 1
    filled = pull_push(values, weights, decay=0.1)[..., 0]
    assert filled[9, 9] > 4 * filled[250, 250]
    assert filled[250, 250] < 0.1


def test_smoothing_ignores_what_has_no_weight() -> None:
    values, weights = np.ones((64, 64, 1), np.float32), np.ones((64, 64), np.float32)
    values[:, 32:], weights[:, 32:] = 50, 0
    np.testing.assert_allclose(smooth(values, weights, 0.03)[:, :28], 1, atol=1e-3)


def test_a_window_is_smoothed_as_the_whole_atlas_is() -> None:
    rng = np.random.default_rng(1)
    values, weights = rng.random((256, 256, 3)).astype(np.float32), rng.random((256, 256)).astype(np.float32)
    window = slice(64, 192), slice(32, 224)
    whole = smooth(values, weights, 0.02)[window]
    alone = smooth(values[window], weights[window], 0.02, edge=256)
    inside = slice(24, -24), slice(24, -24)
    np.testing.assert_allclose(alone[inside], whole[inside], atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_planes_multiply_and_shrink_as_numpy_says(channels: int) -> None:
    rng = np.random.default_rng(2)
    values, weights = rng.random((32, 64, channels)).astype(np.float32), rng.random((32, 64)).astype(np.float32)
    weighed = values * weights[..., None]
    np.testing.assert_array_equal(times(values, weights), weighed)
    packed = np.dstack([weighed, weights]).reshape(8, 4, 16, 4, channels + 1).mean((1, 3))
    np.testing.assert_allclose(reduced(values, weights, (16, 8)), packed, rtol=1e-5)


def test_an_atlas_without_lids_stays() -> None:
    ratio = np.random.default_rng(3).random((64, 64, 3)).astype(np.float32)
    np.testing.assert_array_equal(
        clear_lids(ratio, np.ones((64, 64), np.float32), np.zeros((64, 64), np.float32)), ratio
    )


def test_even_skin_has_a_flat_normal_map() -> None:
    flat = normal_map(np.zeros((64, 64), np.float32), np.ones((64, 64), np.float32))
    assert (flat == [128, 128, 255]).all()


def test_a_bright_bump_leans_outward_on_every_side() -> None:
    """Red grows along u, green upward in the picture."""
    y, x = np.mgrid[:1024, :1024].astype(np.float32) - 512
    bump = 0.2 * np.exp(-(x * x + y * y) / (2 * 2.0**2)).astype(np.float32)
    normals = normal_map(bump, np.ones_like(bump)).astype(int)
    assert normals[512, 515, 0] > 135
    assert normals[512, 509, 0] < 121
    assert normals[509, 512, 1] > 135
    assert normals[515, 512, 1] < 121


def test_doubted_skin_has_no_relief() -> None:
    noise = np.random.default_rng(0).standard_normal((64, 64)).astype(np.float32)
    assert (normal_map(noise, np.zeros((64, 64), np.float32)) == [128, 128, 255]).all()


def test_filled_skin_has_the_grain_of_the_skin_seen() -> None:
    pores = 0.02 * np.random.default_rng(3).standard_normal((256, 256, 1)).astype(np.float32).repeat(3, axis=2)
    plain = np.zeros((256, 256), np.float32)
    plain[:, :128] = 1
    added = grain(pores, plain, 1 - plain)
    assert np.abs(added[:, :128]).max() == 0
    smooth_skin = grain(np.zeros_like(pores), plain, 1 - plain)
    assert added[:, 128:].std() > 5 * smooth_skin[:, 128:].std()


def test_lashes_before_a_lid_are_taken_off_its_skin_and_nothing_else_is() -> None:
    lids = np.zeros((256, 256), np.float32)
    lids[100:130, 60:120] = 1
    ratio = np.full((256, 256, 3), -0.15, np.float32)
    ratio[100:130, 70:110:8] = -1.4  # lashes
    ratio[200:220, 100:160] = -1.4  # a brow
    cleared = clear_lids(ratio, np.ones((256, 256), np.float32), lids)
    assert cleared[105:125, 70:110:8].min() > -0.6
    np.testing.assert_array_equal(cleared[lids == 0], ratio[lids == 0])


def test_the_pits_at_a_mouths_corners_become_like_the_skin_around_them() -> None:
    ratio, pits = np.full((256, 256, 3), -0.1, np.float32), np.zeros((256, 256), np.float32)
    pits[120:136, 60:76] = pits[120:136, 180:196] = 1
    ratio[124:130, 64:70], ratio[124:130, 184:190] = -1.5, 0.5  # a hole, and a tooth seen in one
    filled = fill_pits(ratio, np.ones((256, 256), np.float32), pits)
    assert np.abs(filled[124:130, 64:70] + 0.1).max() < 0.3
    assert np.abs(filled[124:130, 184:190] + 0.1).max() < 0.3
    np.testing.assert_array_equal(filled[pits == 0], ratio[pits == 0])
    np.testing.assert_array_equal(fill_pits(ratio, np.ones((256, 256), np.float32), 0 * pits), ratio)
