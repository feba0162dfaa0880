"""The door for sound: what opens is heard in time, in tune and at its level; what cannot be heard well is said."""

import io
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.errors import UsageError
from avatar3d.speech.sound.mono import HighPass
from avatar3d.speech.sound.open import RATE_HZ, open_sound
from tests.unit.speech.sound_files import away_from_ends, encoded, floats, heard, pcm16, voice, wav, written

KINDS = [
    ("WAV", "PCM_U8", 0.02),
    ("WAV", "PCM_16", 1e-4),
    ("WAV", "PCM_24", 1e-5),
    ("WAV", "PCM_32", 1e-5),
    ("WAV", "FLOAT", 1e-5),
    ("WAV", "DOUBLE", 1e-5),
    ("WAVEX", "PCM_16", 1e-4),
    ("W64", "PCM_16", 1e-4),
    ("RF64", "PCM_16", 1e-4),
    ("FLAC", "PCM_16", 1e-4),
    ("OGG", "VORBIS", 0.04),
    ("OGG", "OPUS", 0.04),
    ("MP3", "MPEG_LAYER_III", 0.04),
]


def spoken(samples: np.ndarray) -> np.ndarray:
    """What the high-pass alone makes of it."""
    return HighPass.at(RATE_HZ).step(samples)[1]


@pytest.mark.parametrize(("format", "subtype", "near"), KINDS)
def test_every_kind_is_heard_as_it_was_written(format: str, subtype: str, near: float, tmp_path: Path) -> None:
    samples = voice(48_000)
    path = written(tmp_path / "a", encoded(np.stack([samples, samples], 1), 48_000, format, subtype))
    sound = open_sound(path)
    assert (sound.source_rate_hz, sound.channels, sound.duration_s) == (48_000, 2, pytest.approx(1))
    out = heard(sound)
    assert out.dtype == np.float32
    assert len(out) == RATE_HZ
    assert away_from_ends(out, spoken(voice())) < near
    assert sound.warnings == ()


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 96_000, 192_000])
def test_every_rate_is_heard_at_the_same_instant_and_level(rate_hz: int, tmp_path: Path) -> None:
    out = heard(open_sound(written(tmp_path / "a.wav", wav(pcm16(voice(rate_hz)), rate_hz=rate_hz))))
    assert abs(len(out) - RATE_HZ) <= 1
    assert away_from_ends(out[: RATE_HZ - 1], spoken(voice())[: RATE_HZ - 1]) < 3e-3


def test_what_16_khz_cannot_hold_is_gone_and_not_folded_down(tmp_path: Path) -> None:
    whistle = 0.5 * np.sin(2 * np.pi * 12_000 * np.arange(48_000) / 48_000)
    out = heard(open_sound(written(tmp_path / "a.wav", wav(pcm16(whistle), rate_hz=48_000))))
    assert np.abs(out[800:-800]).max() < 1e-3


@pytest.mark.parametrize(("format", "rate_hz"), [("WAV", 44_100), ("FLAC", 16_000), ("MP3", 48_000)])
def test_the_samples_do_not_depend_on_the_length_of_the_chunks(format: str, rate_hz: int, tmp_path: Path) -> None:
    one = voice(rate_hz, 2.3)
    opposed_later = np.stack([one, np.where(np.arange(len(one)) < rate_hz, one, -one)], 1) + 0.1
    with open_sound(written(tmp_path / "a", encoded(opposed_later, rate_hz, format))) as sound:
        whole = np.concatenate([chunk.samples for chunk in sound.chunks(60)])
        for seconds in (0.0001, 0.02, 0.333, 1.0):
            chunks = list(sound.chunks(seconds))
            np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in chunks]), whole)
            assert all(len(chunk.samples) == len(chunks[0].samples) for chunk in chunks[:-1])
            ends = np.cumsum([0] + [len(chunk.samples) for chunk in chunks[:-1]]) / RATE_HZ
            np.testing.assert_allclose([chunk.time_s for chunk in chunks], ends, atol=1e-9)
            if seconds == 0.0001:
                assert len(chunks[0].samples) == 2


def test_two_readers_of_one_sound_do_not_disturb_each_other(tmp_path: Path) -> None:
    for format in ("WAV", "FLAC", "OGG", "MP3"):
        with open_sound(written(tmp_path / "a", encoded(voice(seconds=3), format=format))) as sound:
            alone = [chunk.samples for chunk in sound]
            for mine, hers, whole in zip(sound, sound.chunks(), alone, strict=True):
                np.testing.assert_array_equal(mine.samples, whole)
                np.testing.assert_array_equal(hers.samples, whole)


