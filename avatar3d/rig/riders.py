"""The parts that go with the skin: lashes, brows and mouth lining ride on it, lower teeth and tongue on the jaw."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32
from scipy.spatial import KDTree

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel
from avatar3d.rig.jaw import Motion, own_jaw, rigid_motion

_ON_SKIN: Final = ("lashes", "brows")
_LINING: Final = "mouth"
_NEIGHBOURS: Final = 4
# Shapes by which a rider looks for the skin it grows from: moving alike counts this much more than being near.
_ALIKE_SHAPES: Final = ("eyeBlinkLeft", "eyeBlinkRight", "jawOpen")
_ALIKE: Final = 2.0
# The mouth's lining follows the lips at its rim and the jaw this far inside (metres).
_RIM_M: Final = 0.012
_STILL_M: Final = 1e-5


@dataclass(frozen=True, eq=False)
class Riders:
    """Which skin each riding vertex follows, and which vertices turn with the jaw or the eyes."""

    vertices: Int32[np.ndarray, "N"]
    """Lashes, brows, mouth lining (none of them shared with the face)."""
    skin: Int32[np.ndarray, "N K"]
    share: Float32[np.ndarray, "N K"]
    """Sum to at most 1: less where the lining is far from the lips."""
    teeth: Int32[np.ndarray, "T"]
    on_jaw: Int32[np.ndarray, "G"]
    """Tongue and lining, which keep the mean head's motion relative to the jaw ..."""
    jaw_share: Float32[np.ndarray, "G"]
    """... as far as they are skinned to it and not ruled by the lips."""
    eyes: tuple[Int32[np.ndarray, "E"], Int32[np.ndarray, "E"]]
    """Left, right."""
    still: Int32[np.ndarray, "S"]
    """Upper teeth."""


def carry_parts(
    model: HeadModel, neutral: Float32[np.ndarray, "V 3"], shapes: Float32[np.ndarray, "52 V 3"]
) -> Float32[np.ndarray, "52 V 3"]:
    """The shapes (metres) with every part that is not the face's skin moved as this head demands.

    `shapes` holds the face's own, already final. Riders keep the mean head's motion relative to the skin they grow
    from; lower teeth turn rigidly about this head's jaw joint, eyeballs about their own centres.
    """
    riders = find_riders(model)
    carried = model.expression.copy()
    skin = np.unique(model.triangles[model.part("face")])
    carried[:, skin] = shapes[:, skin]
    extra = carried - model.expression
    carried[:, riders.vertices] += np.einsum("snkc,nk->snc", extra[:, riders.skin], riders.share)
    _turn_lashes(model, riders, carried)
    own, mean = (model.joint_regressor @ vertices for vertices in (neutral, model.rest))
    jaw = model.joint_names.index("jaw")
    opening, _ = own_jaw(model, neutral)
    size = _length(neutral[riders.teeth] - own[jaw]) / _length(model.rest[riders.teeth] - mean[jaw])
    for index in range(len(shapes)):
        if _still(model.expression[index, riders.teeth]):
            carried[index, riders.teeth] = 0
        else:
            motion = _motion(model, index, riders.teeth, mean[jaw])
            bone = opening if index == ARKIT_INDEX["jawOpen"] else Motion(motion.turn, motion.shift * size)
            carried[index, riders.teeth] = bone.moves(neutral[riders.teeth] - own[jaw])
            here = bone.moves(neutral[riders.on_jaw] - own[jaw])
            there = motion.moves(model.rest[riders.on_jaw] - mean[jaw])
            carried[index, riders.on_jaw] += (riders.jaw_share[:, None] * (here - there)).astype(np.float32)
        for ball, name in zip(riders.eyes, ("leftEye", "rightEye"), strict=True):
            joint = model.joint_names.index(name)
            if _still(model.expression[index, ball]):
                carried[index, ball] = shapes[index, ball]  # the blink draws the ball back
            else:
                carried[index, ball] = _motion(model, index, ball, mean[joint]).moves(neutral[ball] - own[joint])
    carried[:, riders.still] = 0
    return carried


