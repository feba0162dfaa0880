"""What recordings go through before the network hears them: rooms, noise, telephones, equalisers, gain.

Every function takes and returns 16 kHz samples of the same length and time.
"""

from typing import Final

import numpy as np
from jaxtyping import Float32
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from avatar3d.speech.network.features import BANDS, QUIETEST, RATE_HZ, SCALE_DB

_GAIN_DB: Final = (-24.0, 8.0)
_NOISE_DB: Final = (0.0, 25.0)
"""Loud parts of the signal over noise; some 5 dB less against its active level."""
_DECAY_S: Final = (0.15, 0.9)
_DIRECT: Final = (0.5, 3.0)
"""Energy of the direct sound over that of the room's."""
_PHONE_HZ: Final = (300.0, 3400.0)
# ITU-T P.56 (2011), method B: smoothing of the envelope, how long a sound goes on after it, and how far thresholds lie
# below the level that they tell.
_SMOOTHED_S: Final = 0.03
_HANGOVER_S: Final = 0.2
_MARGIN_DB: Final = 15.9
# Of a crop in training, dB: a microphone's colour and an error of the level (standard deviations); where noise stands
# under the running level, its colour, and how much it ripples from frame to frame in one band.
_COLOUR_DB: Final = 3.0
_OFF_DB: Final = 2.0
_FLOOR_DB: Final = (-75.0, -20.0)
_FLOOR_COLOUR_DB: Final = 6.0
_RIPPLE_DB: Final = 3.0
_LOST: Final = 11
"""Bands lost: fewer than this, beside each other."""
_WARP: Final = (0.92, 1.08)
"""As of `warping`; the augmented hearings are warped more strongly already."""
_SHARES: Final = {"room": 0.35, "noise": 0.7, "equaliser": 0.6, "phone": 0.2}


def augment(rng: np.random.Generator, samples: Float32[np.ndarray, "N"]) -> Float32[np.ndarray, "N"]:
    """Some of everything, and always another gain."""
    heard = samples
    if rng.random() < _SHARES["room"]:
        heard = in_room(rng, heard, float(rng.uniform(*_DECAY_S)), float(rng.uniform(*_DIRECT)))
    if rng.random() < _SHARES["equaliser"]:
        heard = equalised(rng, heard)
    if rng.random() < _SHARES["noise"]:
        heard = with_noise(rng, heard, float(rng.uniform(*_NOISE_DB)))
    if rng.random() < _SHARES["phone"]:
        heard = by_telephone(heard)
    return np.clip(heard * np.float32(10 ** (float(rng.uniform(*_GAIN_DB)) / 20)), -1, 1)


def otherwise_heard(rng: np.random.Generator, features: Float32[np.ndarray, "B T F"]) -> Float32[np.ndarray, "B T F"]:
    """Crops as from other mouths, through other microphones, over other noise: cheap enough to differ in every step of training.

    A colour is a smooth curve over the bands; noise stands under the speech with a colour of its own; some bands are
    lost (SpecAugment, Park et al. 2019).
    """
    crops, steps, _ = features.shape
    if not crops:
        return features
    warps = np.stack([warping(float(factor)) for factor in rng.uniform(*_WARP, crops)])
    bands = (features[..., : 2 * BANDS].reshape(crops, 2 * steps, BANDS) @ warps).reshape(crops, steps, 2, BANDS)
    waves = np.cos(np.pi * np.outer(np.arange(1, 4), np.arange(BANDS) + 0.5) / BANDS).astype(np.float32)
    colours, noises = (
        (rng.normal(size=(crops, 3)).astype(np.float32) * np.float32(db / SCALE_DB)) @ waves
        for db in (_COLOUR_DB, _FLOOR_COLOUR_DB)
    )
    colours += rng.normal(size=(crops, 1)).astype(np.float32) * np.float32(_OFF_DB / SCALE_DB)
    noises += (rng.uniform(*_FLOOR_DB, (crops, 1)) / SCALE_DB).astype(np.float32)
    ripple = rng.standard_normal(bands.shape, np.float32) * np.float32(_RIPPLE_DB / SCALE_DB)
    bands = np.maximum(np.maximum(bands + colours[:, None, None], noises[:, None, None] + ripple), np.float32(QUIETEST))
    for crop, (first, count) in enumerate(
        zip(rng.integers(0, BANDS, crops), rng.integers(0, _LOST, crops), strict=True)
    ):
        bands[crop, :, :, first : first + count] = QUIETEST
    return np.concatenate([bands.reshape(crops, steps, 2 * BANDS), bands.mean(axis=-1)], axis=-1)


