import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX, neutral_frame
from avatar3d.core.errors import UsageError
from avatar3d.live.schema import GESTURES
from avatar3d.living.gestures import LASTS_S, Gesture, gesture


def played(name: str) -> list:
    return [gesture(neutral_frame(t), Gesture(name, 1.0)) for t in np.arange(0.9, 1.1 + LASTS_S[name], 1 / 60).tolist()]


def test_the_gestures_are_those_of_the_protocol() -> None:
    assert tuple(LASTS_S) == GESTURES


@pytest.mark.parametrize("name", GESTURES)
def test_a_gesture_begins_and_ends_at_rest_and_moves_without_a_jump(name: str) -> None:
    frames = played(name)
    values = np.array([np.concatenate([f.weights, f.head_wxyz]) for f in frames])
    np.testing.assert_allclose(values[0], values[-1], atol=1e-6)
    assert np.abs(values - values[0]).max() > 0.04
    assert np.abs(np.diff(values, axis=0)).max() < 0.4  # a wink takes 100 ms
    assert (values[:, :52] >= 0).all()
    assert (values[:, :52] <= 1).all()


def test_a_nod_goes_down_first_and_a_shake_to_both_sides() -> None:
    pitch = np.array([f.head_wxyz[1] for f in played("nod")])
    assert pitch.max() > 0.07
    assert pitch.min() > -1e-6
    yaw = np.array([f.head_wxyz[2] for f in played("shake")])
    assert yaw.max() > 0.05
    assert yaw.min() < -0.05


@pytest.mark.parametrize(("name", "shut", "open_"), [("wink_left", "Left", "Right"), ("wink_right", "Right", "Left")])
def test_a_wink_shuts_the_eye_of_that_side_of_the_person(name: str, shut: str, open_: str) -> None:
    most = np.max([f.weights for f in played(name)], axis=0)
    assert most[ARKIT_INDEX[f"eyeBlink{shut}"]] > 0.6
    assert most[ARKIT_INDEX[f"eyeBlink{open_}"]] == 0


def test_a_gesture_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="nod"):
        Gesture("somersault", 0.0)
