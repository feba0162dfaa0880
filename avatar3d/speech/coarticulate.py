"""Known phones become a moving mouth: what each phone wants, how strongly, and how early lips and jaw begin.

    phones --> targets and dominance per control --> blended over time --> sibilants' narrow jaw, effort
           --> smoothed --> gates for p b m and f v --> Articulation (whose lips speech/lips.py seals last)

Dominance functions follow Cohen and Massaro (Modeling Coarticulation in Synthetic Visual Speech, 1993); that bilabials
close, labiodentals tuck, sibilants narrow the jaw and rounding begins early follows Edwards et al. (JALI, 2016).
Openings are chosen in millimetres of our own head's lips (speech/lips.py): an open vowel parts them by about 11 mm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64
from scipy.ndimage import gaussian_filter1d

from avatar3d.core.blendshapes import ARKIT_NAMES, TONGUE_NAMES
from avatar3d.speech.articulation import Articulation
from avatar3d.speech.phones import BILABIALS, LABIODENTALS, PHONES, SILENCE, Phone

# What speech drives: one control moves both sides. The network answers in these, in this order.
CONTROLS: Final[dict[str, tuple[str, ...]]] = {
    "jawOpen": ("jawOpen",),
    "jawForward": ("jawForward",),
    "mouthClose": ("mouthClose",),
    "mouthFunnel": ("mouthFunnel",),
    "mouthPucker": ("mouthPucker",),
    "mouthStretch": ("mouthStretchLeft", "mouthStretchRight"),
    "mouthSmile": ("mouthSmileLeft", "mouthSmileRight"),
    "mouthLowerDown": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "mouthUpperUp": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "mouthRollLower": ("mouthRollLower",),
    "mouthShrugLower": ("mouthShrugLower",),
    "mouthPress": ("mouthPressLeft", "mouthPressRight"),
    "tongueOut": ("tongueOut",),
    "tongueUp": ("tongueUp",),
    "tongueTeeth": ("tongueTeeth",),
    "tongueBack": ("tongueBack",),
    "tongueWide": ("tongueWide",),
}
CONTROL_INDEX: Final = {name: index for index, name in enumerate(CONTROLS)}
_ALL: Final = (*ARKIT_NAMES, *TONGUE_NAMES)

# What each phone wants of the controls that matter to it; the others rest. By eye on our head, from the phones'
# descriptions (IPA; Ladefoged and Johnson, A Course in Phonetics: height, backness and rounding of vowels).
_TARGETS: Final[dict[str, dict[str, float]]] = {
    SILENCE: {},
    "i": {"jawOpen": 0.06, "mouthStretch": 0.22, "mouthSmile": 0.16, "mouthLowerDown": 0.2, "mouthUpperUp": 0.12, "tongueWide": 0.8},
    "ɪ": {"jawOpen": 0.09, "mouthStretch": 0.14, "mouthSmile": 0.08, "mouthLowerDown": 0.18, "mouthUpperUp": 0.1, "tongueWide": 0.5},
    "e": {"jawOpen": 0.12, "mouthStretch": 0.18, "mouthSmile": 0.12, "mouthLowerDown": 0.2, "mouthUpperUp": 0.12, "tongueWide": 0.6},
    "ɛ": {"jawOpen": 0.17, "mouthStretch": 0.14, "mouthSmile": 0.06, "mouthLowerDown": 0.22, "mouthUpperUp": 0.12, "tongueWide": 0.3},
    "æ": {"jawOpen": 0.23, "mouthStretch": 0.18, "mouthSmile": 0.06, "mouthLowerDown": 0.26, "mouthUpperUp": 0.14},
    "a": {"jawOpen": 0.25, "mouthStretch": 0.06, "mouthLowerDown": 0.2, "mouthUpperUp": 0.1, "tongueBack": 0.2},
    "ɑ": {"jawOpen": 0.26, "mouthLowerDown": 0.16, "mouthUpperUp": 0.08, "tongueBack": 0.5},
    "ɔ": {"jawOpen": 0.17, "mouthFunnel": 0.26, "mouthPucker": 0.22, "tongueBack": 0.6},
    "o": {"jawOpen": 0.12, "mouthFunnel": 0.24, "mouthPucker": 0.42, "tongueBack": 0.6},
    "ʊ": {"jawOpen": 0.08, "mouthFunnel": 0.16, "mouthPucker": 0.42, "tongueBack": 0.6},
    "u": {"jawOpen": 0.06, "mouthFunnel": 0.16, "mouthPucker": 0.66, "tongueBack": 0.7},
    "ʌ": {"jawOpen": 0.17, "mouthLowerDown": 0.14, "mouthUpperUp": 0.06, "tongueBack": 0.2},
    "ə": {"jawOpen": 0.1, "mouthLowerDown": 0.1, "mouthUpperUp": 0.05},
    "ɚ": {"jawOpen": 0.08, "mouthFunnel": 0.18, "mouthPucker": 0.2, "tongueBack": 0.5},
    "y": {"jawOpen": 0.06, "mouthFunnel": 0.16, "mouthPucker": 0.62, "tongueWide": 0.7},
    "ø": {"jawOpen": 0.11, "mouthFunnel": 0.22, "mouthPucker": 0.42, "tongueWide": 0.4},
    "ɯ": {"jawOpen": 0.07, "mouthStretch": 0.08, "mouthLowerDown": 0.12, "tongueBack": 0.7},
    "p": {"jawOpen": 0.04, "mouthPress": 0.14}, "b": {"jawOpen": 0.05, "mouthPress": 0.1}, "m": {"jawOpen": 0.05, "mouthPress": 0.08},
    "f": {"jawOpen": 0.05, "mouthRollLower": 0.3, "mouthUpperUp": 0.14}, "v": {"jawOpen": 0.06, "mouthRollLower": 0.26, "mouthUpperUp": 0.12},
    "θ": {"jawOpen": 0.08, "mouthLowerDown": 0.18, "mouthUpperUp": 0.08, "tongueTeeth": 1.0},
    "ð": {"jawOpen": 0.08, "mouthLowerDown": 0.16, "mouthUpperUp": 0.06, "tongueTeeth": 0.85},
    "t": {"jawOpen": 0.05, "mouthLowerDown": 0.16, "mouthUpperUp": 0.06, "tongueUp": 0.9},
    "d": {"jawOpen": 0.06, "mouthLowerDown": 0.16, "mouthUpperUp": 0.06, "tongueUp": 0.9},
    "n": {"jawOpen": 0.06, "mouthLowerDown": 0.14, "mouthUpperUp": 0.06, "tongueUp": 0.9},
    "l": {"jawOpen": 0.09, "mouthLowerDown": 0.14, "mouthUpperUp": 0.06, "tongueUp": 1.0},
    "s": {"jawOpen": 0.025, "jawForward": 0.05, "mouthStretch": 0.14, "mouthLowerDown": 0.26, "mouthUpperUp": 0.14, "tongueUp": 0.5},
    "z": {"jawOpen": 0.03, "jawForward": 0.05, "mouthStretch": 0.12, "mouthLowerDown": 0.24, "mouthUpperUp": 0.12, "tongueUp": 0.5},
    "ʃ": {"jawOpen": 0.03, "jawForward": 0.06, "mouthFunnel": 0.36, "mouthPucker": 0.3, "tongueUp": 0.4},
    "ʒ": {"jawOpen": 0.035, "jawForward": 0.06, "mouthFunnel": 0.32, "mouthPucker": 0.28, "tongueUp": 0.4},
    "tʃ": {"jawOpen": 0.03, "jawForward": 0.06, "mouthFunnel": 0.34, "mouthPucker": 0.28, "tongueUp": 0.8},
    "dʒ": {"jawOpen": 0.035, "jawForward": 0.06, "mouthFunnel": 0.3, "mouthPucker": 0.26, "tongueUp": 0.8},
    "ç": {"jawOpen": 0.06, "mouthStretch": 0.18, "mouthLowerDown": 0.2, "mouthUpperUp": 0.1, "tongueWide": 0.8},
    "j": {"jawOpen": 0.06, "mouthStretch": 0.18, "mouthSmile": 0.1, "mouthLowerDown": 0.16, "mouthUpperUp": 0.1, "tongueWide": 0.8},
    "k": {"jawOpen": 0.08, "mouthLowerDown": 0.12, "mouthUpperUp": 0.05, "tongueBack": 1.0},
    "ɡ": {"jawOpen": 0.08, "mouthLowerDown": 0.12, "mouthUpperUp": 0.05, "tongueBack": 1.0},
    "ŋ": {"jawOpen": 0.08, "mouthLowerDown": 0.12, "mouthUpperUp": 0.05, "tongueBack": 1.0},
    "x": {"jawOpen": 0.09, "mouthLowerDown": 0.12, "mouthUpperUp": 0.05, "tongueBack": 0.9},
    "h": {"jawOpen": 0.1, "mouthLowerDown": 0.08, "mouthUpperUp": 0.04},
    "w": {"jawOpen": 0.03, "mouthFunnel": 0.12, "mouthPucker": 0.78, "tongueBack": 0.7},
    "ɹ": {"jawOpen": 0.06, "mouthFunnel": 0.26, "mouthPucker": 0.26, "tongueBack": 0.5},
    "r": {"jawOpen": 0.08, "mouthLowerDown": 0.14, "mouthUpperUp": 0.06, "tongueUp": 0.8},
    "ɾ": {"jawOpen": 0.07, "mouthLowerDown": 0.14, "mouthUpperUp": 0.06, "tongueUp": 0.8},
    "ɲ": {"jawOpen": 0.06, "mouthLowerDown": 0.14, "mouthUpperUp": 0.06, "tongueWide": 0.7, "tongueUp": 0.5},
    "ʔ": {"jawOpen": 0.07},
}  # fmt: skip

# How strongly a phone pulls a group of controls. Vowels own the jaw, rounded phones the lips, consonants made with the
# tongue the tongue; what is not named pulls at `other`.
_JAW: Final = ("jawOpen", "jawForward", "mouthClose")
_ROUND: Final = ("mouthFunnel", "mouthPucker")
_TONGUE: Final = ("tongueOut", "tongueUp", "tongueTeeth", "tongueBack", "tongueWide")


@dataclass(frozen=True)
class _Pull:
    """Dominance of a kind of phone over the four groups of controls."""

    jaw: float
    rounding: float
    spread: float
    tongue: float


_VOWEL: Final = _Pull(jaw=1.6, rounding=1.0, spread=1.0, tongue=0.7)
_REDUCED: Final = _Pull(jaw=0.7, rounding=0.35, spread=0.5, tongue=0.4)
_LAX: Final = _Pull(jaw=1.2, rounding=0.35, spread=0.5, tongue=0.4)
_ROUNDED: Final = _Pull(jaw=1.6, rounding=2.2, spread=1.0, tongue=0.8)
_LIPS: Final = _Pull(jaw=1.2, rounding=0.25, spread=1.4, tongue=0.1)
_SIBILANT: Final = _Pull(jaw=3.0, rounding=0.9, spread=1.2, tongue=1.4)
_POSTALVEOLAR: Final = _Pull(jaw=3.0, rounding=2.0, spread=1.0, tongue=1.4)
_ALVEOLAR: Final = _Pull(jaw=0.9, rounding=0.3, spread=0.6, tongue=1.6)
_VELAR: Final = _Pull(jaw=0.6, rounding=0.2, spread=0.4, tongue=1.6)
_GLOTTAL: Final = _Pull(jaw=0.2, rounding=0.1, spread=0.15, tongue=0.1)
_GLIDE: Final = _Pull(jaw=0.9, rounding=2.4, spread=0.8, tongue=0.9)
_PAUSE: Final = _Pull(jaw=1.1, rounding=0.9, spread=1.1, tongue=0.7)
_KINDS: Final[dict[str, _Pull]] = (
    dict.fromkeys(("i", "e", "ɛ", "æ", "a", "ɑ", "ʌ", "ɯ"), _VOWEL)
    | {"ɪ": _LAX, "ə": _REDUCED}
    | dict.fromkeys(("ɔ", "o", "ʊ", "u", "y", "ø"), _ROUNDED)
    | dict.fromkeys(("p", "b", "m", "f", "v"), _LIPS)
    | dict.fromkeys(("s", "z"), _SIBILANT)
    | dict.fromkeys(("ʃ", "ʒ", "tʃ", "dʒ"), _POSTALVEOLAR)
    | dict.fromkeys(("t", "d", "n", "l", "r", "ɾ", "θ", "ð", "ɲ"), _ALVEOLAR)
    | dict.fromkeys(("k", "ɡ", "ŋ", "x", "ç"), _VELAR)
    | dict.fromkeys(("h", "ʔ"), _GLOTTAL)
    | dict.fromkeys(("w", "ɹ", "ɚ"), _GLIDE)
    | {"j": _VOWEL, SILENCE: _PAUSE}
)
# Decay of dominance outside of a phone (seconds): before it, after it. Rounding begins early (Perkell and Matthies 1992:
# 100 ms and more before the vowel where no other phone forbids), the jaw is slow, the tongue quick.
_DECAY_S: Final[dict[str, tuple[float, float]]] = {
    "jaw": (0.048, 0.05),
    "rounding": (0.09, 0.06),
    "spread": (0.055, 0.055),
    "tongue": (0.035, 0.035),
}
# The share of a phone, in its middle, that is at full dominance.
_CORE: Final = 0.5
# Curves between targets are rounded off with this (seconds).
_SMOOTH_S: Final = 0.018
# A gate rises within this and is full over a phone but for its rims (seconds); shortest time at full.
_GATE_RISE_S: Final = 0.045
_GATE_HOLD_S: Final = 0.03
# The last part of a plosive is its burst and breath, with the lips apart already.
_RELEASED: Final = 0.3
_PLOSIVES: Final = frozenset({"p", "b"})
# How far beyond the unstressed an opening goes with stress and with loudness (per 10 dB over the speaker's mean).
_STRESSED: Final = 0.12
_LOUD: Final = 0.1
_EFFORT: Final = (0.65, 1.3)
_OPENERS: Final = ("jawOpen", "mouthLowerDown", "mouthUpperUp", "mouthStretch")
# How much of a weight a full control is: on a camera's distance, lips that round less are not seen to round.
_SHOWN: Final = {"mouthFunnel": 1.28, "mouthPucker": 1.28}
# A pause longer than this brings the mouth to rest (seconds); in a shorter one it only rests a little.
_SHORT_PAUSE_S: Final = 0.18
_MARGIN_S: Final = 0.6
_FINE_HZ: Final = 240


def articulate(
    phones: Sequence[Phone],
    *,
    rate_hz: float = 60.0,
    duration_s: float | None = None,
    loudness_db: Float32[np.ndarray, "M"] | None = None,
) -> tuple[Articulation, ...]:
    """The mouth of somebody who says these phones, at `rate_hz` from 0 s to the end.

    `loudness_db` is the sound's level at that rate, in dB over the speaker's mean level: loud speech opens wider.
    """
    end_s = max([duration_s or 0.0, *(phone.end_s for phone in phones)])
    count = max(1, int(np.ceil(end_s * rate_hz)))
    times_s = np.arange(count) / rate_hz
    levels = np.zeros(count, np.float32) if loudness_db is None else _fitted(loudness_db, count)
    controls, closed, tucked, voice = mouth_curves(phones, times_s, loudness_db=levels)
    weights, tongue = weights_of(controls)
    return tuple(
        Articulation(
            time_s=float(time_s),
            weights=weights[at],
            tongue=tongue[at],
            closed=float(closed[at]),
            tucked=float(tucked[at]),
            voice=float(voice[at]),
            loudness_db=float(levels[at]),
        )
        for at, time_s in enumerate(times_s)
    )


def mouth_curves(
    phones: Sequence[Phone],
    times_s: Float64[np.ndarray, "N"],
    *,
    loudness_db: Float32[np.ndarray, "N"] | None = None,
) -> tuple[Float32[np.ndarray, "N C"], Float32[np.ndarray, "N"], Float32[np.ndarray, "N"], Float32[np.ndarray, "N"]]:
    """Controls (CONTROLS order), closed, tucked and voice at these times, before lips are sealed."""
    spoken = _with_pauses(
        phones, float(times_s[0]) if len(times_s) else 0.0, float(times_s[-1]) if len(times_s) else 0.0
    )
    fine_s = np.arange(times_s[0] - _MARGIN_S, times_s[-1] + _MARGIN_S, 1 / _FINE_HZ)
    blended = _blend(spoken, fine_s)
    blended = gaussian_filter1d(blended, _SMOOTH_S * _FINE_HZ, axis=0, mode="nearest")
    controls = np.stack([np.interp(times_s, fine_s, blended[:, at]) for at in range(blended.shape[1])], axis=1)
    if loudness_db is not None:
        effort = np.clip(1 + _LOUD * loudness_db / 10, *_EFFORT)
        openers = [CONTROL_INDEX[name] for name in _OPENERS]
        controls[:, openers] *= effort[:, None]
    closed = _gate(spoken, BILABIALS, times_s)
    tucked = _gate(spoken, LABIODENTALS, times_s)
    voice = _voice(spoken, times_s)
    return np.clip(controls, 0, 1).astype(np.float32), closed, tucked, voice


def weights_of(
    controls: Float32[np.ndarray, "N C"],
) -> tuple[Float32[np.ndarray, "N 52"], Float32[np.ndarray, "N 4"]]:
    """The 52 weights and the tongue's four for controls."""
    weights = np.minimum(controls @ spread_matrix(), np.float32(1))
    return weights[:, : len(ARKIT_NAMES)], weights[:, len(ARKIT_NAMES) :]