def _turn_lashes(model: HeadModel, riders: Riders, carried: Float32[np.ndarray, "52 V 3"]) -> None:
    """Lashes turn with their lid as far as that lid travels (changes `carried`, which the caller owns).

    What the mean head's lash does relative to its lid is scaled by this lid's travel over the mean's, so that lids
    which rest half closed do not turn their lashes through the cheek.
    """
    bound = riders.skin[:, 0]
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        index = ARKIT_INDEX[name]
        mean = np.linalg.norm(model.expression[index, bound], axis=1)
        travel = np.linalg.norm(carried[index, bound], axis=1) / np.maximum(mean, 1e-4)
        less = np.where(mean > 0.001, np.clip(travel, 0, 1) - 1, 0)[:, None] * (riders.share.sum(1) > 0.99)[:, None]
        relative = model.expression[index, riders.vertices] - model.expression[index, bound]
        carried[index, riders.vertices] += (less * relative).astype(np.float32)


def _still(motion: Float32[np.ndarray, "N 3"]) -> bool:
    return float(np.abs(motion).max(initial=0)) < _STILL_M


def _length(arms: Float32[np.ndarray, "N 3"]) -> float:
    return float(np.linalg.norm(arms.mean(0))) if len(arms) else 1.0


def _motion(model: HeadModel, shape: int, members: Int32[np.ndarray, "N"], pivot: Float32[np.ndarray, "3"]) -> Motion:
    """What a rigid part does in one of the mean head's shapes."""
    arms = (model.rest[members] - pivot).astype(np.float64)
    return rigid_motion(arms, model.expression[shape, members].astype(np.float64), np.ones(len(members)))


@lru_cache(maxsize=2)
def find_riders(model: HeadModel) -> Riders:
    """Bound on the mean head: each riding vertex to the skin that is near and moves like it."""

    def members(*names: str) -> Int32[np.ndarray, "N"]:
        found = [model.part(name) for name in names if name in model.part_names]
        return np.unique(model.triangles[np.concatenate(found)]).astype(np.int32)

    skin = members("face")
    vertices = np.setdiff1d(members(*_ON_SKIN, _LINING), skin).astype(np.int32)
    alike = [ARKIT_INDEX[name] for name in _ALIKE_SHAPES]

    def place(chosen: Int32[np.ndarray, "N"]) -> Float32[np.ndarray, "N 12"]:
        return np.concatenate([model.rest[chosen], *(_ALIKE * model.expression[alike][:, chosen])], axis=1)

    distance, nearest = KDTree(place(skin)).query(place(vertices), k=_NEIGHBOURS)
    distance = np.asarray(distance).reshape(len(vertices), _NEIGHBOURS)
    share = 1 / np.maximum(distance, 2e-4)
    share /= share.sum(1, keepdims=True)
    lining = np.isin(vertices, members(_LINING))
    depth = np.where(lining, np.exp(-((distance[:, 0] / _RIM_M) ** 2)), 1.0)
    tongue = np.setdiff1d(members("tongue"), skin)
    on_jaw = np.concatenate([tongue, vertices[lining]]).astype(np.int32)
    held = model.skin_weights * np.isin(
        model.skin_joints, [model.joint_names.index(name) for name in ("jaw", "tongue") if name in model.joint_names]
    )
    free = np.concatenate([np.ones(len(tongue)), 1 - depth[lining]])
    return Riders(
        vertices=vertices,
        skin=skin[np.asarray(nearest).reshape(len(vertices), _NEIGHBOURS)].astype(np.int32),
        share=(share * depth[:, None]).astype(np.float32),
        teeth=members("teethLower"),
        on_jaw=on_jaw,
        jaw_share=(held.sum(1)[on_jaw] * free).astype(np.float32),
        eyes=(members("eyeLeft"), members("eyeRight")),
        still=members("teethUpper"),
    )
