"""What three-vrm makes of a .vrm, beside what the avatar says. read_vrm.mjs gets FILE, REQUEST.json and a folder. The request:

    {"faces": [{"weights": {expression: weight}, "bones": {bone: [x, y, z, w]}}], "looks": [[yaw, pitch]], "swing": bool}

Degrees: yaw to the person's left, pitch down. It writes vrm.json and per mesh one file of little-endian float32 rows [vertices 3] in the
world, the model looking to +Z whatever the version: at rest, then one block per face.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from avatar3d.core.avatar import Avatar
from avatar3d.core.vrm import PRESETS, custom_expressions, preset_expressions

TOLERANCE_M = 1e-5
LOOKS = ((20.0, 0.0), (-20.0, 0.0), (0.0, 15.0), (0.0, -15.0), (60.0, 0.0))


@dataclass(frozen=True, eq=False)
class SeenVrm:
    """A .vrm through three-vrm's eyes."""

    told: dict[str, Any]
    rows: tuple[np.ndarray, ...]
    """Per mesh [1 + faces V 3], metres."""


def see_vrm(
    command: Sequence[str], file: Path, folder: Path, faces: Sequence[Mapping[str, Any]] = (), *, swing: bool = False
) -> SeenVrm:
    """Let three-vrm open `file` and make these faces."""
    folder.mkdir(parents=True, exist_ok=True)
    request = folder / "request.json"
    request.write_text(json.dumps({"faces": list(faces), "looks": LOOKS, "swing": swing}))
    done = subprocess.run([*command, str(file), str(request), str(folder)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"three-vrm did not load {file.name}: {done.stderr[-600:]}"
    told = json.loads((folder / "vrm.json").read_text())
    rows = tuple(
        np.fromfile(folder / mesh["file"], "<f4").reshape(1 + len(faces), mesh["vertices"], 3)
        for mesh in told["meshes"]
    )
    return SeenVrm(told, rows)


def expected_expressions(avatar: Avatar, *, of_0: bool) -> dict[str, np.ndarray]:
    """All expressions, and the weights [56] of shapes that each is made of, by the name that three-vrm gives it."""
    shapes = avatar.mesh("tongue").morph_names
    made = dict(preset_expressions()) | dict(custom_expressions("perfect-sync", tongue=len(shapes) > 52))
    weights = {name: np.array([each.weights.get(shape, 0.0) for shape in shapes]) for name, each in made.items()}
    return {name.capitalize() if of_0 and name == "surprised" else name: weight for name, weight in weights.items()}


def assert_expressions(avatar: Avatar, seen: SeenVrm, names: Sequence[str], *, of_0: bool) -> float:
    """Every expression moves every vertex as the avatar's shapes say; returns the worst error, metres."""
    expected = expected_expressions(avatar, of_0=of_0)
    assert len(PRESETS) == 18
    assert set(expected) == set(seen.told["expressions"])
    worst = 0.0
    for mesh, rows in zip(avatar.meshes, seen.rows, strict=True):
        for name, posed in zip(names, rows[1:], strict=True):
            way = (
                np.tensordot(expected[name][: len(mesh.morphs)], mesh.morphs.astype(np.float64), 1)
                if len(mesh.morphs)
                else 0.0
            )
            error = np.linalg.norm(posed.astype(np.float64) - (mesh.positions + way), axis=1)
            worst = max(worst, float(error.max()))
            assert error.max() < TOLERANCE_M, (
                f"{name} of {mesh.name}: vertex {int(error.argmax())} is off by {error.max():.2e} m"
            )
    return worst


def assert_bones(avatar: Avatar, seen: SeenVrm) -> None:
    """Each of the avatar's humanoid joints is the bone of its name."""
    from avatar3d.core.humanoid import PARENTS, REQUIRED

    there = {name for name in avatar.skeleton.names if name in PARENTS}
    assert set(REQUIRED) <= there
    assert set(seen.told["bones"]) == there
    for name, place in seen.told["bones"].items():
        expected = avatar.skeleton.positions[avatar.skeleton.names.index(name)]
        assert np.abs(expected - place).max() < TOLERANCE_M, f"the bone {name} is at {place}, expected {expected}"


def assert_looks(seen: SeenVrm) -> None:
    """Both eyes look where they are told: to a side up to 25 degrees, up and down two fifths of the way."""
    for (yaw, pitch), eyes in zip(LOOKS, seen.told["gazes"], strict=True):
        turn, down = np.deg2rad(np.clip(yaw, -25, 25)), np.deg2rad(0.4 * pitch)
        expected = np.array([np.sin(turn) * np.cos(down), -np.sin(down), np.cos(turn) * np.cos(down)])
        for eye in eyes:
            assert np.abs(eye - expected).max() < 1e-4, (
                f"asked for yaw {yaw} and pitch {pitch}, an eye looks along {eye}"
            )


def assert_springs(seen: SeenVrm) -> None:
    """Hair rests where it is, swings when the head tilts, and comes back."""
    springs = seen.told["springs"]
    assert springs["joints"] == 2, f"{springs['joints']} joints swing"
    assert springs["colliders"] >= 2
    assert springs["resting"] < 1e-3, f"hair drifts by {springs['resting']:.4f} m while nothing moves"
    assert springs["moving"] > 0.01, f"hair leaves its place by {springs['moving']:.4f} m when the head tilts"
    assert springs["after"] < 0.5 * springs["moving"]


def assert_first_person(avatar: Avatar, seen: SeenVrm) -> None:
    """The wearer sees the bust without the head: eyes, teeth and hair are hidden, the face mesh is cut."""
    types = {name: note["type"] for note in seen.told["annotations"] for name in note["meshes"]}
    assert types.pop("face") == "auto"
    assert set(types.values()) == {"thirdPersonOnly"}
    own = [part for part in seen.told["parts"] if part["layers"] & 1 << 9]  # three-vrm's layer of the first person
    assert [part["name"].removesuffix("(erase)") for part in own] == ["face"]
    assert 0 < own[0]["triangles"] < len(avatar.mesh("face").triangles)
