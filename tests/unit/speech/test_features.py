import numpy as np

from avatar3d.speech.network.features import FEATURES, RATE_HZ, STEP, hear, hearing_at_start, mel_db, mel_matrix
from avatar3d.speech.train.hearings import features_of


def heard(samples: np.ndarray) -> np.ndarray:
    state, rows = hearing_at_start(), []
    for at in range(0, len(samples), STEP):
        state, features, _ = hear(state, samples[at : at + STEP])
        rows.append(features)
    return np.stack(rows)


def tone(hz: float, level: float = 0.1, seconds: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def test_a_tone_is_heard_in_its_band_at_its_level() -> None:
    bands = mel_db(tone(1000)[2000:2400])
    peak = int(np.argmax(bands))
    assert mel_matrix()[round(1000 / RATE_HZ * 512), peak] > 0.3
    assert abs(bands[peak] + 20) < 4


def test_every_band_hears_something() -> None:
    assert (mel_matrix().sum(axis=0) > 0).all()


def test_loud_and_quiet_sound_alike_once_the_level_has_followed() -> None:
    loud, quiet = (heard(tone(700, level, 4.0))[-20:] for level in (0.5, 0.05))
    np.testing.assert_allclose(loud, quiet, atol=0.2)


def test_faint_noise_stays_far_below_speech() -> None:
    noise = np.random.default_rng(0).normal(size=RATE_HZ * 20).astype(np.float32) * np.float32(1e-4)
    assert heard(noise)[-50:].max() < -0.4
    assert heard(tone(300))[-50:].max() > 0


def test_streaming_and_whole_hear_the_same() -> None:
    samples = np.random.default_rng(1).normal(size=STEP * 40).astype(np.float32) * np.float32(0.1)
    np.testing.assert_allclose(heard(samples), features_of(samples), atol=1e-5)
    assert heard(samples).shape == (40, FEATURES)


def test_a_step_does_not_hear_the_future() -> None:
    samples = np.random.default_rng(2).normal(size=STEP * 20).astype(np.float32)
    changed = samples.copy()
    changed[STEP * 10 :] = 0
    np.testing.assert_array_equal(heard(samples)[:10], heard(changed)[:10])
