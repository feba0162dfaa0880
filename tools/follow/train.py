"""Trains the net that reads expressions (avatar3d/fit/reader.py) on drawn people, and writes it with its bill.

    FEED/*.npz --laid on each person's neutral--> crops, moved landmarks --AdamW--> reader.safetensors, reader.json

    python -m tools.follow.train FEED [--epochs 24] [--held-out 0] [--out avatar3d/fit/data]

`--held-out N` keeps N people aside and prints how well they are read. Needs torch. One core, about a minute an epoch.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from jaxtyping import Float32, Float64, Int16
from safetensors.numpy import save
from torch import nn
from torch.nn import functional

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.fit.neutral import HEIGHT_PX, WIDTH_PX, lay, lean_of, neutral_of
from avatar3d.fit.reader import DIFFERENCE_GAIN, GAIN, LEAN_GAIN, OTHER_SIDE, SHAPES, STRIDES
from avatar3d.photo.mesh_layout import MIRROR

SEED: Final = 0
COMPONENTS: Final = 80
"""Of moved landmarks."""
_POINTS: Final = COMPONENTS + 2
CHANNELS: Final = (16, 32, 64, 64, 96, 32)
_KERNELS: Final = (5, 3, 3, 3, 3, 1)
_CELLS: Final = (HEIGHT_PX // 16) * (WIDTH_PX // 16)
_HIDDEN, _DROPPED = 192, 0.1
_WEAKEST: Final = 0.06
"""Components whose spread is less than this share of the first one's count less than one spread."""
_BATCH, _RATE, _DECAY = 64, 3e-3, 1e-3
_SHAKEN: Final = 0.5
"""Of all crops."""
_SHIFT_PX: Final = 3
_STRETCH, _TURN_RAD = 0.04, 0.04
"""Standard deviations of how crops are stretched and turned, face and neutral alike."""
_LIGHT: Final = 0.03
_PIXEL_NOISE, _LANDMARK_NOISE = 0.03, 0.1
_RESTING: Final = 2
"""The first pictures of a person are their neutral."""
_FLIP: Final = np.array([-1, 1], np.float32)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Everything drawn of one person, laid on their neutral."""

    pictures: Int16[np.ndarray, "N 2 H W"]
    neutral: Int16[np.ndarray, "2 H W"]
    mask: Float32[np.ndarray, "H W"]
    moved: Float32[np.ndarray, "N 478 2"]
    lean: Float32[np.ndarray, "N 2"]
    weights: Float32[np.ndarray, "N 51"]


def load_person(path: Path) -> Drawn:
    """What feed.py wrote."""
    stored = np.load(path)
    files = np.split(stored["files"], stored["ends"][:-1])
    pictures = [np.ascontiguousarray(cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1]) for file in files]
    landmarks = list(stored["landmarks"])
    neutral = neutral_of(pictures[:_RESTING], landmarks[:_RESTING])
    laid = [lay(neutral, picture, seen) for picture, seen in zip(pictures, landmarks, strict=True)]
    return Drawn(
        np.round(np.stack([one.picture for one in laid])).astype(np.int16),
        np.round(neutral.picture).astype(np.int16),
        neutral.mask,
        np.stack([one.moved for one in laid]).astype(np.float32),
        np.stack([lean_of(one.camera) * LEAN_GAIN for one in laid]).astype(np.float32),
        stored["weights"][:, :SHAPES].astype(np.float32),
    )


def components(people: Sequence[Drawn]) -> Float32[np.ndarray, "956 K"]:
    """Main directions of moved landmarks, each scaled to one spread."""
    rows = np.concatenate([flat(side) for one in people for side in (one.moved, mirrored(one.moved))])
    spreads, directions = np.linalg.eigh((rows.T @ rows / len(rows)).astype(np.float64))
    spread = np.sqrt(np.maximum(spreads[::-1][:COMPONENTS], 0))
    return (directions[:, ::-1][:, :COMPONENTS] / np.maximum(spread, _WEAKEST * spread[0])).astype(np.float32)


def flat(moved: Float32[np.ndarray, "N 478 2"]) -> Float32[np.ndarray, "N 956"]:
    return moved.reshape(len(moved), -1)


def mirrored(moved: Float32[np.ndarray, "N 478 2"]) -> Float32[np.ndarray, "N 478 2"]:
    return moved[:, MIRROR] * _FLIP


class Net(nn.Module):
    """As in reader.py, with normalised batches that are folded into the convolutions at the end."""

    def __init__(self) -> None:
        super().__init__()
        before = (4, *CHANNELS[:-1])
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, size, stride, size // 2)
            for a, b, size, stride in zip(before, CHANNELS, _KERNELS, STRIDES, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(count) for count in CHANNELS)
        self.hidden = nn.Linear(CHANNELS[-1] * _CELLS + _POINTS, _HIDDEN)
        self.out = nn.Linear(_HIDDEN, SHAPES)
        self.direct = nn.Linear(_POINTS, SHAPES, bias=False)
        self.dropped = nn.Dropout(_DROPPED)

    def forward(self, x: torch.Tensor, landmarks: torch.Tensor) -> torch.Tensor:
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = functional.relu(norm(convolution(x)))
        both = torch.cat([x.flatten(1), landmarks], 1)
        return self.out(self.dropped(functional.relu(self.hidden(self.dropped(both))))) + self.direct(landmarks)


def batches(
    people: Sequence[Drawn], basis: Float32[np.ndarray, "956 K"], rng: np.random.Generator
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Everything once, in random order: inputs, landmarks, weights."""
    straight = [np.concatenate([flat(one.moved) @ basis, one.lean], 1) for one in people]
    turned = [np.concatenate([flat(mirrored(one.moved)) @ basis, one.lean * _FLIP], 1) for one in people]
    every = np.concatenate([[(who, at) for at in range(len(one.pictures))] for who, one in enumerate(people)])
    rng.shuffle(every)
    for first in range(0, len(every) - _BATCH + 1, _BATCH):
        pictures = np.empty((_BATCH, 5, HEIGHT_PX, WIDTH_PX), np.float32)
        landmarks, weights = np.empty((_BATCH, _POINTS), np.float32), np.empty((_BATCH, SHAPES), np.float32)
        for row, (who, at) in enumerate(every[first : first + _BATCH]):
            one, other_side = people[who], rng.random() < 0.5
            calm = one.neutral if rng.random() < 0.7 else one.pictures[rng.integers(_RESTING)]
            layers = np.concatenate([one.pictures[at] * np.exp(rng.normal(0, _LIGHT)), calm, one.mask[None]])
            pictures[row] = _shaken(layers.astype(np.float32), rng) if rng.random() < _SHAKEN else layers
            landmarks[row], weights[row] = straight[who][at], one.weights[at]
            if other_side:
                pictures[row] = pictures[row][:, :, ::-1]
                landmarks[row], weights[row] = turned[who][at], one.weights[at][OTHER_SIDE]
        seen = torch.from_numpy(landmarks)
        inputs = as_seen(torch.from_numpy(pictures))
        inputs = inputs + _PIXEL_NOISE * torch.randn_like(inputs) * inputs.ne(0)
        yield inputs, seen + _LANDMARK_NOISE * torch.randn_like(seen), torch.from_numpy(weights)


