"""A finished avatar learns from photos through nerfstudio, in the user's own environment, on one page.

photos --fitted anew--> dataset --ns-train, ns-export, processes of their own--> splats, bound to the rig: NAME-splats.glb
                                                                            or --> points, painted into the atlas: NAME.glb
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from avatar3d import __version__
from avatar3d.core.avatar import Avatar
from avatar3d.core.clock import Progress, StageClock
from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import OutputInvalidError, UnreadableError, UsageError
from avatar3d.core.photo import Light
from avatar3d.core.splats import ColouredPoints, RestSplats, SplatCloud
from avatar3d.formats.check import check_file
from avatar3d.formats.gltf import load_glb, save_glb
from avatar3d.formats.points_ply import load_points
from avatar3d.formats.splat_ply import load_ply
from avatar3d.pipeline import SPLAT_FILES, CreateParams, Creation, Source, make_avatar, write_splats
from avatar3d.render.pose import Posed, pose_stage
from avatar3d.render.stage import stage_avatar, unit
from avatar3d.report.publish import MANIFEST, publishing, write_manifest
from avatar3d.splat.attach import attach, in_world
from avatar3d.splat.bind import rebind
from avatar3d.splat.nerfstudio import View, write_dataset
from avatar3d.splat.repaint import repaint
from avatar3d.splat.trainer import Trained, Trainer, train
from avatar3d.training import REACH_M, read_transform, views_of

_LEAST_LIGHT: Final = np.float32(0.15)
_LIGHTEST: Final = np.float32(0.95)
"""Albedo; nothing on a head is lighter."""
_STALE: Final = ("preview.png", "report.html", "turntable.mp4")
"""Pictures of the textures as they were."""


@dataclass(frozen=True, eq=False)
class Refined:
    """A refined avatar on disk."""

    glb: Path
    """What changed: NAME-splats.glb, or NAME.glb with its new textures."""
    method: str
    told: dict[str, Any]
    """Counts of splats, or of points."""
    log: Path
    warnings: tuple[str, ...]
    seconds: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """What `avatar3d refine --json` prints."""
        return {
            "glb": str(self.glb),
            "folder": str(self.glb.parent),
            "method": self.method,
            **self.told,
            "log": str(self.log),
            "warnings": self.warnings,
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
        }


@dataclass(frozen=True, eq=False)
class Shown:
    """What the photos say, whatever is learnt from them."""

    views: tuple[View, ...]
    sha256: tuple[str, ...]
    """Of each view's file."""
    expression: np.ndarray
    """[52] of the main photo: the head that a trainer sees wears it."""
    light: Light
    licence: str
    warnings: tuple[str, ...]


def refine_files(
    folder: Path,
    photos: Sequence[Source],
    trainer: Trainer,
    *,
    out: Path | None = None,
    work: Path | None = None,
    progress: Progress = str,
) -> Refined:
    """Write OUT/NAME (by default the avatar's own folder) with what nerfstudio learns: all of it or nothing of it.

    The log of its programs stays beside that folder, NAME-nerfstudio.log; dataset and checkpoints stay only in `work`.
    Raises InputError for photos and for what nerfstudio wrote, Avatar3dError (70) when its programs fail, LimitError (12)
    when they take too long, OutputInvalidError (30), DiskError (40).
    """
    avatar, manifest = _read_avatar(folder)
    name = avatar.name
    if work is not None and work.exists() and (not work.is_dir() or any(work.iterdir())):
        raise UsageError(f"{work} is not empty.", hint="Give --work a new folder.")
    target = (out or folder.resolve().parent) / name
    log, clock = target.with_name(f"{name}-nerfstudio.log").absolute(), StageClock(progress)
    with publishing(target) as fresh:
        clock.begin("photos")
        shown = look_again(photos, progress)
        if trainer.kind == "points" and len(shown.views) < 2:
            raise UsageError(
                f"{trainer.method} learns a field, which needs two photos or more; this is one.",
                hint="Give photos from several sides, or a video of the head turning.",
            )
        own = (work or fresh / ".nerfstudio").absolute()
        write_dataset(own / "dataset", stage_avatar(avatar), shown.views, licence=shown.licence)
        clock.begin("train")
        trained = train(trainer, own / "dataset", own, log, progress=clock.begin)
        clock.begin("bring back")
        if trained.kind == "splats":
            cloud, told = bound_splats(avatar, shown, trained)
            refined = avatar
        else:
            refined, told = repainted(avatar, shown, trained, _photos_of(manifest))
            cloud = None
        shutil.rmtree(fresh / ".nerfstudio", ignore_errors=True)
        clock.begin("write")
        _keep(folder, manifest, fresh, without=_replaced(name, trained))
        if cloud is not None:
            write_splats(fresh, avatar, cloud, SPLAT_FILES, compact=_is_compact(manifest))
            changed = fresh / f"{name}-splats.glb"
        else:
            changed = save_glb(refined, fresh / f"{name}.glb", compact=_is_compact(manifest))
        faults = check_file(changed, khronos=False).failures
        if faults:
            raise OutputInvalidError(f"{changed.name} breaks its promises: {faults[0].reason}.", file=changed)
        clock.end()
        said = {"method": trainer.method, "steps": trainer.steps, "photos_sha256": list(shown.sha256), **told}
        write_manifest(fresh, manifest | {"avatar3d": __version__, "name": name, "nerfstudio": said})
    return Refined(target / changed.name, trainer.method, told, log, _warnings(shown, manifest, told), clock.seconds)


