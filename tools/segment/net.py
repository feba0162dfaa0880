"""The net in torch: a small U-Net with residual blocks, written so that numpy can run it (avatar3d/photo/network.py).

6 x 256^2 -> 16 x 128^2 -> 32 x 64^2 -> 64 x 32^2 -> 128 x 16^2 -> 160 x 8^2 and back; 2 x 2 pixels from each of 128^2
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.hooks import RemovableHandle

from avatar3d.core.segments import KINDS

PLANES: Final = 6
WIDTHS: Final = (16, 32, 64, 128, 160)
BLOCKS: Final = (0, 1, 1, 2, 2)


class Conv(nn.Module):
    """3 x 3 convolution, batch norm, ReLU; folded into weight and bias when stored."""

    def __init__(self, inside: int, outside: int, *, stride: int = 1, active: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outside, momentum=0.05)
        self.active = active

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x))
        return functional.relu(x) if self.active else x


class Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = Conv(width, width)
        self.second = Conv(width, width, active=False)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.second(self.first(x)))


class SegmentNet(nn.Module):
    """Logits per kind [B K 256 256] from planes in [-1, 1] [B 6 256 256]."""

    def __init__(self) -> None:
        super().__init__()
        inside = (PLANES, *WIDTHS[:-1])
        self.down = nn.ModuleList(Conv(a, b, stride=2) for a, b in zip(inside, WIDTHS, strict=True))
        self.blocks = nn.ModuleList(
            nn.Sequential(*(Block(width) for _ in range(count))) for width, count in zip(WIDTHS, BLOCKS, strict=True)
        )
        self.narrow = nn.ModuleList(nn.Conv2d(WIDTHS[k + 1], WIDTHS[k], 1) for k in range(4))
        self.up = nn.ModuleList(Conv(WIDTHS[k], WIDTHS[k]) for k in range(4))
        self.last = Conv(WIDTHS[0], 24)
        self.head = nn.Conv2d(24, 4 * len(KINDS), 1)

    def forward(self, x: Tensor) -> Tensor:
        levels: list[Tensor] = []
        for down, blocks in zip(self.down, self.blocks, strict=True):
            x = blocks(down(x))
            levels.append(x)
        for k in (3, 2, 1, 0):
            x = functional.interpolate(self.narrow[k](x), scale_factor=2, mode="nearest")
            x = self.up[k](x + levels[k])
        return functional.pixel_shuffle(self.head(self.last(x)), 2)


def folded(net: SegmentNet) -> dict[str, np.ndarray]:
    """Weights as numpy runs them, batch norm folded in: NAME.weight [out in 3 3], NAME.bias [out]; float32."""
    stored: dict[str, np.ndarray] = {}
    with torch.no_grad():
        for name, module in net.named_modules():
            if isinstance(module, Conv):
                norm = module.norm
                assert norm.running_var is not None
                assert norm.running_mean is not None
                gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
                stored[f"{name}.weight"] = (module.conv.weight * gain[:, None, None, None]).numpy()
                stored[f"{name}.bias"] = (norm.bias - norm.running_mean * gain).numpy()
            elif isinstance(module, nn.Conv2d) and not name.endswith(".conv"):
                assert module.bias is not None
                stored[f"{name}.weight"] = module.weight.numpy()
                stored[f"{name}.bias"] = module.bias.numpy()
    return {name: np.ascontiguousarray(value, np.float32) for name, value in stored.items()}


def unfolded(weights: Mapping[str, np.ndarray], planes: Tensor) -> SegmentNet:
    """A net that answers as stored weights do and can be trained on: batch norm takes its scale from `planes` [B 6 H W]."""
    net = SegmentNet()

    def settle(conv: Conv, bias: Tensor) -> RemovableHandle:
        def take(_module: nn.Module, _inside: object, made: Tensor) -> None:
            variance, mean = torch.var_mean(made, (0, 2, 3), correction=0)
            conv.norm.load_state_dict(
                {"weight": torch.sqrt(variance + conv.norm.eps), "bias": bias + mean, "running_mean": mean,
                 "running_var": variance, "num_batches_tracked": torch.tensor(0)}
            )  # fmt: skip

        return conv.conv.register_forward_hook(take)

    hooks: list[RemovableHandle] = []
    with torch.no_grad():
        for name, module in net.named_modules():
            if isinstance(module, Conv):
                module.conv.weight.copy_(torch.from_numpy(weights[f"{name}.weight"]))
                hooks.append(settle(module, torch.from_numpy(weights[f"{name}.bias"])))
            elif isinstance(module, nn.Conv2d) and not name.endswith(".conv"):
                module.load_state_dict(
                    {kind: torch.from_numpy(weights[f"{name}.{kind}"]) for kind in ("weight", "bias")}
                )
        net.eval()(planes)
    for hook in hooks:
        hook.remove()
    return net.train()
