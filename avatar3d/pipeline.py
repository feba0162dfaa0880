"""The whole product on one page.

photos or stills -> FaceObservation -> Segments -> HeadFit -> Skin, eyes, hair, what is worn -> Avatar, refined by splats or
given a body -> DIR/NAME/{glb, json, png, html, splats}
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from jaxtyping import Float32
from threadpoolctl import threadpool_limits

from avatar3d import __version__
from avatar3d.body.give import BodyParams, check_body, give_body
from avatar3d.core.avatar import Avatar, Skin, Texture
from avatar3d.core.clock import Progress, StageClock, counted
from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import Avatar3dError, OutputInvalidError, UsageError
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation, Light, Photo
from avatar3d.core.segments import HEAD_KINDS, Segments
from avatar3d.core.sitting import Pins, Sitting
from avatar3d.core.splats import BoundSplats, SplatCloud
from avatar3d.fit.pins import bent, missed_pins, pull_to_pins, sitting_of, told_landmarks
from avatar3d.fit.together import fit_together
from avatar3d.formats.check import check_file
from avatar3d.formats.gltf import save_glb
from avatar3d.formats.provenance import picture_mark, provenance
from avatar3d.formats.splat_binding import save_binding
from avatar3d.formats.splat_ply import save_ply
from avatar3d.formats.splat_spz import save_spz
from avatar3d.hair.bones import hang_on_joints
from avatar3d.hair.grow import grow_hair
from avatar3d.hair.segment import HairPicture, hidden_by_hair, segment_hair
from avatar3d.hair.tint import tint_scalp
from avatar3d.head.load import load_head_model
from avatar3d.photo.choose import choose_stills
from avatar3d.photo.gates import BESIDE
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.photo.pins import read_pins
from avatar3d.photo.segment import over_photo, segment_face
from avatar3d.photo.video import Video, photo_or_video
from avatar3d.render.av import require_av, write_video
from avatar3d.render.lights import studio_light
from avatar3d.render.splats import SplatRenderer, load_splat_renderer
from avatar3d.render.stage import stage_avatar
from avatar3d.report.names import distinct_names, safe_name
from avatar3d.report.pictures import TURNTABLE_FRAMES, compose_preview, film_turntable, png_bytes
from avatar3d.report.publish import publishing, write_manifest
from avatar3d.report.record import FitRecord, record_as_json
from avatar3d.report.story import Story, tell_story
from avatar3d.rig.assemble import as_rigged, assemble_avatar, rig_head
from avatar3d.splat.bake import bake
from avatar3d.splat.bind import at_rest
from avatar3d.splat.look import look_at
from avatar3d.splat.refine import RefineParams, refine
from avatar3d.splat.still import seen_only, still
from avatar3d.texture.eyes import recover_eyes
from avatar3d.texture.recover import recover_skin
from avatar3d.texture.remarks import remarks
from avatar3d.texture.see import SkinView
from avatar3d.texture.teeth import recover_mouth
from avatar3d.wear.frames import hidden_by_glasses, put_on
from avatar3d.wear.glasses import find_glasses
from avatar3d.wear.headwear import find_headwear, put_on_headwear

__all__ = [
    "BodyParams",
    "CreateParams",
    "Creation",
    "Files",
    "SeenPhoto",
    "create",
    "create_files",
    "distinct_names",
    "make_avatar",
    "photo_or_video",
    "write_splats",
]

_LOOK_PX: Final = 512
"""Of the crop that splats learn from."""
SplatFile = Literal["glb", "ply", "spz", "splats"]
SPLAT_FILES: Final[tuple[SplatFile, ...]] = get_args(SplatFile)
Source = Path | Photo | Video
"""A picture file, a picture, or a video of one person, whose best stills stand for photos."""


def create(
    photo: Path | str,
    out: Path | str | None = None,
    *,
    others: Sequence[Path | str] = (),
    params: "CreateParams | None" = None,
) -> Avatar:
    """Turn one photo into a rigged head with the 52 ARKit blendshapes; `others` are further photos of the same person.

    Any of them may be a short video of the head turning (extra `video`): its best stills stand for photos.
    With `out`, also writes OUT/NAME/ (GLB, avatar.json, preview, report, manifest), NAME being the photo's stem.
    Raises InputError for a photo that cannot be used and DiskError when OUT cannot be written.
    """
    chosen, (first, *more) = params or CreateParams(), [photo_or_video(Path(path)) for path in (photo, *others)]
    if out is None:
        return make_avatar(first, chosen, others=more).avatar
    return create_files(first, Path(out) / safe_name(Path(photo).stem), chosen, others=more).creation.avatar


@dataclass(frozen=True)
class CreateParams:
    """What may be chosen about an avatar besides the photo."""

    head: str = "avatar3d"
    """Name of the parametric head."""
    face: str = "only"
    """Which face when there are several: only (refuse), largest, or its number from the left."""
    texture_px: int = 1024
    """Edge of the face atlas, 1024 or 2048."""
    hair: Literal["none", "cap", "cards"] = "cards"
    """No mesh, only its shell (for far away and for weak machines), or locks over it."""
    refine: Literal["none", "splat"] = "none"
    """Splats learn from the photo what the mesh lacks, and are baked into the hair's texture (extra `film`)."""
    splats: tuple[SplatFile, ...] = SPLAT_FILES
    """Which files of splats `refine` leaves beside the GLB: NAME-splats.glb, the avatar with its splats; NAME.ply and
    NAME.spz, a still head; NAME.splats, the splats bound to the avatar's triangles."""
    body: BodyParams = field(default_factory=BodyParams)
    """None, a bust or a whole body below the head, and whose."""
    compact: bool = False
    """Sparse morph targets: smaller, but not read by every importer."""
    report: bool = True
    """Also draw preview.png and report.html."""
    turntable: bool = False
    """Also film turntable.mp4 (extra `video`)."""


