"""Many channels become one voice: mixed without cancelling each other, and without an offset."""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64
from scipy.signal import butter, sosfilt

_CANCELLED: Final = 0.05
"""Channels that have nothing in common keep 1 / C of their power when averaged; with so much less, they are opposed."""
_CLEARLY_LOUDER: Final = 2.0
"""In power: from then on another channel speaks for opposed ones. Changing over between L and -R would cancel, too."""
_FADE_S: Final = 0.01
_INAUDIBLE: Final = 1e-10
"""Mean power, -100 dB."""
_HIGH_PASS_HZ: Final = 20.0
"""Below any voice (the lowest bass sings 60 Hz) and above a drifting zero."""


@dataclass(frozen=True, eq=False)
class Mixdown:
    """Averages channels, or takes one: the one asked for, or the louder one where the average would cancel.

    A value: `step` returns the next one with the mixed block. Decided per block, so blocks must not depend on the caller.
    """

    rate_hz: int
    asked: int | None = None
    spokesman: int | None = None
    """The channel that stands for opposed ones."""
    weights: Float32[np.ndarray, "C"] | None = None
    """Of the last block; the next one fades over from them."""

    def step(self, block: Float32[np.ndarray, "N C"]) -> "tuple[Mixdown, Float32[np.ndarray, 'N']]":
        channels = block.shape[1]
        if channels == 1:
            return self, block[:, 0]
        if self.asked is not None:
            return self, np.ascontiguousarray(block[:, self.asked])
        planes = np.ascontiguousarray(block.T)
        weights = np.full(channels, 1 / channels, np.float32)
        mixed = _mixed(planes, weights)
        power = _power(planes - planes.mean(1, keepdims=True))  # an offset is no sound
        left_over = _power(mixed[None] - mixed.mean())[0]
        loud = power.mean()
        spokesman = self.spokesman
        if loud > _INAUDIBLE and left_over < _CANCELLED / channels * loud:
            if spokesman is None or power.max() > _CLEARLY_LOUDER * power[spokesman]:
                spokesman = int(power.argmax())
            weights = np.eye(channels, dtype=np.float32)[spokesman]
            mixed = _mixed(planes, weights)
        if self.weights is not None and not np.array_equal(self.weights, weights):
            fading = min(len(block), max(1, round(_FADE_S * self.rate_hz)))
            share = np.linspace(0, 1, fading, endpoint=False, dtype=np.float32)
            mixed[:fading] = share * mixed[:fading] + (1 - share) * _mixed(planes[:, :fading], self.weights)
        return replace(self, spokesman=spokesman, weights=weights), mixed


def _mixed(planes: Float32[np.ndarray, "C N"], weights: Float32[np.ndarray, "C"]) -> Float32[np.ndarray, "N"]:
    return np.einsum("cn,c->n", planes, weights)  # not by BLAS, whose threads take longer to wake than this takes


def _power(planes: Float32[np.ndarray, "C N"]) -> Float32[np.ndarray, "C"]:
    return np.einsum("cn,cn->c", planes, planes) / np.float32(planes.shape[1])


def _second_order(rate_hz: int) -> Float64[np.ndarray, "1 6"]:
    return np.asarray(butter(2, _HIGH_PASS_HZ, "highpass", fs=rate_hz, output="sos"))


@dataclass(frozen=True, eq=False)
class HighPass:
    """Takes away an offset and what drifts slower than 20 Hz. A value: `step` returns the next one."""

    sections: Float64[np.ndarray, "1 6"]
    state: Float64[np.ndarray, "1 2"] = field(default_factory=lambda: np.zeros((1, 2)))

    @staticmethod
    def at(rate_hz: int) -> "HighPass":
        return HighPass(_second_order(rate_hz))

    def step(self, samples: Float32[np.ndarray, "N"]) -> "tuple[HighPass, Float32[np.ndarray, 'N']]":
        filtered, state = sosfilt(self.sections, samples, zi=self.state)
        return replace(self, state=state), filtered.astype(np.float32)
