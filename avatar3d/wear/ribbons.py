"""Ribbons: how far lines of each place and width stand out from both their sides, and the best path of one.

profiles across a line --> contrast per place and width --> gain --> dynamic programming --> place and width per profile
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64

# Widths that a frame's front may have (metres), and what lies beside it: a gap for the blur, then so much ground.
WIDTHS_M: Final = np.array([0.0008, 0.0013, 0.0019, 0.0027, 0.0037, 0.0049])
GAP_M: Final = 0.0003
GROUND_M: Final = 0.0012
# A ribbon this far from its ground (sRGB, 0 to 1) is half sure; below the second, noise.
_CLEAR: Final = 0.15
NOISE: Final = 0.02
# Of two ribbons that stand out equally the wider is the frame, the other a part of it: exponent of its width.
_WIDER: Final = 0.15
# What a path pays to move by one step of place, of width; and the furthest it moves between neighbouring profiles.
_BEND: Final = 0.07
_SWELL: Final = 0.15
_FURTHEST: Final = 3
# What it pays at 9 mm from the first guess, and where the net sees no glasses.
_ASTRAY: Final = 0.15
_UNSEEN: Final = 0.35
# What it gains there to the outside: lids and lashes are lines too, but inside.
_OUTWARD: Final = 0.1


@dataclass(frozen=True, eq=False)
class Profiles:
    """A picture looked up across lines: S lines, B places across, N profiles along."""

    colour: Float32[np.ndarray, "S B N 3"]
    """sRGB, 0 to 1."""
    seen: Float32[np.ndarray, "S B N"]
    """The net's probability of glasses nearby."""
    across_m: Float64[np.ndarray, "B"]
    """Place across, evenly spaced; 0 on the first guess."""


def stand_out(profiles: Profiles) -> tuple[Float32[np.ndarray, "S B W N"], Float32[np.ndarray, "S B W N 3"]]:
    """Per place and width of a ribbon how far it differs, in one direction, from both its sides; and its mean colour."""
    places, total = profiles.across_m, np.cumsum(profiles.colour, axis=1)
    total = np.concatenate([np.zeros_like(total[:, :1]), total], axis=1)
    step = float(places[1] - places[0])
    low, high = places[0] - step / 2, places[-1] + step / 2

    def upto(place: Float64[np.ndarray, "B"]) -> Float32[np.ndarray, "S B N 3"]:
        index = np.clip((place - low) / step, 0, len(places) - 1e-6)
        whole = index.astype(int)
        share = (index - whole).astype(np.float32)[None, :, None, None]
        return total[:, whole] * (1 - share) + total[:, whole + 1] * share

    def mean(begin: Float64[np.ndarray, "B"], end: Float64[np.ndarray, "B"]) -> Float32[np.ndarray, "S B N 3"]:
        begin, end = np.clip(begin, low, high), np.clip(end, low, high)
        samples = np.maximum((end - begin) / step, 0.3).astype(np.float32)
        return (upto(end) - upto(begin)) / samples[None, :, None, None]

    contrasts: list[np.ndarray] = []
    colours: list[np.ndarray] = []
    for width in WIDTHS_M:
        inner, outer = places - width / 2, places + width / 2
        colour = mean(inner, outer)
        one = colour - mean(inner - GAP_M - GROUND_M, inner - GAP_M)
        two = colour - mean(outer + GAP_M, outer + GAP_M + GROUND_M)
        larger = np.maximum(np.maximum((one * one).sum(-1), (two * two).sum(-1)), np.float32(NOISE**2))
        within = (inner - GAP_M - GROUND_M >= low) & (outer + GAP_M + GROUND_M <= high)
        contrast = np.maximum((one * two).sum(-1) / np.sqrt(larger), 0)
        contrasts.append(contrast / (contrast + np.float32(_CLEAR)) * within[:, None])
        colours.append(colour)
    return np.stack(contrasts, axis=2), np.stack(colours, axis=2)


def gain(profiles: Profiles, contrast: Float32[np.ndarray, "S B W N"]) -> Float32[np.ndarray, "S B W N"]:
    """What a path gains per profile: contrast, where the net sees glasses, near the first guess."""
    wide = ((WIDTHS_M / WIDTHS_M[2]) ** _WIDER).astype(np.float32)[:, None]
    away = profiles.across_m / 0.009
    astray = (_ASTRAY * away**2 - _OUTWARD * away).astype(np.float32)[:, None, None]
    return contrast * wide * (_UNSEEN + (1 - _UNSEEN) * profiles.seen)[:, :, None] - astray


def best_path(gained: Float32[np.ndarray, "S B W N"], *, closed: bool) -> Int64[np.ndarray, "S N 2"]:
    """Place and width per profile with the most gain (dynamic programming); a closed path is the middle of two rounds."""
    lines, places, widths, count = gained.shape
    order = np.tile(np.arange(count), 2) if closed else np.arange(count)
    moves = np.arange(-_FURTHEST, _FURTHEST + 1)
    bend = (_BEND * moves**2).astype(np.float32)[:, None, None, None]
    best = np.zeros((lines, places, widths), np.float32)
    swelled = np.full((lines, places + 2 * _FURTHEST, widths), -1e9, np.float32)
    steps: list[tuple[np.ndarray, np.ndarray]] = []
    for profile in order:
        around = np.full((3, *best.shape), -1e9, np.float32)
        around[0, ..., 1:], around[1], around[2, ..., :-1] = best[..., :-1] - _SWELL, best, best[..., 1:] - _SWELL
        swelled[:, _FURTHEST:-_FURTHEST] = around.max(0)
        reached = np.stack([swelled[:, move : move + places] for move in range(len(moves))]) - bend
        steps.append((reached.argmax(0), around.argmax(0)))
        best = reached.max(0) + gained[..., profile]
    line = np.arange(lines)
    place, width = np.divmod(best.reshape(lines, -1).argmax(1), widths)
    path = np.zeros((lines, len(order), 2), np.int64)
    for profile in range(len(order))[::-1]:
        path[:, profile, 0], path[:, profile, 1] = place, width
        came, swell = steps[profile]
        before = place + moves[came[line, place, width]]
        place, width = before, width + swell[line, before, width] - 1
    if not closed:
        return path
    half = count // 2
    return np.roll(path[:, half : half + count], half, axis=1)


def picked(values: np.ndarray, chosen: Int64[np.ndarray, "S N 2"]) -> np.ndarray:
    """Values along a path."""
    lines, count = chosen.shape[:2]
    return values[np.arange(lines)[:, None], chosen[..., 0], chosen[..., 1], np.arange(count)]
