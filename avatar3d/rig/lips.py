"""Lips that meet: jawOpen with mouthClose closes the mouth of this very head; press and roll do not pass through.

    facing vertices of the two lips (on the mean head, once) --> how each shape moves them apart --> both lips moved back

A pair is a vertex of the lower lip and the point of the upper lip it rests against (three vertices, weighted).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy.spatial import KDTree

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel
from avatar3d.rig.spread import Spread, plan_spread

# Lips that touch at rest lie nearer than this (metres) ...
_TOUCH_M: Final = 0.0035
# ... and part by at least this much, and this many times their rest distance, when the jaw opens (metres, ratio).
_PART_M: Final = 0.002
_PART_RATIO: Final = 2.0
_PAIR_POINTS: Final = 3
# The lower lip takes this part of a correction; it comes all the way to an upper lip that does not leave the teeth.
_LOWER_SHARE: Final = np.array([1.0, 0.6, 1.0], np.float32)
_REACH_M: Final = 0.022
_UNSEEN_M: Final = 1e-5
# Lips at rest, rolled or pressed are shut when they part by less than this; looked at in columns this wide to either side (metres).
_REST_OPENING_M: Final = 0.003
_ROLL_OPENING_M: Final = 0.006
_COLUMN_M: Final = 0.002
# Shapes, alone or together, in which the lips stay in touch: they may slide but not pass through each other.
_TOUCHING: Final = (
    ("mouthRollLower",),
    ("mouthRollUpper",),
    ("mouthPressLeft", "mouthPressRight"),
    ("cheekPuff",),
    ("jawForward",),
    ("mouthLeft",),
    ("mouthRight",),
)


@dataclass(frozen=True, eq=False)
class LipPairs:
    """Where the two lips of a model rest on each other."""

    lower: Int32[np.ndarray, "P"]
    upper: Int32[np.ndarray, "P K"]
    """Each lower vertex's nearest vertices of the upper lip."""
    blend: Float32[np.ndarray, "P K"]
    """Their weights; sum to 1."""
    handles_upper: Int32[np.ndarray, "U"]
    """All the upper lip's contact vertices."""
    lower_of_upper: Float32[np.ndarray, "U P"]
    """What an upper handle takes from the pairs near it; rows sum to 1."""
    spread: Spread
    """Handles: lower, then handles_upper."""

    def apart(self, field: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "P 3"]:
        """Lower minus upper of any per-vertex vector."""
        return field[self.lower] - np.einsum("pk,pkc->pc", self.blend, field[self.upper])


def close_lips(
    model: HeadModel, neutral: Float32[np.ndarray, "V 3"], shapes: Float32[np.ndarray, "52 V 3"]
) -> Float32[np.ndarray, "52 V 3"]:
    """The shapes (metres) with mouthClose undoing what jawOpen parts, and press and roll kept from passing through."""
    pairs = find_lip_pairs(model)
    if len(pairs.lower) == 0:
        return shapes
    mended = shapes.copy()
    jaw, close = ARKIT_INDEX["jawOpen"], ARKIT_INDEX["mouthClose"]
    # Together the two must leave the lips as they rest, in touch: linear in the weights, so in touch on the way too.
    wrong = pairs.apart(shapes[jaw] + shapes[close]) + np.maximum(_gap(pairs, neutral) - 0.0001, 0)[:, None] * _away(
        pairs
    )
    mended[close] = _part_lips(pairs, mended[close], (-wrong).astype(np.float32))
    for names in _TOUCHING:
        group = [ARKIT_INDEX[name] for name in names]
        change = _touch(pairs, neutral + mended[group].sum(0), np.minimum(_gap(pairs, neutral), 0), _ROLL_OPENING_M)
        if np.abs(change).max() < _UNSEEN_M:
            continue
        # Each shape answers for what it did to a pair.
        blame = np.stack([np.linalg.norm(pairs.apart(mended[index]), axis=1) for index in group]) + 1e-9
        for index, share in zip(group, blame / blame.sum(0), strict=True):
            mended[index] = _part_lips(
                pairs, mended[index], ((share * change)[:, None] * _away(pairs)).astype(np.float32)
            )
    return mended


def lip_gap(model: HeadModel, vertices: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "P"]:
    """Opening between the lips' contact pairs along the direction that parts them (metres; negative: through)."""
    return _gap(find_lip_pairs(model), vertices)


def settle_lips(model: HeadModel, neutral: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "V 3"]:
    """The neutral (metres) with its mouth shut: lips that pass through each other or part a little just touch.

    Lips that part by more than a mouth at rest does are left: that is how this head was made.
    """
    pairs = find_lip_pairs(model)
    if len(pairs.lower) == 0:
        return neutral
    change = _touch(pairs, neutral, np.zeros(len(pairs.lower), np.float32), _REST_OPENING_M)
    return _part_lips(pairs, neutral, (change[:, None] * _away(pairs)).astype(np.float32))


