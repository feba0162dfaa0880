# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live Link Face recordings (CSV) as faces. No bpy.

    Timecode,BlendshapeCount,EyeBlinkLeft,...,TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,...,RightEyeRoll

A timecode is HH:MM:SS:FF.sss, FF counting sixtieths of a second. Rows with the count 0 show no face and are left out.
"""

import csv
import math
from pathlib import Path

import numpy as np

from .frame import Face
from .livelink import face_of_values
from .wire_generated import LIVELINK_NAMES

_ANGLES = tuple(f"{what}{angle}" for what in ("head", "lefteye", "righteye") for angle in ("yaw", "pitch", "roll"))
_MOST_BYTES = 1 << 29
_MOST_ROWS = 60 * 60 * 60 * 4
_DAY_S = 86_400


class CsvError(ValueError):
    """The file is no such recording; the message says where and why."""


def read(path: Path | str) -> list[Face]:
    """The faces in order of time. Raises CsvError, or OSError when the file cannot be opened."""
    if Path(path).stat().st_size > _MOST_BYTES:
        raise CsvError("the file is larger than any recording")
    with Path(path).open(newline="", encoding="utf-8-sig", errors="replace") as text:
        try:
            return _faces(csv.reader(text))
        except csv.Error as cause:
            raise CsvError(f"this is no CSV: {cause}") from cause


def _faces(rows: "csv._reader") -> list[Face]:
    header = [name.strip().lower() for name in next(rows, [])]
    wanted = [name.lower() for name in LIVELINK_NAMES] + list(_ANGLES)
    missing = [name for name in ("timecode", "blendshapecount", *wanted) if name not in header]
    if missing:
        raise CsvError(f"this is no Live Link Face recording: there is no column {missing[0]!r}")
    time, count = header.index("timecode"), header.index("blendshapecount")
    columns = [header.index(name) for name in wanted]
    faces: list[Face] = []
    late_s = 0.0
    for line, row in enumerate(rows, 2):
        if not row or (len(row) > count and row[count].strip() == "0"):
            continue
        if len(faces) >= _MOST_ROWS:
            raise CsvError(f"there are more than {_MOST_ROWS:,} rows")
        try:
            values = np.array([float(row[column]) for column in columns])
            time_s = _seconds(row[time]) + late_s
        except (ValueError, IndexError):
            raise CsvError(f"line {line} cannot be read") from None
        if not np.isfinite(values).all():
            raise CsvError(f"line {line} holds a number that is none")
        if faces and time_s < faces[-1].time_s - _DAY_S / 2:  # the recording ran over midnight
            late_s += _DAY_S
            time_s += _DAY_S
        if not faces or time_s > faces[-1].time_s:
            faces.append(face_of_values(time_s, values))
    if not faces:
        raise CsvError("no row of it shows a face")
    return faces


def _seconds(code: str) -> float:
    hours, minutes, seconds, parts = (float(each) for each in code.strip().split(":"))
    total = hours * 3600 + minutes * 60 + seconds + parts / 60
    if not math.isfinite(total) or total < 0:
        raise ValueError(code)
    return total
