"""Who was let in at a port: known again after a crash, so that pages and headsets come back, for twelve hours after the last use.

Hashes, no tokens. Time comes in as an argument, in seconds since 1970: a file outlives a process.
"""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from avatar3d.core.errors import Avatar3dError
from avatar3d.live.auth import Tokens

_REMEMBERED_S: Final = 12 * 3600.0
_MOST: Final = 64
"""Tokens of earlier runs that are still taken."""
_EVERY_S: Final = 600.0
"""That somebody is still there is written so often."""


class Remembered:
    """The tokens of a bridge, and when each was last used."""

    def __init__(self, tokens: Tokens, used_s: Mapping[str, float]) -> None:
        self.tokens = tokens
        self._used_s = dict(used_s)
        """By the token's hash."""
        self._written: dict[str, float] = {}

    @classmethod
    def load(cls, path: Path, now_s: float) -> "Remembered":
        """Of the file that `step` made the content of; nobody, where there is none or none of ours."""
        try:
            stored: list[dict[str, Any]] = json.loads(path.read_bytes())
            used_s = {str(each["sha256"]): min(float(each.pop("used_s")), now_s) for each in stored}
            fresh = [each for each in stored if now_s - used_s[each["sha256"]] < _REMEMBERED_S]
            fresh = sorted(fresh, key=lambda each: used_s[each["sha256"]])[-_MOST:]
            return cls(Tokens.restored(fresh), {each["sha256"]: used_s[each["sha256"]] for each in fresh})
        except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, Avatar3dError):
            return cls(Tokens(), {})

    def step(self, here: Collection[str], now_s: float) -> bytes | None:
        """What the file should hold, or None while it may stay as it is. `here`: hashes of the tokens in use now.

        Asked again until `wrote` is called.
        """
        saved = self.tokens.saved()
        known = {each["sha256"] for each in saved}
        used_s = {each: now_s if each in here else self._used_s.get(each, now_s) for each in known}
        self._used_s = used_s
        same = known == set(self._written)
        if same and all(used_s[each] - self._written[each] < _EVERY_S for each in known):
            return None
        return json.dumps([{**each, "used_s": round(used_s[each["sha256"]], 1)} for each in saved]).encode()

    def wrote(self) -> None:
        """What `step` gave last is on disk."""
        self._written = dict(self._used_s)