def look_again(photos: Sequence[Source], progress: Progress) -> Shown:
    """The photos' cameras, masks, expression and light: fitted anew, since an avatar keeps those of its main photo only."""
    first, *others = photos
    made = make_avatar(first, CreateParams(hair="none"), others=others, progress=lambda stage: progress(f"  {stage}"))
    return Shown(
        tuple(views_of(made)),
        _hashes(made),
        made.fitted.expression,
        made.skin.light,
        str(made.avatar.extras.get("copyright", "")),
        (*made.face.photo.warnings, *made.face.warnings),
    )


def bound_splats(avatar: Avatar, shown: Shown, trained: Trained) -> tuple[SplatCloud, dict[str, Any]]:
    """Trained splats on the triangles that they lie on in the photos' expression, the photos' light taken out."""
    gaussians = load_ply(trained.cloud, y_down=False)
    if trained.transforms is not None:
        gaussians = in_world(gaussians, *read_transform(trained.transforms))
    stage, posed = stage_avatar(avatar), _posed(avatar, shown)
    there = attach(gaussians, replace(stage, positions=posed.vertices), reach_m=REACH_M)
    if not len(there.triangle):
        raise _far(trained, len(gaussians.mean), "splats")
    normals = unit(posed.normals[stage.triangles[there.triangle]].mean(axis=1))
    colour = there.gaussians.colour / np.maximum(shown.light.shade(normals), _LEAST_LIGHT)
    unlit = replace(there.gaussians, colour=np.minimum(colour, _LIGHTEST).astype(np.float32))
    cloud = rebind(RestSplats(unlit, there.triangle), posed.vertices, stage.triangles)
    return cloud, {"splats": len(there.triangle), "left_out": len(gaussians.mean) - len(there.triangle)}


def repainted(avatar: Avatar, shown: Shown, trained: Trained, known: frozenset[str]) -> tuple[Avatar, dict[str, Any]]:
    """The avatar with a field's points in its textures, where the photos that it was made of (`known`) do not reach."""
    points = load_points(trained.cloud)
    if trained.transforms is not None:
        turn, shift, scale = read_transform(trained.transforms)
        places = (points.places / scale - shift) @ turn
        points = ColouredPoints(places.astype(np.float32), points.colours)
    own = [view for view, sha256 in zip(shown.views, shown.sha256, strict=True) if sha256 in known]
    made, told = repaint(avatar, _posed(avatar, shown), points, own or shown.views[:1], shown.light)
    if told.exposure is None:
        raise _far(trained, len(points.places), "points")
    facts = {"points": told.used, "points_seen": told.seen, "left_out": told.left_out, "exposure": told.exposure}
    return made, facts


def _posed(avatar: Avatar, shown: Shown) -> Posed:
    eye = shown.views[0].camera.position_m
    return pose_stage(stage_avatar(avatar), shown.expression, {}, eye, sky=None, pixel_m=1e-3)


def _read_avatar(folder: Path) -> tuple[Avatar, dict[str, Any]]:
    """The avatar of a folder that `create` wrote, and its manifest."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest: dict[str, Any] = dict(found)
        name, files = str(manifest["name"]), dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as cause:
        raise UnreadableError(
            f'"{folder}" is no folder of an avatar: expected its manifest.json.',
            hint="Give the folder DIR/NAME that avatar3d create wrote.",
            id="AVATAR_FOLDER",
            file=folder,
        ) from cause
    if f"{name}.glb" not in files or Path(name).name != name:
        raise UnreadableError(
            f'The manifest of "{folder}" names no {name[:60]!r}.glb.',
            hint="Give the folder DIR/NAME that avatar3d create wrote.",
            id="AVATAR_FOLDER",
            file=folder,
        )
    return replace(load_glb(folder / f"{name}.glb"), name=name), manifest


def _keep(folder: Path, manifest: dict[str, Any], fresh: Path, *, without: Sequence[str]) -> None:
    """The avatar's files that stay as they are; those that its manifest lists and that are there."""
    for name in manifest["files"]:
        source = folder / name
        if name not in without and Path(name).name == name and source.is_file():
            write_atomically(fresh / name, source.read_bytes())


def _replaced(name: str, trained: Trained) -> tuple[str, ...]:
    splats = (f"{name}-splats.glb", f"{name}.splats", f"{name}.ply", f"{name}.spz")
    return splats if trained.kind == "splats" else (*splats, f"{name}.glb", *_STALE)


def _photos_of(manifest: dict[str, Any]) -> frozenset[str]:
    """SHA-256 of the photos that the avatar was made of."""
    others = manifest.get("others_sha256")
    return frozenset(map(str, [manifest.get("photo_sha256"), *(others if isinstance(others, list) else [])]))


def _is_compact(manifest: dict[str, Any]) -> bool:
    parameters = manifest.get("parameters")
    return isinstance(parameters, dict) and parameters.get("compact") is True


def _hashes(made: Creation) -> tuple[str, ...]:
    return tuple(each.face.photo.sha256 for each in made.seen)


def _warnings(shown: Shown, manifest: dict[str, Any], told: dict[str, Any]) -> tuple[str, ...]:
    said = list(shown.warnings)
    if not _photos_of(manifest) & set(shown.sha256):
        said.append("The avatar was made of none of these photos: what differs in their fit differs in the result.")
    if told["left_out"]:
        what = "splats" if "splats" in told else "points"
        said.append(f"{told['left_out']:,} {what} lie too far from the head, or are too wide, and were left out.")
    return tuple(said)


def _far(trained: Trained, count: int, what: str) -> UnreadableError:
    return UnreadableError(
        f"of the {count:,} {what} that nerfstudio learnt too few lie on the head.",
        hint="Train for more steps, from more photos around the head; the log says how the training went.",
        id="SPLATS_FAR",
        file=trained.cloud.name,
    )
