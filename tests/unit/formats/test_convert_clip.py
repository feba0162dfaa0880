"""Clips go into other names and come back; what is no clip is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from avatar3d.cli import main
from avatar3d.converting import convert_clip
from avatar3d.core.blendshapes import ARKIT_NAMES, TONGUE_NAMES, BlendshapeClip, Frame
from avatar3d.core.errors import InputError, UsageError
from avatar3d.core.transforms import IDENTITY_WXYZ
from avatar3d.formats.clip_arrays import stack_clip
from avatar3d.formats.clip_csv import read_csv, read_livelink_csv, write_livelink_csv
from avatar3d.formats.clip_npz import load_clip, load_provenance, save_clip
from avatar3d.head.added import keep, keep_rosetta
from avatar3d.rosetta.measure import table_of_modes


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    rng = np.random.default_rng(2)
    frames = tuple(
        Frame(at / 30, rng.uniform(0, 1, 52).astype(np.float32), IDENTITY_WXYZ, IDENTITY_WXYZ, IDENTITY_WXYZ,
              np.array([0.5, 0, 0.25, 0], np.float32)) for at in range(5)
    )  # fmt: skip
    return save_clip(BlendshapeClip(frames), tmp_path / "talk.npz", provenance={"schema": "avatar3d-motion-1"})


def test_meta_s_seventy_and_back_are_the_same_face_tongue_and_all(clip: Path, tmp_path: Path) -> None:
    facts = convert_clip(clip, "meta", tmp_path / "meta.csv")
    assert (facts["from"], facts["frames"], facts["names"]) == ("arkit", 5, 70)
    assert convert_clip(tmp_path / "meta.csv", "arkit", tmp_path / "back.npz")["from"] == "meta"
    was, now = stack_clip(load_clip(clip)), stack_clip(load_clip(tmp_path / "back.npz"))
    np.testing.assert_allclose(now.weights, was.weights, atol=1e-6)
    np.testing.assert_allclose(now.tongue, was.tongue, atol=1e-6)
    np.testing.assert_allclose(now.time_s, was.time_s, atol=1e-6)


def test_columns_may_come_in_any_order_and_go_on_into_a_third_vocabulary(clip: Path, tmp_path: Path) -> None:
    convert_clip(clip, "ict", tmp_path / "ict.csv")
    rows = [line.split(",") for line in (tmp_path / "ict.csv").read_text().splitlines()]
    order = [0, *range(len(rows[0]) - 1, 0, -1)]
    (tmp_path / "mixed.csv").write_text("\n".join(",".join(row[k] for k in order) for row in rows))
    for name in ("ict", "mixed"):
        convert_clip(tmp_path / f"{name}.csv", "unified", tmp_path / f"{name}-unified.csv")
    assert (tmp_path / "ict-unified.csv").read_bytes() == (tmp_path / "mixed-unified.csv").read_bytes()


def test_the_house_s_own_formats_are_read_and_written_by_their_suffix(clip: Path, tmp_path: Path) -> None:
    write_livelink_csv(load_clip(clip), tmp_path / "take.csv")
    convert_clip(tmp_path / "take.csv", "arkit", tmp_path / "a.csv")
    convert_clip(tmp_path / "a.csv", "arkit", tmp_path / "b.livelink.csv")
    first, last = read_csv(tmp_path / "a.csv").frames[3], read_livelink_csv(tmp_path / "b.livelink.csv").frames[3]
    np.testing.assert_allclose(first.weights, last.weights, atol=1e-6)
    convert_clip(clip, "arkit", tmp_path / "same.npz")
    assert load_provenance(tmp_path / "same.npz") == load_provenance(clip)


def test_a_head_that_was_added_brings_its_own_expressions(clip: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    shapes = rng.standard_normal((56, 40, 3)).astype(np.float32)
    names = tuple(f"expression{k}" for k in range(60))
    modes = np.concatenate([shapes, np.zeros((4, 40, 3), np.float32)])
    keep("flame", {"rest": np.zeros((1, 3), np.float32)}, {"kind": "flame", "licence": "none", "counts": {}})
    keep_rosetta("flame", table_of_modes("flame", "FLAME", "none", names, shapes, modes))
    assert convert_clip(clip, "flame", tmp_path / "f.csv")["names"] == 60
    assert convert_clip(tmp_path / "f.csv", "arkit", tmp_path / "back.npz")["from"] == "flame"
    was, now = stack_clip(load_clip(clip)), stack_clip(load_clip(tmp_path / "back.npz"))
    np.testing.assert_allclose(now.weights, was.weights, atol=0.01)


def test_what_is_no_clip_is_refused(clip: Path, tmp_path: Path) -> None:
    faults = {
        "other.csv": "time,smile\n0,1\n", "cut.csv": "time," + ",".join(ARKIT_NAMES) + "\n0,1\n", "empty.csv": "",
        "nan.csv": "time,aa,ih,ou,ee,oh,happy\n0,nan\n", "binary.csv": "\x00\x01",
    }  # fmt: skip
    for name, text in faults.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError):
            convert_clip(tmp_path / name, "meta", tmp_path / "out.csv")
    convert_clip(clip, "facs", tmp_path / "facs.csv")
    whole = (tmp_path / "facs.csv").read_text()
    for name, text in {
        "a": whole.replace("0.0333", "0.nan3", 1),
        "b": whole + "9,1\n",
        "c": whole + whole.splitlines()[1],
    }.items():
        (tmp_path / f"{name}.csv").write_text(text)
        with pytest.raises(InputError):
            convert_clip(tmp_path / f"{name}.csv", "arkit", tmp_path / "out.csv")
    with pytest.raises(UsageError):
        convert_clip(clip, "klingon", tmp_path / "out.csv")
    with pytest.raises(UsageError):
        convert_clip(clip, "meta", tmp_path / "out.npz")
    assert not (tmp_path / "out.csv").exists()


def test_the_command_line_says_what_it_did(clip: Path, tmp_path: Path) -> None:
    words = ["convert-clip", str(clip), "--to", "viseme15", "-o", str(tmp_path / "v.csv"), "--json"]
    result = CliRunner().invoke(main, words)
    assert json.loads(result.output) == {
        "clip": str(tmp_path / "v.csv"),
        "from": "arkit",
        "to": "viseme15",
        "frames": 5,
        "names": 15,
    }
    assert len(TONGUE_NAMES) == 4
