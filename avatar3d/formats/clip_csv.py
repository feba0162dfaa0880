"""Clips as text: our `csv` and the CSV of Epic's Live Link Face app for iPhone ("livelink-csv").

    csv             time,browDownLeft,...,tongueOut                            seconds of the sound, the 52 in ARKIT_NAMES order
    livelink-csv    Timecode,BlendshapeCount,EyeBlinkLeft,...,RightEyeRoll     61 values: 52 shapes, 9 angles in radians

Both are plain decimals. A timecode is HH:MM:SS:FF.sss, FF.sss counting sixtieths of a second whatever the rate of the recording:
so Unreal's importer reads it (LiveLinkFaceImporterFactory.cpp divides by 60), and so recordings at 30 Hz step by 2.0. That
importer wants the first two columns so named (in any case: the app of 2021 wrote BlendShapeCount). The app writes a row with the
count 0 while it sees no face; such rows are left out here. Signs and order: core/livelink.py.

Neither carries TONGUE_NAMES, and `csv` neither head nor eyes: what is not there reads as rest.
Reading what was written gives it back to the printed digit: 6 decimals, but 10 of a shape's weight in livelink-csv.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.core.blendshapes import ARKIT_NAMES, TONGUE_NAMES, BlendshapeClip, Frame
from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import LimitError
from avatar3d.core.livelink import (
    LIVELINK_ANGLES,
    LIVELINK_FROM_ARKIT,
    LIVELINK_SHAPES,
    eye_angles,
    eye_rotation,
    head_angles,
    head_rotation,
)
from avatar3d.formats.clip_arrays import MAX_FRAMES, ClipArrays, find_fault, stack_clip, unstack_clip
from avatar3d.formats.clip_file import broken, not_a_clip, read_clip_file, too_large

_HEADER: Final = ("time", *ARKIT_NAMES)
_LIVELINK_HEADER: Final = ("Timecode", "BlendshapeCount", *LIVELINK_SHAPES, *LIVELINK_ANGLES)
_VALUES: Final = len(LIVELINK_SHAPES) + len(LIVELINK_ANGLES)
_TICK_HZ: Final = 60_000
"""A timecode's last digit: a thousandth of a sixtieth of a second."""
_DAY_S: Final = 86_400
_LONGEST_LINE: Final = 4096


def csv_lines(frames: Iterable[Frame]) -> Iterator[str]:
    """Header and rows of `csv`, each with its line end: for whoever writes while the sound still comes."""
    yield ",".join(_HEADER) + "\n"
    for frame in frames:
        yield f"{frame.time_s:.6f}," + ",".join(f"{weight:.6f}" for weight in frame.weights.tolist()) + "\n"


def livelink_lines(frames: Iterable[Frame]) -> Iterator[str]:
    """Header and rows of `livelink-csv`, each with its line end. Raises LimitError (12) from 24 hours on."""
    yield ",".join(_LIVELINK_HEADER) + "\n"
    for frame in frames:
        weights = ",".join(f"{weight:.10f}" for weight in frame.weights[LIVELINK_FROM_ARKIT].tolist())
        turns = (head_angles(frame.head_wxyz), eye_angles(frame.left_eye_wxyz), eye_angles(frame.right_eye_wxyz))
        # A float32 quaternion knows an angle to 2e-7: six decimals are what comes back.
        angles = ",".join(f"{round(angle, 6) + 0.0:.10f}" for turn in turns for angle in turn)
        yield f"{_timecode(frame.time_s)},{_VALUES},{weights},{angles}\n"


def write_csv(clip: BlendshapeClip, path: Path | str) -> Path:
    """Write `csv`, atomically. Raises OutputInvalidError (30) for a clip that breaks its promises, DiskError (40)."""
    stack_clip(clip)
    return write_atomically(path, "".join(csv_lines(clip.frames)).encode())


def write_livelink_csv(clip: BlendshapeClip, path: Path | str) -> Path:
    """Write `livelink-csv`, atomically; the timecode counts from the clip's time zero. Raises as `write_csv` and `livelink_lines`."""
    stack_clip(clip)
    return write_atomically(path, "".join(livelink_lines(clip.frames)).encode())


def read_csv(path: Path | str) -> BlendshapeClip:
    """Read `csv`, columns in any order.

    Raises UnreadableError (10), UnsupportedFormatError (11) for another table, LimitError (12).
    """
    file = Path(path)
    header, rows = _table(file)
    column = {name: at for at, name in enumerate(header)}
    if sorted(header) != sorted(_HEADER):
        missing = [name for name in _HEADER if name not in column]
        told = f"it lacks the columns {missing[:3]}" if missing else "it has further columns"
        raise not_a_clip(file, told, "Expected: time in seconds, then the 52 ARKit names.")
    values = np.array([_numbers(file, row, fields) for row, fields in rows]).reshape(-1, len(header))
    return _clip(file, values[:, column["time"]], values[:, [column[name] for name in ARKIT_NAMES]])


