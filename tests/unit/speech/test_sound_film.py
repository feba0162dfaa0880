"""The sound of films: in time with their pictures, and refused in words where it cannot be had."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar3d.core.errors import AudioUnusableError, InputError, MissingExtraError
from avatar3d.speech.sound import film as sound_film
from avatar3d.speech.sound.open import RATE_HZ, open_sound
from tests.unit.speech.sound_damage import check_that_damage_is_survived
from tests.unit.speech.sound_files import heard, voice

av: Any = pytest.importorskip("av", reason='needs pip install "avatar3d[video]"')
_CODERS = {"mp4": "aac", "m4a": "aac", "mov": "pcm_s16le", "webm": "libopus", "mkv": "flac"}


def film(
    path: Path,
    samples: np.ndarray,
    *,
    rate_hz: int = 48_000,
    pictures: bool = True,
    late_s: float = 0.0,
    hole_s: float = 0.0,
) -> Path:
    """A film with this sound, its first sample `late_s` after the first picture, a hole in its middle."""
    if path.suffix == ".m4a":
        pictures = False
    with av.open(
        str(path),
        "w",
        format="ipod" if path.suffix == ".m4a" else None,
        options={"movflags": "faststart"} if path.suffix in (".mp4", ".m4a", ".mov") else {},
    ) as container:
        shown: Any = None
        if pictures:
            shown = container.add_stream("libvpx-vp9" if path.suffix == ".webm" else "libx264", rate=25)
            shown.width, shown.height, shown.pix_fmt = 64, 48, "yuv420p"
        track = container.add_stream(_CODERS[path.suffix[1:]], rate=rate_hz, layout="mono")
        for index in range(25 if pictures else 0):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 8 * index, np.uint8), format="rgb24")
            container.mux(shown.encode(picture))
        if shown:
            container.mux(shown.encode())
        whole = np.round(samples * 32767).astype(np.int16)
        for first in range(0, len(whole), 960):
            frame = av.AudioFrame.from_ndarray(whole[None, first : first + 960], format="s16", layout="mono")
            late = late_s + (hole_s if first >= len(whole) // 2 else 0)
            frame.sample_rate, frame.time_base, frame.pts = rate_hz, Fraction(1, rate_hz), first + round(late * rate_hz)
            container.mux(track.encode(frame))
        container.mux(track.encode())
    return path


def shift_s(heard_samples: np.ndarray, samples: np.ndarray) -> float:
    """How much later the one is than the other."""
    length = max(len(heard_samples), len(samples)) * 2
    both = np.fft.irfft(np.fft.rfft(heard_samples, length) * np.conj(np.fft.rfft(samples, length)))
    return float((np.argmax(both) + length // 2) % length - length // 2) / RATE_HZ


def spoken(seconds: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """A voice that is nowhere like itself a moment later, at 48 kHz and at 16."""
    swell = np.random.default_rng(3).uniform(0.1, 1, 64)
    made = []
    for rate_hz in (48_000, RATE_HZ):
        tone = voice(rate_hz, seconds, pitch_hz=97)
        made.append(
            (tone * np.interp(np.arange(len(tone)) / rate_hz, np.linspace(0, seconds, 64), swell)).astype(np.float32)
        )
    return made[0], made[1]


@pytest.mark.parametrize("suffix", _CODERS)
def test_the_sound_of_a_film_is_heard_in_time(suffix: str, tmp_path: Path) -> None:
    at_48, at_16 = spoken()
    sound = open_sound(film(tmp_path / f"a.{suffix}", at_48))
    assert (sound.source_rate_hz, sound.channels) == (48_000, 1)
    assert sound.duration_s == pytest.approx(1.5, abs=0.1)
    out = heard(sound)
    assert len(out) == pytest.approx(1.5 * RATE_HZ, abs=0.05 * RATE_HZ)
    assert abs(shift_s(out, at_16)) < 0.002
    assert sound.warnings == ()


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_sound_that_begins_after_the_pictures_is_heard_after_them(suffix: str, tmp_path: Path) -> None:
    at_48, at_16 = spoken()
    out = heard(open_sound(film(tmp_path / f"a.{suffix}", at_48, late_s=0.4)))
    assert shift_s(out, at_16) == pytest.approx(0.4, abs=0.01)
    assert np.abs(out[: int(0.35 * RATE_HZ)]).max() < 0.01


def test_a_hole_in_the_sound_is_silence(tmp_path: Path) -> None:
    at_48, at_16 = spoken()
    out = heard(open_sound(film(tmp_path / "a.mkv", at_48, hole_s=0.3)))
    assert len(out) == pytest.approx(1.8 * RATE_HZ, abs=0.05 * RATE_HZ)
    half = len(at_16) // 2
    assert shift_s(out[half + int(0.15 * RATE_HZ) :], at_16[half:]) == pytest.approx(0.15, abs=0.01)


def test_a_cut_film_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    for suffix in ("mp4", "mkv"):
        path = film(tmp_path / f"a.{suffix}", spoken(6)[0], pictures=False)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        sound = open_sound(path)
        assert 1.5 * RATE_HZ < len(heard(sound)) < 4.5 * RATE_HZ
        assert any("breaks off after" in warning and "of 6.0 seconds" in warning for warning in sound.warnings)
        with pytest.raises(InputError) as refused:
            heard(open_sound(path, strict=True))
        assert (refused.value.exit_code, refused.value.id) == (10, "AUDIO_TRUNCATED")


@pytest.mark.parametrize("suffix", ["m4a", "mkv"])
def test_a_damaged_film_is_heard_or_refused(suffix: str, tmp_path: Path) -> None:
    path = film(tmp_path / f"a.{suffix}", voice(48_000, 0.3))
    check_that_damage_is_survived(path.read_bytes(), path)


def test_a_film_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        shown = container.add_stream("libx264", rate=25)
        shown.width, shown.height, shown.pix_fmt = 64, 48, "yuv420p"
        container.mux(shown.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        container.mux(shown.encode())
    with pytest.raises(AudioUnusableError, match="no sound track") as refused:
        open_sound(path)
    assert refused.value.exit_code == 16


def test_without_the_extra_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A30."""

    def absent() -> Any:
        raise MissingExtraError("av", "video", "A video")

    path = film(tmp_path / "a.m4a", voice(48_000))
    monkeypatch.setattr(sound_film, "require_av", absent)
    with pytest.raises(InputError) as refused:
        open_sound(path)
    assert (refused.value.exit_code, refused.value.id) == (11, "AUDIO_VIDEO_EXTRA")
    assert 'pip install "avatar3d[video]"' in refused.value.hint
