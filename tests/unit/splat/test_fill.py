"""What no photo shows takes after what one does."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import KDTree

from avatar3d.core.avatar import Avatar, Texture
from avatar3d.render.stage import stage_avatar
from avatar3d.splat.fill import fill, settle
from avatar3d.splat.learn import advance, begin, cloud_of
from avatar3d.splat.sow import rest_places, sow_looks
from tests.unit.splat.eggs import egg, look_at_egg

pytest.importorskip("numba", reason="the default rasteriser of splats is compiled by numba (extra `film`)")
from avatar3d.render.splat_numba import NumbaSplats


def darker_egg() -> Avatar:
    plain = egg()
    face, *others = plain.meshes
    assert face.material.base_colour is not None
    pixels = (face.material.base_colour.pixels * 0.85).astype(np.uint8)
    material = replace(face.material, base_colour=Texture("albedo", pixels))
    return replace(plain, meshes=(replace(face, material=material), *others))


PLAIN = egg()
LOOK = look_at_egg(PLAIN, darker_egg())
STAGE = stage_avatar(PLAIN)
SOWN = sow_looks(STAGE, [LOOK], count=2000)
STATE = advance(begin(SOWN), SOWN, STAGE, [LOOK], NumbaSplats(), until=40, last=40)


def test_hidden_splats_are_as_dark_as_their_neighbours_and_fade_away_from_them() -> None:
    hidden = fill(PLAIN, LOOK, SOWN, cloud_of(STATE, SOWN), count=800)
    assert len(hidden.cloud.triangle) > 100
    assert hidden.frozen.all()
    mesh = np.median(SOWN.cloud.colour, axis=0)
    distance = KDTree(rest_places(STAGE, SOWN.cloud)).query(rest_places(STAGE, hidden.cloud))[0]
    near, far = distance < 0.01, distance > 0.04
    told = np.log(hidden.cloud.colour[near] / mesh)
    assert np.median(told) < -0.2  # 0.85 of an sRGB value is about 0.7 of the light
    assert np.median(hidden.cloud.opacity[near]) > 4 * np.median(hidden.cloud.opacity[far])


def test_what_is_seen_aslant_takes_its_neighbours_colour_and_learns_no_more() -> None:
    learnt = cloud_of(STATE, SOWN)
    odd = SOWN.confidence < 0.4
    stained = replace(learnt, colour=np.where(odd[:, None], np.float32([0.9, 0, 0]), learnt.colour).astype(np.float32))
    settled, cloud = settle(STAGE, SOWN, stained)
    square = SOWN.confidence > 0.7
    assert settled.frozen[odd].all()
    assert not settled.frozen[square].any()
    np.testing.assert_allclose(cloud.colour[square], stained.colour[square], rtol=1e-5)
    usual = np.median(learnt.colour[square], axis=0)
    assert np.abs(np.median(cloud.colour[odd], axis=0) - usual).max() < 0.05
