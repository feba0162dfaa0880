"""Reading what a VRM says without trusting its types, and rules as functions that name what breaks them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

import numpy as np
from jaxtyping import Float64

from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.formats.glb import GlbDocument, Json, is_index

Faults = Iterator[tuple[str, str]]
"""Where, and what is wrong there."""


@dataclass(frozen=True)
class Rule:
    """One thing that a specification asks for."""

    name: str
    section: str
    """Where it says so."""
    faults: Callable[[GlbDocument, Json], Faults]
    """Of the document and its VRM extension."""
    level: Literal["fail", "warn"] = "fail"


def record(value: object) -> Json:
    """A JSON object; an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def records(value: object) -> list[Json]:
    """The objects of a JSON array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def values(value: object) -> list[Any]:
    """A JSON array."""
    return value if isinstance(value, list) else []


def is_number(value: object) -> TypeGuard[float]:
    """A JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def within(value: object, low: float, high: float = float("inf")) -> bool:
    """Whether it is a number from low to high."""
    return is_number(value) and low <= value <= high


def place_of(value: object) -> bool:
    """Whether it is three numbers."""
    given = values(value)
    return len(given) == 3 and all(map(is_number, given))


def short(value: object) -> str:
    """A value as a sentence can hold it."""
    return repr(value)[:50]


def at(document: GlbDocument, key: str, index: object) -> Json | None:
    """An item of a top-level array; None when there is none."""
    found = document.items(key)
    return found[index] if is_index(index) and index < len(found) else None


def targets_of_mesh(document: GlbDocument, mesh: object) -> int | None:
    """How many morph targets a mesh has; None for no mesh."""
    found = at(document, "meshes", mesh)
    primitives = records(found.get("primitives")) if found is not None else []
    return len(values(primitives[0].get("targets"))) if primitives else None if found is None else 0


def parents_of_nodes(document: GlbDocument) -> dict[int, int]:
    """Node: its parent. The strict reader has made sure that it is a tree."""
    return {
        child: index for index, node in enumerate(document.items("nodes")) for child in values(node.get("children"))
    }


def node_places(document: GlbDocument) -> Float64[np.ndarray, "N 3"]:
    """Where each node is in the scene at rest; a malformed transform counts as none."""
    nodes, parents = document.items("nodes"), parents_of_nodes(document)
    world: dict[int, Float64[np.ndarray, "4 4"]] = {}
    waiting = [index for index in range(len(nodes)) if index not in parents]
    for index in waiting:  # grows while it is walked: parents first
        above = world[parents[index]] if index in parents else np.eye(4)
        world[index] = above @ _local(nodes[index])
        waiting.extend(values(nodes[index].get("children")))
    return np.stack([world[index][:3, 3] for index in range(len(nodes))]) if nodes else np.zeros((0, 3))


def _local(node: Json) -> Float64[np.ndarray, "4 4"]:
    if "matrix" in node:
        return _numbers(node, "matrix", [float(value) for value in np.eye(4).ravel()]).reshape(4, 4).T
    x, y, z, w = _numbers(node, "rotation", [0, 0, 0, 1])
    made = np.eye(4)
    turned = np.array([w, x, y, z], np.float32) if w or x or y or z else np.array([1, 0, 0, 0], np.float32)
    made[:3, :3] = matrix_from_quaternion(turned) * _numbers(node, "scale", [1, 1, 1])
    made[:3, 3] = _numbers(node, "translation", [0, 0, 0])
    return made


def _numbers(node: Json, key: str, otherwise: list[float]) -> Float64[np.ndarray, "N"]:
    given = values(node.get(key))
    fits = len(given) == len(otherwise) and all(is_number(value) and abs(value) < 1e6 for value in given)
    return np.array(given if fits else otherwise, np.float64)
