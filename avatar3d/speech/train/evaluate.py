"""How well curves show what was said: articulation measured on our head's mesh against the phones' true times.

    Curves (weights at times) + phones --> per phone: lips' gap, tuck, protrusion, jaw at its time --> Scores --> total 0..100

The total is the mean of seven scores, each from 0 (useless) to 1 (perfect):

    closure      recall of p b m x (1 - false closures in vowels) x (1 - those in other consonants)
    tuck         recall of f v x (1 - false tucks in other phones)
    rounding     2 AUC - 1 of rounded sounds against spread and open vowels, by how far the lips stand forward
    opening      rank correlation of the jaw with the vowel's height
    visemes      balanced accuracy of a linear classifier, speakers left out in turn, over chance
    lag          1 - |lag| / 100 ms
    motion       mean of stillness (1 - motion in silence over in speech) and smoothness (1 over the jerk's excess)
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from scipy.stats import rankdata

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.speech.lips import gap_mm, protrusion_mm, tuck_mm
from avatar3d.speech.phones import BILABIALS, LABIODENTALS, SILENCE, VOWELS, Phone

CURVES_HZ: Final = 60.0
"""As they are delivered."""
_CLOSED_SHARE: Final = 0.15
"""Of the 90th percentile of the gap in vowels: a closure."""
_AROUND_S: Final = 0.02
_TUCKED_MM: Final = 1.5
_ROUNDED: Final = frozenset({"u", "ʊ", "o", "ɔ", "w", "y", "ø", "ʃ", "ʒ", "tʃ", "dʒ"})
_UNROUNDED: Final = frozenset({"i", "ɪ", "e", "ɛ", "æ", "a", "ɑ", "ʌ"})
# Vowel height (IPA chart), 0 close to 3 open.
_HEIGHT: Final = {
    "i": 0, "y": 0, "ɯ": 0, "u": 0, "ɪ": 0.5, "ʊ": 0.5, "e": 1, "ø": 1, "o": 1, "ɛ": 2, "ʌ": 2, "ɔ": 2, "æ": 2.5,
    "a": 3, "ɑ": 3,
}  # fmt: skip
_VISEMES: Final = {
    symbol: index
    for index, group in enumerate(
        (("p", "b", "m"), ("f", "v"), ("θ", "ð"), ("t", "d", "n", "l"), ("s", "z"), ("ʃ", "ʒ", "tʃ", "dʒ"), ("k", "ɡ", "ŋ"),
         ("w",), ("ɹ", "ɚ"), ("i", "ɪ", "j", "e"), ("ɛ", "æ"), ("a", "ɑ", "ʌ"), ("o", "ɔ"), ("u", "ʊ", "y"))
    )
    for symbol in group
}  # fmt: skip
_LAGS_S: Final = 0.2
_SHORTEST_PAUSE_S: Final = 0.35
_INSIDE_PAUSE_S: Final = 0.12
_RIDGE: Final = 3.0
_MIN_PER_CLASS: Final = 8


@dataclass(frozen=True, eq=False)
class Curves:
    """One utterance as somebody animates it, and what is said in it."""

    speaker: str
    phones: tuple[Phone, ...]
    times_s: Float64[np.ndarray, "T"]
    """Evenly, at CURVES_HZ."""
    weights: Float32[np.ndarray, "T 52"]
    """With sealed lips, as an engine shows them."""
    tongue: Float32[np.ndarray, "T 4"]


@dataclass(frozen=True)
class LipsMet:
    """How often lips meet where they must, and where they must not."""

    closure_recall: float
    false_in_vowels: float
    false_in_consonants: float
    tuck_recall: float
    false_tucks: float

    @property
    def closing(self) -> float:
        return self.closure_recall * (1 - self.false_in_vowels) * (1 - self.false_in_consonants)

    @property
    def tucking(self) -> float:
        return self.tuck_recall * (1 - self.false_tucks)


@dataclass(frozen=True)
class Scores:
    """Figures over a set of utterances."""

    lips: LipsMet
    rounding_auc: float
    opening_correlation: float
    visemes: float
    """Balanced accuracy."""
    lag_ms: float
    stillness: float
    """Motion in silence over motion in speech."""
    jerk: float
    """Over that of the reference curves."""

    @property
    def total(self) -> float:
        """0 to 100; see the top of this file."""
        chance = 1 / (max(_VISEMES.values()) + 1)
        parts = (
            self.lips.closing,
            self.lips.tucking,
            2 * self.rounding_auc - 1,
            self.opening_correlation,
            (self.visemes - chance) / (1 - chance),
            1 - abs(self.lag_ms) / 100,
            (np.clip(1 - self.stillness, 0, 1) + 1 / max(self.jerk, 1.0)) / 2,
        )
        return float(100 * np.mean(np.clip(np.nan_to_num(parts), 0, 1)))

    def as_row(self) -> dict[str, float]:
        """Every figure by its name."""
        told = asdict(self.lips) | {each.name: getattr(self, each.name) for each in fields(self) if each.name != "lips"}
        return {name: round(value, 4) for name, value in told.items()} | {"total": round(self.total, 2)}


def lips_met(curves: Sequence[Curves]) -> LipsMet:
    """Closures and tucks, phone by phone; a false one is counted in a phone's middle half."""
    gaps = [gap_mm(each.weights) for each in curves]
    in_vowels = [gap[_during(each, VOWELS)] for each, gap in zip(curves, gaps, strict=True)]
    shut_mm = _CLOSED_SHARE * float(np.quantile(np.concatenate(in_vowels), 0.9))
    found: dict[str, list[bool]] = {each.name: [] for each in fields(LipsMet)}
    for each, gap in zip(curves, gaps, strict=True):
        tuck = tuck_mm(each.weights)
        for phone in each.phones:
            if phone.symbol == SILENCE:
                continue
            around, inside = _span(each, phone.start_s - _AROUND_S, phone.end_s + _AROUND_S), _middle(each, phone)
            if phone.symbol in BILABIALS:
                found["closure_recall"].append(bool(gap[around].min() <= shut_mm))
            else:
                kind = "false_in_vowels" if phone.symbol in VOWELS else "false_in_consonants"
                found[kind].append(bool(gap[inside].min() <= shut_mm))
            if phone.symbol in LABIODENTALS:
                found["tuck_recall"].append(bool(tuck[around].min() <= _TUCKED_MM))
            else:
                found["false_tucks"].append(bool(tuck[inside].min() <= _TUCKED_MM))
    return LipsMet(**{name: _share(each) for name, each in found.items()})


