"""Clips in the names of other programs, as text: `time` in seconds, then one column per name.

Plain decimals, six digits. Which vocabulary it is, whoever reads it tells by the names; heads, eyes and what a vocabulary has no name
for are not in it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.core.durable import write_atomically
from avatar3d.formats.clip_arrays import MAX_FRAMES
from avatar3d.formats.clip_file import broken, not_a_clip, read_clip_file, too_large

_MOST_NAMES: Final = 1000
_LONGEST_HEADER: Final = 65_536


def write_named_csv(
    path: Path | str, names: Sequence[str], time_s: Float64[np.ndarray, "T"], values: Float64[np.ndarray, "T N"]
) -> Path:
    """Write it, atomically. Raises DiskError (40)."""
    rows = [",".join(f"{value:.6f}" for value in (at, *row)) for at, row in zip(time_s, values + 0.0, strict=True)]
    return write_atomically(path, "\n".join([",".join(("time", *names)), *rows, ""]).encode())


def header_of(path: Path | str) -> tuple[str, ...]:
    """The names of the columns. Raises UnreadableError (10), LimitError (12)."""
    first = read_clip_file(Path(path)).split(b"\n", 1)[0][:_LONGEST_HEADER]
    return tuple(name.strip() for name in first.decode("utf-8-sig", "replace").split(","))


def read_named_csv(path: Path | str) -> tuple[tuple[str, ...], Float64[np.ndarray, "T"], Float64[np.ndarray, "T N"]]:
    """Names, times and values.

    Raises UnreadableError (10), UnsupportedFormatError (11) for another table, LimitError (12).
    """
    file = Path(path)
    names = header_of(file)
    if names[0] != "time" or not 1 < len(names) <= _MOST_NAMES or len(set(names)) != len(names):
        raise not_a_clip(file, "its first line is not time and names", "Give a clip that convert-clip wrote.")
    try:
        lines = [line for line in read_clip_file(file).decode("utf-8-sig").splitlines()[1:] if line.strip()]
    except UnicodeDecodeError as error:
        raise broken(file, "it is not text in UTF-8") from error
    if len(lines) > MAX_FRAMES:
        raise too_large(file, f"it has {len(lines):,} rows, the limit is {MAX_FRAMES:,}")
    table = np.zeros((len(lines), len(names)))
    for row, line in enumerate(lines):
        fields = line.split(",")
        if len(fields) != len(names):
            raise broken(file, f"row {row + 1} has {len(fields)} fields, expected {len(names)}")
        try:
            table[row] = [float(field.replace("_", "?")) for field in fields]
        except ValueError as error:
            raise broken(file, f"row {row + 1} holds something that is no number") from error
    if not len(table) or not np.isfinite(table).all() or (np.diff(table[:, 0]) <= 0).any():
        raise broken(file, "it has no rows, NaN or infinity, or a time that is not later than the one before")
    return names[1:], table[:, 0], table[:, 1:]
