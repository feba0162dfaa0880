"""A rule: what is looked at, for whom, and who says so."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.profiles import PROFILES, Limits
from avatar3d.formats.accessors import BufferReader
from avatar3d.formats.finding import Finding, failed, passed, warned
from avatar3d.formats.glb import GlbDocument, Json
from avatar3d.formats.gltf_read import target_names
from avatar3d.formats.targets.video import image_sizes

SOURCES: Final[dict[str, str]] = {
    "vrchat": "creators.vrchat.com/avatars/avatar-performance-ranking-system",
    "vrchat-size": "creators.vrchat.com/avatars/avatar-size-limits",
    "vrchat-mobile": "creators.vrchat.com/platforms/android/quest-content-limitations",
    "avatar3d": "docs/formats.md",
    "godot": "godotengine/godot-proposals issue 24",
}
MESHOPT: Final = "EXT_meshopt_compression"


@dataclass(frozen=True, eq=False)
class Subject:
    """The file that is looked at."""

    document: GlbDocument
    target: str
    """A profile's name."""

    @property
    def limits(self) -> Limits:
        return PROFILES[self.target].limits

    @property
    def packed(self) -> bool:
        """Whether the numbers are compressed, so that only what the JSON says can be told."""
        return MESHOPT in self.document.json.get("extensionsUsed", [])

    @cached_property
    def primitives(self) -> tuple[tuple[str, Json, Json], ...]:
        """Where, the mesh, its primitive."""
        found: list[tuple[str, Json, Json]] = []
        for index, mesh in enumerate(self.document.items("meshes")):
            own = [item for item in mesh.get("primitives", []) if isinstance(item, dict)]
            name = str(mesh.get("name", f"meshes[{index}]"))
            found += [(f"{name}[{at}]" if len(own) > 1 else name, mesh, item) for at, item in enumerate(own)]
        return tuple(found)

    @cached_property
    def pictures(self) -> tuple[tuple[str, int, int], ...]:
        """Name, width, height."""
        return tuple(image_sizes(self.document))

    @cached_property
    def joints(self) -> tuple[str, ...]:
        """Names of the nodes that skins list."""
        nodes = self.document.items("nodes")
        listed = dict.fromkeys(joint for skin in self.document.items("skins") for joint in skin.get("joints", []))
        return tuple(str(nodes[at].get("name", at)) for at in listed if isinstance(at, int) and 0 <= at < len(nodes))

    @cached_property
    def shapes(self) -> tuple[str, ...]:
        """Every morph target's name, once."""
        return tuple(dict.fromkeys(name for _, mesh, _ in self.primitives for name in target_names(mesh)))

    def numbers(self, primitive: Json, name: str, width: str) -> Float32[np.ndarray, "V C"] | None:
        """An attribute; None when the primitive has none. Raises UnreadableError for what is not finite."""
        attributes = primitive.get("attributes")
        index = attributes.get(name) if isinstance(attributes, dict) else None
        return None if index is None else BufferReader(self.document).floats(index, width, name)


Look = Callable[[Subject], Iterator[tuple[str, str]]]


@dataclass(frozen=True)
class Rule:
    """One thing to keep."""

    id: str
    """Stable; scripts match on it."""
    targets: tuple[str, ...]
    """Names of profiles; empty: all of them."""
    source: str
    """Who says so: a section of a specification, a vendor's page, a public issue."""
    faults: Look
    """(node, reason) per fault."""
    kept: str
    """What is said when there is none."""
    numbers: bool = False
    """It reads the numbers, so that it cannot judge a compressed file."""
    softly: bool = False
    """A fault is a warning: somebody may want it."""

    def findings(self, subject: Subject) -> Iterator[Finding]:
        """What it has to say of a file."""
        if self.numbers and subject.packed:
            yield Finding("skip", self.id, "", f"the file is compressed: check the plain one [{self.source}]")
            return
        say: Any = warned if self.softly else failed
        found = list(self.faults(subject))
        yield from (say(self.id, where, f"{reason} [{self.source}]") for where, reason in found)
        if not found:
            yield passed(self.id, "", f"{self.kept} [{self.source}]")


def size_of(file: Path) -> int:
    """Bytes on disk; 0 for what is none."""
    return file.stat().st_size if file.is_file() else 0
