"""Keeps teeth and gums behind this person's lips and chin.

shapes that draw a lip over the teeth --> the lip held in front of them
then poses that press skin on teeth --> what still stands out goes back a little, for good
"""

from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy.spatial import KDTree

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel
from avatar3d.render.raycast import Scene
from avatar3d.rig.jaw import jaw_way
from avatar3d.rig.lips import find_lip_pairs

# Poses in which skin lies tightest on the teeth.
_POSES: Final[tuple[dict[str, float], ...]] = (
    {},
    {"mouthSmileLeft": 1, "mouthSmileRight": 1},
    {"jawOpen": 1, "mouthClose": 1},
    {"mouthPressLeft": 1, "mouthPressRight": 1},
    {"mouthShrugLower": 1, "mouthShrugUpper": 1},
    {"mouthStretchLeft": 1, "mouthStretchRight": 1, "jawOpen": 0.5},
    {"mouthPucker": 1},
    {"mouthFrownLeft": 1, "mouthFrownRight": 1},
    {"mouthRollLower": 1},
    {"mouthRollUpper": 1},
    {"jawForward": 1},
)
# Skin must lie at least this far in front (metres); skin further behind than this, or turned away, is an open mouth's.
_MARGIN_M: Final = 0.0008
_OPEN_M: Final = 0.005
_FACING: Final = 0.3
# Teeth give way by no more than this (metres); what is worse is left to be seen in the survey, not bent away.
_MOST_M: Final = 0.002
# Poses that draw a lip over the teeth, the last shape of each giving way; how often it does so at most.
_OVER_TEETH: Final = (
    ("mouthRollLower",),
    ("mouthRollUpper",),
    ("jawOpen",),
    ("jawOpen", "mouthClose"),
)
_ROUNDS: Final = 6
# Lips are pushed no further than this in all (metres): what is worse is a face that people do not have.
_PUSHED_M: Final = 0.004
# A tooth this far before the skin of an open mouth is not coming through a lip: it stands behind one that left (metres).
_BEHIND_M: Final = 0.0025
# How far a tooth feels to either side of itself for the lip (metres).
_FEEL_M: Final = 0.004
_SMOOTH_M: Final = 0.003


def tuck_teeth(
    model: HeadModel, neutral: Float32[np.ndarray, "V 3"], shapes: Float32[np.ndarray, "52 V 3"]
) -> Float32[np.ndarray, "V 3"]:
    """The neutral (metres) with teeth and gums moved back where this head's skin would not cover them."""
    tucked = neutral.copy()
    skin = model.triangles[model.part("face")]
    parts = [np.unique(model.triangles[model.part(name)]) for name in ("teethUpper", "teethLower")]
    worst = [np.zeros(len(members)) for members in parts]
    for pose in _POSES:
        posed = neutral + sum((w * shapes[ARKIT_INDEX[name]] for name, w in pose.items()), np.float32(0))
        for short, members in zip(worst, parts, strict=True):
            np.maximum(short, np.minimum(_out_of_skin(posed, skin, members), _MOST_M), out=short)
    for short, members in zip(worst, parts, strict=True):
        tucked[members, 2] -= _widened(neutral, members, short).astype(np.float32)
    return tucked


def hold_lips(
    model: HeadModel, neutral: Float32[np.ndarray, "V 3"], shapes: Float32[np.ndarray, "52 V 3"]
) -> Float32[np.ndarray, "52 V 3"]:
    """The shapes (metres) with rolled and closed lips kept in front of the teeth, as far as the lips' vertices reach."""
    pairs = find_lip_pairs(model)
    if len(pairs.lower) == 0:
        return shapes
    held = shapes.copy()
    skin = model.triangles[model.part("face")]
    upper, lower = (
        np.unique(model.triangles[model.part(name)]).astype(np.int32) for name in ("teethUpper", "teethLower")
    )
    teeth = np.concatenate([upper, lower])
    handles = np.concatenate([pairs.lower, pairs.handles_upper])
    for names in _OVER_TEETH:
        pose = [ARKIT_INDEX[name] for name in names]
        bite = neutral.copy()
        if "jawOpen" in names:
            bite[lower] += jaw_way(model, neutral, lower).astype(np.float32)
        pushed = np.zeros((len(handles), 3), np.float32)
        for _ in range(_ROUNDS):
            posed = neutral + held[pose].sum(0)
            posed[teeth] = bite[teeth]
            short = _out_of_skin(posed, skin, teeth)
            if names[-1] == "jawOpen":
                short[short > _BEHIND_M] = 0
            if short.max(initial=0) < _MARGIN_M / 4:
                break
            out = teeth[short > 0]
            apart = np.linalg.norm(posed[handles][:, None, :2] - posed[out][None, :, :2], axis=2)
            felt = short[short > 0] * np.clip(1.5 - apart / _FEEL_M, 0, 1)
            forward = np.zeros((len(handles), 3), np.float32)
            forward[:, 2] = np.minimum(felt.max(1), _PUSHED_M - pushed[:, 2])
            pushed += forward
            held[pose[-1]] = pairs.spread.apply(held[pose[-1]], forward)
    return held


def _out_of_skin(
    posed: Float32[np.ndarray, "V 3"], skin: Int32[np.ndarray, "F 3"], members: Int32[np.ndarray, "N"]
) -> Float64[np.ndarray, "N"]:
    """How far each vertex must go back to lie behind the skin in front of it; 0 where the mouth is open there."""
    points = posed[members]
    low, high = points.min(0) - 0.02, points.max(0) + 0.02
    near = skin[((posed[skin] > low) & (posed[skin] < high)).all(2).any(1)]
    hits = Scene(posed, near).cast(
        points + np.array([0, 0, 0.1], np.float32), np.tile(np.array([0, 0, -1], np.float32), (len(points), 1))
    )
    a, b, c = (posed[near[hits.triangle, corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)
    facing = normal[:, 2] > _FACING * np.linalg.norm(normal, axis=1)
    ahead = 0.1 - hits.distance.astype(np.float64)
    return np.where(facing & (hits.triangle >= 0) & (ahead > -_OPEN_M), np.maximum(_MARGIN_M - ahead, 0), 0)


def _widened(
    neutral: Float32[np.ndarray, "V 3"], members: Int32[np.ndarray, "N"], short: Float64[np.ndarray, "N"]
) -> Float64[np.ndarray, "N"]:
    """The same or more, so that neighbours move together instead of leaving spikes."""
    if not short.any():
        return short
    moved = np.flatnonzero(short > 0)
    widened = short.copy()
    tree = KDTree(neutral[members])
    for vertex in moved:
        near = np.asarray(tree.query_ball_point(neutral[members[vertex]], 3 * _SMOOTH_M))
        apart = np.linalg.norm(neutral[members[near]] - neutral[members[vertex]], axis=1)
        widened[near] = np.maximum(widened[near], short[vertex] * np.exp(-((apart / _SMOOTH_M) ** 2)))
    return widened
