"""The samples for Blender: sample 9 speaks, sample 10 follows it, records, and exports."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.formats.check import check_file
from avatar3d.formats.glb import read_glb
from avatar3d.formats.gltf import save_glb
from tests.engine.blender_pythons import blender_python
from tests.synthetic import synthetic_avatar

pytestmark = pytest.mark.engine
SAMPLES = Path(__file__).parents[2] / "samples"
SECONDS = 4


def test_what_is_said_in_sample_9_is_recorded_and_exported_by_sample_10(tmp_path: Path) -> None:
    python = blender_python()
    if python is None:
        pytest.skip("no Blender module: make .venv-bpy/bpy.stamp")
    avatar = save_glb(synthetic_avatar(), tmp_path / "egg.glb")
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path), "BLENDER_USER_RESOURCES": str(tmp_path / "blender")}
    words = [sys.executable, SAMPLES / "09_drive_blender.py", avatar]
    with subprocess.Popen(
        [*map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as speaking:
        try:
            address = speaking.stdout.readline().split(": ", 1)[1].strip()
            assert "#token=" in address
            out = tmp_path / "take.glb"
            following = subprocess.Popen(
                [str(python), str(SAMPLES / "10_record_and_export.py"), str(avatar), address, str(SECONDS), str(out)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
            )  # fmt: skip
            first = next(line for line in following.stdout if line.startswith("Following"))
            assert "connected" in first
            speaking.stdin.write("\n")
            speaking.stdin.flush()
            told, errors = following.communicate(timeout=120)
            assert following.returncode == 0, errors
            assert "It has spoken." in speaking.communicate(timeout=60)[0]
        finally:
            speaking.kill()
    assert "Wrote take.glb." in told
    recorded = int(told.split("Recorded ")[1].split()[0])
    assert 60 < recorded < 70 * SECONDS, "a busy machine may begin late"
    assert check_file(out, khronos=False).failures == ()
    jaw = jaw_of(out)
    assert len(jaw) == pytest.approx(recorded, abs=3)
    assert jaw.max() > 0.1, "the mouth opened"
    assert jaw.min() < 0.05, "and closed"


def jaw_of(file: Path) -> np.ndarray:
    """jawOpen of the face, frame by frame, in an animated GLB."""
    document = read_glb(file)
    (animation,) = document.items("animations")
    nodes = document.items("nodes")
    channel = next(
        each for each in animation["channels"]
        if each["target"]["path"] == "weights" and nodes[each["target"]["node"]]["name"] == "face"
    )  # fmt: skip
    accessor = document.items("accessors")[animation["samplers"][channel["sampler"]]["output"]]
    view = document.items("bufferViews")[accessor["bufferView"]]
    values = np.frombuffer(document.binary, "<f4", accessor["count"], view.get("byteOffset", 0))
    return values.reshape(-1, len(ARKIT_NAMES))[:, ARKIT_NAMES.index("jawOpen")]
