"""Whether a GLB keeps what avatar3d promises: `avatar3d check`.

    file -> strict reader (hostile files end here) -> names as written -> Avatar -> promises -> mesh faults -> Khronos

A finding says at which node, what was expected and what is there. Failures are broken promises; warnings are what an
artist may have wanted; a skipped check names what to install.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import ARKIT_NAMES, SHAPE_INDEX, TONGUE_NAMES
from avatar3d.core.errors import UnsupportedFormatError
from avatar3d.core.splats import RestSplats
from avatar3d.formats.check_splats import SPLAT_SUFFIXES, check_splats
from avatar3d.formats.check_vrm import ASKED_FOR_BY_VRM, VRM_SUFFIX, check_vrm
from avatar3d.formats.finding import Finding, failed, passed, warned
from avatar3d.formats.glb import GlbDocument, read_glb
from avatar3d.formats.gltf_read import target_names
from avatar3d.formats.gltf_splats import SPLAT_BYTES, splats_from_document
from avatar3d.formats.khronos import MODULES_VARIABLE, find_validator, validate
from avatar3d.formats.promises import check_promises
from avatar3d.formats.provenance import provenance_faults
from avatar3d.formats.vrm import avatar_from_vrm
from avatar3d.formats.vrm_json import records

# Budgets of a file with 1024 textures; larger textures are the user's wish.
_DENSE_BYTES, _COMPACT_BYTES, _BUDGET_TEXTURE_PX = 8_000_000, 5_000_000, 1024
_BODY_BYTES: Final = 14_000_000
_BODY_TRIANGLES: Final = 35_000
_SHOWN: Final = 20
"""Messages of the validator in a report; the counts are always whole."""


@dataclass(frozen=True)
class CheckReport:
    """All findings about one file."""

    file: Path
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not self.failures

    @property
    def failures(self) -> tuple[Finding, ...]:
        return self.of("fail")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return self.of("warn")

    def of(self, level: Literal["pass", "warn", "fail", "skip"]) -> tuple[Finding, ...]:
        """The findings of one level."""
        return tuple(finding for finding in self.findings if finding.level == level)

    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """Level, node, reason: for a table."""
        return tuple((finding.level, finding.where, finding.reason) for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """What `avatar3d check --json` prints."""
        return {"file": str(self.file), "ok": self.ok, "findings": [finding.as_json() for finding in self.findings]}


def check_file(path: Path | str, *, khronos: bool = True) -> CheckReport:
    """Check a GLB, a .vrm, or a .splats, .ply or .spz of splats. `khronos=False` leaves the validator out (it costs half a second).

    Raises InputError (10, 11, 12) for a file that cannot be read at all.
    """
    if Path(path).suffix.lower() in SPLAT_SUFFIXES:
        return CheckReport(Path(path), tuple(check_splats(Path(path))))
    document = read_glb(path)
    findings = [*_check_names(document), *_check_marks(document)]
    is_vrm = document.file.suffix.lower() == VRM_SUFFIX
    findings += check_vrm(document) if is_vrm else ()
    splats = splats_from_document(document)
    if splats is not None:
        findings.append(passed("splats", "splats", f"{len(splats.triangle):,} splats ride on its triangles"))
    try:
        avatar = avatar_from_vrm(document)
    except UnsupportedFormatError as error:
        findings.append(failed("avatar", "", error.message))
    else:
        findings += [*check_promises(avatar), *_check_size(document, avatar, splats), *_check_meshes(avatar)]
    if khronos:
        findings += _check_with_khronos(document.file, asked_for=ASKED_FOR_BY_VRM if is_vrm else ())
    return CheckReport(document.file, tuple(findings))


def _check_names(document: GlbDocument) -> Iterator[Finding]:
    """52 names in order in both places, on the face and on every mesh that morphs; a tongue's own may follow them."""
    morphing = 0
    for index, mesh in enumerate(document.items("meshes")):
        primitives = [item for item in records(mesh.get("primitives")) if item.get("targets")]
        for primitive in primitives:
            morphing += 1
            where = f"meshes[{index}]"
            for place, names in (("mesh", target_names(mesh)), ("primitive", target_names(primitive))):
                if tuple(names) not in (ARKIT_NAMES, (*ARKIT_NAMES, *TONGUE_NAMES)):
                    yield failed("names", where, f"{place}.extras.targetNames {_name_fault(names)}")
    if not morphing:
        yield failed("names", "", "no mesh has morph targets; expected the 52 ARKit blendshapes")
    else:
        yield passed("names", "", f"{morphing} morphing meshes were checked for the 52 ARKit names in order")


