"""The same network in torch: whole utterances for training, and a step for many streams at once on a GPU.

features [S T F] --> convolutions over time, padded on the left --> answers [S T O]     training
samples [S 320], state --> features --> memory, answers [S O] --> Heard                  Listeners, one per device
"""

from typing import Final

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.nn import functional

from avatar3d.speech.network import features as ears
from avatar3d.speech.network.model import (
    DILATIONS,
    HIDDEN,
    KERNEL,
    MEMORY,
    OUTPUTS,
    WIDTH,
    Heard,
    Network,
    at_rest,
    draw,
    ease,
    posteriors,
    silent_memory,
    understand,
)

# Blocks begin as a small change to what comes in, so that eight of them train from the first step.
_FIRST_GAIN: Final = 0.3


class SpeechNet(nn.Module):
    """Features of whole utterances to answers; parameters named as in the weights file, transposed."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Linear(ears.FEATURES, WIDTH)
        self._blocks = [(nn.Linear(KERNEL * WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)) for _ in DILATIONS]
        # Normalised over the batch while it learns, six times quicker; folded into the layers before them afterwards.
        self._norms = [nn.BatchNorm1d(WIDTH) for _ in DILATIONS]
        self.entry_norm, self.hidden_norm = nn.BatchNorm1d(WIDTH), nn.BatchNorm1d(HIDDEN)
        self.norms = nn.ModuleList(self._norms)
        self.taps = nn.ModuleList(taps for taps, _ in self._blocks)
        self.outs = nn.ModuleList(out for _, out in self._blocks)
        self.hidden = nn.Linear(WIDTH, HIDDEN)
        self.out = nn.Linear(HIDDEN, OUTPUTS)
        with torch.no_grad():
            for _, out in self._blocks:
                out.weight.mul_(_FIRST_GAIN)

    def forward(self, heard: Tensor, precision: torch.dtype = torch.float32, factors: Tensor | None = None) -> Tensor:
        """[S T F] to [S T O], each step of the past alone; matrices are multiplied in `precision`, weights stay float32.

        `factors` [blocks S 1 C] of what each block's channels say, one for all steps of a crop: training makes them waver.
        """
        streams, steps, _ = heard.shape
        # One row per step: every layer is a product of matrices.
        now = functional.relu(self.entry_norm(_product(heard.to(precision).flatten(0, 1), self.entry)))
        for block, ((taps, out), norm, dilation) in enumerate(zip(self._blocks, self._norms, DILATIONS, strict=True)):
            # The linear layer over [t - 2d, t - d, t] is a dilated convolution: columns of the taps are time after time.
            padded = functional.pad(now.view(streams, steps, WIDTH), (0, 0, (KERNEL - 1) * dilation, 0))
            past = torch.cat([padded[:, at * dilation : at * dilation + steps] for at in range(KERNEL)], dim=2)
            inner = functional.relu(norm(_product(past.flatten(0, 1), taps)))
            if factors is not None:
                inner = (inner.view(streams, steps, WIDTH) * factors[block].to(precision)).flatten(0, 1)
            now = now + _product(inner, out)
        hidden = functional.relu(self.hidden_norm(_product(now, self.hidden)))
        return self.out(hidden.float()).view(streams, steps, OUTPUTS)

    def tensors(self) -> dict[str, Float32[np.ndarray, "..."]]:
        """The weights as speech/network/model.py has them, norms folded in."""
        layers: list[tuple[str, nn.Linear, nn.BatchNorm1d | None]] = [
            ("in", self.entry, self.entry_norm),
            ("hidden", self.hidden, self.hidden_norm),
            ("out", self.out, None),
        ]
        for block, ((taps, out), norm) in enumerate(zip(self._blocks, self._norms, strict=True)):
            layers += [(f"block{block}.in", taps, norm), (f"block{block}.out", out, None)]
        told: dict[str, Float32[np.ndarray, "..."]] = {}
        for name, layer, norm in layers:
            weight, bias = layer.weight.detach(), layer.bias.detach()
            if norm is not None:
                assert norm.running_mean is not None
                assert norm.running_var is not None
                gain = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
                weight, bias = weight * gain[:, None], (bias - norm.running_mean) * gain + norm.bias.detach()
            told[f"{name}.weight"] = np.ascontiguousarray(weight.cpu().numpy().T)
            told[f"{name}.bias"] = bias.cpu().numpy()
        return told


def _product(rows: Tensor, layer: nn.Linear) -> Tensor:
    return functional.linear(rows, layer.weight.to(rows.dtype), layer.bias.to(rows.dtype))


class Listeners:
    """Many streams at once on one device: the state stays there, only samples and answers travel."""

    def __init__(self, network: Network, streams: int, device: str = "cpu") -> None:
        self._network = network
        self._device = torch.device(device)
        self._weights = {name: self._tensor(tensor) for name, tensor in network.tensors.items()}
        self._dft, self._mel = self._tensor(ears.dft_matrix()), self._tensor(ears.mel_matrix())
        start = ears.hearing_at_start(streams)
        self._past, self._level = self._tensor(start.past), self._tensor(start.level_db)
        self._memory = self._tensor(np.broadcast_to(silent_memory(network), (streams, MEMORY, WIDTH)))
        self._drawn = at_rest(streams)

    def _tensor(self, array: Float32[np.ndarray, "..."]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)

    def listen(self, samples: Float32[np.ndarray, "S 320"]) -> Heard:
        """The next 20 ms of every stream."""
        with torch.inference_mode():
            on_device, loudness = self.step(torch.from_numpy(samples).to(self._device))
        answers = on_device.cpu().numpy()
        phones = posteriors(answers)
        before, self._drawn = self._drawn, draw(self._network, answers, phones)
        return understand(answers, phones, ease(before, self._drawn), loudness.cpu().numpy())

    def step(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Answers and loudness on the device itself."""
        joined = torch.cat([self._past, samples], dim=1)
        bands = torch.stack([self._mel_db(joined[:, at : at + ears.WINDOW]) for at in (0, ears.HOP)], dim=1)
        loudness = 10 * torch.log10((samples * samples).mean(dim=1) + ears.FLOOR)
        up = self._level + ears.RISE * (loudness - self._level)
        down = torch.maximum(self._level - ears.FALL_DB, loudness)
        level = torch.where(loudness > self._level, up, down).clamp(min=ears.LEVEL_FLOOR_DB)
        told = ((bands - level[:, None, None]) / ears.SCALE_DB).clamp(min=ears.QUIETEST)
        heard = torch.cat([told.flatten(1), told.mean(dim=2)], dim=1)
        self._past, self._level = joined[:, ears.STEP :], level
        return self._answer(heard), loudness

    def _mel_db(self, windows: Tensor) -> Tensor:
        spectrum = windows @ self._dft
        bins = spectrum.shape[1] // 2
        power = spectrum[:, :bins] ** 2 + spectrum[:, bins:] ** 2
        return 10 * torch.log10(power @ self._mel + ears.FLOOR)

    def _answer(self, heard: Tensor) -> Tensor:
        weights = self._weights
        now = functional.relu(heard @ weights["in.weight"] + weights["in.bias"])
        remembered: list[Tensor] = []
        at = 0
        for block, dilation in enumerate(DILATIONS):
            span = (KERNEL - 1) * dilation
            past = self._memory[:, at : at + span]
            taps = torch.cat([past[:, 0], past[:, dilation], now], dim=1)
            remembered.append(torch.cat([past[:, 1:], now[:, None]], dim=1))
            inner = functional.relu(taps @ weights[f"block{block}.in.weight"] + weights[f"block{block}.in.bias"])
            now = now + inner @ weights[f"block{block}.out.weight"] + weights[f"block{block}.out.bias"]
            at += span
        self._memory = torch.cat(remembered, dim=1)
        hidden = functional.relu(now @ weights["hidden.weight"] + weights["hidden.bias"])
        return hidden @ weights["out.weight"] + weights["out.bias"]
