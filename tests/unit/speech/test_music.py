"""Music is told from speech; a voice alone, speaking or singing, is not taken for it."""

from pathlib import Path

import numpy as np
import pytest

from avatar3d.speech.sound.music import MusicWatch, examine
from avatar3d.speech.sound.open import open_sound
from avatar3d.speech.sound.soxr import resampled
from avatar3d.speech.voices.espeak import Manner, speak_phones
from tests.unit.speech.sound_files import pcm16, wav, written
from tests.unit.speech.tunes import RATE_HZ, tune

SAID = "The quick brown fox jumps over the lazy dog, and then it sleeps for a very long while under the old apple tree."
SUNG = Manner(rate=0.46, note_hz=220)


def voice(manner: Manner) -> np.ndarray:
    samples, rate_hz, _ = speak_phones(SAID, "en-us", manner)
    return np.concatenate(list(resampled([samples], rate_hz, RATE_HZ)))


def warnings(samples: np.ndarray, folder: Path) -> str:
    with open_sound(written(folder / "a.wav", wav(pcm16(samples), rate_hz=RATE_HZ))) as sound:
        for _ in sound:
            pass
        return " ".join(sound.warnings)


@pytest.mark.parametrize(
    "kind", ["organ", "strings", "piano", "arpeggio", "drums", "techno", "guitar", "band", "orchestra"]
)
@pytest.mark.parametrize("bpm", [70, 130])
def test_music_is_told(kind: str, bpm: int, tmp_path: Path) -> None:
    assert "100% of the sound seems to be music" in warnings(tune(kind, 3, 8.0, bpm), tmp_path)


@pytest.mark.parametrize("manner", [Manner(), Manner(variant="f2", rate=1.3), Manner(pitch_range=0), SUNG], ids=str)
def test_a_voice_alone_is_not_music(manner: Manner, tmp_path: Path) -> None:
    assert warnings(voice(manner), tmp_path) == ""


def test_song_with_instruments_is_music_and_speech_over_quiet_music_is_not(tmp_path: Path) -> None:
    music = tune("band", 3, 8.0)
    song, speech = (np.resize(voice(manner), len(music)) for manner in (SUNG, Manner()))
    assert "seems to be music" in warnings(0.5 * song / song.std() * music.std() + 0.5 * music, tmp_path)
    assert "music" not in warnings(0.8 * speech + 0.02 * music, tmp_path)


def test_a_short_jingle_before_a_talk_is_not_told() -> None:
    talk = np.resize(voice(Manner()), 32 * RATE_HZ)
    watch = MusicWatch().step(tune("band", 1, 8.0)).step(talk)
    assert 0 < watch.share() < 0.5


def test_the_same_is_told_whatever_the_pieces() -> None:
    samples = np.concatenate([tune("piano", 2, 9.0), voice(Manner())])
    shares = set()
    for size in (999, 16_000, 300_000):
        watch = MusicWatch()
        for at in range(0, len(samples), size):
            watch = watch.step(samples[at : at + size])
        shares.add(watch.share())
    assert len(shares) == 1


def test_silence_and_noise_and_a_lone_tone_are_not_music() -> None:
    rng = np.random.default_rng(0)
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(8 * RATE_HZ) / RATE_HZ)).astype(np.float32)
    assert examine(np.zeros(8 * RATE_HZ, np.float32)) is None
    for samples in (0.1 * rng.normal(size=8 * RATE_HZ).astype(np.float32), tone):
        span = examine(samples)
        assert span is not None
        assert not span.musical
