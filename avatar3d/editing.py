"""A finished avatar made over on one page: other colours, age and style, or a blend of people; no photo needed.

avatar.json + its GLB -> FitRecord, Avatar -> other shape? rigged anew : kept -> colours -> OUT/NAME/{glb, json}
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32
from threadpoolctl import threadpool_limits

from avatar3d import __version__
from avatar3d.core.avatar import Avatar, Material, Mesh, Texture
from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import OutputInvalidError, UnreadableError, UsageError
from avatar3d.core.head import HeadModel
from avatar3d.edit.colours import (
    EYES,
    HAIR,
    age_albedo,
    greying,
    parse_colour,
    parse_skin,
    relief_factor,
    scale_relief,
    simplify_albedo,
    tint_hair,
    tint_irises,
    tone_skin,
)
from avatar3d.edit.forms import blend_fits, follow_skin
from avatar3d.formats.check import check_file
from avatar3d.formats.gltf import load_glb, save_glb
from avatar3d.head.load import load_head_model
from avatar3d.render.stage import LINEAR_FROM_SRGB
from avatar3d.report.publish import MANIFEST, publishing, write_manifest
from avatar3d.report.record import FitRecord, record_as_json, record_from_json
from avatar3d.rig.assemble import RiggedHead, cut_mesh, rig_head
from avatar3d.rig.skeleton import place_skeleton
from avatar3d.rig.wet_line import WET_LINES, wet_lines
from avatar3d.texture.eyes import iris_edge
from avatar3d.texture.regions import SURE_SKIN

_RECORD: Final = "avatar.json"
_MOST_YEARS: Final = 60
_NO_TONE: Final = np.zeros(3, np.float32)
"""For a mesh that keeps its material."""
_CARICATURE: Final = 0.8
"""How much further from the mean head a fully stylised one is."""


@dataclass(frozen=True)
class EditParams:
    """What may be changed about a finished avatar; None, 0 and empty leave it as it is, to the bit."""

    hair_color: str | None = None
    """A name or #rrggbb."""
    skin_tone: str | None = None
    """A step of the Monk scale, 1 to 10, or #rrggbb."""
    eye_color: str | None = None
    """A name or #rrggbb."""
    age: float = 0.0
    """Years older; negative: younger."""
    mix: tuple[tuple[Path, float], ...] = ()
    """Records (avatar.json) of others, and the share of each."""
    stylize: float = 0.0
    """0 as photographed, 1 a caricature."""


def edit_files(record_path: Path, folder: Path, params: EditParams) -> Path:
    """Write the edited avatar: all of `folder` or nothing of it. Returns the GLB's path.

    Raises UsageError for values that cannot be, UnreadableError (10) for a record or GLB that is missing or broken.
    """
    began_s = time.perf_counter()
    with threadpool_limits(1):
        record, stored = read_record(record_path)
        model = load_head_model(record.head)
        glb = record_path.parent / f"{_name_of(record_path)}.glb"
        if not glb.is_file():
            raise UnreadableError(
                f"expected the avatar's GLB at {glb}.", hint="Keep avatar.json beside its GLB.", id="RECORD_ALONE"
            )
        changed, avatar = edit_avatar(model, record, load_glb(glb), params)
        with publishing(folder) as fresh:
            written = save_glb(replace(avatar, name=folder.name), fresh / f"{folder.name}.glb")
            faults = check_file(written, khronos=False).failures
            if faults:
                raise OutputInvalidError(f"{written.name} breaks its promises: {faults[0].reason}.", file=written)
            write_atomically(fresh / _RECORD, json.dumps(record_as_json(changed), indent=1).encode())
            facts = {"avatar3d": __version__, "name": folder.name, "synthetic": True, "edited": _told(params),
                     "head": {"name": model.name, "licence": model.licence},
                     "seconds": {"edit": round(time.perf_counter() - began_s, 3)}}  # fmt: skip
            write_manifest(fresh, stored | facts)
    return folder / written.name


def edit_avatar(model: HeadModel, record: FitRecord, avatar: Avatar, params: EditParams) -> tuple[FitRecord, Avatar]:
    """The record and the avatar with what `params` names changed, and nothing else."""
    for option, value, low, high in (
        ("--stylize", params.stylize, 0, 1),
        ("--age", params.age, -_MOST_YEARS, _MOST_YEARS),
    ):
        if not low <= value <= high:  # false for nan too
            raise UsageError(
                f"expected {option} from {low} to {high}, got {value:g}.", hint="See avatar3d edit --help."
            )
    if params.mix or params.stylize:
        others = [(read_record(path)[0].fitted, share) for path, share in params.mix]
        fitted = blend_fits(model, record.fitted, others, exaggerate=_CARICATURE * params.stylize)
        before = rig_head(model, record.fitted).neutral
        record = replace(record, fitted=fitted, sitting=None)  # corrections by hand would start from the old person
        avatar = reshape(model, before, rig_head(model, fitted), avatar)
    return record, _repaint(model, record, avatar, params)


