"""What other languages know of the protocol is what the schema says, and all read the same golden packets."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from avatar3d.formats.khronos import find_node
from avatar3d.live import schema, wire
from tools import generate_bindings, regenerate_golden
from tools.generate_bindings import CSHARP, ROOT, TYPESCRIPT, main
from tools.regenerate_golden import GOLDEN, packets

ESBUILD = ROOT / "avatar3d/viewer/web/node_modules/esbuild/lib/main.js"


def test_the_generated_files_are_what_the_schema_makes_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().out


def test_a_stale_file_is_told_by_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate_bindings, "ROOT", tmp_path)
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0
    changed = tmp_path / CSHARP
    changed.write_text(changed.read_text().replace("FrameBytes = 272", "FrameBytes = 273"))
    assert main(["--check"]) == 1


def test_the_golden_packets_are_what_wire_makes() -> None:
    for name, content in packets().items():
        assert (GOLDEN / name).read_bytes() == content, f"{name}: python tools/regenerate_golden.py"


def test_python_reads_the_golden_packets() -> None:
    half = np.float32(np.sqrt(0.5))
    for packet in (
        wire.decode_frame((GOLDEN / "frame.bin").read_bytes()),
        wire.frame_from_json(json.loads((GOLDEN / "frame.json").read_text())),
    ):
        assert (packet.seq, packet.face, packet.held, packet.jumped) == (4_000_000_001, 3, True, False)
        assert packet.frame.time_s == 12.75
        np.testing.assert_allclose(packet.frame.weights, np.arange(52) / 64, atol=5e-7)
        np.testing.assert_allclose(packet.frame.head_wxyz, [half, half, 0, 0], atol=1e-6)
        np.testing.assert_allclose(packet.frame.right_eye_wxyz, [0, 0, half, half], atol=1e-6)
    sound = wire.decode_sound((GOLDEN / "sound.bin").read_bytes())
    assert (sound.seq, sound.face, sound.last, sound.chunk.rate_hz) == (7, 31, True, 16_000)
    assert np.isnan(sound.chunk.time_s)
    assert np.round(sound.chunk.samples * 32767).tolist() == [0, 32767, -32767, 1, -2]
    assert wire.decode_ack((GOLDEN / "ack.bin").read_bytes()) == 0xFEDCBA98


def test_javascript_reads_and_writes_the_golden_packets() -> None:
    node = find_node()
    if node is None or not ESBUILD.is_file():
        pytest.skip("needs node and the viewer's packages: make viewer")
    script = Path(__file__).with_name("test_wire.mjs")
    run = subprocess.run(
        [str(node), str(script), str(ROOT / TYPESCRIPT), str(GOLDEN), str(ESBUILD)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.engine
def test_the_csharp_side_compiles_and_reads_the_golden_packets(tmp_path: Path) -> None:
    compiler, mono = shutil.which("mcs"), shutil.which("mono")
    if not (compiler and mono):
        pytest.skip("no C# compiler: apt-get install mono-mcs ")
    program = Path(__file__).with_name("ReadGolden.cs")
    out = tmp_path / "read.exe"
    subprocess.run([compiler, "-langversion:7.2", f"-out:{out}", str(program), str(ROOT / CSHARP)], check=True)
    run = subprocess.run([mono, str(out), str(GOLDEN)], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout.strip()) == (0, "as written"), run.stdout + run.stderr


def test_csharp_carries_every_constant_and_no_engine() -> None:
    text = (ROOT / CSHARP).read_text()
    assert "UnityEngine" not in text
    for name, code in schema.CLOSE.items():
        assert f"Close{''.join(word.capitalize() for word in name.lower().split('_'))} = {code};" in text
    assert regenerate_golden.COUNT == 52
