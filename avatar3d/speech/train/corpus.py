"""The speech the network learns from: read speech with aligned phones, and synthetic voices with exact ones.

    librispeech --> align --> kept by score --\
    espeak-ng, 18 languages and song ----------> Utterance, Utterance, ... --> one file per part + bill of materials
    flite, festival --------------------------/

Seeded; the parts are `train`, `tune` (two speakers: gates are set on them), `test` (three speakers, never looked at by
training), `foreign` (languages that training never heard) and `song`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.clock import Progress
from avatar3d.core.errors import UnreadableError
from avatar3d.speech.network.features import RATE_HZ
from avatar3d.speech.phones import SILENCE, VOWELS, Phone
from avatar3d.speech.sound.open import open_sound
from avatar3d.speech.sound.soxr import resampled
from avatar3d.speech.train.align import Aligner
from avatar3d.speech.train.texts import HELD_OUT, TRAINED, made_up_sentence
from avatar3d.speech.train.utterance import Utterance
from avatar3d.speech.train.voices import festival_speaks, flite_speaks, require_voices
from avatar3d.speech.voices.espeak import Manner, speak_phones

TEST_SPEAKERS: Final = ("1898", "4640", "8629")
"""Two women and a man, chosen before anything was trained."""
TUNE_SPEAKERS: Final = ("669", "3242")
_WORST_SCORE: Final = 0.04
"""Alignments dropped: this share of the least likely, and any with a phone longer than anyone speaks it."""
_ENGLISH: Final = ("en-us", "en-gb")
# Variants of espeak-ng that sound like a person; how quick and how high they speak.
_VARIANTS: Final = (
    "",
    "m1",
    "m2",
    "m3",
    "m4",
    "m5",
    "m6",
    "m7",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "klatt",
    "klatt2",
    "klatt3",
)
_RATES: Final = (0.75, 1.35)
_PITCHES: Final = (0.75, 1.45)
_PLAIN_PITCH: Final = (0.5, 1.6)
_NOTES_HZ: Final = (98.0, 440.0)


@dataclass(frozen=True)
class CorpusParams:
    """How much of what; minutes are of speech."""

    seed: int = 0
    real_share: float = 1.0
    """Of LibriSpeech's utterances."""
    english_minutes: float = 25.0
    """espeak-ng reading LibriSpeech's texts."""
    language_minutes: float = 5.0
    """Each language of TRAINED."""
    foreign_minutes: float = 4.0
    flite_minutes: float = 30.0
    festival_minutes: float = 4.0
    song_minutes: float = 8.0
    more_song_minutes: float = 24.0
    """Drawn on its own, so that what song is judged on stays what it was."""


def build_corpus(folder: Path, params: CorpusParams, progress: Progress) -> Iterator[Utterance]:
    """Everything, in the same order each time. `folder` is LibriSpeech's: SPEAKER/CHAPTER/*.opus and *.trans.txt.

    Raises UnreadableError (10) for another folder and UsageError (2) without flite or festival, before anything is built.
    """
    _sounds(folder)
    require_voices()
    rng = np.random.default_rng(params.seed)
    progress("aligning read speech")
    texts: list[str] = []
    for utterance, text in _read_speech(folder, params.real_share, progress):
        if utterance.part == "train":
            texts.append(text)
        yield utterance
    progress("synthetic English")
    yield from _until(
        params.english_minutes, lambda at: _espeak(rng, _ENGLISH[at % 2], str(rng.choice(texts)).lower(), "train")
    )
    progress("synthetic languages")
    for language in TRAINED:
        yield from _until(
            params.language_minutes,
            lambda _, language=language: _espeak(rng, language, made_up_sentence(rng, language), "train"),
        )
    for language in HELD_OUT:
        yield from _until(
            params.foreign_minutes,
            lambda _, language=language: _espeak(rng, language, made_up_sentence(rng, language), "foreign"),
        )
    progress("flite and festival")
    yield from _until(params.flite_minutes, lambda at: _voice(flite_speaks, at, str(rng.choice(texts)).lower()))
    yield from _until(params.festival_minutes, lambda at: _voice(festival_speaks, at, str(rng.choice(texts)).lower()))
    progress("song")
    yield from _until(params.song_minutes, lambda _: _sung(rng, str(rng.choice(TRAINED)), "train"))
    yield from _until(params.song_minutes / 4, lambda _: _sung(rng, "en-us", "song"))
    yield from more_song(params)


