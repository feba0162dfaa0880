"""Opens the file of a clip that somebody gave: a regular file of bounded size, or an error that says why not."""

import stat
from pathlib import Path
from typing import Final

from avatar3d.core.errors import LimitError, UnreadableError, UnsupportedFormatError

MAX_BYTES: Final = 2**29
"""More than MAX_FRAMES need in any of our formats but the longest text."""


def read_clip_file(file: Path) -> bytes:
    """The whole file. A pipe or a device is never opened.

    Raises UnreadableError (10) when it cannot be read, LimitError (12) when it is too large.
    """
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise broken(file, "it is not a regular file")
        if status.st_size > MAX_BYTES:
            raise too_large(file, f"it has {status.st_size:,} bytes, the limit is {MAX_BYTES:,}")
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES)
    except (OSError, ValueError) as error:
        raise broken(file, getattr(error, "strerror", None) or str(error)) from error
    if not content:
        raise broken(file, "it is empty")
    return content


def broken(file: Path, what: str) -> UnreadableError:
    """The error for a clip that is damaged or contradicts itself."""
    return UnreadableError(
        f'Cannot read the clip "{file.name}": {what}.', hint="Copy or export it again.", id="CLIP_INVALID", file=file
    )


def not_a_clip(file: Path, what: str, hint: str) -> UnsupportedFormatError:
    """The error for a file that is well, but of another kind."""
    return UnsupportedFormatError(f'"{file.name}" is no such clip: {what}.', hint=hint, id="CLIP_FORMAT", file=file)


def too_large(file: Path, what: str) -> LimitError:
    """The error for a clip that asks for more than we give."""
    return LimitError(
        f'The clip "{file.name}" is too large: {what}.',
        hint="Cut it into shorter ones.",
        id="CLIP_TOO_LARGE",
        file=file,
    )