def _touch(
    pairs: LipPairs, vertices: Float32[np.ndarray, "V 3"], allowed: Float32[np.ndarray, "P"], widest_m: float
) -> Float64[np.ndarray, "P"]:
    """How far to part each pair so that lips just touch: positive where they are through each other by more than
    `allowed` (negative), negative where they part by less than `widest_m`.
    """
    gap = _gap(pairs, vertices)
    across = vertices[pairs.lower, 0]
    # The lips touch in a column when any of its pairs does.
    near = np.abs(across[:, None] - across[None]) < _COLUMN_M
    opening = np.where(near, gap[None], np.inf).min(1)
    opening = (near * opening[None]).sum(1) / near.sum(1)
    shut = np.where(opening < widest_m, np.maximum(opening, 0), 0)
    return np.maximum(allowed - gap, 0) - np.minimum(shut, np.maximum(gap, 0))


def _away(pairs: LipPairs) -> Float32[np.ndarray, "P 3"]:
    """Unit direction in which a lower lip leaves the upper one: straight down."""
    return np.tile(np.array([0, -1, 0], np.float32), (len(pairs.lower), 1))


def _gap(pairs: LipPairs, vertices: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "P"]:
    return np.sum(pairs.apart(vertices) * _away(pairs), axis=1)


def _part_lips(
    pairs: LipPairs, field: Float32[np.ndarray, "V 3"], apart: Float32[np.ndarray, "P 3"]
) -> Float32[np.ndarray, "V 3"]:
    """Adds `apart` to lower minus upper: the lower lip takes its share, the upper lip the rest."""
    at_upper = -(1 - _LOWER_SHARE) * (pairs.lower_of_upper @ apart)
    moved = pairs.spread.apply(field, np.concatenate([_LOWER_SHARE * apart, at_upper]).astype(np.float32))
    # The upper lip's share is smoothed over its vertices: what is missing is put right by the lower lip.
    missing = apart - (pairs.apart(moved) - pairs.apart(field))
    none = np.zeros((len(pairs.handles_upper), 3), np.float32)
    return pairs.spread.apply(moved, np.concatenate([missing, none]).astype(np.float32))


@lru_cache(maxsize=2)
def find_lip_pairs(model: HeadModel) -> LipPairs:
    """Where the lips touch on the mean head: close at rest, apart when the jaw opens."""
    triangles = model.triangles[model.part("face")]
    skin = np.unique(model.triangles[model.part("face")])
    open_jaw = model.expression[ARKIT_INDEX["jawOpen"]]
    drop = -open_jaw[skin, 1]
    mouth = np.linalg.norm(model.expression[ARKIT_INDEX["mouthClose"]][skin], axis=1) > 0.002
    falls, stays = skin[mouth & (drop > _PART_M)], skin[mouth]
    near = KDTree(model.rest[stays]).query_ball_point(model.rest[falls], _TOUCH_M)
    pairs: dict[int, list[int]] = {}
    for lower, found in zip(falls, near, strict=True):
        others = stays[found]
        rest = np.linalg.norm(model.rest[others] - model.rest[lower], axis=1)
        parted = np.linalg.norm((model.rest + open_jaw)[others] - (model.rest + open_jaw)[lower], axis=1)
        leaves = (parted > _PART_M) & (parted > _PART_RATIO * rest) & (open_jaw[others, 1] > open_jaw[lower, 1])
        if leaves.any():
            chosen = others[leaves][np.argsort(rest[leaves])]
            pairs[int(lower)] = [int(chosen[min(k, len(chosen) - 1)]) for k in range(_PAIR_POINTS)]
    lower = np.array(sorted(pairs), np.int32)
    upper = np.array([pairs[int(v)] for v in lower], np.int32).reshape(len(lower), _PAIR_POINTS)
    keep = ~np.isin(lower, upper)
    lower, upper = lower[keep], upper[keep]
    distance = np.linalg.norm(model.rest[upper] - model.rest[lower][:, None], axis=2)
    blend = 1 / np.maximum(distance, 2e-4)
    blend /= blend.sum(1, keepdims=True)
    handles_upper = np.unique(upper).astype(np.int32)
    spacing = np.linalg.norm(model.rest[handles_upper][:, None] - model.rest[lower][None], axis=2)
    take = np.exp(-((spacing / 0.0015) ** 2)) + 1e-9
    return LipPairs(
        lower=lower,
        upper=upper,
        blend=blend.astype(np.float32),
        handles_upper=handles_upper,
        lower_of_upper=(take / take.sum(1, keepdims=True)).astype(np.float32),
        spread=plan_spread(model.rest, triangles, np.concatenate([lower, handles_upper]), _REACH_M),
    )
