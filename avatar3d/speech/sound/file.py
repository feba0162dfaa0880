"""Sound files lent to decoders a region at a time."""

import io
import os
from io import BufferedReader, FileIO
from typing import Final

_BUFFER_BYTES: Final = 1 << 16


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
