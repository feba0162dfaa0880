"""What Apple's Quick Look and RealityKit ask of a USDZ.

Packages: openusd.org, USDZ File Format Specification. Sizes: Apple WWDC 2018 session 603 (100k polygons, one set of 2048
textures), which Apple still recommends in developer.apple.com/forums/thread/693867.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.formats.finding import Finding, failed, passed, warned
from avatar3d.formats.targets.video import picture_size
from avatar3d.formats.usd import ALIGNMENT
from avatar3d.formats.usd_read import UsdAvatar, broken, entries, read_usdz

PACKAGE: Final = "openusd.org, USDZ File Format Specification"
APPLE: Final = "Apple WWDC 2018 session 603; developer.apple.com/forums/thread/693867"
_POLYGONS, _TEXTURE_PX = 100_000, 2048
_ALLOWED: Final = {".usd", ".usda", ".usdc", ".png", ".jpg", ".jpeg", ".exr", ".avif", ".m4a", ".mp3", ".wav"}
_MARKS: Final = ("synthetic", "licences", "copyright")


def check_usdz(file: Path) -> list[Finding]:
    """Every rule, kept or broken. Raises UnreadableError (10) for what is no package."""
    listed = entries(file)
    if not listed:
        raise broken(file, "it holds no file")
    findings = list(_package(listed))
    if any(finding.level == "fail" for finding in findings):
        return findings  # USD itself would not open it
    avatar = read_usdz(file)
    findings += [*_pictures(file, listed), *_stage(avatar), *_shapes(avatar)]
    return findings


def _package(listed: list[tuple[str, int, bool]]) -> Iterator[Finding]:
    faults = [
        (name, f"begins at byte {offset:,}, no multiple of {ALIGNMENT}")
        for name, offset, _ in listed
        if offset % ALIGNMENT
    ]
    faults += [(name, "is compressed; a package only stores") for name, _, compressed in listed if compressed]
    faults += [
        (name, "is of a kind that packages do not hold")
        for name, _, _ in listed
        if PurePosixPath(name).suffix.lower() not in _ALLOWED
    ]
    if PurePosixPath(listed[0][0]).suffix.lower() not in (".usd", ".usda", ".usdc"):
        faults.append((listed[0][0], "comes first; the layer that is opened must"))
    yield from (failed("usdz-package", name, f"{why} [{PACKAGE}]") for name, why in faults)
    if not faults:
        yield passed("usdz-package", "", f"{len(listed)} files, stored and aligned to {ALIGNMENT} bytes [{PACKAGE}]")


def _pictures(file: Path, listed: list[tuple[str, int, bool]]) -> Iterator[Finding]:
    large: list[str] = []
    with file.open("rb") as stream:
        for name, offset, _ in listed:
            stream.seek(offset)
            if PurePosixPath(name).suffix.lower() in (".png", ".jpg", ".jpeg"):
                width, height = picture_size(stream.read(1 << 20))
                if max(width, height) > _TEXTURE_PX:
                    large.append(name)
                    yield warned("texture-size", name, f"{width} x {height} px; {_TEXTURE_PX} is the advice [{APPLE}]")
    if not large:
        yield passed("texture-size", "", f"no picture beyond {_TEXTURE_PX} px [{APPLE}]")


def _stage(avatar: UsdAvatar) -> Iterator[Finding]:
    polygons = sum(mesh.triangles for mesh in avatar.meshes.values())
    report = warned if polygons > _POLYGONS else passed
    yield report("triangles", "", f"{polygons:,} polygons; {_POLYGONS:,} is the advice [{APPLE}]")
    units = avatar.metres_per_unit == 1 and avatar.up_axis == "Y"
    say = passed if units else failed
    yield say(
        "metres", "stage", f"{avatar.metres_per_unit:g} m per unit, {avatar.up_axis} up; expected 1 and Y [{PACKAGE}]"
    )
    if not avatar.has_default:
        yield failed("default-prim", "stage", f"no default prim: references and Quick Look find nothing [{PACKAGE}]")
    bare = [name for name, mesh in avatar.meshes.items() if not mesh.materials]
    yield from (
        failed("material", name, "no material is bound [openusd.org, UsdPreviewSurface Specification]") for name in bare
    )
    missing = [name for name in _MARKS if name not in avatar.provenance]
    if missing:
        yield failed("marks", "customLayerData", f"no {', '.join(missing)} [docs/conventions.md]")
    else:
        yield passed("marks", "customLayerData", "licence and synthetic mark are there [docs/conventions.md]")


def _shapes(avatar: UsdAvatar) -> Iterator[Finding]:
    moving = {name for mesh in avatar.meshes.values() for name in mesh.shapes}
    missing = [name for name in ARKIT_NAMES if name not in moving]
    if not avatar.joints:
        yield failed("skeleton", "", "no skeleton binds the meshes [openusd.org, UsdSkel]")
    if missing:
        yield failed(
            "shapes", "", f"{len(missing)} of the 52 move nothing: {', '.join(missing[:6])} [Apple, ARFaceAnchor]"
        )
    else:
        yield passed("shapes", "", "all 52 move something, evaluated by UsdSkel [Apple, ARFaceAnchor]")
