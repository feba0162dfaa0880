"""Rasterisers of Gaussians: fast ones say what the slow one says, values and gradients."""

import numpy as np
import pytest

from avatar3d.core.errors import UsageError
from avatar3d.core.photo import Camera
from avatar3d.core.splats import Gaussians
from avatar3d.core.transforms import quaternion_from_rotation_vector
from avatar3d.render.splats import Hiding, SplatRenderer, load_splat_renderer

pytest.importorskip("numba", reason="the default rasteriser of splats is compiled by numba (extra `film`)")

# Of the largest value of each array: single against double precision, through 60 layers of a wrapped ellipsoid.
TOLERANCE = 2e-4
FIELDS = ("mean", "rotation_wxyz", "scale", "colour", "opacity")


def some_gaussians(seed: int, count: int) -> Gaussians:
    rng = np.random.default_rng(seed)
    f4 = np.float32
    return Gaussians(
        mean=rng.uniform(-0.08, 0.08, (count, 3)).astype(f4),
        rotation_wxyz=rng.normal(size=(count, 4)).astype(f4),
        scale=rng.uniform(0.002, 0.02, (count, 3)).astype(f4),
        colour=rng.uniform(0, 1, (count, 3)).astype(f4),
        opacity=rng.uniform(0.02, 1, count).astype(f4),
    )


def some_camera() -> Camera:
    turn = quaternion_from_rotation_vector(np.float32([2.9, 0.3, -0.2]))
    return Camera(170.0, np.float32([26.3, 19.1]), 53, 41, turn, np.float32([0.01, -0.02, 0.6]))


def some_hiding() -> Hiding:
    depth = np.full((41, 53), np.inf, np.float32)
    depth[:, 20:] = 0.6
    return Hiding(depth, 0.004)


def agree(name: str, found: np.ndarray, expected: np.ndarray) -> None:
    largest = float(np.abs(expected).max())
    assert largest > 0, name
    np.testing.assert_allclose(found, expected, atol=TOLERANCE * largest, rtol=0, err_msg=name)


@pytest.mark.parametrize("hiding", [None, some_hiding()], ids=["in the open", "behind a surface"])
@pytest.mark.parametrize("seed", range(4))
def test_numba_draws_what_the_reference_draws_and_leads_back_the_same_way(seed: int, hiding: Hiding | None) -> None:
    pytest.importorskip("torch", reason="the reference is written in torch (extra `train`)")
    gaussians, camera = some_gaussians(seed, 120), some_camera()
    rng = np.random.default_rng(100 + seed)
    toward = rng.normal(size=(41, 53, 3)).astype(np.float32), rng.normal(size=(41, 53)).astype(np.float32)
    slow, fast = load_splat_renderer("reference"), load_splat_renderer("numba")
    expected, found = slow.draw(gaussians, camera, hiding), fast.draw(gaussians, camera, hiding)
    agree("colour", found.colour, expected.colour)
    agree("coverage", found.coverage, expected.coverage)
    back, reference = fast.gradients(found, *toward), slow.gradients(expected, *toward)
    for field in FIELDS:
        agree(field, getattr(back, field), getattr(reference, field))


def test_what_lies_behind_a_surface_is_hidden() -> None:
    gaussians, camera = some_gaussians(1, 200), some_camera()
    fast = load_splat_renderer("numba")
    wall = Hiding(np.full((41, 53), 0.3, np.float32), 0.004)
    assert fast.draw(gaussians, camera).coverage.max() > 0.9
    assert fast.draw(gaussians, camera, wall).coverage.max() == 0


def test_the_same_splats_give_the_same_bytes_on_one_thread_and_on_three() -> None:
    from avatar3d.render.splat_numba import NumbaSplats

    gaussians, camera = some_gaussians(2, 400), some_camera()
    toward = np.ones((41, 53, 3), np.float32), np.ones((41, 53), np.float32)
    results = []
    for renderer in (NumbaSplats(threads=1), NumbaSplats(threads=3)):
        drawn = renderer.draw(gaussians, camera)
        back = renderer.gradients(drawn, *toward)
        results.append([drawn.colour, drawn.coverage, *(getattr(back, field) for field in FIELDS)])
    for one, three in zip(*results, strict=True):
        np.testing.assert_array_equal(one, three)


def test_nothing_to_draw_is_an_empty_picture() -> None:
    nobody = some_gaussians(0, 0)
    for name in ("numba", "reference"):
        pytest.importorskip("torch")
        drawn = load_splat_renderer(name).draw(nobody, some_camera())
        assert drawn.coverage.shape == (41, 53)
        assert drawn.coverage.max() == 0


def test_a_renderer_is_chosen_by_name_and_never_replaced() -> None:
    assert isinstance(load_splat_renderer("numba"), SplatRenderer)
    with pytest.raises(UsageError, match="Choose one of"):
        load_splat_renderer("opengl")


def test_gsplat_without_cuda_says_so_and_is_not_replaced() -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is CUDA: gsplat's own agreement with the reference is a test for such a machine")
    with pytest.raises(UsageError, match="CUDA"):
        load_splat_renderer("gsplat")
