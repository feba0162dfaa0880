"""Every row of the bad-input corpus that is about sound (A01 to A31): its right end, and words that help.

The rows whose right end is to be heard stand in test_sound.
"""

import os
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.errors import InputError
from avatar3d.speech.sound import mp3 as sound_mp3
from avatar3d.speech.sound.open import RATE_HZ, open_sound
from tests.unit.speech.sound_files import (
    away_from_ends,
    encoded,
    floats,
    heard,
    pcm16,
    voice,
    wav,
    written,
)

TWO_SECONDS = voice(seconds=2)


def refusal(path: Path, **asked: bool) -> InputError:
    """The error this file ends in, checked for what every error owes."""
    with pytest.raises(InputError) as refused:
        heard(open_sound(path, **asked))
    error = refused.value
    assert error.message.startswith(f'"{path.name}"')
    assert error.file == str(path)
    assert error.message.endswith(".")
    assert error.hint.endswith(".")
    return error


def half(data: bytes, share: float = 0.5) -> bytes:
    return data[: round(len(data) * share)]


def flac(samples: np.ndarray = TWO_SECONDS, rate_hz: int = RATE_HZ) -> bytes:
    return encoded(samples, rate_hz, "FLAC")


def flac_of_unknown_length() -> bytes:
    data = bytearray(flac())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    return bytes(data)


def flac_that_says(rate_hz: int) -> bytes:
    data = bytearray(flac())
    data[18:21] = (rate_hz << 4 | data[20] & 0xF).to_bytes(3, "big")
    return bytes(data)


def mp3(samples: np.ndarray = TWO_SECONDS, rate_hz: int = RATE_HZ) -> bytes:
    return encoded(samples, rate_hz, "MP3")


def vorbis_that_says(*, channels: int | None = None, rate_hz: int | None = None) -> bytes:
    data = bytearray(encoded(TWO_SECONDS, format="OGG", subtype="VORBIS"))
    at = data.index(b"\x01vorbis")
    if channels is not None:
        data[at + 11] = channels
    if rate_hz is not None:
        data[at + 12 : at + 16] = struct.pack("<I", rate_hz)
    return bytes(data)


def extensible(tag: int) -> bytes:
    guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
    layout = struct.pack("<HHIIHHHHI", 0xFFFE, 1, RATE_HZ, 2 * RATE_HZ, 2, 16, 22, 16, 4) + guid
    return b"RIFF\xff\0\0\0WAVEfmt " + struct.pack("<I", 40) + layout + b"data\x04\0\0\0abcd"