def score(curves: Sequence[Curves], reference: Sequence[Curves]) -> Scores:
    """Scores of curves; `reference` are those built from the phones themselves, for lag and jerk."""
    rounded: list[float] = []
    spread: list[float] = []
    height: list[float] = []
    jaw: list[float] = []
    for each in curves:
        forward, opened = protrusion_mm(each.weights), each.weights[:, ARKIT_INDEX["jawOpen"]]
        for phone in each.phones:
            inside = _middle(each, phone)
            if phone.symbol in _ROUNDED:
                rounded.append(float(forward[inside].mean()))
            elif phone.symbol in _UNROUNDED:
                spread.append(float(forward[inside].mean()))
            if phone.symbol in _HEIGHT:
                height.append(_HEIGHT[phone.symbol])
                jaw.append(float(opened[inside].max()))
    return Scores(
        lips=lips_met(curves),
        rounding_auc=_auc(rounded, spread),
        opening_correlation=float(np.corrcoef(rankdata(height), rankdata(jaw))[0, 1]) if np.ptp(jaw) > 1e-6 else 0.0,
        visemes=decodability(curves),
        lag_ms=1000 * _lag_s(curves, reference),
        stillness=_stillness(curves),
        jerk=jerk(curves) / jerk(reference),
    )


def _middle(curves: Curves, phone: Phone) -> slice:
    """A phone's middle half."""
    quarter = (phone.end_s - phone.start_s) / 4
    return _span(curves, phone.start_s + quarter, phone.end_s - quarter)


def decodability(curves: Sequence[Curves], trained_on: Sequence[Curves] = ()) -> float:
    """Balanced accuracy of a ridge classifier that tells visemes from weights; each speaker is left out in turn.

    With `trained_on`, it learns from these alone and is asked about `curves`.
    """
    asked = [_examples(each) for each in curves]
    speakers = np.array([each.speaker for each in curves])
    hits: dict[int, list[bool]] = {}
    rounds = [(None, trained_on)] if trained_on else [(speaker, ()) for speaker in sorted(set(speakers))]
    for speaker, others in rounds:
        learn = (
            [_examples(each) for each in others]
            if others
            else [a for a, s in zip(asked, speakers, strict=True) if s != speaker]
        )
        about = asked if others else [a for a, s in zip(asked, speakers, strict=True) if s == speaker]
        if not learn or not about:
            continue
        told = _classify(*_joined(learn), _joined(about)[0])
        for guess, truth in zip(told, _joined(about)[1], strict=True):
            hits.setdefault(int(truth), []).append(bool(guess == truth))
    rates = [np.mean(found) for found in hits.values() if len(found) >= _MIN_PER_CLASS]
    return float(np.mean(rates)) if rates else 0.0


def _examples(curves: Curves) -> tuple[Float64[np.ndarray, "N D"], Int64[np.ndarray, "N"]]:
    """Weights before, in and after each phone, and its viseme."""
    both = np.concatenate([curves.weights, curves.tongue], axis=1)
    phones = [phone for phone in curves.phones if phone.symbol in _VISEMES]
    rows = [
        np.concatenate([both[_span(curves, start, end)].mean(axis=0) for start, end in _thirds(phone)])
        for phone in phones
    ]
    return (
        np.array(rows, np.float64).reshape(len(rows), 3 * both.shape[1]),
        np.array([_VISEMES[phone.symbol] for phone in phones], np.int64),
    )


