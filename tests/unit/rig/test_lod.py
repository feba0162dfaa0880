"""Levels of detail: fewer triangles, the same face, and what must meet still meets."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from scipy.spatial import KDTree

from avatar3d.core.avatar import Avatar, Material, Mesh, Skeleton, Texture
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.errors import UsageError
from avatar3d.formats.contacts import check_lids, check_lips
from avatar3d.rig.cards import is_card, pieces, seen_pixels, thin_hair
from avatar3d.rig.collapse import collapse
from avatar3d.rig.lod import LAST_SHAPES, Level, make_levels
from tests.unit.rig.test_assembly import avatar

TARGETS = (5_000, 2_500)


@lru_cache
def levels() -> tuple[Level, ...]:
    return make_levels(avatar(), TARGETS)


def test_no_level_has_more_triangles_than_it_may() -> None:
    assert [level.triangles <= level.target for level in levels()] == [True] * 2
    assert [level.triangles > 0.9 * level.target for level in levels()] == [True] * 2


def test_an_avatar_that_is_small_enough_stays_as_it_is() -> None:
    (whole,) = make_levels(avatar(), (20_000,))
    assert all(one is other for one, other in zip(whole.avatar.meshes, avatar().meshes, strict=True))


def test_every_vertex_left_is_one_of_the_avatars_with_all_it_had() -> None:
    for mesh in levels()[0].avatar.meshes:
        own = avatar().mesh(mesh.name)
        rows = {row.tobytes(): index for index, row in enumerate(_told(own))}
        came = [rows[row.tobytes()] for row in _told(mesh)]
        np.testing.assert_array_equal(mesh.morphs, own.morphs[:, came])
        np.testing.assert_array_equal(mesh.weights, own.weights[came])
        assert mesh.morph_names == own.morph_names


def _told(mesh: Mesh) -> np.ndarray:
    return np.ascontiguousarray(np.concatenate([mesh.positions, mesh.uvs, mesh.normals], axis=1))


def test_no_triangle_reaches_across_a_seam_of_the_texture() -> None:
    """A flat sheet, on which every collapse is cheap, of two pieces of the texture."""
    columns, rows = np.meshgrid(np.arange(9), np.arange(9))
    halves = [np.stack([columns, rows], -1)[:, :5].reshape(-1, 2), np.stack([columns, rows], -1)[:, 4:].reshape(-1, 2)]
    at = np.arange(45).reshape(9, 5)
    quads = np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]], -1).reshape(-1, 4)
    one = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    points = np.concatenate([np.pad(half, ((0, 0), (0, 1))) for half in halves]) * 0.01 + [0, 0, 1]
    sheet = _mesh("sheet", points, np.concatenate([one, one + 45]), Material("sheet"))
    uvs = np.concatenate([halves[0] * [0.05, 0.1], halves[1] * [0.05, -0.1] + [0.5, 0.9]]).astype(np.float32)
    small = collapse(replace(sheet, uvs=uvs), [1], mirrored=False)[0]
    assert len(small.triangles) <= 4
    second = (small.uvs[small.triangles][..., 0] > 0.45).sum(axis=1)
    assert set(second.tolist()) <= {0, 3}


def test_the_face_stays_as_symmetric_as_its_texture() -> None:
    for level in levels():
        uvs = level.avatar.meshes[0].uvs
        assert np.asarray(KDTree(uvs).query(uvs * [-1, 1] + [1, 0])[0]).max() < 1e-6


def test_lips_and_lids_still_meet_down_to_the_third_level() -> None:
    for level in levels()[:1]:
        names, places = level.avatar.skeleton.names, level.avatar.skeleton.positions
        across = (places[names.index("leftEye")] - places[names.index("rightEye")]).astype(np.float64)
        found = [check_lips(level.avatar.meshes[0], across), *check_lids(level.avatar.meshes[0], level.avatar.skeleton)]
        assert [finding.reason for finding in found if finding.level != "pass"] == []
        assert len(found) == 3


def test_expressions_are_judged_and_not_the_resting_face_alone() -> None:
    face = avatar().meshes[0]
    blind = collapse(face, [2_300])[0]
    seeing = levels()[0].avatar.meshes[0]
    assert _blink_error(seeing, face) < 0.5 * _blink_error(blind, face)


def _blink_error(mesh: Mesh, whole: Mesh) -> float:
    """Largest distance of the moved lids' vertices of the whole face from the nearest vertex of the level's, blinking."""
    at = ARKIT_NAMES.index("eyeBlinkLeft")
    moved = np.linalg.norm(whole.morphs[at], axis=1) > 0.004
    shut = (whole.positions + whole.morphs[at])[moved]
    return float(np.asarray(KDTree(mesh.positions + mesh.morphs[at]).query(shut)[0]).mean())


def test_the_last_level_speaks_with_jaw_blinks_and_vowels() -> None:
    face = levels()[-1].avatar.meshes[0]
    assert face.morph_names == (
        *sorted(LAST_SHAPES, key=ARKIT_NAMES.index),
        *(f"viseme_{v}" for v in ("aa", "E", "I", "O", "U")),
    )
    opened = face.morphs[face.morph_names.index("viseme_aa")]
    assert float(-opened[:, 1].min()) > 0.004


def test_the_same_avatar_gives_the_same_levels() -> None:
    tongue = avatar().mesh("tongue")
    one, other = (collapse(tongue, [120])[0] for _ in range(2))
    np.testing.assert_array_equal(one.triangles, other.triangles)


@pytest.mark.parametrize("targets", [(5_000, 10_000), (5_000, 5_000), (100,)])
def test_levels_that_do_not_fall_are_refused(targets: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="falling"):
        make_levels(avatar(), targets)


def test_of_hairs_cards_those_stay_that_are_seen() -> None:
    haired = _haired()
    hair = haired.mesh("hair")
    seen = seen_pixels(haired, hair)
    thin, _ = thin_hair(hair, 120, seen)
    assert len(thin.triangles) <= 120
    left = np.unique(pieces(thin)[is_card(pieces(thin))])
    outside = [np.linalg.norm(thin.positions[thin.triangles[pieces(thin) == piece]], axis=-1).mean() for piece in left]
    assert len(left) >= 2
    assert min(outside) > 0.11  # the hidden ones, inside the ball, are gone


def _haired() -> Avatar:
    """A ball with twelve cards around it and twelve inside it."""
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 25), np.linspace(0.02, np.pi - 0.02, 13))
    ball = 0.1 * np.stack([np.cos(u) * np.sin(v), np.cos(v), np.sin(u) * np.sin(v)], axis=-1).reshape(-1, 3)
    at = np.arange(25 * 13).reshape(13, 25)
    quads = np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]], axis=-1).reshape(-1, 4)
    solid = _mesh("face", ball, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]), Material("face"))
    strips, triangles = [], []
    for number in range(24):
        angle, radius = number % 12 / 12 * 2 * np.pi, 0.12 if number < 12 else 0.06
        along = np.linspace(-0.04, 0.04, 9)
        for side in (-0.1, 0.1):
            strips.append(
                np.stack(
                    [radius * np.cos(angle + side) + 0 * along, along, radius * np.sin(angle + side) + 0 * along], 1
                )
            )
        first = number * 18
        for step in range(8):
            a, b = first + step, first + 9 + step
            triangles += [[a, b, a + 1], [b, b + 1, a + 1]]
    picture = Texture("hair", np.full((4, 4, 4), 255, np.uint8))
    hair = _mesh(
        "hair",
        np.concatenate(strips),
        np.array(triangles),
        Material("hair", picture, alpha_mode="MASK", double_sided=True),
    )
    bones = Skeleton(("root",), np.array([-1], np.int32), np.zeros((1, 3), np.float32))
    return Avatar("ball", (solid, hair), bones)


def _mesh(name: str, points: np.ndarray, triangles: np.ndarray, material: Material) -> Mesh:
    count = len(points)
    weights = np.zeros((count, 4), np.float32)
    weights[:, 0] = 1
    normals = points / np.linalg.norm(points, axis=1, keepdims=True)
    none = np.zeros((0, count, 3), np.float32)
    return Mesh(name, points.astype(np.float32), normals.astype(np.float32), np.zeros((count, 2), np.float32), triangles.astype(np.int32),
                material, (), none, np.zeros((count, 4), np.int32), weights)  # fmt: skip


def test_a_mesh_without_shapes_collapses_too() -> None:
    teeth = avatar().mesh("teethUpper")
    small = collapse(replace(teeth, morph_names=(), morphs=teeth.morphs[:0]), [200])[0]
    assert len(small.triangles) <= 200
