"""Puts a rigged avatar together.

neutral --> bust evened, lips settled, teeth seated --> 52 shapes of this head --> one mesh per part --> skeleton
"""

from dataclasses import dataclass, replace
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float32

from avatar3d.core.avatar import Avatar, Material, Mesh, Skin, Texture
from avatar3d.core.blendshapes import ARKIT_NAMES, TONGUE_NAMES
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.head.deform import lean_gains, pose_head
from avatar3d.rig.bust import even_bust
from avatar3d.rig.incisors import seat_teeth
from avatar3d.rig.lips import settle_lips
from avatar3d.rig.materials import (
    brow_colour,
    brows_in_albedo,
    eye_material,
    face_material,
    lash_colour,
    part_material,
)
from avatar3d.rig.morphs import person_shapes
from avatar3d.rig.mouth import tuck_teeth
from avatar3d.rig.skeleton import place_skeleton
from avatar3d.rig.surface import smooth_normals, split_part
from avatar3d.rig.tongue import tongue_poses
from avatar3d.rig.wet_line import wet_lines

PART_ORDER: Final = ("face", "eyeLeft", "eyeRight", "teethUpper", "teethLower", "tongue", "mouth", "lashes", "brows")
# A part that no shape moves further than this rides on its joints alone (metres).
_MOVES_M: Final = 1e-5


@dataclass(frozen=True, eq=False)
class RiggedHead:
    """The head as engines will show it."""

    neutral: Float32[np.ndarray, "V 3"]
    """Mouth shut, teeth behind the lips; metres."""
    shapes: Float32[np.ndarray, "52 V 3"]
    """This person's own."""
    tongue: Float32[np.ndarray, "P V 3"]
    """Its poses for speech, TONGUE_NAMES order."""


_rigged: WeakKeyDictionary[HeadFit, RiggedHead] = WeakKeyDictionary()


def rig_head(model: HeadModel, fitted: HeadFit) -> RiggedHead:
    """Neutral and shapes of a fit; made once and kept while the fit lives."""
    if fitted not in _rigged:
        _rigged[fitted] = rig_neutral(model, fitted.neutral, smile_lean=fitted.smile_lean)
    return _rigged[fitted]


def rig_neutral(model: HeadModel, bare: Float32[np.ndarray, "V 3"], *, smile_lean: float = 0.0) -> RiggedHead:
    """A head given by its bare neutral (metres), such as the model's mean, `rest`."""
    neutral = seat_teeth(model, settle_lips(model, even_bust(model, bare)))
    shapes = person_shapes(model, neutral) * lean_gains(smile_lean)[:, None, None]
    return RiggedHead(tuck_teeth(model, neutral, shapes), shapes, tongue_poses(model, neutral))


def as_rigged(model: HeadModel, fitted: HeadFit) -> HeadFit:
    """The fit with `posed` as the asset will pose it: its own shapes, lips and teeth, which the bare model lacks.

    Textures are looked up on it: else what the photo shows of teeth and lips lands beside where engines show them.
    """
    head = rig_head(model, fitted)
    own = replace(model, expression=head.shapes)
    posed = pose_head(own, head.neutral, fitted.expression, fitted.left_eye_wxyz, fitted.right_eye_wxyz)
    shown = replace(fitted, posed=posed.astype(np.float32))
    _rigged[shown] = head
    return shown


def assemble_avatar(
    model: HeadModel,
    fitted: HeadFit,
    skin: Skin,
    eyes: Texture,
    hair: Mesh | None,
    *,
    name: str,
    extras: dict[str, Any],
) -> Avatar:
    """The rigged head: the face first with all 52 shapes, then the small parts and wet lines, then hair if there is any.

    A part that some shape moves carries all 52 too, and the tongue its poses for speech after them; the others only ride
    on joints. Brow cards are left out where the photo's own brows are in the albedo: two brows, a hair's breadth apart,
    are worse than one.
    """
    head = rig_head(model, fitted)
    materials = {"face": face_material(skin)}
    materials |= dict.fromkeys(("eyeLeft", "eyeRight"), eye_material(eyes))
    brows = brow_colour(model, skin)
    materials |= {
        "brows": part_material("brows", tint=brows),
        "lashes": part_material("lashes", tint=lash_colour(brows)),
    }
    meshes = [
        cut_mesh(model, head, part, materials.get(part) or part_material(part, seen=skin.parts.get(part)))
        for part in PART_ORDER
        if part in model.part_names and len(model.part(part)) and not (part == "brows" and brows_in_albedo(model, skin))
    ]
    meshes.append(wet_lines(model, head.neutral, head.shapes, skin.tone))
    if hair is not None and len(hair.triangles):
        meshes.append(hair)
    return Avatar(name=name, meshes=tuple(meshes), skeleton=place_skeleton(model, head.neutral), extras=extras)


def cut_mesh(model: HeadModel, head: RiggedHead, part: str, material: Material) -> Mesh:
    """One part as a mesh: seams split, normals welded across them, shapes only when one moves it."""
    surface = split_part(model, part)
    neutral = head.neutral
    normals = smooth_normals(neutral, model.triangles[model.part(part)])
    own = head.shapes[:, surface.source]
    moved = part == "face" or float(np.abs(own).max()) > _MOVES_M
    names = ARKIT_NAMES if moved else ()
    if part == "tongue" and len(head.tongue):
        names = (*ARKIT_NAMES, *TONGUE_NAMES)
        own = np.concatenate([own, head.tongue[:, surface.source]])
    return Mesh(
        name=part,
        positions=neutral[surface.source].astype(np.float32),
        normals=normals[surface.source],
        uvs=surface.uvs.astype(np.float32),
        triangles=surface.triangles,
        material=material,
        morph_names=names,
        morphs=own[: len(names)].astype(np.float32),
        joints=model.skin_joints[surface.source].astype(np.int32),
        weights=model.skin_weights[surface.source].astype(np.float32),
    )
