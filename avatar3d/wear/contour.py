"""Where exactly a frame runs, and how thick it is: the best path of a line through a picture cut into profiles.

profiles across a first guess --> how far ribbons of each place and width stand out from both sides --> best path
                                  once more, with what it told: the frame's colour, and the other lens's outline
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from avatar3d.wear.ribbons import GAP_M, GROUND_M, NOISE, WIDTHS_M, Profiles, best_path, gain, picked, stand_out

# What another colour than the frame's costs, as a share of what is gained.
_STRANGE: Final = 0.65
# What it pays to leave the other lens's outline by 2 mm; four times as much at most.
_UNLIKE: Final = 0.12
_UNLIKE_M: Final = 0.002
# A frame is so sure where it stands out this far; and colours that differ so little are the same.
_SURE: Final = (0.15, 0.5)
_SAME_COLOUR: Final = 0.1
_ROUNDS: Final = 2
# Robust fits of a motion: how often, and what lies further off counts half (metres).
_FITS: Final = 5
_OUTLIER_M: Final = 0.001
# The middle of a ribbon, whose colour is its own: part of its width, and at least so far (metres).
_CORE: Final = 0.6
_CORE_M: Final = 0.0003
# A frame is its own mirror image: in the final outline the clearer side counts for both, by this power of its sureness.
_CLEARER: Final = 2
_LEAST: Final = 0.01
# Smoothing of the outline along itself, and of the doubt whether there is a rim (profiles).
_SMOOTH: Final = 1.1
_EVEN: Final = 2.0
_LONG: Final = 6.0
# No part is so many times as wide as the median; and what is less sure than this is drawn thinner, down to a part:
# a doubtful wire is better than a doubtful bar.
_WIDEST: Final = 1.6
_THICK: Final = 0.33
_THINNEST: Final = 0.35
# From this sureness on there is a rim, and below that mean of it there is none anywhere: what stands out is brows, lids,
# edges of lenses. Of 17 pairs: 0.14 to 0.21 without any rim, but one of 0.31; from 0.27 on with rims.
_THERE: Final = 0.2
_RIMLESS: Final = 0.24


@dataclass(frozen=True, eq=False)
class Path:
    """The line found in each of S pictures."""

    across_m: Float64[np.ndarray, "S N"]
    width_m: Float64[np.ndarray, "S N"]
    sure: Float64[np.ndarray, "S N"]
    """How far it stands out: 0 not at all, 1 clearly."""


def trace_line(profiles: Profiles) -> Path:
    """One open line, as a bridge is."""
    contrast, _ = stand_out(profiles)
    chosen = best_path(gain(profiles, contrast), closed=False)
    return _path(profiles, chosen, picked(contrast, chosen))


def approach(profiles: Profiles, normals: Float64[np.ndarray, "N 2"]) -> Float64[np.ndarray, "S N"]:
    """How far across two closed lines lie, were each the first guess moved and stretched (metres)."""
    contrast, _ = stand_out(profiles)
    chosen = best_path(gain(profiles, contrast), closed=True)
    clear = _along(picked(contrast, chosen), 1.0)
    return np.stack(
        [_moved(line, sure, normals) for line, sure in zip(profiles.across_m[chosen[..., 0]], clear, strict=True)]
    )


def trace_pair(profiles: Profiles, normals: Float64[np.ndarray, "N 2"]) -> Path:
    """Two closed lines, each other's mirror image as far as the picture lets them; `normals` are the first one's."""
    contrast, colours = stand_out(profiles)
    gained = gain(profiles, contrast)
    chosen = best_path(gained, closed=True)
    alike, other = np.ones_like(contrast), np.zeros(chosen.shape[:2])
    trust = other
    for _ in range(_ROUNDS):
        clear = _along(picked(contrast, chosen), 1.0)
        trust = np.clip((clear - _SURE[0]) / (_SURE[1] - _SURE[0]), 0, 1)
        alike = _likeness(colours, chosen, clear)
        other = _mirror(profiles.across_m[chosen[..., 0]], trust.min(0), normals)
        apart = (profiles.across_m[None, :, None] - other[:, None]) ** 2 / _UNLIKE_M**2
        unlike = _UNLIKE * trust[::-1, None] * np.minimum(apart, 4)
        chosen = best_path(gained * alike - unlike[:, :, None].astype(np.float32), closed=True)
    found = _path(profiles, chosen, picked(contrast * alike, chosen))
    own = found.sure**_CLEARER + _LEAST
    others = own[::-1] * _mirror(found.across_m, np.sqrt(own.prod(0)), normals)
    across = _along(own * found.across_m + others, _SMOOTH) / _along(own + own[::-1], _SMOOTH)
    width = (_along(own * found.width_m, _EVEN) / _along(own, _EVEN)).mean(0) * np.ones((2, 1))
    width = np.minimum(width, _WIDEST * np.median(width))
    width *= np.clip(_along(found.sure, _EVEN).max(0) / _THICK, _THINNEST, 1)
    return Path(across, width, found.sure)


def rim_there(path: Path) -> Bool[np.ndarray, "N"]:
    """Where a pair has rims at all: over long arcs, on both sides alike."""
    sure = _along(path.sure, _LONG).mean(0)
    if sure.mean() < _RIMLESS:
        return np.zeros(len(sure), bool)
    return sure > _THERE


def _path(profiles: Profiles, chosen: Int64[np.ndarray, "S N 2"], sure: np.ndarray) -> Path:
    """The path with its edges where the picture turns from its colour to that of the ground, finer than its steps."""
    middle, half = profiles.across_m[chosen[..., 0]], WIDTHS_M[chosen[..., 1]] / 2
    off = profiles.across_m[:, None] - middle[:, None]
    half_ = half[:, None]
    own = _mean_where(profiles.colour, np.abs(off) <= np.maximum(_CORE * half_, _CORE_M))
    reach: list[np.ndarray] = []
    for side in (off, -off):
        ground = _mean_where(profiles.colour, (side > half_ + GAP_M) & (side <= half_ + GAP_M + GROUND_M))
        toward = own - ground
        share = ((profiles.colour - ground) * toward).sum(-1) / np.maximum((toward * toward).sum(-1), NOISE**2)
        covered = np.clip(share, 0, 1) * (side <= half_ + GAP_M) * ((side > 0) + 0.5 * (side == 0))
        reach.append(covered.sum(1) * (profiles.across_m[1] - profiles.across_m[0]))
    outer, inner = reach
    return Path(middle + (outer - inner) / 2, np.maximum(outer + inner, WIDTHS_M[0]), sure.astype(np.float64))


def _mean_where(
    colour: Float32[np.ndarray, "S B N 3"], there: Bool[np.ndarray, "S B N"]
) -> Float64[np.ndarray, "S 1 N 3"]:
    count = np.maximum(there.sum(1, keepdims=True), 1)
    return (colour * there[..., None]).sum(1, keepdims=True, dtype=np.float64) / count[..., None]


def _likeness(
    colours: Float32[np.ndarray, "S B W N 3"], chosen: Int64[np.ndarray, "S N 2"], clear: Float64[np.ndarray, "S N"]
) -> Float32[np.ndarray, "S B W N"]:
    """How like the frame each ribbon is coloured, the frame being what stands out most on the path so far."""
    own = picked(colours, chosen)[clear >= np.quantile(clear, 0.6)]
    colour = np.median(own, axis=0)
    spread = np.maximum(1.5 * np.median(np.abs(own - colour), axis=0), _SAME_COLOUR)
    like = np.exp(-0.5 * (((colours - colour) / spread) ** 2).mean(-1))
    return (1 - _STRANGE + _STRANGE * like).astype(np.float32)


def _mirror(
    across_m: Float64[np.ndarray, "2 N"], trust: Float64[np.ndarray, "N"], normals: Float64[np.ndarray, "N 2"]
) -> Float64[np.ndarray, "2 N"]:
    """Where each line would be were it the other one, moved and stretched onto it."""
    offset = _moved(across_m[0] - across_m[1], trust, normals)
    return np.stack([across_m[1] + offset, across_m[0] - offset])


def _moved(
    across_m: Float64[np.ndarray, "N"], trust: Float64[np.ndarray, "N"], normals: Float64[np.ndarray, "N 2"]
) -> Float64[np.ndarray, "N"]:
    """What of an offset is a motion and a stretch of the whole (robust least squares)."""
    x, y = normals.T
    motions = np.stack([x, y, x * x, y * y], axis=-1)
    fitted, weight = np.zeros_like(across_m), trust + 1e-4
    for _ in range(_FITS):
        root = np.sqrt(weight)
        fitted = motions @ np.linalg.lstsq(motions * root[:, None], across_m * root, rcond=None)[0]
        weight = (trust + 1e-4) / (1 + ((across_m - fitted) / _OUTLIER_M) ** 2)
    return fitted


def _along(values: np.ndarray, width: float) -> Float64[np.ndarray, "S N"]:
    """Closed lines smoothed by a Gaussian of so many profiles."""
    count = values.shape[1]
    away = np.minimum(np.arange(count), count - np.arange(count))
    kernel = np.exp(-0.5 * (away / width) ** 2)
    return np.fft.irfft(np.fft.rfft(values, axis=1) * np.fft.rfft(kernel / kernel.sum()), count, axis=1)
