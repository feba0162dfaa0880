"""A GLB of ours through readers that know nothing of us (engines are in tests/engine)."""

import base64
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.formats.gltf import save_glb
from tests.synthetic import synthetic_avatar


def test_pygltflib_reads_the_same_displacements(tmp_path: Path) -> None:
    pygltflib = pytest.importorskip("pygltflib")
    avatar = synthetic_avatar()
    document = pygltflib.GLTF2().load(str(save_glb(avatar, tmp_path / "egg.glb")))
    binary = document.binary_blob()
    face = document.meshes[document.nodes[document.scenes[0].nodes[1]].mesh]
    assert face.extras["targetNames"] == list(ARKIT_NAMES)
    for target, expected in zip(face.primitives[0].targets, avatar.meshes[0].morphs, strict=True):
        accessor = document.accessors[target["POSITION"]]
        view = document.bufferViews[accessor.bufferView]
        rows = np.frombuffer(binary, "<f4", accessor.count * 3, view.byteOffset + (accessor.byteOffset or 0))
        np.testing.assert_array_equal(rows.reshape(-1, 3), expected)


def test_trimesh_opens_the_file(tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    avatar = synthetic_avatar()
    scene = trimesh.load_scene(save_glb(avatar, tmp_path / "egg.glb"))
    assert sum(len(part.faces) for part in scene.geometry.values()) == sum(len(m.triangles) for m in avatar.meshes)


def test_a_mesh_becomes_a_trimesh_with_the_same_vertices_and_uvs() -> None:
    face = synthetic_avatar().meshes[0]
    converted = face.to_trimesh()
    np.testing.assert_allclose(converted.vertices, face.positions)
    np.testing.assert_array_equal(converted.faces, face.triangles)
    np.testing.assert_allclose(converted.visual.uv, face.uvs * [1, -1] + [0, 1], atol=1e-6)


def test_the_file_holds_no_path_of_this_machine_and_no_time(tmp_path: Path) -> None:
    content = save_glb(synthetic_avatar(), tmp_path / "egg.glb").read_bytes()
    for secret in (str(tmp_path), str(Path.home()), "Exif", "exif", "GPS", "ICC_PROFILE", "tIME", "uuid"):
        assert secret.encode() not in content
        assert base64.b64encode(secret.encode()) not in content
