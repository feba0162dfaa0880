"""Files are whole or not there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from avatar3d.core.durable import sweep_temporaries, write_atomically
from avatar3d.core.errors import DiskError


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_what_was_written_is_there_and_nothing_else(tmp_path: Path) -> None:
    path = write_atomically(tmp_path / "new folder" / "a.bin", b"abc")
    assert path.read_bytes() == b"abc"
    assert names_in(path.parent) == ["a.bin"]


def test_a_failed_write_leaves_the_old_file_and_no_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_atomically(tmp_path / "a.bin", b"old")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(DiskError, match="No space left") as caught:
        write_atomically(path, b"new")
    assert caught.value.exit_code == 40
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a.bin"]


def test_a_folder_in_the_way_is_a_disk_error(tmp_path: Path) -> None:
    (tmp_path / "a.glb").mkdir()
    with pytest.raises(DiskError):
        write_atomically(tmp_path / "a.glb", b"x")


def test_temporaries_of_the_dead_are_swept_and_those_of_the_living_kept(tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    left_over = tmp_path / f".a.glb.{int(dead.stdout)}.tmp"
    at_work = tmp_path / f".b.glb.{os.getpid()}.tmp"
    other = tmp_path / "notes.tmp"
    for path in (left_over, at_work, other):
        path.touch()
    assert sweep_temporaries(tmp_path) == [left_over]
    assert names_in(tmp_path) == sorted([at_work.name, other.name])


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a Unix thing")
def test_a_process_killed_while_writing_never_leaves_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    script = (
        "import sys; from avatar3d.core.durable import write_atomically\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    for letter in (b'a', b'b'): write_atomically(sys.argv[1], letter * 3_000_000)\n"
    )
    for delay in (0.02, 0.035, 0.05, 0.08):
        with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(delay)
            writer.kill()
        if path.exists():
            content = path.read_bytes()
            assert len(content) == 3_000_000
            assert len(set(content)) == 1
