"""The segmentation net without a learning framework: convolutions as matrix products, in numpy.

6 x 256^2 -> 16 x 128^2 -> 32 x 64^2 -> 64 x 32^2 -> 128 x 16^2 -> 160 x 8^2 and back; 2 x 2 pixels from each of 128^2

Trained and stored by tools/segment; batch norm is folded into weights and biases.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Float32

Weights = Mapping[str, Float32[np.ndarray, "*S"]]
_BLOCKS: Final = (0, 1, 1, 2, 2)
_LEVELS: Final = len(_BLOCKS)


def run_network(weights: Weights, planes: Float32[np.ndarray, "6 H W"]) -> Float32[np.ndarray, "K H W"]:
    """Logits per kind; H and W are multiples of 32."""
    x = planes
    levels: list[Float32[np.ndarray, "C h w"]] = []
    for level in range(_LEVELS):
        x = _relu(_convolve(weights, f"down.{level}", x, stride=2))
        for block in range(_BLOCKS[level]):
            inside = _relu(_convolve(weights, f"blocks.{level}.{block}.first", x))
            x = _relu(x + _convolve(weights, f"blocks.{level}.{block}.second", inside))
        levels.append(x)
    for level in range(_LEVELS - 2, -1, -1):
        x = _twice(_mix(weights, f"narrow.{level}", x)) + levels[level]
        x = _relu(_convolve(weights, f"up.{level}", x))
    return _unfold(_mix(weights, "head", _relu(_convolve(weights, "last", x))))


def _convolve(
    weights: Weights, name: str, x: Float32[np.ndarray, "C H W"], *, stride: int = 1
) -> Float32[np.ndarray, "D h w"]:
    """3 x 3, zeros beyond the edge: nine shifted copies of the input and one matrix product."""
    kernel = weights[f"{name}.weight"]
    channels, height, width = x.shape
    h, w = height // stride, width // stride
    padded = np.zeros((channels, height + 2, width + 2), np.float32)
    padded[:, 1:-1, 1:-1] = x
    columns = np.empty((channels, 9, h, w), np.float32)
    for k in range(9):
        dy, dx = divmod(k, 3)
        columns[:, k] = padded[:, dy : dy + height : stride, dx : dx + width : stride]
    made = kernel.reshape(len(kernel), -1) @ columns.reshape(channels * 9, h * w)
    made += weights[f"{name}.bias"][:, None]
    return made.reshape(-1, h, w)


def _mix(weights: Weights, name: str, x: Float32[np.ndarray, "C H W"]) -> Float32[np.ndarray, "D H W"]:
    """1 x 1."""
    kernel = weights[f"{name}.weight"]
    made = kernel.reshape(len(kernel), -1) @ x.reshape(len(x), -1)
    made += weights[f"{name}.bias"][:, None]
    return made.reshape(-1, *x.shape[1:])


def _relu(x: Float32[np.ndarray, "*S"]) -> Float32[np.ndarray, "*S"]:
    """In place: each input was made for this."""
    return np.maximum(x, 0, out=x)


def _twice(x: Float32[np.ndarray, "C H W"]) -> Float32[np.ndarray, "C 2*H 2*W"]:
    """Every pixel four times."""
    return np.repeat(np.repeat(x, 2, axis=1), 2, axis=2)


def _unfold(x: Float32[np.ndarray, "C H W"]) -> Float32[np.ndarray, "K 2*H 2*W"]:
    """Four planes become two by two pixels of one."""
    four, height, width = x.shape
    return np.ascontiguousarray(
        x.reshape(four // 4, 2, 2, height, width).transpose(0, 3, 1, 4, 2).reshape(four // 4, 2 * height, 2 * width)
    )
