"""Live Link Face as others read it: the package pylivelinkface, and a reader written from the published layout alone.

The layout is told by Unreal's AppleARKitLiveLinkSource.cpp as think-biq/LLV's README retells it, the names and their order by its
EARFaceBlendShape (ARTrackable.h), of which pylivelinkface has a copy.
"""

import struct
from dataclasses import dataclass

import numpy as np
import pytest
from pylivelinkface.pylivelinkface import FaceBlendShape, PyLiveLinkFace

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.livelink import eye_angles, head_angles
from avatar3d.formats.gltf import save_glb
from avatar3d.live.dialects import livelink
from tests.synthetic import synthetic_avatar
from tests.unit.live.faces import golden, random_face
from tools.regenerate_dialects import face as golden_face

ANGLES = (
    "HeadYaw",
    "HeadPitch",
    "HeadRoll",
    "LeftEyeYaw",
    "LeftEyePitch",
    "LeftEyeRoll",
    "RightEyeYaw",
    "RightEyePitch",
    "RightEyeRoll",
)
CURVES = [shape.name for shape in sorted(FaceBlendShape, key=lambda shape: shape.value)]


@dataclass
class Published:
    device: str
    subject: str
    frame: int
    part: float
    rate: int
    seconds: int
    values: dict[str, float]


def published(packet: bytes) -> Published:
    """Version, device, subject, frame time, frame rate, count, values: everything big-endian, strings with their length first."""
    assert packet[0] == 6
    texts, at = [], 1
    for _ in range(2):
        (length,) = struct.unpack_from("!i", packet, at)
        texts.append(packet[at + 4 : at + 4 + length].decode())
        at += 4 + length
    frame, part, rate, seconds, count = struct.unpack_from("!ifiiB", packet, at)
    assert count == len(CURVES) == 61
    values = struct.unpack(f"!{count}f", packet[at + 17 :])
    return Published(texts[0], texts[1], frame, part, rate, seconds, dict(zip(CURVES, values, strict=True)))


def test_names_and_order_are_unreals() -> None:
    assert CURVES[:52] == [name[0].upper() + name[1:] for name in livelink.SHAPES]
    assert tuple(CURVES[52:]) == ANGLES
    assert sorted(name.lower() for name in CURVES[:52]) == sorted(name.lower() for name in ARKIT_NAMES)


def test_the_golden_packet_read_from_the_published_layout() -> None:
    (packet,) = golden("livelink.bin")
    face, read = golden_face(), published(packet)
    assert (read.subject, read.device) == ("avatar3d", livelink.DEVICE)
    assert (read.frame + read.part) * read.seconds / read.rate == face.time_s
    assert_shows(read.values, face)


def test_the_golden_packet_read_by_pylivelinkface() -> None:
    (packet,) = golden("livelink.bin")
    seen, read = PyLiveLinkFace.decode(packet)
    assert seen
    assert (read.name, read.fps) == ("avatar3d", 60)
    assert_shows({shape.name: read.get_blendshape(shape) for shape in FaceBlendShape}, golden_face())


@pytest.mark.parametrize("seed", range(10))
def test_any_face_is_read_alike_by_both(seed: int) -> None:
    frame = random_face(seed, time_s=seed / 7)
    packet = livelink.encode(frame, subject="Åsa", rate_hz=24)
    read = published(packet)
    assert read.subject == "Åsa"
    assert (read.frame + read.part) * read.seconds / read.rate == pytest.approx(frame.time_s, abs=1e-6)
    assert_shows(read.values, frame)
    _, theirs = PyLiveLinkFace.decode(livelink.encode(frame, subject="Asa", rate_hz=24))
    assert_shows({shape.name: theirs.get_blendshape(shape) for shape in FaceBlendShape}, frame)


def test_what_pylivelinkface_sends_is_read() -> None:
    """It smooths over five values unless it is told not to; its device must have 36 letters."""
    sender = PyLiveLinkFace(name="phone", uuid=livelink.DEVICE)
    for shape in FaceBlendShape:
        sender.set_blendshape(shape, shape.value / 64, no_filter=True)
    update = livelink.read(sender.encode())
    assert [update.values[name] for name in livelink.SHAPES] == [at / 64 for at in range(52)]
    assert eye_angles(update.turns["leftEye"]) == pytest.approx([55 / 64, 56 / 64, 57 / 64], abs=1e-6)


def test_a_reader_that_is_off_by_one_value_is_caught() -> None:
    packet = golden("livelink.bin")[0]
    values = published(packet).values
    shifted = dict(zip(CURVES, [*list(values.values())[1:], 0.0], strict=True))
    with pytest.raises(AssertionError):
        assert_shows(shifted, golden_face())


def assert_shows(values: dict[str, float], frame: object) -> None:
    """By name, so that neither order nor left and right can be wrong unnoticed."""
    weights = [values[name[0].upper() + name[1:]] for name in ARKIT_NAMES]
    np.testing.assert_array_equal(np.array(weights, np.float32), frame.weights)  # type: ignore[attr-defined]
    turns = (frame.head_wxyz, frame.left_eye_wxyz, frame.right_eye_wxyz)  # type: ignore[attr-defined]
    angles = [*head_angles(turns[0]), *eye_angles(turns[1]), *eye_angles(turns[2])]
    np.testing.assert_allclose([values[name] for name in ANGLES], angles, atol=1e-6)


def test_in_unreal_each_curve_finds_one_morph_target_and_no_angle_finds_any(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Names in Unreal (FName) do not know capitals: eyeBlinkLeft of the file is EyeBlinkLeft of the subject."""
    from avatar3d.formats.glb import read_glb

    document = read_glb(save_glb(synthetic_avatar(), tmp_path / "egg.glb"))
    for mesh in document.items("meshes"):
        names = mesh.get("extras", {}).get("targetNames", [])
        folded = [name.lower() for name in names]
        assert len(set(folded)) == len(folded)
        assert not {name.lower() for name in ANGLES} & set(folded)
        if names:
            assert {name.lower() for name in CURVES[:52]} <= set(folded)
