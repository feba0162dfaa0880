r"""Whether a sound is music rather than speech: told by chords that stand still and by a beat.

    16 kHz --> spans of 8 s --> partials that stay where they are, of more than one voice --> share of chords --\
                            \-> onsets every 10 ms --> as alike one, two and three beats later --> pulse ---------> music or not

A voice glides and has one row of partials, k times its pitch; instruments hold their notes and have several rows at once
(steady partials tell music, Seyerlehner et al., Automatic Music Detection in Television Productions, 2007). Drums have
no partials, but a beat. One voice singing alone, or one flute, is not told from speech.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32
from numpy.lib.stride_tricks import sliding_window_view

_RATE_HZ: Final = 16_000
_SPAN: Final = 8 * _RATE_HZ
_SHORTEST: Final = 3 * _RATE_HZ
"""A last span shorter than this tells nothing."""
_WINDOW: Final = 2048
_HOP: Final = 1024
_STAYS: Final = 2
"""Hops after which a partial must still be there: windows that share no sample."""
_MOVES: Final = 0.004
"""Share of its frequency by which a steady partial may move: a fifteenth of a tone."""
_LOW_HZ, _HIGH_HZ = 180.0, 3600.0
_PARTIALS: Final = 12
"""The strongest of a moment."""
_PROMINENT: Final = 10.0
"""In power, over the neighbourhood."""
_QUIET: Final = 1e-4
"""In power, of the strongest of the span."""
_VOICE_HZ: Final = (70.0, 700.0)
_ROW: Final = 8
"""One of the steady partials is among the first so many of its voice."""
# Onsets: bands of 50 Hz each from 0 Hz to 8 kHz, and beats of 0.24 to 1.1 s (250 to 55 a minute), in hops of 10 ms.
_EDGES: Final = (0, 4, 10, 24, 60, 161)
_BEATS: Final = (24, 110)
_STIRRED: Final = 0.2
"""Onsets of a held tone are rounding noise, 1e-5 in variance; of an organ 1, of drums 40."""
# From there on a span is music. At worst of all spans of 364 read utterances, in noise, by telephone or in a wet room: .16 and .40,
# in one in a hundred .10 and .20; one flat synthetic voice in the room had .33 (bench/music.py).
_CHORDS: Final = 0.25
_PULSE: Final = 0.45


@dataclass(frozen=True)
class Span:
    """What was found in one span."""

    chords: float
    """Share of the sounding moments in which steady partials are of more than one voice."""
    pulse: float
    """How alike the onsets are one, two and three beats later; 1: the same."""

    @property
    def musical(self) -> bool:
        return self.chords > _CHORDS or self.pulse > _PULSE


@dataclass(frozen=True, eq=False)
class MusicWatch:
    """What was heard so far. A value: `step` returns the next one."""

    waiting: tuple[Float32[np.ndarray, "..."], ...] = ()
    """Pieces that do not fill a span yet."""
    held: int = 0
    """Their samples."""
    spans: int = 0
    """That sounded."""
    musical: int = 0

    def step(self, piece: Float32[np.ndarray, "N"]) -> "MusicWatch":
        """After a piece of 16 kHz sound."""
        waiting, held = (*self.waiting, piece), self.held + len(piece)
        if held < _SPAN:
            return replace(self, waiting=waiting, held=held)
        joined, judged = np.concatenate(waiting), self
        whole = held // _SPAN * _SPAN
        for at in range(0, whole, _SPAN):
            judged = judged._judge(joined[at : at + _SPAN])
        return replace(judged, waiting=(joined[whole:].copy(),), held=held - whole)

    def share(self) -> float:
        """Of the sounding spans that seem to be music, when all was heard."""
        last = self._judge(np.concatenate(self.waiting)) if self.held >= _SHORTEST else self
        return last.musical / max(1, last.spans)

    def _judge(self, samples: Float32[np.ndarray, "N"]) -> "MusicWatch":
        span = examine(samples)
        if span is None:
            return self
        return replace(self, spans=self.spans + 1, musical=self.musical + span.musical)


def examine(samples: Float32[np.ndarray, "N"]) -> Span | None:
    """One span, or None when it is silent."""
    if float(np.abs(samples).max(initial=0)) < 1e-3:
        return None
    return Span(_chords(samples), _pulse(samples))


def _chords(samples: Float32[np.ndarray, "N"]) -> float:
    """Share of moments with steady partials of several voices."""
    frames = sliding_window_view(samples, _WINDOW)[::_HOP] * np.hanning(_WINDOW).astype(np.float32)
    power = np.abs(np.fft.rfft(frames)) ** 2
    hz_per_bin = _RATE_HZ / _WINDOW
    low, high = int(_LOW_HZ / hz_per_bin), int(_HIGH_HZ / hz_per_bin)
    around = np.stack([power[:, low + off : high + off] for off in (-9, -7, -5, 5, 7, 9)])
    here, left, right = (power[:, low + off : high + off] for off in (0, -1, 1))
    floor = np.median(around, axis=0)
    peak = (here > left) & (here >= right) & (here > _PROMINENT * floor) & (here > _QUIET * power.max())
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = [np.log(each + 1e-30) for each in (left, here, right)]
        offset = (logs[0] - logs[2]) / (2 * (logs[0] - 2 * logs[1] + logs[2]))
    hz = (np.arange(low, high) + np.where(peak, offset, 0)) * hz_per_bin
    steady = peak[:-_STAYS] & _stays(peak, hz)
    level = np.where(steady, logs[1][:-_STAYS], -np.inf)
    kept = min(_PARTIALS, level.shape[1])
    best = np.argpartition(-level, kept - 1, axis=1)[:, :kept]
    found = np.take_along_axis(steady, best, axis=1)
    notes = np.where(found, np.take_along_axis(hz[:-_STAYS], best, axis=1), 0.0)
    sounding = power.max(axis=1)[:-_STAYS] > 1e-3 * power.max()
    return float((_several_voices(notes, found) & sounding).sum() / max(1, sounding.sum()))


def _stays(peak: Bool[np.ndarray, "T B"], hz: np.ndarray) -> Bool[np.ndarray, "M B"]:
    """Whether a peak is still there, at the same frequency, `_STAYS` hops later and in between."""
    still = np.ones_like(peak[:-_STAYS])
    for later in range(1, _STAYS + 1):
        until = len(peak) - _STAYS + later
        seen = np.zeros_like(still)
        for off in (-1, 0, 1):
            moved = np.abs(np.roll(hz[later:until], -off, axis=1) - hz[:-_STAYS]) < _MOVES * hz[:-_STAYS]
            seen |= np.roll(peak[later:until], -off, axis=1) & moved
        still &= seen
    return still


def _several_voices(notes: np.ndarray, found: Bool[np.ndarray, "T K"]) -> Bool[np.ndarray, "T"]:
    """Whether no single row of partials (k times a pitch) explains most of what is found."""
    pitches = (notes[:, :, None] / np.arange(1, _ROW + 1)).reshape(len(notes), -1)
    pitches = np.where((pitches > _VOICE_HZ[0]) & (pitches < _VOICE_HZ[1]), pitches, np.inf)
    numbers = notes[:, None, :] / pitches[:, :, None]
    off = np.abs(numbers - np.round(numbers)) / np.maximum(numbers, 1e-9)
    within = (numbers > 0.5) & (np.abs(numbers - np.round(numbers)) < 0.1) & (off < 0.006) & found[:, None, :]
    explained = within.sum(axis=2).max(axis=1, initial=0)
    count = found.sum(axis=1)
    return (count >= 3) & (count - explained >= 2)


def _pulse(samples: Float32[np.ndarray, "N"]) -> float:
    """The most regular beat's likeness to itself."""
    hop = _RATE_HZ // 100
    count = len(samples) // hop - 2
    frames = sliding_window_view(samples, 2 * hop)[::hop][:count] * np.hanning(2 * hop).astype(np.float32)
    power = np.abs(np.fft.rfft(frames)) ** 2
    bands = np.stack([power[:, a:b].sum(axis=1) for a, b in pairwise(_EDGES)], axis=1)
    levels = np.log(bands + 1e-4 * bands.max() + 1e-12)
    onset = np.maximum(np.diff(levels, n=1, axis=0), 0).sum(axis=1)
    onset = np.convolve(onset, np.hanning(7), mode="same")
    onset -= onset.mean()
    size = 1 << int(np.ceil(np.log2(2 * len(onset))))
    alike = np.fft.irfft(np.abs(np.fft.rfft(onset, size)) ** 2)[: len(onset)]
    alike /= max(alike[0], _STIRRED * len(onset)) * (1 - np.arange(len(onset)) / len(onset))
    beats = np.arange(_BEATS[0], min(_BEATS[1], len(onset) // 4))
    near = np.maximum(np.maximum(np.roll(alike, 1), alike), np.roll(alike, -1))
    return float(np.minimum(np.minimum(near[beats], near[2 * beats]), near[3 * beats]).max(initial=0))