def _shaken(layers: Float32[np.ndarray, "5 H W"], rng: np.random.Generator) -> Float32[np.ndarray, "5 H W"]:
    """Face and neutral alike moved, stretched and turned a little."""
    wide, high = np.exp(rng.normal(0, _STRETCH, 2))
    angle = rng.normal(0, _TURN_RAD)
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([wide, high])
    middle = np.array([WIDTH_PX, HEIGHT_PX]) / 2
    shift = middle - linear @ middle + rng.uniform(-_SHIFT_PX, _SHIFT_PX, 2)
    matrix = np.asarray(np.column_stack([linear, shift]), np.float64)
    moved = [
        cv2.warpAffine(np.ascontiguousarray(part.transpose(1, 2, 0)), matrix, (WIDTH_PX, HEIGHT_PX), borderMode=border)
        for part, border in ((layers[:4], cv2.BORDER_REPLICATE), (layers[4:], cv2.BORDER_CONSTANT))
    ]
    return np.concatenate([moved[0].transpose(2, 0, 1), (moved[1] > 0.5).reshape(1, HEIGHT_PX, WIDTH_PX)])


def as_seen(layers: torch.Tensor) -> torch.Tensor:
    """As reader.seen_by_net, for a batch of [face 2, neutral 2, mask]."""
    face, calm, mask = layers[:, :2], layers[:, 2:4], layers[:, 4:]
    mean = (calm[:, :1] * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True)
    less = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1)
    return torch.cat([(face / mean - less) * GAIN, (face - calm) / mean * DIFFERENCE_GAIN], 1) * mask


def train(people: Sequence[Drawn], basis: Float32[np.ndarray, "956 K"], epochs: int) -> Net:
    """Least squares; the same people and seed give the same net on the same machine."""
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    net = Net()
    steps = epochs * (sum(len(one.pictures) for one in people) // _BATCH)
    descent = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=_DECAY)
    rates = torch.optim.lr_scheduler.OneCycleLR(descent, _RATE, total_steps=steps, pct_start=0.15)
    began = time.process_time()
    for epoch in range(epochs):
        losses = list[float]()
        for inputs, landmarks, weights in batches(people, basis, rng):
            loss = functional.mse_loss(net(inputs, landmarks), weights)
            descent.zero_grad()
            loss.backward()
            descent.step()
            rates.step()
            losses.append(loss.item())
        print(f"epoch {epoch}: loss {np.mean(losses):.4f}, {time.process_time() - began:.0f} s", flush=True)
    return net.eval()


