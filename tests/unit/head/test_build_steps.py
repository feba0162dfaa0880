"""The head builder's steps on meshes small enough to reason about."""

from dataclasses import replace

import numpy as np
import pytest

from tools.head.carry import carry_modes, fill
from tools.head.cut import cut_polygons
from tools.head.joints import ball_centre
from tools.head.register import similarity
from tools.head.rings import split_strips
from tools.head.shut import LIPS, close_gap
from tools.head.skin import strongest_four
from tools.head.slim import flatten, wish_for
from tools.head.surface import border_loops, closest_points, triangulate, vertex_normals
from tools.head.uv import signed_areas


def grid(columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """A flat sheet of unit quads in the xy plane, facing +Z."""
    x, y = np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0))
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], 1)
    corner = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    quads = np.stack([corner, corner + 1, corner + columns + 2, corner + columns + 1], 1)
    return vertices, quads.astype(np.int32)


def test_a_similarity_is_found_again() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(20, 3))
    angle = 0.4
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    scale, rotation, shift = similarity(points, 2.5 * points @ turn.T + [1, 2, 3])
    assert scale == pytest.approx(2.5)
    np.testing.assert_allclose(rotation, turn, atol=1e-12)
    np.testing.assert_allclose(shift, [1, 2, 3], atol=1e-12)


def test_the_closest_point_respects_side_and_normal() -> None:
    vertices, quads = grid(2, 1)
    triangles, _ = triangulate(quads)
    # Another sheet just above, facing down, is nearer but must not be taken.
    both = np.vstack([vertices, vertices + [0, 0, 0.2]])
    faces = np.vstack([triangles, triangles[:, ::-1] + len(vertices)])
    point, up = np.array([[0.6, 0.3, 0.15]]), np.array([[0.0, 0.0, 1.0]])
    no_side, no_sides = np.zeros(1, np.int32), np.zeros(len(faces), np.int32)
    found = closest_points(point, up, no_side, both, faces, no_sides, candidates=8)
    np.testing.assert_allclose(found.gather(both, faces), [[0.6, 0.3, 0.0]], atol=1e-12)
    # With sides, only the far half may be taken.
    sides = np.where(both[faces][:, :, 0].mean(1) > 1, 2, 1).astype(np.int32)
    found = closest_points(point, up, np.array([2], np.int32), both, faces, sides, candidates=8)
    np.testing.assert_allclose(found.gather(both, faces), [[1.0, 0.3, 0.0]], atol=1e-12)


def test_a_linear_motion_is_carried_exactly_and_continued_where_nothing_matched() -> None:
    target, target_quads = grid(6, 6)
    target_triangles, _ = triangulate(target_quads)
    motion = 0.1 * target[:, [1, 0, 2]] + [0.0, 0.0, 1.0]
    source, quads = grid(4, 4)
    source = source * 1.5
    triangles, _ = triangulate(quads)
    found = closest_points(
        source,
        vertex_normals(source, triangles),
        np.zeros(len(source), np.int32),
        target,
        target_triangles,
        np.zeros(len(target_triangles), np.int32),
    )
    matched = np.ones(len(source), bool)
    matched[12] = False  # the middle
    carried = carry_modes(motion[None], target_triangles, found, matched, quads)[0]
    np.testing.assert_allclose(carried, 0.1 * source[:, [1, 0, 2]] + [0.0, 0.0, 1.0], atol=1e-6)


def test_a_fill_keeps_what_is_known() -> None:
    vertices, quads = grid(5, 5)
    known = vertices[:, 0] < 3.5
    filled = fill(vertices[:, :1], known, quads)
    np.testing.assert_array_equal(filled[known], vertices[known, :1])
    assert np.isfinite(filled).all()


