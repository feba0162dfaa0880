"""The extension of VRM 0.x: VRM (vrm-c/vrm-specification, 0.0/README.md).

Its model looks to -Z of the file ("VRM rules"), so the avatar is turned half round before it is described. Places inside the
extension are in Unity's axes, whose z is the file's turned about: what is (x, y, z) with the face to +Z stands as (-x, y, z).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.avatar import Avatar
from avatar3d.core.errors import InputError
from avatar3d.core.humanoid import PARENTS, REQUIRED_0, THUMBS_0
from avatar3d.core.vrm import PRESETS_0, Expression
from avatar3d.formats.glb import Json
from avatar3d.formats.vrm1 import licence_lines
from avatar3d.formats.vrm_meta import VrmMeta
from avatar3d.formats.vrm_parts import (
    DRAG,
    GRAVITY,
    HIT_RADIUS_M,
    LOOK_RANGES,
    STIFFNESS,
    LookType,
    Springs,
    binds,
    eyes_from_head,
    first_person,
    springs,
)

VRM0: Final = "VRM"
ALLOWED_0: Final = {
    "onlyAuthor": "OnlyAuthor", "onlySeparatelyLicensedPerson": "ExplicitlyLicensedPerson", "everyone": "Everyone",
}  # fmt: skip
LINEAR_CURVE: Final = (0, 0, 0, 1, 1, 1, 1, 0)
_HALF_TURN: Final = np.array([-1, 1, -1], np.float32)
_FLAGS: Final = {"auto": "Auto", "both": "Both", "thirdPersonOnly": "ThirdPersonOnly"}
_RANGES: Final = {
    "lookAtHorizontalInner": "inner", "lookAtHorizontalOuter": "outer", "lookAtVerticalDown": "down", "lookAtVerticalUp": "up",
}  # fmt: skip
_SPHERES: Final = 3
"""Instead of a capsule, which 0.x does not know."""


def half_turned(avatar: Avatar) -> Avatar:
    """The avatar turned by 180 degrees about +Y: exact, and its own inverse."""
    return replace(
        avatar,
        meshes=tuple(
            replace(
                mesh,
                positions=_turned(mesh.positions),
                normals=_turned(mesh.normals),
                morphs=_turned(mesh.morphs),
            )
            for mesh in avatar.meshes
        ),
        skeleton=replace(avatar.skeleton, positions=_turned(avatar.skeleton.positions)),
    )


def _turned(values: Float32[np.ndarray, "*N 3"]) -> Float32[np.ndarray, "*N 3"]:
    return values * _HALF_TURN + np.float32(0)  # no negative zeros


def extension_of_vrm0(
    avatar: Avatar,
    meta: VrmMeta,
    presets: Mapping[str, Expression],
    customs: Mapping[str, Expression],
    *,
    thumbnail: int | None,
    look: LookType,
) -> Json:
    """The object `VRM` without its materials, of an avatar that looks to +Z; `thumbnail` is the number of a texture.

    Raises InputError (10) for a body without chest or neck, which 0.x demands.
    """
    names = avatar.skeleton.names
    missing = [bone for bone in REQUIRED_0 if bone not in names]
    if missing:
        raise InputError(
            f"VRM 0.x needs the joints {', '.join(missing)}, which this body lacks.",
            hint="Write VRM 1.0.",
            id="VRM_SKELETON",
        )
    named = {name: PRESETS_0.get(name, ("unknown", name.capitalize())) for name in presets}
    clips = [_clip(avatar, named[name][1], named[name][0], expression) for name, expression in presets.items()]
    clips += [_clip(avatar, name, "unknown", expression) for name, expression in customs.items()]
    return {
        "exporterVersion": "avatar3d",
        "specVersion": "0.0",
        "meta": _meta(avatar, meta, thumbnail),
        "humanoid": {
            "humanBones": [
                {"bone": THUMBS_0.get(bone, bone), "node": names.index(bone), "useDefaultValues": True}
                for bone in PARENTS
                if bone in names
            ]
        },
        "firstPerson": _first_person(avatar, look),
        "blendShapeMaster": {"blendShapeGroups": clips},
        "secondaryAnimation": _secondary(springs(avatar), names),
    }


def _meta(avatar: Avatar, meta: VrmMeta, thumbnail: int | None) -> Json:
    told: Json = {
        "title": meta.name,
        "version": meta.version,
        "author": ", ".join(meta.authors),
        "contactInformation": meta.contact,
        "reference": "\n".join([*meta.references, licence_lines(avatar)]).strip(),
        "allowedUserName": ALLOWED_0[meta.avatar_permission],
        "violentUssageName": _allow(meta.allow_violent),
        "sexualUssageName": _allow(meta.allow_sexual),
        # 0.x knows yes or no; who may profit only as a person gets no.
        "commercialUssageName": _allow(meta.commercial_usage == "corporation"),
        "otherPermissionUrl": "",
        "licenseName": meta.licence_0,
        "otherLicenseUrl": meta.other_licence_url,
    }
    return told | ({} if thumbnail is None else {"texture": thumbnail})


def _allow(yes: bool) -> str:
    return "Allow" if yes else "Disallow"


def _clip(avatar: Avatar, name: str, preset: str, expression: Expression) -> Json:
    """A blend shape group; its weights go to 100."""
    found = [
        {"mesh": bind.mesh, "index": bind.target, "weight": round(100 * bind.weight, 4)}
        for bind in binds(avatar, expression)
    ]
    return {"name": name, "presetName": preset, "binds": found, "materialValues": [], "isBinary": False}


def _first_person(avatar: Avatar, look: LookType) -> Json:
    told: Json = {
        "firstPersonBone": avatar.skeleton.names.index("head"),
        "firstPersonBoneOffset": _place(eyes_from_head(avatar.skeleton)),
        "meshAnnotations": [
            {"mesh": at, "firstPersonFlag": _FLAGS[first_person(mesh, avatar.skeleton)]}
            for at, mesh in enumerate(avatar.meshes)
        ],
        "lookAtTypeName": {"bone": "Bone", "expression": "BlendShape"}[look],
    }
    ranges = LOOK_RANGES[look]
    return told | {
        key: {"curve": list(LINEAR_CURVE), "xRange": ranges[way].most_deg, "yRange": ranges[way].gives}
        for key, way in _RANGES.items()
    }


def _secondary(swinging: Springs, names: tuple[str, ...]) -> Json:
    groups = [
        {
            "node": names.index(each.joint),
            "colliders": [
                {"offset": _place(centre), "radius": round(each.radius_m, 6)} for centre in each.spheres(_SPHERES)
            ],
        }
        for each in swinging.colliders
    ]
    bones: Json = {
        "comment": "hair",
        "stiffiness": STIFFNESS,
        "gravityPower": GRAVITY,
        "gravityDir": {"x": 0, "y": -1, "z": 0},
        "dragForce": DRAG,
        "center": -1,
        "hitRadius": HIT_RADIUS_M,
        "bones": [names.index(chain[0]) for chain in swinging.chains],
        "colliderGroups": list(range(len(groups))),
    }
    return {"boneGroups": [bones] if swinging.chains else [], "colliderGroups": groups}


def _place(place: np.ndarray) -> dict[str, float]:
    """Of a place with the face to +Z: Unity's axes of the model that looks to -Z."""
    x, y, z = (round(float(value), 6) + 0.0 for value in place)
    return {"x": -x + 0.0, "y": y, "z": z}
