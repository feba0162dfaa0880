"""Every sample runs as its first lines say."""

import subprocess
import sys
import wave
from pathlib import Path

from avatar3d.formats.gltf import save_glb
from avatar3d.speech.voices.espeak import speak_phones
from tests.synthetic import synthetic_avatar

SAMPLES = Path(__file__).parents[2] / "samples"


def run(sample: str, *words: Path) -> str:
    told = subprocess.run([sys.executable, str(SAMPLES / sample), *map(str, words)], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return told.stdout


def test_every_sample_is_run_here() -> None:
    here = Path(__file__)
    engines = here.parents[1].glob("engine/test_*sample*.py")  # these need an engine, or what stands in its place
    tested = "".join(
        path.read_text(encoding="utf-8") for path in (here, here.with_name("test_live_samples.py"), *engines)
    )
    assert [path.name for path in sorted(SAMPLES.glob("*.py")) if f'{path.name}"' not in tested] == []


def test_bound_splats_are_read_with_numpy_alone() -> None:
    assert '"triangle": [0, 6, 4]' in run("11_read_splats.py", SAMPLES.parent / "tests/golden/splats/three.splats")


def test_a_photo_becomes_a_head(astronaut: Path, tmp_path: Path) -> None:
    assert "52 blendshapes" in run("01_photo_to_head.py", astronaut, tmp_path)
    assert (tmp_path / "astronaut" / "astronaut.glb").is_file()
    assert (tmp_path / "astronaut.obj").is_file()


def test_an_avatar_talks(tmp_path: Path) -> None:
    samples, rate_hz, _ = speak_phones("My mama made a big pie.", "en-us")
    sound = tmp_path / "pie.wav"
    with wave.open(str(sound), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes((samples * 32767).astype("<i2").tobytes())
    told = run("02_talk.py", save_glb(synthetic_avatar(), tmp_path / "me.glb"), sound, tmp_path)
    assert "s of speech: recorded.glb, recorded.csv" in told
    assert "s of text: written.wav, written.glb, written.csv" in told
    assert "the mouth is widest at" in told
    assert "warning" not in told
    for name in ("recorded.glb", "recorded.csv", "written.wav", "written.glb", "written.csv"):
        assert (tmp_path / name).stat().st_size > 1000
