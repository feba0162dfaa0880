"""avatar3d speak, as users call it: sounds and texts in; curves, clips and animated avatars out."""

import csv
import json
import wave
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from avatar3d import speaking
from avatar3d.cli import Verbs, main
from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.formats.clip_npz import load_clip, load_provenance
from avatar3d.formats.gltf import save_glb
from avatar3d.speech.lips import gap_mm
from avatar3d.speech.voices.espeak import speak_phones
from tests.synthetic import synthetic_avatar

TEXT = "My mama made a big pie."


def speak(*words: object) -> Result:
    assert isinstance(main, Verbs)
    return CliRunner().invoke(main, ["speak", *map(str, words)])


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples, rate_hz, _ = speak_phones(TEXT, "en-us")
    path = tmp_path_factory.mktemp("sounds") / "pie.wav"
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def avatar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_glb(synthetic_avatar(), tmp_path_factory.mktemp("avatar") / "me.glb")


def rows(path: Path) -> tuple[list[str], np.ndarray]:
    header, *lines = list(csv.reader(path.open()))
    return header, np.array(lines, float)


def test_a_sound_becomes_curves_sixty_times_a_second(sound: Path, tmp_path: Path) -> None:
    told = speak(sound, "-o", tmp_path, "--format", "csv")
    assert told.exit_code == 0, told.output
    header, table = rows(tmp_path / "pie.csv")
    assert header == ["time", *ARKIT_NAMES]
    np.testing.assert_allclose(table[:, 0], np.arange(len(table)) / 60, atol=1e-6)
    with wave.open(str(sound)) as reader:
        assert table[-1, 0] == pytest.approx(reader.getnframes() / reader.getframerate(), abs=0.04)
    assert table[:, 1:].min() >= 0
    assert table[:, 1:].max() <= 1
    gaps = gap_mm(table[:, 1:].astype(np.float32))
    assert gaps.max() > 3
    assert np.count_nonzero(np.diff((gaps < 0.5).astype(int)) == 1) >= 3  # the lips meet again and again


