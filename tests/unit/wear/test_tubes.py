"""Tubes: as few rings as their path needs."""

import numpy as np

from avatar3d.wear.tubes import AHEAD, Tube, fewer_rings, skin_tube


def ring(radius_m: float = 0.022, *, count: int = 90, thick_m: float = 0.002) -> Tube:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    path = radius_m * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    thick = np.full(count, thick_m)
    return Tube(path, path[:, :2], thick, thick, AHEAD, closed=True)


def far_from(tube: Tube, points: np.ndarray) -> float:
    """The largest distance of a point from the tube's path, as it is drawn."""
    first, second = tube.path, np.roll(tube.path, -1, axis=0)
    along = second - first
    t = ((points[:, None] - first) * along).sum(-1) / (along**2).sum(-1)
    nearest = first + np.clip(t, 0, 1)[..., None] * along
    return float(np.linalg.norm(points[:, None] - nearest, axis=-1).min(axis=1).max())


def test_a_round_rim_keeps_its_shape_with_half_its_rings() -> None:
    full = ring()
    fewer = fewer_rings(full)
    assert len(fewer.path) <= 45
    assert far_from(fewer, full.path) < 0.00025
    assert fewer.closed
    assert len(skin_tube(fewer).triangles) == 12 * len(fewer.path)


def test_a_ring_stays_where_the_tube_grows_thicker() -> None:
    full = ring()
    full.across_m[30:35] = 0.004
    kept = fewer_rings(full)
    at = np.flatnonzero(kept.across_m > 0.003)
    np.testing.assert_array_equal(kept.path[at[[0, -1]]], full.path[[30, 34]])
    assert kept.across_m[at[0] - 1] == kept.across_m[at[-1] + 1] == 0.002
    assert np.linalg.norm(kept.path[at[0] - 1] - kept.path[at[0]]) < 0.0016  # at once, as it did


def test_an_open_tube_keeps_both_its_ends() -> None:
    path = np.stack([np.linspace(0, 0.1, 60), np.zeros(60), np.zeros(60)], axis=1)
    straight = Tube(path, path[:, :2], np.full(60, 0.002), np.full(60, 0.003), AHEAD)
    fewer = fewer_rings(straight)
    assert 10 <= len(fewer.path) <= 20  # a piece is 8 mm long at most
    np.testing.assert_array_equal(fewer.path[[0, -1]], path[[0, -1]])
