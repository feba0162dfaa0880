"""Locks drawn hair by hair, their places in the picture, and the colour they take from the hair under them."""

import cv2
import numpy as np
import pytest

from avatar3d.hair.atlas import HIGH_PX, SHELL_PX, WIDE_PX, is_shell, on_shell, place_cells
from avatar3d.hair.finish import paint_picture
from avatar3d.hair.flow import HairFlow, measure_curl
from avatar3d.hair.locks import Locks
from avatar3d.hair.paint import HairPaint
from avatar3d.hair.relief import relief
from avatar3d.hair.scalp import Skull
from avatar3d.hair.segment import HairPicture
from avatar3d.hair.strands import FULL, LONG_PX, RIM, THIN, LockKind, draw_lock
from avatar3d.hair.texels import SIZE, finer

KINDS = [FULL] * 190 + [THIN] * 40 + [RIM] * 156


def lock(kind: LockKind, curl: float, seed: int = 1) -> np.ndarray:
    return draw_lock(kind, curl, np.random.default_rng(seed))


@pytest.mark.parametrize("curl", [0.0, 0.5, 1.0])
def test_a_lock_is_dense_in_its_middle_and_ends_hair_by_hair(curl: float) -> None:
    shown = np.mean([(lock(FULL, curl, seed)[..., 1] > 0.5).mean(1) for seed in range(8)], axis=0)
    middle, end = shown[int(0.3 * LONG_PX) : int(0.45 * LONG_PX)].mean(), shown[int(0.88 * LONG_PX) :].mean()
    assert middle > 0.55
    assert end < 0.4 * middle
    assert np.abs(np.diff(shown[LONG_PX // 3 :])).max() < 0.1  # no step toward the tip


def test_hairs_along_the_rim_begin_one_by_one_and_hide_little() -> None:
    shown = np.mean([(lock(RIM, 0.0, seed)[..., 1] > 0.5).mean(1) for seed in range(8)], axis=0)
    assert shown.max() < 0.75
    assert shown[: LONG_PX // 10].mean() < 0.3 * shown.max()


def test_curls_carry_hairs_from_side_to_side() -> None:
    def sideways(curl: float) -> float:
        alpha = np.stack([lock(THIN, curl, seed)[..., 1] for seed in range(8)])
        x = np.arange(THIN.wide_px)
        middle = (alpha * x).sum(2) / np.maximum(alpha.sum(2), 1e-6)
        part = middle[:, 10 : LONG_PX // 2]
        return float(np.abs(np.diff(part, axis=1)).mean())

    assert sideways(1.0) > 3 * sideways(0.0)


def test_every_lock_has_texels_of_its_own_beside_the_shell() -> None:
    cells = place_cells([kind.wide_px for kind in KINDS])
    taken = np.zeros((HIGH_PX, WIDE_PX), np.int32)
    taken[:, :SHELL_PX] = 1
    for kind, (top, left) in zip(KINDS, cells, strict=True):
        assert top + LONG_PX <= HIGH_PX
        assert left + kind.wide_px <= WIDE_PX
        taken[top : top + LONG_PX, left : left + kind.wide_px] += 1
    assert taken.max() == 1
    corners = on_shell(np.array([0.0, 1.0, 0.5]), np.array([0.0, 1.0, 1.2]))
    assert is_shell(corners).all()
    assert not is_shell((cells[:, ::-1] + 1) / (WIDE_PX, HIGH_PX)).any()


def two_coloured() -> HairPaint:
    """Hair that is red on the person's right and blue on the left, and wholly unseen."""
    colour = np.full((SIZE, SIZE, 3), -4.0, np.float32)
    colour[:, : SIZE // 2, 0] = -1
    colour[:, SIZE // 2 :, 2] = -1
    ones, zeros = np.ones((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.float32)
    shell = finer(np.concatenate([colour, ones[..., None]], axis=2))
    return HairPaint(shell, colour, 0.15, HairFlow(zeros, ones), ones, zeros, len(shell))


def stripes(places: list[float]) -> Locks:
    """Straight locks down the hair at these turns."""
    down = np.linspace(0.2, 0.6, FULL.steps)
    none = np.zeros((0, 3), np.float32)
    return Locks(
        none, none, np.zeros((0, 2), np.float32), np.zeros((0, 3), np.int32), (FULL,) * len(places),
        place_cells([FULL.wide_px] * len(places)),
        tuple(np.stack([np.full_like(down, u), down], axis=1) for u in places),
        tuple(np.tile([0.01, 0.0], (FULL.steps, 1)) for _ in places),
    )  # fmt: skip


def test_a_lock_takes_the_colour_of_the_hair_under_it() -> None:
    locks = stripes([0.25, 0.75, 1.25])  # the last one has walked once around
    pixels = paint_picture(two_coloured(), locks, 0.0).pixels
    for (top, left), channel in zip(locks.cells, (0, 2, 0), strict=True):
        cell = pixels[top : top + LONG_PX, left : left + FULL.wide_px].astype(int)
        assert cell[..., channel].mean() > cell[..., 2 - channel].mean() + 60
        assert cell[..., channel].std() > 4  # hairs differ


def test_the_same_hair_gives_the_same_picture() -> None:
    first, second = (paint_picture(two_coloured(), stripes([0.1, 0.6]), 0.4).pixels for _ in range(2))
    np.testing.assert_array_equal(first, second)


def photographed(brightness: np.ndarray) -> HairPicture:
    """Nothing but hair."""
    pixels = np.clip(brightness[..., None].repeat(3, axis=2), 0, 255).astype(np.uint8)
    whole = np.ones(brightness.shape, np.float32)
    skull = Skull(np.zeros(3), np.zeros(3), 0.064)
    return HairPicture(pixels, whole, whole, whole.astype(np.int32), np.zeros(3), np.eye(2, 3), skull)


def test_curl_is_disorder_that_the_photo_can_show() -> None:
    rng = np.random.default_rng(4)
    column = np.arange(200)[None]
    combed = photographed(120 + 50 * np.sin(column * 1.1) + 4 * rng.standard_normal((200, 200)))

    blots = cv2.GaussianBlur(rng.standard_normal((200, 200)), (0, 0), 1.8)
    curly = photographed(120 + 60 * blots / blots.std())
    assert measure_curl(combed, 100, hangs=True) < 0.1
    assert measure_curl(curly, 100, hangs=True) > 0.6
    assert measure_curl(curly, 40, hangs=True) == 0  # too small a face to tell
    drowned = photographed(20 + 1.0 * blots / blots.std())
    assert measure_curl(drowned, 100, hangs=True) == 0  # too black to tell


def test_hairs_lean_light_to_their_sides_and_a_plain_picture_is_flat() -> None:
    picture = np.full((HIGH_PX, WIDE_PX, 4), 90, np.uint8)
    plain = relief(picture).pixels
    assert (plain == [128, 128, 255]).all()
    picture[:, 100:103, :3] = 180  # one bright hair down the shell
    picture[:, 1500:1503, :3] = 180
    picture[600:, 1500:1503, 3] = 0  # and one in a lock that ends
    pixels = relief(picture).pixels.repeat(2, axis=0).astype(int)
    for column in (100, 1500):
        assert pixels[300, column - 1, 0] < 110  # its left side looks left
        assert pixels[300, column + 3, 0] > 146
    assert (pixels[602:, 1500:1503, 0] == 128).all()
    length = np.linalg.norm(pixels / 127.5 - 1, axis=2)
    assert np.abs(length - 1).max() < 0.02
