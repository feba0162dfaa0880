"""The speech network, a streaming step for one core in plain numpy.

    130 features --> 192 channels --> 8 causal dilated convolutions, each added to what it heard
                 --> 128 --> 17 controls, lips closed, lips tucked, voice, 48 phones
    controls, phones --> drawn together --> eased by the step before --> the mouth

Each 20 ms step answers for LOOKAHEAD_S before the end of its samples: that much of the future it has heard. The temporal
convolutions are those of Bai et al. (An Empirical Evaluation of Generic Convolutional ... Sequence Modeling, 2018).
speech/network/torch.py has the same maths for training and for many streams on a GPU, speech/network/onnx.py writes it as a graph.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from importlib import resources
from typing import Final

import numpy as np
from jaxtyping import Float32
from safetensors.numpy import load as load_tensors

from avatar3d.core.errors import ModelMissingError, ModelUntrustedError
from avatar3d.speech.coarticulate import CONTROLS, phone_pulls
from avatar3d.speech.network.features import FEATURES, RATE_HZ, STEP, HearingState, hear, hearing_at_start
from avatar3d.speech.phones import BILABIALS, LABIODENTALS, PHONES

WIDTH: Final = 192
HIDDEN: Final = 128
KERNEL: Final = 3
DILATIONS: Final = (1, 2, 4, 8, 1, 2, 4, 8)
MEMORY: Final = (KERNEL - 1) * sum(DILATIONS)
"""Steps of the past that the convolutions see: 1.2 s."""
SILENT_STEPS: Final = 2 * MEMORY
"""After so many alike, every convolution remembers them alone."""
STEP_S: Final = STEP / RATE_HZ
LOOKAHEAD_S: Final = 0.06
OUTPUTS: Final = len(CONTROLS) + 3 + len(PHONES)
CLOSED, TUCKED, VOICE = range(len(CONTROLS), len(CONTROLS) + 3)
_FIRST_PHONE: Final = len(CONTROLS) + 3
_ZERO, _ONE, _STEEPEST = np.float32(0), np.float32(1), np.float32(60)
"""As numpy has them: it takes as long to convert a number as to add 200."""
DRAWN: Final = len(CONTROLS) + 2
"""What the mouth is drawn from: controls, lips closed, lips tucked."""
FROM_PHONES: Final = 0.8
"""Share of the controls that the phones heard ask for. Curves that are learnt shrink toward the mean where the network
doubts; what it thinks was said does not: on the speakers that gates are set on, the total rises by 3 to 4."""
HAZE: Final = 0.002
"""What smoothed labels leave to every phone: nothing was heard of it."""
FROM_BEFORE: Final = 0.4
"""Share of the step before in each: jerk falls by a third."""
AHEAD_S: Final = STEP_S * 0.35 / 0.65
"""Easing comes late: training asks the network for the mouth that much ahead, and nothing lags."""


@dataclass(frozen=True, eq=False)
class Network:
    """Weights in float32; rows are inputs, columns outputs."""

    tensors: dict[str, Float32[np.ndarray, "..."]]
    closed_from: float
    """Gate probabilities from here (nothing) ..."""
    closed_to: float
    """... to here (lips meet); set on speakers apart from training and test."""
    tucked_from: float
    tucked_to: float

    def __getitem__(self, name: str) -> Float32[np.ndarray, "..."]:
        return self.tensors[name]

    @cached_property
    def gates(self) -> tuple[Float32[np.ndarray, "2"], Float32[np.ndarray, "2"]]:
        """Where closed and tucked begin, and where they are full."""
        bounds = ((self.closed_from, self.tucked_from), (self.closed_to, self.tucked_to))
        return np.array(bounds[0], np.float32), np.array(bounds[1], np.float32)

    @cached_property
    def blocks(self) -> tuple[tuple[Float32[np.ndarray, "..."], ...], ...]:
        """Weight and bias in, weight and bias out, of each convolution: found once, because a step is short."""
        names = ("in.weight", "in.bias", "out.weight", "out.bias")
        return tuple(tuple(self[f"block{block}.{name}"] for name in names) for block in range(len(DILATIONS)))


@dataclass(frozen=True, eq=False)
class ListeningState:
    """Everything that a stream carries from one step to the next."""

    hearing: HearingState
    memory: Float32[np.ndarray, "*S M W"]
    """What each convolution heard before, oldest first, one after the other."""
    drawn: Float32[np.ndarray, "*S D"]
    """The step before, not eased."""


@dataclass(frozen=True, eq=False)
class Heard:
    """What the network says of one instant."""

    controls: Float32[np.ndarray, "*S C"]
    """CONTROLS order, [0, 1]."""
    closed: Float32[np.ndarray, "*S"]
    tucked: Float32[np.ndarray, "*S"]
    voice: Float32[np.ndarray, "*S"]
    phones: Float32[np.ndarray, "*S 48"]
    """Posterior of each of PHONES; sums to 1."""
    loudness_db: Float32[np.ndarray, "*S"]
    """Of the newest 20 ms, which is LOOKAHEAD_S later than the rest."""


def listening_at_start(network: Network, *streams: int) -> ListeningState:
    """Before the first sample: as after silence, for which nobody has trained what zeros in the memory would mean."""
    memory = np.broadcast_to(silent_memory(network), (*streams, MEMORY, WIDTH))
    return ListeningState(hearing_at_start(*streams), memory, at_rest(*streams))


@lru_cache(maxsize=4)
def silent_memory(network: Network) -> Float32[np.ndarray, "M W"]:
    """The memory after SILENT_STEPS of silence."""
    memory = np.zeros((MEMORY, WIDTH), np.float32)
    for _ in range(SILENT_STEPS):
        memory, _ = answer(network, memory, silent_features())
    return memory


@lru_cache(maxsize=1)
def silent_features() -> Float32[np.ndarray, "F"]:
    """What the network hears when there is nothing to hear."""
    return hear(hearing_at_start(), np.zeros(STEP, np.float32))[1]


def listen(
    network: Network, state: ListeningState, samples: Float32[np.ndarray, "*S 320"]
) -> tuple[ListeningState, Heard]:
    """One step of 20 ms: the next state, and the mouth LOOKAHEAD_S before these samples end."""
    hearing, features, loudness = hear(state.hearing, samples)
    memory, answers = answer(network, state.memory, features)
    phones = posteriors(answers)
    drawn = draw(network, answers, phones)
    return ListeningState(hearing, memory, drawn), understand(answers, phones, ease(state.drawn, drawn), loudness)


def at_rest(*streams: int) -> Float32[np.ndarray, "*S D"]:
    """What is drawn of a mouth that says nothing."""
    return np.zeros((*streams, DRAWN), np.float32)


def answer(
    network: Network, memory: Float32[np.ndarray, "*S M W"], features: Float32[np.ndarray, "*S F"]
) -> tuple[Float32[np.ndarray, "*S M W"], Float32[np.ndarray, "*S O"]]:
    """The network alone: the next memory, and its answers before any squashing."""
    now = _relu(features @ network["in.weight"] + network["in.bias"])
    # All memories move on by one step at once; the last row of each, which takes the next one's first, is written below.
    remembered = np.empty_like(memory)
    remembered[..., :-1, :] = memory[..., 1:, :]
    at = 0
    for (taps_weight, taps_bias, out_weight, out_bias), dilation in zip(network.blocks, DILATIONS, strict=True):
        following = at + (KERNEL - 1) * dilation
        taps = np.concatenate([memory[..., at, :], memory[..., at + dilation, :], now], axis=-1)
        remembered[..., following - 1, :] = now
        heard = taps @ taps_weight
        heard += taps_bias
        now = now + np.maximum(heard, _ZERO, out=heard) @ out_weight
        now += out_bias
        at = following
    hidden = _relu(now @ network["hidden.weight"] + network["hidden.bias"])
    return remembered, hidden @ network["out.weight"] + network["out.bias"]


def posteriors(answers: Float32[np.ndarray, "*S O"]) -> Float32[np.ndarray, "*S 48"]:
    """How likely each of PHONES is."""
    phones = answers[..., _FIRST_PHONE:]
    odds = np.exp(phones - np.maximum.reduce(phones, axis=-1, keepdims=True))
    odds /= np.add.reduce(odds, axis=-1, keepdims=True)
    return odds


def draw(
    network: Network, answers: Float32[np.ndarray, "*S O"], phones: Float32[np.ndarray, "*S 48"]
) -> Float32[np.ndarray, "*S D"]:
    """Controls, closed and tucked from the network's bare answers, not eased yet."""
    asked = np.maximum(phones - np.float32(HAZE), _ZERO) @ _asking()
    wanted = asked[..., :CLOSED] / asked[..., CLOSED : 2 * CLOSED]
    drawn = np.empty((*answers.shape[:-1], DRAWN), np.float32)
    drawn[..., :CLOSED] = _within(answers[..., :CLOSED] + np.float32(FROM_PHONES) * (wanted - answers[..., :CLOSED]))
    drawn[..., CLOSED:] = gate(
        # Closures that both the gates and the phones tell of: half as many false ones in vowels for the same recall.
        np.sqrt(_sigmoid(answers[..., CLOSED:VOICE]) * asked[..., 2 * CLOSED :]),
        *network.gates,
    )
    return drawn


