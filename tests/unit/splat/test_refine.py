"""Splats learn what the mesh lacks, stay where they belong, and do so twice alike."""

from dataclasses import replace

import numpy as np
import pytest

from avatar3d.core.splats import SplatCloud
from avatar3d.render.preview import render_linear
from avatar3d.render.stage import stage_avatar
from avatar3d.splat.bake import bake
from avatar3d.splat.draw import draw_with_splats
from avatar3d.splat.learn import advance, begin, cloud_of
from avatar3d.splat.loss import compare
from avatar3d.splat.refine import RefineParams, refine
from avatar3d.splat.sow import sow_looks
from tests.unit.splat.eggs import EXACT, camera_at, egg, look_at_egg

pytest.importorskip("numba", reason="the default rasteriser of splats is compiled by numba (extra `film`)")
from avatar3d.render.splat_numba import NumbaSplats

PLAIN, PAINTED = egg(), egg(painted=True)
LOOK = look_at_egg(PLAIN, PAINTED)
FEW = RefineParams(splats=2500, hidden=600, coarse_steps=30, fine_steps=30)
RENDERER = NumbaSplats()


@pytest.fixture(scope="module")
def cloud() -> SplatCloud:
    return refine(PLAIN, [LOOK], FEW, renderer=RENDERER)


def psnr_db(first: np.ndarray, second: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((first - second) ** 2)))


def from_side(avatar: object, cloud: SplatCloud | None, yaw_deg: float) -> np.ndarray:
    camera = camera_at(yaw_deg)
    if cloud is None:
        return render_linear(avatar, camera, light=LOOK.light, params=EXACT).colour  # type: ignore[arg-type]
    return draw_with_splats(avatar, cloud, camera, RENDERER, light=LOOK.light, params=EXACT).colour  # type: ignore[arg-type]


@pytest.mark.parametrize(("yaw_deg", "gain_db"), [(0, 4), (25, 2), (-25, 2)])
def test_splats_bring_the_paint_that_the_mesh_lacks(cloud: SplatCloud, yaw_deg: float, gain_db: float) -> None:
    truth = from_side(PAINTED, None, yaw_deg)
    before, after = from_side(PLAIN, None, yaw_deg), from_side(PLAIN, cloud, yaw_deg)
    assert psnr_db(after, truth) > psnr_db(before, truth) + gain_db


def test_what_no_look_shows_is_left_to_the_mesh_when_nothing_is_filled_in() -> None:
    bare = refine(PLAIN, [LOOK], replace(FEW, hidden=0), renderer=RENDERER)
    np.testing.assert_array_equal(from_side(PLAIN, bare, 180), from_side(PLAIN, None, 180))
    assert np.abs(from_side(PLAIN, bare, 0) - from_side(PLAIN, None, 0)).max() > 0.1


def test_skin_splats_stay_on_the_skin_in_their_triangles_and_flat(cloud: SplatCloud) -> None:
    assert np.abs(cloud.offset).max() <= 0.1 + 1e-6
    assert cloud.barycentric.min() >= 0
    np.testing.assert_allclose(cloud.barycentric.sum(axis=1), 1, atol=1e-5)
    assert cloud.scale.max() <= 0.6 + 1e-6
    assert (cloud.scale[:, 2] < cloud.scale[:, :2].min(axis=1)).all()


def test_the_same_look_gives_the_same_bytes_on_any_number_of_threads(cloud: SplatCloud) -> None:
    again = refine(PLAIN, [LOOK], FEW, renderer=NumbaSplats(threads=1))
    for name, values in vars(cloud).items():
        np.testing.assert_array_equal(getattr(again, name), values, err_msg=name)


def test_learning_that_was_broken_off_goes_on_to_the_same_bytes() -> None:
    stage, sown = stage_avatar(PLAIN), sow_looks(stage_avatar(PLAIN), [LOOK], count=800)
    whole = advance(begin(sown), sown, stage, [LOOK], RENDERER, until=12, last=20)
    half = advance(begin(sown), sown, stage, [LOOK], RENDERER, until=5, last=20)
    np.testing.assert_array_equal(advance(half, sown, stage, [LOOK], RENDERER, until=12, last=20).learnt, whole.learnt)
    assert not np.array_equal(half.learnt, whole.learnt)


def test_frozen_splats_learn_no_more() -> None:
    stage, sown = stage_avatar(PLAIN), sow_looks(stage_avatar(PLAIN), [LOOK], count=800)
    frozen = np.arange(len(sown.frozen)) % 3 == 0
    begun = advance(begin(sown), sown, stage, [LOOK], RENDERER, until=5, last=10)  # Adam has momentum by then
    state = advance(begun, replace(sown, frozen=frozen), stage, [LOOK], RENDERER, until=10, last=10)
    before, after = cloud_of(begun, sown), cloud_of(state, sown)
    np.testing.assert_array_equal(before.colour[frozen], after.colour[frozen])
    assert (before.colour[~frozen] != after.colour[~frozen]).any(axis=1).mean() > 0.5


def test_who_is_told_of_progress_may_end_it() -> None:
    told: list[str] = []

    def stop(words: str) -> None:
        told.append(words)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refine(PLAIN, [LOOK], FEW, renderer=RENDERER, progress=stop)
    assert told == ["  splats: 10 of 60 steps", "  splats: 20 of 60 steps"]


def test_a_second_look_teaches_what_the_first_cannot_see(cloud: SplatCloud) -> None:
    side = look_at_egg(PLAIN, PAINTED, yaw_deg=60)
    both = refine(PLAIN, [LOOK, side], FEW, renderer=RENDERER)
    truth = from_side(PAINTED, None, 75)
    assert psnr_db(from_side(PLAIN, both, 75), truth) > psnr_db(from_side(PLAIN, cloud, 75), truth) + 1


def test_the_slope_of_the_loss_is_that_of_its_differences() -> None:
    rng = np.random.default_rng(0)
    shape = LOOK.mesh_coverage.shape
    coverage = rng.uniform(0.1, 0.9, shape).astype(np.float32)
    colour = (rng.uniform(0.1, 0.9, (*shape, 3)) * coverage[..., None]).astype(np.float32)
    doubtful = replace(LOOK, empty=(rng.uniform(size=shape) < 0.3).astype(np.float32))
    _, to_colour, to_coverage = compare(colour, coverage, doubtful)
    for value, slope in ((colour, to_colour), (coverage, to_coverage)):
        step = (1e-3 * rng.normal(size=value.shape)).astype(np.float32)
        there, back = (
            compare(colour + sign * step, coverage, doubtful)[0]
            if value is colour
            else compare(colour, coverage + sign * step, doubtful)[0]
            for sign in (1, -1)
        )
        assert np.sum(slope.astype(np.float64) * step) == pytest.approx((there - back) / 2, rel=2e-2)


def test_baked_textures_show_the_paint_without_splats(cloud: SplatCloud) -> None:
    assert bake(PLAIN, cloud, LOOK, RENDERER).meshes == PLAIN.meshes  # an egg has no hair, and skin is left alone
    baked = bake(PLAIN, cloud, LOOK, RENDERER, skin=True)
    truth = from_side(PAINTED, None, 0)
    assert psnr_db(from_side(baked, None, 0), truth) > psnr_db(from_side(PLAIN, None, 0), truth) + 1
    np.testing.assert_array_equal(baked.meshes[0].positions, PLAIN.meshes[0].positions)
    assert baked.meshes[1] is PLAIN.meshes[1]
