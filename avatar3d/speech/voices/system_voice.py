"""The voice that the system brings: `say` on macOS, SAPI on Windows, each in a process of its own, without marks.

    text --stdin--> say / powershell --> a wave file --> Spoken, Spoken, ...

Neither could be run where this was written (Linux): only the command lines and the reading of their lists and files are
tested. They tell no phones, so that the network moves the mouth; and no sound before the whole text is spoken.
"""

import base64
import math
import os
import re
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from avatar3d.core.audio import AudioChunk
from avatar3d.core.errors import AudioUnusableError, UsageError
from avatar3d.speech.voices.texts import without_controls
from avatar3d.speech.voices.tts import Spoken

_RATE_HZ: Final = 22050
_PIECE_S: Final = 0.1
_USUAL_RATE_WPM: Final = 175
"""`man say`: the rate is given in words a minute; 175 is what most of its voices speak."""
_SAPI_FASTEST: Final = 3.0
"""SAPI 5.3, "XML TTS tutorial": a rate of 10 is three times the usual one, -10 a third."""
_LONGEST_WAIT_S: Final = 600.0
_SAY_VOICE: Final = re.compile(r"^(?P<name>.+?)\s+(?P<locale>[a-z]{2,3}[_-][A-Za-z0-9_-]+)\s+#", re.MULTILINE)
_SAPI_LIST: Final = """
Add-Type -AssemblyName System.Speech
$voices = (New-Object System.Speech.Synthesis.SpeechSynthesizer).GetInstalledVoices()
$voices | ForEach-Object { $_.VoiceInfo.Name + "`t" + $_.VoiceInfo.Culture.Name }
"""
# The text comes by stdin and every choice by the environment: nothing that a stranger wrote is ever part of a command.
_SAPI_SPEAK: Final = """
$ErrorActionPreference = "Stop"
Add-Type -AssemblyName System.Speech
$synth = New-Object System.Speech.Synthesis.SpeechSynthesizer
$synth.SelectVoice($env:AVATAR3D_VOICE)
$synth.Rate = [int]$env:AVATAR3D_RATE
$format = New-Object System.Speech.AudioFormat.SpeechAudioFormatInfo(22050, 16, 1)
$synth.SetOutputToWaveFile($env:AVATAR3D_OUT, $format)
$reader = New-Object System.IO.StreamReader([Console]::OpenStandardInput(), [Text.Encoding]::UTF8)
$synth.Speak($reader.ReadToEnd())
$synth.Dispose()
"""


@dataclass(frozen=True)
class Command:
    """A process to run."""

    words: tuple[str, ...]
    stdin: bytes = b""
    environment: dict[str, str] = field(default_factory=dict[str, str])


class SystemVoice:
    """Speaks with what the system has; UsageError where it has nothing."""

    def __init__(self, platform: str = sys.platform) -> None:
        if platform not in ("darwin", "win32"):
            raise UsageError(
                f"this system ({platform}) has no voice of its own.",
                hint='Use the voice "espeak" instead (extra "espeak").',
            )
        self._mac = platform == "darwin"
        self._voices: tuple[tuple[str, str], ...] | None = None

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(sorted({language for _, language in self._known()}))

    def speak(
        self, text: str, *, language: str = "en", voice: str = "", rate: float = 1.0, pitch: float = 1.0
    ) -> Iterator[Spoken]:
        """The text in pieces of a tenth of a second, without marks."""
        if pitch != 1.0:
            raise UsageError(
                f"the system's voice cannot change its pitch, got {pitch:g}.", hint="Choose another voice."
            )
        name = choose_voice(self._known(), language, voice)
        return self._stream(without_controls(text), name, rate)

    def _stream(self, text: str, voice: str, rate: float) -> Iterator[Spoken]:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "said.wav"
            command = say_command(text, voice, rate, out) if self._mac else sapi_command(text, voice, rate, out)
            _run(command)
            yield from read_pieces(out)

    def _known(self) -> tuple[tuple[str, str], ...]:
        if self._voices is None:
            told = _run(Command(("say", "-v", "?")) if self._mac else _powershell(_SAPI_LIST))
            self._voices = voices_of_say(told) if self._mac else voices_of_sapi(told)
        return self._voices