BODY = pcm16(TWO_SECONDS)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 8
REFUSED: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "A01 no byte": (lambda: b"", 10, "AUDIO_NOT_SOUND"),
    "A02 twenty bytes": (lambda: b"RIFF\x0c\0\0\0WAVEfmt \x10\0\0\0", 10, "AUDIO_CORRUPT"),
    "A02 twenty bytes of text": (lambda: b"twenty bytes of text", 10, "AUDIO_NOT_SOUND"),
    "A03 a renamed PNG": (lambda: PNG, 10, "AUDIO_NOT_SOUND"),
    "A04 a header only": (lambda: wav(b"")[:36], 16, "AUDIO_EMPTY"),
    "A04 no samples": (lambda: wav(b""), 16, "AUDIO_EMPTY"),
    "A04 no samples, but a comment behind": (lambda: wav(b"", after=b"LIST\x04\0\0\0INFO"), 16, "AUDIO_EMPTY"),
    "A04 no samples in a FLAC": (lambda: flac_of_unknown_length().partition(b"\xff\xf8")[0], 16, "AUDIO_EMPTY"),
    "A04 no samples in an Ogg": (lambda: encoded(np.zeros(0), format="OGG"), 16, "AUDIO_EMPTY"),
    "A08 a FLAC cut in its first frame": (lambda: half(flac(), 0.02), 10, "AUDIO_CORRUPT"),
    "A08 a FLAC cut in its header": (lambda: flac()[:30], 10, "AUDIO_CORRUPT"),
    "A09 an Ogg Vorbis cut": (lambda: half(encoded(TWO_SECONDS, format="OGG")), 10, "AUDIO_TRUNCATED"),
    "A09 an Ogg Vorbis cut early": (lambda: half(encoded(TWO_SECONDS, format="OGG"), 0.1), 10, "AUDIO_TRUNCATED"),
    "A11 an Opus cut": (lambda: half(encoded(TWO_SECONDS, format="OGG", subtype="OPUS")), 10, "AUDIO_TRUNCATED"),
    "A12 no channel": (lambda: wav(BODY, channels=0), 10, "AUDIO_CORRUPT"),
    "A12 no channel in an Ogg": (lambda: vorbis_that_says(channels=0), 10, "AUDIO_CORRUPT"),
    "A13 65,535 channels": (lambda: wav(BODY, channels=65535), 10, "AUDIO_CORRUPT"),
    "A13 nine channels": (lambda: wav(BODY, channels=9), 12, "AUDIO_CHANNELS"),
    "A14 rate 0": (lambda: wav(BODY, rate_hz=0), 10, "AUDIO_CORRUPT"),
    "A14 rate 0 in a FLAC": (lambda: flac_that_says(0), 10, "AUDIO_CORRUPT"),
    "A14 rate 0 in an Ogg": (lambda: vorbis_that_says(rate_hz=0), 10, "AUDIO_CORRUPT"),
    "A15 rate 4e9": (lambda: wav(BODY, rate_hz=4_000_000_000), 10, "AUDIO_CORRUPT"),
    "A15 rate 4e9 in an Ogg": (lambda: vorbis_that_says(rate_hz=4_000_000_000), 10, "AUDIO_CORRUPT"),
    "A15 rate 384,000": (lambda: wav(BODY, rate_hz=384_000), 12, "AUDIO_RATE"),
    "A15 rate 655,350 in a FLAC": (lambda: flac_that_says(655_350), 12, "AUDIO_RATE"),
    "A15 rate 100": (lambda: wav(BODY, rate_hz=100), 12, "AUDIO_RATE"),
    "A23 NaN": (lambda: floats(np.array([0, 0.1, np.nan, 0.2])), 16, "AUDIO_NONFINITE"),
    "A23 infinity": (lambda: floats(np.array([0, 0.1, -np.inf, 0.2])), 16, "AUDIO_NONFINITE"),
    "A23 a double beyond a float": (
        lambda: wav(np.array([0, 1e300]).tobytes(), tag=3, bits=64),
        16,
        "AUDIO_NONFINITE",
    ),
    "A29 IMA ADPCM": (lambda: wav(BODY, tag=0x11, bits=4), 11, "AUDIO_FORMAT"),
    "A29 IMA ADPCM by its long name": (lambda: extensible(0x11), 11, "AUDIO_FORMAT"),
    "A29 mu-law": (lambda: wav(BODY, tag=7, bits=8), 11, "AUDIO_FORMAT"),
    "samples of 48 bits": (lambda: wav(BODY, bits=48), 11, "AUDIO_FORMAT"),
    "two layouts that disagree": (lambda: wav(BODY, before=b"fmt \x02\0\0\0\x11\0"), 10, "AUDIO_CORRUPT"),
    "a frame of another size than its samples": (
        lambda: wav(BODY).replace(b"\x02\0\x10\0", b"\x03\0\x10\0"),
        10,
        "AUDIO_CORRUPT",
    ),
    "A31 another rate in mid-MP3": (lambda: mp3() + mp3(voice(24_000, 2), 24_000), 10, "AUDIO_CHANGES"),
    "A31 another number of channels in mid-MP3": (
        lambda: mp3() + mp3(np.stack([TWO_SECONDS] * 2, 1)),
        10,
        "AUDIO_CHANGES",
    ),
    "A31 another rate in mid-Ogg": (
        lambda: encoded(TWO_SECONDS, format="OGG") + encoded(voice(24_000), 24_000, "OGG"),
        10,
        "AUDIO_CHANGES",
    ),
    "an AIFF": (lambda: encoded(TWO_SECONDS, format="AIFF", subtype="PCM_16"), 11, "AUDIO_FORMAT"),
    "an Ogg of another kind": (
        lambda: encoded(TWO_SECONDS, format="OGG").replace(b"\x01vorbis", b"Speex  "),
        11,
        "AUDIO_FORMAT",
    ),
}


