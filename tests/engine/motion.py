"""What an engine makes of an avatar, beside what the avatar itself says.

Each reader (read_babylon.mjs, read_three.mjs, read_blender.py) gets FILE, REQUEST.json and a folder. The request:

    {"poses": [{"rotations": {joint: [w, x, y, z]}, "weights": {shape: weight}}]}        rotations are local, from rest

It writes motion.json {engine, meshes: [{name of the node, shapes, poses, vertices, file}]} and per mesh one file of little-endian
float32 rows [vertices 3] in the avatar's frame: the rest positions, one displacement per shape, one position per pose.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avatar3d.core.avatar import Avatar, Mesh, Skeleton
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.transforms import matrix_from_quaternion, quaternion_from_rotation_vector
from avatar3d.formats.glb import read_glb

TOLERANCE_M = 1e-6


@dataclass(frozen=True)
class Pose:
    """Joints turned by rotation vectors (radians) and shapes switched on."""

    rotations: Mapping[str, tuple[float, float, float]]
    weights: Mapping[str, float]

    def as_json(self) -> dict[str, object]:
        return {
            "rotations": {
                joint: quaternion_from_rotation_vector(np.array(turn, np.float32)).tolist()
                for joint, turn in self.rotations.items()
            },
            "weights": dict(self.weights),
        }


POSES = (
    Pose({"jaw": (0.3, 0.0, 0.0)}, {}),
    Pose({"head": (0.1, 0.4, -0.1), "leftEye": (0.1, 0.2, 0.0)}, {"jawOpen": 0.6, "eyeBlinkLeft": 1.0}),
)
"""One joint alone; then a chain of joints with shapes on."""


@dataclass(frozen=True, eq=False)
class SeenMesh:
    """One mesh through an engine's eyes, metres."""

    shapes: tuple[str, ...]
    rest: np.ndarray
    displacements: np.ndarray
    """[shapes V 3]."""
    posed: np.ndarray
    """[poses V 3]."""


@dataclass(frozen=True, eq=False)
class SeenAvatar:
    engine: str
    meshes: dict[str, SeenMesh]


def see(command: Sequence[str], file: Path, folder: Path, *, timeout_s: float = 240) -> SeenAvatar:
    """Let a reader open `file`."""
    folder.mkdir(parents=True, exist_ok=True)
    request = folder / "request.json"
    request.write_text(json.dumps({"poses": [pose.as_json() for pose in POSES]}))
    run = subprocess.run(
        [*command, str(file), str(request), str(folder)], capture_output=True, text=True, timeout=timeout_s
    )
    assert run.returncode == 0, f"{command} failed on {file.name}:\n{run.stdout[-2000:]}\n{run.stderr[-4000:]}"
    told = json.loads((folder / "motion.json").read_text())
    meshes = {} if file.suffix == ".fbx" else _names_of_nodes(file)
    return SeenAvatar(
        told["engine"],
        {
            meshes.get(mesh["name"], mesh["name"].removesuffix("Mesh")): _seen_mesh(mesh, folder)
            for mesh in told["meshes"]
        },
    )


def _names_of_nodes(file: Path) -> dict[str, str]:
    """Mesh by node; a web build's numbers are packed, its JSON is not."""
    document = read_glb(file, known=frozenset({"EXT_meshopt_compression", "EXT_texture_webp"}))
    return {
        node["name"]: document.items("meshes")[node["mesh"]]["name"]
        for node in document.items("nodes")
        if "mesh" in node
    }


def _seen_mesh(told: dict, folder: Path) -> SeenMesh:
    rows = np.fromfile(folder / told["file"], "<f4").reshape(-1, told["vertices"], 3)
    shapes = len(told["shapes"])
    assert len(rows) == 1 + shapes + told["poses"]
    return SeenMesh(tuple(told["shapes"]), rows[0], rows[1 : 1 + shapes], rows[1 + shapes :])


