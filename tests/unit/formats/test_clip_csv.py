"""Clips as text: our csv, and the one of Live Link Face."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES, BlendshapeClip, Frame
from avatar3d.core.errors import InputError, LimitError, OutputInvalidError, UnreadableError, UnsupportedFormatError
from avatar3d.core.transforms import IDENTITY_WXYZ, matrix_from_quaternion
from avatar3d.formats import clip_file
from avatar3d.formats.clip_csv import livelink_lines, read_csv, read_livelink_csv, write_csv, write_livelink_csv
from tests.unit.formats.clips import talking_clip, turn

# The first line of recordings of the app (version 1.4.2, 2025), letter by letter.
APP_HEADER = (
    "Timecode,BlendshapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,EyeWideLeft,"
    "EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,EyeWideRight,JawForward,JawRight,"
    "JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,MouthSmileLeft,MouthSmileRight,MouthFrownLeft,"
    "MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,MouthStretchRight,MouthRollLower,MouthRollUpper,"
    "MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,"
    "MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,"
    "CheekSquintRight,NoseSneerLeft,NoseSneerRight,TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,"
    "RightEyeYaw,RightEyePitch,RightEyeRoll"
)


def frame(**changes: object) -> Frame:
    still = Frame(0.0, np.zeros(52, np.float32), IDENTITY_WXYZ, IDENTITY_WXYZ, IDENTITY_WXYZ)
    return replace(still, **changes)


def livelink_row(**changes: object) -> dict[str, str]:
    """The row of one frame by column."""
    header, row = (line.strip().split(",") for line in livelink_lines([frame(**changes)]))
    return dict(zip(header, row, strict=True))


class TestCsv:
    def test_begins_with_time_and_the_52_names_in_apples_order(self, tmp_path: Path) -> None:
        lines = write_csv(talking_clip(), tmp_path / "a.csv").read_text().splitlines()
        assert lines[0].split(",") == ["time", *ARKIT_NAMES]
        assert len(lines) == 1 + 121
        assert lines[2].startswith("0.016667,")
        assert "e" not in lines[2]

    def test_comes_back_to_the_printed_digit_and_is_written_again_the_same(self, tmp_path: Path) -> None:
        clip = talking_clip()
        path = write_csv(clip, tmp_path / "a.csv")
        got = read_csv(path)
        assert write_csv(got, tmp_path / "b.csv").read_bytes() == path.read_bytes()
        for back, meant in zip(got.frames, clip.frames, strict=True):
            assert abs(back.time_s - meant.time_s) <= 0.5e-6
            np.testing.assert_allclose(back.weights, meant.weights, atol=0.6e-6)

    def test_reads_rest_for_what_it_does_not_carry(self, tmp_path: Path) -> None:
        back = read_csv(write_csv(talking_clip(), tmp_path / "a.csv")).frames[7]
        np.testing.assert_array_equal(back.head_wxyz, IDENTITY_WXYZ)
        np.testing.assert_array_equal(back.left_eye_wxyz, IDENTITY_WXYZ)
        assert not back.tongue.any()

    def test_is_read_with_its_columns_in_any_order(self, tmp_path: Path) -> None:
        path = write_csv(talking_clip(), tmp_path / "a.csv")
        turned = "\n".join(",".join(reversed(line.split(","))) for line in path.read_text().splitlines())
        (tmp_path / "b.csv").write_text(turned)
        np.testing.assert_array_equal(read_csv(tmp_path / "b.csv").frames[3].weights, read_csv(path).frames[3].weights)

    def test_with_windows_line_ends_and_a_byte_order_mark_is_the_same(self, tmp_path: Path) -> None:
        path = write_csv(talking_clip(), tmp_path / "a.csv")
        (tmp_path / "b.csv").write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
        assert len(read_csv(tmp_path / "b.csv").frames) == 121


class TestLiveLink:
    def test_has_the_header_of_the_app(self) -> None:
        assert next(livelink_lines([])) == APP_HEADER + "\n"

    @pytest.mark.parametrize(
        ("time_s", "code"),
        [
            (0, "00:00:00:00.000"),
            (1 / 60, "00:00:00:01.000"),
            (1 / 30, "00:00:00:02.000"),
            (0.0125, "00:00:00:00.750"),
            (61 / 60, "00:00:01:01.000"),
            (3661.5, "01:01:01:30.000"),
            (59.9999999, "00:01:00:00.000"),
        ],
    )
    def test_counts_sixtieths_after_the_seconds(self, time_s: float, code: str) -> None:
        assert livelink_row(time_s=time_s)["Timecode"] == code

    def test_puts_every_weight_under_its_own_name(self) -> None:
        weights = np.linspace(0, 1, 52, dtype=np.float32)
        row = livelink_row(weights=weights)
        assert row["BlendshapeCount"] == "61"
        for name, weight in zip(ARKIT_NAMES, weights, strict=True):
            assert np.float32(row[name[0].upper() + name[1:]]) == weight

    def test_tells_angles_in_radians_with_the_signs_of_the_app(self) -> None:
        left_and_down = turn(0.1, 0.2, 0)
        row = livelink_row(head_wxyz=left_and_down, left_eye_wxyz=left_and_down, right_eye_wxyz=turn(0, 0, 0.3))
        assert float(row["HeadYaw"]) == pytest.approx(0.2, abs=0.02)
        assert float(row["HeadPitch"]) == pytest.approx(-0.1, abs=0.01)
        assert float(row["LeftEyeYaw"]) == pytest.approx(-0.2, abs=0.02)
        assert float(row["LeftEyePitch"]) == pytest.approx(0.1, abs=0.01)
        assert float(row["RightEyeRoll"]) == pytest.approx(0.3, abs=1e-6)

    @pytest.mark.parametrize(
        ("yaw", "pitch", "roll"),  # of eyes in three recordings
        [
            (-0.2520269752, -0.1164911389, 0.0291729327),
            (-0.2067031264, -0.1539416760, 0.0318353213),
            (0.0591687225, 0.1760588288, 0.0105196303),
            (-0.1154811904, -0.1685393006, 0.0196033679),
        ],
    )
    def test_reads_an_eye_of_the_app_as_a_gaze_without_torsion(
        self, yaw: float, pitch: float, roll: float, tmp_path: Path
    ) -> None:
        lines = list(livelink_lines([frame()]))
        row = lines[1].strip().split(",")
        row[-6:-3] = [str(yaw), str(pitch), str(roll)]
        (tmp_path / "a.csv").write_text(lines[0] + ",".join(row))
        seen = matrix_from_quaternion(read_livelink_csv(tmp_path / "a.csv").frames[0].left_eye_wxyz)
        assert seen[0, 2] == pytest.approx(-np.sin(yaw), abs=1e-5)  # +x is the person's left
        assert seen[1, 2] == pytest.approx(-np.sin(pitch) * np.cos(yaw), abs=1e-5)
        assert seen[1, 0] == pytest.approx(0, abs=1e-6)  # its horizon stays level

    def test_comes_back_to_the_printed_digit_and_is_written_again_the_same(self, tmp_path: Path) -> None:
        clip = talking_clip()
        path = write_livelink_csv(clip, tmp_path / "a.csv")
        got = read_livelink_csv(path)
        assert write_livelink_csv(got, tmp_path / "b.csv").read_bytes() == path.read_bytes()
        for back, meant in zip(got.frames, clip.frames, strict=True):
            assert back.time_s == pytest.approx(meant.time_s, abs=1e-5)
            np.testing.assert_allclose(back.weights, meant.weights, atol=0.6e-10, rtol=1e-7)
            for name in ("head_wxyz", "left_eye_wxyz", "right_eye_wxyz"):
                np.testing.assert_allclose(getattr(back, name), getattr(meant, name), atol=2e-6)

    def test_leaves_out_rows_without_a_face_and_takes_the_old_spelling(self, tmp_path: Path) -> None:
        lines = list(livelink_lines(talking_clip(0.1).frames))
        lines[0] = lines[0].replace("BlendshapeCount", "BlendShapeCount")
        lines[2] = lines[2].split(",")[0] + ",0\n"
        lines[3] = lines[3].replace(",61,", ",0,")
        (tmp_path / "a.csv").write_text("".join(lines))
        times = [each.time_s for each in read_livelink_csv(tmp_path / "a.csv").frames]
        assert times == pytest.approx([0, 3 / 60, 4 / 60, 5 / 60, 6 / 60])

    def test_of_a_phone_begins_at_zero_and_may_run_past_midnight(self, tmp_path: Path) -> None:
        lines = list(livelink_lines(talking_clip(0.1).frames))
        for at, code in enumerate(["23:59:59:58.500", "23:59:59:59.501", "00:00:00:00.503"], start=1):
            lines[at] = code + lines[at][lines[at].index(",") :]
        (tmp_path / "a.csv").write_text("".join(lines[:4]))
        times = [each.time_s for each in read_livelink_csv(tmp_path / "a.csv").frames]
        assert times == pytest.approx([0, 1.001 / 60, 2.003 / 60])
        kept = read_livelink_csv(tmp_path / "a.csv", keep_clock=True).frames[0].time_s
        assert kept == pytest.approx(86400 - 1.5 / 60)

    def test_counts_no_further_than_a_day(self) -> None:
        with pytest.raises(LimitError):
            list(livelink_lines([frame(time_s=86400.0)]))


def changed(path: Path, change: Callable[[str], str]) -> Path:
    path.write_text(change(path.read_text()))
    return path


DAMAGES: dict[str, tuple[Callable[[str], str], type[InputError], str]] = {
    "nothing in it": (lambda _: "", UnreadableError, "empty"),
    "only a header": (lambda text: text.split("\n")[0], UnreadableError, "0 frames"),
    "a cut row": (lambda text: text[: len(text) * 2 // 3 - 5], UnreadableError, "fields"),
    "a word for a number": (lambda text: text.replace("0.000000", "zero", 1), UnreadableError, "line 2"),
    "NaN": (lambda text: text.replace("0.000000", "nan", 1), UnreadableError, "line 2"),
    "a number only Python reads": (lambda text: text.replace("0.000000", "0_0", 1), UnreadableError, "line 2"),
    "infinity": (lambda text: text.replace("0.000000", "1e999", 1), UnreadableError, "NaN or infinity"),
    "a weight of two": (lambda text: text.replace(",0.", ",2.", 1), UnreadableError, "frame 0 has a weight outside"),
    "another table": (lambda text: text.replace("jawOpen", "jawAjar"), UnsupportedFormatError, "jawOpen"),
    "a column twice": (lambda text: text.replace("jawLeft", "jawRight"), UnsupportedFormatError, "jawLeft"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_csv_ends_in_an_error_that_names_the_fault(damage: str, tmp_path: Path) -> None:
    change, error, message = DAMAGES[damage]
    path = changed(write_csv(talking_clip(0.1), tmp_path / "a.csv"), change)
    with pytest.raises(error, match=message) as caught:
        read_csv(path)
    assert caught.value.file == str(path)


@pytest.mark.parametrize(
    "code", ["", "1", "00:00:00", "00:00:00:00:00", "00:61:00:00.0", "00:00:00:60.000", "0a:00:00:00.0", "-1:00:00:00.0",
             "00:00:00.5:00", "00:00:00:1e1", "99999999999:00:00:00.0", "١:00:00:00.x"],
)  # fmt: skip
def test_a_timecode_that_does_not_exist_is_refused(code: str, tmp_path: Path) -> None:
    lines = list(livelink_lines([frame()]))
    (tmp_path / "a.csv").write_text(lines[0] + code + lines[1][lines[1].index(",") :])
    with pytest.raises(UnreadableError, match="timecode"):
        read_livelink_csv(tmp_path / "a.csv")


def test_a_time_that_goes_back_is_refused(tmp_path: Path) -> None:
    lines = list(livelink_lines(talking_clip(0.1).frames))
    (tmp_path / "a.csv").write_text(lines[0] + lines[2] + lines[1])
    with pytest.raises(UnreadableError, match="frame 1 is not later"):
        read_livelink_csv(tmp_path / "a.csv", keep_clock=True)


def test_the_one_table_is_not_taken_for_the_other(tmp_path: Path) -> None:
    ours = write_csv(talking_clip(0.1), tmp_path / "a.csv")
    with pytest.raises(UnsupportedFormatError, match="Live Link Face"):
        read_livelink_csv(ours)
    with pytest.raises(UnsupportedFormatError, match="columns"):
        read_csv(write_livelink_csv(talking_clip(0.1), tmp_path / "b.csv"))


@pytest.mark.parametrize("read", [read_csv, read_livelink_csv])
def test_what_is_no_text_file_is_refused(
    read: Callable[[Path], BlendshapeClip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "noise.csv").write_bytes(bytes(range(256)))
    for path in (tmp_path, tmp_path / "absent.csv", tmp_path / "noise.csv"):
        with pytest.raises(UnreadableError):
            read(path)
    if os.name == "posix":
        os.mkfifo(tmp_path / "pipe.csv")
        with pytest.raises(UnreadableError, match="regular"):
            read(tmp_path / "pipe.csv")
    monkeypatch.setattr(clip_file, "MAX_BYTES", 100)
    with pytest.raises(LimitError):
        read(tmp_path / "noise.csv")


@pytest.mark.parametrize(
    "frames",
    [
        (),
        (frame(), frame()),
        (frame(time_s=-1.0),),
        (frame(weights=np.full(52, 1.5, np.float32)),),
        (frame(weights=np.full(52, np.nan, np.float32)),),
        (frame(head_wxyz=np.zeros(4, np.float32)),),
    ],
)
def test_a_clip_that_breaks_its_promises_is_not_written(frames: tuple[Frame, ...], tmp_path: Path) -> None:
    for write in (write_csv, write_livelink_csv):
        with pytest.raises(OutputInvalidError):
            write(BlendshapeClip(frames), tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_jaw_and_mouth_keep_their_sides() -> None:
    weights = np.zeros(52, np.float32)
    weights[[ARKIT_INDEX["jawLeft"], ARKIT_INDEX["mouthRight"]]] = 1
    row = livelink_row(weights=weights)
    assert (row["JawLeft"], row["JawRight"], row["MouthLeft"], row["MouthRight"]) == (
        "1.0000000000", "0.0000000000", "0.0000000000", "1.0000000000",
    )  # fmt: skip
