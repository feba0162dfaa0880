"""Sound files as people give them: opened without waiting on a pipe, and lent to decoders a region at a time."""

import io
import os
import stat
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Final

from avatar3d.core.errors import UnreadableError

_LONGEST_NAME: Final = 80
_BUFFER_BYTES: Final = 1 << 16


def open_file(path: Path) -> FileIO:
    """The file, unbuffered, if it is a regular one. Raises UnreadableError (10); never hangs on a pipe or a device."""
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
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"
        hint = "Give the path of a sound file."
        raise _refused(path, f"is {kind}, not a sound file.", hint, "FILE_NOT_REGULAR")
    return FileIO(handle, "rb")


def shown_path(path: Path) -> str:
    """The path as text that can be printed anywhere: no broken surrogates, no control characters."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def short_name(path: Path) -> str:
    """The file's own name, its middle left out when it is too long for a sentence."""
    shown = shown_path(path)
    name = Path(shown).name or shown
    return name if len(name) <= _LONGEST_NAME else name[:60] + "..." + name[-15:]


def file_bytes(file: FileIO) -> int:
    return os.fstat(file.fileno()).st_size


def bytes_at(file: FileIO, at: int, count: int) -> bytes:
    """At most so many bytes from there; fewer at the end of the file."""
    file.seek(at)
    return file.read(count) or b""


def region(file: FileIO, start: int, end: int, *, before: bytes = b"") -> BufferedReader:
    """The bytes from `start` to `end` as a file of their own, after some of ours.

    It keeps its own place, so that several can be read in turn from one file, by one thread.
    """
    return BufferedReader(_Region(file, start, end, before), _BUFFER_BYTES)


class _Region(io.RawIOBase):
    """What `region` says; closing it leaves the file open."""

    def __init__(self, file: FileIO, start: int, end: int, before: bytes) -> None:
        self._file, self._start, self._end, self._before = file, start, end, before
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        length = len(self._before) + self._end - self._start
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: length}[whence])
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]  typeshed's Buffer
        beyond = self._at - len(self._before)
        if beyond < 0:
            part = self._before[self._at : self._at + len(buffer)]
        else:
            at = self._start + beyond
            part = bytes_at(self._file, at, min(len(buffer), max(0, self._end - at)))
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def _refused(path: Path, what: str, hint: str, id: str) -> UnreadableError:
    return UnreadableError(f'"{short_name(path)}" {what}', hint=hint, id=id, file=shown_path(path))
