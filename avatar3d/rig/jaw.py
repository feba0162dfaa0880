"""The jaw: jawOpen turns this person's own mandible about this person's own hinge, and takes the skin on it along.

    mean head: lower teeth --> the bone's motion (a rotation about the jaw joint); skin --> its share of that motion
    this head: own joint, own lower face, own glide --> own rotation
               what the bone does to the mean's skin, transferred --> the motion it then seems to make
               --> replaced by the motion it makes; what is soft about the shape stays as transferred

A transferred shape is a sum over triangles from the brow down: at the chin it has forgotten where the hinge is (its direction
there is off by 3.5 degrees RMS). Bone knows better.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float, Float32, Float64, Int32
from scipy.spatial.transform import Rotation

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel
from avatar3d.rig.glide import own_glide
from avatar3d.rig.lips import find_lip_pairs

# Skin that follows the bone at least this far tells what motion the bone seems to make.
_BOUND_SHARE: Final = 0.5
# Nearer to the hinge than this the share of its motion cannot be read off (metres moved).
_UNREADABLE_M: Final = 0.001
# Until the lips' way is right to some micrometres.
_ROUNDS: Final = 6
# A jaw turns no less and no more than this, in the mean head's angle: random heads stay within 0.9 and 1.15.
_SWING: Final = (0.8, 1.25)
# The midline of the face, and how far below the mouth a chin begins (metres).
_MIDLINE_M: Final = 0.0015
_CHIN_BELOW_M: Final = 0.02
_LIP_HEIGHT_M: Final = 0.012
# What lies this far behind the lips is the inside of nose or mouth (metres).
_NOSTRIL_M: Final = 0.002


@dataclass(frozen=True, eq=False)
class Motion:
    """A rigid motion about a pivot."""

    turn: Float64[np.ndarray, "3 3"]
    """Rotation minus identity."""
    shift: Float64[np.ndarray, "3"]
    """What the pivot itself moves, metres."""

    def moves(self, arms: Float[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N 3"]:
        """Displacement of points given relative to the pivot."""
        return arms @ self.turn.T + self.shift

    def scaled(self, factor: float) -> "Motion":
        """The same turn, further or less far."""
        whole = Rotation.from_matrix(self.turn + np.eye(3)).as_rotvec()
        return Motion(Rotation.from_rotvec(factor * whole).as_matrix() - np.eye(3), factor * self.shift)


@dataclass(frozen=True, eq=False)
class JawPlan:
    """What every person on a model shares."""

    joint: int
    share: Float32[np.ndarray, "V"]
    """How far each skin vertex follows the bone when the mean head's jaw opens."""
    bound: Int32[np.ndarray, "N"]
    """Skin that follows it closely."""
    bone: Motion
    """The mean head's mandible in jawOpen."""
    by_bone: Float32[np.ndarray, "V 3"]
    """The part of the mean head's jawOpen that is the bone's doing: share of its motion, metres."""
    subnasale: int
    stomion: int
    gnathion: int
    """Foot of the nose, where the lips meet, chin: vertices on the midline."""


def open_jaw(
    model: HeadModel,
    neutral: Float32[np.ndarray, "V 3"],
    opened: Float32[np.ndarray, "V 3"],
    by_bone: Float32[np.ndarray, "V 3"],
) -> Float32[np.ndarray, "V 3"]:
    """jawOpen (metres) made to follow this head's own mandible; `opened` and `by_bone` (see JawPlan) are transferred."""
    plan = plan_jaw(model)
    arms = (neutral - model.joint_regressor[plan.joint] @ neutral).astype(np.float64)
    share = plan.share[plan.bound].astype(np.float64)
    seeming = rigid_motion(arms[plan.bound], by_bone[plan.bound] / share[:, None], share**2)
    own, swing = own_jaw(model, neutral)
    hard = by_bone + plan.share[:, None] * (own.moves(arms) - seeming.moves(arms))
    return (hard + swing * (opened - by_bone)).astype(np.float32)  # soft tissue gives as far as the jaw turns


def jaw_way(
    model: HeadModel, neutral: Float32[np.ndarray, "V 3"], members: Int32[np.ndarray, "N"]
) -> Float64[np.ndarray, "N 3"]:
    """What vertices that are rigidly on this head's mandible do in jawOpen (metres)."""
    arms = (neutral[members] - model.joint_regressor[plan_jaw(model).joint] @ neutral).astype(np.float64)
    return own_jaw(model, neutral)[0].moves(arms)


