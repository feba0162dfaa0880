"""From a photo to a head in Blender, with pins on it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine.blender_pythons import blender_python

pytestmark = pytest.mark.engine
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def told(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    python = blender_python()
    if python is None:
        pytest.skip("no Blender module: make .venv-bpy/bpy.stamp")
    folder = tmp_path_factory.mktemp("photo")
    photo = shutil.copyfile(astronaut, folder / "eileen.png")
    (folder / "request.json").write_text(json.dumps({"photo": str(photo), "folder": str(folder / "out")}))
    environment = os.environ | {"AVATAR3D_COMMAND": str(Path(sys.executable).with_name("avatar3d"))}
    words = [python, HERE / "blender/photo.py", folder / "request.json", folder / "out.json"]
    ran = subprocess.run([*map(str, words)], env=environment, capture_output=True, text=True, timeout=600)
    assert (folder / "out.json").is_file(), ran.stderr[-2000:]
    return json.loads((folder / "out.json").read_text())


def figures(told: dict[str, Any], step: str) -> Any:
    assert "failure" not in told[step], told[step]["failure"]
    return told[step]["figures"]


def test_a_photo_is_opened_without_blocking_blender(told: dict[str, Any]) -> None:
    seen = figures(told, "open_a_photo")
    assert seen["returned_s"] < 0.5
    assert "still running" in seen["busy"]
    assert (seen["name"], seen["shown"], seen["packed"]) == ("eileen", True, True)
    assert seen["picture"] == seen["render"] == [512, 512]
    assert "58 pins" in seen["said"]


def test_the_camera_stands_where_the_photographer_stood(told: dict[str, Any]) -> None:
    """Blender's own projection puts every pin on its landmark, and the head below it."""
    seen = figures(told, "pins_lie_on_their_landmarks")
    assert seen["pins"] == 58
    assert seen["off_px"] < 0.01
    assert seen["read_back_px"] < 0.01
    assert seen["chin_px"] < 6


def test_a_dragged_pin_moves_the_head_and_undo_takes_it_back(told: dict[str, Any]) -> None:
    seen = figures(told, "fit_to_a_dragged_pin")
    assert "No pin was moved" in seen["nothing"]
    assert [pin["landmark"] for pin in seen["pins"]["pins"]] == [152]
    assert "--draft" in seen["words"]
    assert seen["same_count"]
    assert 0.5 < seen["moved_mm"] < 20
    assert seen["chin_mm"] < -0.3, "the chin went down with its pin"
    assert seen["source"], "the file kept in the .blend is the new one"
    assert seen["faults"] == []
    assert seen["undone"]


def test_another_photo_is_refused(told: dict[str, Any]) -> None:
    assert "is not the photo" in figures(told, "another_photo_is_refused")


def test_a_photo_placed_again_adds_nothing_and_removing_leaves_nothing(told: dict[str, Any]) -> None:
    seen = figures(told, "place_pins_anew_and_remove_all")
    assert seen["after"] == seen["before"]
    assert {kind for kind, count in seen["left"].items() if count} == {"images"}, "the wrong photo of the test before"
    assert seen["left"]["images"] == 1