def _thirds(phone: Phone) -> list[tuple[float, float]]:
    third = (phone.end_s - phone.start_s) / 3
    return [(phone.start_s + third * at, phone.start_s + third * (at + 1)) for at in range(3)]


def _joined(
    examples: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[Float64[np.ndarray, "M D"], Int64[np.ndarray, "M"]]:
    return np.concatenate([each[0] for each in examples]), np.concatenate([each[1] for each in examples])


def _classify(
    known: Float64[np.ndarray, "N D"], classes: Int64[np.ndarray, "N"], asked: Float64[np.ndarray, "M D"]
) -> Int64[np.ndarray, "M"]:
    """Ridge regression to classes that all weigh the same."""
    mean, spread = known.mean(axis=0), known.std(axis=0)
    moving = spread > 1e-5
    if not moving.any():
        return np.full(len(asked), classes[0])
    inputs, questions = ((each[:, moving] - mean[moving]) / spread[moving] for each in (known, asked))
    inputs, questions = (
        np.concatenate([each, each**2 - 1, np.ones((len(each), 1))], axis=1) for each in (inputs, questions)
    )
    count = np.bincount(classes, minlength=max(_VISEMES.values()) + 1)
    weight = (1 / np.maximum(count, 1))[classes]
    weight *= len(classes) / weight.sum()
    targets = np.eye(len(count))[classes]
    normal = (inputs * weight[:, None]).T @ inputs + _RIDGE * np.eye(inputs.shape[1])
    return np.argmax(questions @ np.linalg.solve(normal, (inputs * weight[:, None]).T @ targets), axis=1)


def _span(curves: Curves, start_s: float, end_s: float) -> slice:
    """At least one instant."""
    first = float(curves.times_s[0])
    low = int(np.clip(round((start_s - first) * CURVES_HZ), 0, len(curves.times_s) - 1))
    return slice(low, max(low + 1, round((end_s - first) * CURVES_HZ) + 1))


def _during(curves: Curves, symbols: Sequence[str]) -> Bool[np.ndarray, "T"]:
    inside = np.zeros(len(curves.times_s), bool)
    for phone in curves.phones:
        if phone.symbol in symbols:
            inside[_span(curves, phone.start_s, phone.end_s)] = True
    return inside


def _share(found: Sequence[bool]) -> float:
    return float(np.mean(found)) if len(found) else float("nan")


def _auc(high: Sequence[float], low: Sequence[float]) -> float:
    """How often one of `high` is above one of `low`."""
    ranks = rankdata([*high, *low])
    return float((ranks[: len(high)].sum() - len(high) * (len(high) + 1) / 2) / (len(high) * len(low)))


def _lag_s(curves: Sequence[Curves], reference: Sequence[Curves]) -> float:
    """How much later the lips' gap moves than the reference's, by correlation over all utterances."""
    reach = int(_LAGS_S * CURVES_HZ)
    total = np.zeros(2 * reach + 1)
    for each, other in zip(curves, reference, strict=True):
        count = min(len(each.times_s), len(other.times_s))
        ours, theirs = (gap[:count] - gap[:count].mean() for gap in (gap_mm(each.weights), gap_mm(other.weights)))
        for at, shift in enumerate(range(-reach, reach + 1)):
            low, high = max(0, shift), min(count, count + shift)
            total[at] += float(ours[low:high] @ theirs[low - shift : high - shift])
    best = int(np.argmax(total))
    if 0 < best < 2 * reach:  # the top of a parabola through three points
        left, middle, right = total[best - 1 : best + 2]
        return (best - reach + 0.5 * (left - right) / (left - 2 * middle + right)) / CURVES_HZ
    return (best - reach) / CURVES_HZ


def _stillness(curves: Sequence[Curves]) -> float:
    """Speed of the weights inside pauses over that in speech."""
    still, moving = [], []
    for each in curves:
        speed = np.abs(np.gradient(np.concatenate([each.weights, each.tongue], axis=1), axis=0)).sum(axis=1)
        quiet = np.zeros(len(speed), bool)
        for phone in each.phones:
            if phone.symbol == SILENCE and phone.end_s - phone.start_s >= _SHORTEST_PAUSE_S:
                quiet[_span(each, phone.start_s + _INSIDE_PAUSE_S, phone.end_s - _INSIDE_PAUSE_S)] = True
        spoken = ~_during(each, (SILENCE,))
        still.append(speed[quiet])
        moving.append(speed[spoken])
    quiet_all, moving_all = np.concatenate(still), np.concatenate(moving)
    return float(quiet_all.mean() / max(moving_all.mean(), 1e-9)) if len(quiet_all) else float("nan")


def jerk(curves: Sequence[Curves]) -> float:
    """Root mean square of the third derivative of the lips' gap and the jaw."""
    total, count = 0.0, 0
    for each in curves:
        both = np.stack([gap_mm(each.weights), 30 * each.weights[:, ARKIT_INDEX["jawOpen"]]], axis=1)
        third = np.diff(both, n=3, axis=0)
        total, count = total + float((third**2).sum()), count + third.size
    return float(np.sqrt(total / max(count, 1)))
