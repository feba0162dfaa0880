"""Make a finished directory appear all at once, or not at all."""

import hashlib
import json
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any, Final

from avatar3d.core.durable import advise, process_lives, sync_folder, write_atomically
from avatar3d.core.errors import DiskError

MANIFEST: Final = "manifest.json"


@contextmanager
def publishing(target: Path) -> Generator[Path, None, None]:
    """A private folder to fill; when the block ends well it takes the place of `target` in one step.

    When the block fails, `target` is as it was and nothing is left beside it, nor of the folders above it that were
    made for it. What a killed run left is swept.
    Raises DiskError for whatever the disk refuses, and for a `target` that holds anything but an avatar of ours.
    """
    fresh = target.parent / f".{target.name}.{os.getpid()}.new"
    stale = target.parent / f".{target.name}.{os.getpid()}.old"
    missing = [folder for folder in target.parents if not os.path.lexists(folder)]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        _refuse_foreign(target)
        fresh.mkdir()
        yield fresh
        if target.exists():
            target.replace(stale)
        fresh.replace(target)
        sync_folder(target.parent)
    except OSError as cause:
        raise DiskError(
            f"Cannot write {target}: {cause.strerror or cause}.",
            hint=advise(cause),
            id="DISK_WRITE",
            file=target,
        ) from cause
    finally:
        if os.path.lexists(stale) and not os.path.lexists(target):  # unlike Path.exists, quiet about a name too long
            stale.replace(target)
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(stale, ignore_errors=True)
        for folder in missing:
            with suppress(OSError):  # only an empty folder goes: it may hold this avatar, or another run's
                folder.rmdir()


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> Path:
    """manifest.json: the facts, and size and SHA-256 of every file in the folder. Written last."""
    files = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name in _names_in(folder)
        for content in [(folder / name).read_bytes()]
    }
    content = json.dumps({**facts, "files": files}, indent=1, sort_keys=True)
    return write_atomically(folder / MANIFEST, content.encode())


def _refuse_foreign(target: Path) -> None:
    """Only an empty folder, or one whose manifest lists every file in it, may be replaced."""
    if not target.is_symlink() and not target.exists():
        return
    strangers = [target.name]
    if target.is_dir() and not target.is_symlink():
        strangers = sorted(set(_names_in(target)) - _own_files(target))
    if strangers:
        raise DiskError(
            f"{target} already holds {strangers[0]!r}, which avatar3d did not write; it is left as it is.",
            hint="Choose another folder with -o or another name with --name, or move it away.",
            id="DISK_OCCUPIED",
            file=target,
        )


def _names_in(folder: Path) -> list[str]:
    """Every file below, "images/0001.png"; and folders that hold none."""
    inside = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir() or not any(path.iterdir())]
    return sorted(path.relative_to(folder).as_posix() for path in inside)


def _own_files(folder: Path) -> set[str]:
    """What the folder's manifest says we wrote, and the manifest; nothing without a readable one."""
    try:
        listed = json.loads((folder / MANIFEST).read_bytes())["files"]
        return {MANIFEST, *listed}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _sweep(target: Path) -> None:
    """Put right what killed runs left: an old directory without its successor comes back, the rest goes."""
    for leftover in sorted(target.parent.glob(f".{escape(target.name)}.*.*")):
        owner, kind = leftover.name.rsplit(".", 2)[1:]
        if kind not in {"new", "old"} or not owner.isdigit() or process_lives(int(owner)):
            continue
        if kind == "old" and not target.exists():
            leftover.replace(target)
        else:
            shutil.rmtree(leftover, ignore_errors=True)
