"""Blender with the extension built, validated, installed and enabled, as a user has it; and steps that are told as JSON.

Runs in a Python that has bpy, never beside pytest.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp()  # before bpy: no settings of this user, none left behind
import bpy
import numpy as np

ROOT = Path(__file__).parents[3]
MODULE = "bl_ext.user_default.avatar3d"
told: dict[str, Any] = {"version": bpy.app.version_string}


def build(folder: Path) -> Path:
    """The zip, by Blender's own builder and validator. Raises with what they say."""
    cli = Path(bpy.utils.system_resource("SCRIPTS")) / "addons_core/bl_pkg/cli/blender_ext.py"
    out = folder / "avatar3d.zip"
    source = os.environ.get("AVATAR3D_ADDON", str(ROOT / "blender_addon"))
    for words in (["build", "--source-dir", source, "--output-filepath", str(out)], ["validate", str(out)]):
        ran = subprocess.run([sys.executable, str(cli), *words], capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(f"{words[0]}: {ran.stdout}{ran.stderr}")
    return out


def install(file: Path) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.extensions.package_install_files(filepath=str(file), repo="user_default", enable_on_install=True)
    bpy.context.preferences.addons[MODULE].preferences.command = os.environ["AVATAR3D_COMMAND"]


def house(name: str) -> Any:
    """A file of the extension."""
    return importlib.import_module(f"{MODULE}.{name}")


def wait(seconds: float = 240) -> str:
    """Until the job beside Blender is done: what the timer does where there is one. Gives what the panel says."""
    session = house("session")
    until = time.monotonic() + seconds
    while session.NOW.job is not None and time.monotonic() < until:
        session.poll()
        time.sleep(0.02)
    assert not session.NOW.failed, session.NOW.said
    return session.NOW.said


def poll_for(seconds: float) -> None:
    """The timer, for so long."""
    session, until = house("session"), time.monotonic() + seconds
    while time.monotonic() < until:
        session.poll()
        time.sleep(1 / 120)


def counts() -> dict[str, int]:
    """How many blocks of each kind the file holds."""
    kinds = ("objects", "meshes", "armatures", "materials", "images", "actions", "collections", "texts", "shape_keys",
             "node_groups", "cameras")  # fmt: skip
    return {kind: len(getattr(bpy.data, kind)) for kind in kinds}


def refused(call: Callable[..., Any], **words: Any) -> str:
    """What an operator says when it refuses."""
    try:
        call(**words)
    except RuntimeError as cause:
        return str(cause)
    return ""


def run(steps: list[Callable[[dict[str, Any]], Any]], asked: dict[str, Any], out: Path) -> None:
    """Each step in turn; a step that fails is told, and the next one runs all the same."""
    for step in steps:
        began = time.monotonic()
        try:
            told[step.__name__] = {"figures": step(asked), "seconds": round(time.monotonic() - began, 2)}
        except Exception:  # noqa: BLE001, whatever it was is told, and the journey goes on
            told[step.__name__] = {"failure": traceback.format_exc()}
    out.write_text(json.dumps(told, default=plain))
    sys.stdout.flush()
    os._exit(0)  # bpy does its work and then may not exit


def plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else str(value)
