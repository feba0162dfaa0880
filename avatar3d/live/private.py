"""Files that only their owner may read: the token that native programs take, the key of --lan, the saved grants."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avatar3d.core.durable import advise, process_lives, sync_folder
from avatar3d.core.errors import DiskError, UnreadableError


def state_folder(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where this user's programs keep what is theirs and no document: not yet made."""
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "avatar3d"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "avatar3d"
    return Path(environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "avatar3d"


def write_private(path: Path, content: bytes) -> Path:
    """Write a file that only its owner may read (0600), atomically; its folder is made, or made private (0700).

    Raises DiskError (40).
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
        temporary.unlink(missing_ok=True)
        # O_EXCL: what somebody put there beforehand, a link say, is not written to.
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise DiskError(f"Cannot write {path}: {error.strerror or error}.", hint=advise(error), file=path) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


@dataclass(frozen=True)
class TokenFile:
    """What a native program on this machine needs to find the bridge."""

    url: str
    token: str
    process: int

    @property
    def is_stale(self) -> bool:
        """Its bridge was killed: the next one may take up the token, so that clients find it again by themselves."""
        return not process_lives(self.process)

    def write(self, path: Path) -> Path:
        """Raises DiskError (40)."""
        return write_private(path, json.dumps(self.__dict__, indent=1).encode() + b"\n")

    @classmethod
    def read(cls, path: Path) -> "TokenFile | None":
        """None when there is none. Raises UnreadableError (10) for another file, or one that others may read."""
        try:
            if os.name == "posix" and path.stat().st_mode & 0o077:
                raise UnreadableError(
                    f"expected {path} to be readable by you alone.", hint="Remove it: its token is known.", file=path
                )
            content: Any = json.loads(path.read_bytes())
            return cls(str(content["url"]), str(content["token"]), int(content["process"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as cause:
            raise UnreadableError(f"expected {path} to be a bridge's token.", hint="Remove it.", file=path) from cause
