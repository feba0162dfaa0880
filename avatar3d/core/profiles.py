"""What each platform is given, and what it may not exceed: one table, each number with its source.

    create/export --profile NAME -> a Profile -> levels, one mesh, textures, names, files        check --target NAME -> its limits

Sources, by the key that a rule prints:
- vrchat: creators.vrchat.com/avatars/avatar-performance-ranking-system, its column Excellent; vrchat-size: /avatar-size-limits
- avatar3d: our own budgets for LOD0 to LOD3 and file sizes (docs/formats.md), which no vendor sets
- godot: godotengine/godot-proposals, issue 24 (many blend shapes cost on every mesh)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from avatar3d.core.errors import UsageError
from avatar3d.core.names import Naming

MB: Final = 1_000_000
MIB: Final = 2**20
Packing = Literal["factors", "orm", "unity"]
FileFormat = Literal["glb", "web", "usdz", "fbx"]
FORMATS: Final[tuple[FileFormat, ...]] = ("glb", "web", "usdz", "fbx")


@dataclass(frozen=True)
class Limits:
    """What a target's file may have at most; None: nobody says."""

    triangles: int | None = None
    texture_px: int | None = None
    texture_bytes: int | None = None
    """As compressed on the device, with mip levels: formats/targets/video.py."""
    meshes: int | None = None
    """Skinned meshes."""
    materials: int | None = None
    bones: int | None = None
    file_bytes: int | None = None
    morphs: int | None = None
    """Per mesh."""
    sources: Mapping[str, str] | None = None
    """By field."""


@dataclass(frozen=True)
class Profile:
    """One platform."""

    name: str
    triangles: tuple[int, ...]
    """Of each level that is written."""
    texture_px: int
    limits: Limits
    naming: Naming = "arkit"
    formats: tuple[FileFormat, ...] = ("glb",)
    packing: Packing = "factors"
    one_mesh: bool = False
    """One skinned mesh with one material and one atlas."""
    opaque: bool = False
    """No cut-outs: hair as a shell and cards without alpha."""
    last_shapes_only: bool = False
    """Its one level is so far down that jaw, blinks and vowels are all it says."""


def _limits(**values: tuple[int, str]) -> Limits:
    return Limits(
        **{name: value for name, (value, _) in values.items()},  # type: ignore[arg-type]
        sources={name: source for name, (_, source) in values.items()},
    )


_LEVELS: Final = (20_000, 10_000, 5_000, 2_500)
_FILE = (15 * MB, "avatar3d")

PROFILES: Final[dict[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile(
            "desktop", _LEVELS[:1], 2048,
            _limits(triangles=(20_000, "avatar3d"), texture_px=(2048, "avatar3d"), file_bytes=_FILE),
        ),
        Profile(
            "mobile", _LEVELS[1:3], 1024,
            _limits(triangles=(10_000, "avatar3d"), texture_px=(1024, "avatar3d"), file_bytes=(8 * MB, "avatar3d")),
        ),
        Profile(
            "web", _LEVELS[:1], 1024,
            _limits(triangles=(20_000, "avatar3d"), texture_px=(1024, "avatar3d"), file_bytes=(5 * MB, "avatar3d")),
            formats=("web",),
        ),
        Profile(
            "vrchat-pc", _LEVELS[:1], 2048,
            _limits(
                triangles=(32_000, "vrchat"), texture_bytes=(40 * MIB, "vrchat"), meshes=(1, "vrchat"),
                materials=(4, "vrchat"), bones=(75, "vrchat"), file_bytes=(200 * MB, "vrchat-size"),
            ),
            naming="vrchat", packing="orm", one_mesh=True,
        ),
        Profile(
            "vrchat-quest", (7_500,), 1024,
            _limits(
                triangles=(7_500, "vrchat"), texture_bytes=(10 * MIB, "vrchat"), meshes=(1, "vrchat"),
                materials=(1, "vrchat"), bones=(75, "vrchat"), file_bytes=(10 * MB, "vrchat-size"),
            ),
            naming="vrchat", packing="orm", one_mesh=True, opaque=True,
        ),
        Profile(
            "meta-quest", _LEVELS[1:2], 1024,
            _limits(
                triangles=(10_000, "avatar3d"), texture_px=(1024, "avatar3d"), materials=(1, "avatar3d"),
                file_bytes=(10 * MB, "avatar3d"),
            ),
            naming="meta", packing="orm", one_mesh=True,
        ),
        Profile(
            "unity", _LEVELS, 2048,
            _limits(triangles=(20_000, "avatar3d"), texture_px=(2048, "avatar3d"), file_bytes=_FILE), packing="unity",
        ),
        Profile(
            "unreal", _LEVELS, 2048,
            _limits(triangles=(20_000, "avatar3d"), texture_px=(2048, "avatar3d"), file_bytes=_FILE),
        ),
        Profile(
            "godot", _LEVELS, 2048,
            _limits(
                triangles=(20_000, "avatar3d"), texture_px=(2048, "avatar3d"), file_bytes=_FILE, morphs=(67, "godot")
            ),
        ),
        Profile(
            "crowd", _LEVELS[3:], 512,
            _limits(
                triangles=(2_500, "avatar3d"), texture_px=(512, "avatar3d"), materials=(1, "avatar3d"),
                morphs=(8, "avatar3d"), file_bytes=(1 * MB, "avatar3d"),
            ),
            packing="orm", one_mesh=True, last_shapes_only=True,
        ),
    )
}  # fmt: skip


def profile_of(name: str) -> Profile:
    """The profile of that name. Raises UsageError (2) naming those that are there."""
    if name not in PROFILES:
        raise UsageError(f"no profile is called {name!r}.", hint=f"Choose among: {', '.join(PROFILES)}.")
    return PROFILES[name]