def assert_same_motion(avatar: Avatar, seen: SeenAvatar) -> None:
    """Every vertex of every mesh: at rest, under each shape, in each pose. AssertionError names the worst place."""
    assert set(seen.meshes) == {mesh.name for mesh in avatar.meshes}, f"{seen.engine} shows {sorted(seen.meshes)}"
    assert seen.meshes["face"].shapes == ARKIT_NAMES, f"{seen.engine}: face has the shapes {seen.meshes['face'].shapes}"
    for mesh in avatar.meshes:
        look = seen.meshes[mesh.name]
        assert look.shapes == mesh.morph_names, f"{seen.engine}: {mesh.name} has the shapes {look.shapes}"
        used = _seen_vertices(mesh, len(look.rest))
        _assert_close(look.rest, mesh.positions[used], f"{seen.engine}: {mesh.name} at rest")
        for name, displacement, expected in zip(mesh.morph_names, look.displacements, mesh.morphs, strict=True):
            _assert_close(displacement, expected[used], f"{seen.engine}: {mesh.name} {name}")
        for pose, posed in zip(POSES, look.posed, strict=True):
            _assert_close(
                posed, posed_positions(mesh, avatar.skeleton, pose)[used], f"{seen.engine}: {mesh.name} in {pose}"
            )


def worst_errors_m(avatar: Avatar, seen: SeenAvatar) -> dict[str, float]:
    """Largest distance of any vertex, metres, per kind of motion: for reports."""
    errors = {"rest": 0.0, "shapes": 0.0, "poses": 0.0}
    for mesh in avatar.meshes:
        look = seen.meshes[mesh.name]
        used = _seen_vertices(mesh, len(look.rest))
        posed = np.stack([posed_positions(mesh, avatar.skeleton, pose)[used] for pose in POSES])
        for kind, got, expected in (
            ("rest", look.rest, mesh.positions[used]),
            ("shapes", look.displacements, mesh.morphs[:, used]),
            ("poses", look.posed, posed),
        ):
            if got.size:
                errors[kind] = max(
                    errors[kind], float(np.linalg.norm(got - expected.astype(np.float64), axis=-1).max())
                )
    return errors


def _seen_vertices(mesh: Mesh, count: int) -> np.ndarray:
    """Blender drops vertices that no triangle uses; everybody keeps the order."""
    used = np.arange(len(mesh.positions)) if count == len(mesh.positions) else np.unique(mesh.triangles)
    assert len(used) == count, f"{mesh.name} has {count} vertices, expected {len(mesh.positions)}"
    return used


def _assert_close(got: np.ndarray, expected: np.ndarray, what: str) -> None:
    error = np.linalg.norm(got.astype(np.float64) - expected, axis=1)
    worst = int(np.argmax(np.where(np.isnan(error), np.inf, error)))
    assert error[worst] < TOLERANCE_M, f"{what}: vertex {worst} is off by {error[worst]:.3e} m"


def posed_positions(mesh: Mesh, skeleton: Skeleton, pose: Pose) -> np.ndarray:
    """Linear blend skinning after the shapes, in float64: glTF 2.0, section 3.7.3."""
    shaped = mesh.positions.astype(np.float64)
    for name, weight in pose.weights.items():
        if name in mesh.morph_names:
            shaped = shaped + weight * mesh.morphs[mesh.morph_names.index(name)].astype(np.float64)
    rest = skeleton.positions.astype(np.float64)
    turns: list[np.ndarray] = []
    places: list[np.ndarray] = []
    for joint, (name, parent) in enumerate(zip(skeleton.names, skeleton.parents.tolist(), strict=True)):
        quaternion = quaternion_from_rotation_vector(np.array(pose.rotations.get(name, (0, 0, 0)), np.float32))
        local = matrix_from_quaternion(quaternion).astype(np.float64)
        turns.append(local if parent < 0 else turns[parent] @ local)
        places.append(rest[joint] if parent < 0 else places[parent] + turns[parent] @ (rest[joint] - rest[parent]))
    moved = np.stack([(shaped - rest[joint]) @ turns[joint].T + places[joint] for joint in range(len(rest))])
    rows = np.arange(len(shaped))
    return sum(mesh.weights[:, slot, None].astype(np.float64) * moved[mesh.joints[:, slot], rows] for slot in range(4))
