"""The pictures and videos people give, read only within a limit."""

import os
from io import BufferedReader
from pathlib import Path

from avatar3d.core.errors import LimitError, UnreadableError
from avatar3d.core.files import open_given, refused, short_name, shown_path


def first_bytes(path: Path, count: int) -> bytes:
    """The beginning of a file; nothing when it cannot be read."""
    try:
        with open_picture(path) as file:
            return file.read(count)
    except (UnreadableError, OSError):
        return b""


def read_file(path: Path, limit: int, *, too_large: str, hint: str) -> bytes:
    """All bytes of a regular file.

    Raises UnreadableError (10), and LimitError (12) with the id `too_large` and the hint for one of more than `limit`.
    """
    with open_picture(path) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            data = file.read(limit + 1) if size <= limit else b""
        except OSError as error:
            what = f"cannot be read: {error.strerror or error}."
            raise refused(path, what, "Copy the file to this machine's disk.", "FILE_UNREADABLE") from None
    if max(size, len(data)) > limit:
        raise LimitError(
            f'"{short_name(path)}" has {max(size, len(data)):,} bytes; the limit is {limit:,}.',
            hint=hint,
            id=too_large,
            file=shown_path(path),
        )
    return data


def open_picture(path: Path) -> BufferedReader:
    """The file, if it is a regular one. Raises UnreadableError (10); never hangs on a pipe or a device."""
    return BufferedReader(open_given(path, "picture"))
