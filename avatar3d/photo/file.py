"""The files people give: opened without ever waiting on a pipe or a device, and read only within a limit."""

import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from avatar3d.core.errors import LimitError, UnreadableError

_LONGEST_NAME: Final = 80


def shown_path(path: Path) -> str:
    """The path as text that can be printed anywhere: no broken surrogates, no control characters."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def first_bytes(path: Path, count: int) -> bytes:
    """The beginning of a file; nothing when it cannot be read."""
    try:
        with _opened(path) as file:
            return file.read(count)
    except (UnreadableError, OSError):
        return b""


def read_file(path: Path, limit: int, *, too_large: str, hint: str) -> bytes:
    """All bytes of a regular file.

    Raises UnreadableError (10), and LimitError (12) with the id `too_large` and the hint for one of more than `limit`.
    """
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            data = file.read(limit + 1) if size <= limit else b""
        except OSError as error:
            what = f"cannot be read: {error.strerror or error}."
            raise _refused(path, what, "Copy the file to this machine's disk.", "FILE_UNREADABLE") from None
    if max(size, len(data)) > limit:
        raise LimitError(
            f'"{_short(path)}" has {max(size, len(data)):,} bytes; the limit is {limit:,}.',
            hint=hint,
            id=too_large,
            file=shown_path(path),
        )
    return data


def _opened(path: Path) -> BinaryIO:
    """The file, if it is a regular one."""
    try:
        # O_NONBLOCK: opening a pipe without a writer returns at once instead of waiting for one.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise _refused(path, "does not exist.", "Check the path.", "FILE_MISSING") from None
    except PermissionError:
        hint = "Check who may read the file."
        raise _refused(path, "may not be read (permission denied).", hint, "FILE_FORBIDDEN") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a usable path"
        raise _refused(path, f"cannot be opened: {reason}.", "Check the path.", "FILE_UNREADABLE") from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device"
        what = f"is {kind}, not a picture file."
        raise _refused(path, what, "Give the path of a picture file.", "FILE_NOT_REGULAR")
    return os.fdopen(handle, "rb")


def _refused(path: Path, what: str, hint: str, id: str) -> UnreadableError:
    return UnreadableError(f'"{_short(path)}" {what}', hint=hint, id=id, file=shown_path(path))


def _short(path: Path) -> str:
    """The file's own name, its middle left out when it is too long for a sentence."""
    shown = shown_path(path)
    name = Path(shown).name or shown
    return name if len(name) <= _LONGEST_NAME else name[:60] + "..." + name[-15:]
