"""Skins mix many sources, none of which comes back, and the model's file is trusted only when it is the one named."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.errors import ModelMissingError, ModelUntrustedError
from avatar3d.people import skin
from avatar3d.people.skin import draw_skin, load_skin_model
from tools.people import skins as builder

DATA = Path(skin.__file__).parent / "data"


@pytest.fixture(scope="module")
def sources() -> builder.Sources:
    """Twenty people of noise, as rough and as smooth as skin, each followed by the mirror image."""
    rng = np.random.default_rng(3)
    rows = []
    for _ in range(20):
        coarse = np.kron(rng.normal(0, 0.1, (16, 16, 1)), np.ones((16, 16, 1)))
        one = (coarse + rng.normal(0, 0.1, (256, 256, 1)) + np.zeros(3)).astype(np.float32)
        rows += [one, one[:, ::-1]]
    return builder.Sources(np.repeat(rng.normal(-1, 0.3, (20, 3)), 2, 0).astype(np.float32), np.array(rows))


def test_the_shipped_model_leads_back_to_no_source() -> None:
    measured = json.loads((DATA / "skin.json").read_text())["measured"]
    assert measured["draws"] >= 400
    assert measured["likest_source"]["greatest"] <= measured["likest_of_two_sources"]["greatest"]
    assert measured["likest_source"]["median"] <= measured["likest_of_two_sources"]["median"]
    assert measured["sources_mixed"]["least"] >= 8


def test_a_model_that_repeats_a_source_is_found_out(sources: builder.Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "DRAWS", 6)
    model, shares = builder.build(sources)
    one = sources.relative[4]
    still = np.zeros_like
    parrot = replace(model, smooth_mean=still(model.smooth_mean), smooth_modes=model.smooth_modes / 1000,
                     fine_mean=one, fine_modes=still(model.fine_modes))  # fmt: skip
    assert builder.measure(parrot, sources, shares)["likest_source"]["greatest"] > 0.95
    assert builder.measure(model, sources, shares)["likest_source"]["greatest"] < 0.8


def test_a_model_of_one_source_is_no_mixture(sources: builder.Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "DRAWS", 6)
    model, shares = builder.build(sources)
    assert builder.measure(model, sources, shares)["sources_mixed"]["least"] >= 8
    single = {part: np.where(np.arange(len(rows))[:, None] < 2, rows, 0) for part, rows in shares.items()}
    assert builder.measure(model, sources, single)["sources_mixed"]["least"] == pytest.approx(1)


def test_skins_have_all_tones_and_never_leave_the_range() -> None:
    rng = np.random.default_rng(0)
    made = [draw_skin(rng, load_skin_model()) for _ in range(40)]
    assert len({one.monk for one in made}) >= 7
    for one in made:
        assert 0 < one.albedo.min() <= one.albedo.max() < 1


def test_without_a_beard_the_skin_around_the_mouth_is_as_bright_as_the_cheeks() -> None:
    def shadow(*, bearded: bool) -> float:
        made = draw_skin(np.random.default_rng(4), load_skin_model(), bearded=bearded)
        rows = np.log(made.albedo[130:138, 114:142]).mean(), np.log(made.albedo[112:132, 70:86]).mean()
        return float(rows[0] - rows[1])

    assert abs(shadow(bearded=False)) < abs(shadow(bearded=True))


def test_a_model_that_is_absent_or_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError):
        load_skin_model(tmp_path)
    shutil.copytree(DATA, tmp_path / "data")
    path = tmp_path / "data/skin.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(ModelUntrustedError):
        load_skin_model(tmp_path / "data")