def more_song(params: CorpusParams) -> Iterator[Utterance]:
    """The last of the training part."""
    rng = np.random.default_rng((params.seed, 1))
    yield from _until(params.more_song_minutes, lambda _: _sung(rng, str(rng.choice(TRAINED)), "train"))


def _until(minutes: float, make: Callable[[int], Utterance | None]) -> Iterator[Utterance]:
    spoken_s, at = 0.0, 0
    while spoken_s < 60 * minutes:
        made = make(at)
        at += 1
        if made is not None:
            spoken_s += len(made.samples) / RATE_HZ
            yield made
        elif at > 100_000:
            raise UnreadableError("No synthetic voice answers.")


def _sounds(folder: Path) -> list[Path]:
    """LibriSpeech's files. Raises UnreadableError when there is none."""
    files = sorted(folder.glob("*/*/*.opus"))
    if not files:
        raise UnreadableError(
            "expected LibriSpeech as SPEAKER/CHAPTER/*.opus with *.trans.txt", file=folder,
            hint="Give the folder that holds the speakers' folders (--librispeech).",
        )  # fmt: skip
    return files


def _read_speech(folder: Path, share: float, progress: Progress) -> Iterator[tuple[Utterance, str]]:
    """LibriSpeech with phones; the worst alignments of all are left out."""
    files = _sounds(folder)[:: max(1, round(1 / share))]
    texts: dict[str, str] = {}
    for listing in sorted(folder.glob("*/*/*.trans.txt")):
        for line in listing.read_text(encoding="utf-8").splitlines():
            name, _, words = line.partition(" ")
            texts[name] = words
    aligner = Aligner(pronounce)
    found: list[tuple[float, Path, tuple[Phone, ...]]] = []
    for at, path in enumerate(files):
        if at % 100 == 0:
            progress(f"  {at} of {len(files)}")
        aligned = aligner.align(texts[path.stem], read_samples(path))
        if aligned is not None and not aligned.longest:
            found.append((aligned.score, path, aligned.phones))
    least = float(np.quantile([score for score, _, _ in found], _WORST_SCORE))
    progress(f"  {sum(score >= least for score, _, _ in found)} of {len(files)} alignments kept")
    for score, path, phones in found:
        if score < least:
            continue
        speaker = path.stem.split("-")[0]
        part = "test" if speaker in TEST_SPEAKERS else "tune" if speaker in TUNE_SPEAKERS else "train"
        yield Utterance(path.stem, part, "librispeech", "en", speaker, read_samples(path), phones), texts[path.stem]


def read_samples(path: Path) -> Float32[np.ndarray, "N"]:
    """The whole file, 16 kHz mono."""
    with open_sound(path) as sound:
        return np.concatenate([chunk.samples for chunk in sound])


def pronounce(word: str) -> tuple[str, ...]:
    """espeak-ng's phones of an English word."""
    _, _, phones = speak_phones(word, "en-us")
    return tuple(phone.symbol for phone in phones if phone.symbol != SILENCE)


def _espeak(rng: np.random.Generator, language: str, text: str, part: str) -> Utterance | None:
    manner = Manner(
        variant=str(rng.choice(_VARIANTS)),
        rate=float(rng.uniform(*_RATES)),
        pitch=float(rng.uniform(*_PITCHES)),
        pitch_range=float(rng.uniform(*_PLAIN_PITCH)),
    )
    return _as_utterance(
        *speak_phones(text, language, manner), part, "espeak-ng", language, manner.variant or "default"
    )


