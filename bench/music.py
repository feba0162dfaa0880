"""How often speech and song are taken for music, and music for speech (row A26 of bad inputs).

LibriSpeech's speakers, voices of espeak-ng in ten languages and its sung vowels; music by numpy (tests/unit/speech/tunes.py), alone
and with a voice; clean, in noise, by telephone and in a wet room. A warning on speech is a false alarm.

    python -m bench.music [--share 1.0]      (needs the extra `train` and LibriSpeech: AVATAR3D_SHARED)
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32
from threadpoolctl import threadpool_limits

from avatar3d.speech.network.features import RATE_HZ
from avatar3d.speech.sound.music import MusicWatch
from avatar3d.speech.sound.remarks import MUSIC
from avatar3d.speech.sound.soxr import resampled
from avatar3d.speech.train.corpus import hold_vowels, read_samples
from avatar3d.speech.train.utterance import Utterance
from avatar3d.speech.voices.espeak import Manner, speak_phones
from bench.measure import save_result, show
from bench.speech import conditions
from tests.unit.speech.tunes import KINDS, tune

Sound = Float32[np.ndarray, "N"]
_PER_SPEAKER: Final = 13
_SEEDS: Final = 12
_NOTES_HZ: Final = (110, 165, 220, 330, 440)
_MANNERS: Final = (("", 1.0), ("f2", 1.0), ("m3", 0.5), ("klatt", 1.0), ("f5", 1.5), ("whisper", 1.0))
"""Variant and liveliness of pitch."""
_TEXTS: Final = {
    "en": "Good morning everybody. The quick brown fox jumps over the lazy dog, and sleeps under the old apple tree.",
    "de": "Guten Morgen zusammen. Morgen kommt ein großer Sturm aus dem Norden, und alle bleiben lieber zu Hause.",
    "fr": "Bonjour à tous. Demain une grande tempête arrive du nord et tout le monde reste à la maison.",
    "es": "Buenos días a todos. Mañana llega una gran tormenta del norte y todos se quedan en casa.",
    "it": "Buongiorno a tutti. Domani arriva una grande tempesta dal nord e tutti restano a casa.",
    "pl": "Dzień dobry wszystkim. Jutro przyjdzie wielka burza z północy i wszyscy zostaną w domu.",
    "tr": "Herkese günaydın. Yarın kuzeyden büyük bir fırtına geliyor ve herkes evde kalıyor.",
    "fi": "Hyvää huomenta kaikille. Huomenna pohjoisesta tulee suuri myrsky ja kaikki jäävät kotiin.",
    "ja": "おはようございます。あしたはきたからおおきなあらしがきます。みんなうちにいます。",
    "cmn": "大家早上好。明天有一场大风暴从北方来，大家都待在家里。",
}


def main() -> None:
    """Print the table and write bench/results/music.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=1.0)
    every = max(1, round(1 / parser.parse_args().share))
    heard: dict[tuple[str, str], list[bool]] = {}
    with threadpool_limits(1):
        for at, (kind, samples) in enumerate(sounds()):
            if at % every == 0:
                for condition, changed in _in_conditions(samples):
                    heard.setdefault((kind, condition), []).append(warned(changed))
    rows = [
        {"sound": kind, "condition": condition, "sounds": len(told), "taken for music": float(np.mean(told))}
        for (kind, condition), told in heard.items()
    ]
    show("taken for music", rows)
    save_result("music", {"rows": rows})


def sounds() -> Iterator[tuple[str, Sound]]:
    """What is heard, by kind."""
    spoken, sung = list(_read()), list(_sung())
    yield from (("read speech", each) for each in spoken)
    yield from (("espeak-ng", each) for each in _synthetic())
    yield from (("one voice singing", each) for each in sung)
    for kind in KINDS:
        yield from (("music: " + kind, tune(kind, seed)) for seed in range(_SEEDS))
    for seed in range(2 * _SEEDS):
        music = tune("band", seed)
        yield "song with a band", _over(sung[seed % len(sung)], music, 0)
        for db in (-6, -12, -20):
            yield f"speech, a band {-db} dB below", _over(spoken[7 * seed % len(spoken)], music, db)


def warned(samples: Sound) -> bool:
    watch = MusicWatch()
    for at in range(0, len(samples), RATE_HZ):
        watch = watch.step(samples[at : at + RATE_HZ])
    return watch.share() >= MUSIC


def _in_conditions(samples: Sound) -> Iterator[tuple[str, Sound]]:
    yield "clean", samples
    for name, change in conditions().items():
        if name != "quiet":
            yield name, change(Utterance("", "", "", "", "", samples, ())).samples


def _read() -> Iterator[Sound]:
    root = Path(os.environ.get("AVATAR3D_SHARED", Path(__file__).parents[2] / "shared"))
    for speaker in sorted((root / "data/speech/librispeech").glob("[0-9]*")):
        files = sorted(speaker.glob("*/*.opus"))
        for at in np.linspace(0, len(files) - 1, _PER_SPEAKER).astype(int):
            yield read_samples(files[at])


def _synthetic() -> Iterator[Sound]:
    for language, text in _TEXTS.items():
        for variant, lively in _MANNERS:
            samples, rate_hz, _ = speak_phones(text, language, Manner(variant=variant, pitch_range=lively))
            yield np.concatenate(list(resampled([samples], rate_hz, RATE_HZ)))


def _sung() -> Iterator[Sound]:
    for language, text in _TEXTS.items():
        for note_hz in _NOTES_HZ:
            samples, rate_hz, phones = speak_phones(text[:60], language, Manner(rate=0.46, note_hz=note_hz))
            heard = np.concatenate(list(resampled([samples], rate_hz, RATE_HZ)))
            held = hold_vowels(np.random.default_rng(note_hz), heard, phones)
            if held is not None:
                yield (0.7 * held[0] / np.abs(held[0]).max()).astype(np.float32)


def _over(voice: Sound, music: Sound, music_db: float) -> Sound:
    """A voice, said again and again, over music."""
    voice = np.resize(voice, len(music))
    gain = np.sqrt(np.mean(voice**2) / np.mean(music**2)) * 10 ** (music_db / 20)
    both = voice + gain * music
    return (0.7 * both / np.abs(both).max()).astype(np.float32)


if __name__ == "__main__":
    main()
