"""The rank that VRChat will give: creators.vrchat.com/avatars/avatar-performance-ranking-system.

The rank is the worst of its statistics; those that come from components added in Unity (PhysBones, lights, animators) are
not in a file and are not predicted. A material slot is a primitive; texture memory is what 8 bits per texel with mip levels take.
"""

from typing import Final

from avatar3d.core.profiles import MIB
from avatar3d.formats.finding import Finding
from avatar3d.formats.targets.budgets import counts
from avatar3d.formats.targets.rule import SOURCES, Subject

RANKS: Final = ("Excellent", "Good", "Medium", "Poor")
WORST: Final = "Very Poor"
TABLES: Final[dict[str, dict[str, tuple[int, int, int, int]]]] = {
    "PC": {
        "triangles": (32_000, 70_000, 70_000, 70_000),
        "texture_bytes": (40 * MIB, 75 * MIB, 110 * MIB, 150 * MIB),
        "meshes": (1, 2, 8, 16),
        "materials": (4, 8, 16, 32),
        "bones": (75, 150, 256, 400),
    },
    "Android": {
        "triangles": (7_500, 10_000, 15_000, 20_000),
        "texture_bytes": (10 * MIB, 18 * MIB, 25 * MIB, 40 * MIB),
        "meshes": (1, 1, 2, 2),
        "materials": (1, 1, 2, 4),
        "bones": (75, 90, 150, 150),
    },
}
"""Most that a rank allows, by platform and statistic."""
_SHOWN_ON_MOBILE: Final = ("Excellent", "Good", "Medium")
"""Mobile hides what is below Medium unless a user asks for it (the page's Minimum Displayed Performance Rank)."""
_TARGETS: Final = {"vrchat-pc": "PC", "vrchat-quest": "Android"}


def rank_of(subject: Subject, platform: str) -> tuple[str, str, dict[str, int]]:
    """The rank, the statistic that decides it, and all statistics."""
    told = {field: counts(subject, field)[0][1] for field in TABLES[platform]}
    places = {field: _place(told[field], limits) for field, limits in TABLES[platform].items()}
    worst = max(places, key=lambda field: places[field])
    return (*RANKS, WORST)[places[worst]], worst, told


def rank_findings(subject: Subject) -> list[Finding]:
    """One finding per platform; only the target's own can fail."""
    findings: list[Finding] = []
    for platform in TABLES:
        rank, worst, told = rank_of(subject, platform)
        stats = ", ".join(f"{name} {value:,}" for name, value in told.items())
        text = f"VRChat will rank it {rank} on {platform} ({stats}"
        text += f"; {worst} decides)" if rank != RANKS[0] else ")"
        own = _TARGETS.get(subject.target) == platform
        hidden = rank == WORST or (platform == "Android" and rank not in _SHOWN_ON_MOBILE)
        level = ("fail" if hidden else "pass") if own else "pass"
        findings.append(Finding(level, "vrchat-rank", platform, f"{text} [{SOURCES['vrchat']}]"))
    return findings


def _place(value: int, limits: tuple[int, ...]) -> int:
    return next((place for place, most in enumerate(limits) if value <= most), len(limits))
