"""Telling the user what happens on the network, at most once a second: whoever floods us must not flood the log."""

from collections.abc import Callable
from typing import Final

_EVERY_S: Final = 1.0


class Teller:
    """Passes lines on, one a second; those between are counted. Time is given to it."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._told_s = -_EVERY_S
        self._unsaid = 0

    def say(self, line: str, now_s: float) -> None:
        """Never give it a token: a line may be kept."""
        if now_s - self._told_s < _EVERY_S:
            self._unsaid += 1
            return
        more = f" (and {self._unsaid} more)" if self._unsaid else ""
        self._told_s, self._unsaid = now_s, 0
        self._tell("".join(c for c in line[:300] if c.isprintable()) + more)
