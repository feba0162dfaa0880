"""The bones of a humanoid by the names of VRM 1.0, which Unity's and most engines' humanoids share but for thumbs.

    hips > spine > (chest > (upperChest)) > (neck) > head > (leftEye, rightEye, jaw)
    chest > (leftShoulder) > leftUpperArm > leftLowerArm > leftHand > (fingers)      hips > leftUpperLeg > leftLowerLeg > leftFoot > (leftToes)

vrm-c/vrm-specification, VRMC_vrm-1.0/humanoid.md, "List of humanoid bones"; for 0.x 0.0/README.md, "Defined bones".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SIDES: Final = ("left", "right")
FINGERS: Final = ("Index", "Middle", "Ring", "Little")
_TRUNK: Final = {
    "hips": "", "spine": "hips", "chest": "spine", "upperChest": "chest", "neck": "upperChest", "head": "neck",
    "leftEye": "head", "rightEye": "head", "jaw": "head",
}  # fmt: skip
_LIMBS: Final = {
    "Shoulder": "upperChest", "UpperArm": "Shoulder", "LowerArm": "UpperArm", "Hand": "LowerArm",
    "UpperLeg": "hips", "LowerLeg": "UpperLeg", "Foot": "LowerLeg", "Toes": "Foot",
    "ThumbMetacarpal": "Hand", "ThumbProximal": "ThumbMetacarpal", "ThumbDistal": "ThumbProximal",
} | {
    f"{finger}{part}": f"{finger}{before}" if before else "Hand"
    for finger in FINGERS
    for part, before in (("Proximal", ""), ("Intermediate", "Proximal"), ("Distal", "Intermediate"))
}  # fmt: skip

PARENTS: Final[Mapping[str, str]] = MappingProxyType(
    _TRUNK
    | {
        f"{side}{bone}": parent if parent in _TRUNK else f"{side}{parent}"
        for side in SIDES
        for bone, parent in _LIMBS.items()
    }
)
"""Every bone and its parent, "" for the hips. Where an optional parent is absent, the parent's parent takes its place."""
REQUIRED: Final[tuple[str, ...]] = (
    "hips", "spine", "head",
    *(f"{side}{bone}" for side in SIDES for bone in ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")),
)  # fmt: skip
REQUIRED_0: Final[tuple[str, ...]] = (*REQUIRED, "chest", "neck")
"""Of VRM 0.x."""
NEEDS_PARENT: Final[frozenset[str]] = frozenset(
    {"upperChest", *(bone for bone in PARENTS if bone.endswith(("Intermediate", "Distal", "ThumbProximal")))}
)
"""Bones that may only be there when their own parent is."""
THUMBS_0: Final[Mapping[str, str]] = MappingProxyType(
    {
        f"{side}Thumb{new}": f"{side}Thumb{old}"
        for side in SIDES
        for new, old in (("Metacarpal", "Proximal"), ("Proximal", "Intermediate"), ("Distal", "Distal"))
    }
)
"""VRM 0.x's name of a thumb's bone by VRM 1.0's: the same three bones, called otherwise."""


def nearest_parent(bone: str, there: frozenset[str] | set[str]) -> str:
    """The next of a bone's parents that exists; "" above the hips."""
    parent = PARENTS[bone]
    while parent and parent not in there:
        parent = PARENTS[parent]
    return parent
