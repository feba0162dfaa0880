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
from functools import lru_cache
from hashlib import sha256
from importlib import resources
from typing import Final

import numpy as np
from jaxtyping import Float32
from safetensors.numpy import load as load_tensors

from avatar3d.core.errors import ModelMissingError, ModelUntrustedError
from avatar3d.speech.coarticulate import CONTROLS, phone_pulls
from avatar3d.speech.network.features import FEATURES, RATE_HZ, STEP, HearingState, hear, hearing_at_start
from avatar3d.speech.phones import PHONES

WIDTH: Final = 192
HIDDEN: Final = 128
KERNEL: Final = 3
DILATIONS: Final = (1, 2, 4, 8, 1, 2, 4, 8)
MEMORY: Final = (KERNEL - 1) * sum(DILATIONS)
"""Steps of the past that the convolutions see: 1.2 s."""
STEP_S: Final = STEP / RATE_HZ
LOOKAHEAD_S: Final = 0.06
OUTPUTS: Final = len(CONTROLS) + 3 + len(PHONES)
CLOSED, TUCKED, VOICE = range(len(CONTROLS), len(CONTROLS) + 3)
_FIRST_PHONE: Final = len(CONTROLS) + 3
DRAWN: Final = len(CONTROLS) + 2
"""What the mouth is drawn from: controls, lips closed, lips tucked."""
FROM_PHONES: Final = 0.5
"""Share of the controls that the phones heard ask for. Curves that are learnt shrink toward the mean where the network
doubts; what it thinks was said does not: on the speakers that gates are set on, the total rises by 3.5."""
FROM_BEFORE: Final = 0.3
"""Share of the step before in each: jerk falls by a third for 6 ms of lag."""


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


def listening_at_start(*streams: int) -> ListeningState:
    """Before the first sample."""
    return ListeningState(
        hearing_at_start(*streams), np.zeros((*streams, MEMORY, WIDTH), np.float32), at_rest(*streams)
    )


def listen(
    network: Network, state: ListeningState, samples: Float32[np.ndarray, "*S 320"]
) -> tuple[ListeningState, Heard]:
    """One step of 20 ms: the next state, and the mouth LOOKAHEAD_S before these samples end."""
    hearing, features, loudness = hear(state.hearing, samples)
    memory, answers = answer(network, state.memory, features)
    drawn = draw(network, answers)
    return ListeningState(hearing, memory, drawn), understand(answers, ease(state.drawn, drawn), loudness)


def at_rest(*streams: int) -> Float32[np.ndarray, "*S D"]:
    """What is drawn of a mouth that says nothing."""
    return np.zeros((*streams, DRAWN), np.float32)


def answer(
    network: Network, memory: Float32[np.ndarray, "*S M W"], features: Float32[np.ndarray, "*S F"]
) -> tuple[Float32[np.ndarray, "*S M W"], Float32[np.ndarray, "*S O"]]:
    """The network alone: the next memory, and its answers before any squashing."""
    now = _relu(features @ network["in.weight"] + network["in.bias"])
    remembered = np.empty_like(memory)
    at = 0
    for block, dilation in enumerate(DILATIONS):
        span = (KERNEL - 1) * dilation
        past = memory[..., at : at + span, :]
        taps = np.concatenate([past[..., 0, :], past[..., dilation, :], now], axis=-1)
        remembered[..., at : at + span - 1, :] = past[..., 1:, :]
        remembered[..., at + span - 1, :] = now
        heard = _relu(taps @ network[f"block{block}.in.weight"] + network[f"block{block}.in.bias"])
        now = now + heard @ network[f"block{block}.out.weight"] + network[f"block{block}.out.bias"]
        at += span
    hidden = _relu(now @ network["hidden.weight"] + network["hidden.bias"])
    return remembered, hidden @ network["out.weight"] + network["out.bias"]


def draw(network: Network, answers: Float32[np.ndarray, "*S O"]) -> Float32[np.ndarray, "*S D"]:
    """Controls, closed and tucked from the network's bare answers, not eased yet."""
    phones = _posteriors(answers)
    targets, pulls = phone_pulls()
    asked = (phones @ (targets * pulls)) / (phones @ pulls)
    controls = answers[..., :CLOSED] + np.float32(FROM_PHONES) * (asked - answers[..., :CLOSED])
    gates = _sigmoid(answers[..., CLOSED:VOICE])
    return np.concatenate(
        [
            np.clip(controls, 0, 1),
            gate(gates[..., :1], network.closed_from, network.closed_to),
            gate(gates[..., 1:], network.tucked_from, network.tucked_to),
        ],
        axis=-1,
    ).astype(np.float32)


def ease(before: Float32[np.ndarray, "*S D"], now: Float32[np.ndarray, "*S D"]) -> Float32[np.ndarray, "*S D"]:
    """What is drawn now, with a share of the step before."""
    return now + np.float32(FROM_BEFORE) * (before - now)


def understand(
    answers: Float32[np.ndarray, "*S O"], eased: Float32[np.ndarray, "*S D"], loudness_db: Float32[np.ndarray, "*S"]
) -> Heard:
    """What was drawn and eased, by its names, with voice and posteriors."""
    return Heard(
        controls=eased[..., : len(CONTROLS)],
        closed=np.asarray(eased[..., -2]),
        tucked=np.asarray(eased[..., -1]),
        voice=np.asarray(_sigmoid(answers[..., VOICE : VOICE + 1])[..., 0]),
        phones=_posteriors(answers),
        loudness_db=loudness_db,
    )


def _posteriors(answers: Float32[np.ndarray, "*S O"]) -> Float32[np.ndarray, "*S 48"]:
    phones = answers[..., _FIRST_PHONE:]
    odds = np.exp(phones - phones.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)


def gate(probability: Float32[np.ndarray, "*S"], begins: float, full: float) -> Float32[np.ndarray, "*S"]:
    """A gate that opens smoothly between two probabilities."""
    way = np.clip((probability - begins) / (full - begins), 0, 1)
    return np.asarray(way * way * (3 - 2 * way), np.float32)


def _relu(value: Float32[np.ndarray, "*S N"]) -> Float32[np.ndarray, "*S N"]:
    return np.maximum(value, 0)


def _sigmoid(value: Float32[np.ndarray, "*S N"]) -> Float32[np.ndarray, "*S N"]:
    return 1 / (1 + np.exp(-np.clip(value, -60, 60)))


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