def in_room(
    rng: np.random.Generator, samples: Float32[np.ndarray, "N"], decay_s: float, direct: float
) -> Float32[np.ndarray, "N"]:
    """A room that decays by 60 dB in `decay_s`: noise that dies away, its high tones first, after the direct sound."""
    count = int(decay_s * RATE_HZ)
    late = rng.normal(size=count) * 10 ** (-3 * np.arange(count) / count)
    late[: int(rng.uniform(0.002, 0.01) * RATE_HZ)] = 0
    late = np.asarray(sosfilt(butter(1, float(rng.uniform(2500, 7000)), fs=RATE_HZ, output="sos"), late))
    late /= np.sqrt(np.sum(late**2) * direct) + 1e-9
    late[0] = 1.0
    return fftconvolve(samples, late)[: len(samples)].astype(np.float32)


def with_noise(rng: np.random.Generator, samples: Float32[np.ndarray, "N"], over_db: float) -> Float32[np.ndarray, "N"]:
    """Coloured noise, humming, or a murmur of the recording itself, `over_db` under the level of the speech's loud parts."""
    kind = rng.integers(4)
    white = rng.normal(size=len(samples))
    if kind == 0:
        noise = white
    elif kind == 1:
        noise = sosfilt(butter(1, float(rng.uniform(100, 1500)), fs=RATE_HZ, output="sos"), white)
    elif kind == 2:
        hum = 50 * (1 + rng.integers(2)) * (1 + 0.2 * rng.random())
        noise = 0.3 * white + np.sin(2 * np.pi * hum * np.arange(len(samples)) / RATE_HZ) * 3
    else:  # a murmur: the same speech, backwards and in pieces over one another
        backwards = samples[::-1]
        noise = sum(np.roll(backwards, int(shift)) for shift in rng.integers(0, len(samples), 5))
    noise = np.asarray(noise)
    level = np.sqrt(_loud_power(samples))
    return (samples + noise * (level / (np.sqrt(np.mean(noise**2)) + 1e-12)) * 10 ** (-over_db / 20)).astype(np.float32)


def loud_over_active_db(samples: Float32[np.ndarray, "N"]) -> float:
    """How far the level of its loud parts lies above a speech's active level (ITU-T P.56, method B)."""
    falls = np.exp(-1 / (RATE_HZ * _SMOOTHED_S))
    envelope = np.asarray(lfilter([(1 - falls) ** 2], [1, -2 * falls, falls * falls], np.abs(samples)))
    energy, hangover = float(np.sum(samples.astype(np.float64) ** 2)), int(_HANGOVER_S * RATE_HZ)
    at = np.arange(len(samples))
    above: list[tuple[float, float]] = []
    for threshold in 2.0 ** np.arange(-15, 0):
        last = np.maximum.accumulate(np.where(envelope >= threshold, at, -hangover - 1))
        active = np.count_nonzero(at - last <= hangover)
        if active == 0:
            break
        level_db = float(10 * np.log10(energy / active + 1e-12))
        above.append((level_db, level_db - float(20 * np.log10(threshold))))
    levels_db, margins_db = np.array(above or [(0.0, 0.0)]).T
    active_db = float(np.interp(-_MARGIN_DB, -margins_db, levels_db))
    return float(10 * np.log10(_loud_power(samples))) - active_db


def _loud_power(samples: Float32[np.ndarray, "N"]) -> float:
    return float(np.mean(samples[np.abs(samples) > 0.1 * np.abs(samples).max()] ** 2) + 1e-12)


def equalised(rng: np.random.Generator, samples: Float32[np.ndarray, "N"]) -> Float32[np.ndarray, "N"]:
    """A microphone's own colour: bass, treble and a band turned up or down by as much as 10 dB."""
    low, high = (
        butter(1, hz, kind, fs=RATE_HZ, output="sos")
        for hz, kind in ((float(rng.uniform(150, 500)), "low"), (float(rng.uniform(1800, 5000)), "high"))
    )
    bass, treble = sosfilt(low, samples), sosfilt(high, samples)
    gains = 10 ** (rng.uniform(-10, 6, 2) / 20) - 1
    return (samples + gains[0] * bass + gains[1] * treble).astype(np.float32)


def by_telephone(samples: Float32[np.ndarray, "N"]) -> Float32[np.ndarray, "N"]:
    """300 to 3400 Hz (ITU-T G.712), 8 bits of mu-law (G.711)."""
    band = sosfilt(butter(4, _PHONE_HZ, "band", fs=RATE_HZ, output="sos"), samples)
    full = np.abs(band).max() + 1e-9
    pressed = np.sign(band) * np.log1p(255 * np.abs(band) / full) / np.log(256)
    stepped = np.round(pressed * 127) / 127
    return (np.sign(stepped) * (np.exp(np.abs(stepped) * np.log(256)) - 1) / 255 * full).astype(np.float32)


def warping(factor: float) -> Float32[np.ndarray, "B B"]:
    """For a vocal tract that is so much longer: each band takes what lies `factor` further up."""
    at = np.clip(np.arange(BANDS) * factor, 0, BANDS - 1)
    low = np.minimum(at.astype(int), BANDS - 2)
    matrix = np.zeros((BANDS, BANDS), np.float32)
    matrix[low, np.arange(BANDS)] = 1 - (at - low)
    matrix[low + 1, np.arange(BANDS)] += at - low
    return matrix
