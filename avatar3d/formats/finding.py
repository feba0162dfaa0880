"""One sentence about one place in a file."""

from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["pass", "warn", "fail", "skip"]


@dataclass(frozen=True)
class Finding:
    """What was looked at and how it is."""

    level: Level
    check: str
    """Which check: names, shapes, skeleton, ... Stable; scripts match on it."""
    where: str
    """The node, mesh or key; empty for the whole file."""
    reason: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def passed(check: str, where: str, reason: str) -> Finding:
    """A promise that holds."""
    return Finding("pass", check, printable(where), reason)


def warned(check: str, where: str, reason: str) -> Finding:
    """Unusual, but somebody may have wanted it."""
    return Finding("warn", check, printable(where), reason)


def failed(check: str, where: str, reason: str) -> Finding:
    """A broken promise."""
    return Finding("fail", check, printable(where), reason)


def printable(name: str) -> str:
    """A name from a file without what could steer a terminal (escapes, text direction) and of bounded length."""
    return (name if name.isprintable() else ascii(name))[:80]
