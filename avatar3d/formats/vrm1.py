"""The extensions of VRM 1.0: VRMC_vrm and VRMC_springBone (vrm-c/vrm-specification, VRMC_vrm-1.0 and VRMC_springBone-1.0).

Joint j of the skeleton is node j of the file and mesh m is node J + m: gltf_write lays them so.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from avatar3d.core.avatar import Avatar
from avatar3d.core.humanoid import PARENTS
from avatar3d.core.vrm import Expression
from avatar3d.formats.glb import Json
from avatar3d.formats.vrm_meta import LICENCE_URL, VrmMeta
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

VRM1: Final = "VRMC_vrm"
SPRING_BONE: Final = "VRMC_springBone"
_RANGES: Final = {
    "rangeMapHorizontalInner": "inner", "rangeMapHorizontalOuter": "outer",
    "rangeMapVerticalDown": "down", "rangeMapVerticalUp": "up",
}  # fmt: skip


def extensions_of_vrm1(
    avatar: Avatar,
    meta: VrmMeta,
    presets: Mapping[str, Expression],
    customs: Mapping[str, Expression],
    *,
    thumbnail: int | None,
    look: LookType,
) -> Json:
    """What goes into the file's `extensions`; `thumbnail` is the number of an image."""
    names = avatar.skeleton.names
    told: Json = {
        VRM1: {
            "specVersion": "1.0",
            "meta": _meta(avatar, meta, thumbnail),
            "humanoid": {"humanBones": {bone: {"node": names.index(bone)} for bone in PARENTS if bone in names}},
            "firstPerson": {
                "meshAnnotations": [
                    {"node": len(names) + at, "type": first_person(mesh, avatar.skeleton)}
                    for at, mesh in enumerate(avatar.meshes)
                ]
            },
            "lookAt": _look_at(avatar, look),
            "expressions": {
                "preset": {name: _expression(avatar, expression) for name, expression in presets.items()},
                "custom": {name: _expression(avatar, expression) for name, expression in customs.items()},
            },
        }
    }
    swinging = springs(avatar)
    return told | ({SPRING_BONE: _spring_bone(swinging, names)} if swinging.chains else {})


def _meta(avatar: Avatar, meta: VrmMeta, thumbnail: int | None) -> Json:
    told: Json = {
        "name": meta.name,
        "version": meta.version,
        "authors": list(meta.authors),
        "copyrightInformation": str(avatar.extras.get("copyright", "")),
        "contactInformation": meta.contact,
        "references": list(meta.references),
        "thirdPartyLicenses": licence_lines(avatar),
        "thumbnailImage": thumbnail,
        "licenseUrl": LICENCE_URL,
        "avatarPermission": meta.avatar_permission,
        "allowExcessivelyViolentUsage": meta.allow_violent,
        "allowExcessivelySexualUsage": meta.allow_sexual,
        "commercialUsage": meta.commercial_usage,
        "allowPoliticalOrReligiousUsage": meta.allow_political,
        "allowAntisocialOrHateUsage": meta.allow_antisocial,
        "creditNotation": meta.credit_notation,
        "allowRedistribution": meta.allow_redistribution,
        "modification": meta.modification,
        "otherLicenseUrl": meta.other_licence_url,
    }
    return {key: value for key, value in told.items() if value not in ("", [], None)}


def licence_lines(avatar: Avatar) -> str:
    """What the avatar was made from, a line each."""
    lines = avatar.extras.get("licences", ())
    return "\n".join(str(line) for line in lines) if isinstance(lines, list | tuple) else ""


def _look_at(avatar: Avatar, look: LookType) -> Json:
    told: Json = {"type": look, "offsetFromHeadBone": rounded(eyes_from_head(avatar.skeleton))}
    ranges = LOOK_RANGES[look]
    return told | {
        key: {"inputMaxValue": ranges[way].most_deg, "outputScale": ranges[way].gives} for key, way in _RANGES.items()
    }


def _expression(avatar: Avatar, expression: Expression) -> Json:
    first = len(avatar.skeleton.names)
    told: Json = {"isBinary": False}
    found = binds(avatar, expression)
    if found:
        told["morphTargetBinds"] = [
            {"node": first + bind.mesh, "index": bind.target, "weight": bind.weight} for bind in found
        ]
    return told | {
        "overrideMouth": expression.override_mouth,
        "overrideBlink": expression.override_blink,
        "overrideLookAt": expression.override_look,
    }


def _spring_bone(swinging: Springs, names: tuple[str, ...]) -> Json:
    colliders: list[Json] = []
    for each in swinging.colliders:
        shape: Json = {"offset": rounded(each.offset_m), "radius": round(each.radius_m, 6)}
        if not np.array_equal(each.offset_m, each.tail_m):
            shape["tail"] = rounded(each.tail_m)
        colliders.append(
            {"node": names.index(each.joint), "shape": {"capsule" if "tail" in shape else "sphere": shape}}
        )
    force: dict[str, Any] = {
        "hitRadius": HIT_RADIUS_M,
        "stiffness": STIFFNESS,
        "gravityPower": GRAVITY,
        "gravityDir": [0, -1, 0],
        "dragForce": DRAG,
    }
    return {
        "specVersion": "1.0",
        "colliders": colliders,
        "colliderGroups": [{"name": "head and neck", "colliders": list(range(len(colliders)))}],
        "springs": [
            {
                "name": chain[0].rstrip("0123456789"),
                "joints": [{"node": names.index(joint)} | (force if joint != chain[-1] else {}) for joint in chain],
                "colliderGroups": [0],
            }
            for chain in swinging.chains
        ],
    }


def rounded(place: np.ndarray) -> list[float]:
    """Metres to the micrometre, for JSON."""
    return [round(float(value), 6) for value in place]
