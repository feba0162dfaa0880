"""iFacialMocap: the app's own sample frame, mirroring, and whatever else may come to its port."""

import math

import numpy as np
import pytest
from hypothesis import given, settings

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.errors import UnreadableError, UsageError
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.live.dialects import DIALECTS, ifacialmocap
from avatar3d.live.dialects.turns import gaze_of
from tests.unit.live.faces import (
    damaged,
    degrees_between,
    face,
    golden,
    looking,
    random_face,
    survives,
    there_and_back,
    turn,
    weights_of,
)
from tools.regenerate_dialects import datagrams

# Values of the sample frame on ifacialmocap.com/for-developer, in another order.
SAMPLE = (
    b"eyeLookDown_L-17|eyeLookDown_R-17|eyeLookIn_L-4|eyeLookIn_R-6|jawOpen-12|mouthLeft-1|mouthPucker-4|tongueOut-0|"
    b"=head#-21.488958,-6.038993,-6.6019735,-0.030653415,-0.10287084,-0.6584072|"
    b"rightEye#6.0297494,2.4403017,0.25649446|leftEye#6.034903,-1.6660284,-0.17520553|"
)
APP_NAMES = [
    "mouthSmile_R",
    "eyeLookOut_L",
    "mouthUpperUp_L",
    "eyeWide_R",
    "mouthClose",
    "mouthPucker",
    "mouthRollLower",
    "eyeBlink_R",
    "eyeLookDown_L",
    "cheekSquint_R",
    "eyeBlink_L",
    "tongueOut",
    "jawRight",
    "eyeLookIn_R",
    "cheekSquint_L",
    "mouthDimple_L",
    "mouthPress_L",
    "eyeSquint_L",
    "mouthRight",
    "mouthShrugLower",
    "eyeLookUp_R",
    "eyeLookOut_R",
    "mouthPress_R",
    "cheekPuff",
    "jawForward",
    "mouthLowerDown_L",
    "mouthFrown_L",
    "mouthShrugUpper",
    "browOuterUp_L",
    "browInnerUp",
    "mouthDimple_R",
    "browDown_R",
    "mouthUpperUp_R",
    "mouthRollUpper",
    "mouthFunnel",
    "mouthStretch_R",
    "mouthFrown_R",
    "eyeLookDown_R",
    "jawOpen",
    "jawLeft",
    "browDown_L",
    "mouthSmile_L",
    "noseSneer_R",
    "mouthLowerDown_R",
    "noseSneer_L",
    "eyeWide_L",
    "mouthStretch_L",
    "browOuterUp_R",
    "eyeLookIn_L",
    "eyeSquint_R",
    "eyeLookUp_L",
    "mouthLeft",
]


def test_the_golden_texts_are_what_is_sent() -> None:
    assert golden("ifacialmocap.bin") == datagrams()["ifacialmocap"]
    assert golden("ifacialmocap_2.bin") == datagrams()["ifacialmocap_2"]


def test_names_are_the_apps() -> None:
    assert sorted(ifacialmocap.NAMES) == sorted(APP_NAMES)


def test_the_text_is_written_as_the_app_writes_it() -> None:
    text = ifacialmocap.encode(face(eyeBlinkLeft=1, mouthLeft=0.126, head=(0, 0.5, 0))).decode()
    assert text.count("|") == 55
    assert "|eyeBlink_L-100|" in text
    assert "|mouthLeft-13|" in text
    assert text.endswith(
        "|=head#0.0000,28.6479,0.0000,0,0,0|rightEye#0.0000,0.0000,0.0000|leftEye#0.0000,0.0000,0.0000|"
    )