def test_the_same_sound_and_seed_give_the_same_bytes_and_another_seed_other_blinks(sound: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert speak(sound, "-o", tmp_path / name, "--format", "npz", "--seed", seed).exit_code == 0
    first, again, other = ((tmp_path / name / "pie.npz").read_bytes() for name in "abc")
    assert first == again
    assert first != other


def test_without_head_motion_the_head_stays_and_the_mouth_is_the_same(sound: Path, tmp_path: Path) -> None:
    for name, motion in (("still", 0), ("moved", 2)):
        assert speak(sound, "-o", tmp_path / name, "--format", "npz", "--head-motion", motion).exit_code == 0
    still, moved = (load_clip(tmp_path / name / "pie.npz") for name in ("still", "moved"))
    assert all(np.array_equal(frame.head_wxyz, [1, 0, 0, 0]) for frame in still.frames)
    assert any(abs(frame.head_wxyz[1]) > 0.005 for frame in moved.frames)
    jaw = ARKIT_INDEX["jawOpen"]
    for a, b in zip(still.frames, moved.frames, strict=True):
        assert a.weights[jaw] == pytest.approx(b.weights[jaw], abs=1e-6)


def test_an_avatar_says_it_in_a_glb_that_is_marked_and_keeps_its_lips_closed_in_joy(
    sound: Path, avatar: Path, tmp_path: Path
) -> None:
    told = speak(sound, "--avatar", avatar, "-o", tmp_path, "--emotion", "joy", "--format", "glb", "--format", "npz")
    assert told.exit_code == 0, told.output
    content = (tmp_path / "pie.glb").read_bytes()
    document = json.loads(content[20 : 20 + int.from_bytes(content[12:16], "little")])
    assert [each["name"] for each in document["animations"]] == ["talk"]
    assert document["asset"]["extras"]["motion"]["synthetic"] is True
    assert load_provenance(tmp_path / "pie.npz")["source"]["kind"] == "sound"
    clip = load_clip(tmp_path / "pie.npz")
    weights = np.stack([frame.weights for frame in clip.frames])
    assert weights[:, ARKIT_INDEX["mouthSmileLeft"]].mean() > 0.1
    assert (gap_mm(weights) < 0.3).any()


def test_a_text_is_spoken_and_its_marks_move_the_mouth_in_time(tmp_path: Path) -> None:
    told = speak("--text", TEXT, "-o", tmp_path, "--format", "csv", "--json")
    assert told.exit_code == 0, told.output
    assert [Path(file).name for file in json.loads(told.stdout.splitlines()[-1])["files"]] == [
        "spoken.wav",
        "spoken.csv",
    ]
    _, table = rows(tmp_path / "spoken.csv")
    _, _, phones = speak_phones(TEXT, "en")
    gaps = gap_mm(table[:, 1:].astype(np.float32))
    for phone in phones:
        if phone.symbol in "pbm":
            inside = (table[:, 0] > phone.start_s - 0.04) & (table[:, 0] < phone.end_s + 0.04)
            assert gaps[inside].min() < 0.5, phone


def test_recorded_marks_move_the_mouth_instead_of_the_network(sound: Path, tmp_path: Path) -> None:
    marks = tmp_path / "pie.json"
    cues = [
        {"start": 0, "end": 0.5, "value": "X"},
        {"start": 0.5, "end": 1.0, "value": "D"},
        {"start": 1.0, "end": 2.0, "value": "X"},
    ]
    marks.write_text(json.dumps({"metadata": {"duration": 2.0}, "mouthCues": cues}))
    assert speak(sound, "-o", tmp_path, "--format", "csv", "--marks", marks).exit_code == 0
    _, table = rows(tmp_path / "pie.csv")
    jaw = table[:, 1 + ARKIT_INDEX["jawOpen"]]
    assert jaw[(table[:, 0] > 0.6) & (table[:, 0] < 0.9)].min() > 0.1
    assert jaw[(table[:, 0] > 1.2)].max() < 0.03


def test_many_sounds_and_folders_go_through_and_one_bad_file_stops_no_other(sound: Path, tmp_path: Path) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    (folder / "a.wav").write_bytes(sound.read_bytes())
    (folder / "b.wav").write_bytes(b"")
    (folder / "c.wav").write_bytes(sound.read_bytes())
    (folder / "notes.txt").write_text("not a sound")
    told = speak(folder, "-o", tmp_path / "out")
    assert told.exit_code == 10
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.csv", "c.csv"]


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        ([], 2, "--text"),
        (["nothing.wav"], 10, ""),
        (["--text", "", "--format", "csv"], 2, "Hello"),
        (["--text", "hi", "--format", "glb"], 2, "--avatar"),
        (["--text", "hi", "--emotion", "hangry"], 2, "choose one of"),
        (["--text", "caf\udce9"], 2, "UTF-8"),
        (["--text", "hi", "--head-motion", "7"], 2, "between 0"),
        (["--text", "hi", "--language", "xx-klingon"], 2, ""),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_cure_and_leaves_nothing(
    words: list[str], code: int, hint: str, tmp_path: Path
) -> None:
    told = speak(*words, "-o", tmp_path / "out")
    assert told.exit_code == code, told.output
    assert hint in told.output
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_stop_between_two_files_leaves_neither_them_nor_the_sound(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stopped(*_: object, **__: object) -> None:
        assert (tmp_path / "said.csv").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(speaking, "save_clip", stopped)
    params = speaking.SpeakParams(formats=("csv", "npz"))
    with pytest.raises(KeyboardInterrupt):
        speaking.speak_text(TEXT, tmp_path, "said", params, speaking.VoiceParams(), str)
    assert not list(tmp_path.iterdir())