def own_jaw(model: HeadModel, neutral: Float32[np.ndarray, "V 3"]) -> tuple[Motion, float]:
    """What this mandible does about its hinge in jawOpen, and how much further than the mean head's it turns.

    It turns so far that the mouth opens in proportion to this face's own lower third, whatever the hinge's glide adds.
    """
    plan = plan_jaw(model)

    def measure(vertices: Float32[np.ndarray, "V 3"]) -> tuple[float, Float64[np.ndarray, "1 3"]]:
        hinge = model.joint_regressor[plan.joint] @ vertices
        lower_face = vertices[plan.subnasale] - vertices[plan.gnathion]
        return float(np.linalg.norm(lower_face[1:])), (vertices[plan.stomion] - hinge)[None].astype(np.float64)

    (height, lips), (mean_height, mean_lips) = measure(neutral), measure(model.rest)
    goal = height / mean_height * float(np.linalg.norm(plan.bone.moves(mean_lips)))
    glide = own_glide(model, neutral, goal)

    def turned(swing: float) -> Motion:
        bone = plan.bone.scaled(swing)
        return Motion(bone.turn, bone.shift + glide)

    swing = 1.0
    for _ in range(_ROUNDS):  # the way grows nearly in proportion to the turn
        swing = float(np.clip(swing * goal / np.linalg.norm(turned(swing).moves(lips)), *_SWING))
    return turned(swing), swing


def rigid_motion(
    arms: Float64[np.ndarray, "N 3"], way: Float64[np.ndarray, "N 3"], weight: Float64[np.ndarray, "N"]
) -> Motion:
    """The rigid motion about the origin of `arms` that comes nearest to their displacements (Kabsch 1976)."""
    weight = weight[:, None] / weight.sum()
    middle, goal = (weight * arms).sum(0), (weight * (arms + way)).sum(0)
    u, _, vt = np.linalg.svd((weight * (arms + way - goal)).T @ (arms - middle))
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    return Motion(turn - np.eye(3), goal - turn @ middle)


@lru_cache(maxsize=2)
def plan_jaw(model: HeadModel) -> JawPlan:
    """Measured on the mean head."""
    joint = model.joint_names.index("jaw")
    shape = model.expression[ARKIT_INDEX["jawOpen"]].astype(np.float64)
    arms = (model.rest - model.joint_regressor[joint] @ model.rest).astype(np.float64)
    teeth = np.unique(model.triangles[model.part("teethLower")])
    bone = rigid_motion(arms[teeth], shape[teeth], np.ones(len(teeth)))
    way = bone.moves(arms)
    skin = np.unique(model.triangles[model.part("face")])
    share = np.zeros(len(arms))
    share[skin] = np.sum(shape * way, axis=1)[skin] / (np.sum(way**2, axis=1) + _UNREADABLE_M**2)[skin]
    share = np.clip(share, 0, None).astype(np.float32)
    bound = np.flatnonzero(share > _BOUND_SHARE).astype(np.int32)
    subnasale, stomion, gnathion = _midline(model, skin, bound)
    return JawPlan(
        joint=joint,
        share=share,
        bound=bound,
        bone=bone,
        by_bone=(share[:, None] * way).astype(np.float32),
        subnasale=subnasale,
        stomion=stomion,
        gnathion=gnathion,
    )


def _midline(model: HeadModel, skin: Int32[np.ndarray, "N"], bound: Int32[np.ndarray, "M"]) -> tuple[int, int, int]:
    """Subnasale, stomion and gnathion of the mean head: foot of the nose, line of the lips, foremost and lowest chin."""
    lower_lip = find_lip_pairs(model).lower
    height, depth = model.rest[:, 1], model.rest[:, 2]
    stomion = lower_lip[np.argmax(height[lower_lip] - 2 * np.abs(model.rest[lower_lip, 0]))]
    middle = skin[(np.abs(model.rest[skin, 0]) < _MIDLINE_M) & (depth[skin] > depth[stomion] - _NOSTRIL_M)]
    above = middle[height[middle] > height[stomion] + _LIP_HEIGHT_M]
    tip = above[np.argmax(depth[above])]
    below_nose = above[height[above] < height[tip]]
    chin = bound[(np.abs(model.rest[bound, 0]) < _MIDLINE_M) & (height[bound] < height[stomion] - _CHIN_BELOW_M)]
    return (
        int(below_nose[np.argmin(depth[below_nose])]),
        int(stomion),
        int(chin[np.argmax(depth[chin] - height[chin])]),
    )
