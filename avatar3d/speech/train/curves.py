"""Curves to evaluate: the network's, those built from the phones themselves, and three that must fall behind.

Also where the network's gates are set: on speakers apart from training and test.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.clock import Progress
from avatar3d.speech.animate import answer_all
from avatar3d.speech.coarticulate import mouth_curves, weights_of
from avatar3d.speech.lips import seal
from avatar3d.speech.loudness import loudness_over_mean
from avatar3d.speech.network import features as ears
from avatar3d.speech.network.model import Network, at_rest, draw, ease, posteriors, understand
from avatar3d.speech.phones import Phone
from avatar3d.speech.train.evaluate import CURVES_HZ, Curves, jerk, lips_met
from avatar3d.speech.train.hearings import answer_times_s, features_of
from avatar3d.speech.train.utterance import Utterance

_AFTER: Final = 4
"""Steps of silence after the end, so that it is heard to the end."""
_FLAP: Final = 0.3
# Gates tried on the speakers that they are set on: where they begin and how far they go on rising.
_BEGINS: Final = (0.02, 0.1, 0.2, 0.3, 0.4)
_RISES: Final = (0.25, 0.35, 0.45, 0.65)
_CALM_ENOUGH: Final = 1.2
"""Jerk over the reference's up to which nobody minds."""


Seal = Callable[
    [Float32[np.ndarray, "T 52"], Float32[np.ndarray, "T"], Float32[np.ndarray, "T"]], Float32[np.ndarray, "T 52"]
]
"""Weights, closed and tucked to what an engine shows."""


def heard_by(network: Network, utterances: Sequence[Utterance], sealing: Seal = seal) -> list[Curves]:
    """What the network makes of the sound alone; `sealing` may add an emotion first."""
    return [_understood(network, each, _answers(network, each), sealing) for each in utterances]


def _answers(network: Network, utterance: Utterance) -> Float32[np.ndarray, "T O"]:
    missing = -len(utterance.samples) % ears.STEP + _AFTER * ears.STEP
    return answer_all(network, features_of(np.pad(utterance.samples, (0, missing))))


def _understood(network: Network, utterance: Utterance, answers: Float32[np.ndarray, "T O"], sealing: Seal) -> Curves:
    """At CURVES_HZ, by lines, as frames between steps are made."""
    phones = posteriors(answers)
    drawn = draw(network, answers, phones)
    eased = ease(np.concatenate([at_rest(1), drawn[:-1]]), drawn)
    heard = understand(answers, phones, eased, np.zeros(len(answers), np.float32))
    weights, tongue = weights_of(heard.controls)
    both = np.concatenate([sealing(weights, heard.closed, heard.tucked), tongue], axis=1)
    steps_s, times_s = answer_times_s(len(answers)), _times_s(utterance)
    lines = np.stack([np.interp(times_s, steps_s, column) for column in both.T], axis=1).astype(np.float32)
    return Curves(utterance.speaker, utterance.phones, times_s, lines[:, :52], lines[:, 52:])


def built_from(utterances: Sequence[Utterance]) -> list[Curves]:
    """What coarticulation makes of the true phones: the reference."""
    curves = []
    for each in utterances:
        times_s = _times_s(each)
        levels = loudness_over_mean(each.samples, times_s)
        controls, closed, tucked, _ = mouth_curves(each.phones, times_s, loudness_db=levels)
        weights, tongue = weights_of(controls)
        curves.append(Curves(each.speaker, each.phones, times_s, seal(weights, closed, tucked), tongue))
    return curves


def flapping(utterances: Sequence[Utterance]) -> list[Curves]:
    """A jaw that opens with the sound's energy, as simple lip-sync does."""
    curves = []
    for each in utterances:
        times_s = _times_s(each)
        weights = np.zeros((len(times_s), 52), np.float32)
        levels = loudness_over_mean(each.samples, times_s)
        weights[:, ARKIT_INDEX["jawOpen"]] = _FLAP * np.clip((levels + 15) / 20, 0, 1)
        curves.append(Curves(each.speaker, each.phones, times_s, weights, np.zeros((len(times_s), 4), np.float32)))
    return curves


def at_random(utterances: Sequence[Utterance], seed: int = 0) -> list[Curves]:
    """The reference's curves with every phone exchanged for another."""
    rng = np.random.default_rng(seed)
    shuffled = []
    for each in utterances:
        symbols = rng.permutation([phone.symbol for phone in each.phones])
        shuffled.append(
            replace(
                each,
                phones=tuple(Phone(str(s), p.start_s, p.end_s) for s, p in zip(symbols, each.phones, strict=True)),
            )
        )
    return [replace(made, phones=each.phones) for made, each in zip(built_from(shuffled), utterances, strict=True)]


def of_another_sentence(curves: Sequence[Curves]) -> list[Curves]:
    """Each utterance with the curves of the next one."""
    moved = []
    for each, other in zip(curves, [*curves[1:], curves[0]], strict=True):
        rows = np.arange(len(each.times_s)) % len(other.times_s)
        moved.append(replace(each, weights=other.weights[rows], tongue=other.tongue[rows]))
    return moved


def set_gates(network: Network, utterances: Sequence[Utterance], progress: Progress) -> dict[str, float]:
    """Where the gates for closed and tucked lips begin and are full, by these utterances.

    Recall without false ones counts as it does in the total, and so does smoothness: gates that snap are seen as such.
    """
    answers = [_answers(network, each) for each in utterances]
    calm = jerk(built_from(utterances))
    best = network
    for gate in ("closed", "tucked"):
        tried: list[tuple[float, Network]] = []
        for begins, rise in product(_BEGINS, _RISES):
            trial = replace(best, **{f"{gate}_from": begins, f"{gate}_to": begins + rise})
            curves = [_understood(trial, each, told, seal) for each, told in zip(utterances, answers, strict=True)]
            found = lips_met(curves)
            met = found.closing if gate == "closed" else found.tucking
            tried.append((met + 0.5 / max(jerk(curves) / calm, _CALM_ENOUGH), trial))
        best = max(tried, key=lambda pair: pair[0])[1]
        progress(f"  {gate}: from {getattr(best, gate + '_from'):.2f} to {getattr(best, gate + '_to'):.2f}")
    names = ("closed_from", "closed_to", "tucked_from", "tucked_to")
    return {name: round(float(getattr(best, name)), 3) for name in names}


def _times_s(utterance: Utterance) -> Float64[np.ndarray, "T"]:
    return np.arange(int(len(utterance.samples) / ears.RATE_HZ * CURVES_HZ)) / CURVES_HZ
