"""The package's components, called as Unity would call them but on stubs, against a bridge that speaks."""

import asyncio
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from avatar3d.live.process import bridge_process
from avatar3d.speech.voices.espeak import speak_phones
from tools import unity_build

pytestmark = pytest.mark.engine
SECONDS = 14
WARM_S = 3


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[str]]]:
    """What Play.cs has written, by the first word of its lines."""
    if missing := unity_build.tools_missing():
        pytest.skip(f"no C# compiler: apt-get install {' '.join(missing)}")
    folder = tmp_path_factory.mktemp("unity")
    unity_build.build(folder)
    words = ["-r:UnityEngine.dll", "-r:Avatar3D.Component.dll"]
    program = unity_build.build_program(folder, unity_build.TESTS / "Play.cs", *words)
    out = folder / "played.txt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        asyncio.run(play(program, sentence(folder), out))
    lines: dict[str, list[list[str]]] = {}
    for line in out.read_text().splitlines():
        kind, *rest = line.split(" ")
        lines.setdefault(kind, []).append(rest)
    return lines


async def play(program: Path, sound: Path, out: Path) -> None:
    async with bridge_process("--audio", str(sound), "--loop", "--head-motion", "0") as bridge:
        words = ["mono", str(program), bridge.url, bridge.token, str(SECONDS), str(out)]
        await asyncio.to_thread(subprocess.run, words, check=True, timeout=SECONDS + 60)


def sentence(folder: Path) -> Path:
    samples, rate_hz, _ = speak_phones("My mama made a big apple pie, and papa ate all of it at once.", "en-us")
    path = folder / "pie.wav"
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def test_the_face_that_is_shown_belongs_to_the_sound_that_is_heard(played: dict[str, list[list[str]]]) -> None:
    times_s, jaws = np.array(played["picture"], float).T
    heard_s, loud = np.array(played["sound"], float).T
    assert jaws.max() > 0.1
    assert loud.max() > 0.02
    inside = (times_s > WARM_S) & (times_s < SECONDS - 0.5)
    smooth = np.convolve(loud, np.ones(3) / 3, "same")
    shifts = np.arange(-0.3, 0.3, 0.005)
    fits = [np.corrcoef(jaws[inside], np.interp(times_s[inside] - shift, heard_s, smooth))[0, 1] for shift in shifts]
    best = int(np.argmax(fits))
    print(f"jaw behind sound: {1000 * shifts[best]:.0f} ms, correlation {fits[best]:.2f}")
    assert abs(shifts[best]) <= 0.08  # as sample 5 on the bridge's own clock, and a busy machine beside it
    assert fits[best] > 0.4


def test_neither_a_picture_nor_a_block_of_sound_makes_garbage(played: dict[str, list[list[str]]]) -> None:
    assert int(played["received"][0][0]) > 60 * (SECONDS - 5)
    assert int(played["picture_bytes"][0][0]) < 4096  # 660 pictures: one object each would be 10,000 and more
    assert int(played["sound_bytes"][0][0]) < 4096


def test_the_face_comes_to_rest_when_the_component_is_disabled(played: dict[str, list[list[str]]]) -> None:
    assert float(played["at_rest"][0][0]) == 0
