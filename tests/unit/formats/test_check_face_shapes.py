"""`check` judges each shape on the face mesh itself: teeth, lashes, tongue and eyes cannot stand in for the skin."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.formats.check import check_file
from avatar3d.formats.finding import Finding
from avatar3d.formats.gltf import save_glb
from avatar3d.formats.promises import check_promises
from tests.synthetic import synthetic_avatar


def with_face_shape_scaled(name: str, factor: float, *, lining: bool = False) -> Avatar:
    """The egg whose face moves by `factor` of what it should; with `lining` another mesh still moves in its place."""
    avatar = synthetic_avatar()
    face = avatar.meshes[0]
    morphs = face.morphs.copy()
    morphs[ARKIT_INDEX[name]] *= factor
    others = (replace(face, name="mouth"), *avatar.meshes[1:]) if lining else avatar.meshes[1:]
    return replace(avatar, meshes=(replace(face, morphs=morphs), *others))


def failures(avatar: Avatar) -> list[Finding]:
    return [finding for finding in check_promises(avatar) if finding.level == "fail"]


@pytest.mark.parametrize("name", ARKIT_NAMES)
def test_a_shape_that_is_dead_on_the_face_alone_fails_though_another_mesh_moves(name: str) -> None:
    avatar = with_face_shape_scaled(name, 0, lining=True)
    (fault,) = [finding for finding in failures(avatar) if finding.check == "shapes"]
    assert fault.where == name
    assert "the face mesh itself by 0.000 mm" in fault.reason


@pytest.mark.parametrize("name", ["jawOpen", "mouthClose", "eyeBlinkLeft", "mouthSmileLeft", "eyeLookOutRight"])
def test_a_shape_that_hardly_moves_the_face_fails(name: str) -> None:
    assert name in [finding.where for finding in failures(with_face_shape_scaled(name, 0.1, lining=True))]


def test_a_face_of_three_fifths_the_usual_motion_passes() -> None:
    avatar = synthetic_avatar()
    face = replace(avatar.meshes[0], morphs=avatar.meshes[0].morphs * np.float32(0.6))
    assert failures(replace(avatar, meshes=(face, *avatar.meshes[1:]))) == []


def test_a_jaw_that_parts_no_lips_fails() -> None:
    faults = failures(with_face_shape_scaled("jawOpen", 0))
    assert [finding.where for finding in faults if finding.check == "lips"] == ["face"]


def test_a_file_whose_bytes_of_one_face_shape_were_zeroed_fails(tmp_path: Path) -> None:
    path = save_glb(synthetic_avatar(), tmp_path / "egg.glb", lossless_textures=True)
    assert check_file(path, khronos=False).ok
    path.write_bytes(_with_face_target_zeroed(path.read_bytes(), "eyeBlinkLeft"))
    faults = [finding for finding in check_file(path, khronos=False).failures if finding.check == "shapes"]
    assert [finding.where for finding in faults] == ["eyeBlinkLeft"]


def _with_face_target_zeroed(glb: bytes, name: str) -> bytes:
    """The file with the dense POSITION deltas of one shape of the face overwritten by zeros, all else as it was."""
    (json_bytes,) = struct.unpack_from("<I", glb, 12)
    document = json.loads(glb[20 : 20 + json_bytes])
    (face,) = [mesh for mesh in document["meshes"] if mesh["name"] == "face"]
    accessor = document["accessors"][face["primitives"][0]["targets"][ARKIT_INDEX[name]]["POSITION"]]
    view = document["bufferViews"][accessor["bufferView"]]
    assert "sparse" not in accessor
    assert "byteStride" not in view
    start = 20 + json_bytes + 8 + view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    size = accessor["count"] * 12
    assert np.frombuffer(glb[start : start + size], "<f4").any()
    return glb[:start] + bytes(size) + glb[start + size :]
