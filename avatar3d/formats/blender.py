"""Blender as a process of its own: the door through which an edited .blend comes back. bpy itself is never imported here."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from avatar3d.core.errors import Avatar3dError, InputError, LimitError, UnreadableError, UsageError

COMMAND_VARIABLE: Final = "AVATAR3D_BLENDER"
"""A Blender, or a Python that has the package bpy."""
ADDON_VARIABLE: Final = "AVATAR3D_BLENDER_ADDON"
"""The folder of the Blender extension; a checkout finds its own."""
_SCRIPT: Final = "shell.py"
_TIMEOUT_S: Final = 600
_PATIENCE_S: Final = 5
_SENTENCE: Final = 300


@dataclass(frozen=True)
class Blender:
    """How to run the extension's script."""

    command: str
    script: Path

    def words(self, blend: Path, out: Path) -> list[str]:
        """The command line. A Python takes the script's words after it, Blender those after two dashes."""
        words = [str(self.script), str(blend.resolve()), str(out.resolve())]
        if "python" in Path(self.command).name.lower():
            return [self.command, *words]
        flags = ["--background", "--factory-startup", "--python-exit-code", "70", "--python"]
        return [self.command, *flags, words[0], "--", *words[1:]]


def find_blender(command: str | None = None) -> Blender:
    """The Blender asked for, else that of AVATAR3D_BLENDER, else the one on the PATH.

    Raises UsageError (2, BLENDER_MISSING or ADDON_MISSING) when there is none.
    """
    asked = command or os.environ.get(COMMAND_VARIABLE) or "blender"
    found = shutil.which(asked)
    if found is None:
        raise _missing(
            f"No Blender: {asked!r} is not on the PATH.",
            f"Install Blender 4.2 or later, or name it: {COMMAND_VARIABLE}=/path/to/blender (pull: --blender, too). "
            "A Python with the package bpy will do.",
            "BLENDER_MISSING",
        )
    folder = Path(os.environ.get(ADDON_VARIABLE) or Path(__file__).parents[2] / "blender_addon")
    if not (folder / _SCRIPT).is_file():
        raise _missing(
            f"The Blender extension is not at {folder}.",
            f"Run from a checkout of avatar3d, or name the extension's folder in {ADDON_VARIABLE}.",
            "ADDON_MISSING",
        )
    return Blender(found, folder / _SCRIPT)


def extract_blend(blender: Blender, blend: Path, out: Path) -> Path:
    """Let Blender write the edited parts of a .blend into `out`; the path of their list.

    Raises UnreadableError (10), LimitError (12) as the script says, Avatar3dError when Blender itself fails. Blender ends
    when we are stopped.
    """
    if not blend.is_file():
        raise UnreadableError(f'"{blend.name}" does not exist.', hint="Check the path.", id="FILE_MISSING", file=blend)
    code, said, told = run_script(blender, blend, out)
    last = said[-1].strip() if said else ""
    if code == 0 and last and Path(last).is_file():
        return Path(last)
    why = _sentence(told) or _sentence(said) or f"it ended with {code}"
    kinds: dict[int, type[InputError]] = {10: UnreadableError, 12: LimitError}
    if code in kinds:
        raise kinds[code](
            f'"{blend.name}" cannot be pulled: {why}',
            hint="Open it in Blender and look.",
            id="BLEND_UNUSABLE",
            file=blend,
        )
    raise Avatar3dError(
        f"Blender failed on {blend.name}: {why}",
        hint=f"Try: {Path(blender.command).name} --version (4.2 or later).",
        id="BLENDER_FAILED",
        file=blend,
    )


def run_script(blender: Blender, source: Path, out: Path) -> tuple[int, list[str], list[str]]:
    """Exit code and the lines of stdout and stderr of `script source out`, with settings that are nobody's."""
    with tempfile.TemporaryDirectory(prefix="avatar3d-blender-") as own:
        fixed = {"BLENDER_USER_RESOURCES": own, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
        return _run(blender.words(source, out), os.environ | fixed)


def _run(words: list[str], environment: dict[str, str]) -> tuple[int, list[str], list[str]]:
    """Exit code and the lines of stdout and stderr; ended when it takes too long, or when we are stopped."""
    try:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
            text=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except OSError as cause:
        raise UsageError(
            f"{words[0]} does not start: {cause.strerror or cause}.",
            hint=f"Name a Blender with --blender or {COMMAND_VARIABLE}.",
            id="BLENDER_MISSING",
        ) from cause
    try:
        out, err = process.communicate(timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return _end(process), [], [f"it took more than {_TIMEOUT_S} s"]
    except BaseException:
        _end(process)
        raise
    return process.returncode, out.splitlines(), err.splitlines()


def _end(process: subprocess.Popen[str]) -> int:
    process.terminate()
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return process.returncode


def _missing(message: str, hint: str, id: str) -> UsageError:
    return UsageError(message, hint=hint, id=id)


def _sentence(lines: list[str]) -> str:
    """The last line that says anything."""
    told = [line.strip() for line in lines if line.strip()]
    return told[-1][:_SENTENCE] if told else ""
