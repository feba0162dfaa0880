"""Sample 8 with the package's core under mono in Unity's place, and the speech sample with onnxruntime in that of Unity's inference."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from avatar3d.formats.gltf import save_glb
from bench import unity as bench
from tests.synthetic import synthetic_avatar
from tools import unity_build
from tools.unity_build import PACKAGE

pytestmark = pytest.mark.engine
ROOT = PACKAGE.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if missing := unity_build.tools_missing():
        pytest.skip(f"no C# compiler: apt-get install {' '.join(missing)}")
    folder = tmp_path_factory.mktemp("unity")
    unity_build.build(folder)
    return folder


def test_a_project_gets_package_and_avatar_and_the_face_speaks_to_whoever_listens(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    project = tmp_path / "My project"
    (project / "Packages").mkdir(parents=True)
    kept = {"com.unity.cloud.gltfast": "6.14.1", "com.unity.timeline": "1.7.6"}
    (project / "Packages/manifest.json").write_text(json.dumps({"dependencies": kept}))
    avatar = save_glb(synthetic_avatar(), tmp_path / "anna.glb")
    probe = unity_build.build_program(built, unity_build.TESTS / "Probe.cs")
    words = [sys.executable, str(ROOT / "samples/08_drive_unity.py"), str(avatar), str(project), str(bench.free_port())]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sample:
        assert sample.stdout
        told = ""
        while not (token := re.search(r"token +(\S+)", told)):
            line = sample.stdout.readline()
            assert line, told
            told += line
        url = re.search(r"ws://\S+", told)[0]
        out = tmp_path / "probe.jsonl"
        listen = ["mono", str(probe), f"url={url}", f"token={token[1]}", "frames=100000", "seconds=14", f"out={out}"]
        with subprocess.Popen(listen, stdout=subprocess.PIPE, text=True) as unity:
            assert unity.stdout
            heard = ""
            while "state Live" not in heard:
                line = unity.stdout.readline()
                assert line, heard
                heard += line
            rest = sample.communicate("\n", timeout=60)[0]
            heard += unity.communicate(timeout=60)[0]
    assert sample.returncode == 0
    assert rest.splitlines()[-1] == "said"
    assert "faces anna" in heard
    assert "event speech_started" in heard
    assert (
        next(json.loads(line) for line in out.read_text().splitlines() if '"kind": "websocket"' in line)["sounds"] > 0
    )
    assert (project / "Assets/anna.glb").read_bytes() == avatar.read_bytes()
    manifest = json.loads((project / "Packages/manifest.json").read_text())
    assert manifest["testables"] == ["com.avatar3d.unity"]
    assert manifest["dependencies"] == kept | {"com.avatar3d.unity": f"file:{PACKAGE.as_posix()}"}


def test_a_folder_that_is_no_project_is_told_so(tmp_path: Path) -> None:
    words = [sys.executable, str(ROOT / "samples/08_drive_unity.py"), "anna.glb", str(tmp_path)]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert "is no Unity project" in ran.stderr


def test_the_speech_sample_answers_as_the_golden_steps_do(built: Path, tmp_path: Path) -> None:
    """The sample's own code feeds the states; only Unity's inference engine is replaced, by onnxruntime in another process."""
    onnx, golden = tmp_path / "speech.onnx", tmp_path / "speech.golden.json"
    subprocess.run([sys.executable, "-m", "avatar3d", "export-speech", "--onnx", str(onnx), "--quiet"], check=True, timeout=120)  # fmt: skip
    program = built / "speech.exe"
    libraries = ("UnityEngine", "Avatar3D.Interop", "Avatar3D.Component", "Avatar3D.Samples.Speech")
    source = unity_build.TESTS / "RunSpeech.cs"
    compiler = [
        "mcs",
        "-nologo",
        "-langversion:7.2",
        f"-out:{program}",
        *(f"-r:{name}.dll" for name in libraries),
        str(source),
    ]
    subprocess.run(compiler, cwd=built, check=True, timeout=120)
    answering = [sys.executable, str(Path(__file__).with_name("unity") / "answer_onnx.py"), str(onnx)]
    with subprocess.Popen(answering, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as runtime:
        run = subprocess.run(
            ["mono", str(program), str(golden)],
            stdin=runtime.stdout,
            stdout=runtime.stdin,
            stderr=subprocess.PIPE,
            timeout=240,
        )
        assert runtime.stdin
        runtime.stdin.close()
    told = run.stderr.decode()
    assert run.returncode == 0, told
    assert float(re.search(r"worst (\S+)", told)[1]) < json.loads(golden.read_text())["within"]