@dataclass(frozen=True, eq=False)
class Creation:
    """An avatar with everything it was made from."""

    avatar: Avatar
    model: HeadModel
    face: FaceObservation
    fitted: HeadFit
    skin: Skin
    eyes: Texture
    sitting: Sitting
    """What to keep of the photo for corrections by hand."""
    others_sha256: tuple[str, ...] = ()
    """Of the further files."""
    pins: Pins | None = None
    """What was corrected so."""
    splats: SplatCloud | None = None
    """What `refine` learnt, bound to the avatar's triangles; None without it."""
    seen: "tuple[SeenPhoto, ...]" = ()
    """Every photo, the main one first."""
    lift_m: float = 0.0
    """How far the avatar, its body on the ground, stands higher than the fit."""

    def landmarks(self) -> dict[str, Any]:
        """Where the head as shown has its landmarks in the photo, and how nearly they meet the pins."""
        return told_landmarks(self.model, as_rigged(self.model, self.fitted), self.pins)


@dataclass(frozen=True, eq=False)
class SeenPhoto:
    """One photo and what was found in it."""

    face: FaceObservation
    fitted: HeadFit
    segments: Segments


@dataclass(frozen=True, eq=False)
class Files:
    """An avatar on disk."""

    folder: Path
    creation: Creation
    seconds: dict[str, float]
    """Wall time per stage."""

    @property
    def glb(self) -> Path:
        return self.folder / f"{self.creation.avatar.name}.glb"

    @property
    def warnings(self) -> tuple[str, ...]:
        made = self.creation
        return (*_warnings(made.face), *missed_pins(made.model, as_rigged(made.model, made.fitted), made.pins))

    def as_json(self) -> dict[str, Any]:
        """What `avatar3d create --json` prints."""
        return {
            "glb": str(self.glb),
            "folder": str(self.folder),
            "residual_iod": self.creation.fitted.residual_iod,
            "warnings": self.warnings,
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
            **self.creation.landmarks(),
        }


