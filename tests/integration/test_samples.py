"""Every sample runs as its first lines say."""

import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("[0-9]*.py"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_sample_runs(sample: Path, astronaut: Path, tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, str(sample), str(astronaut), str(tmp_path)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "52 blendshapes" in run.stdout
    assert (tmp_path / "astronaut" / "astronaut.glb").is_file()
    assert (tmp_path / "astronaut.obj").is_file()