def folded(net: Net, basis: Float32[np.ndarray, "956 K"]) -> dict[str, Float32[np.ndarray, "*S"]]:
    """The weights as reader.py wants them."""
    mirrored_basis = (basis.reshape(-1, 2, COMPONENTS)[MIRROR] * _FLIP[:, None]).reshape(basis.shape)
    told: dict[str, np.ndarray] = {"landmarks.components": basis, "landmarks.mirrored": mirrored_basis}
    for number, (convolution, norm) in enumerate(zip(net.convolutions, net.norms, strict=True)):
        state: Any = norm
        scale = state.weight / torch.sqrt(state.running_var + state.eps)
        kernel: Any = convolution.weight
        bias: Any = convolution.bias
        told[f"conv{number}.kernel"] = (kernel * scale[:, None, None, None]).permute(2, 3, 1, 0).detach().numpy()
        told[f"conv{number}.bias"] = ((bias - state.running_mean) * scale + state.bias).detach().numpy()
    for name, layer in (("hidden", net.hidden), ("out", net.out)):
        told |= {f"{name}.kernel": layer.weight.T.detach().numpy(), f"{name}.bias": layer.bias.detach().numpy()}
    told["direct.kernel"] = net.direct.weight.T.detach().numpy()
    return {name: np.ascontiguousarray(tensor, np.float32) for name, tensor in told.items()}


def evaluate(net: Net, basis: Float32[np.ndarray, "956 K"], people: Sequence[Drawn]) -> Float64[np.ndarray, "51"]:
    """Correlation per shape over all pictures of people who were kept aside."""
    found, true = [], []
    with torch.no_grad():
        for one in people:
            layers = [
                np.concatenate([picture, one.neutral, one.mask[None]]) for picture in (one.neutral, *one.pictures)
            ]
            moved = np.concatenate([flat(one.moved) @ basis, one.lean], 1)
            seen = np.concatenate([np.zeros((1, _POINTS), np.float32), moved])
            answers = net(as_seen(torch.from_numpy(np.stack(layers).astype(np.float32))), torch.from_numpy(seen))
            found.append(np.clip((answers[1:] - answers[:1]).numpy(), 0, 1))
            true.append(one.weights)
    one, other = np.concatenate(found), np.concatenate(true)
    return np.array([np.corrcoef(one[:, shape], other[:, shape])[0, 1] for shape in range(SHAPES)])


def main() -> None:
    """Train, judge if asked, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("feed", type=Path)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--held-out", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("avatar3d/fit/data"))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    cv2.setNumThreads(1)
    paths = sorted(given.feed.glob("*.npz"))
    people = [load_person(path) for path in paths]
    aside, known = people[: given.held_out], people[given.held_out :]
    basis = components(known)
    net = train(known, basis, given.epochs)
    if aside:
        told = evaluate(net, basis, aside)
        print(f"kept aside: mean {np.nanmean(told):.3f}, median {np.nanmedian(told):.3f}")
        print(", ".join(f"{ARKIT_NAMES[shape]} {told[shape]:.2f}" for shape in np.argsort(told)))
    write_reader(net, basis, paths[given.held_out :], sum(len(one.pictures) for one in known), given.epochs, given.out)


def write_reader(
    net: Net, basis: Float32[np.ndarray, "956 K"], paths: Sequence[Path], pictures: int, epochs: int, folder: Path
) -> None:
    """reader.safetensors, and reader.json that says where it comes from."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "reader.safetensors"
    file.write_bytes(save({name: tensor.astype(np.float16) for name, tensor in folded(net, basis).items()}))
    bill = {
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "what": "reads the weights of 51 ARKit shapes from a face laid on its neutral",
        "licence": "Apache-2.0",
        "builder": "python -m tools.follow.feed FEED; python -m tools.follow.train FEED",
        "seed": SEED,
        "epochs": epochs,
        "pictures": pictures,
        "sources": [
            {
                "name": "official portraits of members of the US Congress (voteview/member_photos), calibration half",
                "licence": "public domain, works of the US government",
                "files": [f"{path.stem}.jpg" for path in paths if not path.stem.startswith("seed")],
            },
            {
                "name": "people that avatar3d generates",
                "licence": "Apache-2.0",
                "seeds": [int(path.stem[4:]) for path in paths if path.stem.startswith("seed")],
            },
        ],
    }
    (folder / "reader.json").write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
