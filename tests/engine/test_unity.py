"""The Unity package without Unity: its core and tests run under mono, everything else compiles against stubs."""

import json
import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from avatar3d.formats.gltf import load_glb
from tools import unity_build
from tools.unity_build import PACKAGE, CompileError
from tools.unity_proof import SAMPLE, UNITY_FROM_GLTF, renderers

pytestmark = pytest.mark.engine
GOLDEN = PACKAGE.parent / "tests/golden/live"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every assembly of the package."""
    if missing := unity_build.tools_missing():
        pytest.skip(f"no C# compiler or NUnit: apt-get install {' '.join(missing)}")
    folder = tmp_path_factory.mktemp("unity")
    unity_build.build(folder)
    return folder


def project(folder: Path) -> Path:
    """The same folder, as a Unity project in which the package lies and its sample was imported."""
    (folder / "imported").write_bytes(stub_import(SAMPLE))
    (folder / "Packages").mkdir()
    (folder / "Packages/com.avatar3d.unity").symlink_to(PACKAGE)
    return folder


def run_nunit(folder: Path, assembly: str, *fixtures: str) -> tuple[int, int, str]:
    """Tests run, tests that failed or were not run, and what was said; of all fixtures where none is named."""
    only = [f"-run:{assembly}.{name}" for name in fixtures]
    ran = subprocess.run(
        ["nunit-console", "-nologo", "-nodots", "-noxml", "-domain:None", *only, f"{assembly}.dll"],
        cwd=folder,
        env=os.environ | {"AVATAR3D_GOLDEN": str(GOLDEN), "AVATAR3D_STUB_IMPORT": str(folder / "imported")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    counts = dict(re.findall(r"(Tests run|Errors|Failures|Not run): (\d+)", ran.stdout))
    told = ran.stdout + ran.stderr
    assert "Tests run" in counts, told
    return int(counts["Tests run"]), sum(int(counts[name]) for name in ("Errors", "Failures", "Not run")), told


def test_every_component_editor_script_and_sample_compiles_in_csharp_7_2(built: Path) -> None:
    sources = {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.cs")}
    assert sources == {"Runtime", "Editor", "Tests", "Samples~"}
    assert {path.parent for path in PACKAGE.rglob("*.cs")} == {path.parent for path in PACKAGE.rglob("*.asmdef")}
    assert len(list(built.glob("Avatar3D.*.dll"))) == 10


def test_the_speech_sample_compiles_for_the_older_name_of_the_inference_engine(tmp_path: Path) -> None:
    if unity_build.tools_missing():
        pytest.skip("no C# compiler")
    unity_build.build(tmp_path, defines=("AVATAR3D_SENTIS",))


def test_the_core_keeps_its_promises_under_mono(built: Path) -> None:
    ran, faults, told = run_nunit(built, "Avatar3D.Core.Tests")
    assert (ran >= 60, faults) == (True, 0), told


def test_the_components_do_against_stubs_what_they_should(built: Path) -> None:
    ran, faults, told = run_nunit(project(built), "Avatar3D.Editor.Tests")
    assert (ran >= 20, faults) == (True, 0), told
    proof = json.loads((built / "proof.json").read_text())
    assert proof["unity"] == "stub"  # whoever reads it shall see that no Unity was there
    assert (proof["missing"], proof["measured"]) == (
        0,
        len(json.loads(SAMPLE.with_name("expected.json").read_text())["shapes"]),
    )
    assert proof["worst_m"] < 1e-7


@pytest.mark.parametrize(
    ("file", "right", "wrong", "seen_by"),
    [
        ("Runtime/Interop/LiveLinkReader.cs", "_said[at], _said[at + 1]", "_said[at + 1], _said[at]", "Core.DialectTests"),
        ("Runtime/Interop/VmcReader.cs", "told[3], told[4]", "told[4], told[3]", "Core.DialectTests"),
        ("Runtime/Interop/OscMessages.cs", "bytes < 0 || bytes > end - _at - 4", "bytes < 0", "Core.OscTests"),
        ("Runtime/Internal/Presence.cs", "EasedS = 0.5", "EasedS = 0.4", "Core.TimeTests"),
        ("Runtime/Internal/Hearing.cs", "RestartS = 0.5", "RestartS = 0.005", "Core.DialectTests"),
        ("Runtime/Internal/Link.cs", "Fragments = 256", "Fragments = 257", "Core.LinkTests"),
        ("Runtime/Component/UnityTurn.cs", "-wxyz[2], -wxyz[3]", "wxyz[2], wxyz[3]", "Editor.FaceTests"),
        ("Runtime/Component/UnityTurn.cs", "Vector3(-x, y, z)", "Vector3(x, y, z)", "Editor.ReceiverTests"),
        ("Runtime/Internal/UdpReceiver.cs", "_socket.Connect(sender);", "", "Core.ClientTests"),
        ("Editor/TakeClip.cs", "Weights[weight] * scale", "Weights[weight] * (scale + 1)", "Editor.TakeTests"),
        ("Editor/TakeClip.cs", "wxyz(at)", "wxyz(0)", "Editor.TakeTests"),
        ("Editor/TakeClip.cs", " || !same(at, at + 1)", "", "Editor.TakeTests"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found(built: Path, tmp_path: Path, file: str, right: str, wrong: str, seen_by: str) -> None:
    package = tmp_path / "unity_bridge"
    shutil.copytree(PACKAGE, package)
    text = (package / file).read_text()
    assert text.count(right) == 1
    (package / file).write_text(text.replace(right, wrong))
    assembly, fixture = seen_by.split(".")
    if assembly == "Core":
        unity_build.build_core(tmp_path / "out", package=package)
    else:
        unity_build.build(tmp_path / "out", package=package)
    _, faults, told = run_nunit(project(tmp_path / "out"), f"Avatar3D.{assembly}.Tests", fixture)
    assert faults >= 1, told


def test_what_is_no_csharp_7_2_does_not_compile(built: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "Wrong.cs"
    wrong.write_text("public class Wrong : UnityEngine.MonoBehaviour { void Update() { transform.NoSuchThing(); } }")
    with pytest.raises(CompileError, match="NoSuchThing"):
        unity_build.compile_library(built, "Wrong", [wrong], ["UnityEngine"], ())


def stub_import(glb: Path) -> bytes:
    """What StubImport.cs reads, of a GLB."""

    def text(words: str) -> bytes:
        return bytes([len(words)]) + words.encode()

    content = b""
    for node, mesh in zip(renderers(glb), load_glb(glb).meshes, strict=True):
        content += text(node) + struct.pack("<ii", len(mesh.positions), len(mesh.morph_names))
        for name, morph in zip(mesh.morph_names, mesh.morphs, strict=True):
            content += text(name) + (morph * UNITY_FROM_GLTF).astype("<f4").tobytes()
    return content


def test_the_stubs_turn_as_unity_does(built: Path) -> None:
    """A quarter turn about +Y takes forward to the right in Unity: so do the stubs, or the tests of turns would prove nothing."""
    program = built / "turn.cs"
    program.write_text(
        "using UnityEngine; public static class Turn { public static void Main() { var v = new Quaternion(0, Mathf.Sqrt(0.5f), 0, Mathf.Sqrt(0.5f)) * Vector3.forward;"
        ' System.Console.WriteLine(v.x.ToString("F3", System.Globalization.CultureInfo.InvariantCulture)); } }'
    )
    subprocess.run(["mcs", "-nologo", "-r:UnityEngine.dll", "turn.cs"], cwd=built, check=True, timeout=60)
    assert float(subprocess.run(["mono", "turn.exe"], cwd=built, capture_output=True, text=True).stdout) == 1.0
    assert np.allclose(UNITY_FROM_GLTF, [-1, 1, 1])