def make_avatar(
    source: Source,
    params: CreateParams,
    *,
    name: str = "",
    others: Sequence[Source] = (),
    pins: Path | None = None,
    progress: Progress = str,
) -> Creation:
    """The main job, in memory; on one BLAS thread, because the order of its sums is in the bytes.

    `others` are further photos of the same person: they tell of the shape, and of the skin that they show better.
    `pins` is a file of landmarks of the first photo that were put right by hand.
    """
    check_body(params.body, params.head)
    if params.refine == "splat" and params.body.kind != "none":
        raise UsageError("--refine splat learns a head alone; it knows no body yet.", hint="Leave out one of the two.")
    renderer = load_splat_renderer("numba") if params.refine == "splat" else None
    with threadpool_limits(1), ThreadPoolExecutor(1) as beside:  # what does not wait for another runs on a second core
        progress("load")
        photos, files = _load_all([source, *others], params.face, progress)
        hashes = tuple(dict.fromkeys(photo.sha256 for photo in photos))  # stills have that of their video
        model = load_head_model(params.head)
        progress("observe")
        face, *more = _observe_all(photos, params.face, files=files)
        progress("fit")
        segments = segment_face(face)
        seen = [segment_face(other) for other in more]
        moved = None if pins is None else read_pins(pins, photo_sha256=face.photo.sha256, size_px=_size_px(face.photo))
        together = fit_together(model, [face, *more], segments=[segments, *seen], pins=moved)
        fitted, *fits = together.fits
        if moved is not None:
            fitted = pull_to_pins(model, fitted, moved, shown=partial(as_rigged, model))
            fits = [bent(model, fit, Pins(fitted.pins, moved.points_px[:0]), fitted.pin_shifts_m) for fit in fits]
        progress("texture")
        rigging = beside.submit(as_rigged, model, fitted)
        picture = segment_hair(model, fitted, face, segments)
        glasses = find_glasses(model, fitted, face, segments)
        rims, beard = (over_photo(segments, segments.of(kind), face) for kind in ("glasses", "beard"))
        hidden, worn = _hidden(picture, segments, face), hidden_by_glasses(model, fitted, glasses, rims)
        sides = [_see_side(model, *each) for each in zip(fits, more, seen, strict=True)]
        shown = rigging.result()
        skin = recover_skin(
            model, shown, face, size=params.texture_px, hidden=hidden, worn=worn, beard=beard, sides=sides
        )
        flesh = beside.submit(recover_mouth, model, shown, face, light=skin.light, tone=skin.tone)
        looking = beside.submit(recover_eyes, model, shown, face, light=skin.light)
        progress("hair")
        hair = None
        if params.hair != "none":
            hair = grow_hair(model, fitted, face, skin, picture=picture, with_locks=params.hair == "cards")
        skin = tint_scalp(model, fitted, skin, hair)
        skin, eyes = replace(skin, parts=flesh.result()), looking.result()
        progress("rig")
        avatar = assemble_avatar(
            model,
            shown,
            skin,
            eyes,
            hair and hair.mesh,
            name=safe_name(name or photos[0].name),
            extras=provenance(
                "\n".join([model.licence, *dict.fromkeys(photo.licence for photo in photos)]),
                *hashes,
                generated=all(photo.licence for photo in photos),
            ),
        )
        avatar = put_on(hang_on_joints(avatar, hair), model, fitted, glasses)
        avatar = put_on_headwear(avatar, find_headwear(face, segments), fitted, face, skin.light)
        splats = None
        if renderer is not None:
            progress("splats")
            avatar, splats = _refined(avatar, fitted, face, segments, skin.light, renderer, progress)
        guessed, lift_m = (), 0.0
        if params.body.kind != "none":
            progress("body")
            embodied = give_body(avatar, model, rig_head(model, shown).neutral, skin, face, segments, params.body)
            avatar, guessed, lift_m = embodied.avatar, embodied.remarks, embodied.lift_m
        said = (f"{other.photo.file or other.photo.name}: {each}" for other in more for each in _warnings(other))
        remarked = remarks(face, skin.light, hidden)
        face = replace(face, warnings=(*face.warnings, *remarked, *said, *together.doubts, *guessed))
        return Creation(avatar, model, face, fitted, skin, eyes, sitting_of(together.main), hashes[1:], moved, splats,
                        _seen([face, *more], together.fits, [segments, *seen]), lift_m)  # fmt: skip


