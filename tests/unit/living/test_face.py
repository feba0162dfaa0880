from dataclasses import replace

import numpy as np
import pytest

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import ARKIT_INDEX, Frame, neutral_frame
from avatar3d.core.errors import UsageError
from avatar3d.living.face import Face, Shown
from avatar3d.speech.articulation import Articulation
from avatar3d.speech.performance.controls import Controls

JAW = ARKIT_INDEX["jawOpen"]
STILL = Controls(head_motion=0, blink=False)


def face(*, alive: bool = True) -> Face:
    return Face(0, "ana", controls=STILL, seed=3, alive=alive)


def mouth(time_s: float, jaw: float) -> Articulation:
    weights = np.zeros(52, np.float32)
    weights[JAW] = jaw
    return Articulation(time_s, weights, np.zeros(4, np.float32), 0, 0, 1, -20)


def wide_open(time_s: float) -> Frame:
    return replace(neutral_frame(time_s), weights=np.ones(52, np.float32))


def shown(of: Face, until_s: float, since_s: float = 0.0) -> list[Shown]:
    ticks = range(int(since_s * 60) + 1, int(until_s * 60) + 1)
    return [of.at(tick / 60) for tick in ticks]


def test_a_guest_who_is_lost_is_held_and_then_eased_to_neutral() -> None:
    ana = face(alive=False)
    for tick in range(1, 61):
        ana.visit(wide_open(tick / 60), tick / 60)
        ana.at(tick / 60)
    after = {round(one.frame.time_s - 1, 3): one for one in shown(ana, 2.5, 1.0)}
    weights = np.array([one.frame.weights[JAW] for one in after.values()])
    times = np.array(list(after))
    assert (weights[times < 0.25] == 1).all()
    assert weights[np.argmin(np.abs(times - 0.5))] == pytest.approx(0.5, abs=0.05)
    assert (weights[times > 0.77] == 0).all()
    assert (np.diff(weights) <= 0).all()
    assert not after[times[0]].held
    assert after[times[20]].held
    assert not after[times[-1]].held


def test_a_guest_is_blended_in_and_shown_as_is() -> None:
    ana = face(alive=False)
    jaws = []
    for tick in range(1, 61):
        ana.visit(wide_open(tick / 60), tick / 60)
        jaws.append(float(ana.at(tick / 60).frame.weights[JAW]))
    assert max(np.diff(jaws)) < 0.13
    assert jaws[20:] == [1.0] * 40


def test_a_microphone_moves_the_mouth_and_loses_it_gently() -> None:
    ana = face()
    for tick in range(1, 121):
        ana.hear((mouth(tick / 60 - 0.06, 0.5), 120.0), tick / 60)
        last = ana.at(tick / 60)
    assert last.frame.weights[JAW] == pytest.approx(0.5, abs=0.05)
    fading = [float(one.frame.weights[JAW]) for one in shown(ana, 4, 2)]
    assert min(np.diff(fading)) > -0.05
    assert fading[5] == pytest.approx(0.5, abs=0.05)  # held
    assert fading[-1] == 0


def talk(ana: Face, number: int = 1, lasts_s: float = 2.0) -> None:
    ana.open(number, sounds=True)
    said = ana.script.find(number)
    assert said is not None
    for at in np.arange(0, lasts_s, 0.05):
        ana.say(number, float(at), mouth=(mouth(float(at), 0.5), 110.0))
        said.add_sound(AudioChunk(float(at), 16_000, np.zeros(800, np.float32)))
    said.ended = True


def test_an_interruption_shuts_the_mouth_within_200_ms() -> None:
    ana = face()
    talk(ana)
    before = shown(ana, 1.0)[-1]
    assert before.frame.weights[JAW] > 0.4
    assert ana.interrupt(1.0) == [1]
    after = shown(ana, 1.2, 1.0)
    assert after[-1].frame.weights[JAW] < 0.02
    assert not any(one.sounds for one in after)
    assert not ana.speaking


def test_panic_is_neutral_at_the_next_tick_and_lasts_until_resumed() -> None:
    ana = Face(0, "ana", controls=Controls("joy"), seed=3, alive=True)
    talk(ana)
    assert shown(ana, 1.0)[-1].frame.weights.any()
    ana.panic(1.0)
    ana.visit(wide_open(1.0), 1.0)
    panicked = shown(ana, 1.5, 1.0)
    for one in panicked:
        assert not one.frame.weights.any()
        np.testing.assert_array_equal(one.frame.head_wxyz, [1, 0, 0, 0])
    assert panicked[0].jumped
    assert not panicked[1].jumped
    ana.resume()
    assert shown(ana, 2.5, 1.5)[-1].frame.weights.any()  # joy again


def test_controls_change_what_they_name_and_leave_the_rest() -> None:
    ana = face()
    ana.direct({"emotion": "joy", "intensity": 0.8}, 0.0)
    ana.direct({"gaze": [1.0, 0.0, 1.0]}, 0.0)
    assert (ana.controls.emotion, ana.controls.intensity, ana.controls.gaze) == ("joy", 0.8, (1.0, 0.0, 1.0))
    assert ana.controls.head_motion == 0
    ana.direct({"listener": True}, 0.0)
    assert ana.controls.gaze is None


@pytest.mark.parametrize(
    "asked",
    [{"emotion": "hunger"}, {"intensity": 2.0}, {"gesture": "somersault"}, {"gaze": [1, 0, 0], "listener": True}],
)
def test_a_control_that_makes_no_sense_changes_nothing(asked: dict) -> None:
    ana = face()
    before = ana.controls
    with pytest.raises(UsageError):
        ana.direct({"style": "lively"} | asked, 0.0)
    assert ana.controls == before


def test_a_smile_shows_within_50_ms_of_being_asked_for() -> None:
    ana = face()
    smile = ARKIT_INDEX["mouthSmileLeft"]
    before = shown(ana, 1.0)[-1].frame.weights[smile]
    ana.direct({"emotion": "joy"}, 1.0)
    after = shown(ana, 1.05, 1.0)[-1].frame.weights[smile]
    assert after > before + 0.005
    assert shown(ana, 2.0, 1.05)[-1].frame.weights[smile] > 0.2


def test_nobody_moves_a_face_that_waits_for_a_camera() -> None:
    for one in shown(face(alive=False), 3.0):
        assert not one.frame.weights.any()


def test_a_face_that_waits_for_words_blinks() -> None:
    ana = Face(0, "ana", controls=Controls(), seed=3, alive=True)
    blinks = [float(one.frame.weights[ARKIT_INDEX["eyeBlinkLeft"]]) for one in shown(ana, 10.0)]
    assert max(blinks) > 0.6