@lru_cache(maxsize=1)
def _asking() -> Float32[np.ndarray, "48 E"]:
    """Beside each other what each phone asks of the controls, times how strongly, how strongly, and of which gate."""
    targets, pulls = phone_pulls()
    return np.concatenate([targets * pulls, pulls, lip_phones()], axis=1)


@lru_cache(maxsize=1)
def lip_phones() -> Float32[np.ndarray, "48 2"]:
    """1 for the phones that close the lips, and for those that tuck one."""
    return np.array([[symbol in BILABIALS, symbol in LABIODENTALS] for symbol in PHONES], np.float32)


def ease(before: Float32[np.ndarray, "*S D"], now: Float32[np.ndarray, "*S D"]) -> Float32[np.ndarray, "*S D"]:
    """What is drawn now, with a share of the step before."""
    return now + np.float32(FROM_BEFORE) * (before - now)


def understand(
    answers: Float32[np.ndarray, "*S O"],
    phones: Float32[np.ndarray, "*S 48"],
    eased: Float32[np.ndarray, "*S D"],
    loudness_db: Float32[np.ndarray, "*S"],
) -> Heard:
    """What was drawn and eased, by its names, with voice and posteriors."""
    return Heard(
        controls=eased[..., :CLOSED],
        closed=np.asarray(eased[..., CLOSED]),
        tucked=np.asarray(eased[..., TUCKED]),
        voice=np.asarray(_sigmoid(answers[..., VOICE : VOICE + 1])[..., 0]),
        phones=phones,
        loudness_db=loudness_db,
    )


