"""Head models that the user added: converted once, kept in the user's own folder, checked on every load.

    NAME.json          what it is: kind, licence, hashes of the file it came from and of the result, counts, what was carried
    NAME.rosetta       JSON: the model's own expressions in ARKit's terms (rosetta/tables.py), for models that have some
    NAME.safetensors   rest and modes on our own head's topology (or, for ict, its own arrays)

Everything else (triangles, UVs, parts, joints, landmarks) is our own head's, whose hash the bill names.
"""

import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import DiskError, ModelMissingError, ModelUntrustedError, UsageError
from avatar3d.core.head import HeadModel
from avatar3d.head.own import bill_of_materials, load_own

SCHEMA: Final = "avatar3d-head-1"
_NAME: Final = re.compile(r"^[a-z0-9][a-z0-9_-]{0,39}$")
_DTYPES: Final = {"F16": np.float16, "F32": np.float32, "I32": np.int32, "U8": np.uint8}


def models_folder(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where this user's added heads lie; not made yet."""
    if platform == "win32":
        root = Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif platform == "darwin":
        root = Path.home() / "Library" / "Application Support"
    else:
        root = Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return root / "avatar3d" / "models"


def check_name(name: str) -> str:
    """The name when it can be one; else UsageError (2)."""
    if not _NAME.match(name):
        raise UsageError(
            f"expected a name of small letters, digits, - and _, got {name[:40]!r}.",
            hint="For example: flame, flame-2023.",
        )
    return name


def added_names() -> tuple[str, ...]:
    """Sorted; files that are none of ours are passed over."""
    folder = models_folder()
    return (
        tuple(sorted(path.stem for path in folder.glob("*.json") if _NAME.match(path.stem))) if folder.is_dir() else ()
    )


def bill_of(name: str) -> dict[str, Any]:
    """What is known of an added head. Raises ModelMissingError (20), ModelUntrustedError (21)."""
    path = models_folder() / f"{check_name(name)}.json"
    if not path.is_file():
        raise ModelMissingError(
            f"no head {name!r} was added.", hint=f"avatar3d models add {name} FILE --accept-licence", file=path
        )
    try:
        bill = json.loads(path.read_text(encoding="utf-8"))
        if bill["schema"] != SCHEMA:
            raise ValueError(bill["schema"])
        return {**bill, "sha256": str(bill["sha256"]), "licence": str(bill["licence"]), "kind": str(bill["kind"])}
    except (ValueError, KeyError, TypeError) as error:
        raise ModelUntrustedError(
            f"what {path.name} says is not what avatar3d wrote.", hint=_again(name), file=path
        ) from error


def arrays_of(name: str) -> dict[str, np.ndarray]:
    """The arrays of an added head. Raises ModelMissingError (20), ModelUntrustedError (21) when the file was changed."""
    bill = bill_of(name)
    path = models_folder() / f"{name}.safetensors"
    if not path.is_file():
        raise ModelMissingError(f"expected the head {name!r} at {path}.", hint=_again(name), file=path)
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != bill["sha256"]:
        raise ModelUntrustedError(
            f"the head {name!r} was changed on disk: expected sha256 {bill['sha256']}, found {found}.",
            hint=_again(name),
            file=path,
        )
    try:
        return {
            key: np.frombuffer(tensor["data"], _DTYPES[tensor["dtype"]]).reshape(tensor["shape"])
            for key, tensor in deserialize(content)
        }
    except (SafetensorError, KeyError) as error:
        raise ModelUntrustedError(
            f"the head {name!r} is no safetensors file: {error}.", hint=_again(name), file=path
        ) from error


def load_added(name: str) -> HeadModel:
    """An added head on our topology. Raises ModelMissingError (20), ModelUntrustedError (21)."""
    bill, arrays = bill_of(name), arrays_of(name)
    if bill.get("topology_sha256") != bill_of_materials()["sha256"]:
        raise ModelUntrustedError(f"the head {name!r} was made for another version of avatar3d.", hint=_again(name))
    own = load_own()
    return replace(
        own,
        name=name,
        licence=f"{bill['licence']}\n{own.licence}",
        rest=arrays["rest"],
        identity=arrays["identity_mm"].astype(np.float32) * np.float32(0.001),
        expression=arrays["expression_mm"].astype(np.float32) * np.float32(0.001),
    )


def keep(name: str, arrays: Mapping[str, np.ndarray], bill: Mapping[str, Any]) -> dict[str, Any]:
    """Write both files, the bill last; returns the bill with the result's hash. Raises DiskError (40)."""
    whole_arrays = {key: np.ascontiguousarray(array) for key, array in sorted(arrays.items())}
    content = save(whole_arrays, {"licence": str(bill["licence"])})
    folder = models_folder()
    whole = {"schema": SCHEMA, "name": check_name(name), **bill, "sha256": hashlib.sha256(content).hexdigest()}
    write_atomically(folder / f"{name}.safetensors", content)
    write_atomically(folder / f"{name}.json", (json.dumps(whole, indent=1) + "\n").encode())
    return whole


def keep_rosetta(name: str, table: Mapping[str, Any]) -> None:
    """Write the table of the head's own expressions beside it. Raises DiskError (40)."""
    write_atomically(rosetta_file(name), (json.dumps(table) + "\n").encode())


def rosetta_file(name: str) -> Path:
    """Where the table of an added head's own expressions lies, if it has any."""
    return models_folder() / f"{check_name(name)}.rosetta"


def forget(name: str) -> None:
    """Remove an added head. Raises ModelMissingError (20), DiskError (40)."""
    folder = models_folder()
    if not (folder / f"{check_name(name)}.json").is_file():
        bill_of(name)
    try:
        for suffix in (".json", ".safetensors", ".rosetta"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
    except OSError as error:
        raise DiskError(
            f"Cannot remove {name!r}: {error.strerror}.", hint="Choose who may write there.", file=folder
        ) from error


def _again(name: str) -> str:
    return f"Add it again: avatar3d models add {name} FILE --accept-licence"
