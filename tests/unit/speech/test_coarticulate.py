import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.speech.articulation import Articulation
from avatar3d.speech.coarticulate import CONTROLS, articulate, mouth_curves
from avatar3d.speech.lips import gap_mm, protrusion_mm, seal, tuck_mm
from avatar3d.speech.phones import PHONES, Phone

RATE_HZ = 60.0


def say(*symbols: str, each_s: float = 0.1, stress: float = 0.0) -> tuple[Phone, ...]:
    return tuple(Phone(symbol, 0.3 + at * each_s, 0.3 + (at + 1) * each_s, stress) for at, symbol in enumerate(symbols))


def shown(mouth: tuple[Articulation, ...]) -> np.ndarray:
    return np.stack([seal(each.weights, each.closed, each.tucked) for each in mouth])


def at(phones: tuple[Phone, ...], index: int) -> int:
    return round((phones[index].start_s + phones[index].end_s) / 2 * RATE_HZ)


@pytest.mark.parametrize("symbol", ["p", "b", "m"])
def test_lips_close_between_open_vowels_even_when_the_sound_is_short(symbol: str) -> None:
    phones = say("a", symbol, "a", each_s=0.05)
    gaps = gap_mm(shown(articulate(phones, rate_hz=RATE_HZ)))
    assert gaps[at(phones, 1)] < 0.3
    assert gaps.max() > 3


@pytest.mark.parametrize("symbol", ["f", "v"])
def test_the_lower_lip_goes_under_the_teeth_for(symbol: str) -> None:
    phones = say("a", symbol, "a")
    weights = shown(articulate(phones))
    assert tuck_mm(weights)[at(phones, 1)] < 1
    assert gap_mm(weights)[at(phones, 1)] > 1.5


def test_only_bilabials_close_the_lips() -> None:
    for symbol in set(PHONES) - {"p", "b", "m", "sil"}:
        phones = say("a", symbol, "a")
        assert gap_mm(shown(articulate(phones)))[at(phones, 1)] > 1, symbol


def test_open_vowels_open_further_than_close_ones() -> None:
    jaw = {symbol: shown(articulate(say("t", symbol, "t")))[:, ARKIT_INDEX["jawOpen"]].max() for symbol in "iea"}
    assert jaw["a"] > jaw["e"] > jaw["i"]


def test_sibilants_narrow_the_jaw_among_open_vowels() -> None:
    phones = say("a", "s", "a")
    jaw = shown(articulate(phones))[:, ARKIT_INDEX["jawOpen"]]
    assert jaw[at(phones, 1)] < 0.6 * jaw.max()


def test_rounding_begins_before_the_round_vowel() -> None:
    neutral, rounded = (say("t", vowel, each_s=0.15) for vowel in ("i", "u"))
    before = at(rounded, 0)
    forward = [protrusion_mm(shown(articulate(phones)))[before] for phones in (neutral, rounded)]
    assert forward[1] > forward[0] + 0.5


def test_silence_is_rest() -> None:
    weights = shown(articulate((), duration_s=1.0))
    assert len(weights) == 60
    assert np.abs(weights).max() == 0


def test_after_speech_the_mouth_comes_to_rest() -> None:
    weights = shown(articulate(say("a"), duration_s=2.0))
    assert gap_mm(weights[-10:]).max() < 0.1


def test_stress_and_loudness_open_wider() -> None:
    def jaw(stress: float, loud_db: float) -> float:
        phones = say("t", "a", "t", stress=stress)
        loud = np.full(60, loud_db, np.float32)
        return float(shown(articulate(phones, loudness_db=loud))[:, ARKIT_INDEX["jawOpen"]].max())

    assert jaw(1, 0) > jaw(0, 0)
    assert jaw(0, 6) > jaw(0, 0) > jaw(0, -10)


def test_curves_are_smooth_and_within_bounds() -> None:
    phones = say(*"mamipufasetuk", each_s=0.08)
    mouth = articulate(phones, rate_hz=240)
    weights = np.stack([each.weights for each in mouth])
    assert weights.min() >= 0
    assert weights.max() <= 1
    assert np.abs(np.diff(weights, axis=0)).max() < 0.05


def test_the_same_times_give_the_same_curves_at_any_rate() -> None:
    phones = say(*"banana")
    coarse, fine = np.arange(30) / 30, np.arange(120) / 120
    few, many = (mouth_curves(phones, times)[0] for times in (coarse, fine))
    np.testing.assert_allclose(many[::4], few, atol=0.01)
    assert few.shape[1] == len(CONTROLS)
