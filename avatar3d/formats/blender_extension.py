"""The Blender extension as one file, as Blender's own builder packs it; and handing it to a Blender."""

import subprocess
import tomllib
import zipfile
from pathlib import Path
from typing import Final

from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import Avatar3dError, UsageError
from avatar3d.formats.blender import Blender

_LEFT_OUT: Final = ("__pycache__", ".git")
_WHEN: Final = (1980, 1, 1, 0, 0, 0)
"""The same files give the same bytes."""
_TIMEOUT_S: Final = 120


def pack_extension(folder: Path, out: Path) -> Path:
    """Write the extension's folder as OUT/avatar3d-VERSION.zip, and give its path. Raises DiskError (40)."""
    manifest = tomllib.loads((folder / "blender_manifest.toml").read_text(encoding="utf-8"))
    file = out / f"{manifest['id']}-{manifest['version']}.zip"
    out.mkdir(parents=True, exist_ok=True)
    draft = out / f".{file.name}.part"
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in sorted(path for path in folder.rglob("*") if path.is_file() and _belongs(path, folder)):
                entry = zipfile.ZipInfo(each.relative_to(folder).as_posix(), _WHEN)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, each.read_bytes())
        return write_atomically(file, draft.read_bytes())
    finally:
        draft.unlink(missing_ok=True)


def install_extension(blender: Blender, file: Path) -> str:
    """Let Blender install and enable the packed extension for this user; gives what it said.

    Raises UsageError (2) for a Python with bpy, which has nobody's settings; Avatar3dError (70) when Blender refuses.
    """
    if "python" in Path(blender.command).name.lower():
        raise UsageError(
            "A Python with bpy has no extensions of its own.",
            hint="Give the Blender program: --blender /path/to/blender.",
        )
    words = [blender.command, "--command", "extension", "install-file", "--repo", "user_default", "--enable", str(file)]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    said = (ran.stdout + ran.stderr).strip()
    if ran.returncode:
        raise Avatar3dError(
            f"Blender did not install {file.name}: {said[-200:]}",
            hint="In Blender: Edit > Preferences > Get Extensions > the arrow > Install from Disk.",
            id="BLENDER_FAILED",
        )
    return said


def _belongs(path: Path, folder: Path) -> bool:
    return path.suffix not in (".pyc", ".zip") and not set(path.relative_to(folder).parts) & set(_LEFT_OUT)
