"""An avatar that somebody edited in Blender comes back as an avatar, on one page.

.blend --Blender, a process--> edited parts, painted textures --> derived anew --> what was not edited, from the GLB that was
imported --> DIR/NAME/{glb, json}, checked as create's
"""

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Int32

from avatar3d import __version__
from avatar3d.core.avatar import Avatar, Material, Mesh
from avatar3d.core.clock import Progress, StageClock
from avatar3d.core.edited import EditedMesh
from avatar3d.core.errors import OutputInvalidError, UnreadableError
from avatar3d.formats.blender import Blender, extract_blend, find_blender
from avatar3d.formats.check import check_file
from avatar3d.formats.edited_npz import read_edited
from avatar3d.formats.extract import Extract, ExtractedPart, read_extract
from avatar3d.formats.gltf import load_glb, save_glb
from avatar3d.formats.images import read_texture
from avatar3d.rederiving import Rederivation, rederive
from avatar3d.report.names import safe_name
from avatar3d.report.publish import publishing, write_manifest

_FACE: Final = "face"
_SURFACE: Final = "surface"
"""The check whose faults are the artist's own: one crooked triangle shall not keep an avatar in Blender."""
_SLOTS: Final = {"base_colour": "base_colour", "normal": "normal", "orm": "occlusion_roughness_metallic"}


@dataclass(frozen=True, eq=False)
class Pulled:
    """An edited avatar on disk."""

    glb: Path
    edited: dict[str, list[str]]
    """Per part what was changed: "mesh" and the names of textures."""
    reports: dict[str, dict[str, Any]]
    """Per re-derived part, as `rederive` tells it."""
    warnings: tuple[str, ...]
    seconds: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """What `avatar3d pull --json` prints."""
        return {
            "glb": str(self.glb),
            "folder": str(self.glb.parent),
            "edited": self.edited,
            "reports": self.reports,
            "warnings": self.warnings,
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
        }


def pull_files(
    blend: Path, out: Path, *, name: str | None = None, blender: str | None = None, progress: Progress = str
) -> Pulled:
    """Write OUT/NAME/NAME.glb from a .blend with an avatar in it: all of the folder or nothing of it.

    Raises UsageError (2) where there is no Blender, UnreadableError (10) and LimitError (12) for what it gives,
    OutputInvalidError (30) when the edited avatar breaks a promise.
    """
    clock, found = StageClock(progress), find_blender(blender)
    with tempfile.TemporaryDirectory(prefix="avatar3d-pull-") as own:
        clock.begin("blender")
        extract = read_extract(_extracted(found, blend, Path(own)))
        source = load_glb(extract.source)
        avatar, reports, warnings = edited_avatar(source, extract, progress=clock.begin)
        edited = _edited(extract)
        folder = out / safe_name(name or extract.avatar or source.name)
        sha256 = hashlib.sha256(extract.source.read_bytes()).hexdigest()
        told = {"with": f"Blender {extract.blender}", "parts": edited, "source_sha256": sha256}
        avatar = replace(avatar, name=folder.name, extras=source.extras | {"edited": told})
        with publishing(folder) as fresh:
            clock.begin("write")
            written = save_glb(avatar, fresh / f"{folder.name}.glb")
            clock.begin("check")
            faults = check_file(written, khronos=False).failures
            broken = [fault for fault in faults if fault.check != _SURFACE]
            if broken:
                raise OutputInvalidError(
                    f"{written.name} breaks its promises: {broken[0].check}, {broken[0].where}: {broken[0].reason}.",
                    hint="Mend it in Blender, or undo what broke it.",
                    file=blend,
                )
            warnings += tuple(f"{fault.where}: {fault.reason}; `avatar3d check` will say so too." for fault in faults)
            clock.end()
            facts = {"avatar3d": __version__, "name": folder.name, "synthetic": True, "edited": told,
                     "seconds": {stage: round(value, 3) for stage, value in clock.seconds.items()}}  # fmt: skip
            write_manifest(fresh, facts)
    return Pulled(folder / written.name, edited, reports, (*extract.warnings, *warnings), clock.seconds)


