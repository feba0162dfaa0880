"""Python, JavaScript and C# read the same numbers from a .splats file: the readers of sample 11, on a golden file."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from avatar3d.formats.khronos import find_node
from avatar3d.formats.splat_binding import load_binding
from tools.regenerate_golden import SPLATS, splats

SAMPLES = Path(__file__).parents[3] / "samples"
NAMES = {"rotation": "rotation_wxyz"}


def judge(told: dict[str, list[float]]) -> None:
    """Every number to the bit: they are multiples of 1/64."""
    golden = load_binding(SPLATS)
    assert [tuple(mesh) for mesh in told.pop("meshes")] == [("face", 5), ("Härchen", 2)]
    assert sorted(told) == sorted(["triangle", "barycentric", "offset", "rotation", "scale", "colour", "opacity"])
    for name, values in told.items():
        assert values == np.ravel(getattr(golden.cloud, NAMES.get(name, name))).tolist(), name


def run(*command: str | Path) -> str:
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_golden_file_is_what_the_writer_makes() -> None:
    assert SPLATS.read_bytes() == splats(), "python tools/regenerate_golden.py"
    golden = load_binding(SPLATS)
    assert golden.cloud.triangle.tolist() == [0, 6, 4]
    assert golden.cloud.colour[2].tolist() == [26 / 64, 27 / 64, 28 / 64]


def test_python_reads_it() -> None:
    judge(json.loads(run(sys.executable, SAMPLES / "11_read_splats.py", SPLATS)))


def test_javascript_reads_it_and_refuses_half_of_it(tmp_path: Path) -> None:
    node = find_node()
    if node is None:
        pytest.skip("no node")
    judge(json.loads(run(node, SAMPLES / "11_read_splats.mjs", SPLATS)))
    (tmp_path / "half.splats").write_bytes(SPLATS.read_bytes()[:-4])
    ran = subprocess.run(
        [node, str(SAMPLES / "11_read_splats.mjs"), str(tmp_path / "half.splats")], capture_output=True, text=True
    )
    assert ran.returncode != 0
    assert "not a whole .splats file" in ran.stderr


@pytest.mark.engine
def test_csharp_reads_it_and_refuses_half_of_it(tmp_path: Path) -> None:
    compiler, mono = shutil.which("mcs"), shutil.which("mono")
    if not (compiler and mono):
        pytest.skip("no C# compiler: apt-get install mono-mcs")
    program = tmp_path / "print.exe"
    run(
        compiler,
        "-langversion:7.2",
        f"-out:{program}",
        Path(__file__).with_name("PrintSplats.cs"),
        SAMPLES / "11_ReadSplats.cs",
    )
    lines = dict(line.split("\t", 1) for line in run(mono, program, SPLATS).splitlines())
    meshes = lines.pop("meshes").split("\t")
    told: dict[str, list] = {name: [float(word) for word in words.split()] for name, words in lines.items()}
    judge(told | {"meshes": [(name, int(count)) for name, count in zip(meshes[::2], meshes[1::2], strict=True)]})
    (tmp_path / "half.splats").write_bytes(SPLATS.read_bytes()[:-4])
    ran = subprocess.run([mono, str(program), str(tmp_path / "half.splats")], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.strip()) == (3, "the .splats file was cut")
