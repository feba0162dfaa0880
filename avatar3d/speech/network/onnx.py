"""The streaming step as an ONNX graph, for engines that cannot carry Python: the one door to the package onnx.

    samples [S 320], past [S 240], level [S], memory [S 60 192], drawn [S 19]
        --> weights [S 52] with sealed lips, tongue [S 4], voice [S], phones [S 48], loudness [S]
        --> next_past, next_level, next_memory, next_drawn               to be given back with the next 20 ms

Before the first step past and drawn are zeros, level is `level_at_start` of the file's metadata, and the memory is that after
`silent_steps` steps of zeros which began with a memory of zeros. The weights hold for `lookahead_s` before the end of the samples.
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES, TONGUE_NAMES
from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import MissingExtraError
from avatar3d.speech import lips
from avatar3d.speech.coarticulate import phone_pulls, spread_matrix
from avatar3d.speech.network import features as ears
from avatar3d.speech.network.model import (
    CLOSED,
    DILATIONS,
    DRAWN,
    FROM_BEFORE,
    FROM_PHONES,
    HAZE,
    KERNEL,
    LOOKAHEAD_S,
    MEMORY,
    SILENT_STEPS,
    TUCKED,
    VOICE,
    WIDTH,
    Network,
    lip_phones,
)
from avatar3d.speech.phones import PHONES

OPSET: Final = 17
_IR_VERSION: Final = 8
"""Of onnx 1.12, the first with opset 17: older runtimes read it too."""


class _Graph:
    """Nodes in order; every value is named by its node."""

    def __init__(self) -> None:
        try:
            import onnx  # noqa: PLC0415  an extra
        except ImportError as cause:
            raise MissingExtraError("onnx", "onnx", "Exporting the speech network") from cause
        self.onnx: Any = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, kind: type = np.float32) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def add(self, operation: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        output = name or f"{operation.lower()}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operation, list(inputs), [output], **attributes))
        return output

    def cut(self, value: str, axis: int, start: int, end: int) -> str:
        return self.add("Slice", value, *(self.constant([each], np.int64) for each in (start, end, axis)))

    def at(self, value: str, axis: int, index: int) -> str:
        return self.add("Gather", value, self.constant(index, np.int64), axis=axis)

    def column(self, value: str) -> str:
        """[S] to [S 1]."""
        return self.add("Unsqueeze", value, self.constant([1], np.int64))

    def linear(self, value: str, weight: Float32[np.ndarray, "I O"], bias: Float32[np.ndarray, "O"]) -> str:
        return self.add("Add", self.add("MatMul", value, self.constant(weight)), self.constant(bias))

    def blend(self, share: str, value: str, towards: str) -> str:
        """value + share (towards - value)."""
        return self.add("Add", value, self.add("Mul", share, self.add("Sub", towards, value)))


def export_onnx(network: Network, path: Path) -> Path:
    """Write the step as PATH. Raises MissingExtraError without the extra `onnx`."""
    graph = _Graph()
    heard, loudness, level, past = _hear(graph)
    answers, memory = _answer(graph, network, heard)
    phones = graph.add("Softmax", graph.cut(answers, 1, VOICE + 1, VOICE + 1 + len(PHONES)), axis=1)
    voice = graph.add("Sigmoid", graph.at(answers, 1, VOICE))
    drawn = _draw(graph, network, answers, phones)
    weights, tongue = _mouth(graph, graph.blend(graph.constant(FROM_BEFORE), drawn, "drawn"))
    named = {
        "weights": (weights, ["S", len(ARKIT_NAMES)]), "tongue": (tongue, ["S", len(TONGUE_NAMES)]), "voice": (voice, ["S"]),
        "phones": (phones, ["S", len(PHONES)]), "loudness": (loudness, ["S"]), "next_past": (past, ["S", ears.PAST]),
        "next_level": (level, ["S"]), "next_memory": (memory, ["S", MEMORY, WIDTH]), "next_drawn": (drawn, ["S", DRAWN]),
    }  # fmt: skip
    given = {
        "samples": ["S", ears.STEP], "past": ["S", ears.PAST], "level": ["S"], "memory": ["S", MEMORY, WIDTH],
        "drawn": ["S", DRAWN],
    }  # fmt: skip
    for name, (value, _) in named.items():
        graph.add("Identity", value, name=name)
    helper = graph.onnx.helper
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "avatar3d_speech_step",
            [helper.make_tensor_value_info(name, graph.onnx.TensorProto.FLOAT, shape) for name, shape in given.items()],
            [
                helper.make_tensor_value_info(name, graph.onnx.TensorProto.FLOAT, shape)
                for name, (_, shape) in named.items()
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        producer_name="avatar3d",
    )
    told = {
        "rate_hz": ears.RATE_HZ, "step": ears.STEP, "lookahead_s": LOOKAHEAD_S, "level_at_start": ears.LEVEL_AT_START,
        "silent_steps": SILENT_STEPS,
        "weights": list(ARKIT_NAMES), "tongue": list(TONGUE_NAMES), "phones": list(PHONES), "licence": "Apache-2.0",
    }  # fmt: skip
    helper.set_model_props(
        model,
        {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in told.items()
        },
    )
    graph.onnx.checker.check_model(model)
    return write_atomically(path, model.SerializeToString())


def _hear(graph: _Graph) -> tuple[str, str, str, str]:
    """Features, loudness, next level, next past; see speech/network/features.py."""
    floor = graph.constant(ears.FLOOR)
    ten = graph.constant(10 / np.log(10))

    def decibels(power: str) -> str:
        return graph.add("Mul", graph.add("Log", graph.add("Add", power, floor)), ten)

    joined = graph.add("Concat", "past", "samples", axis=1)
    dft, mel = graph.constant(ears.dft_matrix()), graph.constant(ears.mel_matrix())
    bins = ears.mel_matrix().shape[0]
    bands: list[str] = []
    for at in (0, ears.HOP):
        spectrum = graph.add("MatMul", graph.cut(joined, 1, at, at + ears.WINDOW), dft)
        real, imaginary = graph.cut(spectrum, 1, 0, bins), graph.cut(spectrum, 1, bins, 2 * bins)
        power = graph.add("Add", graph.add("Mul", real, real), graph.add("Mul", imaginary, imaginary))
        bands.append(decibels(graph.add("MatMul", power, mel)))
    loudness = decibels(graph.add("ReduceMean", graph.add("Mul", "samples", "samples"), axes=[1], keepdims=0))
    louder = graph.add("Sub", loudness, "level")
    up = graph.add("Add", "level", graph.add("Mul", louder, graph.constant(ears.RISE)))
    down = graph.add("Max", graph.add("Sub", "level", graph.constant(ears.FALL_DB)), loudness)
    moved = graph.add("Where", graph.add("Greater", loudness, "level"), up, down)
    level = graph.add("Max", moved, graph.constant(ears.LEVEL_FLOOR_DB))
    column = graph.column(level)
    told = [
        graph.add("Max", graph.add("Div", graph.add("Sub", each, column), graph.constant(ears.SCALE_DB)), graph.constant(ears.QUIETEST))
        for each in bands
    ]  # fmt: skip
    means = [graph.add("ReduceMean", each, axes=[1], keepdims=1) for each in told]
    features = graph.add("Concat", *told, *means, axis=1)
    return features, loudness, level, graph.cut(joined, 1, ears.STEP, ears.STEP + ears.PAST)


def _answer(graph: _Graph, network: Network, heard: str) -> tuple[str, str]:
    """Answers and next memory; see model.answer."""
    now = graph.add("Relu", graph.linear(heard, network["in.weight"], network["in.bias"]))
    remembered: list[str] = []
    at = 0
    for block, dilation in enumerate(DILATIONS):
        span = (KERNEL - 1) * dilation
        past = graph.cut("memory", 1, at, at + span)
        taps = graph.add("Concat", graph.at(past, 1, 0), graph.at(past, 1, dilation), now, axis=1)
        newest = graph.add("Unsqueeze", now, graph.constant([1], np.int64))
        remembered.append(graph.add("Concat", graph.cut(past, 1, 1, span), newest, axis=1))
        inner = graph.add(
            "Relu", graph.linear(taps, network[f"block{block}.in.weight"], network[f"block{block}.in.bias"])
        )
        out = graph.add("MatMul", inner, graph.constant(network[f"block{block}.out.weight"]))
        now = graph.add("Add", graph.add("Add", now, out), graph.constant(network[f"block{block}.out.bias"]))
        at += span
    hidden = graph.add("Relu", graph.linear(now, network["hidden.weight"], network["hidden.bias"]))
    return graph.linear(hidden, network["out.weight"], network["out.bias"]), graph.add("Concat", *remembered, axis=1)


def _draw(graph: _Graph, network: Network, answers: str, phones: str) -> str:
    """Controls, closed and tucked; see model.draw."""
    zero, one = graph.constant(0.0), graph.constant(1.0)
    targets, pulls = phone_pulls()
    phones = graph.add("Relu", graph.add("Sub", phones, graph.constant(HAZE)))
    wanted = graph.add("MatMul", phones, graph.constant(targets * pulls))
    asked = graph.add("Div", wanted, graph.add("MatMul", phones, graph.constant(pulls)))
    controls = graph.blend(graph.constant(FROM_PHONES), graph.cut(answers, 1, 0, CLOSED), asked)

    told = graph.add("MatMul", phones, graph.constant(lip_phones()))
    both = graph.add("Sqrt", graph.add("Mul", graph.add("Sigmoid", graph.cut(answers, 1, CLOSED, VOICE)), told))

    def opened(index: int, begins: float, full: float) -> str:
        gate = graph.cut(both, 1, index - CLOSED, index - CLOSED + 1)
        way = graph.add("Div", graph.add("Sub", gate, graph.constant(begins)), graph.constant(full - begins))
        way = graph.add("Clip", way, zero, one)
        rest = graph.add("Sub", graph.constant(3.0), graph.add("Mul", graph.constant(2.0), way))
        return graph.add("Mul", graph.add("Mul", way, way), rest)

    closed = opened(CLOSED, network.closed_from, network.closed_to)
    tucked = opened(TUCKED, network.tucked_from, network.tucked_to)
    return graph.add("Concat", graph.add("Clip", controls, zero, one), closed, tucked, axis=1)


def _mouth(graph: _Graph, eased: str) -> tuple[str, str]:
    """Weights with sealed lips, and tongue; see lips.seal."""
    controls, matrix = graph.cut(eased, 1, 0, CLOSED), spread_matrix()
    weights = graph.add("MatMul", controls, graph.constant(matrix[:, : len(ARKIT_NAMES)]))
    weights = graph.add("Min", weights, graph.constant(1.0))
    tongue = graph.add("MatMul", controls, graph.constant(matrix[:, len(ARKIT_NAMES) :]))
    closed, tucked = (graph.cut(eased, 1, at, at + 1) for at in (CLOSED, TUCKED))
    return _seal(graph, weights, closed, tucked), tongue


def _seal(graph: _Graph, weights: str, closed: str, tucked: str) -> str:
    table = lips.seal_table()
    one = graph.constant(1.0)
    tuck = graph.add("Mul", tucked, graph.add("Sub", one, closed))
    kept = graph.add("Sub", one, graph.add("Mul", tuck, graph.constant(1 - table.tuck_keeps)))
    value = graph.add("Mul", weights, kept)
    value = graph.blend(tuck, value, graph.add("Min", value, graph.constant(table.tuck_at_most)))
    towards = graph.add(
        "Add", graph.add("Mul", value, graph.constant(1 - table.tuck_sets)), graph.constant(table.tuck_to)
    )
    value = graph.blend(tuck, value, towards)
    value = graph.add("Max", value, graph.add("Mul", tuck, graph.constant(table.tuck_at_least)))
    value = graph.add("Mul", value, graph.add("Sub", one, graph.add("Mul", closed, graph.constant(table.closed_takes))))
    value = graph.add("Max", value, graph.add("Mul", closed, graph.constant(table.closed_at_least)))
    close = np.zeros(len(ARKIT_NAMES), np.float32)
    close[ARKIT_INDEX["mouthClose"]] = 1
    open_gap = graph.add(
        "MatMul", graph.add("Mul", value, graph.constant(1 - close)), graph.constant(table.close_per_gap[:, None])
    )
    jaw = graph.cut(value, 1, ARKIT_INDEX["jawOpen"], ARKIT_INDEX["jawOpen"] + 1)
    whole = graph.add("Clip", graph.add("Max", open_gap, jaw), graph.constant(0.0), one)
    share = graph.add("Mul", closed, graph.constant(close))
    return graph.blend(share, value, whole)
