"""What other programs call the parts of a face, in ARKit's terms: one JSON file per vocabulary in data/.

    format      "avatar3d-rosetta-1"
    rows        {theirs: {arkit: weight}}: what one of theirs at 1 is
    from        {arkit: {theirs: weight}}: what one of ARKit's at 1 is; null where the nearest is looked for (see convert.py)
    modes       instead of both, for models that have no names: `encode` [E 56], `cross` [56 E], `gram` [56 56]
    error_mm    there and back, measured on our own mean head (tools/measure_rosetta.py); docs/rosetta.md shows it

"ARKit" is here the 52 and our tongue's four, in the order of SHAPES.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float64

from avatar3d.core.blendshapes import ARKIT_NAMES, SHAPE_INDEX, TONGUE_NAMES
from avatar3d.core.errors import UnreadableError, UsageError

FORMAT: Final = "avatar3d-rosetta-1"
SHAPES: Final = (*ARKIT_NAMES, *TONGUE_NAMES)
ARKIT: Final = "arkit"
_FOLDER: Final = Path(__file__).parent / "data"


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """One program's names."""

    name: str
    title: str
    licence: str
    source: str
    """Where names and meanings are from."""
    names: tuple[str, ...]
    decode: Float64[np.ndarray, "56 N"] | None
    """ARKit's weights of each of theirs; None for modes."""
    encode: Float64[np.ndarray, "N 56"] | None
    """Theirs of each of ARKit's; None where the nearest is looked for."""
    gram: Float64[np.ndarray, "56 56"]
    """Products of ARKit's displacements over the vertices, mm²."""
    cross: Float64[np.ndarray, "56 N"] | None = None
    """Products of ARKit's displacements with the modes', mm²."""
    error_mm: Mapping[str, Any] = field(default_factory=dict[str, Any])


def vocabulary_names() -> tuple[str, ...]:
    """Those that are shipped, `arkit` first."""
    return (ARKIT, *sorted(path.stem for path in _FOLDER.glob("*.json") if path.stem != "gram"))


@lru_cache
def vocabulary(name: str) -> Vocabulary:
    """A shipped vocabulary. Raises UsageError (2) for another name."""
    if name == ARKIT:
        return Vocabulary(ARKIT, "ARKit 52", "names: Apple", "ARFaceAnchor.BlendShapeLocation", SHAPES,
                          np.eye(len(SHAPES)), np.eye(len(SHAPES)), own_gram())  # fmt: skip
    if name not in vocabulary_names():
        raise UsageError(
            f"no vocabulary named {name[:40]!r}.",
            hint=f"Choose one of: {', '.join(vocabulary_names())}, or a model you added.",
        )
    return read_vocabulary(_FOLDER / f"{name}.json")


def read_vocabulary(path: Path) -> Vocabulary:
    """A vocabulary's file. Raises UnreadableError (10) for another one."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise ValueError(told["format"])
        return vocabulary_of(told)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableError(
            f'expected a Rosetta table in "{path.name}" ({type(error).__name__}).',
            hint="Install avatar3d again.",
            file=path,
        ) from error


def vocabulary_of(told: Mapping[str, Any]) -> Vocabulary:
    """The vocabulary of a table's JSON. Raises KeyError, ValueError or TypeError for one that is none."""
    names = tuple(str(name) for name in told["names"])
    decode = encode = cross = None
    if "modes" in told:
        encode, cross, gram = (np.array(told["modes"][key], np.float64) for key in ("encode", "cross", "gram"))
        fits = encode.shape == (len(names), len(SHAPES)) and cross.shape == encode.shape[::-1]
        if not fits or gram.shape != (len(SHAPES),) * 2:
            raise ValueError("matrices of other shapes")
    else:
        gram = own_gram()
        at = {name: column for column, name in enumerate(names)}
        decode = np.zeros((len(SHAPES), len(names)))
        for theirs, terms in told["rows"].items():
            for shape, weight in terms.items():
                decode[SHAPE_INDEX[shape], at[theirs]] = weight
        if told["from"] is not None:
            encode = np.zeros((len(names), len(SHAPES)))
            for shape, terms in told["from"].items():
                for theirs, weight in terms.items():
                    encode[at[theirs], SHAPE_INDEX[shape]] = weight
    return Vocabulary(str(told["name"]), str(told["title"]), str(told["licence"]), str(told["source"]), names,
                      decode, encode, gram, cross, told.get("error_mm", {}))  # fmt: skip


@lru_cache
def own_gram() -> Float64[np.ndarray, "56 56"]:
    """Products of our mean head's displacements, mm², SHAPES order: which shapes look alike, and how much each moves."""
    return np.array(json.loads((_FOLDER / "gram.json").read_text(encoding="utf-8"))["gram"], np.float64)