@lru_cache(maxsize=1)
def spread_matrix() -> Float32[np.ndarray, "C 56"]:
    """What each control adds to the 52 weights and the tongue's four."""
    matrix = np.zeros((len(CONTROLS), len(_ALL)), np.float32)
    for row, names in enumerate(CONTROLS.values()):
        for name in names:
            matrix[row, _ALL.index(name)] = _SHOWN.get(name, 1.0)
    return matrix


@lru_cache(maxsize=1)
def phone_pulls() -> tuple[Float32[np.ndarray, "48 C"], Float32[np.ndarray, "48 C"]]:
    """What each of PHONES wants of every control, and how strongly."""
    targets, pulls = _tables()
    per_control = np.zeros((len(PHONES), len(CONTROLS)), np.float32)
    for group, columns in enumerate(_groups()):
        per_control[:, columns] = np.array([pulls[symbol][group] for symbol in PHONES])[:, None]
    return np.array([targets[symbol] for symbol in PHONES], np.float32), per_control


def _with_pauses(phones: Sequence[Phone], first_s: float, last_s: float) -> tuple[Phone, ...]:
    """The phones in order of time, and silence wherever none is."""
    filled: list[Phone] = []
    at_s = first_s - 2 * _MARGIN_S
    for phone in sorted(phones, key=lambda phone: phone.start_s):
        if phone.start_s > at_s + 1e-6:
            filled.append(Phone(SILENCE, at_s, phone.start_s))
        filled.append(phone)
        at_s = max(at_s, phone.end_s)
    if at_s < last_s + 2 * _MARGIN_S:
        filled.append(Phone(SILENCE, at_s, last_s + 2 * _MARGIN_S))
    return tuple(_joined_pauses(filled))


