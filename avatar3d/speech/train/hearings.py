"""Utterances as the network hears them, with what it should answer: arrays of 20 ms steps, one utterance after the other.

samples --> silence around them --> clean, and augmented --> features per variant
phones  --> mouth_curves at the time each step answers for ------> controls, gates, phone
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float16, Float32, Float64, UInt8
from numpy.lib.stride_tricks import sliding_window_view

from avatar3d.core.clock import Progress
from avatar3d.speech.coarticulate import mouth_curves
from avatar3d.speech.loudness import loudness_over_mean
from avatar3d.speech.network import features as ears
from avatar3d.speech.network.model import AHEAD_S, LOOKAHEAD_S, STEP_S
from avatar3d.speech.phones import PHONE_INDEX, SILENCE, Phone
from avatar3d.speech.train.augment import augment, warping
from avatar3d.speech.train.utterance import Utterance

_SILENCE_S: Final = (0.25, 0.9)
_HISS_DB: Final = (-90.0, -62.0)
# Vocal tracts from a child's to a large man's, as a warp of the mel axis (Jaitly and Hinton 2013).
_WARP: Final = (0.88, 1.12)


@dataclass(frozen=True, eq=False)
class Hearings:
    """T steps in all."""

    variants: tuple[Float16[np.ndarray, "T F"], ...]
    """Features: as recorded, then augmented."""
    controls: Float16[np.ndarray, "T C"]
    gates: Float16[np.ndarray, "T 3"]
    """Closed, tucked, voice."""
    phones: UInt8[np.ndarray, "T"]
    recorded: int
    """Steps of people, which come before those of synthetic voices."""
    spoken: int
    """Steps of all who speak; after them it is sung."""


def hear_utterances(utterances: Sequence[Utterance], *, seed: int, augmented: int, progress: Progress) -> Hearings:
    """Features and answers of all of them."""
    rng = np.random.default_rng(seed)
    variants: list[list[Float16[np.ndarray, "T F"]]] = [[] for _ in range(augmented + 1)]
    controls, gates, phones = [], [], []
    recorded = in_speech = 0
    for at, utterance in enumerate(utterances):
        if at % 1000 == 0:
            progress(f"  {at} of {len(utterances)}")
        samples, spoken = with_silence(rng, utterance)
        wanted = answers_for(samples, spoken)
        for kept, each in zip((controls, gates, phones), wanted, strict=True):
            kept.append(each)
        if utterance.source == "librispeech":
            recorded += len(wanted[2])
        if not utterance.source.endswith(" sung"):
            in_speech += len(wanted[2])
        variants[0].append(features_of(samples).astype(np.float16))
        for variant in variants[1:]:
            variant.append(features_of(augment(rng, samples), warp=float(rng.uniform(*_WARP))).astype(np.float16))
    return Hearings(
        tuple(np.concatenate(variant) for variant in variants),
        np.concatenate(controls).astype(np.float16),
        np.concatenate(gates).astype(np.float16),
        np.concatenate(phones),
        recorded,
        in_speech,
    )


def with_silence(rng: np.random.Generator, utterance: Utterance) -> tuple[Float32[np.ndarray, "N"], tuple[Phone, ...]]:
    """Some silence before and after, with a little hiss over all, and the phones moved along."""
    before, after = (int(seconds * ears.RATE_HZ) for seconds in rng.uniform(*_SILENCE_S, 2))
    count = before + len(utterance.samples) + after
    count += -count % ears.STEP
    samples = rng.normal(size=count).astype(np.float32) * np.float32(10 ** (float(rng.uniform(*_HISS_DB)) / 20))
    samples[before : before + len(utterance.samples)] += utterance.samples
    shift_s = before / ears.RATE_HZ
    return samples, tuple(
        Phone(phone.symbol, phone.start_s + shift_s, phone.end_s + shift_s, phone.stress) for phone in utterance.phones
    )


def answer_times_s(steps: int) -> Float64[np.ndarray, "T"]:
    """The instant that each step answers for."""
    return (np.arange(steps) + 1) * STEP_S - LOOKAHEAD_S


def answers_for(
    samples: Float32[np.ndarray, "N"], phones: Sequence[Phone]
) -> tuple[Float32[np.ndarray, "T C"], Float32[np.ndarray, "T 3"], UInt8[np.ndarray, "T"]]:
    """Controls, gates and phone of each step, ahead by what easing will take."""
    times_s = answer_times_s(len(samples) // ears.STEP) + AHEAD_S
    controls, closed, tucked, voice = mouth_curves(phones, times_s, loudness_db=loudness_over_mean(samples, times_s))
    symbols = np.full(len(times_s), PHONE_INDEX[SILENCE], np.uint8)
    for phone in phones:
        symbols[(times_s >= phone.start_s) & (times_s < phone.end_s)] = PHONE_INDEX[phone.symbol]
    return controls, np.stack([closed, tucked, voice], axis=1), symbols


def features_of(samples: Float32[np.ndarray, "N"], *, warp: float = 1.0) -> Float32[np.ndarray, "T F"]:
    """All steps of a sound at once: what `features.hear` gives one by one."""
    steps = len(samples) // ears.STEP
    padded = np.concatenate([np.zeros(ears.PAST, np.float32), samples[: steps * ears.STEP]])
    # Copied, because a product with overlapping windows is not one that BLAS can do.
    windows = np.ascontiguousarray(sliding_window_view(padded, ears.WINDOW)[:: ears.HOP][: 2 * steps])
    bands = ears.mel_db(windows)
    if warp != 1.0:
        bands = bands @ warping(warp)
    loudness = ears.loudness_db(samples[: steps * ears.STEP].reshape(steps, ears.STEP))
    return ears.told_against(bands.reshape(steps, 2, ears.BANDS), running_level(loudness))


def running_level(loudness: Float32[np.ndarray, "T"]) -> Float32[np.ndarray, "T"]:
    """`features.next_level` step after step, in plain floats."""
    level, levels = ears.LEVEL_AT_START, []
    for value in loudness.tolist():
        if value > level:
            level += ears.RISE * (value - level)
        else:
            level = max(level - ears.FALL_DB, value)
        level = max(level, ears.LEVEL_FLOOR_DB)
        levels.append(level)
    return np.array(levels, np.float32)