def test_the_original_keeps_its_rate_and_its_channels(tmp_path: Path) -> None:
    both = np.stack([voice(44_100), -0.5 * voice(44_100)], 1)
    with open_sound(written(tmp_path / "a.flac", encoded(both, 44_100, "FLAC", "PCM_24"))) as sound:
        blocks = list(sound.original())
        np.testing.assert_allclose(np.concatenate(blocks), both, atol=1e-6)
        assert len(blocks) == 2


def test_one_channel_can_be_chosen(tmp_path: Path) -> None:
    left, right = voice(), voice(pitch_hz=220)
    path = written(tmp_path / "a.wav", encoded(np.stack([left, right], 1)))
    assert away_from_ends(heard(open_sound(path, channel=0)), spoken(left)) < 1e-4
    assert away_from_ends(heard(open_sound(path, channel=1)), spoken(right)) < 1e-4
    assert away_from_ends(heard(open_sound(path)), spoken((left + right) / 2)) < 1e-4
    with pytest.raises(UsageError, match=r"channel 2 .* it has 2\. Give 0 to 1\."):
        open_sound(path, channel=2)


def test_eight_channels_of_24_bits_at_192_khz_are_mixed(tmp_path: Path) -> None:
    """A17."""
    many = np.repeat(voice(192_000)[:, None], 8, 1)
    sound = open_sound(written(tmp_path / "a.wav", encoded(many, 192_000, "WAV", "PCM_24")))
    assert away_from_ends(heard(sound), spoken(voice())) < 1e-3
    assert sound.channels == 8


@pytest.mark.parametrize("format", ["WAV", "MP3"])
def test_opposed_channels_are_not_cancelled(format: str, tmp_path: Path) -> None:
    """A19."""
    left = voice(48_000, 2)
    for offset in (0, 0.3):
        path = written(tmp_path / "a", encoded(np.stack([left, -0.9 * left], 1) + offset, 48_000, format))
        sound = open_sound(path)
        assert away_from_ends(heard(sound), spoken(voice(seconds=2))) < 0.04
        assert any("cancel" in warning for warning in sound.warnings)


def test_channels_that_are_merely_different_are_mixed(tmp_path: Path) -> None:
    noise = np.random.default_rng(4).normal(0, 0.1, (RATE_HZ * 5, 8)).astype(np.float32)
    for channels in (2, 3, 8):
        sound = open_sound(written(tmp_path / "a.wav", encoded(noise[:, :channels])))
        heard(sound)
        assert sound.warnings == ()


def test_an_offset_is_taken_away_without_a_click(tmp_path: Path) -> None:
    """A25."""
    for rate_hz in (16_000, 48_000):
        quiet = 0.05 * voice(rate_hz) + 0.9
        out = heard(open_sound(written(tmp_path / "a.wav", encoded(quiet, rate_hz, "WAV", "FLOAT"))))
        assert np.abs(out).max() < 0.05
        assert abs(out.mean()) < 1e-4
        assert away_from_ends(out, spoken(0.05 * voice())) < 2e-3


def test_the_high_pass_takes_the_offset_and_leaves_the_voice() -> None:
    high_pass = HighPass.at(RATE_HZ)
    for frequency_hz, left in ((2, 0.01), (80, 1), (3000, 1)):
        tone = np.sin(2 * np.pi * frequency_hz * np.arange(4 * RATE_HZ) / RATE_HZ).astype(np.float32)
        _, out = high_pass.step(tone)
        assert np.abs(out[2 * RATE_HZ :]).max() == pytest.approx(left, abs=0.005)


def test_floats_beyond_one_are_made_quieter_by_one_factor(tmp_path: Path) -> None:
    """A24."""
    loud = 7 * voice(seconds=3) / np.abs(voice(seconds=3)).max()
    sound = open_sound(written(tmp_path / "a.wav", floats(loud)))
    assert any("reaches 7 where 1" in warning for warning in sound.warnings)
    assert away_from_ends(heard(sound), spoken(loud / 7)) < 1e-5
    assert not any("clipped" in warning for warning in sound.warnings)
    with open_sound(tmp_path / "a.wav") as again:
        assert np.abs(np.concatenate(list(again.original()))).max() == pytest.approx(1)


