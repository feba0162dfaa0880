"""The corpus on disk: one file per part, so that training starts again without aligning anew, and its bill of materials."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from avatar3d.speech.network.features import RATE_HZ
from avatar3d.speech.phones import PHONE_INDEX, PHONES, Phone
from avatar3d.speech.train.utterance import Utterance

PARTS: Final = ("train", "tune", "test", "foreign", "song")
BILL: Final = "corpus.json"
# Where each source comes from and what its licence lets us do with weights trained on it.
LICENCES: Final = {
    "librispeech": "LibriSpeech train-clean-5, (c) 2014 Vassil Panayotov, CC BY 4.0; texts and readings in the public domain",
    "espeak-ng": "synthesised with espeak-ng (GPL 3; its output is not covered by it)",
    "espeak-ng sung": "synthesised with espeak-ng (GPL 3; its output is not covered by it)",
    "flite": "synthesised with flite 2.2 and its voices (Carnegie Mellon University, free for any use)",
    "festival": "synthesised with festival 2.5, voice kal_diphone (University of Edinburgh and CMU, free for any use)",
}


def shelve(utterances: Iterable[Utterance], folder: Path) -> None:
    """Write every part and corpus.json."""
    folder.mkdir(parents=True, exist_ok=True)
    parts: dict[str, list[Utterance]] = {part: [] for part in PARTS}
    for utterance in utterances:
        parts[utterance.part].append(utterance)
    for part, found in parts.items():
        samples = [np.round(utterance.samples * 32767).astype(np.int16) for utterance in found]
        phones = [phone for utterance in found for phone in utterance.phones]
        np.savez(
            folder / f"{part}.npz",
            samples=np.concatenate(samples) if samples else np.zeros(0, np.int16),
            sample_counts=np.array([len(each) for each in samples], np.int64),
            phone_counts=np.array([len(utterance.phones) for utterance in found], np.int64),
            symbols=np.array([PHONE_INDEX[phone.symbol] for phone in phones], np.uint8),
            times_s=np.array([(phone.start_s, phone.end_s) for phone in phones], np.float64).reshape(-1, 2),
            stress=np.array([phone.stress for phone in phones], np.float32),
            told=np.array([(u.name, u.source, u.language, u.speaker) for u in found], dtype=np.str_).reshape(-1, 4),
        )
    (folder / BILL).write_text(json.dumps(bill_of_materials(parts), indent=1) + "\n", encoding="utf-8")


def bill_of_materials(parts: dict[str, list[Utterance]]) -> dict[str, object]:
    """Minutes per part, source and language, and the licences."""
    minutes: dict[str, Counter[str]] = {part: Counter() for part in parts}
    for part, found in parts.items():
        for utterance in found:
            minutes[part][f"{utterance.source}, {utterance.language}"] += len(utterance.samples)
    return {
        "minutes": {
            part: {name: round(count / RATE_HZ / 60, 2) for name, count in sorted(counted.items())}
            for part, counted in minutes.items()
        },
        "licences": LICENCES,
    }


def unshelve(folder: Path, part: str) -> list[Utterance]:
    """The utterances of a part."""
    with np.load(folder / f"{part}.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    utterances: list[Utterance] = []
    sample = phone = 0
    for at, (name, source, language, speaker) in enumerate(arrays["told"]):
        samples = arrays["samples"][sample : sample + arrays["sample_counts"][at]].astype(np.float32) / 32767
        spoken = range(phone, phone + int(arrays["phone_counts"][at]))
        phones = tuple(
            Phone(PHONES[arrays["symbols"][k]], float(start_s), float(end_s), float(arrays["stress"][k]))
            for k, (start_s, end_s) in zip(spoken, arrays["times_s"][spoken.start : spoken.stop], strict=True)
        )
        utterances.append(Utterance(str(name), part, str(source), str(language), str(speaker), samples, phones))
        sample, phone = sample + len(samples), phone + len(spoken)
    return utterances