def test_a_cut_leaves_a_smooth_border_and_no_tiny_rest() -> None:
    vertices, quads = grid(8, 8)
    height = vertices[:, 1] - 2.3 - 0.3 * vertices[:, 0]
    kept, polygons, old = cut_polygons(vertices, quads, height)
    used = polygons[polygons >= 0]
    assert set(used.tolist()) == set(range(len(kept)))
    border = kept[border_loops(polygons)[0]]
    level = border[:, 1] - 2.3 - 0.3 * border[:, 0]
    lowest = level[(border[:, 0] > 0.5) & (border[:, 0] < 7.5) & (border[:, 1] < 7.5)]
    assert np.abs(lowest).max() < 0.35  # quads; a staircase would reach 1
    inside = height[old] >= 0
    np.testing.assert_array_equal(kept[inside], vertices[old[inside]])


def test_a_split_strip_has_no_loose_ends() -> None:
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    rings = [np.stack([r * np.cos(angle), r * np.sin(angle), 0 * angle], 1) for r in (1.0, 2.0, 3.0, 4.0)]
    inner = np.arange(12)
    quads = np.concatenate(
        [np.stack([inner + 12 * k, inner + 12 * (k + 1), np.roll(inner, -1) + 12 * (k + 1), np.roll(inner, -1) + 12 * k], 1)
         for k in range(3)]
    ).astype(np.int32)  # fmt: skip
    vertices = np.concatenate(rings)
    mirror = np.arange(len(vertices), dtype=np.int32)
    finer, polygons, partner = split_strips(vertices, quads, mirror, inner.astype(np.int32), 2)
    assert len(finer) == 48 + 24
    assert len(polygons) == 36 + 24
    assert sorted(len(loop) for loop in border_loops(polygons)) == [12, 12]
    radius = np.linalg.norm(finer[48:], axis=1)
    np.testing.assert_allclose(np.sort(radius), np.repeat([1.5, 2.5], 12))
    np.testing.assert_array_equal(partner, np.arange(len(finer)))


def test_flattening_never_turns_a_triangle_and_finds_the_shape_wished_for() -> None:
    vertices, quads = grid(4, 4)
    points = vertices / 4
    triangles, _ = triangulate(quads)
    fixed = np.isclose(points[:, :2], 0) | np.isclose(points[:, :2], 1)
    start = points[:, :2].copy()
    inner = ~fixed.any(1)
    start[inner] = 0.5 + 0.3 * (start[inner] - 0.5) + [0.1, 0.05]
    wish = wish_for(triangles, points, np.ones(len(triangles)), np.ones(len(triangles)))
    flat = flatten(wish, start, fixed, 30)
    assert (signed_areas(flat, triangles) > 0).all()
    np.testing.assert_allclose(flat, points[:, :2], atol=1e-3)


def test_two_rims_are_brought_together_and_what_is_far_stays() -> None:
    x = np.linspace(-0.02, 0.02, 21)
    upper, lower, far = (np.stack([x, np.full_like(x, y), 0 * x], 1) for y in (0.0005, -0.0005, 0.02))
    vertices = np.concatenate([upper, lower, far])
    side = np.repeat([1, 2, 1], len(x)).astype(np.int32)
    shut = close_gap(vertices, side, replace(LIPS, overlap_m=0.0))
    np.testing.assert_allclose(shut[21:42, 1], shut[:21, 1], atol=3e-5)
    np.testing.assert_array_equal(shut[42:], far)


def test_four_weights_are_kept_and_sum_to_one() -> None:
    names = ("root", "neck", "head", "jaw", "tongue")
    weights = {name: np.array([share]) for name, share in zip(names, (0.05, 0.3, 0.4, 0.2, 0.05), strict=True)}
    joints, kept = strongest_four(weights, names)
    assert joints.shape == kept.shape == (1, 4)
    assert kept.sum() == pytest.approx(1)
    assert joints[0, 0] == 2


def test_an_eye_turns_about_the_centre_of_its_ball_not_of_its_cornea() -> None:
    rng = np.random.default_rng(2)
    direction = rng.normal(size=(400, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    radius = np.where(direction[:, 2] > 0.85, 1.1, 1.0)  # the cornea bulges
    centre = ball_centre(np.array([0.3, 0.2, 0.1]) + radius[:, None] * direction)
    np.testing.assert_allclose(centre, [0.3, 0.2, 0.1], atol=1e-9)