def read_livelink_csv(path: Path | str, *, keep_clock: bool = False) -> BlendshapeClip:
    """Read `livelink-csv`. Time zero is the first row, or with `keep_clock` that of the timecode: a phone writes the time of day.

    Raises UnreadableError (10), UnsupportedFormatError (11) for another table, LimitError (12).
    """
    file = Path(path)
    header, rows = _table(file)
    if [name.lower() for name in header] != [name.lower() for name in _LIVELINK_HEADER]:
        raise not_a_clip(
            file, "its columns are not those of Live Link Face", "Give the _iPhone.csv or _cal.csv of a take."
        )
    clock: list[float] = []
    kept: list[Float64[np.ndarray, "N"]] = []
    for row, (code, count, *fields) in rows:
        if count.strip() in ("0", "0.0"):  # no face seen
            continue
        now = _seconds(file, row, code)
        if clock and now < clock[-1] - _DAY_S / 2:  # past midnight
            now += _DAY_S
        clock.append(now)
        kept.append(_numbers(file, row, fields))
    values = np.array(kept).reshape(-1, _VALUES)
    time_s = np.array(clock) - (clock[0] if clock and not keep_clock else 0.0)
    weights = np.zeros((len(values), len(ARKIT_NAMES)))
    weights[:, LIVELINK_FROM_ARKIT] = values[:, : len(LIVELINK_SHAPES)]
    return _clip(file, time_s.round(9), weights, values[:, len(LIVELINK_SHAPES) :])


def _clip(
    file: Path,
    time_s: Float64[np.ndarray, "T"],
    weights: Float64[np.ndarray, "T 52"],
    angles: Float64[np.ndarray, "T 9"] | None = None,
) -> BlendshapeClip:
    head = np.tile(np.array([1, 0, 0, 0], np.float32), (len(time_s), 1))
    eyes = np.tile(head[:, None], (1, 2, 1))
    for at, (hy, hp, hr, ly, lp, lr, ry, rp, rr) in enumerate([] if angles is None else angles.tolist()):
        head[at] = head_rotation((hy, hp, hr))
        eyes[at] = eye_rotation((ly, lp, lr)), eye_rotation((ry, rp, rr))
    tongue = np.zeros((len(time_s), len(TONGUE_NAMES)), np.float32)
    arrays = ClipArrays(time_s, weights.astype(np.float32), head, eyes, tongue)
    fault = find_fault(arrays)
    if fault:
        raise broken(file, fault)
    return unstack_clip(arrays)


def _table(file: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The header, and the rows with their numbers in the file, each as long as the header."""
    try:
        lines = read_clip_file(file).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise broken(file, "it is not text in UTF-8") from error
    if len(lines) > MAX_FRAMES + 1:
        raise too_large(file, f"it has {len(lines):,} rows, the limit is {MAX_FRAMES:,}")
    header = [name.strip() for name in lines[0][:_LONGEST_LINE].split(",")] if lines else []

    def rows() -> Iterator[tuple[int, list[str]]]:
        for row, line in enumerate(islice(lines, 1, None), start=2):
            fields = line[:_LONGEST_LINE].split(",")
            if len(fields) != len(header) and line.strip():
                if fields[1:2] == ["0"]:  # Live Link Face ends the row here while it sees no face
                    fields += ["0"] * (len(header) - len(fields))
                else:
                    raise broken(file, f"line {row} has {len(fields)} fields, expected {len(header)}")
            if line.strip():
                yield row, fields

    return header, rows()


def _numbers(file: Path, row: int, fields: list[str]) -> Float64[np.ndarray, "N"]:
    try:
        # Python's float() takes 1_0 for 10, too.
        values = np.array([float(field.replace("_", "?")) for field in fields])
    except ValueError as error:
        raise broken(file, f"line {row} holds something that is no number") from error
    if not np.isfinite(values).all():
        raise broken(file, f"line {row} holds NaN or infinity")
    return values


def _timecode(time_s: float) -> str:
    ticks = round(time_s * _TICK_HZ)
    if ticks >= _DAY_S * _TICK_HZ:
        raise LimitError("A timecode counts to 24 hours.", hint="Cut the sound into shorter ones.", id="CLIP_TOO_LARGE")
    seconds, ticks = divmod(ticks, _TICK_HZ)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}:{ticks // 1000:02d}.{ticks % 1000:03d}"


def _seconds(file: Path, row: int, code: str) -> float:
    parts = code.strip().split(":")
    plain = len(parts) == 4 and all(part.replace(".", "", 1).isdecimal() and len(part) < 10 for part in parts)
    if not plain or any("." in part for part in parts[:3]):
        raise broken(file, f"line {row} begins with {code[:20]!r}, expected a timecode HH:MM:SS:FF.sss")
    hours, minutes, seconds, sixtieths = (float(part) for part in parts)
    if minutes >= 60 or seconds >= 60 or sixtieths >= 60:
        raise broken(file, f"line {row} has the timecode {code[:20]!r}, which does not exist")
    return hours * 3600 + minutes * 60 + seconds + sixtieths / 60
