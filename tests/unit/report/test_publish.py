import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from avatar3d.core.errors import DiskError
from avatar3d.report.publish import publishing, write_manifest


def _publish(target: Path, content: str) -> None:
    with publishing(target) as fresh:
        (fresh / "a.txt").write_text(content)
        write_manifest(fresh, {"version": 1})


def test_a_finished_folder_appears_whole_with_its_manifest(tmp_path: Path) -> None:
    _publish(tmp_path / "anna", "hello")
    manifest = json.loads((tmp_path / "anna" / "manifest.json").read_text())
    assert manifest["files"]["a.txt"] == {"bytes": 5, "sha256": hashlib.sha256(b"hello").hexdigest()}
    assert [path.name for path in tmp_path.iterdir()] == ["anna"]


def test_a_failed_run_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    _publish(tmp_path / "anna", "old")
    with pytest.raises(KeyboardInterrupt), publishing(tmp_path / "anna") as fresh:
        (fresh / "a.txt").write_text("half")
        raise KeyboardInterrupt
    assert (tmp_path / "anna" / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["anna"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_a_failed_run_takes_the_folders_away_that_it_made(tmp_path: Path, stop: type[BaseException]) -> None:
    (tmp_path / "before").mkdir()
    with pytest.raises(stop), publishing(tmp_path / "before" / "new" / "deep" / "anna") as fresh:
        (fresh / "a.txt").write_text("half")
        raise stop
    assert [path.name for path in tmp_path.iterdir()] == ["before"]
    assert list((tmp_path / "before").iterdir()) == []


def test_folders_above_one_that_cannot_be_made_go_too(tmp_path: Path) -> None:
    with pytest.raises(DiskError), publishing(tmp_path / "new" / ("a" * 400) / "anna"):
        pytest.fail("the work began")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_it_made_stays_when_another_run_uses_it(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), publishing(tmp_path / "out" / "anna"):
        _publish(tmp_path / "out" / "bob", "done")
        raise RuntimeError
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["bob"]


def test_a_second_run_replaces_the_whole_folder(tmp_path: Path) -> None:
    with publishing(tmp_path / "anna") as fresh:
        (fresh / "gone.txt").write_text("old")
        write_manifest(fresh, {})
    _publish(tmp_path / "anna", "new")
    assert sorted(path.name for path in (tmp_path / "anna").iterdir()) == ["a.txt", "manifest.json"]
    assert (tmp_path / "anna" / "a.txt").read_text() == "new"


@pytest.mark.parametrize("finished", [True, False])
def test_a_folder_with_the_users_own_files_is_left_alone(tmp_path: Path, finished: bool) -> None:
    if finished:
        _publish(tmp_path / "anna", "ours")
    (tmp_path / "anna").mkdir(exist_ok=True)
    (tmp_path / "anna" / "notes.txt").write_text("precious")
    before = sorted(path.name for path in (tmp_path / "anna").iterdir())
    with pytest.raises(DiskError, match=r"notes\.txt") as caught, publishing(tmp_path / "anna"):
        pytest.fail("the work began")
    assert (caught.value.exit_code, caught.value.id) == (40, "DISK_OCCUPIED")
    assert sorted(path.name for path in (tmp_path / "anna").iterdir()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["anna"]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "anna").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(DiskError), publishing(tmp_path / "anna"):
        pytest.fail("the work began")
    assert (tmp_path / "anna").is_symlink()


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "anna").mkdir()
    _publish(tmp_path / "anna", "new")
    assert (tmp_path / "anna" / "a.txt").read_text() == "new"


def test_what_a_killed_run_left_is_put_right(tmp_path: Path) -> None:
    dead_pid = 2**22 + 1  # above Linux' largest pid
    _publish(tmp_path / "anna", "kept")
    (tmp_path / "anna").rename(tmp_path / f".anna.{dead_pid}.old")
    (tmp_path / f".anna.{dead_pid}.new").mkdir()
    with pytest.raises(RuntimeError), publishing(tmp_path / "anna"):
        raise RuntimeError
    assert (tmp_path / "anna" / "a.txt").read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["anna"]


def test_a_folder_that_cannot_be_made_is_a_disk_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DiskError) as caught, publishing(tmp_path / "file" / "anna"):
        pass
    assert caught.value.exit_code == 40
    assert caught.value.hint == "No folder can be made at that path; choose another."


def test_a_name_too_long_for_the_disk_is_a_disk_error(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match=r"too long|cannot find|syntax") as caught, publishing(tmp_path / ("a" * 400)):
        pytest.fail("the work began")
    assert caught.value.hint == "No folder can be made at that path; choose another."


@pytest.mark.parametrize(
    ("refusal", "advice"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EROFS, "you may write to"),
        (errno.EACCES, "you may write to"),
        (errno.ENOENT, "No folder can be made"),
        (errno.ENOTDIR, "No folder can be made"),
        (errno.EIO, "Check the disk"),
    ],
)
def test_the_advice_fits_what_the_disk_refused(refusal: int, advice: str, tmp_path: Path) -> None:
    with pytest.raises(DiskError, match=os.strerror(refusal)) as caught, publishing(tmp_path / "anna"):
        raise OSError(refusal, os.strerror(refusal))
    assert advice in caught.value.hint
    assert ("space" in caught.value.hint) == (refusal == errno.ENOSPC)
    assert list(tmp_path.iterdir()) == []
