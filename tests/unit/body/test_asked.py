"""What may be asked of a body, what is refused, and what a portrait is taken to say."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import avatar3d.body.model
from avatar3d.body.figure import Traits, find_figure
from avatar3d.body.give import BodyParams, check_body, give_body
from avatar3d.body.guess import guess_build
from avatar3d.body.model import load_body_model
from avatar3d.cli import main
from avatar3d.core.avatar import Skin, Texture
from avatar3d.core.errors import ModelMissingError, ModelUntrustedError, UsageError
from avatar3d.core.photo import FaceObservation, Light
from avatar3d.core.segments import Segments
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.photo.segment import segment_face
from avatar3d.pipeline import CreateParams, make_avatar
from tests.unit.body.bodies import mean_head

_DATA = Path(avatar3d.body.model.__file__).parent / "data"


@pytest.mark.parametrize(
    ("params", "option"),
    [
        (BodyParams("full", height_m=17.5), "--height"),
        (BodyParams("full", height_m=float("nan")), "--height"),
        (BodyParams("full", weight_kg=-3), "--weight"),
        (BodyParams("full", age_years=7), "--age"),
        (BodyParams("none", height_m=1.8), "--height"),
        (BodyParams("none", sex="male"), "--sex"),
    ],
)
def test_what_no_adult_has_is_refused(params: BodyParams, option: str) -> None:
    with pytest.raises(UsageError, match=option) as caught:
        check_body(params)
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_a_weight_that_does_not_go_with_the_height_is_refused_with_the_range() -> None:
    _, head, _ = mean_head()
    with pytest.raises(UsageError, match=r"from 5\d to 1\d\d kg for a body 1.75 m tall, got 200"):
        find_figure(load_body_model(), Traits(1.0, 40.0, 24.0, 1.75, 200.0), head.neutral, 0.145, 1.0)


@pytest.mark.parametrize(
    "words",
    [
        ["--body", "full", "--height", "9"],
        ["--height", "1.8"],
        ["--body", "full", "--draft"],
        ["--body", "whole"],
        ["--body", "full", "--sex", "yes"],
    ],
)
def test_the_command_line_refuses_them_too(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"no picture")
    with pytest.raises(SystemExit) as left:
        main(["create", str(photo), "-o", str(tmp_path / "out"), *words])
    assert left.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_splats_and_a_body_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="knows no body"):
        make_avatar(tmp_path / "a.jpg", CreateParams(refine="splat", body=BodyParams("full")))


@pytest.fixture(scope="module")
def seen(astronaut: Path) -> tuple[FaceObservation, Segments]:
    face = observe_face(load_photo(astronaut))
    return face, segment_face(face)


def _skin() -> Skin:
    grey = np.full((64, 64, 3), 180, np.uint8)
    light = Light(np.zeros((9, 3), np.float32))
    tone = np.array([0.4, 0.25, 0.2], np.float32)
    return Skin(Texture("face", grey), Texture("faceNormal", grey), np.ones((64, 64), np.float32), light, tone)


def test_a_portrait_says_woman_and_a_guess_is_called_one(
    seen: tuple[FaceObservation, Segments], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avatar3d.body.fabric._SIZES", {"shirt": 256, "trousers": 256, "shoes": 128})
    monkeypatch.setattr("avatar3d.body.skin._SIZE", 256)
    model, head, avatar = mean_head()
    face, segments = seen
    assert guess_build(model, head.neutral, face, segments).male == 0
    params = BodyParams("full", age_years=43)
    made = give_body(avatar, model, head.neutral, _skin(), face, segments, params)
    assert "--height" in made.remarks[0]
    assert "--age" not in made.remarks[0]
    assert any("MakeHuman" in line for line in made.avatar.extras["licences"])
    for name in ("shirt", "trousers", "shoes"):
        material = made.avatar.mesh(name).material
        assert material.base_colour is not None
        assert material.base_colour.pixels.std() > 0.3
    skin = made.avatar.mesh("body").material.base_colour
    assert skin is not None
    expected = np.median(_skin().albedo.pixels, axis=(0, 1))
    assert abs(np.median(skin.pixels, axis=(0, 1)) - expected).max() < 12  # the neck's colour, in all of the body


def test_without_a_body_the_avatar_is_the_one_that_was_given(seen: tuple[FaceObservation, Segments]) -> None:
    model, head, avatar = mean_head()
    assert give_body(avatar, model, head.neutral, _skin(), *seen, BodyParams()).avatar is avatar


def test_another_head_has_no_neck_for_our_body() -> None:
    with pytest.raises(UsageError, match="cut to its neck"):
        check_body(BodyParams("full"), "ict")


def test_a_missing_or_changed_body_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError):
        load_body_model.__wrapped__(tmp_path)
    for file in ("body.json", "body.safetensors"):
        shutil.copy(_DATA / file, tmp_path / file)
    content = bytearray((tmp_path / "body.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "body.safetensors").write_bytes(content)
    with pytest.raises(ModelUntrustedError, match="sha256"):
        load_body_model.__wrapped__(tmp_path)


def test_the_body_model_stays_small() -> None:
    assert (_DATA / "body.safetensors").stat().st_size < 3_000_000
    assert np.isfinite(load_body_model().forms).all()