def _joined_pauses(phones: list[Phone]) -> list[Phone]:
    joined: list[Phone] = []
    for phone in phones:
        if joined and phone.symbol == SILENCE and joined[-1].symbol == SILENCE:
            joined[-1] = Phone(SILENCE, joined[-1].start_s, max(joined[-1].end_s, phone.end_s))
        else:
            joined.append(phone)
    return joined


def _blend(phones: Sequence[Phone], times_s: Float64[np.ndarray, "T"]) -> Float64[np.ndarray, "T C"]:
    """Targets weighted by dominance (Cohen and Massaro 1993, equation 4)."""
    targets, pulls = _tables()
    groups = _groups()
    total = np.zeros((len(times_s), len(CONTROLS)))
    weight = np.full((len(times_s), len(CONTROLS)), 1e-6)
    begins_s, step_s = times_s[0], 1 / _FINE_HZ
    for phone in phones:
        target, pull = targets[phone.symbol], pulls[phone.symbol]
        half = (phone.end_s - phone.start_s) / 2
        middle = phone.start_s + half
        gain = np.ones(len(CONTROLS))
        if phone.stress:
            gain[[CONTROL_INDEX[name] for name in _OPENERS]] = 1 + _STRESSED * phone.stress
        if phone.symbol == SILENCE and 2 * half < _SHORT_PAUSE_S:
            pull = pull * (2 * half / _SHORT_PAUSE_S) ** 2
        for group, (before_s, after_s) in enumerate(_DECAY_S.values()):
            reach_s = half + 6 * max(before_s, after_s)
            low = max(0, int((middle - reach_s - begins_s) / step_s))
            high = min(len(times_s), int((middle + reach_s - begins_s) / step_s) + 1)
            if low >= high:
                continue
            away = times_s[low:high] - middle
            core = _CORE * half
            outside = np.maximum(np.abs(away) - core, 0)
            decay = np.where(away < 0, before_s, after_s)
            dominance = pull[group] * np.exp(-((outside / (decay + (half - core) * 0.7)) ** 1.4))
            columns = groups[group]
            weight[low:high, columns] += dominance[:, None]
            total[low:high, columns] += dominance[:, None] * (target * gain)[columns]
    return total / weight


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, Float64[np.ndarray, "C"]], dict[str, Float64[np.ndarray, "4"]]]:
    targets, pulls = {}, {}
    for symbol in PHONES:
        target = np.zeros(len(CONTROLS))
        for name, value in _TARGETS[symbol].items():
            target[CONTROL_INDEX[name]] = value
        kind = _KINDS[symbol]
        targets[symbol] = target
        pulls[symbol] = np.array([kind.jaw, kind.rounding, kind.spread, kind.tongue])
    return targets, pulls


