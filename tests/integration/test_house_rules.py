"""What the main job must never do, seen from outside while it runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

WATCHED = """
import json, sys
connections = []
sys.addaudithook(lambda event, args: connections.append(str(args[1:])) if event in ("socket.connect", "socket.getaddrinfo") else None)
from avatar3d.cli import main
try:
    main(["create", sys.argv[1], "-o", sys.argv[2], "--quiet"])
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps({"modules": sorted({name.partition(".")[0] for name in sys.modules}), "connections": connections}))
"""


@pytest.fixture(scope="module")
def seen(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Modules loaded and connections opened while one photo becomes an avatar."""
    command = [sys.executable, "-c", WATCHED, str(astronaut), str(tmp_path_factory.mktemp("watched"))]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1]) | {"stderr": run.stderr.splitlines()}


def test_no_learning_framework_is_imported(seen: dict[str, list[str]]) -> None:
    assert {"torch", "anny", "warp", "numba", "open3d", "skimage", "pygltflib"} & set(seen["modules"]) == set()


def test_the_largest_package_that_mediapipe_drags_in_is_not_imported(seen: dict[str, list[str]]) -> None:
    assert {"jax", "jaxlib"} & set(seen["modules"]) == set()


def test_nothing_is_asked_of_the_network(seen: dict[str, list[str]]) -> None:
    assert seen["connections"] == []


def test_quiet_is_quiet_even_for_the_libraries_below(seen: dict[str, list[str]]) -> None:
    assert seen["stderr"] == []
