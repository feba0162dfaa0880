"""A scalp is of one tone, like the forehead that goes over into it, whatever light falls on a head from before."""

from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.head import HeadModel
from avatar3d.texture.atlas import Atlas, once_per_atlas
from avatar3d.texture.complete import smooth

# Bald is who has no more than the first share of hair in the middle over the face's oval, and not at all who has the second
# (where: how far above the oval and how far aside, inter-ocular distances).
_HAIR_OF_BALD: Final = (0.10, 0.30)
_CROWN: Final = (0.15, 0.45)
_CROWN_ASIDE: Final = 0.4
_TOP, _CHIN, _EYES = 10, 152, 168
"""Landmarks: ends of the face, and between the eyes. From the eyes' height to the top's skin turns into scalp."""
_FOREHEAD: Final = (0.55, 1.0)
"""What lies so far up between these, the forehead's upper half, tells what a scalp is like."""
_EVENED_FROM: Final = (0.8, 1.0)
"""From where to where the evening begins: what lies lower is as the photo shows it."""
_ENOUGH: Final = 500
"""Seen texels of it."""
_MOST: Final = 0.25
"""In log colour; foreheads that differ more from the face lie in shade or glare."""
_SLOW: Final = (0.006, 0.030)
"""What is wider than this is light on a scalp and not skin, atlas edges: where texels are long, and as small as a face's."""
_EVENED: Final = 0.85
"""Share of it that is taken out: by eye on three bald portraits."""


def baldness(
    hair: Float32[np.ndarray, "H W"],
    person: Float32[np.ndarray, "H W"],
    outside: Float32[np.ndarray, "H W"],
    points: Float32[np.ndarray, "478 2"],
    unit: float,
) -> float:
    """1 when skin goes on over the middle of the forehead, 0 when hair does or the picture ends there.

    `outside` is the distance from the face's oval, inter-ocular distances (`unit` pixels).
    """
    up = points[_TOP] - points[_CHIN]
    up /= max(float(np.linalg.norm(up)), 1e-6)
    y, x = np.mgrid[: hair.shape[0], : hair.shape[1]].astype(np.float32)
    right, down = x - points[_TOP, 0], y - points[_TOP, 1]
    crown = (outside > _CROWN[0]) & (outside < _CROWN[1]) & (right * up[0] + down * up[1] > 0) & (person > 0.5)
    crown &= np.abs(right * up[1] - down * up[0]) < _CROWN_ASIDE * unit
    return float(np.interp(hair[crown].mean(), _HAIR_OF_BALD, (1, 0))) if crown.any() else 0.0


@once_per_atlas
def above_eyes(model: HeadModel, atlas: Atlas) -> Float32[np.ndarray, "S S"]:
    """0 up to the eyes' height, 1 from the top of the forehead on, also behind."""
    low, high = (
        float(model.landmark_barycentric[index] @ model.rest[model.triangles[model.landmark_triangles[index]], 1])
        for index in (_EYES, _TOP)
    )
    return atlas.image(np.clip((atlas.blend(model.rest[:, 1:2])[:, 0] - low) / (high - low), 0, 1).astype(np.float32))


def scalp_tone(
    ratio: Float32[np.ndarray, "S S 3"], weight: Float32[np.ndarray, "S S"], above: Float32[np.ndarray, "S S"]
) -> Float32[np.ndarray, "S S 3"]:
    """What skin that nobody sees is like far from what is seen, as log colour over the tone: the forehead's on a scalp."""
    forehead = (above > _FOREHEAD[0]) & (above < _FOREHEAD[1]) & (weight > 0.9)
    own = np.median(ratio[forehead], axis=0) if forehead.sum() >= _ENOUGH else np.zeros(3)
    return (above[..., None] * np.clip(own, -_MOST, _MOST)).astype(np.float32)


def even_scalp(
    ratio: Float32[np.ndarray, "S S 3"],
    weight: Float32[np.ndarray, "S S"],
    above: Float32[np.ndarray, "S S"],
    even: Float32[np.ndarray, "S S"],
    tone: Float32[np.ndarray, "S S 3"],
) -> Float32[np.ndarray, "S S 3"]:
    """Log colour whose slow changes fade out from the forehead up: what is small, a mole or a vein, stays.

    `even` is 1 where texels are as small as on the face.
    """
    trusted = weight + np.float32(1e-4)
    long, usual = (smooth(ratio, trusted, width) for width in _SLOW)
    slow = long + even[..., None] * (usual - long)
    upper = np.clip((above - _EVENED_FROM[0]) / (_EVENED_FROM[1] - _EVENED_FROM[0]), 0, 1)
    return ratio + (np.float32(_EVENED) * upper * upper * (3 - 2 * upper))[..., None] * (tone - slow)
