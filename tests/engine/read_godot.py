"""What Godot 3.2 sees in a GLB: every shape and every pose, as vertex positions of the imported arrays.

usage: python read_godot.py FILE REQUEST.json OUT_FOLDER      (the formats are in motion.py; read_godot.gd does the reading)

Debian's godot3-server imports a project's files as the editor would, and then waits for ever: it is ended by its process.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IMPORT_S, READ_S = 120, 120
PROJECT = "config_version=4\n"
PRECISE = '[remap]\n\nimporter="scene"\n\n[params]\n\nmeshes/compress=false\n'
"""The editor's usual setting keeps skin weights in 16 bits: poses are 5 micrometres off."""
HERE = Path(__file__).parent


def main(file: str, request: str, out: str) -> int:
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        (project / "project.godot").write_text(PROJECT)
        shutil.copy(file, project / "avatar.glb")
        (project / "avatar.glb.import").write_text(PRECISE)
        shutil.copy(request, project / "request.json")
        shutil.copy(HERE / "read_godot.gd", project)
        if not imported(project):
            print("Godot imported nothing.", file=sys.stderr)
            return 1
        run = godot(project, "-s", "read_godot.gd")
        said, _ = run.communicate(timeout=READ_S)
        if not (project / "motion.json").is_file():
            print(said[-4000:], file=sys.stderr)
            return 1
        for made in (*project.glob("*.f32"), project / "motion.json"):
            shutil.copy(made, out)
    return 0


def imported(project: Path) -> bool:
    """Let the editor import everything; a scene is whole when its checksum stands beside it."""
    editor = godot(project, "--editor")  # with --quit it ends now and then before it has imported
    try:
        ends = time.monotonic() + IMPORT_S
        while time.monotonic() < ends and editor.poll() is None:
            if any(project.glob(".import/avatar.glb-*.md5")):
                return True
            time.sleep(0.05)
        return False
    finally:
        editor.kill()
        editor.communicate()


def godot(project: Path, *words: str) -> subprocess.Popen[str]:
    """Start the server with a home of its own, so that it leaves nothing in the user's."""
    command = [shutil.which("godot3-server") or "godot3-server", "--path", str(project), *words]
    (project / ".home").mkdir(exist_ok=True)
    others = {name: word for name, word in os.environ.items() if not name.startswith("XDG_")}
    return subprocess.Popen(
        command,
        env=others | {"HOME": str(project / ".home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
