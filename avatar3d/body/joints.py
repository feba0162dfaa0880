"""The humanoid's joints, by the names of VRM 1.0 (VRMC_vrm-1.0/humanoid.md), and which hangs on which."""

from typing import Final

_FINGERS: Final = {
    "Thumb": ("Metacarpal", "Proximal", "Distal"),
    "Index": ("Proximal", "Intermediate", "Distal"),
    "Middle": ("Proximal", "Intermediate", "Distal"),
    "Ring": ("Proximal", "Intermediate", "Distal"),
    "Little": ("Proximal", "Intermediate", "Distal"),
}


def _chain(parent: str, *names: str) -> dict[str, str]:
    return dict(zip(names, (parent, *names[:-1]), strict=True))


def _arm(side: str) -> dict[str, str]:
    bones = _chain("upperChest", *(f"{side}{bone}" for bone in ("Shoulder", "UpperArm", "LowerArm", "Hand")))
    for finger, parts in _FINGERS.items():
        bones |= _chain(f"{side}Hand", *(f"{side}{finger}{part}" for part in parts))
    return bones


def _leg(side: str) -> dict[str, str]:
    return _chain("hips", *(f"{side}{bone}" for bone in ("UpperLeg", "LowerLeg", "Foot", "Toes")))


PARENTS: Final = {
    **_chain("root", "hips", "spine", "chest", "upperChest", "neck", "head"),
    **_arm("left"),
    **_arm("right"),
    **_leg("left"),
    **_leg("right"),
}
"""Of every joint of the body its parent; `root` stands on the ground. The head's own joints (jaw, eyes, tongue) and hair's
hang below `head`."""
BODY_JOINTS: Final = tuple(PARENTS)
"""Parents before children."""
FINGERS: Final = tuple(_FINGERS)
FINGER_BONES: Final = {finger: tuple(f"{finger}{part}" for part in parts) for finger, parts in _FINGERS.items()}
"""Without the side: Index -> IndexProximal, IndexIntermediate, IndexDistal."""
