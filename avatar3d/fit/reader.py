"""Reads expressions: a face laid on its neutral becomes the weights of 51 ARKit shapes, by a small net of our own.

luma and colour of the face, and what differs from the neutral, 144 x 128 --5 convolutions--> 9 x 8 x 32 --+
landmarks moved since the neutral --80 components-------------------------------------------------------+--> weights
how far the head is turned, 2 -------------------------------------------------------------------------+

What it answers to the neutral itself is taken off, so that a calm face is exactly zero. It was trained on pictures of
avatars whose weights are known (tools/follow). tongueOut is not read.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from importlib import resources
from typing import Final

import numpy as np
from jaxtyping import Float32
from numpy.lib.stride_tricks import sliding_window_view
from safetensors.numpy import load as load_tensors

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.errors import ModelMissingError, ModelUntrustedError
from avatar3d.fit.neutral import Laid, Neutral, lean_of

Reader = Mapping[str, Float32[np.ndarray, "*S"]]
"""Weights: of every layer its kernel and bias; the components of moved landmarks."""
SHAPES: Final = 51
STRIDES: Final = (2, 2, 2, 1, 2, 1)
"""Of the convolutions."""
GAIN, DIFFERENCE_GAIN, LEAN_GAIN = 2.0, 4.0, 3.0
_FLIP: Final = np.array([-1, 1], np.float32)
OTHER_SIDE: Final = np.array([
    ARKIT_INDEX[name[:-4] + "Right"] if name.endswith("Left")
    else ARKIT_INDEX[name[:-5] + "Left"] if name.endswith("Right") else index
    for index, name in enumerate(ARKIT_NAMES[:SHAPES])
])  # fmt: skip
"""Which shape is the other side's."""


def answer(reader: Reader, neutral: Neutral, laid: Laid) -> Float32[np.ndarray, "51"]:
    """The net's answer, not yet held against the one to the neutral: the mean over the face and its mirror image."""
    face = seen_by_net(neutral.picture, laid.picture, neutral.mask)
    moved = laid.moved.reshape(-1).astype(np.float32)
    lean = (lean_of(laid.camera) * LEAN_GAIN).astype(np.float32)
    straight = _run(reader, face, np.concatenate([moved @ reader["landmarks.components"], lean]))
    flipped = np.ascontiguousarray(face[:, ::-1])
    mirrored = _run(reader, flipped, np.concatenate([moved @ reader["landmarks.mirrored"], lean * _FLIP]))
    return (straight + mirrored[OTHER_SIDE]) / 2


def _run(
    reader: Reader, x: Float32[np.ndarray, "H W C"], landmarks: Float32[np.ndarray, "K"]
) -> Float32[np.ndarray, "51"]:
    for number, stride in enumerate(STRIDES):
        x = np.maximum(convolved(x, reader[f"conv{number}.kernel"], stride) + reader[f"conv{number}.bias"], 0)
    both = np.concatenate([x.transpose(2, 0, 1).reshape(-1), landmarks])
    hidden = np.maximum(both @ reader["hidden.kernel"] + reader["hidden.bias"], 0)
    return hidden @ reader["out.kernel"] + reader["out.bias"] + landmarks @ reader["direct.kernel"]


def seen_by_net(
    neutral: Float32[np.ndarray, "2 144 128"],
    picture: Float32[np.ndarray, "2 144 128"],
    mask: Float32[np.ndarray, "144 128"],
) -> Float32[np.ndarray, "144 128 4"]:
    """The face and its difference from the neutral, in parts of the neutral's mean luma; nothing beside the face."""
    mean = (neutral[0] * mask).sum() / mask.sum()
    face, difference = picture / mean, (picture - neutral) / mean
    face[0] -= 1
    return np.ascontiguousarray((np.concatenate([face * GAIN, difference * DIFFERENCE_GAIN]) * mask).transpose(1, 2, 0))


def convolved(
    x: Float32[np.ndarray, "H W C"], kernel: Float32[np.ndarray, "K K C D"], stride: int
) -> Float32[np.ndarray, "h w D"]:
    """Odd squares, zeros beyond the edges."""
    size = kernel.shape[0]
    pad = size // 2
    padded = np.pad(x, ((pad, pad), (pad, pad), (0, 0)))
    windows = sliding_window_view(padded, (size, size, x.shape[2]))[::stride, ::stride, 0]
    height, width = windows.shape[:2]
    rows = windows.reshape(height * width, -1)
    return (rows @ kernel.reshape(-1, kernel.shape[3])).reshape(height, width, -1)


@lru_cache(maxsize=1)
def load_reader() -> Reader:
    """The shipped weights. Raises ModelMissingError (20) or ModelUntrustedError (21)."""
    folder = resources.files("avatar3d.fit") / "data"
    try:
        bill = json.loads((folder / "reader.json").read_text(encoding="utf-8"))
        stored = (folder / "reader.safetensors").read_bytes()
    except FileNotFoundError as cause:
        raise ModelMissingError(
            "The weights that read expressions are not in this installation.", hint="Install avatar3d again."
        ) from cause
    if sha256(stored).hexdigest() != bill["sha256"]:
        raise ModelUntrustedError(
            "The weights that read expressions are not those that reader.json names.", hint="Install avatar3d again."
        )
    return {name: np.asarray(tensor, np.float32) for name, tensor in load_tensors(stored).items()}
