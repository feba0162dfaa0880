"""Where the Python is that has nerfstudio: `make nerfstudio` sets it up; AVATAR3D_NERFSTUDIO_PYTHON names another."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]


def nerfstudio_python() -> Path | None:
    """None where there is none."""
    named = os.environ.get("AVATAR3D_NERFSTUDIO_PYTHON")
    folder = ROOT / ".venv-nerfstudio"
    asked = [Path(named)] if named else [folder / "bin/python", folder / "Scripts/python.exe"]
    return next((python for python in asked if python.is_file()), None)
