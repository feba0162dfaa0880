import hashlib
import json
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


def test_a_second_run_replaces_the_whole_folder(tmp_path: Path) -> None:
    _publish(tmp_path / "anna", "old")
    (tmp_path / "anna" / "stray").write_text("?")
    _publish(tmp_path / "anna", "new")
    assert sorted(path.name for path in (tmp_path / "anna").iterdir()) == ["a.txt", "manifest.json"]
    assert (tmp_path / "anna" / "a.txt").read_text() == "new"


def test_what_a_killed_run_left_is_put_right(tmp_path: Path) -> None:
    dead_pid = 2**22 + 1  # above Linux' largest pid
    (tmp_path / f".anna.{dead_pid}.old").mkdir()
    (tmp_path / f".anna.{dead_pid}.old" / "a.txt").write_text("kept")
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
