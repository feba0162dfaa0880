"""What the shipped network hears, on synthetic voices: a quick watch over the weights. bench/speech.py has real, unseen ones."""

import numpy as np
import pytest

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.speech.animate import hear_chunks
from avatar3d.speech.lips import gap_mm, seal
from avatar3d.speech.network.features import RATE_HZ
from avatar3d.speech.network.model import load_network
from avatar3d.speech.train.curves import built_from, flapping, heard_by
from avatar3d.speech.train.evaluate import score
from tests.unit.speech.sentences import say_sentences


@pytest.fixture(scope="module")
def scores():
    said = say_sentences()
    reference = built_from(said)
    return {
        "network": score(heard_by(load_network(), said), reference),
        "flapping": score(flapping(said), reference),
    }


def mouth(samples: np.ndarray) -> np.ndarray:
    found = [each for each, _ in hear_chunks(load_network(), [AudioChunk(0.0, RATE_HZ, samples.astype(np.float32))])]
    return np.stack([seal(each.weights, each.closed, each.tucked) for each in found])


def test_lips_close_for_p_b_m_and_tuck_for_f_v(scores) -> None:
    assert scores["network"].lips.closure_recall > 0.85
    assert scores["network"].lips.tuck_recall > 0.7
    assert scores["network"].lips.false_in_vowels < 0.2  # in sentences full of short vowels between lips


def test_the_network_is_far_above_a_flapping_jaw(scores) -> None:
    assert scores["network"].total > scores["flapping"].total + 25


def test_the_mouth_is_in_time(scores) -> None:
    assert abs(scores["network"].lag_ms) < 20


def test_silence_and_faint_noise_leave_the_mouth_at_rest() -> None:
    rng = np.random.default_rng(0)
    for samples in (np.zeros(3 * RATE_HZ), 1e-4 * rng.normal(size=3 * RATE_HZ)):
        assert np.abs(mouth(samples)).max() <= 0.02


def test_a_sung_vowel_holds_the_mouth_open() -> None:
    time_s = np.arange(3 * RATE_HZ) / RATE_HZ
    harmonics = np.arange(1, 36)
    hz = 130 * harmonics
    formants = sum(np.exp(-(((hz - at) / width) ** 2)) for at, width in ((730, 180), (1090, 220), (2440, 350)))
    voice = (formants / harmonics**0.4) @ np.sin(2 * np.pi * np.outer(hz, time_s))
    jaw = mouth(0.2 * voice / np.abs(voice).max())[50:-20, ARKIT_INDEX["jawOpen"]]
    assert jaw.mean() > 0.08
    assert gap_mm(mouth(0.2 * voice / np.abs(voice).max())[50:-20]).mean() > 3
