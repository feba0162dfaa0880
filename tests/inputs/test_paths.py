"""Row I64: whatever the path is, the picture is used or refused with exit 10, and nothing ever hangs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("skimage", reason="the corpus is made from scikit-image's portrait (extra `demo`)")

import recipes as make

from avatar3d.core.errors import LimitError, UnreadableError
from avatar3d.photo.load import MAX_FILE_BYTES, load_photo

NAMES = ["smile \N{GRINNING FACE}.jpg", "two words.jpg", "-rf.jpg", "a" * 200 + ".jpg", "line\nbreak.jpg", "né.JPEG"]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_opens_whatever_its_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(make.saved(make.collins()))
    photo = load_photo(path)
    assert photo.pixels.shape == (512, 512, 3)
    assert photo.name.isprintable()


def test_a_picture_opens_from_a_path_of_260_letters_and_more(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 30) / ("deep" * 30)
    folder.mkdir(parents=True)
    (folder / "anna.jpg").write_bytes(make.saved(make.collins()))
    assert len(str(folder)) > 260
    assert load_photo(folder / "anna.jpg").name == "anna"


def test_a_read_only_picture_opens(tmp_path: Path) -> None:
    path = tmp_path / "anna.jpg"
    path.write_bytes(make.saved(make.collins()))
    path.chmod(0o400)
    assert load_photo(path).name == "anna"


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.jpg")
    return folder / "pipe.jpg"


def _loop(folder: Path) -> Path:
    (folder / "a.jpg").symlink_to(folder / "b.jpg")
    (folder / "b.jpg").symlink_to(folder / "a.jpg")
    return folder / "a.jpg"


def _to_nowhere(folder: Path) -> Path:
    (folder / "a.jpg").symlink_to(folder / "gone.jpg")
    return folder / "a.jpg"


SPECIAL = {
    "pipe": (_pipe, "FILE_NOT_REGULAR"),
    "/dev/zero": (lambda _folder: Path("/dev/zero"), "FILE_NOT_REGULAR"),
    "folder": (lambda folder: folder, "FILE_NOT_REGULAR"),
    "symlink loop": (_loop, "FILE_UNREADABLE"),
    "symlink to nowhere": (_to_nowhere, "FILE_MISSING"),
    "missing": (lambda folder: folder / "gone.jpg", "FILE_MISSING"),
    "name too long": (lambda folder: folder / ("a" * 300 + ".jpg"), "FILE_UNREADABLE"),
    "NUL in the name": (lambda folder: folder / "a\0b.jpg", "FILE_UNREADABLE"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="pipes, devices and symlinks of Unix")
@pytest.mark.parametrize("what", list(SPECIAL))
def test_what_is_no_picture_file_is_refused_at_once(what: str, tmp_path: Path) -> None:
    prepare, error = SPECIAL[what]
    with pytest.raises(UnreadableError) as refused:
        load_photo(prepare(tmp_path))
    assert (refused.value.exit_code, refused.value.id) == (10, error)
    assert refused.value.message.isprintable()


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)  # sparse
    with pytest.raises(LimitError) as refused:
        load_photo(path)
    assert (refused.value.exit_code, refused.value.id) == (12, "IMG_FILE_TOO_LARGE")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices of Unix")
@pytest.mark.parametrize("what", ["pipe", "/dev/zero", "symlink loop"])
def test_the_command_does_not_hang_on_it_either(what: str, tmp_path: Path) -> None:
    path = SPECIAL[what][0](tmp_path)
    words = ["-m", "avatar3d", "create", "--json", str(path), "-o", str(tmp_path / "out")]
    ended = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, json.loads(ended.stdout)["id"]) == (10, SPECIAL[what][1])
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_the_command_takes_a_name_that_begins_with_a_dash(tmp_path: Path) -> None:
    (tmp_path / "-rf.jpg").write_bytes(make.saved(make.collins()[:40, :40]))
    words = ["-m", "avatar3d", "create", "--json", "-o", "out", "--", "-rf.jpg"]
    ended = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert ended.returncode == 15, ended.stderr  # the picture was opened: it is only too small
