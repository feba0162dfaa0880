"""Our own head, from its file: hash and licence checked, half-precision modes widened.

avatar3d.json (bill of materials: sha256, licence, sources) --> avatar3d.safetensors --> HeadModel
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32
from safetensors import SafetensorError, deserialize

from avatar3d.core.errors import ModelMissingError, ModelUntrustedError
from avatar3d.core.head import HeadModel

_FOLDER: Final = Path(__file__).parent / "data"
_HINT: Final = "Install avatar3d again, or build the head: python -m tools.build_head"
_DTYPES: Final = {"F16": np.float16, "F32": np.float32, "I32": np.int32, "U8": np.uint8}


def bill_of_materials(folder: Path = _FOLDER) -> dict[str, Any]:
    """What the file is made of: file, sha256, licence, sources, seed."""
    path = folder / "avatar3d.json"
    if not path.is_file():
        raise ModelMissingError(f"expected the head's bill of materials at {path}.", hint=_HINT, file=path)
    try:
        bill = json.loads(path.read_text(encoding="utf-8"))
        return {"file": str(bill["file"]), "sha256": str(bill["sha256"]), **bill}
    except (ValueError, KeyError, TypeError) as error:
        raise ModelUntrustedError(
            f"the head's bill of materials names no file and sha256 ({error}).", hint=_HINT, file=path
        ) from error


def load_own(folder: Path = _FOLDER) -> HeadModel:
    """Read the head in `folder`.

    Raises ModelMissingError (20) when a file is absent, ModelUntrustedError (21) when the bytes are not those of the
    bill of materials or carry no licence.
    """
    bill = bill_of_materials(folder)
    path = folder / bill["file"]
    if not path.is_file():
        raise ModelMissingError(f"expected the head model at {path}.", hint=_HINT, file=path)
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != bill["sha256"]:
        raise ModelUntrustedError(
            f"expected a head model with sha256 {bill['sha256']}, found {found}.", hint=_HINT, file=path
        )
    notes = _notes(content)
    if not notes.get("licence"):
        raise ModelUntrustedError("expected a licence line in the head model, found none.", hint=_HINT, file=path)
    arrays = _arrays(content, path)
    return HeadModel(
        name=notes["name"],
        licence=notes["licence"],
        rest=arrays["rest"],
        identity=_metres(arrays["identity_mm"]),
        expression=_metres(arrays["expression_mm"]),
        tongue=_of_tongue(_metres(arrays["tongue_mm"]), arrays, notes["part_names"]),
        polygons=arrays["polygons"],
        triangles=arrays["triangles"],
        triangle_uvs=arrays["triangle_uvs"],
        uvs=arrays["uvs"],
        part_names=tuple(notes["part_names"]),
        triangle_parts=arrays["triangle_parts"].astype(np.int32),
        mirror=arrays["mirror"],
        joint_names=tuple(notes["joint_names"]),
        joint_parents=arrays["joint_parents"],
        joint_regressor=arrays["joint_regressor"],
        skin_joints=arrays["skin_joints"].astype(np.int32),
        skin_weights=arrays["skin_weights"],
        landmark_triangles=arrays["landmark_triangles"],
        landmark_barycentric=arrays["landmark_barycentric"],
        landmark_confidence=arrays["landmark_confidence"],
    )


def _notes(content: bytes) -> dict[str, Any]:
    """What the file says of itself: name, licence, part and joint names; the header is a length (u64) and JSON."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8 : 8 + length]).get("__metadata__", {}).get("head", "{}"))


def _arrays(content: bytes, path: Path) -> dict[str, Any]:
    try:
        tensors = deserialize(content)
    except SafetensorError as error:
        raise ModelUntrustedError(f"the head model is no safetensors file: {error}.", hint=_HINT, file=path) from error
    return {
        name: np.frombuffer(tensor["data"], _DTYPES[tensor["dtype"]]).reshape(tensor["shape"])
        for name, tensor in tensors
    }


def _of_tongue(
    poses: Float32[np.ndarray, "P T 3"], arrays: dict[str, Any], part_names: list[str]
) -> Float32[np.ndarray, "P V 3"]:
    """The file holds the tongue's own vertices only."""
    whole = np.zeros((len(poses), len(arrays["rest"]), 3), np.float32)
    whole[:, np.unique(arrays["triangles"][arrays["triangle_parts"] == part_names.index("tongue")])] = poses
    return whole


def _metres(modes_mm: Any) -> Float32[np.ndarray, "K V 3"]:
    """Half-precision millimetres widened to single-precision metres."""
    modes = modes_mm.astype(np.float32)
    modes *= np.float32(0.001)
    return modes
