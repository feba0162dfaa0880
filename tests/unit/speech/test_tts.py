"""Voices by name, texts made harmless, and the system's own voice as far as it can be tested without it."""

import base64
import wave
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.audio import AudioChunk
from avatar3d.core.errors import AudioUnusableError, LimitError, UsageError
from avatar3d.speech.marks.visemes import phones_from_marks
from avatar3d.speech.phones import Phone
from avatar3d.speech.voices import tts
from avatar3d.speech.voices.system_voice import (
    SystemVoice,
    choose_voice,
    read_pieces,
    sapi_command,
    say_command,
    voices_of_sapi,
    voices_of_say,
)
from avatar3d.speech.voices.texts import LONGEST_WORD, speakable, without_controls
from avatar3d.speech.voices.tts import TTS, Spoken, VisemeMark, load_voice, voice_names


class Hummer:
    """The smallest voice a third party could write."""

    languages = ("en",)

    def speak(
        self, text: str, *, language: str = "en", voice: str = "", rate: float = 1.0, pitch: float = 1.0
    ) -> Iterator[Spoken]:
        for index, _ in enumerate(text):
            mark = VisemeMark("oculus", "PP", index * 0.1, (index + 1) * 0.1)
            yield Spoken(AudioChunk(index * 0.1, 16000, np.zeros(1600, np.float32)), (mark,))


def make_hummer() -> Hummer:
    return Hummer()


def test_a_package_adds_a_voice_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("hummer", f"{__name__}:make_hummer", "avatar3d.voices")
    taken = EntryPoint("espeak", f"{__name__}:make_hummer", "avatar3d.voices")
    monkeypatch.setattr(tts, "entry_points", lambda group: (point, taken) if group == "avatar3d.voices" else ())
    monkeypatch.setattr(tts, "import_module", lambda name: __import__("types").SimpleNamespace(make_hummer=make_hummer))
    voice = load_voice("hummer")
    assert isinstance(voice, TTS)
    assert voice_names() == ("espeak", "hummer", "system")
    assert tts._known()["espeak"] == "avatar3d.speech.voices.espeak:Espeak"
    marks = [mark for piece in voice.speak("mmm") for mark in piece.marks]
    assert phones_from_marks(marks) == tuple(Phone("m", at / 10, (at + 1) / 10) for at in range(3)) or len(marks) == 3


def test_an_unknown_voice_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="espeak, system"):
        load_voice("hal9000")


def test_controls_become_blanks_and_nothing_moves() -> None:
    text = "a\x00b\x01\ud800c\u0085d\ne\u200df"
    clean = without_controls(text)
    assert clean == "a b  c d\ne\u200df"
    clean.encode()


def test_too_long_a_text_is_refused() -> None:
    with pytest.raises(LimitError):
        without_controls("x" * 100_001)


def test_endless_words_are_broken_and_found_again_in_the_source() -> None:
    text = "hello " + "x" * 150 + " boat"
    spoken = speakable(text)
    assert max(map(len, spoken.text.split())) == LONGEST_WORD
    place = spoken.text.index("boat")
    assert spoken.said(place, 4) == ("boat", text.index("boat"))


def test_ordinary_texts_are_not_touched() -> None:
    for text in (
        "It costs 3.50 at example.com, Dr. Smith said.",
        "我们去北京。" * 40,
        "Straße, naïve, l'été!\nNew line",
    ):
        assert speakable(text).text == text


def test_many_inner_dots_end_the_clause() -> None:
    spoken = speakable("a." * 250)
    assert spoken.text.count("\n\n") == 2
    assert spoken.text.replace("\n\n", "").replace(" ", "") == "a." * 250


def test_a_place_beyond_the_text_is_its_end() -> None:
    assert speakable("abc").said(10, 5) == ("", 3)
    assert speakable("abc").said(-3, 2) == ("", 0)


def test_say_gets_the_text_by_stdin_and_never_as_an_argument() -> None:
    command = say_command("hello [[rate 900]]; rm -rf", "Anna", 1.5, Path("/tmp/x.wav"))
    assert command.words[:5] == ("say", "-v", "Anna", "-r", "262")
    assert not any("hello" in word for word in command.words)
    assert command.stdin == b"hello [ [rate 900]]; rm -rf"
    assert "--file-format=WAVE" in command.words


def test_powershell_gets_every_choice_by_the_environment() -> None:
    command = sapi_command("hi'; exit", "Evil'; Remove-Item", 3.0, Path("out.wav"))
    script = base64.b64decode(command.words[-1]).decode("utf-16-le")
    assert command.words[:4] == ("powershell", "-NoProfile", "-NonInteractive", "-EncodedCommand")
    assert "Remove-Item" not in script
    assert "hi" not in command.words
    assert command.environment == {
        "AVATAR3D_VOICE": "Evil'; Remove-Item",
        "AVATAR3D_RATE": "10",
        "AVATAR3D_OUT": "out.wav",
    }
    assert command.stdin == b"hi'; exit"
    assert sapi_command("", "x", 1 / 3, Path("o")).environment["AVATAR3D_RATE"] == "-10"


def test_a_rate_beyond_the_systems_is_refused() -> None:
    with pytest.raises(UsageError):
        say_command("", "Anna", 10.0, Path("x"))


def test_the_lists_of_voices_are_read() -> None:
    said = "Alex                en_US    # Most people recognize me\nAnna (Premium)      de_DE    # Hallo!\nEddy (Deutsch (Deutschland)) de_DE # x\n"
    assert voices_of_say(said) == (
        ("Alex", "en-US"),
        ("Anna (Premium)", "de-DE"),
        ("Eddy (Deutsch (Deutschland))", "de-DE"),
    )
    assert voices_of_sapi("Microsoft Zira Desktop\ten-US\r\n\r\nbroken\r\n") == (("Microsoft Zira Desktop", "en-US"),)


def test_a_voice_is_chosen_by_name_or_language() -> None:
    voices = (("Alex", "en-US"), ("Anna", "de-DE"))
    assert choose_voice(voices, "de") == "Anna"
    assert choose_voice(voices, "en_us") == "Alex"
    assert choose_voice(voices, "fr", "Alex") == "Alex"
    with pytest.raises(UsageError, match="de-DE, en-US"):
        choose_voice(voices, "fr")
    with pytest.raises(UsageError, match="Alex, Anna"):
        choose_voice(voices, "en", "Bob")


def test_a_system_without_a_voice_says_so() -> None:
    with pytest.raises(UsageError, match="linux"):
        SystemVoice("linux")


def test_a_pitch_that_nobody_can_give_is_refused() -> None:
    with pytest.raises(UsageError, match="pitch"):
        SystemVoice("darwin").speak("hi", pitch=1.2)


def test_a_wave_file_comes_in_pieces_with_their_times(tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes((np.arange(5000) - 2500).astype("<i2").tobytes())
    pieces = list(read_pieces(path))
    assert [piece.audio.time_s for piece in pieces] == pytest.approx([0, 0.1, 0.2])
    assert np.concatenate([piece.audio.samples for piece in pieces])[0] == pytest.approx(-2500 / 32768)
    assert all(piece.marks == () for piece in pieces)


def test_a_file_that_the_system_did_not_write_is_an_error(tmp_path: Path) -> None:
    for name, content in (("none.wav", None), ("empty.wav", b""), ("text.wav", b"not a wave file at all")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(AudioUnusableError):
            list(read_pieces(tmp_path / name))
