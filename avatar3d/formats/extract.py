"""extract.json: what the Blender extension took out of a .blend. It is read as if a stranger had written it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from avatar3d.core.errors import UnreadableError
from avatar3d.core.files import open_given

SCHEMA: Final = "avatar3d-extract-1"
_MAX_BYTES: Final = 2**20
_MOST_PARTS, _MOST_SENTENCES = 64, 100
_TEXTURES: Final = ("base_colour", "normal", "orm")


@dataclass(frozen=True)
class ExtractedPart:
    """One mesh of the avatar."""

    name: str
    mesh: Path | None
    """Its arrays when somebody edited it."""
    textures: dict[str, Path]
    """base_colour, normal, orm: those that somebody painted or replaced."""


@dataclass(frozen=True)
class Extract:
    """All that came out of a .blend."""

    avatar: str
    """Its name."""
    source: Path
    """The GLB that was imported."""
    parts: tuple[ExtractedPart, ...]
    added: tuple[str, ...]
    """Objects that are no part of an avatar."""
    warnings: tuple[str, ...]
    blender: str
    """Version."""


def read_extract(path: Path) -> Extract:
    """Raises UnreadableError (10, EXTRACT_INVALID) for a list that breaks a rule or names files outside its folder."""
    try:
        with open_given(path, "list") as stream:
            content = stream.read(_MAX_BYTES + 1) or b""
        stored = json.loads(content) if len(content) <= _MAX_BYTES else None
        if not isinstance(stored, dict) or stored.get("schema") != SCHEMA:
            _refuse(path, f"expected a JSON object of the schema {SCHEMA!r}")
        parts = stored["parts"]
        if not isinstance(parts, dict) or len(parts) > _MOST_PARTS:
            _refuse(path, f"parts is not an object of at most {_MOST_PARTS}")
        return Extract(
            avatar=str(stored["avatar"]),
            source=_inside(path, stored["source"]),
            parts=tuple(_part(path, str(name), part) for name, part in parts.items()),
            added=tuple(str(name) for name in stored.get("added", [])[:_MOST_SENTENCES]),
            warnings=tuple(str(said) for said in stored.get("warnings", [])[:_MOST_SENTENCES]),
            blender=str(stored.get("blender", ""))[:40],
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as cause:
        _refuse(path, f"it lacks or misspells {str(cause)[:80]}")


def _part(path: Path, name: str, part: dict[str, Any]) -> ExtractedPart:
    material = part.get("material") or {}
    textures = {kind: _inside(path, material[kind]) for kind in _TEXTURES if material.get(kind) is not None}
    return ExtractedPart(name, _inside(path, part["file"]) if part["edited"] is True else None, textures)


def _inside(path: Path, name: object) -> Path:
    """A file below the list's own folder, and no way out of it."""
    folder = path.resolve().parent
    if not isinstance(name, str) or not name:
        _refuse(path, "a file has no name")
    found = (folder / name).resolve()
    if not found.is_relative_to(folder) or not found.is_file():
        _refuse(path, f"{name[:60]!r} is no file of its folder")
    return found


def _refuse(path: Path, what: str) -> NoReturn:
    raise UnreadableError(
        f'"{path.name}" is no list of edited parts: {what}.',
        hint="Use the Blender extension of this version of avatar3d.",
        id="EXTRACT_INVALID",
        file=path,
    )