def edited_avatar(
    avatar: Avatar, extract: Extract, *, progress: Progress = str
) -> tuple[Avatar, dict[str, dict[str, Any]], tuple[str, ...]]:
    """The avatar with edited meshes derived anew and painted textures in place; reports by part, and what to say."""
    names = [mesh.name for mesh in avatar.meshes]
    strangers = [part.name for part in extract.parts if part.name not in names]
    if strangers:
        raise UnreadableError(
            f"the .blend has a part {strangers[0][:40]!r} that its avatar has not; it has {', '.join(names)}.",
            hint="Keep the names of the avatar's objects.",
            id="EDITED_FOREIGN",
        )
    said = [f"{name[:60]!r} is no part of the avatar and is left out." for name in extract.added]
    missing = sorted(set(names) - {part.name for part in extract.parts})
    said += [f"The .blend has no {name} any more: it is kept as it was." for name in missing]
    reports: dict[str, dict[str, Any]] = {}
    for part in sorted(extract.parts, key=lambda part: part.name != _FACE):  # the others follow the face
        if part.mesh is not None:
            made = rederive(
                avatar, replace(read_edited(part.mesh), part=part.name), progress=_under(part.name, progress)
            )
            avatar, reports[part.name] = _with(made.avatar, shown_mesh(made)), made.report
            said += made.report["warnings"]
            extra = [name for name in made.derived.names if name not in made.avatar.mesh(part.name).morph_names]
            said += [f"{part.name}: {name[:60]!r} is none of the part's shapes and is left out." for name in extra]
        avatar = _painted(avatar, part)
    return avatar, reports, tuple(said)


def shown_mesh(made: Rederivation) -> Mesh:
    """The edited part as engines draw it: vertices split where UVs part, of the shapes that it had."""
    edited, derived, before = made.edited, made.derived, made.avatar.mesh(made.edited.part)
    corners = np.concatenate([edited.corners[:, None].astype(np.float64), edited.uvs.astype(np.float64)], axis=1)
    rows, first, index = np.unique(corners, axis=0, return_index=True, return_inverse=True)
    source = rows[:, 0].astype(np.int64)
    order = [derived.names.index(name) for name in before.morph_names]
    return replace(
        before,
        positions=edited.positions[source],
        normals=derived.normals[source],
        uvs=edited.uvs[first],
        triangles=index.reshape(-1)[_once(edited)].astype(np.int32),
        morphs=np.ascontiguousarray(derived.shapes[order][:, source]).reshape(len(order), len(source), 3),
        joints=derived.joints[source],
        weights=derived.weights[source],
    )


def _once(edited: EditedMesh) -> Int32[np.ndarray, "F 3"]:
    """Corners of the triangles that are surfaces: not of those that shrink to an edge or lie on an earlier one."""
    corners = edited.triangle_corners()
    place = np.unique(edited.positions, axis=0, return_inverse=True)[1].reshape(-1)
    ends = np.sort(place[edited.corners[corners]], axis=1)
    first = np.sort(np.unique(ends, axis=0, return_index=True)[1])
    whole = (ends[first, 0] != ends[first, 1]) & (ends[first, 1] != ends[first, 2])
    return corners[first[whole]]


def _extracted(blender: Blender, blend: Path, folder: Path) -> Path:
    listed = extract_blend(blender, blend, folder)
    if not listed.resolve().is_relative_to(folder.resolve()):
        raise UnreadableError(
            f"Blender wrote {listed}, outside the folder it was given.", id="EXTRACT_INVALID", file=blend
        )
    return listed


def _painted(avatar: Avatar, part: ExtractedPart) -> Avatar:
    """The avatar with this part's new textures."""
    if not part.textures:
        return avatar
    mesh = avatar.mesh(part.name)
    textures = {_SLOTS[kind]: read_texture(path, f"{part.name}_{kind}") for kind, path in part.textures.items()}
    material: Material = replace(mesh.material, **textures)  # type: ignore[arg-type]
    return _with(avatar, replace(mesh, material=material))


def _with(avatar: Avatar, mesh: Mesh) -> Avatar:
    return replace(avatar, meshes=tuple(mesh if each.name == mesh.name else each for each in avatar.meshes))


def _edited(extract: Extract) -> dict[str, list[str]]:
    what = {part.name: [*(["mesh"] if part.mesh else []), *sorted(part.textures)] for part in extract.parts}
    return {name: changed for name, changed in what.items() if changed}


def _under(name: str, progress: Progress) -> Callable[[str], Any]:
    return lambda stage: progress(f"{name}: {stage}")
