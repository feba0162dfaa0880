"""Train the speech network: corpus, hearings, steps of AdamW, gates set on two speakers, weights and their bill.

Checkpoints, resumes, prints its CPU time; the same seed on the same machine gives the same weights.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Int64
from safetensors.numpy import save
from threadpoolctl import threadpool_limits
from torch import Tensor

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.clock import Progress
from avatar3d.core.durable import write_atomically
from avatar3d.speech.coarticulate import CONTROLS
from avatar3d.speech.lips import mouth_ruler
from avatar3d.speech.network.model import DILATIONS, WIDTH, Network, network_from
from avatar3d.speech.network.torch import SpeechNet
from avatar3d.speech.train.augment import otherwise_heard
from avatar3d.speech.train.corpus import CorpusParams, build_corpus
from avatar3d.speech.train.curves import set_gates
from avatar3d.speech.train.hearings import Hearings, hear_utterances
from avatar3d.speech.train.losses import SHARES, losses_by_kind
from avatar3d.speech.train.shelf import BILL, shelve, unshelve

_AUGMENTED: Final = 6
_CLIP: Final = 1.0
_WARM_UP: Final = 150
"""Steps of rising rate."""
_BEFORE: Final = 12
"""Steps at the beginning of a crop that do not count: without a past, as at the beginning of a stream, less is known."""
_FALLING: Final = 0.3
"""The last share of the steps, in which the rate falls to nothing. Before it nothing depends on how many steps there will be, so
that a run can be made longer from its checkpoint (Hagele et al., Scaling Laws and Compute-Optimal Training, 2024)."""
# Channels do not waver at first, and not in the end, when norms settle (Povey et al., Semi-Orthogonal Low-Rank Matrix
# Factorization for Deep Neural Networks, 2018: dropout that is continuous and the same over time).
_WAVERS_FROM: Final = 2000
_TOLD_EVERY: Final = 100
_SAVED_EVERY: Final = 200


@dataclass(frozen=True)
class TrainParams:
    """How long, how fast, on what."""

    seed: int = 0
    steps: int = 26_000
    batch: int = 10
    """Few crops and many steps learn more per minute than the other way round."""
    crop: int = 200
    """Steps that count in a crop, 4 s; a few before them fill the network's memory."""
    clean_share: float = 0.35
    """Of the crops as recorded; the rest is augmented."""
    recorded_share: float = 0.62
    """Of the crops, people."""
    sung_share: float = 0.08
    """Of the crops, song; the rest are synthetic voices that speak."""
    otherwise: float = 0.5
    """Of all crops, heard through another microphone and over other noise each time."""
    waver: float = 0.2
    """By up to twice so much the channels of a crop are more or less, when they waver most."""
    rate: float = 1.2e-3
    weight_decay: float = 0.02
    threads: int = 1
    device: str = "cpu"
    precision: str = "bfloat16"
    """Of products: three times as quick as float32 on processors with AMX."""
    corpus: CorpusParams = field(default_factory=CorpusParams)


def train_speech(librispeech: Path, work: Path, out: Path, params: TrainParams, progress: Progress) -> Path:
    """Weights in OUT/speech.safetensors with speech.json; everything in between is kept in WORK."""
    with threadpool_limits(params.threads):
        return _train(librispeech, work, out, params, progress)


def _train(librispeech: Path, work: Path, out: Path, params: TrainParams, progress: Progress) -> Path:
    began_s = time.process_time()
    torch.manual_seed(params.seed)
    torch.set_num_threads(params.threads)
    corpus = work / "corpus"
    if not (corpus / BILL).exists():
        shelve(build_corpus(librispeech, params.corpus, progress), corpus)
        progress(f"corpus: {time.process_time() - began_s:.0f} s of CPU")
    progress("hearing the corpus")
    heard = hear_utterances(unshelve(corpus, "train"), seed=params.seed, augmented=_AUGMENTED, progress=progress)
    progress(f"{len(heard.phones)} steps; {time.process_time() - began_s:.0f} s of CPU")
    net = _optimise(heard, work, params, progress)
    network = network_from(net.tensors(), dict(_OPEN_GATES))
    gates = set_gates(network, unshelve(corpus, "tune"), progress)
    progress(f"trained: {time.process_time() - began_s:.0f} s of CPU")
    return write_weights(replace(network, **gates), out, corpus, params)


_OPEN_GATES: Final = {"closed_from": 0.2, "closed_to": 0.6, "tucked_from": 0.2, "tucked_to": 0.6}


