"""Train the segmentation net on generated people, on one thread of a CPU.

    python -m tools.segment.train CHECKPOINT.pt --people 'FOLDER/people_0_*.npy' --steps 6000 [--stored] [--seed 0]

CHECKPOINT is written every 50 steps and continued when it exists; --stored begins with the weights in the repository
instead of at random. Prints loss and CPU time.
"""

import argparse
import copy
import math
import time
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from avatar3d.core.segments import KINDS
from avatar3d.photo.segment import load_network
from tools.segment.feed import Crowd, batches
from tools.segment.net import SegmentNet, unfolded

BATCH: Final = 8
# Windows of the crop cost half of it; the last part of a run sees it whole, as the net will.
_WINDOW_PX: Final = 192
_WHOLE_FROM: Final = 0.7
_WARM: Final = 100
_DECAY: Final = 0.01
# The weights that are judged and stored are a running mean over about so many steps.
_MEAN_OVER: Final = 400
# Thin kinds count more; what hardly any portrait shows must be seen clearly before it is named.
_WEIGHTS: Final = {"ears": 1.6, "brows": 1.8, "eyes": 1.8, "lips": 1.5, "teeth": 2.0, "glasses": 2.0, "hair": 1.2,
                   "beard": 1.5, "background": 0.8, "headwear": 0.7, "occluder": 0.7}  # fmt: skip


def loss_of(logits: Tensor, label: Tensor) -> Tensor:
    """Weighted cross-entropy plus half of the soft Dice loss over the batch."""
    weights = torch.tensor([_WEIGHTS.get(kind, 1.0) for kind in KINDS])
    logs = functional.log_softmax(logits.float(), 1)
    entropy = functional.nll_loss(logs, label, weight=weights)
    probability = logs.exp()
    told = probability.gather(1, label[:, None]).flatten()
    both = torch.zeros(len(KINDS)).index_add(0, label.flatten(), told)
    total = probability.sum((0, 2, 3)) + torch.bincount(label.flatten(), minlength=len(KINDS))
    dice = 1 - (2 * both + 50) / (total + 50)
    return entropy + 0.5 * dice.mean()


def rate_at(number: int, steps: int, highest: float) -> float:
    """Up over the first steps, then down along a cosine to a hundredth."""
    return highest * min(1.0, (number + 1) / _WARM) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * number / steps)))


@torch.no_grad()
def follow(mean: SegmentNet, net: SegmentNet, number: int) -> None:
    """Move the running mean of the weights a little towards the newest ones."""
    share = max(1 / _MEAN_OVER, 9 / (10 + number))
    for old, new in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, share)


def first_net(crowd: Crowd, *, stored: bool, seed: int) -> SegmentNet:
    """At random, or what the repository stores."""
    torch.manual_seed(seed)
    if not stored:
        return SegmentNet()
    planes, _ = next(batches(crowd, seed, 0, 2 * BATCH))
    return unfolded(load_network(), torch.from_numpy(planes))


def main() -> None:
    """Train or go on training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--people", nargs="+", required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--stored", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    crowd = Crowd(chosen.people)
    net = first_net(crowd, stored=chosen.stored, seed=chosen.seed).to(memory_format=torch.channels_last)
    mean = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=chosen.rate, weight_decay=_DECAY)
    first, spent = 0, 0.0
    if chosen.checkpoint.is_file():
        kept: dict[str, Any] = torch.load(chosen.checkpoint, weights_only=True)
        net.load_state_dict(kept["net"])
        mean.load_state_dict(kept["mean"])
        optimiser.load_state_dict(kept["optimiser"])
        first, spent = kept["step"], kept["cpu_s"]
    feed = batches(crowd, chosen.seed, first, BATCH)
    began, wall = time.process_time(), time.monotonic()
    recent: list[float] = []
    for number in range(first, chosen.steps):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(number, chosen.steps, chosen.rate)
        planes, label = next(feed)
        if number < _WHOLE_FROM * chosen.steps:
            top, left = np.random.default_rng([chosen.seed, number]).integers(0, planes.shape[2] - _WINDOW_PX + 1, 2)
            box = (..., slice(top, top + _WINDOW_PX), slice(left, left + _WINDOW_PX))
            planes, label = np.ascontiguousarray(planes[box]), np.ascontiguousarray(label[box])
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(torch.from_numpy(planes).to(memory_format=torch.channels_last))
        # Every second row and column, another phase each step: the loss would cost as much as the net.
        phase = (..., slice(number % 2, None, 2), slice(number // 2 % 2, None, 2))
        loss = loss_of(logits[phase], torch.from_numpy(label)[phase])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        follow(mean, net, number)
        recent.append(loss.item())
        if (number + 1) % 50 == 0 or number + 1 == chosen.steps:
            cpu = spent + time.process_time() - began
            print(
                f"step {number + 1}: loss {np.mean(recent):.3f}, {len(crowd)} people, CPU {cpu:.0f} s, "
                f"wall {time.monotonic() - wall:.0f} s", flush=True,
            )  # fmt: skip
            recent = []
            state = {
                "net": net.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict(),
                "step": number + 1, "cpu_s": cpu,
            }  # fmt: skip
            part = chosen.checkpoint.with_suffix(".part")
            torch.save(state, part)
            part.rename(chosen.checkpoint)


if __name__ == "__main__":
    main()
