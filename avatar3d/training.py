"""Splats that others train: our photos as a nerfstudio dataset, and a trained cloud back onto the avatar.

photos --export_nerfstudio--> DIR  ...ns-train splatfacto, ns-export...  cloud.ply --import_splats--> GLB or .splats
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from avatar3d.core.clock import Progress
from avatar3d.core.errors import UnreadableError, UsageError
from avatar3d.core.files import open_given
from avatar3d.core.segments import HEAD_KINDS
from avatar3d.core.splats import BoundSplats
from avatar3d.formats.gltf import load_glb, save_glb
from avatar3d.formats.splat_binding import save_binding
from avatar3d.formats.splat_ply import load_ply
from avatar3d.formats.splat_spz import load_spz
from avatar3d.photo.segment import over_photo
from avatar3d.pipeline import CreateParams, Creation, Source, make_avatar
from avatar3d.render.stage import stage_avatar
from avatar3d.report.publish import publishing, write_manifest
from avatar3d.splat.attach import attach, in_world
from avatar3d.splat.bind import rebind
from avatar3d.splat.nerfstudio import Transform, View, undo_transform, write_dataset

REACH_M: Final = 0.03
"""How far above or below the surface a splat may be bound: the hair of a head is not all where the mesh has it."""
_MAX_TRANSFORM_BYTES: Final = 2**20


@dataclass(frozen=True)
class Exported:
    """A dataset on disk."""

    folder: Path
    photos: int
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {"folder": str(self.folder), "photos": self.photos, "warnings": self.warnings}


@dataclass(frozen=True)
class Imported:
    """A cloud bound to an avatar."""

    file: Path
    splats: int
    left_out: int

    def as_json(self) -> dict[str, Any]:
        return {"file": str(self.file), "splats": self.splats, "left_out": self.left_out}


def export_nerfstudio(sources: Sequence[Source], folder: Path, *, progress: Progress = str) -> Exported:
    """Photos (or videos) of one person as a dataset: all of `folder` or nothing of it. Its world is the avatar's frame.

    Raises as `create --same-person` does.
    """
    first, *others = sources
    made = make_avatar(first, CreateParams(), name=folder.name, others=others, progress=progress)
    progress("write")
    views = views_of(made)
    with publishing(folder) as fresh:
        write_dataset(fresh, stage_avatar(made.avatar), views, licence=str(made.avatar.extras.get("copyright", "")))
        save_glb(made.avatar, fresh / f"{folder.name}.glb")
        write_manifest(fresh, {"name": folder.name, "photos": len(views), "synthetic": True})
    return Exported(folder, len(views), (*made.face.photo.warnings, *made.face.warnings))


def views_of(made: Creation) -> list[View]:
    """Every photo as a trainer sees it, the main one first."""
    return [
        View(
            each.face.photo.pixels,
            over_photo(each.segments, each.segments.of(*HEAD_KINDS), each.face),
            each.fitted.camera,
        )
        for each in made.seen
    ]


def import_splats(
    cloud: Path,
    avatar: Path,
    out: Path,
    *,
    transforms: Path | None = None,
    y_down: bool = False,
    reach_m: float = REACH_M,
) -> Imported:
    """Bind trained splats (.ply or .spz) to an avatar's triangles, and write the avatar with them (.glb) or the binding (.splats).

    `transforms` is the dataparser_transforms.json of nerfstudio's run, whose turning and scaling it undoes; `y_down` is for
    files of our own `create`. Raises UsageError (2) for another suffix, InputError (10, 11, 12) for files that cannot be
    used, UnreadableError (10, SPLATS_FAR) when nothing lies near the avatar.
    """
    if out.suffix not in (".glb", ".splats"):
        raise UsageError(
            f'"{out.name}" is neither a .glb nor a .splats file.', hint="Give -o NAME-splats.glb or -o NAME.splats."
        )
    head = load_glb(avatar)
    gaussians = load_spz(cloud) if cloud.suffix.lower() == ".spz" else load_ply(cloud, y_down=y_down)
    if transforms is not None:
        gaussians = in_world(gaussians, *read_transform(transforms))
    stage = stage_avatar(head)
    rest = attach(gaussians, stage, reach_m=reach_m)
    if not len(rest.triangle):
        raise UnreadableError(
            f'none of the {len(gaussians.mean):,} splats in "{cloud.name}" lies within {reach_m * 1000:.0f} mm of "{avatar.name}".',
            hint="Give --transforms dataparser_transforms.json of the run, or --y-down for a file of avatar3d create.",
            id="SPLATS_FAR",
            file=cloud,
        )
    if out.suffix == ".glb":
        save_glb(head, out, splats=rest)
    else:
        bound = rebind(rest, stage.positions, stage.triangles)
        names, counts = zip(*((mesh.name, len(mesh.triangles)) for mesh in head.meshes), strict=True)
        save_binding(BoundSplats(bound, names, counts), out)
    return Imported(out, len(rest.triangle), len(gaussians.mean) - len(rest.triangle))


def read_transform(file: Path) -> Transform:
    """What a trainer did to the dataset's world: turn, shift and scale. Raises UnreadableError (10, TRANSFORMS_INVALID)."""
    with open_given(file, "JSON") as stream:
        content = stream.read(_MAX_TRANSFORM_BYTES + 1)
    try:
        found = undo_transform(json.loads(content)) if len(content) <= _MAX_TRANSFORM_BYTES else None
    except (ValueError, RecursionError):
        found = None
    if found is None:
        raise UnreadableError(
            f'"{file.name}" does not hold a turn, a shift and a scale.',
            hint="Give the dataparser_transforms.json that ns-train wrote beside its config.yml.",
            id="TRANSFORMS_INVALID",
            file=file,
        )
    return found
