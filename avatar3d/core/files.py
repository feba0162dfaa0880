"""The files people give: opened without ever waiting on a pipe or a device, and named so that a sentence can hold them."""

import os
import stat
from io import FileIO
from pathlib import Path
from typing import Final

from avatar3d.core.errors import UnreadableError

_LONGEST_NAME: Final = 80


def open_given(path: Path, kind: str) -> FileIO:
    """The file, unbuffered, if it is a regular one; `kind` says what it ought to be, such as "sound".

    Raises UnreadableError (10); never hangs on a pipe or a device.
    """
    try:
        # O_NONBLOCK: opening a pipe without a writer returns at once instead of waiting for one.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise refused(path, "does not exist.", "Check the path.", "FILE_MISSING") from None
    except PermissionError:
        hint = "Check who may read the file."
        raise refused(path, "may not be read (permission denied).", hint, "FILE_FORBIDDEN") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a usable path"
        raise refused(path, f"cannot be opened: {reason}.", "Check the path.", "FILE_UNREADABLE") from None
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        found = "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"
        what = f"is {found}, not a {kind} file."
        raise refused(path, what, f"Give the path of a {kind} file.", "FILE_NOT_REGULAR")
    return FileIO(handle, "rb")


def refused(path: Path, what: str, hint: str, id: str) -> UnreadableError:
    """The error for a file that cannot be used; `what` ends the sentence that its name begins."""
    return UnreadableError(f'"{short_name(path)}" {what}', hint=hint, id=id, file=shown_path(path))


def shown_path(path: Path) -> str:
    """The path as text that can be printed anywhere: no broken surrogates, no control characters."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def short_name(path: Path) -> str:
    """The file's own name, its middle left out when it is too long for a sentence."""
    shown = shown_path(path)
    name = Path(shown).name or shown
    return name if len(name) <= _LONGEST_NAME else name[:60] + "..." + name[-15:]
