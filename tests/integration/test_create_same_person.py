"""Several photos of one person become one avatar; photos that cannot are refused by name."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from avatar3d.cli import main
from avatar3d.core.avatar import Avatar
from avatar3d.core.photo import Camera
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.formats.check import check_file
from avatar3d.formats.gltf import load_glb
from avatar3d.pipeline import CreateParams, Creation, Files, create_files, make_avatar
from avatar3d.render.preview import RenderParams, render_avatar
from avatar3d.training import export_nerfstudio


def photographed(avatar: Avatar, yaw_deg: float) -> np.ndarray:
    """The head turned to its left, a metre before the camera."""
    half = np.radians(yaw_deg) / 2
    rotation = np.array([0.0, np.cos(half), 0.0, np.sin(half)], np.float32)  # half a turn about x, after the yaw
    middle = np.array([0.0, -0.02, 0.0], np.float32)
    place = np.array([0.0, 0.0, 1.0], np.float32) - matrix_from_quaternion(rotation) @ middle
    camera = Camera(1500.0, np.array([240.0, 300.0], np.float32), 480, 600, rotation, place.astype(np.float32))
    return render_avatar(avatar, camera, params=RenderParams(samples=1, occlusion_rays=0))


@pytest.fixture(scope="module")
def photos(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Renders of Collins's avatar from the front and both sides."""
    folder, avatar = tmp_path_factory.mktemp("photos"), make_avatar(astronaut, CreateParams()).avatar
    paths = [folder / f"{name}.png" for name in ("front", "left", "right")]
    for path, yaw_deg in zip(paths, (0, 40, -40), strict=True):
        Image.fromarray(photographed(avatar, yaw_deg)).save(path)
    return paths


@pytest.fixture(scope="module")
def together(photos: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Files:
    return create_files(photos[0], tmp_path_factory.mktemp("out") / "front", CreateParams(), others=photos[1:])


def test_one_avatar_names_all_photos(photos: list[Path], together: Files) -> None:
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in photos]
    manifest = json.loads((together.folder / "manifest.json").read_text())
    assert [manifest["photo_sha256"], *manifest["others_sha256"]] == hashes
    assert load_glb(together.glb).extras["source"]["sha256"] == hashes
    assert not check_file(together.glb, khronos=False).failures
    assert (together.folder / "preview.png").exists()


def test_the_same_photos_give_the_same_bytes(photos: list[Path], together: Files, tmp_path: Path) -> None:
    again = create_files(photos[0], tmp_path / "front", CreateParams(report=False), others=photos[1:])
    for name in ("front.glb", "avatar.json"):
        assert (again.folder / name).read_bytes() == (together.folder / name).read_bytes(), name


def test_more_of_the_skin_is_seen_than_in_the_first_photo(photos: list[Path], together: Files) -> None:
    alone = make_avatar(photos[0], CreateParams(hair="none"))
    assert together.creation.skin.confidence.mean() > 1.2 * alone.skin.confidence.mean()


def test_the_command_line_joins_photos_only_when_asked(photos: list[Path], tmp_path: Path) -> None:
    words = ["create", *map(str, photos[:2]), "--same-person", "--no-report", "--hair", "none", "-o", str(tmp_path)]
    made = CliRunner().invoke(main, words)
    assert made.exit_code == 0, made.output
    assert [path.name for path in tmp_path.iterdir()] == ["front"]


@pytest.mark.parametrize(
    ("others", "exit_code", "id"),
    [
        ([], 2, "USAGE"),
        (["front.png"], 2, "USAGE"),
        (["nobody.png"], 13, "FACE_NONE"),
        (["absent.png"], 10, "FILE_MISSING"),
    ],
)
def test_what_cannot_be_joined_is_refused(
    others: list[str], exit_code: int, id: str, photos: list[Path], tmp_path: Path
) -> None:
    Image.new("RGB", (320, 240), (120, 160, 220)).save(photos[0].parent / "nobody.png")
    paths = [str(photos[0]), *(str(photos[0].parent / name) for name in others)]
    refused = CliRunner().invoke(main, ["create", *paths, "--same-person", "--json", "-o", str(tmp_path)])
    assert refused.exit_code == exit_code, refused.output
    told = json.loads(refused.stdout.splitlines()[-1])
    assert told["id"] == id
    if exit_code > 2:
        assert others[0] in told["file"]
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_for_nerfstudio_has_all_photos_from_where_they_were_taken(
    photos: list[Path], together: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(*_: object, **__: object) -> Creation:
        return together.creation  # as make_avatar makes it of the same photos

    monkeypatch.setattr("avatar3d.training.make_avatar", made)
    exported = export_nerfstudio(photos, tmp_path / "data")
    assert exported.photos == 3
    frames = json.loads((tmp_path / "data/transforms.json").read_text())["frames"]
    eyes = np.array([np.array(frame["transform_matrix"])[:3, 3] for frame in frames])
    yaws = np.degrees(np.arctan2(eyes[:, 0], eyes[:, 2]))
    np.testing.assert_allclose(np.abs(yaws - yaws[0]), [0, 40, 40], atol=6)
    assert yaws[1] * yaws[2] < 0  # one to each side
    for path, frame in zip(photos, frames, strict=True):
        np.testing.assert_array_equal(
            Image.open(tmp_path / "data" / frame["file_path"]), Image.open(path).convert("RGB")
        )
