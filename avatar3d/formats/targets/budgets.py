"""Budgets: how many triangles, materials, bones, bytes. The limits are the profiles' (core/profiles.py)."""

from collections.abc import Iterator
from typing import Final

from avatar3d.core.profiles import PROFILES
from avatar3d.formats.targets.rule import SOURCES, Look, Rule, Subject, size_of
from avatar3d.formats.targets.video import video_bytes

FIELDS: Final[dict[str, tuple[str, str]]] = {
    "triangles": ("triangles", "triangles"),
    "meshes": ("skinned-meshes", "skinned meshes"),
    "materials": ("materials", "material slots"),
    "bones": ("bones", "bones"),
    "texture_px": ("texture-size", "px on a texture's edge"),
    "texture_bytes": ("texture-memory", "bytes of texture memory"),
    "file_bytes": ("file-size", "bytes"),
    "morphs": ("morph-count", "morph targets on one mesh"),
}
"""Field of Limits: the rule's id, and what is counted."""


def counts(subject: Subject, field: str) -> list[tuple[str, int]]:
    """(node, count) of what a limit is about; a material slot is a primitive, as VRChat counts."""
    document = subject.document
    skinned = sum(1 for node in document.items("nodes") if "mesh" in node and "skin" in node)
    return {
        "triangles": lambda: [("", triangles(subject))],
        "meshes": lambda: [("", skinned)],
        "materials": lambda: [("", len(subject.primitives))],
        "bones": lambda: [("", len(subject.joints))],
        "texture_px": lambda: [(name, max(width, height)) for name, width, height in subject.pictures],
        "texture_bytes": lambda: [("", video_bytes(subject.pictures))],
        "file_bytes": lambda: [("", size_of(document.file))],
        "morphs": lambda: [(where, len(item.get("targets", []))) for where, _, item in subject.primitives],
    }[field]()


def triangles(subject: Subject) -> int:
    """Of all primitives, by their indices."""
    accessors = subject.document.items("accessors")
    held = [
        primitive.get("indices", primitive.get("attributes", {}).get("POSITION"))
        for _, _, primitive in subject.primitives
    ]
    return sum(
        int(accessors[at].get("count", 0)) // 3 for at in held if isinstance(at, int) and 0 <= at < len(accessors)
    )


def budget_rules(target: str) -> tuple[Rule, ...]:
    """One rule per limit of the target's profile."""
    limits = PROFILES[target].limits
    return tuple(
        Rule(id, (target,), SOURCES[(limits.sources or {})[field]], _over(field), f"at most {most:,} {what}")
        for field, (id, what) in FIELDS.items()
        if (most := getattr(limits, field)) is not None
    )


def _over(field: str) -> Look:
    def faults(subject: Subject) -> Iterator[tuple[str, str]]:
        most = getattr(subject.limits, field)
        for where, found in counts(subject, field):
            if found > most:
                yield where, f"{found:,} {FIELDS[field][1]}; {subject.target} takes at most {most:,}"

    return faults