def reshape(model: HeadModel, before: Float32[np.ndarray, "V 3"], head: RiggedHead, avatar: Avatar) -> Avatar:
    """Every part of the head cut from the new shape, in the old materials; hair and glasses follow the skin.

    `before` is the neutral head (metres) of the avatar as it is. Raises UsageError when it has a body.
    """
    if any(mesh.name == "body" for mesh in avatar.meshes):
        raise UsageError(
            "the head of an avatar with a body cannot be reshaped: its neck is cut to that body.",
            hint="Make it without --body, reshape it, or give the photo to create --body once more.",
            id="HAS_A_BODY",
        )
    skin = np.unique(model.triangles[model.part("face")])

    def shaped(mesh: Mesh) -> Mesh:
        if mesh.name in model.part_names:
            return cut_mesh(model, head, mesh.name, mesh.material)
        if mesh.name == WET_LINES:
            return replace(wet_lines(model, head.neutral, head.shapes, _NO_TONE), material=mesh.material)
        return replace(mesh, positions=carried(mesh.positions))

    def carried(points: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N 3"]:
        return follow_skin(points, before[skin], head.neutral[skin])

    own, positions = place_skeleton(model, head.neutral), carried(avatar.skeleton.positions)
    positions[[avatar.skeleton.names.index(name) for name in own.names]] = own.positions
    return replace(
        avatar, meshes=tuple(map(shaped, avatar.meshes)), skeleton=replace(avatar.skeleton, positions=positions)
    )


def _repaint(model: HeadModel, record: FitRecord, avatar: Avatar, params: EditParams) -> Avatar:
    """Other colours in the materials they belong to."""
    albedo = avatar.meshes[0].material.base_colour
    tone = None if albedo is None else _tone(model, albedo)

    def painted(mesh: Mesh) -> Mesh:
        material = mesh.material
        if mesh.name == "face":
            material = _paint_face(model, material, params)
        elif mesh.name == "body" and params.skin_tone and tone is not None:
            material = _with_colour(material, tone_skin, tone, parse_skin(params.skin_tone, tone))
        elif mesh.name in ("eyeLeft", "eyeRight") and params.eye_color:
            edge = iris_edge(model, record.fitted)
            material = _with_colour(material, tint_irises, edge, parse_colour(params.eye_color, EYES))
        elif mesh.name == "hair" and params.hair_color:
            material = _with_colour(material, tint_hair, parse_colour(params.hair_color, HAIR))
        if mesh.name == "hair" and greying(params.age):
            material = _with_colour(material, tint_hair, parse_colour("grey", HAIR), greying(params.age))
        return replace(mesh, material=material)

    return replace(avatar, meshes=tuple(map(painted, avatar.meshes)))


def _paint_face(model: HeadModel, material: Material, params: EditParams) -> Material:
    if params.skin_tone and material.base_colour is not None:
        own = _tone(model, material.base_colour)
        material = _with_colour(material, tone_skin, own, parse_skin(params.skin_tone, own))
    if params.age:
        material = _with_colour(material, age_albedo, params.age)
    if params.stylize:
        material = _with_colour(material, simplify_albedo, params.stylize)
    steepness = relief_factor(params.age) * (1 - 0.8 * params.stylize)
    if steepness != 1 and material.normal is not None:
        material = replace(material, normal=scale_relief(material.normal, steepness))
    return material


def _with_colour(material: Material, paint: Any, *how: Any) -> Material:
    if material.base_colour is None:
        return material
    return replace(material, base_colour=paint(material.base_colour, *how))


def _tone(model: HeadModel, albedo: Texture) -> Float32[np.ndarray, "3"]:
    """Median albedo (linear RGB) where skin is bare on nearly everyone."""
    chosen = list(SURE_SKIN)
    uvs = model.uvs[model.triangle_uvs[model.landmark_triangles[chosen]]]
    place = np.einsum("nc,ncd->nd", model.landmark_barycentric[chosen], uvs)
    height, width = albedo.pixels.shape[:2]
    column, row = (np.clip(place, 0, 0.9999) * [width, height]).astype(int).T
    return np.median(LINEAR_FROM_SRGB[albedo.pixels[row, column, :3]], axis=0).astype(np.float32)


def read_record(record_path: Path) -> tuple[FitRecord, dict[str, Any]]:
    """A record, and what the manifest beside it says of the photo.

    Raises UnreadableError (10).
    """
    try:
        stored = json.loads(record_path.read_text(encoding="utf-8"))
        head = str(stored["head"])
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise UnreadableError(
            f"{record_path} is no record of an avatar.",
            hint="Name the avatar.json that create wrote.",
            id="RECORD_BROKEN",
        ) from cause
    kept = ("photo_sha256", "others_sha256", "parameters")
    manifest = _manifest(record_path)
    return record_from_json(stored, load_head_model(head)), {key: manifest[key] for key in kept if key in manifest}


def _name_of(record_path: Path) -> str:
    return str(_manifest(record_path).get("name", record_path.resolve().parent.name))


def _manifest(record_path: Path) -> dict[str, Any]:
    try:
        found = json.loads((record_path.parent / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _told(params: EditParams) -> dict[str, Any]:
    """The parameters as JSON; other people only by their records' names."""
    told = {key: value for key, value in asdict(params).items() if value and key != "mix"}
    return told | ({"mix": [[path.parent.name, share] for path, share in params.mix]} if params.mix else {})
