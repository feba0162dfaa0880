"""Folder names for avatars: from the photo's name, safe on every system, never twice the same."""

import re
from collections.abc import Iterable

# Windows keeps these for devices, with any extension and in any case.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{kind}{digit}" for kind in ("com", "lpt") for digit in range(1, 10))}
_LONGEST = 80


def safe_name(wish: str) -> str:
    """A file name close to `wish`: letters, digits, dash, underscore and inner dots of any script."""
    name = re.sub(r"[^\w.-]+", "-", wish).strip("-._")[:_LONGEST].rstrip("-._")
    if name.split(".")[0].lower() in _DEVICES:
        name = f"avatar-{name}"
    return name or "avatar"


def distinct_names(wishes: Iterable[str]) -> list[str]:
    """Safe names in the same order; a repeated one gets -2, -3 and so on (case does not distinguish)."""
    taken: set[str] = set()
    names: list[str] = []
    for wish in wishes:
        base = name = safe_name(wish)
        count = 1
        while name.casefold() in taken:
            count += 1
            name = f"{base}-{count}"
        taken.add(name.casefold())
        names.append(name)
    return names
