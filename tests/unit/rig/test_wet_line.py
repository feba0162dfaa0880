"""The line of tears: on the lower lid's edge and on the ball, with the lid when it moves, gone when the eye is shut."""

from functools import lru_cache

import numpy as np
import pytest

from avatar3d.core.avatar import Mesh
from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.head import HeadModel
from avatar3d.head.load import load_head_model
from avatar3d.rig.assemble import RiggedHead, rig_neutral
from avatar3d.rig.lids import find_lid_margins
from avatar3d.rig.materials import lash_colour
from avatar3d.rig.wet_line import wet_lines

ROWS = 3


@lru_cache
def head() -> tuple[HeadModel, RiggedHead]:
    model = load_head_model()
    identity = np.random.default_rng(5).normal(size=len(model.identity)).astype(np.float32)
    return model, rig_neutral(model, (model.rest + np.tensordot(identity, model.identity, 1)).astype(np.float32))


@lru_cache
def lines() -> Mesh:
    model, rigged = head()
    return wet_lines(model, rigged.neutral, rigged.shapes, np.array([0.5, 0.3, 0.2], np.float32))


def rows_of(points: np.ndarray) -> list[np.ndarray]:
    """Left and right eye: rows x points of the margin."""
    counts = [len(lids.lower) - 2 for lids in find_lid_margins(head()[0])]
    parts = np.split(points, np.cumsum([ROWS * count for count in counts])[:-1])
    return [part.reshape(ROWS, count, 3) for part, count in zip(parts, counts, strict=True)]


def test_it_goes_from_the_lids_edge_onto_the_ball() -> None:
    model, rigged = head()
    centres = model.joint_regressor @ rigged.neutral
    for lids, rows in zip(find_lid_margins(model), rows_of(lines().positions), strict=True):
        margin, centre = rigged.neutral[lids.lower[1:-1]], centres[lids.joint]
        assert np.linalg.norm(rows[0] - margin, axis=1).max() < 0.0004
        assert (rows[-1][:, 1] > margin[:, 1]).all()
        assert np.linalg.norm(rows[-1] - rows[0], axis=1).max() < 0.0014
        away = np.linalg.norm(rows[-1] - centre, axis=1) - np.median(
            np.linalg.norm(rigged.neutral[lids.ball] - centre, axis=1)
        )
        assert -0.0002 < away.min() < away.max() < 0.0012  # the cornea bulges


@pytest.mark.parametrize("name", ["eyeSquintLeft", "eyeWideRight", "eyeLookDownLeft", "cheekSquintRight"])
def test_it_goes_with_the_lower_lid(name: str) -> None:
    model, rigged = head()
    shape = ARKIT_INDEX[name]
    for lids, rows in zip(find_lid_margins(model), rows_of(lines().morphs[shape]), strict=True):
        np.testing.assert_array_equal(rows, np.broadcast_to(rigged.shapes[shape, lids.lower[1:-1]], rows.shape))


@pytest.mark.parametrize("side", [0, 1])
def test_a_blink_draws_it_behind_the_lid(side: int) -> None:
    shape = find_lid_margins(head()[0])[side].shape
    closed = rows_of(lines().positions + lines().morphs[shape])
    assert np.abs(closed[side] - closed[side][:1]).max() < 1e-6
    assert np.linalg.norm(closed[1 - side] - closed[1 - side][:1], axis=2).max() > 0.0003


def test_it_is_small_glossy_and_shows_its_outer_side() -> None:
    mesh = lines()
    assert mesh.morph_names == ARKIT_NAMES
    assert len(mesh.triangles) < 150
    assert mesh.material.roughness < 0.4
    assert mesh.material.alpha_mode == "OPAQUE"
    corner = mesh.positions[mesh.triangles].astype(np.float64)
    across = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    assert (across * mesh.normals[mesh.triangles].mean(1)).sum(1).min() > 0


def test_lashes_are_lighter_than_black_where_brows_are_light_but_never_light() -> None:
    assert lash_colour(None) is None
    dark, blond = lash_colour((0.03, 0.02, 0.013)), lash_colour((0.3, 0.2, 0.1))
    assert dark == pytest.approx((0.010, 0.007, 0.005), abs=0.001)
    assert blond == pytest.approx((0.045, 0.030, 0.015), abs=0.001)
