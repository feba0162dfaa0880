"""The lower layers of MediaPipe's face mesh, read out of the file in its wheel (TensorFlow Lite, a flatbuffer).

Only what this one file needs of the format: operators in order, tensors, buffers; weights are stored in half precision
and widened by DEQUANTIZE. https://github.com/tensorflow/tensorflow/blob/master/tensorflow/lite/schema/schema.fbs
"""

import struct
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from avatar3d.fit.trunk import STRIDES

# Fields of the schema's tables.
_MODEL_CODES, _MODEL_SUBGRAPHS, _MODEL_BUFFERS = 1, 2, 4
_GRAPH_TENSORS, _GRAPH_OPERATORS = 0, 3
_TENSOR_SHAPE, _TENSOR_BUFFER = 0, 2
_OPERATOR_CODE, _OPERATOR_INPUTS, _OPERATOR_OUTPUTS = 0, 1, 2
_CONV, _DEPTHWISE, _DEQUANTIZE, _PRELU = 3, 4, 6, 54


@dataclass(frozen=True)
class Table:
    """One table of a flatbuffer."""

    content: bytes
    place: int

    def field(self, number: int) -> int:
        """Where a field lies; 0 when it is absent."""
        names = self.place - self._read("<i", self.place)
        entry = 4 + 2 * number
        found = self._read("<H", names + entry) if entry < self._read("<H", names) else 0
        return self.place + found if found else 0

    def integer(self, number: int) -> int:
        """A number; 0 when it is absent."""
        return self._read("<I", self.field(number)) if self.field(number) else 0

    def vector(self, number: int) -> tuple[int, int]:
        """First element's place and length."""
        place = self.field(number)
        if not place:
            return 0, 0
        place += self._read("<I", place)
        return place + 4, self._read("<I", place)

    def integers(self, number: int) -> list[int]:
        """A vector of numbers."""
        first, count = self.vector(number)
        return list(struct.unpack_from(f"<{count}i", self.content, first))

    def tables(self, number: int) -> "list[Table]":
        """A vector of tables."""
        first, count = self.vector(number)
        places = range(first, first + 4 * count, 4)
        return [Table(self.content, place + self._read("<I", place)) for place in places]

    def _read(self, how: str, place: int) -> int:
        return struct.unpack_from(how, self.content, place)[0]


def mesh_file() -> Path:
    """MediaPipe's face mesh without attention."""
    return Path(str(import_module("mediapipe").__file__)).parent / "modules/face_landmark/face_landmark.tflite"


def read_trunk(content: bytes) -> dict[str, Float32[np.ndarray, "*S"]]:
    """Stem and blocks as fit/trunk.py names them."""
    model = Table(content, struct.unpack_from("<I", content, 0)[0])
    graph, buffers = model.tables(_MODEL_SUBGRAPHS)[0], model.tables(_MODEL_BUFFERS)
    tensors = graph.tables(_GRAPH_TENSORS)
    codes = [code.content[code.field(0)] if code.field(0) else 0 for code in model.tables(_MODEL_CODES)]
    widened: dict[int, np.ndarray] = {}
    steps: list[tuple[int, list[np.ndarray]]] = []
    for operator in graph.tables(_GRAPH_OPERATORS):
        kind = codes[operator.integer(_OPERATOR_CODE)]
        inputs = operator.integers(_OPERATOR_INPUTS)
        if kind == _DEQUANTIZE:
            tensor = tensors[inputs[0]]
            first, count = buffers[tensor.integer(_TENSOR_BUFFER)].vector(0)
            values = np.frombuffer(content, np.float16, count // 2, first).astype(np.float32)
            widened[operator.integers(_OPERATOR_OUTPUTS)[0]] = values.reshape(tensor.integers(_TENSOR_SHAPE))
        elif kind in (_CONV, _DEPTHWISE, _PRELU):
            steps.append((kind, [widened[number] for number in inputs if number in widened]))
    return _named(steps)


def _named(steps: list[tuple[int, list[np.ndarray]]]) -> dict[str, Float32[np.ndarray, "*S"]]:
    """Stem: convolution, PReLU; then blocks of depthwise, mixing, PReLU."""
    names = {_DEPTHWISE: ("kernel", "bias"), _CONV: ("mix", "mix_bias"), _PRELU: ("slope",)}
    (_, (kernel, bias)), (_, (slope,)), *rest = steps
    trunk = {"stem.kernel": kernel.transpose(1, 2, 3, 0), "stem.bias": bias, "stem.slope": slope.ravel()}
    for number in range(len(STRIDES)):
        for kind, weights in rest[3 * number : 3 * number + 3]:
            for name, value in zip(names[kind], weights, strict=True):
                shaped = value[0] if name == "kernel" else value[:, 0, 0].T if name == "mix" else value.ravel()
                trunk[f"block.{number}.{name}"] = shaped
    return {name: np.ascontiguousarray(value) for name, value in trunk.items()}
