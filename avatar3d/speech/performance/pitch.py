"""The pitch of a voice as it comes in: 20 ms of sound in, Hz or 0 out, nothing looked ahead.

    16 kHz --> low-pass --> the last 44 ms --> difference with itself at every lag (YIN) --> dips --> the likeliest one

YIN (de Cheveigne & Kawahara 2002): a period is where the sound differs least from itself, measured against the mean
difference at all shorter lags. Among the dips that are about as deep, the one near the last pitch wins, or else the
shortest: that is what keeps octaves apart. What is told belongs to the middle of the window, 22 ms before its end.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from jaxtyping import Float32

RATE_HZ: Final = 16000
HOP: Final = 320
LOWEST_HZ: Final = 60.0
HIGHEST_HZ: Final = 800.0
_LONGEST: Final = math.ceil(RATE_HZ / LOWEST_HZ)
_SHORTEST: Final = int(RATE_HZ / HIGHEST_HZ)
# Compared with itself: so many samples, about two periods of a low voice.
_FRAME: Final = 420
_TAPS: Final = 33
_CUT_HZ: Final = 1000.0
_KEPT: Final = _FRAME + _LONGEST + 1 + _TAPS - 1
_FFT: Final = 1024
# Normalised difference below which a sound is a voice: to begin with, and to go on.
_VOICED: Final = 0.22
_STILL_VOICED: Final = 0.34
# Of a dip: what a step of an octave from the last pitch costs, and each octave below the highest pitch.
_LEAP_COSTS: Final = 0.25
_MOST_LEAP: Final = 0.5
_LOW_COSTS: Final = 0.03
# A voice is not quieter than this (RMS over full scale), nor than this part of the loudest of the last seconds.
_FAINT: Final = 0.0007
_PART: Final = 0.03
_MEMORY_S: Final = 3.0
# A pitch that has been gone this long counts for nothing, nor does one that a fresh ear has heard otherwise so often in a
# row, by more than half an octave (steps).
_FORGOTTEN: Final = 5
_DOUBTED: Final = 4


def _low_pass() -> Float32[np.ndarray, "33"]:
    """A windowed sinc (Hann) at _CUT_HZ: harmonics enough to tell a period, without most of the noise."""
    at = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(2 * _CUT_HZ / RATE_HZ * at) * np.hanning(_TAPS + 2)[1:-1]
    return (taps / taps.sum()).astype(np.float32)


_TAP: Final = _low_pass()
_LAGS: Final = np.arange(1, _LONGEST + 1, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class PitchTracker:
    """A pitch tracker whose state is a value: step() returns the next one, with its `hz`."""

    hz: float = 0.0
    """Fundamental frequency now; 0 where there is no voice."""
    sound: Float32[np.ndarray, "N"] = field(default_factory=lambda: np.zeros(_KEPT, np.float32))
    """The last samples."""
    last_hz: float = 0.0
    """The last pitch there was; 0 when it is forgotten ..."""
    silent: int = 0
    """... and how many steps ago."""
    loudest: float = 0.0
    doubts: int = 0
    """For how many steps a fresh ear has heard another octave."""

    def step(self, samples: Float32[np.ndarray, "320"]) -> "PitchTracker":
        """The tracker 20 ms later."""
        sound = np.concatenate([self.sound[HOP:], samples])
        finite = sound if math.isfinite(float(sound.sum())) else np.nan_to_num(sound, posinf=0, neginf=0)
        voice = np.convolve(finite - finite.mean(), _TAP, "valid")
        level = math.sqrt(float(voice @ voice) / len(voice))
        loudest = max(level, self.loudest * math.exp(-HOP / RATE_HZ / _MEMORY_S))
        following = replace(self, sound=finite, loudest=loudest)
        hz, fresh_hz = self._find(voice) if level > max(_FAINT, _PART * loudest) else (0.0, 0.0)
        if hz:
            doubts = self.doubts + 1 if abs(math.log2(fresh_hz / hz)) > 0.5 else 0
            hz, doubts = (fresh_hz, 0) if doubts == _DOUBTED else (hz, doubts)
            return replace(following, hz=hz, last_hz=hz, silent=0, doubts=doubts)
        silent = self.silent + 1
        return replace(following, hz=0.0, last_hz=self.last_hz if silent < _FORGOTTEN else 0.0, silent=silent, doubts=0)

    def _find(self, voice: Float32[np.ndarray, "N"]) -> tuple[float, float]:
        """Hz of the best dip, and of the best one to an ear that has heard nothing before; or 0."""
        difference = _difference(voice)
        inner = difference[_SHORTEST - 1 : -1]
        dips = (
            np.flatnonzero((inner < difference[_SHORTEST - 2 : -2]) & (inner <= difference[_SHORTEST:])) + _SHORTEST - 1
        )
        threshold = _STILL_VOICED if self.last_hz and self.silent == 0 else _VOICED
        if not len(dips) or float(difference[dips].min()) > threshold:
            return 0.0, 0.0
        before, at, after = difference[dips - 1], difference[dips], difference[dips + 1]
        # The bottom of a parabola through three lags: at high pitch the samples miss it.
        aside = (before - after) / np.maximum(2 * (before - 2 * at + after), 1e-9)
        lags, depth = _LAGS[dips] + aside, at - 0.25 * (before - after) * aside
        cost = depth + _LOW_COSTS * np.log2(lags / _SHORTEST)
        fresh = best = int(np.argmin(cost))
        if self.last_hz:
            leap = np.abs(np.log2(RATE_HZ / lags / self.last_hz))
            best = int(np.argmin(cost + np.minimum(_LEAP_COSTS * leap, _MOST_LEAP)))
        if float(depth[best]) > threshold:
            best = fresh
        return RATE_HZ / float(lags[best]), RATE_HZ / float(lags[fresh])


def _difference(voice: Float32[np.ndarray, "N"]) -> Float32[np.ndarray, "L"]:
    """Cumulative mean normalised difference at lags 1 to _LONGEST (the paper's eq. 8); 1 means unlike."""
    back = voice[::-1]  # the newest frame against what came before it
    alike = np.fft.irfft(np.fft.rfft(back, _FFT) * np.conj(np.fft.rfft(back[:_FRAME], _FFT)), _FFT)[1 : _LONGEST + 1]
    energy = np.concatenate([[0.0], np.cumsum(np.square(back, dtype=np.float64))])
    moved = energy[_FRAME + 1 : _FRAME + _LONGEST + 1] - energy[1 : _LONGEST + 1]
    raw = np.maximum(energy[_FRAME] + moved - 2 * alike, 0)
    return (raw * _LAGS / np.maximum(np.cumsum(raw), 1e-12)).astype(np.float32)
