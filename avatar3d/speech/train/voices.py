"""flite and festival, for the corpus: Debian's programs, each run as a process of its own.

flite (BSD-like licence of Carnegie Mellon) prints each segment's end; festival writes its segments to a file.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.errors import AudioUnusableError, UsageError
from avatar3d.speech.phones import Phone, phones_from_arpabet, split_evenly
from avatar3d.speech.sound.soundfile import read_own

Spoken = tuple[Float32[np.ndarray, "N"], int, tuple[Phone, ...], str]
_FLITE_VOICES: Final = ("slt", "rms", "awb", "kal16")
_STRETCHES: Final = ("0.85", "1.0", "1.15")
PACKAGES: Final = "flite festival festvox-kallpc16k"
"""Debian's names; festival comes without a voice."""
_SECONDS: Final = 60
_LONGEST: Final = 300
"""Characters of one text."""


def require_voices() -> None:
    """Let both say a word, before hours are spent. Raises UsageError (2) that names what is absent and what brings it."""
    flite_speaks("hello", 0)
    if festival_speaks("hello", 0) is None:
        raise _missing("a voice for festival")


def flite_speaks(text: str, at: int) -> Spoken | None:
    """The text in one of flite's voices, in turn."""
    voice, stretch = _FLITE_VOICES[at % len(_FLITE_VOICES)], _STRETCHES[at % len(_STRETCHES)]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "spoken.wav"
        told = _run(
            [
                "flite",
                "-voice",
                voice,
                "--setf",
                f"duration_stretch={stretch}",
                "-psdur",
                "-o",
                str(out),
                "-t",
                _words(text),
            ]
        )
        segments = [part.rsplit(":", 1) for part in told.split() if ":" in part]
        samples, rate_hz = read_own(out)
    return samples, rate_hz, _phones([(label, float(end)) for label, end in segments]), f"flite-{voice}"


def festival_speaks(text: str, at: int) -> Spoken | None:
    """The text in festival's diphone voice."""
    with tempfile.TemporaryDirectory() as folder:
        sound, segments = Path(folder) / "spoken.wav", Path(folder) / "spoken.lab"
        script = Path(folder) / "speak.scm"
        script.write_text(
            f"(Parameter.set 'Duration_Stretch {_STRETCHES[at % len(_STRETCHES)]})\n"
            f'(set! spoken (utt.synth (Utterance Text "{_words(text)}")))\n'
            f'(utt.save.wave spoken "{sound}")\n(utt.save.segs spoken "{segments}")\n',
            encoding="ascii",
        )
        _run(["festival", "-b", str(script)])
        if not segments.exists():
            return None
        lines = [line.split() for line in segments.read_text(encoding="ascii").splitlines()]
        samples, rate_hz = read_own(sound)
    ends = [(line[2], float(line[0])) for line in lines if len(line) == 3 and line[0] != "#"]
    return samples, rate_hz, _phones(ends), "festival-kal"


def _phones(ends: Sequence[tuple[str, float]]) -> tuple[Phone, ...]:
    phones: list[Phone] = []
    at_s = 0.0
    for label, end_s in ends:
        phones.extend(split_evenly(phones_from_arpabet(label), at_s, end_s))
        at_s = end_s
    return tuple(phones)


def _words(text: str) -> str:
    """Only letters, so that no text is a command."""
    kept = "".join(letter if letter.isascii() and (letter.isalpha() or letter in " ,.'") else " " for letter in text)
    return kept[:_LONGEST].replace("'", "")


def _run(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        raise _missing(f"the program {command[0]!r}")
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS).stdout
    except subprocess.SubprocessError as error:
        told = str(getattr(error, "stderr", "") or error).strip()
        raise AudioUnusableError(f"{command[0]} could not speak: {told[:200]}", id="VOICE_FAILED") from error


def _missing(what: str) -> UsageError:
    return UsageError(
        f"building the corpus needs {what}, which is not installed.",
        hint=f"Debian, Ubuntu: sudo apt-get install {PACKAGES}",
        id="EXTRA_MISSING",
    )