@lru_cache(maxsize=1)
def _groups() -> tuple[list[int], ...]:
    named = (_JAW, _ROUND, tuple(set(CONTROLS) - {*_JAW, *_ROUND, *_TONGUE}), _TONGUE)
    return tuple(sorted(CONTROL_INDEX[name] for name in names) for names in named)


def _gate(
    phones: Sequence[Phone], symbols: frozenset[str], times_s: Float64[np.ndarray, "N"]
) -> Float32[np.ndarray, "N"]:
    """1 while one of these phones asks for its closure, with smooth flanks that begin before it is heard."""
    gate = np.zeros(len(times_s))
    for phone in phones:
        if phone.symbol not in symbols:
            continue
        full_s = (phone.end_s - phone.start_s) * (1 - _RELEASED if phone.symbol in _PLOSIVES else 1)
        middle, half = phone.start_s + full_s / 2, full_s / 2
        hold = max(_GATE_HOLD_S / 2, half - _GATE_RISE_S / 4)
        way = np.clip((np.abs(times_s - middle) - hold) / _GATE_RISE_S, 0, 1)
        gate = np.maximum(gate, 0.5 + 0.5 * np.cos(np.pi * way))
    return gate.astype(np.float32)


def _voice(phones: Sequence[Phone], times_s: Float64[np.ndarray, "N"]) -> Float32[np.ndarray, "N"]:
    """1 while something is said."""
    voice = np.zeros(len(times_s), np.float32)
    for phone in phones:
        if phone.symbol != SILENCE:
            voice[(times_s >= phone.start_s) & (times_s < phone.end_s)] = 1
    return voice


def _fitted(levels: Float32[np.ndarray, "M"], count: int) -> Float32[np.ndarray, "N"]:
    """As many levels as times: the last one stands for what is missing."""
    return (
        np.pad(levels, (0, max(0, count - len(levels))), mode="edge")[:count]
        if len(levels)
        else np.zeros(count, np.float32)
    )
