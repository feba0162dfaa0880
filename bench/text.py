"""Text and marks: how soon the first frame comes, and whether the mouth does what the marks say, when they say it.

First frame: from a text given to espeak-ng to the first Frame out of the performer, for a sentence and for pages; with a process
that waits, and with one that must start. Marks: sentences of espeak-ng in five languages, whose phones are exact, written as each
kind of file we read, read again, and performed; then when does the Frames' mouth close, tuck, round or open most, against the mark
that asks for it? Between the next marks on each side that ask for somewhat of the same; marks that touch those are left out.

    python -m bench.text      (needs the extra `espeak`)
"""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32
from threadpoolctl import threadpool_limits

from avatar3d.core.blendshapes import ARKIT_INDEX, Frame
from avatar3d.speaking import SpeakParams, perform
from avatar3d.speech.animate import with_pitch
from avatar3d.speech.as_spoken import mouth_as_spoken
from avatar3d.speech.coarticulate import articulate
from avatar3d.speech.lips import gap_mm
from avatar3d.speech.loudness import loudness_over_mean
from avatar3d.speech.marks.read import read_marks
from avatar3d.speech.network.features import RATE_HZ
from avatar3d.speech.performance.controls import Controls
from avatar3d.speech.phones import SILENCE, VOWELS, Phone
from avatar3d.speech.sound.soxr import resampled
from avatar3d.speech.voices.espeak import Espeak, speak_phones
from bench.measure import save_result, show

_SENTENCE: Final = "Good morning, my name is Bob and I live in a small village by the sea. "
_TIMES: Final = 15
_NEAR_S: Final = 0.04
_AROUND_S: Final = 0.12
"""The event is looked for this far around its mark."""
_CLEAR: Final = 0.5
"""Of the way from least to most: a summit lower than that is none."""
TEXTS: Final = {
    "en-us": "My mama baked a big apple pie. Five very famous waves followed the boat. Who would move through two rooms? Papa sat there.",
    "de": "Meine Mama kauft beim Bäcker warme Brote. Vier Vögel fliegen über den blauen Fluss. Du musst gut zuhören, Papa.",
    "es": "Mi mamá prepara una buena sopa. El famoso fotógrafo viaja a Bolivia. Tú nunca comes uvas, papá.",
    "it": "La mamma prepara una buona pasta. Fuori fa freddo e piove forte. Tu mi puoi portare una patata.",
    "fr": "Mon papa boit beaucoup de vin blanc. Vous avez fait une belle voiture. Tout le monde aime la mer.",
}
# What is asked by which phone, and by the visemes and letters that stand for it.
_KINDS: Final[dict[str, frozenset[str]]] = {
    "closed": frozenset("pbm"), "tucked": frozenset("fv"), "rounded": frozenset("uw"), "open": frozenset("aɑæ"),
}  # fmt: skip
# What asks for somewhat of the same.
_SOMEWHAT: Final[dict[str, frozenset[str]]] = {
    "closed": _KINDS["closed"], "tucked": _KINDS["tucked"], "rounded": frozenset("uwʊoyøɔʃʒɹɚ") | {"tʃ", "dʒ"},
    "open": frozenset(VOWELS),
}  # fmt: skip
_RHUBARB: Final = {"closed": "A", "tucked": "G", "rounded": "F", "open": "D"}
_AZURE: Final = {"closed": 21, "tucked": 18, "rounded": 7, "open": 2}


@dataclass(frozen=True)
class Asked:
    """What a mark asks for."""

    kind: str
    """Of _KINDS."""
    start_s: float
    end_s: float
    from_s: float
    """Between these it must be seen: other phones that ask for somewhat of the same are beyond."""
    until_s: float


@dataclass(frozen=True, eq=False)
class Said:
    """A sound with its exact phones."""

    samples: Float32[np.ndarray, "N"]
    phones: tuple[Phone, ...]

    @property
    def duration_s(self) -> float:
        return len(self.samples) / RATE_HZ


def say(text: str, language: str) -> Said:
    samples, rate_hz, phones = speak_phones(text, language)
    return Said(np.concatenate(list(resampled([samples], rate_hz, RATE_HZ))), phones)


