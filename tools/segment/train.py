"""Train the segmentation net on generated people, on a CPU.

    python -m tools.segment.train CHECKPOINT.pt --people 'FOLDER/people_0_*.npy' --steps 1000
                                  [--from OTHER.pt] [--edge 128] [--seed 0] [--threads 2]

CHECKPOINT is written every 100 steps and continued when it exists; --from starts from another's weights. Prints loss
and CPU time.
"""

import argparse
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
from tools.segment.feed import Crowd, batches
from tools.segment.net import SegmentNet

BATCH: Final = 8
# Pictures at half the size cost a quarter: a run at 128 first, then one at 256 from its weights.
_WARM: Final = 50
_DECAY: Final = 0.01
# Thin and rare kinds count more.
_WEIGHTS: Final = {"ears": 1.6, "brows": 1.8, "eyes": 1.8, "lips": 1.5, "teeth": 2.0, "glasses": 2.0, "hair": 1.2,
                   "beard": 1.5, "headwear": 1.3, "occluder": 1.5, "background": 0.8}  # fmt: skip


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


def main() -> None:
    """Train or go on training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--people", nargs="+", required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--from", dest="start", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--edge", type=int, default=256, choices=(128, 256))
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(chosen.seed)
    net = SegmentNet().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=chosen.rate, weight_decay=_DECAY)
    first, spent = 0, 0.0
    if chosen.checkpoint.is_file():
        stored: dict[str, Any] = torch.load(chosen.checkpoint, weights_only=True)
        net.load_state_dict(stored["net"])
        optimiser.load_state_dict(stored["optimiser"])
        first, spent = stored["step"], stored["cpu_s"]
    elif chosen.start:
        net.load_state_dict(torch.load(chosen.start, weights_only=True)["net"])
    crowd = Crowd(chosen.people)
    feed = batches(crowd, chosen.seed, first, BATCH * 256 // chosen.edge)
    began, wall = time.process_time(), time.monotonic()
    recent: list[float] = []
    for number in range(first, chosen.steps):
        ramp = min(1.0, (number + 1) / _WARM)
        for group in optimiser.param_groups:
            group["lr"] = chosen.rate * ramp * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * number / chosen.steps)))
        planes, label = next(feed)
        if chosen.edge == 128:
            planes = planes.reshape(len(planes), 6, 128, 2, 128, 2).mean((3, 5))
            label = label[:, 1::2, 1::2]
        x = torch.from_numpy(planes).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(x)
        # Every second row and column, another phase each step: the loss would cost as much as the net.
        stride = chosen.edge // 128
        down, right = number % stride, number // 2 % stride
        loss = loss_of(
            logits[:, :, down::stride, right::stride], torch.from_numpy(label)[:, down::stride, right::stride]
        )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        recent.append(loss.item())
        if (number + 1) % 50 == 0 or number + 1 == chosen.steps:
            cpu = spent + time.process_time() - began
            print(
                f"step {number + 1}: loss {np.mean(recent):.3f}, {len(crowd)} people, CPU {cpu:.0f} s, "
                f"wall {time.monotonic() - wall:.0f} s", flush=True,
            )  # fmt: skip
            recent = []
            state = {"net": net.state_dict(), "optimiser": optimiser.state_dict(), "step": number + 1, "cpu_s": cpu}
            part = chosen.checkpoint.with_suffix(".part")
            torch.save(state, part)
            part.rename(chosen.checkpoint)


if __name__ == "__main__":
    main()
