"""The Blender extension as a zip, and what a Blender is asked to do with it."""

import stat
import sys
import zipfile
from pathlib import Path

import pytest

from avatar3d.core.errors import Avatar3dError, UsageError
from avatar3d.formats.blender import Blender
from avatar3d.formats.blender_extension import install_extension, pack_extension

ADDON = Path(__file__).parents[3] / "blender_addon"


def test_the_same_folder_gives_the_same_bytes_and_nothing_that_was_compiled(tmp_path: Path) -> None:
    one, other = pack_extension(ADDON, tmp_path / "a"), pack_extension(ADDON, tmp_path / "b")
    assert one.read_bytes() == other.read_bytes()
    names = zipfile.ZipFile(one).namelist()
    assert {"blender_manifest.toml", "LICENSE", "__init__.py", "data/topology.npz", "operators/__init__.py"} <= set(
        names
    )
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert [each.name for each in (tmp_path / "a").iterdir()] == ["avatar3d-0.1.0.zip"]


def stub(folder: Path, code: int) -> Blender:
    """A Blender that writes down what it was asked."""
    program = folder / "blender"
    program.write_text(f"#!/bin/sh\necho \"$@\" > {folder}/asked\necho 'no room' >&2\nexit {code}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Blender(str(program), ADDON / "shell.py")


def test_blender_is_asked_to_install_and_enable(tmp_path: Path) -> None:
    install_extension(stub(tmp_path, 0), tmp_path / "x.zip")
    words = "--command extension install-file --repo user_default --enable"
    assert (tmp_path / "asked").read_text().strip() == f"{words} {tmp_path / 'x.zip'}"


def test_a_refusal_and_a_python_are_told(tmp_path: Path) -> None:
    with pytest.raises(Avatar3dError, match="no room"):
        install_extension(stub(tmp_path, 1), tmp_path / "x.zip")
    with pytest.raises(UsageError, match="bpy"):
        install_extension(Blender(sys.executable, ADDON / "shell.py"), tmp_path / "x.zip")


def test_the_verb_packs_it(tmp_path: Path) -> None:
    from avatar3d.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["blender", "build", "-o", str(tmp_path), "--json"])
    assert ended.value.code == 0
    assert (tmp_path / "avatar3d-0.1.0.zip").is_file()
