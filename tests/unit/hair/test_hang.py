"""Hair that hangs: where its edge toward the face lies, and its waves, on painted pictures whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from avatar3d.hair.atlas import HIGH_PX, LINING_PX, SHELL_PX
from avatar3d.hair.hang import FRONT_LEVELS, Hang, measure_hang
from avatar3d.hair.segment import segment_hair
from avatar3d.hair.shell import build_shell, sample_meridians
from avatar3d.hair.style import measure_style
from tests.unit.hair.test_hair import BROWN, SIZE, Sitter, grown, sitter
from tests.unit.hair.test_segments import seen


def hanging(who: Sitter, hair: np.ndarray) -> Hang:
    picture = segment_hair(who.model, who.fitted, who.face, seen(who, hair))
    found = measure_hang(picture, who.fitted, sample_meridians(who.model, who.fitted, picture.skull))
    assert found is not None
    return found


def with_hair(who: Sitter, hair: np.ndarray, light: np.ndarray | None = None) -> Sitter:
    pixels = who.face.photo.pixels.copy()
    colour = np.tile(np.array(BROWN, np.float32), (SIZE, SIZE, 1))
    pixels[hair] = np.clip(colour * (1 if light is None else light[..., None]), 0, 255)[hair]
    return replace(who, face=replace(who.face, photo=replace(who.face.photo, pixels=pixels)))


def test_hair_before_one_cheek_hangs_further_round_on_that_side_only() -> None:
    who = sitter("long")
    eyes_y = who.face.landmarks_px[[33, 263], 1].mean()
    left_cheek_x = who.face.landmarks_px[280, 0]
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    before = (x > left_cheek_x) & (x < left_cheek_x + 40) & (y > eyes_y - 30) & (y < 330)
    usual = hanging(who, who.painted)
    covered = hanging(with_hair(who, before | who.painted), who.painted | before)
    np.testing.assert_allclose(covered.front_deg[0], usual.front_deg[0], atol=3)
    assert (covered.front_deg[1] < usual.front_deg[1] - 10).all()
    assert (covered.front(True, FRONT_LEVELS) < covered.front(False, FRONT_LEVELS)).all()


@pytest.mark.parametrize(("sway_px", "least_m", "most_m"), [(0.0, 0.0, 0.0008), (5.0, 0.002, 0.006)])
def test_only_streaks_that_sway_make_waves(sway_px: float, least_m: float, most_m: float) -> None:
    who = sitter("long")
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    light = 1 + 0.5 * np.sin((x + sway_px * np.sin(2 * np.pi * y / 40)) / 1.3)
    found = hanging(with_hair(who, who.painted, light), who.painted)
    assert least_m <= found.wave_m <= most_m


def test_waves_swing_what_hangs_and_leave_the_crown() -> None:
    who = sitter("long")
    picture = segment_hair(who.model, who.fitted, who.face, seen(who, who.painted))
    style = measure_style(picture, who.fitted, sample_meridians(who.model, who.fitted, picture.skull))
    assert style.hang is not None
    straight, waved = (
        build_shell(who.model, who.fitted, replace(style, hang=replace(style.hang, wave_m=wave))) for wave in (0, 0.004)
    )
    moved = np.linalg.norm(waved.points - straight.points, axis=2)
    assert moved[: straight.curtain_from // 2].max() < 1e-6
    assert 0.003 < moved[-1].max() < 0.008


def test_the_inner_side_of_hanging_hair_lies_in_its_shadow_and_short_hair_has_none() -> None:
    short, long = grown("short"), grown("long")
    assert long.material.base_colour is not None
    picture = np.asarray(long.material.base_colour.pixels, np.float32)
    strip_v = 1 - LINING_PX / HIGH_PX
    inner = np.flatnonzero((long.uvs[:, 1] > strip_v) & (long.uvs[:, 0] > 0.5))
    assert len(inner) > 100
    assert not ((short.uvs[:, 1] > strip_v) & (short.uvs[:, 0] > 0.5)).any()
    outward = long.positions[inner] - long.positions.mean(0)
    assert (np.sum(outward * long.normals[inner], axis=1) < 0).mean() > 0.9
    inside, outside = picture[-LINING_PX:, SHELL_PX:], picture[:, :SHELL_PX]
    levels = [np.median(part[part[..., 3] > 250][:, :3]) for part in (inside, outside)]
    assert levels[0] < 0.8 * levels[1]
