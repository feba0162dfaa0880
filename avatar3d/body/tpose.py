"""The body laid into a T: arms level to the sides, palms down, fingers straight, legs nearly upright, feet flat.

joints as modelled --directions wanted--> a turn per joint --linear blend skinning--> vertices and joints in the T-pose

After this every joint rests without rotation, as VRM 1.0 asks of a humanoid's T-pose (VRMC_vrm-1.0/tpose.md).
"""

from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32

from avatar3d.body.form import Formed
from avatar3d.body.joints import BODY_JOINTS, FINGER_BONES, FINGERS, PARENTS

_SHRUG_RAD: Final = np.radians(9.0)
"""How far the shoulder blades rise with arms that are held level."""
_HANGING_RAD: Final = np.radians(72.0)
"""How far below level hanging arms are."""
_LEGS_APART_RAD: Final = np.radians(3.0)
"""Thighs of heavy people would meet in legs that hang straight down."""
_ROLL_SHARES: Final = {"UpperArm": 0.3, "LowerArm": 0.75, "Hand": 1.0}
"""How much of the turn that brings the palm down each bone has taken."""
_SPREAD: Final = 0.6
"""What is left of the angle between the fingers as modelled, which are spread."""
_THUMB_LOW: Final = 0.3
"""What is left of the thumb's depth below the palm."""


def lay_in_t(
    formed: Formed,
    skin_joints: Int32[np.ndarray, "V 4"],
    skin_weights: Float32[np.ndarray, "V 4"],
    *,
    hanging: bool = False,
) -> Formed:
    """The same body in a T-pose, standing where it stood; with `hanging` arms, as a bust has them."""
    turns = _turns(formed, hanging)
    places = _places(formed.joints.astype(np.float64), turns)
    ends = np.stack(
        [
            _carried(formed.finger_ends[5 * half + number], f"{side}{FINGER_BONES[finger][2]}", formed, turns, places)
            for half, side in enumerate(("left", "right"))
            for number, finger in enumerate(FINGERS)
        ]
    )
    return Formed(
        blend_skin(formed.vertices, formed.joints, turns, places, skin_joints, skin_weights),
        places.astype(np.float32),
        ends.astype(np.float32),
    )


def blend_skin(
    vertices: Float32[np.ndarray, "V 3"],
    joints: Float32[np.ndarray, "J 3"],
    turns: Float64[np.ndarray, "J 3 3"],
    places: Float64[np.ndarray, "J 3"],
    skin_joints: Int32[np.ndarray, "V 4"],
    skin_weights: Float32[np.ndarray, "V 4"],
) -> Float32[np.ndarray, "V 3"]:
    """Vertices whose joints turn so (in the world) and come to lie at `places`."""
    moved = np.zeros_like(vertices)
    for slot in range(4):
        joint = skin_joints[:, slot]
        own = vertices - joints[joint]
        placed = np.einsum("vij,vj->vi", turns[joint], own) + places[joint]
        moved += (skin_weights[:, slot, None] * placed).astype(np.float32)
    return moved


def _places(joints: Float64[np.ndarray, "J 3"], turns: Float64[np.ndarray, "J 3 3"]) -> Float64[np.ndarray, "J 3"]:
    places = joints.copy()
    for row, name in enumerate(BODY_JOINTS):
        if name in PARENTS:
            parent = BODY_JOINTS.index(PARENTS[name]) if PARENTS[name] in BODY_JOINTS else -1
            if parent >= 0:
                places[row] = places[parent] + turns[parent] @ (joints[row] - joints[parent])
    return places


def _carried(
    point: Float32[np.ndarray, "3"],
    joint: str,
    formed: Formed,
    turns: Float64[np.ndarray, "J 3 3"],
    places: Float64[np.ndarray, "J 3"],
) -> Float64[np.ndarray, "3"]:
    row = BODY_JOINTS.index(joint)
    return turns[row] @ (point - formed.joints[row]) + places[row]