def asked_by(phones: Sequence[Phone]) -> tuple[Asked, ...]:
    """The marks that must be seen."""
    found: list[Asked] = []
    for kind, symbols in _KINDS.items():
        rivals = [phone for phone in phones if phone.symbol in _SOMEWHAT[kind]]
        for before, phone, after in zip((None, *rivals[:-1]), rivals, (*rivals[1:], None), strict=True):
            alone = (before is None or before.end_s < phone.start_s) and (after is None or after.start_s > phone.end_s)
            if phone.symbol in symbols and alone:
                from_s = max(phone.start_s - _AROUND_S, before.end_s if before else 0.0)
                until_s = min(phone.end_s + _AROUND_S, after.start_s if after else phones[-1].end_s)
                found.append(Asked(kind, phone.start_s, phone.end_s, from_s, until_s))
    return tuple(found)


def frames_of(phones: Sequence[Phone], said: Said) -> tuple[Frame, ...]:
    """The whole chain after the reader, 60 frames a second."""
    params = SpeakParams(controls=Controls(head_motion=0))
    times_s = np.arange(np.ceil(said.duration_s * params.rate_hz)) / params.rate_hz
    loudness = loudness_over_mean(said.samples, times_s)
    mouth = articulate(phones, rate_hz=params.rate_hz, duration_s=said.duration_s, loudness_db=loudness)
    return tuple(perform(with_pitch(mouth, said.samples), params))


def offsets_ms(frames: Sequence[Frame], asked: Sequence[Asked]) -> dict[str, list[float]]:
    """Per kind: how long before (-) or after (+) its mark each event is; 0 inside the mark."""
    times_s = np.array([frame.time_s for frame in frames])
    weights = np.stack([frame.weights for frame in frames])
    curves = {
        "closed": -gap_mm(weights),
        "tucked": weights[:, ARKIT_INDEX["mouthRollLower"]],
        "rounded": weights[:, ARKIT_INDEX["mouthPucker"]],
        "open": weights[:, ARKIT_INDEX["jawOpen"]],
    }
    found: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    for mark in asked:
        near = (times_s >= mark.from_s) & (times_s <= mark.until_s)
        curve, at_s = curves[mark.kind][near], times_s[near]
        # It happens where the curve stands highest, not where it still rises to the next mark; of several times, the nearest.
        least = curve.min() + _CLEAR * (curve.max() - curve.min())
        stands = (curve[1:-1] >= curve[:-2]) & (curve[1:-1] >= curve[2:]) & (curve[1:-1] > least)
        happened = at_s[1:-1][stands] if stands.any() else at_s[[curve.argmax()]]
        early, late = mark.start_s - happened, happened - mark.end_s
        away = np.where(early > 0, -early, np.maximum(late, 0))
        found[mark.kind].append(1000 * float(away[np.abs(away).argmin()]))
    return found


Writer = Callable[[Said, Path], Path]


def as_textgrid(said: Said, folder: Path) -> Path:
    """Praat's long text format, one tier of phones."""
    end_s = said.duration_s
    rows = [f'        intervals [{at}]:\n            xmin = {p.start_s}\n            xmax = {p.end_s}\n            text = "{p.symbol}"\n'
            for at, p in enumerate(_until(said.phones, end_s), start=1)]  # fmt: skip
    head = (
        f'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = {end_s}\ntiers? <exists>\nsize = 1\nitem []:\n'
        f'    item [1]:\n        class = "IntervalTier"\n        name = "phones"\n        xmin = 0\n        xmax = {end_s}\n'
        f"        intervals: size = {len(rows)}\n"
    )
    return _written(folder / "said.TextGrid", head + "".join(rows))


def as_rhubarb(said: Said, folder: Path) -> Path:
    """Tab-separated; all that no kind asks for is B, pauses are X."""
    rows = [f"{p.start_s:.2f}\t{_viseme(p.symbol, _RHUBARB, 'B', 'X')}\n" for p in said.phones]
    return _written(folder / "said.tsv", "".join([*rows, f"{said.duration_s:.2f}\tX\n"]))


