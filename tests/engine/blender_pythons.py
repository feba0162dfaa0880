"""Where Blenders are, as Python modules; each lives in an environment of its own.

.venv-bpy is the one that CI has (Blender 4.5). Others are tested as well where they are: `.venv-bpy-4.2`, `.venv-bpy-5.0` (make
blenders), or whatever AVATAR3D_BPY_PYTHONS lists, separated as PATH is.
"""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]


def blender_pythons() -> list[tuple[str, Path]]:
    """A name for each and its python, the one of CI first."""
    listed = [Path(each) for each in os.environ.get("AVATAR3D_BPY_PYTHONS", "").split(os.pathsep) if each]
    folders = [ROOT / ".venv-bpy", *sorted(ROOT.glob(".venv-bpy-*"))]
    found = [Path(os.environ["AVATAR3D_BPY_PYTHON"])] if os.environ.get("AVATAR3D_BPY_PYTHON") else []
    found += [
        python for folder in folders for python in (folder / "bin/python", folder / "Scripts/python.exe")
    ] + listed
    return [(python.parents[1].name.lstrip("."), python) for python in dict.fromkeys(found) if python.is_file()]


def blender_python() -> Path | None:
    """The first one."""
    found = blender_pythons()
    return found[0][1] if found else None
