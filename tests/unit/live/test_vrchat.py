"""VRChat: the parameters of Unified Expressions, gaze, and both directions between ARKit's names and theirs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.errors import InputError, UsageError
from avatar3d.live.dialects import DIALECTS, osc, unified, vrchat
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

# docs.vrcft.io, the ARKit comparison, bold (blended) ones left out.
ONE_TO_ONE = [
    "EyeClosedRight=eyeBlinkRight",
    "EyeSquintLeft=eyeSquintLeft",
    "EyeWideRight=eyeWideRight",
    "BrowOuterUpLeft=browOuterUpLeft",
    "NoseSneerRight=noseSneerRight",
    "CheekSquintLeft=cheekSquintLeft",
    "JawOpen=jawOpen",
    "MouthClosed=mouthClose",
    "JawRight=jawRight",
    "JawLeft=jawLeft",
    "JawForward=jawForward",
    "MouthUpperUpRight=mouthUpperUpRight",
    "MouthLowerDownLeft=mouthLowerDownLeft",
    "MouthFrownRight=mouthFrownRight",
    "MouthStretchLeft=mouthStretchLeft",
    "MouthDimpleRight=mouthDimpleRight",
    "MouthRaiserUpper=mouthShrugUpper",
    "MouthRaiserLower=mouthShrugLower",
    "MouthPressLeft=mouthPressLeft",
    "TongueOut=tongueOut",
]
BLENDED = [
    "BrowDownRight=browDownRight",
    "BrowInnerUp=browInnerUp",
    "CheekPuffSuck=cheekPuff",
    "LipSuckUpper=mouthRollUpper",
    "LipSuckLower=mouthRollLower",
    "LipFunnel=mouthFunnel",
    "LipPucker=mouthPucker",
    "MouthSmileLeft=mouthSmileLeft",
]
# docs.vrcft.io, the list of parameters; those that no weight of ARKit's tells are left out.
DOCUMENTED = [
    "EyeLidRight",
    "EyeLidLeft",
    "EyeLid",
    "EyeSquintRight",
    "EyeSquintLeft",
    "EyeSquint",
    "BrowPinchRight",
    "BrowPinchLeft",
    "BrowLowererRight",
    "BrowLowererLeft",
    "BrowInnerUpRight",
    "BrowInnerUpLeft",
    "BrowOuterUpRight",
    "BrowOuterUpLeft",
    "NoseSneerRight",
    "NoseSneerLeft",
    "CheekSquintRight",
    "CheekSquintLeft",
    "CheekPuffSuckRight",
    "CheekPuffSuckLeft",
    "JawOpen",
    "MouthClosed",
    "JawX",
    "JawZ",
    "LipSuckUpperRight",
    "LipSuckUpperLeft",
    "LipSuckLowerRight",
    "LipSuckLowerLeft",
    "LipFunnelUpperRight",
    "LipFunnelUpperLeft",
    "LipFunnelLowerRight",
    "LipFunnelLowerLeft",
    "LipPuckerUpperRight",
    "LipPuckerUpperLeft",
    "LipPuckerLowerRight",
    "LipPuckerLowerLeft",
    "MouthUpperUpRight",
    "MouthUpperUpLeft",
    "MouthLowerDownRight",
    "MouthLowerDownLeft",
    "MouthUpperDeepenRight",
    "MouthUpperDeepenLeft",
    "MouthUpperX",
    "MouthLowerX",
    "MouthCornerPullRight",
    "MouthCornerPullLeft",
    "MouthCornerSlantRight",
    "MouthCornerSlantLeft",
    "MouthDimpleRight",
    "MouthDimpleLeft",
    "MouthFrownRight",
    "MouthFrownLeft",
    "MouthStretchRight",
    "MouthStretchLeft",
    "MouthRaiserUpper",
    "MouthRaiserLower",
    "MouthPressRight",
    "MouthPressLeft",
    "TongueOut",
    "BrowDownRight",
    "BrowDownLeft",
    "BrowOuterUp",
    "BrowInnerUp",
    "BrowUp",
    "BrowExpressionRight",
    "BrowExpressionLeft",
    "BrowExpression",
    "MouthX",
    "MouthUpperUp",
    "MouthLowerDown",
    "MouthOpen",
    "MouthSmileRight",
    "MouthSmileLeft",
    "MouthSadRight",
    "MouthSadLeft",
    "SmileFrownRight",
    "SmileFrownLeft",
    "SmileFrown",
    "SmileSadRight",
    "SmileSadLeft",
    "SmileSad",
    "LipSuckUpper",
    "LipSuckLower",
    "LipSuck",
    "LipFunnelUpper",
    "LipFunnelLower",
    "LipFunnel",
    "LipPuckerUpper",
    "LipPuckerLower",
    "LipPucker",
    "NoseSneer",
    "CheekSquint",
    "CheekPuffSuck",
]


def told(packets: list[bytes]) -> dict[str, tuple[object, ...]]:
    return {message.address: message.arguments for packet in packets for message in osc.decode(packet)}


def parameters(packets: list[bytes]) -> dict[str, float]:
    return {name.rsplit("/", 1)[1]: value for name, (value, *_) in told(packets).items() if "/v2/" in name}  # type: ignore[misc]


def test_the_golden_datagrams_are_what_is_sent() -> None:
    sent = datagrams()["vrchat"]
    assert golden(*[f"vrchat_{at}.bin" for at in range(1, len(sent) + 1)]) == sent


def test_no_datagram_is_larger_than_1200_bytes() -> None:
    encode = DIALECTS["vrchat"].encoder({"eyes": "both", "prefix": "x" * 40})
    assert all(len(packet) <= 1_200 for packet in encode(random_face(1)))


@pytest.mark.parametrize("pair", [*ONE_TO_ONE, *BLENDED])
def test_the_table_of_the_documentation_holds(pair: str) -> None:
    theirs, ours = pair.split("=")
    assert parameters(vrchat.encode(face(**{ours: 0.5})))[theirs] == pytest.approx(0.5)
    back = DIALECTS["vrchat"].decoder({})(osc.encode(f"/avatar/parameters/v2/{theirs}", 0.5))
    assert back is not None
    assert list(weights_of(back, ours)) == pytest.approx([0.5])
    assert float(back.weights.sum()) == pytest.approx(0.5)


def test_every_documented_parameter_that_arkit_can_tell_is_told() -> None:
    sent = parameters(vrchat.encode(face()))
    assert set(DOCUMENTED) <= set(sent)
    assert {"EyeLeftX", "EyeLeftY", "EyeRightX", "EyeRightY"} <= set(sent)
    assert len(set(unified.PARAMETERS)) == len(unified.PARAMETERS)


@pytest.mark.parametrize(
    ("weights", "name", "value"),
    [
        ({"jawLeft": 1}, "JawX", -1),
        ({"mouthRight": 0.5}, "MouthX", 0.5),
        ({"eyeBlinkLeft": 1}, "EyeLidLeft", 0),
        ({}, "EyeLidLeft", 0.75),
        ({"eyeWideLeft": 1}, "EyeLidLeft", 1),
        ({"eyeBlinkLeft": 1}, "EyeLid", 0.375),
        ({"mouthSmileLeft": 1, "mouthFrownLeft": 0.5}, "SmileFrownLeft", 0.5),
        ({"mouthFrownLeft": 0.25, "mouthStretchLeft": 0.5}, "MouthSadLeft", 0.5),
        ({"mouthStretchLeft": 0.5}, "SmileSadLeft", -0.5),
        ({"mouthStretchLeft": 0.5}, "SmileSad", -0.25),
        ({"browDownLeft": 1}, "BrowExpressionLeft", -1),
        ({"browInnerUp": 1, "browOuterUpLeft": 1, "browOuterUpRight": 1}, "BrowExpression", 1),
        ({"browInnerUp": 1}, "BrowUpRight", 0.4),
        ({"mouthUpperUpLeft": 1}, "MouthOpen", 0.25),
        ({"mouthFunnel": 1}, "LipSuckFunnelLowerRight", -1),
        ({"eyeSquintRight": 0.5}, "EyeSquint", 0.5),
    ],
)
def test_combined_parameters_are_as_vrcfacetracking_makes_them(
    weights: dict[str, float], name: str, value: float
) -> None:
    assert parameters(vrchat.encode(face(**weights)))[name] == pytest.approx(value)


@pytest.mark.parametrize("seed", range(10))
def test_a_face_survives_but_for_the_head(seed: int) -> None:
    sent = random_face(seed)
    back = there_and_back("vrchat", sent)
    np.testing.assert_allclose(back.weights, sent.weights, atol=1e-5)
    assert degrees_between(back.left_eye_wxyz, sent.left_eye_wxyz) < 0.05
    assert degrees_between(back.right_eye_wxyz, sent.right_eye_wxyz) < 0.05
    assert back.head_wxyz.tolist() == [1, 0, 0, 0]


def test_a_left_wink_is_the_persons_left() -> None:
    sent = parameters(vrchat.encode(face(eyeBlinkLeft=1)))
    assert (sent["EyeLidLeft"], sent["EyeLidRight"]) == pytest.approx((0, 0.75))
    back = there_and_back("vrchat", face(eyeBlinkLeft=1))
    assert list(weights_of(back, "eyeBlinkLeft", "eyeBlinkRight")) == [1, 0]


def test_gaze_is_positive_to_the_right_and_up_and_1_at_45_degrees() -> None:
    sent = parameters(vrchat.encode(looking(-math.pi / 8, math.pi / 12)))
    assert (sent["EyeLeftX"], sent["EyeLeftY"]) == pytest.approx((0.5, 1 / 3), abs=1e-5)


def test_vrchats_own_eyes_are_degrees_down_and_to_the_right() -> None:
    sent = told(DIALECTS["vrchat"].encoder({"eyes": "native"})(looking(math.radians(-20), math.radians(15))))
    assert sent["/tracking/eye/LeftRightPitchYaw"] == pytest.approx((-15, 20, -15, 20), abs=1e-3)
    assert sent["/tracking/eye/EyesClosedAmount"] == (0,)
    assert "/avatar/parameters/v2/EyeLeftX" not in sent
    back = DIALECTS["vrchat"].decoder({})(osc.encode("/tracking/eye/LeftRightPitchYaw", -15.0, 20.0, -15.0, 20.0))
    assert back is not None
    expected = looking(math.radians(-20), math.radians(15))
    assert degrees_between(back.left_eye_wxyz, expected.left_eye_wxyz) < 0.01
    np.testing.assert_allclose(back.weights, expected.weights, atol=1e-6)


def test_parameters_may_live_in_a_folder() -> None:
    packets = DIALECTS["vrchat"].encoder({"prefix": "FT"})(face(jawOpen=0.5))
    assert told(packets)["/avatar/parameters/FT/v2/JawOpen"] == (0.5,)
    decode = DIALECTS["vrchat"].decoder({})
    back = [decode(packet) for packet in packets][-1]
    assert back is not None
    assert list(weights_of(back, "jawOpen")) == [0.5]


def test_avatars_are_told_once_a_second_that_tracking_is_active_and_at_the_end_that_it_is_not() -> None:
    encode = DIALECTS["vrchat"].encoder({})
    active = [told(encode(face(at / 4))).get("/avatar/parameters/LipTrackingActive") for at in range(9)]
    assert active == [(True,), None, None, None, (True,), None, None, None, (True,)]
    (last,) = DIALECTS["vrchat"].farewell({})
    assert set(told([last]).values()) == {(False,)}
    assert DIALECTS["vrchat"].farewell({"active": "no"}) == []


def test_other_parameters_and_other_kinds_are_passed_over() -> None:
    decode = DIALECTS["vrchat"].decoder({})
    for message in (
        osc.encode("/avatar/parameters/v2/EarWiggle", 1.0),
        osc.encode("/avatar/parameters/JawOpen", 1.0),
        osc.encode("/avatar/change", "avtr_1"),
        osc.encode("/input/Jump", 1),
        osc.encode("/avatar/parameters/v2/JawOpen", "wide"),
    ):
        assert decode(message) is None


def test_combined_parameters_are_read_where_nothing_better_came() -> None:
    decode = DIALECTS["vrchat"].decoder({})
    decode(osc.encode("/avatar/parameters/v2/JawX", -0.5))
    decode(osc.encode("/avatar/parameters/v2/EyeLidLeft", 0.0))
    back = decode(osc.encode("/avatar/parameters/v2/SmileFrownRight", -0.25))
    assert back is not None
    assert list(weights_of(back, "jawLeft", "jawRight", "eyeBlinkLeft", "mouthFrownRight", "mouthSmileRight")) == [
        0.5, 0, 1, 0.25, 0
    ]  # fmt: skip
    better = decode(osc.encode("/avatar/parameters/v2/JawLeft", 0.75))
    assert better is not None
    assert list(weights_of(better, "jawLeft")) == [0.75]


def test_every_shape_but_gaze_has_its_parts() -> None:
    assert set(unified.PARTS) == {name for name in ARKIT_NAMES if not name.startswith("eyeLook")}


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(InputError, match="NaN"):
        vrchat.read(osc.encode("/avatar/parameters/v2/JawOpen", float("nan")))
    with pytest.raises(InputError, match="finite"):
        vrchat.encode(face(jawOpen=float("inf")))


@pytest.mark.parametrize("options", [{"eye": "native"}, {"eyes": "closed"}, {"prefix": "a b"}, {"prefix": "a\0"}])
def test_unknown_options_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(UsageError) as raised:
        DIALECTS["vrchat"].encoder(options)
    assert raised.value.hint


@settings(max_examples=200, deadline=None)
@given(damaged(golden("vrchat_1.bin", "vrchat_6.bin")))
def test_damage_is_read_or_refused(packet: bytes) -> None:
    survives(DIALECTS["vrchat"].decoder({}), packet)
