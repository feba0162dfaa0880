"""A finished avatar is made over: what is named changes, what is not stays to the bit, and contacts hold."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar3d.cli import main
from avatar3d.core.avatar import Avatar, Texture
from avatar3d.core.errors import UsageError
from avatar3d.edit.colours import EYES, HAIR, MONK, parse_colour, parse_skin, scale_relief
from avatar3d.editing import EditParams, edit_files
from avatar3d.formats.check import check_file
from avatar3d.formats.gltf import load_glb
from avatar3d.head.load import load_head_model
from avatar3d.pipeline import CreateParams, create_files
from avatar3d.render.stage import LINEAR_FROM_SRGB
from avatar3d.report.record import FitRecord, record_as_json, record_from_json

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


@pytest.fixture(scope="module")
def collins(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of an avatar that was made as usual."""
    folder = tmp_path_factory.mktemp("edit") / "collins"
    return create_files(astronaut, folder, CreateParams(report=False)).folder / "avatar.json"


@pytest.fixture(scope="module")
def stranger(collins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of somebody of the model's population."""
    model = load_head_model()
    record = record_from_json(json.loads(collins.read_text()), model)
    identity = np.random.default_rng(7).normal(size=len(model.identity)).astype(np.float32)
    other = FitRecord(record.head, replace(record.fitted, identity=identity), record.light)
    path = tmp_path_factory.mktemp("stranger") / "avatar.json"
    path.write_text(json.dumps(record_as_json(other)))
    return path


def edited(collins: Path, out: Path, params: EditParams) -> Avatar:
    return load_glb(edit_files(collins, out / "collins", params))


def picture(avatar: Avatar, mesh: str) -> np.ndarray:
    texture = avatar.mesh(mesh).material.base_colour
    assert texture is not None
    return texture.pixels


def same_shape(one: Avatar, other: Avatar) -> bool:
    return all(
        np.array_equal(a.positions, b.positions) and np.array_equal(a.morphs, b.morphs)
        for a, b in zip(one.meshes, other.meshes, strict=True)
    )


def test_an_edit_that_names_nothing_changes_not_a_bit(collins: Path, tmp_path: Path) -> None:
    glb = edit_files(collins, tmp_path / "collins", EditParams())
    assert glb.read_bytes() == (collins.parent / "collins.glb").read_bytes()
    assert (glb.parent / "avatar.json").read_bytes() == collins.read_bytes()


def test_other_hair_is_other_hair_and_nothing_else(collins: Path, tmp_path: Path) -> None:
    before = load_glb(collins.parent / "collins.glb")
    after = edited(collins, tmp_path, EditParams(hair_color="black"))
    assert same_shape(before, after)
    for mesh in ("face", "eyeLeft"):
        np.testing.assert_array_equal(picture(after, mesh), picture(before, mesh))
    hair = picture(after, "hair")
    median = np.median(LINEAR_FROM_SRGB[hair[..., :3]][hair[..., 3] > 127], axis=0)
    np.testing.assert_allclose(median, parse_colour("black", HAIR), atol=0.01)
    np.testing.assert_array_equal(hair[..., 3], picture(before, "hair")[..., 3])


def test_darker_steps_of_the_scale_give_darker_skin_and_brows_stay(collins: Path, tmp_path: Path) -> None:
    before = picture(load_glb(collins.parent / "collins.glb"), "face")
    light = [float(np.median(LINEAR_FROM_SRGB[before] @ LUMINANCE))]
    for step in ("5", "7", "9"):
        after = edited(collins, tmp_path / step, EditParams(skin_tone=step))
        light.append(float(np.median(LINEAR_FROM_SRGB[picture(after, "face")] @ LUMINANCE)))
    assert np.all(np.diff(light) < 0)
    own = np.array([0.45, 0.3, 0.24], np.float32)
    steps = [float(parse_skin(str(step), own) @ LUMINANCE) for step in range(1, len(MONK) + 1)]
    assert max(steps) < 0.56
    assert min(steps) > 0.04


def test_other_eyes_have_another_iris_and_the_same_white(collins: Path, tmp_path: Path) -> None:
    before = picture(load_glb(collins.parent / "collins.glb"), "eyeLeft").astype(int)
    after = picture(edited(collins, tmp_path, EditParams(eye_color="blue")), "eyeLeft").astype(int)
    size = len(before)
    y, x = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    changed = np.abs(after - before).max(-1) > 12
    middle = np.hypot(x, y)[changed]
    assert 0.02 < changed.mean() < 0.25
    assert middle.max() < 0.3
    ring = changed & (np.hypot(x, y) < 0.8 * middle.max())
    colour = LINEAR_FROM_SRGB[after[ring].clip(0, 255)].mean(0)
    assert colour[2] > colour[0]
    assert parse_colour("blue", EYES)[2] > parse_colour("blue", EYES)[0]


@pytest.mark.parametrize("params", [EditParams(stylize=1.0), EditParams(age=40), EditParams(age=-20, skin_tone="3")])
def test_files_keep_their_promises_at_every_setting(params: EditParams, collins: Path, tmp_path: Path) -> None:
    glb = edit_files(collins, tmp_path / "collins", params)
    assert not check_file(glb).failures


def test_a_mix_lies_between_two_people_and_keeps_its_promises(collins: Path, stranger: Path, tmp_path: Path) -> None:
    before = load_glb(collins.parent / "collins.glb").mesh("face").positions
    half, most = (
        edit_files(collins, tmp_path / f"mix{share}", EditParams(mix=((stranger, share),))) for share in (0.4, 0.8)
    )
    assert not check_file(most).failures
    away = [float(np.linalg.norm(load_glb(glb).mesh("face").positions - before, axis=1).mean()) for glb in (half, most)]
    assert 0.001 < away[0] < 0.7 * away[1]
    # A record can be mixed again: it tells the shape it was given.
    again = record_from_json(json.loads((most.parent / "avatar.json").read_text()), load_head_model())
    face = load_glb(most).mesh("face").positions
    nearest = np.abs(again.fitted.neutral[:, None] - face[None, ::97]).sum(-1).min(0)
    assert np.median(nearest) < 2e-4


def test_hair_stays_on_the_head_it_grows_on(collins: Path, stranger: Path, tmp_path: Path) -> None:
    def stand_off(avatar: Avatar) -> np.ndarray:
        skin, hair = avatar.mesh("face").positions, avatar.mesh("hair").positions[::25]
        return np.linalg.norm(hair[:, None] - skin[None], axis=-1).min(1)

    before = stand_off(load_glb(collins.parent / "collins.glb"))
    after = stand_off(edited(collins, tmp_path, EditParams(mix=((stranger, 0.6),))))
    assert np.abs(after - before).mean() < 0.002


def test_relief_can_be_scaled_and_taken_away() -> None:
    leaning = Texture("normal", np.full((4, 4, 3), (160, 128, 250), np.uint8))
    flat, steep = scale_relief(leaning, 0.0).pixels[0, 0], scale_relief(leaning, 2.0).pixels[0, 0]
    assert tuple(flat) == (128, 128, 255)
    assert steep[0] > 180


@pytest.mark.parametrize(
    "params",
    [EditParams(hair_color="mauveish"), EditParams(skin_tone="11"), EditParams(eye_color="#12"), EditParams(stylize=2),
     EditParams(age=200), EditParams(age=float("nan")), EditParams(stylize=float("nan"))],
)  # fmt: skip
def test_values_that_cannot_be_are_refused_and_nothing_is_written(
    params: EditParams, collins: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError):
        edit_files(collins, tmp_path / "collins", params)
    assert not list(tmp_path.iterdir())


def test_the_command_makes_over_and_says_where(
    collins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["edit", str(collins), "-o", str(tmp_path), "--hair-color", "#6b4a2f"])
    assert left.value.code == 0
    assert (tmp_path / "collins-edited" / "collins-edited.glb").is_file()
    assert "collins-edited.glb" in capsys.readouterr().out
    for words, code in ((["--mix", "nobody.json=.3"], 10), (["--mix", "x=y"], 2)):
        with pytest.raises(SystemExit) as left:
            main(["edit", str(collins), "-o", str(tmp_path), *words])
        assert left.value.code == code
    lonely = tmp_path / "lonely" / "avatar.json"
    lonely.parent.mkdir()
    lonely.write_bytes(collins.read_bytes())
    with pytest.raises(SystemExit) as left:
        main(["edit", str(lonely), "-o", str(tmp_path)])
    assert left.value.code == 10
