"""A Godot project made for one run: what Debian's godot3-server says, and what its script wrote."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WIRE = ROOT / "godot_bridge/addons/avatar3d/wire"
SCRIPTS = Path(__file__).parent / "godot"
COMMAND = "godot3-server"
PROJECT = "config_version=4\n"
_OF_THE_MACHINE = ("get_language_code", "core/translation.cpp", "set_locale", "Godot Engine v", "OpenGL")
"""What the server says of locale and itself, whatever it runs."""


def godot_project(folder: Path, files: Mapping[str, bytes] | None = None) -> Path:
    """A project of Godot 3.2 with the bridge's wire/ and these files."""
    if shutil.which(COMMAND) is None:
        pytest.skip(f"no Godot 3.2: apt-get install {COMMAND}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "project.godot").write_text(PROJECT)
    (folder / "wire").mkdir()
    for script in WIRE.glob("*.gd"):
        if "XRFaceTracker" not in script.read_text():  # Godot 4's
            shutil.copy(script, folder / "wire")
    for script in SCRIPTS.glob("*.gd"):
        shutil.copy(script, folder)
    for name, content in (files or {}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def start(project: Path, script: str) -> subprocess.Popen[str]:
    """Godot running a script, with a home of its own."""
    (project / ".home").mkdir(exist_ok=True)
    others = {name: word for name, word in os.environ.items() if not name.startswith("XDG_")}
    return subprocess.Popen(
        [COMMAND, "--path", str(project), "-s", script],
        env=others | {"HOME": str(project / ".home")}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def said(process: subprocess.Popen[str], *, timeout_s: float = 45) -> list[str]:
    """The lines it printed until its end, without those that it prints whatever it runs."""
    try:
        text, _ = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    return [line for line in text.splitlines() if line.strip() and not any(part in line for part in _OF_THE_MACHINE)]


def run(project: Path, script: str, *, timeout_s: float = 45) -> list[str]:
    """Run a script to its end, and give what it printed."""
    return said(start(project, script), timeout_s=timeout_s)
