"""A finished avatar for every platform on one page: no photo needed.

Avatar -> opaque? -> levels -> textures -> one mesh? -> names -> a writer per format -> checked by the platform's own rules
"""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from avatar3d import __version__
from avatar3d.core.avatar import Avatar
from avatar3d.core.clock import Progress
from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import OutputInvalidError, UsageError
from avatar3d.core.names import NAMINGS, Naming, renamed
from avatar3d.core.profiles import FORMATS, FileFormat, Profile, profile_of
from avatar3d.formats.check import CheckReport
from avatar3d.formats.images import png_file
from avatar3d.formats.targets.check import check_target
from avatar3d.report.publish import publishing, write_manifest
from avatar3d.rig.lod import TRIANGLES, Level, make_levels
from avatar3d.rig.merge import one_mesh, opaque_hair
from avatar3d.rig.textures import limit_textures, metallic_smoothness

_SUFFIXES: Final[dict[FileFormat, str]] = {"glb": ".glb", "web": ".web.glb", "usdz": ".usdz", "fbx": ".fbx"}
_ATLAS_HALVED_BELOW: Final = 6_000
"""Triangles of a level from which on its textures are half as large on an edge; and again for each half of that."""

_WORN: Final = "shirt"
_TORN_BELOW: Final = 10_000
"""Of a dressed body: its shirt lies 5 mm off at 5,000 triangles, 23 at 2,500 (decision 0034)."""


@dataclass(frozen=True)
class ExportParams:
    """What is written; what a profile says itself, it says."""

    profiles: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    """Empty: the profile's own, or glb."""
    naming: str | None = None
    """None: the profile's own, or arkit."""
    levels: int = 0
    """How many levels of detail, from 20k triangles down; 0: the profile's own, or the avatar as it is."""


@dataclass(frozen=True)
class Exported:
    """What was written of one avatar."""

    files: tuple[Path, ...]
    reports: dict[str, CheckReport] = field(default_factory=dict[str, CheckReport])
    """By profile: the first file that breaks that platform's rules, else the first level's."""
    warnings: tuple[str, ...] = ()
    """What no rule sees."""

    @property
    def failures(self) -> tuple[str, ...]:
        return tuple(
            f"{profile}: {fault.reason}" for profile, report in self.reports.items() for fault in report.failures
        )

    def as_json(self) -> dict[str, Any]:
        """What `avatar3d export --json` prints."""
        return {
            "files": [str(file) for file in self.files],
            "warnings": self.warnings,
            "profiles": {name: report.as_json() for name, report in self.reports.items()},
        }


def export_files(
    avatar: Avatar, out: Path, params: ExportParams, *, source: Path | None = None, progress: Progress = str
) -> Exported:
    """Write OUT/NAME.SUFFIX per format, or with profiles OUT/NAME/PROFILE/, each folder whole or not at all.

    Raises UsageError for what cannot be asked, MissingExtraError for a format whose package is not there, DiskError.
    """
    formats, naming = _known(params)
    if not params.profiles:
        formats = formats or ("glb",)
        plain = Profile("plain", TRIANGLES[: params.levels], 1 << 16, profile_of("desktop").limits)
        if (
            source is not None
            and "glb" in formats
            and _path(out, avatar.name, "glb", None).resolve() == source.resolve()
        ):
            raise UsageError(
                f"{source} would be written over itself.", hint="Name another folder with --out.", file=source
            )
        return Exported(
            tuple(_written(avatar, out, replace(plain, naming=naming or "arkit", formats=formats), progress))
        )
    files: list[Path] = []
    reports: dict[str, CheckReport] = {}
    torn: list[str] = []
    for name in dict.fromkeys(params.profiles):
        profile = profile_of(name)
        profile = replace(
            profile,
            formats=formats or profile.formats,
            naming=naming or profile.naming,
            triangles=TRIANGLES[: params.levels] or profile.triangles,
        )
        folder = out / avatar.name / name
        progress(f"{name}")
        began_s = time.perf_counter()
        with publishing(folder) as fresh:
            made = _written(avatar, fresh, profile, progress)
            checked = [check_target(file, name) for file in made if file.suffix == ".glb"] if _has_glb(profile) else []
            write_manifest(fresh, _facts(avatar, profile, began_s))
        files += [folder / file.name for file in made]
        if checked:
            worst = next((report for report in checked if report.failures), checked[0])
            reports[name] = replace(worst, file=folder / worst.file.name)
        if _WORN in (mesh.name for mesh in avatar.meshes) and min(profile.triangles, default=_TORN_BELOW) < _TORN_BELOW:
            torn.append(
                f"{name}: levels below {_TORN_BELOW:,} triangles of a dressed body are torn: look before you ship them."
            )
    return Exported(tuple(files), reports, tuple(torn))