@pytest.mark.parametrize("row", REFUSED)
def test_what_cannot_be_used_is_refused_in_words(row: str, tmp_path: Path) -> None:
    make, code, id = REFUSED[row]
    error = refusal(written(tmp_path / "take 1.wav", make()))
    assert (error.exit_code, error.id) == (code, id), error.message


def test_a_wav_beyond_4_gb_that_was_written_to_a_pipe_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with path.open("wb") as file:
        file.write(wav(b"", channels=8, rate_hz=48_000, declared=0xFFFFFFFF, riff_size=0xFFFFFFFF))
        file.truncate(44 + 7000 * 48_000 * 16)
    with open_sound(path, strict=True) as sound:
        assert sound.duration_s == 7000


def test_a_cut_wav_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    """A05."""
    for data in (wav(BODY), encoded(TWO_SECONDS, format="W64"), encoded(TWO_SECONDS, format="RF64")):
        path = written(tmp_path / "a.wav", half(data))
        sound = open_sound(path)
        assert sound.warnings == ("The sound breaks off after 1.0 of 2.0 seconds; what is there is used.",)
        assert sound.duration_s == pytest.approx(1, abs=0.01)
        assert len(heard(sound)) == pytest.approx(RATE_HZ, abs=100)
        error = refusal(path, strict=True)
        assert (error.exit_code, error.id) == (10, "AUDIO_TRUNCATED")
        assert "after 1.0 of 2.0 seconds" in error.message
        assert "--strict" in error.hint


def test_a_wav_written_to_a_pipe_is_whole(tmp_path: Path) -> None:
    """A06."""
    for declared, riff_size in ((0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFF000, 0x7FFFF024), (0xFFFFFFDB, 0xFFFFFFFF), (0, 0)):
        sound = open_sound(written(tmp_path / "a.wav", wav(BODY, declared=declared, riff_size=riff_size)), strict=True)
        assert len(heard(sound)) == 2 * RATE_HZ
        assert sound.warnings == ()