def _sung(rng: np.random.Generator, language: str, part: str) -> Utterance | None:
    """Slow syllables on one note each: vowels that last."""
    manner = Manner(
        variant=str(rng.choice(_VARIANTS)), rate=0.46, note_hz=float(np.exp(rng.uniform(*np.log(_NOTES_HZ)))),
    )  # fmt: skip
    samples, rate_hz, phones = speak_phones(made_up_sentence(rng, language), language, manner)
    stretched = hold_vowels(rng, _at_16_khz(samples, rate_hz), phones)
    return (
        None
        if stretched is None
        else _as_utterance(stretched[0], RATE_HZ, stretched[1], part, "espeak-ng sung", language, manner.variant)
    )


def hold_vowels(
    rng: np.random.Generator, samples: Float32[np.ndarray, "N"], phones: Sequence[Phone]
) -> tuple[Float32[np.ndarray, "M"], tuple[Phone, ...]] | None:
    """Each vowel held for up to two seconds: its middle is repeated period by period, cross-faded."""
    pieces: list[Float32[np.ndarray, "K"]] = []
    held: list[Phone] = []
    at, shift_s = 0, 0.0
    for phone in phones:
        start_s = phone.start_s + shift_s
        if phone.symbol in VOWELS and phone.end_s - phone.start_s > 0.06:
            middle = round((phone.start_s + phone.end_s) / 2 * RATE_HZ)
            span = round(0.03 * RATE_HZ)
            if middle - span < at or middle + 2 * span > len(samples):
                held.append(Phone(phone.symbol, start_s, phone.end_s + shift_s, phone.stress))
                continue
            period = _period(samples[middle - span : middle + 2 * span])
            extra_s = float(rng.uniform(0.3, 1.8))
            repeats = max(1, round(extra_s * RATE_HZ / period))
            ramp = np.linspace(0, 1, period, dtype=np.float32)
            # One period that flows into itself: it fades from what follows it to what it is.
            loop = samples[middle : middle + period] * ramp + samples[middle + period : middle + 2 * period] * (
                1 - ramp
            )
            pieces += [samples[at : middle + period], np.tile(loop, repeats)]
            at = middle + period
            shift_s += repeats * period / RATE_HZ
        held.append(Phone(phone.symbol, start_s, phone.end_s + shift_s, phone.stress))
    if not pieces:
        return None
    return np.concatenate([*pieces, samples[at:]]), tuple(held)


def _period(samples: Float32[np.ndarray, "N"]) -> int:
    """Samples per glottal period, by autocorrelation."""
    centred = samples - samples.mean()
    lags = np.arange(RATE_HZ // 500, RATE_HZ // 70)
    lags = lags[lags < len(centred) // 2]
    alike = [
        float(centred[:-lag] @ centred[lag:]) / (np.linalg.norm(centred[:-lag]) * np.linalg.norm(centred[lag:]) + 1e-9)
        for lag in lags
    ]
    return int(lags[int(np.argmax(alike))])


def _voice(
    speaks: Callable[[str, int], tuple[Float32[np.ndarray, "N"], int, tuple[Phone, ...], str] | None],
    at: int,
    text: str,
) -> Utterance | None:
    spoken = speaks(text, at)
    if spoken is None:
        return None
    samples, rate_hz, phones, speaker = spoken
    return _as_utterance(samples, rate_hz, phones, "train", speaker.split("-")[0], "en", speaker)


def _as_utterance(
    samples: Float32[np.ndarray, "N"],
    rate_hz: int,
    phones: Sequence[Phone],
    part: str,
    source: str,
    language: str,
    speaker: str,
) -> Utterance | None:
    if not phones or len(samples) < rate_hz // 2:
        return None
    heard = _at_16_khz(samples, rate_hz)
    peak = float(np.abs(heard).max())
    return Utterance(
        "", part, source, language, speaker, heard if peak <= 1 else heard / np.float32(peak), tuple(phones)
    )


def _at_16_khz(samples: Float32[np.ndarray, "N"], rate_hz: int) -> Float32[np.ndarray, "M"]:
    return np.concatenate([np.zeros(0, np.float32), *resampled([samples], rate_hz, RATE_HZ)])
