"""VMC: sizes and order of the datagrams, names, Unity's axes, and what a receiver must not do."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.errors import InputError, LimitError, UsageError
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.live.dialects import DIALECTS, osc, vmc, vrm
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

ARKIT = ["vmc_arkit_1.bin", "vmc_arkit_2.bin", "vmc_arkit_3.bin"]
MIRROR = np.diag([-1.0, 1.0, 1.0])


def said(packets: list[bytes]) -> list[tuple[object, ...]]:
    return [(message.address, *message.arguments) for packet in packets for message in osc.decode(packet)]


def values(packets: list[bytes]) -> dict[object, object]:
    return {name: value for address, name, value, *_ in (m for m in said(packets) if len(m) == 3) if address == "/VMC/Ext/Blend/Val"}  # fmt: skip


def bone(packets: list[bytes], name: str) -> tuple[object, ...]:
    return next(message[2:] for message in said(packets) if message[:2] == ("/VMC/Ext/Bone/Pos", name))


def shown(*messages: bytes) -> object:
    return DIALECTS["vmc"].decoder({})(osc.bundles([*messages, osc.encode("/VMC/Ext/Blend/Apply")])[0])


def test_the_golden_datagrams_are_what_is_sent() -> None:
    assert golden(*ARKIT) == datagrams()["vmc_arkit"]
    assert golden("vmc_vrm0.bin") == datagrams()["vmc_vrm0"]
    assert golden("vmc_vrm1.bin") == datagrams()["vmc_vrm1"]


@pytest.mark.parametrize("names", ["arkit", "camel", "vrm0", "vrm1"])
def test_no_datagram_is_larger_than_1200_bytes_and_apply_is_last(names: str) -> None:
    packets = vmc.encode(random_face(1), names=names)
    assert all(len(packet) <= 1_200 for packet in packets)
    assert said(packets)[-1] == ("/VMC/Ext/Blend/Apply",)
    assert [message[0] for message in said(packets)].count("/VMC/Ext/Blend/Apply") == 1
    assert ("/VMC/Ext/OK", 1) in said(packets)
    assert all(said([packet])[0] == ("/VMC/Ext/T", 1.0) for packet in packets)


def test_all_52_are_said_by_the_names_of_perfect_sync() -> None:
    assert list(values(vmc.encode(face()))) == [name[0].upper() + name[1:] for name in ARKIT_NAMES]
    assert list(values(vmc.encode(face(), names="camel"))) == list(ARKIT_NAMES)


@pytest.mark.parametrize("names", ["arkit", "camel"])
@pytest.mark.parametrize("seed", range(5))
def test_a_face_survives(seed: int, names: str) -> None:
    sent = random_face(seed, time_s=seed / 8)
    back = there_and_back("vmc", sent, names=names)
    assert back.time_s == sent.time_s
    np.testing.assert_array_equal(back.weights, sent.weights)
    for ours, theirs in (
        (sent.head_wxyz, back.head_wxyz),
        (sent.left_eye_wxyz, back.left_eye_wxyz),
        (sent.right_eye_wxyz, back.right_eye_wxyz),
    ):
        assert degrees_between(ours, theirs) < 0.05


@pytest.mark.parametrize("seed", range(5))
def test_bones_turn_in_unitys_axes_as_the_mirrored_head_does(seed: int) -> None:
    sent = random_face(seed)
    x, y, z, w = (float(number) for number in bone(vmc.encode(sent), "Head")[3:])  # type: ignore[arg-type]
    ours = matrix_from_quaternion(sent.head_wxyz)
    theirs = matrix_from_quaternion(np.array([w, x, y, z], np.float32))
    # A point that ours moves, moved by theirs in a mirror: x to the right in place of the left.
    np.testing.assert_allclose(MIRROR @ ours @ MIRROR, theirs, atol=1e-6)


def test_who_nods_turns_about_unitys_x_and_who_turns_left_about_minus_y() -> None:
    nod = bone(vmc.encode(face(head=(0.4, 0, 0))), "Head")
    left = bone(vmc.encode(face(head=(0, 0.4, 0))), "Head")
    assert nod[:3] == (0, 0, 0)
    assert nod[3] > 0  # type: ignore[operator]
    assert left[4] < 0  # type: ignore[operator]


@pytest.mark.parametrize("names", ["arkit", "camel", "vrm0", "vrm1"])
def test_a_left_wink_is_the_persons_left(names: str) -> None:
    told = values(vmc.encode(face(eyeBlinkLeft=1), names=names))
    left = {"arkit": "EyeBlinkLeft", "camel": "eyeBlinkLeft", "vrm0": "Blink_L", "vrm1": "blinkLeft"}[names]
    assert told[left] == 1
    assert sum(told[name] for name in told if "blink" in str(name).lower()) == 1  # type: ignore[misc]
    assert list(weights_of(there_and_back("vmc", face(eyeBlinkLeft=1), names=names), "eyeBlinkLeft", "eyeBlinkRight")) == [1, 0]  # fmt: skip


def test_vrm0_names_are_those_of_the_specification() -> None:
    assert set(values(vmc.encode(face(), names="vrm0"))) == {
        "A", "I", "U", "E", "O", "Blink", "Blink_L", "Blink_R", "LookUp", "LookDown", "LookLeft", "LookRight"
    }  # fmt: skip
    assert set(values(vmc.encode(face(), names="vrm1"))) == {
        "aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight", "lookUp", "lookDown", "lookLeft", "lookRight"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("weights", "vowel"),
    [
        ({"jawOpen": 0.7}, "aa"),
        ({"mouthPucker": 1.0}, "ou"),
        ({"jawOpen": 0.7, "mouthFunnel": 1.0}, "oh"),
        ({"mouthStretchLeft": 1.0, "mouthStretchRight": 1.0}, "ih"),
        ({"jawOpen": 0.7, "mouthStretchLeft": 1.0, "mouthStretchRight": 1.0}, "ee"),
    ],
)
def test_a_plain_vowel_is_its_preset_alone(weights: dict[str, float], vowel: str) -> None:
    told = vrm.presets(face(**weights).weights)
    assert told[vowel] == pytest.approx(1)
    assert sum(told.values()) == pytest.approx(1)


def test_closed_lips_on_an_open_jaw_are_no_vowel() -> None:
    assert sum(vrm.presets(face(jawOpen=0.5, mouthClose=0.5).weights).values()) == 0


@pytest.mark.parametrize("names", ["vrm0", "vrm1"])
def test_presets_tell_the_mouth_that_made_them(names: str) -> None:
    sent = face(
        jawOpen=0.35, mouthPucker=0.2, mouthFunnel=0.2, mouthStretchLeft=0.5, mouthStretchRight=0.5,
        eyeBlinkLeft=0.75, eyeBlinkRight=0.25, eyeLookUpLeft=0.5, eyeLookUpRight=0.5
    )  # fmt: skip
    back = there_and_back("vmc", sent, names=names)
    kept = ["jawOpen", "mouthStretchLeft", "mouthStretchRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookUpLeft"]
    assert list(weights_of(back, *kept)) == pytest.approx(list(weights_of(sent, *kept)), abs=1e-6)
    assert sum(weights_of(back, "mouthPucker", "mouthFunnel")) == pytest.approx(0.4, abs=1e-6)


def test_emotions_are_not_guessed() -> None:
    assert not {"Joy", "Fun", "Angry", "Sorrow"} & set(values(vmc.encode(random_face(3), names="vrm0")))


def test_eyes_without_bones_look_where_the_weights_do() -> None:
    sent = looking(0.2, 0.1)
    back = there_and_back("vmc", sent, bones="no")
    assert not any(message[0] == "/VMC/Ext/Bone/Pos" for message in said(vmc.encode(sent, bones=False)))
    assert degrees_between(back.left_eye_wxyz, sent.left_eye_wxyz) < 0.05


def test_a_face_waits_for_apply_and_a_lost_datagram_keeps_what_was() -> None:
    decode = DIALECTS["vmc"].decoder({})
    first, second = vmc.encode(face(1, tongueOut=1, jawOpen=1)), vmc.encode(face(2))
    assert [decode(packet) is None for packet in first] == [True, True, False]
    decode(second[0])
    kept = decode(second[2])
    assert kept is not None
    assert kept.time_s == 2
    assert list(weights_of(kept, "jawOpen", "tongueOut")) == [1, 0]  # jawOpen was said in the second


def test_messages_one_by_one_are_read_as_bundles_are() -> None:
    decode = DIALECTS["vmc"].decoder({})
    decode(osc.encode("/VMC/Ext/T", 3.5))
    decode(osc.encode("/VMC/Ext/Blend/Val", "JAWOPEN", 0.5))
    decode(osc.encode("/VMC/Ext/Blend/Val", "Costume", 1.0))
    back = decode(osc.encode("/VMC/Ext/Blend/Apply"))
    assert back is not None
    assert back.time_s == 3.5
    assert list(weights_of(back, "jawOpen")) == [0.5]


def test_a_necks_turn_is_part_of_the_heads() -> None:
    half = [0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.995]
    back = shown(osc.encode("/VMC/Ext/Bone/Pos", "Neck", *half), osc.encode("/VMC/Ext/Bone/Pos", "Head", *half))
    assert degrees_between(back.head_wxyz, np.array([np.cos(0.2), np.sin(0.2), 0, 0])) < 0.1  # type: ignore[attr-defined]


def test_presets_beside_the_52_do_not_move_the_face_twice() -> None:
    back = shown(osc.encode("/VMC/Ext/Blend/Val", "EyeBlinkLeft", 0.0), osc.encode("/VMC/Ext/Blend/Val", "Blink", 1.0))
    assert list(weights_of(back, "eyeBlinkLeft", "eyeBlinkRight")) == [0, 0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    [
        "/VMC/Ext/VRM",
        "/VMC/Ext/Config",
        "/VMC/Ext/Remote",
        "/VMC/Ext/Set/Config",
        "/VMC/Ext/Opt",
        "/VMC/Ext/Set/Calib/Exec",
    ],
)
def test_a_path_in_a_packet_is_never_looked_at(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = tmp_path / "canary.vrm"
    canary.write_bytes(b"seen")

    def forbidden(*_: object, **__: object) -> object:
        raise AssertionError("a file was touched")

    for what in ("open", "exists", "stat", "read_bytes"):
        monkeypatch.setattr(Path, what, forbidden)
    monkeypatch.setattr("builtins.open", forbidden)
    packet = osc.encode(address, str(canary), "title", "0")
    update = vmc.read(packet)
    assert (dict(update.values), dict(update.turns), update.shows) == ({}, {}, False)


@pytest.mark.parametrize(
    "message",
    [
        osc.encode("/VMC/Ext/Blend/Val", "JawOpen"),
        osc.encode("/VMC/Ext/Blend/Val", 1, 1.0),
        osc.encode("/VMC/Ext/Blend/Val", "JawOpen", "1"),
        osc.encode("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0),
        osc.encode("/VMC/Ext/Bone/Pos", "Head", *[0.0] * 7),
        osc.encode("/VMC/Ext/T", "now"),
    ],
)
def test_messages_of_another_form_are_passed_over(message: bytes) -> None:
    back = shown(message, osc.encode("/VMC/Ext/Blend/Val", "JawOpen", 0.5))
    assert list(weights_of(back, "jawOpen")) == [0.5]  # type: ignore[arg-type]


def test_a_message_of_more_type_tags_than_the_limit_is_refused_and_moves_nothing() -> None:
    decode = DIALECTS["vmc"].decoder({})
    show = osc.encode("/VMC/Ext/Blend/Apply")

    def jaw(weight: float, tags: int) -> bytes:
        return osc.bundles([osc.encode("/VMC/Ext/Blend/Val", "JawOpen", weight, *[True] * (tags - 2)), show])[0]

    assert list(weights_of(decode(jaw(0.5, 64)), "jawOpen")) == [0.5]  # type: ignore[arg-type]
    with pytest.raises(LimitError):
        decode(jaw(0.75, 65))
    assert list(weights_of(decode(show), "jawOpen")) == [0.5]  # type: ignore[arg-type]


def test_what_is_not_finite_is_refused() -> None:
    for message in (
        osc.encode("/VMC/Ext/Blend/Val", "JawOpen", float("nan")),
        osc.encode("/VMC/Ext/T", float("inf")),
        osc.encode("/VMC/Ext/Bone/Pos", "Head", *[0.0] * 6, float("nan")),
    ):
        with pytest.raises(InputError, match="NaN"):
            vmc.read(message)
    with pytest.raises(InputError, match="finite"):
        vmc.encode(face(jawOpen=float("nan")))


def test_unknown_options_are_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match=r"name'.*names \(arkit or camel or vrm0 or vrm1\), bones"):
        DIALECTS["vmc"].encoder({"name": "x"})
    with pytest.raises(UsageError, match="names=vrm2"):
        DIALECTS["vmc"].encoder({"names": "vrm2"})


@settings(max_examples=300, deadline=None)
@given(damaged(golden(*ARKIT, "vmc_vrm0.bin")))
def test_damage_is_read_or_refused(packet: bytes) -> None:
    decode = DIALECTS["vmc"].decoder({})
    survives(decode, packet)
    survives(decode, osc.encode("/VMC/Ext/Blend/Apply"))
