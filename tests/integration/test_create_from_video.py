"""A short video of a turning head becomes one avatar: its best stills stand for photos."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import avatar3d
from avatar3d.cli import main
from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import SHAPE_INDEX
from avatar3d.core.photo import Camera, Photo
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.formats.check import check_file
from avatar3d.formats.gltf import load_glb
from avatar3d.photo.choose import choose_stills
from avatar3d.photo.video import Video
from avatar3d.pipeline import CreateParams, Files, create_files, make_avatar
from avatar3d.render.av import write_video
from avatar3d.render.preview import RenderParams, render_avatar

pytest.importorskip("av", reason='needs pip install "avatar3d[video]"')

RATE_HZ = 8
YAWS_DEG = (0, 0, 0, 12, 21, 32, 41, 30, 18, 6, -8, -19, -30, -41, -33, -20, -9)
FACES = {0: {"jawOpen": 0.5}, 1: {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}}
"""The third picture is the one to take from the front."""


def filmed(avatar: Avatar, index: int) -> np.ndarray:
    """One picture of the head, a metre before the camera."""
    half = np.radians(YAWS_DEG[index]) / 2
    rotation = np.array([0.0, np.cos(half), 0.0, np.sin(half)], np.float32)  # half a turn about x, after the yaw
    place = np.array([0.0, 0.0, 1.0]) - matrix_from_quaternion(rotation) @ np.array([0.0, -0.02, 0.0])
    camera = Camera(1500.0, np.array([240.0, 300.0], np.float32), 480, 600, rotation, place.astype(np.float32))
    weights = np.zeros(len(SHAPE_INDEX), np.float32)
    for name, weight in FACES.get(index, {}).items():
        weights[SHAPE_INDEX[name]] = weight
    return render_avatar(avatar, camera, weights=weights, params=RenderParams(samples=1, occlusion_rays=0))


@pytest.fixture(scope="module")
def turn(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Collins's avatar, turning its head to its left and then to its right."""
    avatar = make_avatar(astronaut, CreateParams()).avatar
    pictures = (filmed(avatar, index) for index in range(len(YAWS_DEG)))
    return write_video(pictures, tmp_path_factory.mktemp("film") / "turn.mp4", rate_hz=RATE_HZ)


@pytest.fixture(scope="module")
def made(turn: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    return create_files(Video(turn), tmp_path_factory.mktemp("out") / "turn", CreateParams())


def shown_at(photo: Photo) -> int:
    """Which picture of the video it is."""
    told = re.fullmatch(r"turn\.mp4 at (\d+\.\d\d) s", photo.file)
    assert told is not None
    return round(float(told[1]) * RATE_HZ)


def command(*words: object) -> Result:
    return CliRunner().invoke(main, ["create", *map(str, words)])


def test_the_front_comes_first_calm_and_both_sides_follow(turn: Path) -> None:
    front, *sides = choose_stills(turn)
    assert shown_at(front) == 2
    yaws = sorted(YAWS_DEG[shown_at(side)] for side in sides)
    np.testing.assert_allclose(yaws, [-41, -20, 20, 41], atol=3)
    assert front.warnings == ()
    assert {photo.sha256 for photo in (front, *sides)} == {hashlib.sha256(turn.read_bytes()).hexdigest()}


def test_the_avatar_names_the_video_once(turn: Path, made: Files) -> None:
    sha256 = hashlib.sha256(turn.read_bytes()).hexdigest()
    manifest = json.loads((made.folder / "manifest.json").read_text())
    assert (manifest["photo_sha256"], manifest["others_sha256"]) == (sha256, [])
    assert "load" in manifest["seconds"]
    assert not [stage for stage in manifest["seconds"] if "turn.mp4" in stage]
    assert load_glb(made.glb).extras["source"]["sha256"] == [sha256]
    assert not check_file(made.glb, khronos=False).failures
    assert (made.folder / "preview.png").exists()


def test_the_same_video_gives_the_same_bytes_from_python(turn: Path, made: Files, tmp_path: Path) -> None:
    avatar3d.create(turn, tmp_path, params=CreateParams(report=False))
    for name in ("turn.glb", "avatar.json"):
        assert (tmp_path / "turn" / name).read_bytes() == (made.folder / name).read_bytes(), name


def test_more_of_the_skin_is_seen_than_in_its_main_still(turn: Path, made: Files) -> None:
    alone = make_avatar(choose_stills(turn)[0], CreateParams(hair="none"))
    assert made.creation.skin.confidence.mean() > 1.2 * alone.skin.confidence.mean()


def test_a_video_may_stand_beside_photos(turn: Path, astronaut: Path, tmp_path: Path) -> None:
    result = command("--same-person", astronaut, turn, "--no-report", "--hair", "none", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    manifest = json.loads((tmp_path / "out" / "astronaut" / "manifest.json").read_text())
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (astronaut, turn)]
    assert [manifest["photo_sha256"], *manifest["others_sha256"]] == hashes


def test_one_video_alone_is_several_photos(turn: Path, tmp_path: Path) -> None:
    result = command("--same-person", turn, "--no-report", "--hair", "none", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "turn.mp4: 10 of 17 pictures" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["turn"]


def test_without_same_person_a_video_is_refused_with_the_cure(turn: Path, tmp_path: Path) -> None:
    result = command(turn, "--json", "-o", tmp_path / "out")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["id"]) == (11, "IMG_FORMAT")
    assert "avatar3d create --same-person VIDEO" in told["hint"]


@pytest.mark.parametrize(
    ("name", "exit_code", "id"),
    [("sky.mp4", 13, "FACE_NONE"), ("notes.mp4", 10, "VIDEO_NOT_A_VIDEO"), ("cut.mp4", 10, "VIDEO_CORRUPT")],
)
def test_a_video_that_cannot_be_used_is_refused_by_name(
    name: str, exit_code: int, id: str, turn: Path, astronaut: Path, tmp_path: Path
) -> None:
    path = tmp_path / name
    if name == "sky.mp4":
        write_video([np.full((240, 320, 3), (120, 160, 220), np.uint8)] * 5, path)
    else:
        path.write_bytes(b"Dear diary, " * 40 if name == "notes.mp4" else turn.read_bytes()[:-2000])
    result = command("--same-person", astronaut, path, "--json", "-o", tmp_path / "out")
    told = json.loads(result.stdout.splitlines()[-1])
    assert (result.exit_code, told["id"], told["file"]) == (exit_code, id, str(path))
    assert told["message"].startswith(f'"{name}"')
    assert not (tmp_path / "out").exists()


def test_a_video_given_twice_is_refused(turn: Path, tmp_path: Path) -> None:
    result = command("--same-person", turn, turn, "--json", "-o", tmp_path / "out")
    assert json.loads(result.stdout.splitlines()[-1])["message"] == '"turn.mp4" was given twice.'
