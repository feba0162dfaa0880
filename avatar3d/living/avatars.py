"""The avatars a bridge moves: given as GLB or as the folder that `create` writes, checked before anything starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avatar3d.core.errors import UnreadableError, UsageError
from avatar3d.formats.gltf import load_glb
from avatar3d.live.schema import FACES


@dataclass(frozen=True)
class Given:
    """One avatar of the command line."""

    name: str
    path: Path


def find_avatars(paths: Sequence[Path]) -> list[Given]:
    """Each with a name of its own. Raises UnreadableError (10), UnsupportedFormatError (11) and LimitError (12) as `check` would."""
    if len(paths) > FACES:
        raise UsageError(f"a bridge moves at most {FACES} avatars, not {len(paths)}.")
    given: list[Given] = []
    for path in paths:
        file = _glb_of(path)
        load_glb(file)
        given.append(Given(_free_name(file.stem, [each.name for each in given]), file))
    return given


def _glb_of(path: Path) -> Path:
    if not path.is_dir():
        return path
    inside = sorted(path.glob("*.glb"))
    named = [file for file in inside if file.stem == path.resolve().name]
    if not (named or len(inside) == 1):
        raise UnreadableError(
            f"expected one GLB in the folder, or one of its name, found {len(inside)}.",
            hint="Give the path of the GLB itself.",
            file=path,
        )
    return (named or inside)[0]


def _free_name(stem: str, taken: Sequence[str]) -> str:
    name = "".join(c for c in stem if c.isprintable())[:64] or "avatar"
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
