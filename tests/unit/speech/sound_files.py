"""Small sound files made in code, whole and broken."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from avatar3d.speech.sound.open import RATE_HZ, Sound

_AT_ONCE = 4096
"""libsndfile's Vorbis encoder overflows its stack when a minute comes in one piece."""


def voice(rate_hz: int = 16_000, seconds: float = 1.0, *, pitch_hz: float = 150.0) -> np.ndarray:
    """Something like vowels: harmonics below 3 kHz, swelling four times a second, never beyond .6."""
    time_s = np.arange(round(rate_hz * seconds)) / rate_hz
    tone = sum(np.sin(2 * np.pi * pitch_hz * k * time_s + k * k) / k for k in range(1, int(3000 / pitch_hz)))
    return (0.2 * tone * (0.55 - 0.45 * np.cos(2 * np.pi * 4 * time_s))).astype(np.float32)


def encoded(
    samples: np.ndarray, rate_hz: int = 16_000, format: str = "WAV", subtype: str | None = None, **more: Any
) -> bytes:
    """A file by libsndfile: another writer than our reader."""
    file = io.BytesIO()
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with soundfile.SoundFile(file, "w", rate_hz, channels, subtype, format=format, **more) as sound:
        for first in range(0, len(samples), _AT_ONCE):
            sound.write(samples[first : first + _AT_ONCE])
    return file.getvalue()


def wav(
    body: bytes,
    *,
    tag: int = 1,
    channels: int = 1,
    rate_hz: int = 16_000,
    bits: int = 16,
    declared: int | None = None,
    riff_size: int | None = None,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A WAV by hand, so that it can lie."""
    frame_bytes = channels * bits // 8
    layout = struct.pack(
        "<HHIIHH", tag, channels, rate_hz, rate_hz * frame_bytes & 0xFFFFFFFF, frame_bytes & 0xFFFF, bits
    )
    head = b"fmt " + struct.pack("<I", 16) + layout + before
    head += b"data" + struct.pack("<I", len(body) if declared is None else declared)
    size = 4 + len(head) + len(body) + len(after)
    return b"RIFF" + struct.pack("<I", size if riff_size is None else riff_size) + b"WAVE" + head + body + after


def pcm16(samples: np.ndarray) -> bytes:
    return np.round(samples * 32767).astype("<i2").tobytes()


def floats(samples: np.ndarray, **more: Any) -> bytes:
    return wav(samples.astype("<f4").tobytes(), tag=3, bits=32, **more)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def heard(sound: Sound) -> np.ndarray:
    """All of it at 16 kHz; the file is closed then."""
    with sound:
        return np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in sound)])


def away_from_ends(left: np.ndarray, right: np.ndarray) -> float:
    """The largest difference, 50 ms of settling at both ends left out."""
    edge = RATE_HZ // 20
    return float(np.abs(left[edge:-edge] - right[edge:-edge]).max())
