"""How far faces are from each other, in mm over the vertices that either of them moves."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.rosetta.convert import there_and_back, to_arkit
from avatar3d.rosetta.tables import FORMAT, SHAPES, Vocabulary, vocabulary_of

_STILL_MM: Final = 0.01
_RIDGE: Final = 1e-4
_AT_A_TIME: Final = 64


@dataclass(frozen=True, eq=False)
class Apart:
    """Per face: over the vertices that move."""

    mean_mm: Float64[np.ndarray, "T"]
    worst_mm: Float64[np.ndarray, "T"]
    rms_mm: Float64[np.ndarray, "T"]
    """Over all vertices, moving or not: a norm, so that it adds up no further than the sum."""

    def of(self, row: int) -> dict[str, float]:
        return {"mean": round(float(self.mean_mm[row]), 4), "worst": round(float(self.worst_mm[row]), 4)}


def apart(
    fields_mm: Float32[np.ndarray, "56 V 3"], meant: Float64[np.ndarray, "T 56"], shown: Float64[np.ndarray, "T 56"]
) -> Apart:
    """Between the faces of these weights; `fields_mm` are the displacements of SHAPES."""
    flat = fields_mm.reshape(len(fields_mm), -1)
    rows: list[np.ndarray] = []
    for k in range(0, len(meant), _AT_A_TIME):
        some = slice(k, k + _AT_A_TIME)
        one, other = ((w[some].astype(np.float32) @ flat).reshape(-1, *fields_mm.shape[1:]) for w in (meant, shown))
        rows.append(_gaps(one, other))
    table = np.concatenate(rows) if rows else np.zeros((0, 3))
    return Apart(*table.T)


def _gaps(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    gap = np.linalg.norm(one - other, axis=2)
    moves = (np.linalg.norm(one, axis=2) > _STILL_MM) | (np.linalg.norm(other, axis=2) > _STILL_MM)
    mean = (gap * moves).sum(1) / np.maximum(moves.sum(1), 1)
    return np.stack([mean, gap.max(1), np.sqrt((gap.astype(np.float64) ** 2).mean(1))], axis=1)


def shape_errors(fields_mm: Float32[np.ndarray, "56 V 3"], other: Vocabulary) -> dict[str, dict[str, float]]:
    """Of each of ARKit's shapes alone at 1, there and back."""
    each = np.eye(len(SHAPES))
    found = apart(fields_mm, each, there_and_back(each, other))
    return {name: found.of(row) for row, name in enumerate(SHAPES)}


def pair_errors(
    fields_mm: Float32[np.ndarray, "56 V 3"], one: Vocabulary, other: Vocabulary, theirs: Float64[np.ndarray, "T N"]
) -> Apart:
    """Between faces told in one vocabulary and the same after a journey through another."""
    meant = to_arkit(theirs, one)
    back = there_and_back(there_and_back(meant, other), one)
    return apart(fields_mm, meant, back)


def table_of_modes(
    name: str, title: str, licence: str, names: tuple[str, ...],
    fields_mm: Float32[np.ndarray, "56 V 3"], modes_mm: Float32[np.ndarray, "E V 3"],
) -> dict[str, Any]:  # fmt: skip
    """The table of a model whose expressions are modes without names, by least squares over the vertices, with its errors."""
    shapes, modes = (field.reshape(len(field), -1).astype(np.float64) for field in (fields_mm, modes_mm))
    inner = modes @ modes.T
    inner += _RIDGE * max(float(np.trace(inner)) / len(inner), 1e-12) * np.eye(len(inner))
    encode = np.linalg.solve(inner, modes @ shapes.T)
    told: dict[str, Any] = {
        "format": FORMAT, "name": name, "title": title, "licence": licence, "names": list(names),
        "source": "least squares over the vertices of this model's mean on our topology",
        "modes": {"encode": _short(encode), "cross": _short(shapes @ modes.T), "gram": _short(shapes @ shapes.T)},
    }  # fmt: skip
    made = vocabulary_of(told)
    shown = (encode.T.astype(np.float32) @ modes.astype(np.float32)).reshape(fields_mm.shape)
    gaps = _gaps(fields_mm, shown)
    told["error_mm"] = {
        "arkit": shape_errors(fields_mm, made),
        "shown": {each: {"mean": round(float(gaps[row, 0]), 4), "worst": round(float(gaps[row, 1]), 4)}
                  for row, each in enumerate(SHAPES)},
    }  # fmt: skip
    return told


def _short(matrix: np.ndarray) -> list[list[float]]:
    """Seven digits are what the displacements know."""
    return [[float(f"{value:.7g}") for value in row] for row in matrix.tolist()]