def _seen(
    faces: Sequence[FaceObservation], fits: Sequence[HeadFit], segments: Sequence[Segments]
) -> tuple[SeenPhoto, ...]:
    return tuple(SeenPhoto(*each) for each in zip(faces, fits, segments, strict=True))


def _load_all(sources: Sequence[Source], face: str, progress: Progress) -> tuple[list[Photo], list[str]]:
    """Every photo, in place of a video its stills, and the file of each; no file twice."""
    photos: list[Photo] = []
    files: list[str] = []
    for source in sources:
        if isinstance(source, Video):
            whose = "only" if photos and face.isdigit() else face
            mine, file = choose_stills(source.path, face=whose, progress=progress), source.path
        elif isinstance(source, Photo):
            mine, file = [source], source.file
        else:
            mine, file = [load_photo(source)], source
        if any(_same_picture(mine[0], other) for other in photos):
            raise UsageError(f'"{Path(file).name or mine[0].name}" was given twice.', hint="Give each file once.")
        photos += mine
        files += [str(file)] * len(mine)
    return photos, files


def _same_picture(one: Photo, other: Photo) -> bool:
    """Of the same file; the stills of a video are different pictures of one."""
    return bool(one.sha256) and one.sha256 == other.sha256 and np.array_equal(one.pixels, other.pixels)


def _observe_all(photos: Sequence[Photo], face: str, *, files: Sequence[str]) -> list[FaceObservation]:
    """The same person's face in every photo; all but the first may be turned to the side."""
    seen = [observe_face(photos[0], face=face)]
    for photo, file in zip(photos[1:], files[1:], strict=True):
        try:
            seen.append(observe_face(photo, face="only" if face.isdigit() else face, limits=BESIDE))
        except Avatar3dError as error:
            error.file = error.file or file
            raise
    return seen


def _size_px(photo: Photo) -> tuple[int, int]:
    height, width = photo.pixels.shape[:2]
    return width, height


def _warnings(face: FaceObservation) -> tuple[str, ...]:
    return (*face.photo.warnings, *face.warnings)


def _hidden(picture: HairPicture, segments: Segments, face: FaceObservation) -> Float32[np.ndarray, "H W"]:
    """How surely hair, a hat or a hand lies before the face."""
    return np.maximum(hidden_by_hair(picture, face), over_photo(segments, segments.of("headwear", "occluder"), face))


def _refined(
    avatar: Avatar,
    fitted: HeadFit,
    face: FaceObservation,
    segments: Segments,
    light: Light,
    renderer: SplatRenderer,
    progress: Progress,
) -> tuple[Avatar, SplatCloud]:
    """With what splats learn from the main photo in the hair's texture, which is as it was without hair; and those splats."""
    shown, hair, covered = (
        over_photo(segments, segments.of(*kinds), face)
        for kinds in (HEAD_KINDS, ("hair",), ("glasses", "occluder", "headwear"))
    )
    look = look_at(avatar, fitted, face, light, shown=shown, hair=hair, covered=covered, size_px=_LOOK_PX)
    cloud = refine(avatar, [look], RefineParams(), renderer=renderer, progress=progress)
    hairy = any(mesh.name == "hair" for mesh in avatar.meshes)
    return bake(avatar, cloud, look, renderer) if hairy else avatar, seen_only(cloud)


def _see_side(model: HeadModel, fitted: HeadFit, face: FaceObservation, segments: Segments) -> SkinView:
    """A further photo: what lies before the skin, and where skin goes on beside the face."""
    hidden = _hidden(segment_hair(model, fitted, face, segments), segments, face)
    rims, beard, bare, ears = (
        over_photo(segments, segments.of(*kinds), face)
        for kinds in (("glasses",), ("beard",), ("skin", "ears"), ("ears",))
    )
    worn = hidden_by_glasses(model, fitted, find_glasses(model, fitted, face, segments), rims)
    return SkinView(as_rigged(model, fitted), face, hidden, worn, beard, bare * (1 - hidden), ears)


