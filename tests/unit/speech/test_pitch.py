"""The pitch tracker hears tones and vowels to a few cents, and no pitch where there is none."""

import numpy as np
import pytest
from scipy.signal import lfilter

from avatar3d.speech.performance.pitch import HOP, RATE_HZ, PitchTracker

FORMANTS = {
    "a": ((730, 90), (1090, 110), (2440, 120)),
    "i": ((270, 60), (2290, 100), (3010, 120)),
    "u": ((300, 60), (870, 100), (2240, 120)),
}


def track(sound: np.ndarray) -> np.ndarray:
    tracker, heard = PitchTracker(), []
    for start in range(0, len(sound) - HOP + 1, HOP):
        tracker = tracker.step(sound[start : start + HOP].astype(np.float32))
        heard.append(tracker.hz)
    return np.array(heard)


def vowel(pitch_hz: np.ndarray, name: str) -> np.ndarray:
    """Harmonics with a falling spectrum through formant resonators (Klatt 1980)."""
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    sound = sum(np.cos(k * phase) for k in range(1, int(7600 / pitch_hz.max()) + 1))
    sound = lfilter([1], [1, -0.97], sound)
    for hz, width in FORMANTS[name]:
        radius = np.exp(-np.pi * width / RATE_HZ)
        sound = lfilter([1 - radius], [1, -2 * radius * np.cos(2 * np.pi * hz / RATE_HZ), radius**2], sound)
    sound -= sound.mean()
    return 0.3 * sound / np.abs(sound).max()


def cents(heard: np.ndarray, true_hz: np.ndarray | float) -> np.ndarray:
    return 1200 * np.log2(heard / true_hz)


@pytest.mark.parametrize("hz", [65, 100, 180, 250, 400, 600])
def test_a_tone_is_told_to_a_few_cents(hz: int) -> None:
    heard = track(0.3 * np.sin(2 * np.pi * hz * np.arange(8000) / RATE_HZ))[4:]
    assert (heard > 0).all()
    assert np.abs(cents(heard, hz)).max() < 10


@pytest.mark.parametrize("name", FORMANTS)
@pytest.mark.parametrize("hz", [70, 120, 220, 350, 500])
def test_a_vowel_is_told_in_its_octave_even_in_noise(name: str, hz: int) -> None:
    sound = vowel(np.full(12000, float(hz)), name)
    noise = np.random.default_rng(hz).normal(size=len(sound)) * sound.std() / 10**0.5
    for heard in (track(sound)[8:], track(sound + noise)[8:]):
        assert (heard > 0).mean() > 0.95
        wrong = np.abs(cents(heard[heard > 0], hz)) > 50
        assert wrong.mean() < 0.1, heard


def test_a_glide_with_vibrato_is_followed() -> None:
    at = np.arange(32000) / RATE_HZ
    true = 200 * 2 ** (0.5 * np.sin(np.pi * at) + 0.05 * np.sin(2 * np.pi * 5.5 * at))
    heard = track(vowel(true, "a"))
    middle = (np.arange(len(heard)) + 1) * HOP - 280  # what is told lies in the window's middle
    error = cents(heard[8:], true[middle[8:]])
    assert np.median(np.abs(error)) < 10
    assert np.percentile(np.abs(error), 95) < 60


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(0).normal(size=48000)
    assert (track(0.1 * noise) > 0).mean() < 0.03
    assert not track(1e-4 * noise).any()
    assert not track(np.zeros(16000)).any()


def test_gain_and_a_constant_offset_change_nothing() -> None:
    sound = vowel(np.full(16000, 130.0), "a")
    for gain in (0.03, 1.0, 3.0):
        assert np.abs(cents(track(gain * sound)[4:], 130)).max() < 10
    heard = track(sound + 0.9)
    assert np.abs(cents(heard[4:], 130)).max() < 10


def test_broken_samples_are_silence() -> None:
    sound = vowel(np.full(16000, 130.0), "a")
    sound[5000:5400] = np.nan
    sound[6000] = np.inf
    heard = track(sound)
    assert np.isfinite(heard).all()
    assert np.abs(cents(heard[30:], 130)).max() < 10


def test_what_comes_later_changes_nothing_and_a_kept_state_goes_on_alike() -> None:
    sound = vowel(np.linspace(100, 200, 16000), "a").astype(np.float32)
    other = sound.copy()
    other[8000:] = 0
    np.testing.assert_array_equal(track(sound)[:25], track(other)[:25])
    kept = PitchTracker()
    for start in range(0, 3200, HOP):
        kept = kept.step(sound[start : start + HOP])
    first, second = kept.step(sound[3200:3520]), kept.step(sound[3200:3520])
    assert first.hz == second.hz > 0