def _known(params: ExportParams) -> tuple[tuple[FileFormat, ...], Naming | None]:
    """The formats and the naming that were asked for. Raises UsageError for what there is not."""
    formats: tuple[FileFormat, ...] = tuple(kind for kind in FORMATS if kind in params.formats)
    naming: Naming | None = None
    for each in NAMINGS:
        naming = each if each == params.naming else naming
    strange = [name for name in params.formats if name not in formats]
    if strange:
        raise UsageError(f"no format is called {strange[0]!r}.", hint=f"Choose among: {', '.join(FORMATS)}.")
    if params.naming and naming is None:
        raise UsageError(f"no naming is called {params.naming!r}.", hint=f"Choose among: {', '.join(NAMINGS)}.")
    for name in params.profiles:
        profile_of(name)
    if not 0 <= params.levels <= len(TRIANGLES):
        raise UsageError(f"expected 1 to {len(TRIANGLES)} levels, got {params.levels}.", hint="For example --lods 4.")
    return formats, naming


def _has_glb(profile: Profile) -> bool:
    return any(kind in ("glb", "web") for kind in profile.formats)


def prepare(avatar: Avatar, profile: Profile) -> tuple[Level, ...]:
    """The avatar as a platform wants it, one per level: within its triangles, textures, meshes and names."""
    avatar = opaque_hair(avatar) if profile.opaque else avatar
    levels = make_levels(avatar, profile.triangles) if profile.triangles else (Level(avatar, 0),)
    return tuple(replace(level, avatar=_finished(level, profile)) for level in levels)


def _finished(level: Level, profile: Profile) -> Avatar:
    avatar, texture_px = level.avatar, profile.texture_px
    size = _ATLAS_HALVED_BELOW
    while len(profile.triangles) > 1 and level.target and level.target < size:
        texture_px, size = min(texture_px, 1024) // 2, size // 2
    avatar = one_mesh(avatar, texture_px) if profile.one_mesh else limit_textures(avatar, texture_px)
    return renamed(avatar, profile.naming)


def _written(avatar: Avatar, folder: Path, profile: Profile, progress: Progress) -> list[Path]:
    levels = prepare(avatar, profile)
    files: list[Path] = []
    for index, level in enumerate(levels):
        number = index if len(levels) > 1 else None
        for kind in profile.formats:
            path = _path(folder, avatar.name, kind, number)
            progress(f"  {path.name}")
            files.append(level.avatar.save(path))
    if profile.packing == "unity":
        files += _pack_for_unity(next(level.avatar for level in levels), folder)
    if not files:
        raise OutputInvalidError("nothing was asked for.")
    return files


def _path(folder: Path, name: str, kind: FileFormat, level: int | None) -> Path:
    """NAME_LOD0.glb where there are levels: Unity makes a LODGroup of such names."""
    return folder / f"{name}{'' if level is None else f'_LOD{level}'}{_SUFFIXES[kind]}"


def _pack_for_unity(avatar: Avatar, folder: Path) -> list[Path]:
    """NAME_MATERIAL_MetallicSmoothness.png for each material that has a picture."""
    materials = {mesh.material.name: mesh.material for mesh in avatar.meshes if mesh.material.base_colour is not None}
    return [
        write_atomically(
            folder / f"{avatar.name}_{name}_MetallicSmoothness.png", png_file(metallic_smoothness(material))
        )
        for name, material in materials.items()
    ]


def _facts(avatar: Avatar, profile: Profile, began_s: float) -> dict[str, Any]:
    return {
        "avatar3d": __version__,
        "name": avatar.name,
        "synthetic": True,
        "profile": profile.name,
        "naming": profile.naming,
        "seconds": {"export": round(time.perf_counter() - began_s, 3)},
    }