def _optimise(heard: Hearings, work: Path, params: TrainParams, progress: Progress) -> SpeechNet:
    device = torch.device(params.device)
    net = SpeechNet().to(device)
    optimiser = torch.optim.AdamW(net.parameters(), lr=params.rate, weight_decay=params.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: _pace(step, params.steps),
    )
    checkpoint = work / "checkpoint.pt"
    first = 0
    if checkpoint.exists():
        stored: dict[str, Any] = torch.load(checkpoint, weights_only=True)  # noqa: TID251  our own, tensors only
        if stored["params"] == json.dumps(asdict(params)):
            net.load_state_dict(stored["net"])
            optimiser.load_state_dict(stored["optimiser"])
            schedule.load_state_dict(stored["schedule"])
            first = int(stored["step"])
            progress(f"resumed at step {first}")
    precision = getattr(torch, params.precision)
    ruler = _ruler(device)
    began_s = time.process_time()
    told: dict[str, float] = {}
    for step, batch in enumerate(_batches(heard, params, first, device), start=first):
        losses = losses_by_kind(net(batch.pop("features"), precision, batch.pop("factors")), batch, ruler)
        loss = torch.stack([SHARES[kind] * value for kind, value in losses.items()]).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), _CLIP)
        optimiser.step()
        schedule.step()
        for kind, value in losses.items():
            told[kind] = told.get(kind, 0.0) + float(value.detach()) / _TOLD_EVERY
        if (step + 1) % _TOLD_EVERY == 0:
            figures = "  ".join(f"{kind} {value:.4f}" for kind, value in told.items())
            progress(f"  step {step + 1} of {params.steps}, {time.process_time() - began_s:.0f} s of CPU: {figures}")
            told.clear()
        if (step + 1) % _SAVED_EVERY == 0:
            state = {
                "params": json.dumps(asdict(params)), "step": step + 1, "net": net.state_dict(),
                "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict(),
            }  # fmt: skip
            torch.save(state, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
    return net.eval()


def _pace(step: int, steps: int) -> float:
    """The rate at this step over the highest: up, level, down to nothing."""
    return max(min((step + 1) / _WARM_UP, 1.0, (steps - step) / (_FALLING * steps)), 0.0)


def _batches(heard: Hearings, params: TrainParams, first: int, device: torch.device) -> Iterator[dict[str, Tensor]]:
    """Crops from anywhere, each of one variant; the batch of a step depends on seed and step alone."""
    length = _BEFORE + params.crop
    counts = torch.zeros(params.batch, length)
    counts[:, _BEFORE:] = 1
    parts = ((0, heard.recorded), (heard.recorded, heard.spoken), (heard.spoken, len(heard.phones)))
    shares = np.array([params.recorded_share, 1 - params.recorded_share - params.sung_share, params.sung_share])
    shares[[end - begin <= length for begin, end in parts]] = 0
    if not shares.any():
        parts, shares = ((0, len(heard.phones)),), np.ones(1)
    begins, ends = np.array(parts).T
    for step in range(first, params.steps):
        rng = np.random.default_rng((params.seed, step))
        part = rng.choice(len(parts), params.batch, p=shares / shares.sum())
        starts = rng.integers(begins[part], ends[part] - length)
        clean = rng.random(params.batch) < params.clean_share
        variants = np.where(clean, 0, rng.integers(1, len(heard.variants), params.batch))
        rows: Int64[np.ndarray, "B T"] = starts[:, None] + np.arange(length)
        features = np.stack(
            [heard.variants[variant][start : start + length] for variant, start in zip(variants, starts, strict=True)]
        ).astype(np.float32)
        other = np.flatnonzero(rng.random(params.batch) < params.otherwise)
        features[other] = otherwise_heard(rng, features[other])
        waver = params.waver * min(step / _WAVERS_FROM, _pace(step, params.steps))
        factors = 1 + 2 * waver * rng.uniform(-1, 1, (len(DILATIONS), params.batch, 1, WIDTH))
        yield {
            "features": torch.from_numpy(features).to(device),
            "controls": torch.from_numpy(heard.controls[rows].astype(np.float32)).to(device),
            "gates": torch.from_numpy(heard.gates[rows].astype(np.float32)).to(device),
            "phones": torch.from_numpy(heard.phones[rows].astype(np.int64)).to(device),
            "counts": counts.to(device),
            "factors": torch.from_numpy(factors.astype(np.float32)).to(device),
        }


def _ruler(device: torch.device) -> Tensor:
    """Centimetres of the lips' gap per control."""
    gaps = mouth_ruler().gaps_mm
    per_control = [sum(gaps[ARKIT_INDEX[n]] for n in names if n in ARKIT_INDEX) / 10 for names in CONTROLS.values()]
    return torch.tensor(per_control, dtype=torch.float32, device=device)


def write_weights(network: Network, out: Path, corpus: Path, params: TrainParams) -> Path:
    """speech.safetensors in float16, and its bill of materials beside it."""
    stored = save({name: np.asarray(tensor, np.float16) for name, tensor in sorted(network.tensors.items())})
    bill = {
        "sha256": sha256(stored).hexdigest(),
        "licence": "Apache-2.0",
        "by": "avatar3d train speech",
        "params": asdict(params),
        "gates": {name: getattr(network, name) for name in _OPEN_GATES},
        "corpus": json.loads((corpus / BILL).read_text(encoding="utf-8")),
    }
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / "speech.safetensors", stored)
    write_atomically(out / "speech.json", (json.dumps(bill, indent=1) + "\n").encode())
    return out / "speech.safetensors"