def create_files(
    source: Source,
    folder: Path,
    params: CreateParams,
    *,
    others: Sequence[Source] = (),
    pins: Path | None = None,
    beside: Mapping[str, bytes] | None = None,
    progress: Progress = str,
) -> Files:
    """The main job, onto disk: all of `folder` or nothing of it. The avatar bears the folder's name.

    `others` are further photos of the same person, `pins` a file of landmarks put right by hand, `beside` further files
    for the folder, by name.
    """
    if params.turntable:
        require_av()
    clock = StageClock(progress)
    with publishing(folder) as fresh, threadpool_limits(1):  # a thread of BLAS that waits keeps a core busy
        creation = make_avatar(source, params, name=folder.name, others=others, pins=pins, progress=clock.begin)
        avatar = creation.avatar
        clock.begin("write")
        glb = save_glb(avatar, fresh / f"{avatar.name}.glb", compact=params.compact)
        record = FitRecord(creation.model.name, creation.fitted, creation.skin.light, creation.sitting)
        write_atomically(fresh / "avatar.json", json.dumps(record_as_json(record), indent=1).encode())
        for file, content in (beside or {}).items():
            write_atomically(fresh / file, content)
        if creation.splats is not None:
            write_splats(fresh, avatar, creation.splats, params.splats, compact=params.compact)
        if params.report:
            clock.begin("check")
            report = check_file(glb, khronos=False)
            if report.failures:
                raise OutputInvalidError(f"{glb.name} breaks its promises: {report.failures[0].reason}.", file=glb)
            clock.begin("preview")
            preview = compose_preview(
                creation.face, avatar, creation.fitted, creation.skin.light, lift_m=creation.lift_m
            )
            write_atomically(fresh / "preview.png", png_bytes(preview, picture_mark()))
            clock.begin("report")
            sizes = {path.name: path.stat().st_size for path in sorted(fresh.iterdir())}
            story = Story(avatar, creation.model, creation.face, creation.fitted, creation.skin, creation.eyes,
                          preview, sizes, dict(clock.seconds), report.rows())  # fmt: skip
            write_atomically(fresh / "report.html", tell_story(story).encode())
        if params.turntable:
            clock.begin("turntable")
            film = counted(film_turntable(avatar), TURNTABLE_FRAMES, progress)
            write_video(film, fresh / "turntable.mp4", comment=avatar.extras["copyright"])
        clock.end()
        write_manifest(fresh, _manifest(creation, params, clock.seconds))
    return Files(folder, creation, clock.seconds)


def write_splats(
    folder: Path, avatar: Avatar, cloud: SplatCloud, files: Sequence[SplatFile], *, compact: bool = False
) -> None:
    """The files of splats that are wanted, named after the avatar; none for an empty cloud."""
    if not len(cloud.triangle):
        return
    stage = stage_avatar(avatar)
    if "glb" in files:
        rest = at_rest(cloud, stage.positions, stage.triangles)
        save_glb(avatar, folder / f"{avatar.name}-splats.glb", compact=compact, splats=rest)
    if "splats" in files:
        names, counts = zip(*((mesh.name, len(mesh.triangles)) for mesh in avatar.meshes), strict=True)
        save_binding(BoundSplats(cloud, names, counts), folder / f"{avatar.name}.splats")
    if "ply" in files or "spz" in files:
        head = still(avatar, cloud, studio_light())
        for suffix, save in (("ply", save_ply), ("spz", save_spz)):
            if suffix in files:
                save(head, folder / f"{avatar.name}.{suffix}")


def _manifest(creation: Creation, params: CreateParams, seconds: dict[str, float]) -> dict[str, Any]:
    return {
        "avatar3d": __version__,
        "name": creation.avatar.name,
        "synthetic": True,
        "photo_sha256": creation.face.photo.sha256,
        "others_sha256": creation.others_sha256,
        "parameters": asdict(params),
        "pins": 0 if creation.pins is None else len(creation.pins.landmarks),
        "head": {"name": creation.model.name, "licence": creation.model.licence},
        "determinism": "D0: the same photos, version and machine give the same GLB bytes",
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
    }
