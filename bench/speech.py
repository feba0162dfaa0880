"""How well the speech network moves a mouth, from sound alone, on speakers that training never heard.

Clean, in noise, quiet, by telephone and in a wet room; beside it curves built from the phones themselves, a flapping jaw,
random curves and another sentence's curves, all three of which must fall out far below. What is measured, and the total's formula:
avatar3d/speech/train/evaluate.py. Then languages that training never heard, song, emotions, and speed on one core.

    python -m bench.speech [--work DIR] [--share 1.0]      (needs the extra `train` and LibriSpeech: AVATAR3D_SHARED)
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from avatar3d.speech.lips import seal
from avatar3d.speech.network.features import RATE_HZ, STEP
from avatar3d.speech.network.model import LOOKAHEAD_S, STEP_S, Network, listen, listening_at_start, load_network
from avatar3d.speech.performance.emotion import EMOTIONS, Look, look_of, speak_with
from avatar3d.speech.phones import VOWELS
from avatar3d.speech.train.augment import by_telephone, in_room, loud_over_active_db, with_noise
from avatar3d.speech.train.corpus import CorpusParams, build_corpus
from avatar3d.speech.train.curves import at_random, built_from, flapping, heard_by, of_another_sentence
from avatar3d.speech.train.evaluate import CURVES_HZ, Curves, decodability, lips_met, score
from avatar3d.speech.train.shelf import BILL, shelve, unshelve
from avatar3d.speech.train.utterance import Utterance
from bench.measure import save_result, show

_NOISE_DB: Final = 10.0
"""Active level of the speech (ITU-T P.56) over the noise's."""
_QUIET_DB: Final = -24.0
_ROOM_S: Final = 0.8
_ROOM_DIRECT: Final = 0.8
"""Energy of the direct sound over the room's."""
_OUTPUT_HZ: Final = 60.0
_TIMED_STEPS: Final = 3000
_SUNG_S: Final = 0.8
"""A vowel held at least this long is a note."""


def conditions() -> dict[str, Callable[[Utterance], Utterance]]:
    """What is done to the sound before it is heard; seeded by the utterance."""

    def changed(change: Callable[[np.random.Generator, np.ndarray], np.ndarray]) -> Callable[[Utterance], Utterance]:
        def apply(utterance: Utterance) -> Utterance:
            rng = np.random.default_rng(len(utterance.samples))
            return replace(utterance, samples=change(rng, utterance.samples).astype(np.float32))

        return apply

    return {
        "noise": changed(lambda rng, samples: with_noise(rng, samples, _NOISE_DB + loud_over_active_db(samples))),
        "quiet": changed(lambda _, samples: samples * 10 ** (_QUIET_DB / 20)),
        "telephone": changed(lambda _, samples: by_telephone(samples)),
        "room": changed(lambda rng, samples: in_room(rng, samples, _ROOM_S, _ROOM_DIRECT)),
    }


