"""Make a finished directory appear all at once, or not at all."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from avatar3d.core.errors import DiskError


def publish_directory(target: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Path:
    """Write `files` and then manifest.json beside `target`, and move the whole into its place.

    An older `target` stays untouched until the new one is complete on disk; a directory without a
    manifest was never finished. Raises DiskError; leaves nothing half-written.
    """
    fresh = target.parent / f".{target.name}.{os.getpid()}.new"
    stale = target.parent / f".{target.name}.{os.getpid()}.old"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        for name, content in files.items():
            _write(fresh / name, content)
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
        _write(fresh / "manifest.json", json.dumps({**manifest, "files": sums}, indent=1, sort_keys=True).encode())
        if target.exists():
            os.replace(target, stale)
        os.replace(fresh, target)
    except OSError as cause:
        if stale.exists() and not target.exists():
            os.replace(stale, target)
        raise DiskError(
            f"cannot write {target}: {cause.strerror or cause}.",
            hint="Free some space or choose another folder with -o.",
            id="DISK_WRITE",
            file=target,
        ) from cause
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(stale, ignore_errors=True)
    _sync_directory(target.parent)
    return target


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_directory(path: Path) -> None:
    """Make the rename itself durable where the system allows it (Windows does not)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