def gate(
    probability: Float32[np.ndarray, "*S G"], begins: Float32[np.ndarray, "G"], full: Float32[np.ndarray, "G"]
) -> Float32[np.ndarray, "*S G"]:
    """Gates that open smoothly, each between two probabilities."""
    way = _within((probability - begins) / (full - begins))
    return way * way * (3 - 2 * way)


def _relu(value: Float32[np.ndarray, "*S N"]) -> Float32[np.ndarray, "*S N"]:
    return np.maximum(value, _ZERO)


def _sigmoid(value: Float32[np.ndarray, "*S N"]) -> Float32[np.ndarray, "*S N"]:
    return 1 / (1 + np.exp(-np.minimum(np.maximum(value, -_STEEPEST), _STEEPEST)))


def _within(value: Float32[np.ndarray, "*S N"]) -> Float32[np.ndarray, "*S N"]:
    """Clipped to [0, 1]; np.clip takes longer for so few."""
    return np.minimum(np.maximum(value, _ZERO), _ONE)


def shapes() -> dict[str, tuple[int, ...]]:
    """Every tensor's name and shape."""
    told: dict[str, tuple[int, ...]] = {"in.weight": (FEATURES, WIDTH), "in.bias": (WIDTH,)}
    for block in range(len(DILATIONS)):
        told[f"block{block}.in.weight"] = (KERNEL * WIDTH, WIDTH)
        told[f"block{block}.in.bias"] = (WIDTH,)
        told[f"block{block}.out.weight"] = (WIDTH, WIDTH)
        told[f"block{block}.out.bias"] = (WIDTH,)
    told |= {"hidden.weight": (WIDTH, HIDDEN), "hidden.bias": (HIDDEN,)}
    return told | {"out.weight": (HIDDEN, OUTPUTS), "out.bias": (OUTPUTS,)}


@lru_cache(maxsize=1)
def load_network() -> Network:
    """The shipped weights. Raises ModelMissingError (20) or ModelUntrustedError (21)."""
    folder = resources.files("avatar3d.speech") / "data"
    try:
        bill = json.loads((folder / "speech.json").read_text(encoding="utf-8"))
        stored = (folder / "speech.safetensors").read_bytes()
    except FileNotFoundError as cause:
        raise ModelMissingError(
            "The speech network's weights are not in this installation.", hint="Install avatar3d again."
        ) from cause
    if sha256(stored).hexdigest() != bill["sha256"]:
        raise ModelUntrustedError(
            "The speech network's weights are not those that speech.json names.", hint="Install avatar3d again."
        )
    return network_from(load_tensors(stored), bill["gates"])


def network_from(tensors: Mapping[str, np.ndarray], gates: dict[str, float]) -> Network:
    """A network of stored tensors (float16 or float32). Raises ModelUntrustedError for other names or shapes."""
    if {name: tensor.shape for name, tensor in tensors.items()} != shapes():
        raise ModelUntrustedError("The file holds another network than this version's.", hint="Train it again.")
    return Network({name: np.asarray(tensor, np.float32) for name, tensor in tensors.items()}, **gates)