def main() -> None:
    """Print the tables and write bench/results/speech.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, default=Path("build/speech"))
    parser.add_argument("--share", type=float, default=1.0)
    asked = parser.parse_args()
    corpus = asked.work / "corpus"
    if not (corpus / BILL).exists():
        root = Path(os.environ.get("AVATAR3D_SHARED", Path(__file__).parents[2] / "shared"))
        shelve(build_corpus(root / "data/speech/librispeech", CorpusParams(), print), corpus)
    with threadpool_limits(1):
        results = measure(load_network(), corpus, asked.share)
    show("speech, three unseen speakers", [{"": name} | row for name, row in results["systems"].items()])
    show("other", [{"": name, "value": value} for name, value in results["other"].items()])
    save_result("speech", results)


def measure(network: Network, corpus: Path, share: float = 1.0) -> dict[str, dict[str, Any]]:
    """Scores per system and condition, and the single figures."""
    tested = unshelve(corpus, "test")[:: max(1, round(1 / share))]
    reference = built_from(tested)
    heard = heard_by(network, tested)
    systems = {"network": score(heard, reference)}
    for name, change in conditions().items():
        systems[f"network, {name}"] = score(heard_by(network, [change(each) for each in tested]), reference)
    systems |= {
        "from the phones": score(reference, reference),
        "flapping jaw": score(flapping(tested), reference),
        "random phones": score(at_random(tested), reference),
        "another sentence": score(of_another_sentence(heard), reference),
    }
    clean = systems["network"]
    other: dict[str, float] = {"below the phones' curves": systems["from the phones"].total - clean.total}
    for name in conditions():
        other[f"loss, {name}"] = clean.total - systems[f"network, {name}"].total
    other |= _languages(network, corpus) | _song(network, corpus) | _emotions(network, tested, heard)
    other |= _speed(network) | {"algorithmic latency, ms": 1000 * (LOOKAHEAD_S + STEP_S)}
    return {"systems": {name: each.as_row() for name, each in systems.items()}, "other": other}


def _languages(network: Network, corpus: Path) -> dict[str, float]:
    """Visemes told in languages never heard, over those that were, by a classifier of the trained ones."""
    trained = [u for u in unshelve(corpus, "train") if u.source == "espeak-ng" and u.language not in {"en-us", "en-gb"}]
    known, asked = heard_by(network, trained[::2]), heard_by(network, trained[1::2])
    within = decodability(asked, known)
    told = {"visemes, trained languages": within}
    for language in sorted({u.language for u in unshelve(corpus, "foreign")}):
        foreign = [u for u in unshelve(corpus, "foreign") if u.language == language]
        told[f"visemes, {language} (held out) over trained"] = decodability(heard_by(network, foreign), known) / within
    return told


def _song(network: Network, corpus: Path) -> dict[str, float]:
    """Over held vowels: how far jaw and lips drift from where they stand 0.3 s into the note, as a share of it."""
    drifts: list[float] = []
    for curves in heard_by(network, unshelve(corpus, "song")):
        for phone in curves.phones:
            if phone.symbol not in VOWELS or phone.end_s - phone.start_s < _SUNG_S:
                continue
            low, high = (int(at * CURVES_HZ) for at in (phone.start_s + 0.3, phone.end_s - 0.1))
            note = curves.weights[low:high]
            size = float(note[: int(0.1 * CURVES_HZ)].mean(axis=0).sum())
            drifts.append(
                float(np.abs(note - note[: int(0.1 * CURVES_HZ)].mean(axis=0)).sum(axis=1).mean() / max(size, 0.05))
            )
    return {
        "drift over sung notes": float(np.median(drifts)),
        "notes within 10 %": float(np.mean(np.array(drifts) < 0.1)),
    }


def _emotions(network: Network, tested: Sequence[Utterance], heard: Sequence[Curves]) -> dict[str, float]:
    """What closure recall loses under each emotion at full intensity, lips sealed last as the performer does."""
    plain = lips_met(heard).closure_recall
    drops: dict[str, float] = {}
    for emotion in EMOTIONS:
        look = Look(look_of(emotion, 1.0))
        worn = heard_by(
            network, tested[::4], lambda weights, closed, tucked, look=look: _worn(weights, closed, tucked, look)
        )
        bare = lips_met(heard[::4]).closure_recall
        drops[emotion] = bare - lips_met(worn).closure_recall
    worst = max(drops, key=lambda name: drops[name])
    return {"closure recall": plain, f"closure recall lost at full {worst}": drops[worst]}


def _worn(weights: np.ndarray, closed: np.ndarray, tucked: np.ndarray, look: Look) -> np.ndarray:
    spoken = np.stack(
        [
            np.clip(speak_with(row, look.mouth, 1.0, float(shut)) + look.face, 0, 1)
            for row, shut in zip(weights, closed, strict=True)
        ]
    )
    return seal(spoken.astype(np.float32), closed, tucked)


def _speed(network: Network) -> dict[str, float]:
    """One core, step by step."""
    rng = np.random.default_rng(0)
    state, times_s = listening_at_start(network), []
    for _ in range(_TIMED_STEPS):
        samples = (0.1 * rng.normal(size=STEP)).astype(np.float32)
        began_s = time.perf_counter()
        state, _ = listen(network, state, samples)
        times_s.append(time.perf_counter() - began_s)
    return {
        "real-time factor, one core": float(np.sum(times_s)) / (_TIMED_STEPS * STEP / RATE_HZ),
        "step p50, ms": 1000 * float(np.median(times_s)),
        "step p99, ms": 1000 * float(np.quantile(times_s, 0.99)),
    }


if __name__ == "__main__":
    main()
