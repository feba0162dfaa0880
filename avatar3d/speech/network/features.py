"""What the speech network hears: two log-mel frames per 20 ms step, told against a running level.

    16 kHz samples --> windows of 25 ms every 10 ms --> DFT --> 64 mel bands --> dB --> minus the speaker's running level

The running level rises quickly with speech and falls slowly, never below a floor: a whisper and a shout look alike, and
noise at -80 dB stays silence. Everything is causal; a step is a pure function of 320 samples and the state before it.
The DFT is a product with a matrix, so that numpy, torch and ONNX round alike.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float32

RATE_HZ: Final = 16_000
STEP: Final = 320
"""Samples per step: 20 ms."""
HOP: Final = 160
WINDOW: Final = 400
BANDS: Final = 64
FEATURES: Final = 2 * BANDS + 2
"""Two frames of bands, and the level of each."""
PAST: Final = WINDOW - HOP
"""Samples that a step needs of the one before."""
_BINS: Final = 257
_LOW_HZ: Final = 80.0
_HIGH_HZ: Final = 7_600.0
FLOOR: Final = 1e-9
# The running level, dB of full scale: where it starts, how low it falls, what share of the way it goes up per 20 ms step, and
# how many dB it sinks per step (6 dB a second).
LEVEL_AT_START: Final = -30.0
LEVEL_FLOOR_DB: Final = -58.0
RISE: Final = 0.25
FALL_DB: Final = 0.12
# Features are about -1 to 1: dB under the level over this.
SCALE_DB: Final = 30.0
QUIETEST: Final = -2.0


@dataclass(frozen=True, eq=False)
class HearingState:
    """What is carried from step to step; a leading axis of streams is allowed."""

    past: Float32[np.ndarray, "*S 240"]
    level_db: Float32[np.ndarray, "*S"]


def hearing_at_start(*streams: int) -> HearingState:
    """Before the first sample: silence."""
    return HearingState(np.zeros((*streams, PAST), np.float32), np.full(streams, LEVEL_AT_START, np.float32))


def hear(
    state: HearingState, samples: Float32[np.ndarray, "*S 320"]
) -> tuple[HearingState, Float32[np.ndarray, "*S F"], Float32[np.ndarray, "*S"]]:
    """One step: the next state, the features, and the step's loudness in dB of full scale."""
    heard = np.concatenate([state.past, samples], axis=-1)
    windows = np.empty((*heard.shape[:-1], 2, WINDOW), np.float32)
    windows[..., 0, :], windows[..., 1, :] = heard[..., :WINDOW], heard[..., HOP : HOP + WINDOW]
    loudness = loudness_db(samples)
    level = next_level(state.level_db, loudness)
    return HearingState(heard[..., STEP:], level), told_against(mel_db(windows), level), loudness


def loudness_db(samples: Float32[np.ndarray, "*S 320"]) -> Float32[np.ndarray, "*S"]:
    """Root mean square of a step in dB of full scale."""
    return np.asarray(10 * np.log10(np.add.reduce(samples * samples, axis=-1) / np.float32(STEP) + FLOOR), np.float32)


def next_level(level_db: Float32[np.ndarray, "*S"], loudness: Float32[np.ndarray, "*S"]) -> Float32[np.ndarray, "*S"]:
    """The running level after a step of this loudness."""
    up = level_db + RISE * (loudness - level_db)
    down = np.maximum(level_db - FALL_DB, loudness)
    return np.asarray(np.maximum(np.where(loudness > level_db, up, down), LEVEL_FLOOR_DB), np.float32)


def mel_db(windows: Float32[np.ndarray, "*S 400"]) -> Float32[np.ndarray, "*S B"]:
    """Energy per mel band, dB."""
    spectrum = windows @ dft_matrix()
    spectrum *= spectrum
    power = spectrum[..., :_BINS] + spectrum[..., _BINS:]
    bands = power @ mel_matrix()
    bands += np.float32(FLOOR)
    return np.log10(bands) * np.float32(10)


def told_against(
    bands_db: Float32[np.ndarray, "*S 2 B"], level_db: Float32[np.ndarray, "*S"]
) -> Float32[np.ndarray, "*S F"]:
    """Features from bands and the running level."""
    told = np.maximum((bands_db - level_db[..., None, None]) / np.float32(SCALE_DB), np.float32(QUIETEST))
    mean = np.add.reduce(told, axis=-1) / np.float32(BANDS)
    return np.concatenate([told.reshape(*told.shape[:-2], 2 * BANDS), mean], axis=-1)


@lru_cache(maxsize=1)
def dft_matrix() -> Float32[np.ndarray, "400 514"]:
    """A Hann window and a DFT of 512 points: real parts, then imaginary ones; a full-scale sine has about 0 dB."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)
    angle = 2 * np.pi * np.outer(np.arange(WINDOW), np.arange(_BINS)) / (2 * (_BINS - 1))
    scale = 2 / window.sum()
    return (scale * window[:, None] * np.concatenate([np.cos(angle), -np.sin(angle)], axis=1)).astype(np.float32)


@lru_cache(maxsize=1)
def mel_matrix() -> Float32[np.ndarray, "257 B"]:
    """Triangular bands, even on the mel scale (O'Shaughnessy 1987: 2595 log10(1 + f / 700))."""
    low_mel, high_mel = (2595 * float(np.log10(1 + hz / 700)) for hz in (_LOW_HZ, _HIGH_HZ))
    mel = np.linspace(low_mel, high_mel, BANDS + 2)
    edges_hz = 700 * (10 ** (mel / 2595) - 1)
    bins_hz = np.arange(_BINS) * RATE_HZ / (2 * (_BINS - 1))
    low, middle, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (bins_hz[:, None] - low) / (middle - low)
    falling = (high - bins_hz[:, None]) / (high - middle)
    return np.maximum(np.minimum(rising, falling), 0).astype(np.float32)
