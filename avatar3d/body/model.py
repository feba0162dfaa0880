"""The body model from its file: hash and licence checked, half-precision forms widened.

body.json (bill of materials: sha256, licence, sources) --> body.safetensors --> BodyModel
"""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Int32
from safetensors import SafetensorError, deserialize

from avatar3d.core.errors import ModelMissingError, ModelUntrustedError

_FOLDER: Final = Path(__file__).parent / "data"
_HINT: Final = "Install avatar3d again, or build the body: python -m tools.build_body"
_DTYPES: Final = {"F16": np.float16, "F32": np.float32, "I32": np.int32, "U8": np.uint8}


@dataclass(frozen=True, eq=False)
class Garment:
    """A piece of clothing as a sheet over the body's surface: every vertex is a mean of a few of the body's."""

    name: str
    vertices: Int32[np.ndarray, "G K"]
    """Of the body, unused slots 0 ..."""
    shares: Float32[np.ndarray, "G K"]
    """... with share 0; they sum to 1."""
    triangles: Int32[np.ndarray, "T 3"]
    uvs: Float32[np.ndarray, "G 2"]
    """In the garment's own picture."""
    welded: Int32[np.ndarray, "G"]
    """The first of the vertices that lie in the same place: they differ in their UVs."""
    depth_m: Float32[np.ndarray, "G"]
    """How far inside the nearest hem, on the mean body; 0 on hems."""
    hem: Int32[np.ndarray, "G"]
    """The nearest one."""


@dataclass(frozen=True, eq=False)
class BodyModel:
    """Adult bodies as a multilinear model, and what they wear; metres, +Y up, to +Z, arms half lowered as modelled.

    The last rows of the vertices are the head model's own (`head_vertex` >= 0): the cut ring, which both surfaces share,
    and the neck and bust above it, by which body and head find each other.
    """

    licence: str
    mean: Float32[np.ndarray, "V 3"]
    form_names: tuple[str, ...]
    forms: Float32[np.ndarray, "C V 3"]
    """What each corner of sex, age, muscle and weight differs from the mean by."""
    joints: Float32[np.ndarray, "C N 3"]
    """In the same corners: joints in the order of BODY_JOINTS, then the ends of left thumb to little finger and of the
    right hand's."""
    triangles: Int32[np.ndarray, "F 3"]
    """From the ring down."""
    triangle_uvs: Int32[np.ndarray, "F 3"]
    uvs: Float32[np.ndarray, "T 2"]
    """Of the skin's picture."""
    skin_joints: Int32[np.ndarray, "V 4"]
    """Into BODY_JOINTS."""
    skin_weights: Float32[np.ndarray, "V 4"]
    head_vertex: Int32[np.ndarray, "V"]
    """The head model's vertex; -1 for those of the body alone."""
    below_neck: Float32[np.ndarray, "V"]
    """Of the head's vertices: 1 on the ring, where the body's shape counts, 0 on the neck, where the head's does."""
    covered_m: Float32[np.ndarray, "V"]
    """How deep under clothes a vertex lies, from neckline and sleeves in, on the mean body: below 0 it is bare."""
    garments: tuple[Garment, ...]


@lru_cache(maxsize=1)
def load_body_model(folder: Path = _FOLDER) -> BodyModel:
    """Read the body in `folder`.

    Raises ModelMissingError (20) when a file is absent, ModelUntrustedError (21) when the bytes are not those of the
    bill of materials or carry no licence.
    """
    notes, arrays = _read(folder)
    return BodyModel(
        licence=notes["licence"],
        mean=arrays["mean"],
        form_names=tuple(notes["form_names"]),
        forms=arrays["forms_mm"].astype(np.float32) * np.float32(0.001),
        joints=arrays["joints"],
        triangles=arrays["triangles"],
        triangle_uvs=arrays["triangle_uvs"],
        uvs=arrays["uvs"],
        skin_joints=arrays["skin_joints"].astype(np.int32),
        skin_weights=arrays["skin_weights"],
        head_vertex=arrays["head_vertex"],
        below_neck=arrays["below_neck"],
        covered_m=arrays["covered_m"],
        garments=tuple(_garment(name, arrays) for name in notes["garments"]),
    )


def _garment(name: str, arrays: dict[str, Any]) -> Garment:
    return Garment(
        name,
        arrays[f"{name}.vertices"],
        arrays[f"{name}.shares"],
        arrays[f"{name}.triangles"],
        arrays[f"{name}.uvs"],
        arrays[f"{name}.welded"],
        arrays[f"{name}.depth_m"],
        arrays[f"{name}.hem"],
    )


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the file says of itself, and its arrays."""
    listed, path = folder / "body.json", folder / "body.safetensors"
    for file in (listed, path):
        if not file.is_file():
            raise ModelMissingError(f"expected the body model at {file}.", hint=_HINT, file=file)
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    try:
        expected = str(json.loads(listed.read_text(encoding="utf-8"))["sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelUntrustedError(
            f"the body's bill of materials names no sha256 ({error}).", hint=_HINT, file=listed
        ) from error
    if found != expected:
        raise ModelUntrustedError(
            f"expected a body model with sha256 {expected}, found {found}.", hint=_HINT, file=path
        )
    try:
        tensors = deserialize(content)
    except SafetensorError as error:
        raise ModelUntrustedError(f"the body model is no safetensors file: {error}.", hint=_HINT, file=path) from error
    length = int.from_bytes(content[:8], "little")
    notes = json.loads(json.loads(content[8 : 8 + length]).get("__metadata__", {}).get("body", "{}"))
    if not notes.get("licence"):
        raise ModelUntrustedError("expected a licence line in the body model, found none.", hint=_HINT, file=path)
    arrays = {
        name: np.frombuffer(tensor["data"], _DTYPES[tensor["dtype"]]).reshape(tensor["shape"])
        for name, tensor in tensors
    }
    return notes, arrays
