"""Emotions are different faces that leave speech readable and let lips close."""

from itertools import combinations

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.errors import UsageError
from avatar3d.speech.lips import gap_mm, width_mm
from avatar3d.speech.performance.controls import AUTO, STYLES, Controls
from avatar3d.speech.performance.emotion import EMOTIONS, NEUTRAL, Look, look_of, speak_with
from tests.unit.speech.babble import Heard, instant, perform

NAMED = [name for name in EMOTIONS if name != NEUTRAL]


def steady(seconds: float = 1.0, **articulation: float) -> list[Heard]:
    """One sound, held."""
    shapes = {"jawOpen": articulation.pop("jaw", 0.0), "mouthPucker": articulation.pop("pucker", 0.0)}
    return [Heard(instant(i / 15, shapes, **articulation), 0.0) for i in range(round(seconds * 15))]


def face(emotion: str, intensity: float = 1.0, **articulation: float) -> np.ndarray:
    controls = Controls(emotion=emotion, intensity=intensity, blink=False, head_motion=0)
    return perform(steady(**articulation), controls)[1][-1].weights


def test_there_are_at_least_eight_and_neutral_is_nothing() -> None:
    assert {"neutral", "joy", "sadness", "anger", "fear", "disgust", "surprise", "contempt"} <= set(EMOTIONS)
    assert not look_of(NEUTRAL, 1.0).any()


def test_no_two_emotions_look_alike() -> None:
    for first, second in combinations(NAMED, 2):
        a, b = (Look(look_of(name, 1.0)) for name in (first, second))
        assert np.linalg.norm(a.face + a.mouth - b.face - b.mouth) > 0.25, (first, second)


def test_prototypes_have_their_action_units() -> None:
    marks = {
        "joy": ("mouthSmileLeft", "cheekSquintLeft"),
        "sadness": ("browInnerUp", "mouthFrownLeft"),
        "anger": ("browDownLeft", "eyeSquintLeft", "mouthPressLeft"),
        "fear": ("browInnerUp", "eyeWideLeft", "mouthStretchLeft"),
        "disgust": ("noseSneerLeft", "mouthUpperUpLeft"),
        "surprise": ("browOuterUpLeft", "eyeWideLeft", "jawOpen"),
        "contempt": ("mouthDimpleRight",),
    }
    for emotion, shapes in marks.items():
        shown = face(emotion)
        assert all(shown[ARKIT_INDEX[shape]] > 0.15 for shape in shapes), emotion
    assert face("contempt")[ARKIT_INDEX["mouthDimpleLeft"]] < 0.05


@pytest.mark.parametrize("emotion", NAMED)
def test_half_the_intensity_is_half_the_face(emotion: str) -> None:
    whole, half = Look(look_of(emotion, 1.0)), Look(look_of(emotion, 0.5))
    np.testing.assert_allclose(half.face, 0.5 * whole.face, atol=1e-6)
    assert half.manner[2] - 1 == pytest.approx(0.5 * (whole.manner[2] - 1))


@pytest.mark.parametrize("emotion", NAMED)
def test_speech_takes_the_mouth_and_leaves_the_eyes(emotion: str) -> None:
    silent, talking = face(emotion), face(emotion, voice=1.0, loudness_db=-20)
    mouth = [i for name, i in ARKIT_INDEX.items() if name.startswith(("mouth", "jaw"))]
    brows = [i for name, i in ARKIT_INDEX.items() if name.startswith(("brow", "cheek"))]
    assert talking[mouth].sum() <= 0.75 * silent[mouth].sum() + 1e-6
    np.testing.assert_allclose(talking[brows], silent[brows], atol=0.1)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_lips_close_for_p_b_m_and_open_for_a_in_every_emotion(emotion: str) -> None:
    closed = float(gap_mm(face(emotion, jaw=0.12, closed=1.0, voice=1.0, loudness_db=-20)))
    opened = float(gap_mm(face(emotion, jaw=0.32, voice=1.0, loudness_db=-20)))
    plain = float(gap_mm(face(NEUTRAL, jaw=0.32, voice=1.0, loudness_db=-20)))
    assert closed < 0.3
    assert opened > 8
    assert opened - plain < 0.3 * plain  # and no emotion makes an opening of its own while speaking


def test_rounded_lips_stay_narrow_in_a_smile() -> None:
    spread = {
        pucker: width_mm(face("joy", pucker=pucker, jaw=0.15, voice=1.0, loudness_db=-20)) for pucker in (0.0, 0.7)
    }
    plain = width_mm(face(NEUTRAL, jaw=0.15, voice=1.0, loudness_db=-20))
    assert spread[0.7] < spread[0.0]
    assert spread[0.7] < plain


def test_an_expression_comes_within_a_second_and_without_a_jump() -> None:
    performers, frames = perform(steady(1), Controls(blink=False, head_motion=0))
    performer, weights = performers[-1], [frames[-1].weights]
    for i in range(60):
        performer, frame = performer.step(
            instant(14 / 15 + (i + 1) / 60), 0.0, Controls(emotion="joy", blink=False, head_motion=0)
        )
        weights.append(frame.weights)
    smile = np.array(weights)[:, ARKIT_INDEX["mouthSmileLeft"]]
    assert np.abs(np.diff(weights, axis=0)).max() < 0.09
    assert smile[-1] > 0.7
    assert np.argmax(smile > 0.1) > 2


def test_a_mouth_without_emotion_is_not_changed() -> None:
    speech = instant(0, {"jawOpen": 0.3, "mouthSmileLeft": 0.2}).weights
    np.testing.assert_array_equal(speak_with(speech, np.zeros(52, np.float32), 0.7, 0.3), speech)


def test_what_is_not_there_cannot_be_asked_for() -> None:
    for wrong in ({"emotion": "hangry"}, {"style": "baroque"}):
        with pytest.raises(UsageError, match="choose one of"):
            Controls(**wrong)
    for wrong in ({"intensity": 1.5}, {"head_motion": -1.0}, {"head_motion": 2.1}, {"gaze": (0.0, 0.0, 0.0)}):
        with pytest.raises(UsageError):
            Controls(**wrong)
    with pytest.raises(UsageError):
        Controls(gaze=(float("nan"), 0.0, 1.0))
    assert Controls(emotion=AUTO, style=next(iter(STYLES))).emotion == AUTO