def as_azure(said: Said, folder: Path) -> Path:
    """Events with offsets in ticks; all that no kind asks for is 19 (t d n), pauses are 0."""
    rows = [
        {"audio_offset": round(p.start_s * 1e7), "viseme_id": _viseme(p.symbol, _AZURE, 19, 0)} for p in said.phones
    ]
    return _written(folder / "said.json", json.dumps(rows))


def as_elevenlabs(said: Said, folder: Path) -> Path:
    """A letter for every phone, in its time; all that no kind asks for is t, pauses are blanks."""
    letters = {symbol: symbol for symbol in "pbmfvuwa"} | {"ɑ": "a", "æ": "a", SILENCE: " "}
    document = {
        "alignment": {
            "characters": [letters.get(p.symbol, "t") for p in said.phones],
            "character_start_times_seconds": [round(p.start_s, 3) for p in said.phones],
            "character_end_times_seconds": [round(p.end_s, 3) for p in said.phones],
        }
    }
    return _written(folder / "said.json", json.dumps(document))


WRITERS: Final[dict[str, Writer]] = {
    "TextGrid": as_textgrid, "Rhubarb": as_rhubarb, "Azure": as_azure, "ElevenLabs": as_elevenlabs,
}  # fmt: skip


def through_file(said: Said, write: Writer) -> tuple[Phone, ...]:
    """The phones as another program's marks tell them."""
    with tempfile.TemporaryDirectory() as folder:
        return read_marks(write(said, Path(folder)), duration_s=said.duration_s)


def _viseme(symbol: str, table: dict[str, Any], other: Any, pause: Any) -> Any:
    if symbol == SILENCE:
        return pause
    return next((table[kind] for kind, symbols in _KINDS.items() if symbol in symbols), other)


def _until(phones: Sequence[Phone], end_s: float) -> list[Phone]:
    return [*phones, Phone(SILENCE, phones[-1].end_s, end_s)] if phones[-1].end_s < end_s else list(phones)


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def first_frames() -> list[dict[str, Any]]:
    """Milliseconds to the first Frame."""
    params, rows = SpeakParams(), list[dict[str, Any]]()
    for name, sentences in (("a sentence", 1), ("a page", 40)):
        for process in ("waiting", "started"):
            taken_ms: list[float] = []
            for _ in range(_TIMES):
                engine = Espeak()
                if process == "waiting":
                    engine.warm()
                    assert engine.languages  # it has started
                began_s = time.perf_counter()
                spoken = engine.speak(sentences * _SENTENCE, language="en")
                frames = perform(mouth_as_spoken(spoken, rate_hz=params.rate_hz), params)
                next(frames)
                taken_ms.append(1000 * (time.perf_counter() - began_s))
                for _ in spoken:  # to its end: a text that is interrupted starts a process for the next one
                    pass
            least, p50, p95 = np.quantile(taken_ms, [0, 0.5, 0.95])
            rows.append({"text": name, "process": process, "least ms": least, "p50 ms": p50, "p95 ms": p95})
    return rows


def marks_in_time() -> list[dict[str, Any]]:
    """Per reader and kind."""
    all_said = [say(text, language) for language, text in TEXTS.items()]
    rows: list[dict[str, Any]] = []
    for reader, write in WRITERS.items():
        per_kind: dict[str, list[float]] = {kind: [] for kind in _KINDS}
        for said in all_said:
            told = offsets_ms(frames_of(through_file(said, write), said), asked_by(said.phones))
            for kind, found in told.items():
                per_kind[kind].extend(found)
        for kind, found in {**per_kind, "all": [each for every in per_kind.values() for each in every]}.items():
            away = np.abs(found)
            rows.append({
                "marks": reader, "kind": kind, "count": len(found), "median ms": float(np.median(found)),
                "p95 |ms|": float(np.quantile(away, 0.95)), "max |ms|": float(away.max()),
                "within 40 ms": float(np.mean(away <= 1000 * _NEAR_S)),
            })  # fmt: skip
    return rows


def main() -> None:
    """Print the tables and write bench/results/text.json."""
    with threadpool_limits(1):
        latency, marks = first_frames(), marks_in_time()
    show("text to the first frame", latency)
    show("marks in, visemes out", marks)
    save_result("text", {"first frame": latency, "marks": marks})


if __name__ == "__main__":
    main()
