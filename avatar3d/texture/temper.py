"""What is light and not skin, though it is too small for the fitted light: gloss, the shade of a smile's folds, lashes."""

from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.render.lights import LUMINANCE
from avatar3d.texture.complete import smooth
from avatar3d.texture.planes import times

_SURROUNDINGS: Final = 0.045
"""Standard deviation of the Gaussian that tells what a texel's surroundings are like, atlas edges."""
# What outshines its surroundings by more than a knee, in log luminance, is gloss; this much of it is kept.
_GLOSS_KNEE: Final = 0.20
_GLOSS_KEPT: Final = 0.50
_GLOSS_DOUBT: Final = 0.30
"""Texels this much brighter than the first guess of their surroundings count less for the second."""
_SPECK: Final = 0.004
"""What is smaller is pores and noise and stays, atlas edges."""
_BESIDE: Final = 0.06
_FOLD_KNEE: Final = 0.04
_FOLD_LOST: Final = 0.65
# What is darker than its lid by more than the knee, in log luminance, is no skin; this share of it is taken off.
_LID_USUAL: Final = 0.03
_LID_DOUBT: Final = 0.15
_LID_KNEE: Final = 0.14
_LID_LOST: Final = 0.9
_LID_DARKEST: Final = -0.40
"""Log luminance over the skin tone that the lid itself is not below: eye shadow, not lashes."""
_PIT_USUAL: Final = 0.02
"""Standard deviation of the Gaussian that tells what is beside a pit, atlas edges."""
_PIT_USUAL_RANGE: Final = (-0.45, 0.0)
"""Log luminance over the skin tone of lips and of the skin beside them: outside of it something else shows."""
_SOCKET_GREY: Final = 0.35
"""Share of the colour cast of lids and sockets that is taken for bounced light."""


def temper(
    ratio: Float32[np.ndarray, "S S 3"],
    weight: Float32[np.ndarray, "S S"],
    drawn: Float32[np.ndarray, "S S"],
    sockets: Float32[np.ndarray, "S S"],
    folds: Float32[np.ndarray, "S S"],
    smile: float,
) -> Float32[np.ndarray, "S S 3"]:
    """Draw gloss and the shade beside a smile's folds back toward their surroundings; brows, lips and lid margins stay."""
    trusted = weight * (1 - drawn) + np.float32(1e-4)
    luminance = ratio @ LUMINANCE
    first = smooth(luminance[..., None], trusted, _SURROUNDINGS)[..., 0]
    doubt = np.exp(-np.clip(luminance - first, 0, None) / np.float32(_GLOSS_DOUBT))
    around = smooth(ratio, trusted * doubt, _SURROUNDINGS)
    broad = smooth(luminance[..., None], weight + np.float32(1e-4), _SPECK)[..., 0]  # else every pore is tempered
    excess = broad - around @ LUMINANCE
    shine = np.clip(excess - _GLOSS_KNEE, 0, None) * (1 - _GLOSS_KEPT)
    share = (shine / np.maximum(np.abs(excess), 1e-3) * (weight > 0)).astype(np.float32)
    detail = (luminance - broad)[..., None]
    tempered = ratio + times(around + detail - ratio, share)
    if smile > 0:
        beside = smooth(ratio, trusted * doubt * (1 - folds) ** 2, _BESIDE)
        short = np.clip(beside @ LUMINANCE - broad - _FOLD_KNEE, 0, 1.2) * np.clip(1 - 2.5 * drawn, 0, 1)
        lift = short / np.maximum(beside @ LUMINANCE - broad, 1e-3) * folds * (_FOLD_LOST * smile) * (weight > 0)
        tempered += times(beside + detail - tempered, lift.astype(np.float32))
    grey = (tempered @ LUMINANCE)[..., None]
    return tempered + times(grey - tempered, np.float32(_SOCKET_GREY) * sockets * (1 - drawn))


def clear_lids(
    ratio: Float32[np.ndarray, "S S 3"], weight: Float32[np.ndarray, "S S"], lids: Float32[np.ndarray, "S S"]
) -> Float32[np.ndarray, "S S 3"]:
    """Lashes and liner that lie before a lid in the photo are taken off its skin: a closed lid is all skin."""
    if not lids.any():
        return ratio
    window = _around(lids, 4 * _LID_USUAL)
    cleared = ratio.copy()
    cleared[window] = _without_lashes(ratio[window], weight[window], lids[window], len(lids))
    return cleared


def fill_pits(
    ratio: Float32[np.ndarray, "S S 3"], weight: Float32[np.ndarray, "S S"], pits: Float32[np.ndarray, "S S"]
) -> Float32[np.ndarray, "S S 3"]:
    """The pits at a mouth's corners, black in a smile and white where teeth show in them, become like the skin and lips around."""
    if not pits.any():
        return ratio
    window = _around(pits, 4 * _PIT_USUAL)
    part, mask, luminance = ratio[window], pits[window], ratio[window] @ LUMINANCE
    off = np.clip(_PIT_USUAL_RANGE[0] - luminance, 0, None) + np.clip(luminance - _PIT_USUAL_RANGE[1], 0, None)
    trusted = weight[window] * mask * np.exp(-off / np.float32(_LID_DOUBT)) + np.float32(1e-4)
    usual = smooth(part, trusted, _PIT_USUAL, edge=len(ratio))
    gap = usual @ LUMINANCE - luminance
    share = np.clip(np.abs(gap) - _LID_KNEE, 0, None) / np.maximum(np.abs(gap), 1e-3) * mask * _LID_LOST
    filled = ratio.copy()
    filled[window] = part + times(usual - part, share.astype(np.float32))
    return filled


def _around(mask: Float32[np.ndarray, "S S"], margin: float) -> tuple[slice, slice]:
    """The rows and columns that hold a mask, and `margin` atlas edges beside it; in fours, as `smooth` counts."""
    reach = round(margin * len(mask) / 4)
    rows, columns = [
        (edges[0] // 4 - reach, edges[-1] // 4 + reach + 1)
        for edges in (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    ]
    return slice(4 * max(rows[0], 0), 4 * rows[1]), slice(4 * max(columns[0], 0), 4 * columns[1])


def _without_lashes(
    ratio: Float32[np.ndarray, "H W 3"], weight: Float32[np.ndarray, "H W"], lids: Float32[np.ndarray, "H W"], edge: int
) -> Float32[np.ndarray, "H W 3"]:
    usual = smooth(ratio, weight * lids + np.float32(1e-4), _LID_USUAL, edge=edge)
    luminance = ratio @ LUMINANCE
    trusted = np.exp(-np.clip(usual @ LUMINANCE - luminance, 0, None) / np.float32(_LID_DOUBT))
    usual = smooth(ratio, weight * lids * trusted**2 + np.float32(1e-4), _LID_USUAL, edge=edge)
    usual += np.clip(_LID_DARKEST - usual @ LUMINANCE, 0, None)[..., None].astype(np.float32)
    gap = usual @ LUMINANCE - luminance
    lift = np.clip(gap - _LID_KNEE, 0, None) / np.maximum(gap, 1e-3) * lids * _LID_LOST
    return ratio + times(usual - ratio, lift.astype(np.float32))
