"""Setting up finds the right Python or says what to do; a skip counts as a failure where engines are promised."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.setup import system_packages

ROOT = Path(__file__).parents[3]
FIND_PYTHON = ROOT / "tools" / "setup" / "find_python.sh"
ON_POSIX = pytest.mark.skipif(os.name != "posix", reason="make and sh are for Linux and macOS")


def program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def python_of(version: str, *, venv: bool = True) -> str:
    """A stand-in for Python: tells its version, and whether it can make environments."""
    return f'case "$2" in *ensurepip*) exit {0 if venv else 1} ;; *) echo {version} ;; esac'


def find(folder: Path, *versions: str) -> subprocess.CompletedProcess[str]:
    """Look for Python as an ordinary user whose PATH is `folder`."""
    program(folder, "id", "echo 1000")
    (folder / "sed").symlink_to(shutil.which("sed") or "/bin/sed")
    command = ["/bin/sh", str(FIND_PYTHON), *versions]
    return subprocess.run(command, capture_output=True, text=True, env={"PATH": str(folder)})


@ON_POSIX
def test_a_shim_that_fails_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path, "python3.12", "exit 127")
    program(tmp_path, "python3.11", python_of("3.11"))
    assert find(tmp_path, "3.12", "3.11").stdout == "python3.11\n"


@ON_POSIX
def test_the_first_that_fits_is_taken(tmp_path: Path) -> None:
    program(tmp_path, "python3.12", python_of("3.12"))
    program(tmp_path, "python3.11", python_of("3.11"))
    assert find(tmp_path, "3.12", "3.11").stdout == "python3.12\n"


@ON_POSIX
def test_a_python3_of_another_version_does_not_fit(tmp_path: Path) -> None:
    program(tmp_path, "python3", python_of("3.13"))
    found = find(tmp_path, "3.12", "3.11")
    assert found.returncode == 1
    assert "needs Python 3.12 or 3.11" in found.stderr
    assert "apt-get install python3 python3-venv" in found.stderr


@ON_POSIX
def test_one_with_venv_is_preferred_to_one_without(tmp_path: Path) -> None:
    program(tmp_path, "python3.12", python_of("3.12", venv=False))
    program(tmp_path, "python3", python_of("3.11"))
    assert find(tmp_path, "3.12", "3.11").stdout == "python3\n"


@ON_POSIX
def test_a_missing_venv_module_is_named_with_its_cure(tmp_path: Path) -> None:
    program(tmp_path, "python3", python_of("3.11", venv=False))
    found = find(tmp_path, "3.12", "3.11")
    assert found.returncode == 1
    assert "sudo apt-get install python3.11-venv" in found.stderr


@pytest.mark.parametrize(("promised", "code"), [("", 0), ("1", 1)])
@pytest.mark.parametrize(
    "skip", ["def test_one():\n    pytest.skip('no Blender')", "pytest.skip('no Blender', allow_module_level=True)"]
)
def test_a_skip_is_a_failure_where_every_engine_is_promised(
    tmp_path: Path, promised: str, code: int, skip: str
) -> None:
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    (tmp_path / "tests" / "test_engine.py").write_text(f"import pytest\n{skip}\n")
    (tmp_path / "tests" / "test_other.py").write_text("def test_other():\n    pass\n")
    environment = os.environ | {"REQUIRE_ENGINES": promised}
    command = [sys.executable, "-m", "pytest", "-rA", "tests"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (run.returncode != 0) == bool(code), run.stdout
    assert "no Blender" in run.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux splits these libraries off")
def test_an_ordinary_user_gets_the_one_line_to_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(system_packages.LIBRARIES, "main", {"libnowhere.so.9": "libnowhere9", "libc.so.6": "libc6"})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert system_packages.main(["main"]) == 1
    assert "sudo apt-get install -y --no-install-recommends libnowhere9\n" in capsys.readouterr().out


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Debian's packages are known")
def test_training_asks_for_its_two_voices_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setitem(system_packages.FOLDERS, "train", {"/nowhere/kal_diphone": "festvox-kallpc16k"})
    assert system_packages.main(["train"]) == 1
    assert "install -y --no-install-recommends festival festvox-kallpc16k flite\n" in capsys.readouterr().out


def test_nothing_is_asked_for_when_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(system_packages.LIBRARIES, "main", {})
    assert system_packages.main(["main"]) == 0
