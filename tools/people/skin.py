"""Skins of people who do not exist: at least eight sources each, then any tone from the darkest to the palest.

log albedo = mixture of smooth parts + mixture of fine parts (its contrast restored), moved to a random tone
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

_SOURCES: Final = (8, 14)
_LARGEST_SHARE: Final = 0.16
_SMOOTH_PX: Final = 5.0
# Tones by eye from the ten of the Monk scale (sRGB), darkest first.
_TONES: Final = np.array(
    [(55, 42, 36), (66, 50, 42), (96, 65, 52), (130, 92, 67), (160, 126, 86), (215, 189, 150), (234, 218, 186),
     (247, 234, 208), (243, 231, 219), (246, 237, 228)], np.float32,
) / np.float32(255)  # fmt: skip


@dataclass(frozen=True, eq=False)
class MadeSkin:
    """An albedo and what it was mixed from."""

    albedo: Float32[np.ndarray, "256 256 3"]
    """Linear RGB."""
    smooth_shares: Float32[np.ndarray, "N"]
    fine_shares: Float32[np.ndarray, "N"]


class SkinMixer:
    """Mixes skins; keeps the sources split into smooth and fine parts."""

    def __init__(self, skins: UInt8[np.ndarray, "N 256 256 3"]) -> None:
        linear = (skins.astype(np.float32) / 255) ** np.float32(2.2)
        logs = np.log(np.maximum(linear, 0.004))
        tones = np.median(logs[:, 90:170, 60:200], axis=(1, 2), keepdims=True)
        relative = logs - tones
        self._smooth = np.stack([cv2.GaussianBlur(one, (0, 0), _SMOOTH_PX) for one in relative])
        self._fine = relative - self._smooth
        self.tones: Float32[np.ndarray, "N 3"] = np.exp(tones[:, 0, 0])

    def mix(self, rng: np.random.Generator) -> MadeSkin:
        """One new skin."""
        smooth, fine = self._shares(rng), self._shares(rng)
        if rng.random() < 0.5:
            tone = self.tones[rng.permutation(len(self.tones))[:8]].mean(0)
            tone = tone * np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.04, 3))
        else:
            at = rng.uniform(0, len(_TONES) - 1)
            low = int(at)
            srgb = _TONES[low] + (at - low) * (_TONES[min(low + 1, len(_TONES) - 1)] - _TONES[low])
            # The scale's pale end lacks the blood of faces.
            srgb = srgb * (1 - 0.10 * np.array([0, 1, 1.3]) * rng.uniform(0, 1.5))
            tone = srgb ** np.float32(2.2) * np.exp(rng.normal(0, 0.04, 3))
        fine_part = np.tensordot(fine, self._fine, 1) / np.sqrt((fine**2).sum())
        contrast = rng.uniform(0.5, 1.3)
        made = np.log(np.maximum(tone, 0.004)) + np.tensordot(smooth, self._smooth, 1) * rng.uniform(0.7, 1.3)
        albedo = np.exp(made + contrast * fine_part)
        return MadeSkin(np.clip(albedo, 0.002, 0.98).astype(np.float32), smooth, fine)

    def _shares(self, rng: np.random.Generator) -> Float32[np.ndarray, "N"]:
        count = int(rng.integers(_SOURCES[0], _SOURCES[1] + 1))
        drawn = rng.dirichlet(np.full(count, 3.0))
        for _ in range(50):
            drawn = np.minimum(drawn, _LARGEST_SHARE)
            drawn /= drawn.sum()
            if drawn.max() <= _LARGEST_SHARE + 1e-6:
                break
        shares = np.zeros(len(self._smooth), np.float32)
        shares[rng.permutation(len(self._smooth))[:count]] = drawn
        return shares


def nearest_source(
    albedo: Float32[np.ndarray, "256 256 3"], skins: UInt8[np.ndarray, "N 256 256 3"]
) -> tuple[float, float]:
    """Correlation of the fine luminance of a made skin with the nearest and with the second nearest source."""

    def fine(linear: np.ndarray) -> np.ndarray:
        grey = np.log(np.maximum(linear.mean(2), 0.004))
        high = (grey - cv2.GaussianBlur(grey, (0, 0), _SMOOTH_PX))[60:200, 40:216].ravel()
        return (high - high.mean()) / max(high.std(), 1e-9)

    own = fine(albedo)
    sources = [(one.astype(np.float32) / 255) ** np.float32(2.2) for one in skins]
    found = sorted(float((own * fine(source)).mean()) for source in sources)
    return found[-1], found[-2]
