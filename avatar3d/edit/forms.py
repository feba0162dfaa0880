"""Another shape for the same avatar: blended with other people, or further from the mean; what rides on skin follows.

identities --> blended, exaggerated --> HeadFit; hair, glasses --> moved as the skin under them
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Float32
from scipy.spatial import KDTree

from avatar3d.core.errors import UsageError
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.head.bend import bend_field
from avatar3d.head.deform import pose_head, shape_head

_NEIGHBOURS: Final = 6


def blend_fits(
    model: HeadModel, fitted: HeadFit, others: Sequence[tuple[HeadFit, float]], *, exaggerate: float = 0.0
) -> HeadFit:
    """`fitted` with a share of each of the others, and its distance from the mean head grown by `exaggerate`.

    Camera and expression stay. Raises UsageError for shares that are no shares.
    """
    given = sum(share for _, share in others)
    if any(not 0 <= share <= 1 for _, share in others) or given > 1:
        raise UsageError(
            f"expected shares of at most 1 in all, got {given:g}.", hint="For example: --mix anna/avatar.json=.3"
        )
    own = 1 - given
    identity = own * fitted.identity + sum((share * other.identity for other, share in others), np.float32(0))
    resting = own * fitted.resting + sum((share * other.resting for other, share in others), np.float32(0))
    identity = (identity * (1 + exaggerate)).astype(np.float32)
    shifts = (own * fitted.pin_shifts_m).astype(np.float32)
    neutral = shape_head(model, identity) + np.tensordot(resting, model.expression, 1)
    neutral = (neutral + bend_field(model, fitted.pins, shifts)).astype(np.float32)
    turns = fitted.left_eye_wxyz, fitted.right_eye_wxyz
    posed = pose_head(model, neutral, fitted.expression, *turns, smile_lean=fitted.smile_lean)
    resting = resting.astype(np.float32)
    return replace(fitted, identity=identity, resting=resting, neutral=neutral, posed=posed, pin_shifts_m=shifts)


def follow_skin(
    points: Float32[np.ndarray, "N 3"], before: Float32[np.ndarray, "V 3"], after: Float32[np.ndarray, "V 3"]
) -> Float32[np.ndarray, "N 3"]:
    """Points of hair, glasses or their joints moved as the nearest skin moves (skin vertices, metres)."""
    distance, nearest = KDTree(before).query(points, k=_NEIGHBOURS)
    share = 1 / np.maximum(np.asarray(distance), 1e-4)
    share = (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
    moved = np.einsum("nk,nkc->nc", share, (after - before)[np.asarray(nearest)])
    return (points + moved).astype(np.float32)
