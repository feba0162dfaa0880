"""The animation of a GLB as engines that other people wrote play it.

Each player (animate_babylon.mjs, animate_three.mjs) gets FILE, REQUEST.json {"times": [seconds]} and a folder. It writes
animation.json {engine, duration, samples: [{weights: {node: {shape: weight}}, rotations: {joint: [w, x, y, z]}}]}.
"""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from avatar3d.formats.animation import save_animated_glb
from avatar3d.formats.gltf import save_glb
from avatar3d.formats.keyframes import ROTATION_ERROR_RAD, WEIGHT_ERROR
from tests.unit.formats.clips import talking_clip
from tests.unit.formats.test_animation import ALL_NAMES, egg, node_of, rotation_of

CLIP = talking_clip(1.0)
# Frames, so that what is meant is known without interpolating.
ASKED = CLIP.frames[1:60:7]
FLOAT = 1e-5


@pytest.fixture(params=["babylon", pytest.param("three", marks=pytest.mark.engine)])
def played(request: pytest.FixtureRequest, tmp_path: Path) -> dict:
    """What a player shows of the talking egg."""
    node, reader = request.getfixturevalue(request.param)
    file = save_animated_glb(save_glb(egg(), tmp_path / "egg.glb"), CLIP, tmp_path / "talking.glb")
    asked = tmp_path / "request.json"
    asked.write_text(json.dumps({"times": [frame.time_s for frame in ASKED]}))
    command = [node, reader.replace("read_", "animate_"), str(file), str(asked), str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-4000:]
    return json.loads((tmp_path / "animation.json").read_text())


def test_lasts_as_long_as_the_clip_and_shows_its_weights_and_turns(played: dict) -> None:
    assert played["duration"] == pytest.approx(1.0, abs=FLOAT)
    for frame, sample in zip(ASKED, played["samples"], strict=True):
        meant = dict(zip(ALL_NAMES, [*frame.weights, *frame.tongue], strict=True))
        for mesh in egg().meshes:
            for name, morph in zip(mesh.morph_names, mesh.morphs, strict=True):
                if morph.any():
                    shown = sample["weights"][node_of(mesh.name)][name]
                    assert abs(shown - meant[name]) <= WEIGHT_ERROR + FLOAT, (played["engine"], mesh.name, name)
        head = np.array(sample["rotations"]["head"], np.float32)
        assert (rotation_of(head).inv() * rotation_of(frame.head_wxyz)).magnitude() <= ROTATION_ERROR_RAD + FLOAT
        assert sample["rotations"]["jaw"] == [1, 0, 0, 0]
