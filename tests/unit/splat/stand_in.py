"""Puts a stand-in for nerfstudio's programs into a folder; what it does is nerfstudio_stand_in.py's."""

import json
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("nerfstudio_stand_in.py")


def install(folder: Path, mood: str, *, learnt: bytes = b"ply", transforms: object = None) -> Path:
    """The path of ns-train. `sh` starts it, since a first line cannot name a Python whose path has blanks."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mood.txt").write_text(mood)
    (folder / "learnt.ply").write_bytes(learnt)
    (folder / "transforms.json").write_text(json.dumps(transforms or {"transform": IDENTITY, "scale": 1}))
    for name in ("ns-train", "ns-export"):
        (folder / f"{name}.py").write_text(SCRIPT.read_text())
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder / name}.py" "$@"\n')
        (folder / name).chmod(0o755)
    return folder / "ns-train"


IDENTITY = [[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
