"""Stands for Unity's inference engine: python answer_onnx.py FILE.onnx; tensors on stdin, as RunSpeech.cs writes them, answers on stdout."""

import math
import struct
import sys
from typing import BinaryIO, Final

import numpy as np
import onnxruntime

GIVEN: Final = ("samples", "past", "level", "memory", "drawn")
TOLD: Final = ("weights", "loudness", "next_past", "next_level", "next_memory", "next_drawn")


def read(stream: BinaryIO) -> np.ndarray | None:
    """The next tensor; None at the end."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    shape = struct.unpack(f"<{struct.unpack('<i', head)[0]}i", stream.read(4 * struct.unpack("<i", head)[0]))
    return np.frombuffer(stream.read(4 * math.prod(shape)), "<f4").reshape(shape)


def main() -> None:
    session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
    while (first := read(sys.stdin.buffer)) is not None:
        given = {GIVEN[0]: first} | {name: read(sys.stdin.buffer) for name in GIVEN[1:]}
        for answer in session.run(list(TOLD), given):
            values = np.asarray(answer, "<f4").ravel()
            sys.stdout.buffer.write(struct.pack("<i", len(values)) + values.tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