def _turns(formed: Formed, hanging: bool) -> Float64[np.ndarray, "J 3 3"]:
    """The world rotation of each joint."""
    at = {name: point.astype(np.float64) for name, point in zip(BODY_JOINTS, formed.joints, strict=True)}
    turns = {name: np.eye(3) for name in BODY_JOINTS}
    for half, (side, out) in enumerate((("left", 1.0), ("right", -1.0))):
        ends = dict(zip(FINGERS, formed.finger_ends[5 * half : 5 * half + 5].astype(np.float64), strict=True))
        turns |= _arm(at, ends, side, out, _HANGING_RAD if hanging else 0.0)
        turns |= _leg(at, side, out)
    return np.stack([turns[name] for name in BODY_JOINTS])


def _arm(
    at: dict[str, Float64[np.ndarray, "3"]],
    ends: dict[str, Float64[np.ndarray, "3"]],
    side: str,
    out: float,
    lowered: float,
) -> dict[str, Float64[np.ndarray, "3 3"]]:
    aside = np.array([out, 0.0, 0.0])
    upper, lower, hand = (at[f"{side}{bone}"] for bone in ("UpperArm", "LowerArm", "Hand"))
    knuckles = {finger: at[f"{side}{FINGER_BONES[finger][0]}"] for finger in FINGERS}
    middle = knuckles["Middle"] - hand
    across = knuckles["Index"] - knuckles["Little"]
    palm = np.cross(middle, across) * out  # out of the palm
    straight = {
        "UpperArm": _least_turn(lower - upper, aside),
        "LowerArm": _least_turn(hand - lower, aside),
        "Hand": _least_turn(middle, aside),
    }
    down = straight["Hand"] @ palm
    roll = float(np.arctan2(down[2], -down[1]))  # about +x, which takes -y to -z
    turns: dict[str, Float64[np.ndarray, "3 3"]] = {
        f"{side}Shoulder": _about(2, out * (0.0 if lowered else _SHRUG_RAD))
    }
    for bone, share in _ROLL_SHARES.items():
        turns[f"{side}{bone}"] = _about(0, roll * share) @ straight[bone]
    of_hand = turns[f"{side}Hand"]
    for finger, bones in FINGER_BONES.items():
        names = [f"{side}{bone}" for bone in bones]
        points = [*(at[name] for name in names), ends[finger]]
        whole = of_hand @ (points[3] - points[0])
        if finger == "Thumb":
            of_thumb = _least_turn(whole, whole * [1.0, _THUMB_LOW, 1.0]) @ of_hand
            turns |= {name: of_thumb for name in names}  # noqa: C420 (fromkeys forgets the type)
            continue
        level = np.array([out * max(abs(float(whole[0])), 1e-6), 0.0, _SPREAD * float(whole[2])])
        for name, start, end in zip(names, points[:3], points[1:], strict=True):
            turns[name] = _least_turn(of_hand @ (end - start), level) @ of_hand
    down_turn = _about(2, -out * lowered)
    return {name: down_turn @ turn if not name.endswith("Shoulder") else turn for name, turn in turns.items()}


def _leg(at: dict[str, Float64[np.ndarray, "3"]], side: str, out: float) -> dict[str, Float64[np.ndarray, "3 3"]]:
    down = np.array([out * np.sin(_LEGS_APART_RAD), -np.cos(_LEGS_APART_RAD), 0.0])
    upper, lower, foot = (at[f"{side}{bone}"] for bone in ("UpperLeg", "LowerLeg", "Foot"))
    return {f"{side}UpperLeg": _least_turn(lower - upper, down), f"{side}LowerLeg": _least_turn(foot - lower, down)}


def _least_turn(one: Float64[np.ndarray, "3"], other: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3 3"]:
    """The rotation of least angle that lays one direction on the other (they are never opposite here)."""
    a, b = one / np.linalg.norm(one), other / np.linalg.norm(other)
    axis, cosine = np.cross(a, b), float(a @ b)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + cross + cross @ cross / (1 + cosine)


def _about(axis: int, angle_rad: float) -> Float64[np.ndarray, "3 3"]:
    """Rotation about x (0), y (1) or z (2)."""
    c, s = float(np.cos(angle_rad)), float(np.sin(angle_rad))
    turn = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    turn[i, i], turn[i, j], turn[j, i], turn[j, j] = c, -s, s, c
    return turn