def _name_fault(names: list[str]) -> str:
    if not names:
        return "is missing; expected the 52 ARKit names"
    missing = [name for name in ARKIT_NAMES if name not in names]
    unknown = [name[:40] for name in names if name not in SHAPE_INDEX]
    if not missing and not unknown:
        return "has the 52 ARKit names in another order"
    return f"lacks {missing[:6]} ({len(missing)} in all) and has {unknown[:6]} ({len(unknown)} in all) instead"


def _check_marks(document: GlbDocument) -> Iterator[Finding]:
    """Licence, provenance and the synthetic mark."""
    extras = document.json["asset"].get("extras")
    faults = provenance_faults(extras if isinstance(extras, dict) else {})
    yield from (failed("marks", "asset.extras", fault) for fault in faults)
    if not faults:
        yield passed("marks", "asset.extras", "licence, source and synthetic mark are there")


def _check_size(document: GlbDocument, avatar: Avatar, splats: RestSplats | None) -> Iterator[Finding]:
    size = document.file.stat().st_size
    size -= SPLAT_BYTES * (0 if splats is None else len(splats.triangle))  # they have no budget: the user's wish
    compact = any("sparse" in accessor for accessor in document.items("accessors"))
    budget = _COMPACT_BYTES if compact else _DENSE_BYTES
    triangles = sum(len(mesh.triangles) for mesh in avatar.meshes)
    if "hips" in avatar.skeleton.names:
        budget = _BODY_BYTES
        if triangles > _BODY_TRIANGLES:
            yield warned("size", "", f"{triangles:,} triangles; the budget of a whole body is {_BODY_TRIANGLES:,}")
    pixels = [
        max(texture.pixels.shape[:2])
        for mesh in avatar.meshes
        for texture in (mesh.material.base_colour, mesh.material.normal, mesh.material.occlusion_roughness_metallic)
        if texture is not None
    ]
    kind = "compact" if compact else "dense"
    if size > budget and max(pixels, default=0) <= _BUDGET_TEXTURE_PX:
        yield warned("size", "", f"{size / 1e6:.2f} MB {kind}; the budget is {budget / 1e6:.0f} MB")
    else:
        yield passed("size", "", f"{size / 1e6:.2f} MB {kind}")


def _check_meshes(avatar: Avatar) -> Iterator[Finding]:
    """Surface faults. On the face they fail; hair cards and lashes may be open sheets of many kinds, so there they warn."""
    from avatar3d.formats.trimesh import find_faults  # noqa: PLC0415 (0.3 s of import, which other files need not pay)

    for index, mesh in enumerate(avatar.meshes):
        faults = find_faults(mesh)
        report = failed if index == 0 else warned
        found: list[Finding] = []
        if faults.degenerate:
            found.append(warned("surface", mesh.name, f"{faults.degenerate} triangles have no area"))
        if faults.duplicate:
            found.append(report("surface", mesh.name, f"{faults.duplicate} triangles lie on another one"))
        if not faults.consistent_winding:
            found.append(report("surface", mesh.name, "neighbouring triangles disagree on which side is outside"))
        if faults.inverted:
            found.append(report("surface", mesh.name, f"{faults.inverted} triangles face away from their normals"))
        yield from found or [passed("surface", mesh.name, f"{len(mesh.triangles)} triangles without fault")]


def _check_with_khronos(file: Path, *, asked_for: tuple[str, ...]) -> list[Finding]:
    """What the validator says, but for warnings about what the file's own format demands."""
    validator = find_validator()
    if validator is None:
        return [
            Finding(
                "skip",
                "khronos",
                "",
                "the Khronos validator was not run: it needs node 20 and `npm install gltf-validator`, "
                f"and {MODULES_VARIABLE} naming that node_modules",
            )
        ]
    verdict = validate(validator, file)
    findings = [failed("khronos", "", line) for line in verdict.errors[:_SHOWN]]
    warnings = [line for line in verdict.warnings if not any(code in line for code in asked_for)]
    findings += [warned("khronos", "", line) for line in warnings[:_SHOWN]]
    left_out = len(verdict.warnings) - len(warnings)
    summary = f"validator {verdict.version}: {verdict.error_count} errors, {verdict.warning_count - left_out} warnings"
    if left_out:
        summary += f"; {left_out} about what VRM demands were passed over"
    if verdict.set_aside:
        summary += f"; {verdict.set_aside} names of KHR_gaussian_splatting that it does not know yet were passed over"
    if verdict.error_count:
        return [*findings, failed("khronos", "", summary)]
    return [*findings, passed("khronos", "", summary)]