@pytest.mark.parametrize("kind", ["RF64", "W64"])
def test_a_wav_beyond_4_gb_is_heard_to_its_end(kind: str, tmp_path: Path) -> None:
    """A07: two hours of eight channels, five gigabytes of holes after one second of voice."""
    rate_hz, channels, size = 48_000, 8, 5_376_000_000
    frame_bytes = 2 * channels
    layout = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * frame_bytes, frame_bytes, 16)
    if kind == "RF64":
        sizes = struct.pack("<QQQI", size + 80, size, size // frame_bytes, 0)
        head = b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<I", 28) + sizes
        head += b"fmt " + struct.pack("<I", 16) + layout + b"data\xff\xff\xff\xff"
    else:
        rest = bytes.fromhex("f3acd3118cd100c04f8edb8a")
        head = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000") + struct.pack("<Q", size + 104) + b"wave" + rest
        head += b"fmt " + rest + struct.pack("<Q", 40) + layout + b"data" + rest + struct.pack("<Q", size + 24)
    path = tmp_path / "a.wav"
    with path.open("wb") as file:
        file.write(head)
        file.write(pcm16(np.repeat(voice(rate_hz)[:, None], channels, 1)))
        file.truncate(len(head) + size)
    with open_sound(path, strict=True) as sound:
        assert sound.duration_s == size / frame_bytes / rate_hz == 7000
        assert sound.warnings == ()
        first = next(sound.original())
        np.testing.assert_allclose(first[:, 7], voice(rate_hz)[: len(first)], atol=1e-4)


@pytest.mark.parametrize("make", [flac, flac_of_unknown_length])
def test_a_cut_flac_is_used_as_far_as_it_goes(make: Callable[[], bytes], tmp_path: Path) -> None:
    """A08."""
    path = written(tmp_path / "a.flac", half(make()))
    sound = open_sound(path)
    out = heard(sound)
    whole = heard(open_sound(written(tmp_path / "whole.flac", make())))
    assert 0.7 * RATE_HZ < len(out) < 1.3 * RATE_HZ
    assert len(out) % 4096 == 0  # no frame of FLAC is lost or made up
    np.testing.assert_array_equal(out, whole[: len(out)])
    of = "" if make is flac_of_unknown_length else " of 2.0"
    assert sound.warnings == (
        f"The sound breaks off after {len(out) / RATE_HZ:.1f}{of} seconds; what is there is used.",
    )
    error = refusal(path, strict=True)
    assert (error.exit_code, error.id) == (10, "AUDIO_TRUNCATED")


def test_a_flac_of_unknown_length_is_whole(tmp_path: Path) -> None:
    sound = open_sound(written(tmp_path / "a.flac", flac_of_unknown_length()), strict=True)
    assert sound.duration_s is None
    assert len(heard(sound)) == 2 * RATE_HZ
    assert sound.warnings == ()


def test_an_ogg_that_ends_between_two_pages_is_used_and_told(tmp_path: Path) -> None:
    data = encoded(voice(seconds=20), format="OGG")
    path = written(tmp_path / "a.ogg", data[: data.rindex(b"OggS")])
    sound = open_sound(path)
    assert RATE_HZ < len(heard(sound)) < 20 * RATE_HZ
    assert any("breaks off" in warning for warning in sound.warnings)
    assert refusal(path, strict=True).id == "AUDIO_TRUNCATED"


@pytest.mark.parametrize("noted", [True, False])
def test_a_cut_mp3_is_used_as_far_as_it_goes(noted: bool, tmp_path: Path) -> None:
    """A10."""
    data = mp3()
    whole = heard(open_sound(written(tmp_path / "whole.mp3", data)))
    path = written(tmp_path / "a.mp3", half(data if noted else _without_its_note(data), 0.49))
    sound = open_sound(path)
    out = heard(sound)
    where = r"after [01]\.\d of 2\.\d seconds" if noted else r"in the middle of the sound, after [01]\.\d seconds"
    assert len(sound.warnings) == 1
    assert re.search(where, sound.warnings[0])
    assert 0.8 * RATE_HZ < len(out) < 1.3 * RATE_HZ
    if noted:
        assert away_from_ends(out, whole[: len(out)]) < 1e-3
    error = refusal(path, strict=True)
    assert (error.exit_code, error.id) == (10, "AUDIO_TRUNCATED")


def test_an_mp3_is_heard_to_its_end_whatever_its_encoder_noted(tmp_path: Path) -> None:
    """mpg123 alone stops after a sixth of such a file: it guesses the length from the first frames."""
    noise = np.random.default_rng(0).normal(0, 0.2, RATE_HZ).astype(np.float32)
    samples = np.concatenate([noise, np.zeros(8 * RATE_HZ, np.float32), voice()])
    data = encoded(samples, format="MP3", bitrate_mode="VARIABLE", compression_level=0.3)
    lies = bytearray(data)
    at = data.index(b"Xing")
    lies[at + 8 : at + 12] = struct.pack(">I", 20)
    for made in (_without_its_note(data), bytes(lies)):
        sound = open_sound(written(tmp_path / "a.mp3", made), strict=True)
        out = heard(sound)
        assert len(out) == pytest.approx(len(samples), abs=2500)
        assert np.abs(out[-RATE_HZ // 2 :]).max() > 0.1
        assert sound.warnings == ()


def test_tags_and_a_second_recording_of_the_same_kind_belong_to_an_mp3(tmp_path: Path) -> None:
    tag = b"ID3\x04\0\0\0\0\x0f\x76" + b"\xff\xfb\x90\x64" * 509 + bytes(10)
    last = b"TAG" + b"\xff\xfb\x90\x64" * 31 + b"\0"
    sound = open_sound(written(tmp_path / "a.mp3", tag + mp3() + last), strict=True)
    assert len(heard(sound)) == 2 * RATE_HZ
    assert sound.warnings == ()
    glued = heard(open_sound(written(tmp_path / "a.mp3", tag + mp3() + last + tag + mp3()), strict=True))
    assert len(glued) == pytest.approx(4 * RATE_HZ, abs=4000)


def test_an_mp3_full_of_false_beginnings_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_mp3, "_MOST_TRIES", 2000)  # the type checks of these tests make each try slow
    for noise in (b"\xff", b"\xff\xfb\x90\x64"):
        assert refusal(written(tmp_path / "a.mp3", mp3() + noise * 3000)).id == "AUDIO_CORRUPT"


def test_a_flac_behind_a_tag_is_heard(tmp_path: Path) -> None:
    tag = b"ID3\x04\0\0\0\0\x00\x0a" + bytes(10)
    assert len(heard(open_sound(written(tmp_path / "a.flac", tag + flac()), strict=True))) == 2 * RATE_HZ


def test_a_lying_adpcm_of_100_gigabytes_is_refused_at_once(tmp_path: Path) -> None:
    """A29, CVE-2026-37555: 50,001 samples in each of 100,000 blocks, in a file of holes."""
    layout = struct.pack("<HHIIHHHH", 0x11, 1, RATE_HZ, RATE_HZ, 25_000, 4, 2, 50_001)
    head = (
        b"RIFF\xff\xff\xff\xffWAVEfmt "
        + struct.pack("<I", 20)
        + layout
        + b"fact\4\0\0\0"
        + struct.pack("<I", 50_001 * 100_000 & 0xFFFFFFFF)
    )
    path = tmp_path / "a.wav"
    with path.open("wb") as file:
        file.write(head + b"data" + struct.pack("<I", 25_000 * 100_000))
        file.truncate(25_000 * 100_000)
    error = refusal(path)
    assert (error.exit_code, error.id) == (11, "AUDIO_FORMAT")
    assert "IMA ADPCM" in error.message


def test_no_wav_ever_reaches_libsndfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(*_: object) -> None:
        raise AssertionError("libsndfile was asked")

    files = [
        written(tmp_path / f"{format}.wav", encoded(voice(), format=format))
        for format in ("WAV", "WAVEX", "RF64", "W64")
    ]
    monkeypatch.setattr("soundfile.SoundFile.__init__", reached)
    for path in files:
        assert len(heard(open_sound(path))) == RATE_HZ


def test_more_than_a_day_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with path.open("wb") as file:
        file.write(wav(b"", rate_hz=8000, bits=8, declared=0xFFFFFFFF, riff_size=0xFFFFFFFF))
        file.truncate(44 + 8000 * 3600 * 24 + 1)
    error = refusal(path)
    assert (error.exit_code, error.id) == (12, "AUDIO_TOO_LONG")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_or_a_device_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path / "pipe.wav", tmp_path, Path("/dev/zero")):
        with pytest.raises(InputError) as refused:
            open_sound(path)
        assert (refused.value.exit_code, refused.value.id) == (10, "FILE_NOT_REGULAR")


def test_a_path_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    for path, id in ((tmp_path / "none.wav", "FILE_MISSING"), (tmp_path / "loop.wav", "FILE_UNREADABLE")):
        with pytest.raises(InputError) as refused:
            open_sound(path)
        assert (refused.value.exit_code, refused.value.id) == (10, id)


def test_any_name_will_do(tmp_path: Path) -> None:
    for name in ("-o", "a b.txt", "ä\N{GRINNING FACE}.wav", "x" * 250):
        assert len(heard(open_sound(written(tmp_path / name, wav(BODY))))) == 2 * RATE_HZ


def _without_its_note(data: bytes) -> bytes:
    """An MP3 without the first frame, in which LAME notes the length."""
    second = data.index(data[:2], 4)
    while data[second : second + 2] != data[:2] or b"LAME" not in data[:second]:
        second = data.index(data[:2], second + 1)
    return data[second:]