def test_the_apps_sample_is_read() -> None:
    shown = DIALECTS["ifacialmocap"].decoder({})(SAMPLE)
    assert shown is not None
    assert list(weights_of(shown, "jawOpen", "mouthLeft", "eyeLookInRight")) == pytest.approx([0.12, 0.01, 0.06])
    # Eyes look down and inward, as the weights beside them say: the right one to the person's left.
    for wxyz, aside in ((shown.left_eye_wxyz, -1), (shown.right_eye_wxyz, 1)):
        left, up = gaze_of(wxyz)
        assert up == pytest.approx(-math.radians(6.03), abs=1e-3)
        assert left * aside > 0
        # In this order of angles there is no torsion left, which no other order gives.
        assert abs(float(matrix_from_quaternion(wxyz)[0, 1])) < 1e-6


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("seed", range(10))
def test_a_face_survives_to_the_per_cent(seed: int, version: str) -> None:
    sent = random_face(seed)
    shown = there_and_back("ifacialmocap", sent, version=version)
    np.testing.assert_allclose(shown.weights, sent.weights, atol=0.0051)
    assert degrees_between(shown.head_wxyz, sent.head_wxyz) < 0.05
    assert degrees_between(shown.left_eye_wxyz, sent.left_eye_wxyz) < 0.05
    assert degrees_between(shown.right_eye_wxyz, sent.right_eye_wxyz) < 0.05


def test_a_left_wink_is_the_persons_left() -> None:
    text = ifacialmocap.encode(face(eyeBlinkLeft=1)).decode()
    assert "eyeBlink_L-100" in text
    assert "eyeBlink_R-0" in text
    shown = there_and_back("ifacialmocap", face(eyeBlinkLeft=1))
    assert list(weights_of(shown, "eyeBlinkLeft", "eyeBlinkRight")) == [1, 0]


def test_who_looks_to_the_left_and_down_has_positive_angles() -> None:
    eye = ifacialmocap.encode(looking(0.2, -0.1)).decode().split("leftEye#")[1].split(",")
    assert float(eye[0]) > 0
    assert float(eye[1]) > 0


def test_both_spellings_and_both_versions_are_read() -> None:
    decode = DIALECTS["ifacialmocap"].decoder({})
    for text in (b"eyeBlink_L-50|", b"eyeBlink_L&50.0|", b"eyeBlinkLeft&50|=head#0,10,0|"):
        shown = decode(text)
        assert shown is not None
        assert list(weights_of(shown, "eyeBlinkLeft")) == [0.5]
    assert degrees_between(shown.head_wxyz, turn(0, math.radians(10), 0)) < 0.01


def test_weights_are_cut_to_the_scale() -> None:
    shown = DIALECTS["ifacialmocap"].decoder({})(b"jawOpen-250|browDown_L--3|")
    assert shown is not None
    assert list(weights_of(shown, "jawOpen", "browDownLeft")) == [1, 0]


def test_while_the_app_sees_no_face_nothing_is_shown() -> None:
    assert DIALECTS["ifacialmocap"].decoder({})(b"trackingStatus-0|" + SAMPLE) is None
    assert DIALECTS["ifacialmocap"].decoder({})(b"trackingStatus-1|hapihapi-0|" + SAMPLE) is not None


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719",
        b"jawOpen-nan|",
        b"jawOpen-1_0|",
        b"jawOpen-1e999|",
        b"jawOpen-|",
        b"jawOpen-5|=head#1,2|",
        b"jawOpen-5|=head#1,2,inf,0,0,0|",
        b"jawOpen-5|=head#1,2,3,4,5,6,7|",
        b"jawOpen-\xff|",
        b"jawOpen-5|" * 300,
        b"jawOpen-5|" * 900,
    ],
)
def test_what_is_no_text_of_the_app_is_refused_with_words(packet: bytes) -> None:
    with pytest.raises(UnreadableError) as raised:
        ifacialmocap.read(packet)
    assert raised.value.hint


def test_unknown_options_are_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match=r"subject.*version \(1 or 2\)"):
        DIALECTS["ifacialmocap"].encoder({"subject": "x"})


def test_every_shape_has_a_name() -> None:
    assert len(ifacialmocap.NAMES) == len(ARKIT_NAMES) == len(set(ifacialmocap.NAMES))


@settings(max_examples=400, deadline=None)
@given(damaged([*golden("ifacialmocap.bin"), SAMPLE]))
def test_damage_is_read_or_refused(packet: bytes) -> None:
    survives(DIALECTS["ifacialmocap"].decoder({}), packet)
