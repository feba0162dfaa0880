"""Live Link Face, version 6: byte by byte, against another program, and whatever else may come to its port."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings

from avatar3d.core.errors import InputError, UnreadableError, UnsupportedFormatError, UsageError
from avatar3d.core.livelink import LIVELINK_SHAPES, eye_angles, head_angles
from avatar3d.live.dialects import DIALECTS, livelink
from tests.unit.live.faces import (
    damaged,
    degrees_between,
    face,
    golden,
    looking,
    random_face,
    survives,
    there_and_back,
    weights_of,
)
from tools.regenerate_dialects import datagrams
from tools.regenerate_dialects import face as golden_face


def values_of(packet: bytes) -> list[float]:
    return list(struct.unpack(">61f", packet[-244:]))


def test_the_golden_packet_is_what_is_sent() -> None:
    assert golden("livelink.bin") == datagrams()["livelink"]


def test_the_golden_packet_byte_by_byte() -> None:
    frame = golden_face()
    expected = b"\x06" + struct.pack(">i", 36) + b"00000000-0000-4000-8000-617661746172"
    expected += struct.pack(">i", 8) + b"avatar3d" + struct.pack(">ifii", 765, 0.0, 60, 1) + b"\x3d"
    expected += struct.pack(">52f", *weights_of(frame, *livelink.SHAPES))
    angles = [*head_angles(frame.head_wxyz), *eye_angles(frame.left_eye_wxyz), *eye_angles(frame.right_eye_wxyz)]
    (packet,) = golden("livelink.bin")
    assert packet[:-36] == expected
    np.testing.assert_allclose(values_of(packet)[52:], angles, atol=1e-7)


def test_the_order_is_the_apps_but_for_jaw_and_mouth() -> None:
    mine = [name[0].upper() + name[1:] for name in livelink.SHAPES]
    assert sorted(mine) == sorted(LIVELINK_SHAPES)
    other = [name for name, theirs in zip(mine, LIVELINK_SHAPES, strict=True) if name != theirs]
    assert other == ["JawLeft", "JawRight", "MouthLeft", "MouthRight"]


@pytest.mark.parametrize("seed", range(20))
def test_a_face_survives(seed: int) -> None:
    sent = random_face(seed, time_s=3 + seed / 60)
    shown = there_and_back("livelink", sent)
    assert shown.time_s == pytest.approx(sent.time_s, abs=1e-6)
    np.testing.assert_array_equal(shown.weights, sent.weights)
    for ours, theirs in (
        (sent.head_wxyz, shown.head_wxyz),
        (sent.left_eye_wxyz, shown.left_eye_wxyz),
        (sent.right_eye_wxyz, shown.right_eye_wxyz),
    ):
        assert degrees_between(ours, theirs) < 0.05


@pytest.mark.parametrize("seed", range(10))
def test_angles_are_those_of_the_apps_csv(seed: int) -> None:
    """One convention, core/livelink.py."""
    frame = random_face(seed)
    told = values_of(livelink.encode(frame))[52:]
    np.testing.assert_allclose(told[:3], head_angles(frame.head_wxyz), atol=1e-6)
    np.testing.assert_allclose(told[3:6], eye_angles(frame.left_eye_wxyz), atol=1e-6)
    np.testing.assert_allclose(told[6:], eye_angles(frame.right_eye_wxyz), atol=1e-6)


def test_a_left_wink_is_the_persons_left() -> None:
    packet = livelink.encode(face(eyeBlinkLeft=1))
    assert values_of(packet)[livelink.SHAPES.index("eyeBlinkLeft")] == 1
    assert sum(values_of(packet)[:52]) == 1
    assert list(weights_of(there_and_back("livelink", face(eyeBlinkLeft=1)), "eyeBlinkLeft", "eyeBlinkRight")) == [1, 0]


def test_who_looks_to_the_left_and_up_has_negative_eye_angles() -> None:
    told = values_of(livelink.encode(looking(0.2, 0.1)))
    assert told[55] < 0  # LeftEyeYaw: positive to the person's right
    assert told[56] < 0  # LeftEyePitch: positive down


def test_who_turns_the_head_to_the_left_and_up_has_positive_head_angles() -> None:
    assert values_of(livelink.encode(face(head=(0, 0.3, 0))))[52] == pytest.approx(0.3)
    assert values_of(livelink.encode(face(head=(-0.3, 0, 0))))[53] == pytest.approx(0.3)


def test_time_is_a_frame_and_a_part_of_one() -> None:
    packet = livelink.encode(face(time_s=2 + 0.25 / 30), rate_hz=30)
    assert struct.unpack_from(">ifii", packet, 1 + 40 + 12) == (60, 0.25, 30, 1)


def test_subject_and_device_can_be_chosen() -> None:
    (packet,) = DIALECTS["livelink"].encoder({"subject": "iPhone", "device": "box", "rate": "24"})(face())
    assert b"\0\0\0\3box\0\0\0\6iPhone" in packet


def test_weights_are_cut_and_what_is_not_finite_is_not_sent() -> None:
    shown = there_and_back("livelink", face(jawOpen=1.5, mouthSmileLeft=-1))
    assert list(weights_of(shown, "jawOpen", "mouthSmileLeft")) == [1, 0]
    with pytest.raises(InputError, match="finite"):
        livelink.encode(face(jawOpen=float("nan")))
    with pytest.raises(InputError, match="finite"):
        livelink.encode(face(time_s=float("inf")))


def test_while_the_app_sees_no_face_nothing_is_shown() -> None:
    packet = livelink.encode(face())
    for end in (len(packet) - 244 - 17, len(packet) - 244 - 1):
        assert DIALECTS["livelink"].decoder({})(packet[:end]) is None
    assert DIALECTS["livelink"].decoder({})(packet[:-245] + b"\0") is None


@pytest.mark.parametrize(
    ("packet", "error"),
    [
        (b"", UnreadableError),
        (b"\x06", UnreadableError),
        (b"\x05" + livelink.encode(face())[1:], UnsupportedFormatError),
        (livelink.encode(face())[:-1], UnreadableError),
        (livelink.encode(face()) + b"\0", UnreadableError),
        (b"\x06\x7f\xff\xff\xff" + bytes(300), UnreadableError),
        (b"\x06\xff\xff\xff\xfe" + bytes(300), UnreadableError),
        (livelink.encode(face())[:-4] + b"\x7f\xc0\0\0", UnreadableError),
        (livelink.encode(face())[:-4] + b"\x7f\x80\0\0", UnreadableError),
        (bytes([6]) * 5_000, UnreadableError),
    ],
)
def test_what_is_no_packet_is_refused_with_words(packet: bytes, error: type[InputError]) -> None:
    with pytest.raises(error) as raised:
        livelink.read(packet)
    assert raised.value.hint


def test_unknown_options_are_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match=r"subjekt.*subject.*device.*rate"):
        DIALECTS["livelink"].encoder({"subjekt": "x"})
    with pytest.raises(UsageError, match="rate=7"):
        DIALECTS["livelink"].encoder({"rate": "7"})
    with pytest.raises(UsageError, match="no room"):
        DIALECTS["livelink"].encoder({"subject": "x" * 100})
    with pytest.raises(UsageError, match="subject"):
        DIALECTS["livelink"].decoder({"subject": "x"})


@settings(max_examples=400, deadline=None)
@given(damaged(golden("livelink.bin")))
def test_damage_is_read_or_refused(packet: bytes) -> None:
    survives(DIALECTS["livelink"].decoder({}), packet)