@pytest.mark.parametrize("format", ["WAV", "FLAC", "MP3"])
def test_clipping_is_told(format: str, tmp_path: Path) -> None:
    """A22."""
    square = np.sign(np.sin(2 * np.pi * 200 * np.arange(48_000) / 48_000)).astype(np.float32)
    too_loud = np.clip(6 * voice(48_000), -1, 1)
    for samples in (square, too_loud):
        sound = open_sound(written(tmp_path / "a", encoded(samples, 48_000, format)))
        assert np.abs(heard(sound)).max() <= 1
        assert any("clipped" in warning for warning in sound.warnings)


def test_a_loud_tone_is_not_called_clipped(tmp_path: Path) -> None:
    for frequency_hz in (60, 440, 3000):
        tone = np.sin(2 * np.pi * frequency_hz * np.arange(48_000) / 48_000)
        sound = open_sound(written(tmp_path / "a.wav", wav(pcm16(tone), rate_hz=48_000)))
        heard(sound)
        assert sound.warnings == ()


def test_silence_and_what_is_almost_silent_stay_so_and_are_told(tmp_path: Path) -> None:
    """A20, A21."""
    noise = 1e-4 * np.random.default_rng(1).standard_normal(RATE_HZ)
    for samples, level in ((np.zeros(RATE_HZ), 0.0), (noise, 1e-3), (np.full(RATE_HZ, 0.9), 1e-6)):
        sound = open_sound(written(tmp_path / "a.wav", floats(samples)))
        out = heard(sound)
        assert len(out) == RATE_HZ
        assert np.abs(out).max() <= level
        assert any("silent" in warning for warning in sound.warnings)


def test_the_shortest_clip_is_heard(tmp_path: Path) -> None:
    """A28."""
    for format in ("WAV", "FLAC", "OGG", "MP3"):
        clip = voice(48_000, 0.05)
        sound = open_sound(written(tmp_path / "a", encoded(clip, 48_000, format)))
        assert len(heard(sound)) == 800
        assert sound.warnings == ("The sound lasts only 0.05 seconds, less than a syllable.",)
    one = open_sound(written(tmp_path / "a.wav", wav(pcm16(np.full(1, 0.5)))))
    assert len(heard(one)) == 1


def test_a_telephones_band_is_told_at_once(tmp_path: Path) -> None:
    """A16."""
    with open_sound(written(tmp_path / "a.wav", wav(pcm16(voice(8000)), rate_hz=8000))) as sound:
        assert any("8,000 samples per second, nothing above 4 kHz" in warning for warning in sound.warnings)


def test_real_speech_is_heard_without_a_complaint(shared: Path) -> None:
    import soundfile

    files = sorted((shared / "speech" / "librispeech").rglob("*.opus"))
    if not files:
        pytest.skip("no LibriSpeech among the shared inputs")
    for path in files[:: len(files) // 8]:
        sound = open_sound(path)
        out = heard(sound)
        assert sound.warnings == ()
        plain = soundfile.read(path, dtype="float32")[0]
        assert (sound.source_rate_hz, len(out)) == (RATE_HZ, len(plain))
        assert sound.duration_s == len(plain) / RATE_HZ
        assert away_from_ends(out, spoken(plain)) < 0.01


def test_hours_need_no_more_memory_than_seconds(tmp_path: Path) -> None:
    """A27, at a length that a test can wait for: the most memory that minutes hold at once."""
    import tracemalloc

    seconds = 200  # of samples alone, 13 MB
    path = tmp_path / "a.wav"
    with path.open("wb") as file:  # sparse: the disk holds its header only
        file.write(wav(b"", declared=seconds * 2 * RATE_HZ, riff_size=seconds * 2 * RATE_HZ + 36))
        file.truncate(44 + seconds * 2 * RATE_HZ)
    with open_sound(path) as sound:
        for _ in sound.chunks():
            break
        tracemalloc.start()
        assert sum(len(chunk.samples) for chunk in sound) == seconds * RATE_HZ
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 3_000_000  # eight seconds are kept to tell music


def test_a_sound_is_closed_when_it_is_left(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac", encoded(voice(), format="FLAC"))
    with open_sound(path) as sound:
        next(iter(sound))
    with pytest.raises((ValueError, io.UnsupportedOperation)):
        list(sound)