def say_command(text: str, voice: str, rate: float, out: Path) -> Command:
    """macOS: the text by stdin; its embedded commands ("[[rate 900]]") are broken up, so that it is only read."""
    words = ("say", "-v", voice, "-r", str(round(_within(rate) * _USUAL_RATE_WPM)), "-f", "-", "-o", str(out))
    encoding = ("--file-format=WAVE", f"--data-format=LEI16@{_RATE_HZ}")
    return Command((*words, *encoding), text.replace("[[", "[ [").encode("utf-8"))


def sapi_command(text: str, voice: str, rate: float, out: Path) -> Command:
    """Windows: System.Speech through PowerShell."""
    speed = round(10 * math.log(_within(rate), _SAPI_FASTEST))
    chosen = {"AVATAR3D_VOICE": voice, "AVATAR3D_RATE": str(speed), "AVATAR3D_OUT": str(out)}
    return _powershell(_SAPI_SPEAK, text.encode("utf-8"), chosen)


def _powershell(script: str, stdin: bytes = b"", environment: dict[str, str] | None = None) -> Command:
    encoded = base64.b64encode(script.encode("utf-16-le")).decode("ascii")
    words = ("powershell", "-NoProfile", "-NonInteractive", "-EncodedCommand", encoded)
    return Command(words, stdin, environment or {})


def voices_of_say(told: str) -> tuple[tuple[str, str], ...]:
    """Name and language tag of each line of `say -v ?`, such as "Anna (Premium)  de_DE    # Hallo!"."""
    return tuple((line["name"], line["locale"].replace("_", "-")) for line in _SAY_VOICE.finditer(told))


def voices_of_sapi(told: str) -> tuple[tuple[str, str], ...]:
    """Name and language tag of each line of our list."""
    pairs = (line.strip().split("\t") for line in told.splitlines())
    return tuple((pair[0], pair[1]) for pair in pairs if len(pair) == 2)


def choose_voice(voices: tuple[tuple[str, str], ...], language: str, name: str = "") -> str:
    """The voice of that name, else the first of that language; a tag without a region takes any region."""
    if name:
        if name in {known for known, _ in voices}:
            return name
        raise UsageError(f"the system has no voice named {name!r}; known: {', '.join(known for known, _ in voices)}.")
    tag = language.lower().replace("_", "-")
    for known, spoken in voices:
        if spoken.lower() == tag or spoken.lower().startswith(f"{tag}-"):
            return known
    tags = sorted({spoken for _, spoken in voices})
    raise UsageError(f"the system has no voice for {language!r}; known: {', '.join(tags)}.")


def read_pieces(path: Path) -> Iterator[Spoken]:
    """A wave file (16-bit, mono) in pieces of a tenth of a second."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getsampwidth(), file.getnchannels()) != (2, 1):
                raise AudioUnusableError("expected 16-bit mono sound from the system's voice.", id="VOICE_FAILED")
            rate_hz, done = file.getframerate(), 0
            while taken := file.readframes(max(round(_PIECE_S * rate_hz), 1)):
                samples = np.frombuffer(taken, "<i2").astype(np.float32) / np.float32(32768)
                yield Spoken(AudioChunk(done / rate_hz, rate_hz, samples), ())
                done += len(samples)
    except (OSError, EOFError, wave.Error) as cause:
        raise AudioUnusableError(f"the system's voice gave no sound: {cause}.", id="VOICE_FAILED") from cause


def _within(rate: float) -> float:
    if not 1 / _SAPI_FASTEST <= rate <= _SAPI_FASTEST:
        raise UsageError(f"expected a rate between 0.33 and 3, got {rate:g}.")
    return rate


def _run(command: Command) -> str:
    """Run it to its end; an interruption, or ten minutes, ends the process with us."""
    environment = {**os.environ, **command.environment}
    try:
        run = subprocess.run(
            command.words,
            input=command.stdin,
            env=environment,
            capture_output=True,
            timeout=_LONGEST_WAIT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as cause:
        raise AudioUnusableError(f"the system's voice failed: {cause}.", id="VOICE_FAILED") from cause
    return run.stdout.decode("utf-8", "replace")
