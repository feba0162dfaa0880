"""A face net's lower layers in numpy, channels last.

192^2 x 3 -> 96^2 x 16 -> 48^2 x 32 -> 24^2 x 64 -> 12^2 x 128 -> 6^2 x 128

They are those of MediaPipe's face mesh (Apache-2.0; tools/head/trunk.py reads them out of its wheel), which learnt on
photos: what they answer to renders and to photos is alike. 10 ms on one core.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8

Trunk = Mapping[str, Float32[np.ndarray, "*S"]]
"""Of the stem and of every block: kernel, bias, mixing matrix with its bias, slope below zero."""
SIDE_PX: Final = 192
# Which blocks halve the picture.
STRIDES: Final = (1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1)
# The last block at 12^2.
_MIDDLE: Final = 10
# Of 6 x 6 cells those that show the face. Round them are hair, collar and background, which renders lack.
_FACE: Final = slice(1, 5)


def run_trunk(trunk: Trunk, square: UInt8[np.ndarray, "192 192 3"]) -> Float32[np.ndarray, "F"]:
    """The layer at 12^2, its cells averaged two by two, then the one at 6^2: of each 4 x 4 x 128 on the face."""
    x = square.astype(np.float32) / np.float32(255)
    x = _bent(_halving(x, trunk["stem.kernel"]) + trunk["stem.bias"], trunk["stem.slope"])
    middle = x
    for number, stride in enumerate(STRIDES):
        x = _block(trunk, f"block.{number}", x, stride)
        if number == _MIDDLE:
            middle = _paired(x).mean((1, 3))
    return np.concatenate([layer[_FACE, _FACE].ravel() for layer in (middle, x)])


def _block(trunk: Trunk, name: str, x: Float32[np.ndarray, "H W C"], stride: int) -> Float32[np.ndarray, "h w D"]:
    """Depthwise 3 x 3 and 1 x 1, on top of the input: its maxima where it is halved, nothing in new channels."""
    kernel = trunk[f"{name}.kernel"]
    height, width = x.shape[0] // stride, x.shape[1] // stride
    padded = _padded(x, stride)
    own = np.tile(trunk[f"{name}.bias"], (height, width, 1))
    for k in range(9):
        dy, dx = divmod(k, 3)
        own += padded[dy : dy + stride * height : stride, dx : dx + stride * width : stride] * kernel[dy, dx]
    made = own @ trunk[f"{name}.mix"] + trunk[f"{name}.mix_bias"]
    made[..., : x.shape[2]] += x if stride == 1 else _paired(x).max((1, 3))
    return _bent(made, trunk[f"{name}.slope"])


def _halving(x: Float32[np.ndarray, "H W C"], kernel: Float32[np.ndarray, "3 3 C D"]) -> Float32[np.ndarray, "h w D"]:
    """3 x 3 at every second pixel."""
    height, width = x.shape[0] // 2, x.shape[1] // 2
    padded = _padded(x, 2)
    made = np.zeros((height, width, kernel.shape[3]), np.float32)
    for k in range(9):
        dy, dx = divmod(k, 3)
        made += padded[dy : dy + 2 * height : 2, dx : dx + 2 * width : 2] @ kernel[dy, dx]
    return made


def _padded(x: Float32[np.ndarray, "H W C"], stride: int) -> Float32[np.ndarray, "h w C"]:
    """TensorFlow's "same": at every second pixel of an even picture, zeros only beyond the far edges."""
    near = 1 if stride == 1 else 0
    return np.pad(x, ((near, 1), (near, 1), (0, 0)))


def _paired(x: Float32[np.ndarray, "H W C"]) -> Float32[np.ndarray, "h 2 w 2 C"]:
    """Cells two by two."""
    height, width, channels = x.shape
    return x.reshape(height // 2, 2, width // 2, 2, channels)


def _bent(x: Float32[np.ndarray, "H W C"], slope: Float32[np.ndarray, "C"]) -> Float32[np.ndarray, "H W C"]:
    """PReLU."""
    return np.maximum(x, 0) + slope * np.minimum(x, 0)
