"""Writing files so that a crash leaves the old file or the new one, never half of one."""

import errno
import os
import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from avatar3d.core.errors import DiskError

# A temporary's name tells whose it is: ".NAME.PID.tmp"; a dead owner's temporaries are swept.
_TEMPORARY: Final = re.compile(r"^\..+\.(\d+)\.tmp$")
_FULL: Final = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_FORBIDDEN: Final = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_PLACE: Final = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EINVAL,
}


def write_atomically(path: Path | str, content: bytes) -> Path:
    """Write `content` to `path`: temporary beside it, fsync, rename, fsync of the folder.

    Makes the folder when it is missing. Raises DiskError (40) when the disk is full, read-only or forbidden;
    whatever stood at `path` before is then untouched and no temporary is left.
    """
    return stream_atomically(path, (content,))


def stream_atomically(path: Path | str, pieces: Iterable[bytes]) -> Path:
    """`write_atomically` for what is made piece by piece and need not fit into memory.

    When making a piece fails, or the user stops it, nothing is written either.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name[:200]}.{os.getpid()}.tmp")
    written = 0
    try:
        with _telling(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            stream = temporary.open("wb")
        with stream:
            for piece in pieces:  # whatever this raises is not the disk's fault
                with _telling(target, written + len(piece)):
                    stream.write(piece)
                written += len(piece)
            with _telling(target, written):
                stream.flush()
                os.fsync(stream.fileno())
        with _telling(target, written):
            temporary.replace(target)
            sync_folder(target.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return target


@contextmanager
def _telling(target: Path, count: int = 0) -> Generator[None, None, None]:
    """OSError as DiskError."""
    try:
        yield
    except OSError as error:
        raise DiskError(
            f"Cannot write {f'{count:,} bytes to ' if count else ''}{target}: {error.strerror or error}.",
            hint=advise(error),
            file=target,
        ) from error


def advise(error: OSError) -> str:
    """What to do about a write that the system refused: by what it refused, not by guess."""
    if error.errno in _FULL:
        return "Free some space, or choose a folder on another disk."
    if error.errno in _FORBIDDEN:
        return "Choose a folder you may write to."
    if error.errno in _NO_PLACE:
        return "No folder can be made at that path; choose another."
    return "Check the disk, or choose a folder on another one."


def sweep_temporaries(folder: Path | str) -> list[Path]:
    """Remove what killed runs of `write_atomically` left in `folder`; returns what was removed.

    A temporary whose process still lives is kept: it may be another run at work.
    """
    removed: list[Path] = []
    for entry in sorted(Path(folder).iterdir()):
        owner = _TEMPORARY.match(entry.name)
        if owner and entry.is_file() and not process_lives(int(owner[1])):
            entry.unlink(missing_ok=True)
            removed.append(entry)
    return removed


def sync_folder(folder: Path) -> None:
    """Make the rename itself durable; Windows has no such call and needs none."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def process_lives(pid: int) -> bool:
    """Whether a process of that number runs. On Windows os.kill would end it, so there: assume it does."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
