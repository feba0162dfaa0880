"""What Unreal would get: `avatar3d live livelink://` read by an independent reader over real UDP, and the GLB it imports."""

import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pylivelinkface.pylivelinkface import FaceBlendShape, PyLiveLinkFace

from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import ARKIT_NAMES, BlendshapeClip
from avatar3d.formats.clip_npz import save_clip
from avatar3d.formats.glb import GlbDocument, read_glb
from avatar3d.formats.gltf import save_glb
from tests.synthetic import synthetic_avatar
from tests.unit.live.faces import face

SECONDS = 2.0


def test_the_subject_arrives_by_udp_with_its_52_values_and_9_angles(tmp_path: Path) -> None:
    frames = tuple(face(at / 60, jawOpen=at / 120, eyeBlinkLeft=0.25) for at in range(int(60 * SECONDS) + 1))
    clip = save_clip(BlendshapeClip(frames), tmp_path / "opens.npz")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unreal:
        unreal.bind(("127.0.0.1", 0))
        unreal.settimeout(20)
        url = f"livelink://127.0.0.1:{unreal.getsockname()[1]}?subject=Ada"
        command = [sys.executable, "-m", "avatar3d", "live", "--clip", str(clip), url, "--no-server", "--quiet"]
        process = subprocess.Popen(command)
        packets = [unreal.recv(4096)]
        unreal.settimeout(3)
        try:
            while True:
                packets.append(unreal.recv(4096))
        except TimeoutError:
            pass
        assert process.wait(20) == 0
    assert len(packets) >= 0.9 * 60 * SECONDS
    assert max(map(len, packets)) <= 774, "Unreal drops what is longer"
    read = [PyLiveLinkFace.decode(packet) for packet in packets]
    assert Counter(seen for seen, _ in read) == {True: len(packets)}
    assert {told.name for _, told in read} == {"Ada"}
    times = [told._frames + told._sub_frame for _, told in read]
    assert times == sorted(times)
    jaws, lids = (
        np.array([told.get_blendshape(shape) for _, told in read])
        for shape in (FaceBlendShape.JawOpen, FaceBlendShape.EyeBlinkLeft)
    )
    # Whoever moves a face takes it over within 150 ms; on a busy machine that begins some frames after the first.
    begun = int(np.argmax(lids > 0))
    taken = np.array(times) >= times[begun] + 0.2 * 60
    rising = taken & (np.arange(len(jaws)) < jaws.argmax())
    seconds = np.array(times)[rising] / 60
    assert rising.sum() > 90
    # The clip opens by a half a second.
    np.testing.assert_allclose(np.diff(jaws[rising]), np.diff(seconds) / 2, atol=1e-3)
    assert set(np.round(lids[rising], 3)) == {0.25}
    quiet = [shape for shape in FaceBlendShape if shape not in (FaceBlendShape.JawOpen, FaceBlendShape.EyeBlinkLeft)]
    assert max(abs(told.get_blendshape(shape)) for _, told in read for shape in quiet) < 1e-6


@pytest.mark.parametrize("who", ["egg", "created"])
def test_the_glb_is_as_interchange_wants_it(who: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """One skeleton with one root bone, one primitive and one material a mesh, no broken tangents, names on every mesh."""
    avatar: Avatar = synthetic_avatar() if who == "egg" else request.getfixturevalue("created")
    document = read_glb(save_glb(avatar, tmp_path / "a.glb"))
    (skin,) = document.items("skins")
    joints, nodes = skin["joints"], document.items("nodes")
    below = {child for joint in joints for child in nodes[joint].get("children", [])}
    assert len([joint for joint in joints if joint not in below]) == 1
    assert below <= set(joints), "only bones hang on bones"
    meshes = document.items("meshes")
    assert len({mesh["name"] for mesh in meshes}) == len(meshes)
    assert all(len(mesh["primitives"]) == 1 for mesh in meshes)
    for mesh in meshes:
        (primitive,) = mesh["primitives"]
        assert "JOINTS_1" not in primitive["attributes"], "at most four influences"
        if (tangent := primitive["attributes"].get("TANGENT")) is not None:  # a broken one makes the mesh static
            lengths = np.linalg.norm(values_of(document, tangent)[:, :3], axis=1)
            np.testing.assert_allclose(lengths, 1, atol=1e-3)
        if "targets" in primitive:
            names = mesh["extras"]["targetNames"]
            assert len(names) == len(primitive["targets"])
            assert primitive["extras"]["targetNames"] == names
    shapes = next(mesh for mesh in meshes if mesh["name"] == "face")["extras"]["targetNames"]
    assert tuple(shapes) == ARKIT_NAMES


def values_of(document: GlbDocument, accessor: int) -> np.ndarray:
    """Rows of a dense float32 accessor."""
    told = document.items("accessors")[accessor]
    view = document.items("bufferViews")[told["bufferView"]]
    width = {"VEC3": 3, "VEC4": 4}[told["type"]]
    begin = view.get("byteOffset", 0) + (told.get("byteOffset") or 0)
    assert told["componentType"] == 5126
    assert "byteStride" not in view
    return np.frombuffer(document.binary, "<f4", told["count"] * width, begin).reshape(-1, width)


@pytest.fixture(scope="module")
def created(astronaut: Path) -> Avatar:
    from avatar3d.pipeline import CreateParams, make_avatar

    return make_avatar(astronaut, CreateParams()).avatar
