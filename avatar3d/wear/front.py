"""The front of a frame as the photo shows it: both rims, bridge, hinges; how thick each is, and its colours.

first guesses of the outlines --> profiles across them, across the bridge, across the hinges --> contour --> Front
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from avatar3d.wear.contour import Path, approach, rim_there, trace_line, trace_pair
from avatar3d.wear.paint import EDGE_M, Part, paint_frame
from avatar3d.wear.plane import look_at_places
from avatar3d.wear.ribbons import Profiles

# Points of an outline; where beside a guess a rim is sought, first far off, then nearby (metres).
_POINTS: Final = 72
_STEP_M: Final = 0.0004
_FAR_M: Final = np.arange(-16, 23) * 0.0006
_NEAR_M: Final = np.arange(-20, 21) * _STEP_M
# Rims go around eyes: an outline that comes so near to a pupil runs along a lid, and there is no rim (metres).
_PUPIL_M: Final = 0.031
_EYE_M: Final = (0.010, 0.003)
# Points of a bridge and of a hinge; how far a hinge reaches out; how far below the eyes both are sought (metres).
_BAR_POINTS: Final = 9
_HINGE_M: Final = 0.004
_BELOW_M: Final = 0.008
_ABOVE_M: Final = 0.002
# A bar that stands out less is drawn at its usual place; it is at least so thick (metres).
_CLEAR_BAR: Final = 0.4
_THIN_M: Final = 0.0013
# A hinge is as thick as the rims or up to so many times: what seems thicker is a temple seen from its end.
_STOUT: Final = 1.5
# Where they usually sit: index of the outline, which starts at the outer end and runs over the top.
_HINGE_AT, _BRIDGE_AT = 6, 30
# Which way is out, left and right.
_OUT: Final = (1, -1)
# A profile is the mean of so many finer ones to both its sides: lines run on, grain does not.
_FINER: Final = 4
# The net's plane is as coarse as 1.5 mm.
_NEAR_PX: Final = 13
# Another guess must be so much surer than the one before.
_SURER: Final = 0.04
# Colours are sure to be the frame's on faces: less of a background than this behind it.
_BEHIND: Final = 0.5


@dataclass(frozen=True, eq=False)
class Front:
    """Lines in the frame's plane (metres) and their thickness (metres), sides left and right."""

    rims: Float64[np.ndarray, "2 N 2"]
    """Where the lenses end, from the outer end over the top."""
    rim_m: Float64[np.ndarray, "2 N"]
    """0 where there is no rim."""
    bridge: Float64[np.ndarray, "B 2"]
    """From right to left."""
    bridge_m: Float64[np.ndarray, "B"]
    bridge_sure: float
    """How far it stands out: 0 not at all, 1 clearly."""
    hinges: Float64[np.ndarray, "2 B 2"]
    """From the rim outward."""
    hinge_m: Float64[np.ndarray, "2 B"]
    paint: UInt8[np.ndarray, "H W 3"]
    """Its colours in the picture of the plane, sRGB; beside the frame those of its nearest part."""


def trace_front(
    flat: Float32[np.ndarray, "H W 3"],
    seen: Float32[np.ndarray, "H W"],
    behind: Float32[np.ndarray, "H W"],
    guesses: Float64[np.ndarray, "G 2 P 2"],
    rimless: Float64[np.ndarray, "2 P 2"],
) -> Front:
    """The front near one of some outlines (densely sampled, likeliest first), or that of lenses without rims.

    In a picture (sRGB) of the plane, where the net saw glasses so far, and so far a background.
    """
    near = cv2.dilate(seen, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_NEAR_PX, _NEAR_PX)))
    sheet = _Sheet(flat / np.float32(255), cv2.GaussianBlur(near, (0, 0), 4))
    rims, rim_m = _rims(sheet, guesses)
    if not rim_m.any():
        rims = _evenly(rimless)[:, ::_FINER]
    on_face = behind < _BEHIND
    bridge, bridge_m, sure = _bridge(sheet, rims, rim_m)
    hinges, hinge_m, clear = _hinges(sheet, rims, rim_m, on_face)
    frame: list[Part] = [(rim, thick, True) for rim, thick in zip(rims, rim_m, strict=True)]
    frame += [(bridge, bridge_m, False)] if sure > _CLEAR_BAR or not rim_m.any() else []
    frame += [(line, thick, False) for line, thick in zip(hinges, hinge_m * clear, strict=True)]
    edges: list[Part] = [(rim, np.where(thick > 0, 0, EDGE_M), True) for rim, thick in zip(rims, rim_m, strict=True)]
    return Front(rims, rim_m, bridge, bridge_m, sure, hinges, hinge_m, paint_frame(flat, on_face, (frame, edges)))


@dataclass(frozen=True, eq=False)
class _Sheet:
    """Two pictures of the plane."""

    colour: Float32[np.ndarray, "H W 3"]
    """sRGB, 0 to 1."""
    near: Float32[np.ndarray, "H W"]
    """The net's probability of glasses nearby."""


def _rims(
    sheet: _Sheet, guesses: Float64[np.ndarray, "G 2 P 2"]
) -> tuple[Float64[np.ndarray, "2 N 2"], Float64[np.ndarray, "2 N"]]:
    """Both rims and their thickness, from the first guess unless another fits clearly better; none around no eye."""
    best, best_m, least = np.zeros((2, _POINTS, 2)), np.zeros((2, _POINTS)), -_SURER
    for guess in guesses:
        rims, path = _snap(sheet, _evenly(guess))
        across, above = np.abs(np.abs(rims[..., 0]) - _PUPIL_M) < _EYE_M[0], np.abs(rims[..., 1]) < _EYE_M[1]
        if not (across & above).any() and path.sure.mean() > least + _SURER:
            best, best_m, least = rims, path.width_m * rim_there(path), float(path.sure.mean())
    return best, best_m


def _snap(sheet: _Sheet, first: Float64[np.ndarray, "2 M 2"]) -> tuple[Float64[np.ndarray, "2 N 2"], Path]:
    """Outlines moved and stretched onto the picture each by itself, then snapped to it."""
    outward = _outward(first)
    off = approach(_around(sheet, first, outward, _FAR_M), outward[0, ::_FINER])
    whole = np.arange(_POINTS * _FINER) / _FINER
    moved = np.stack([np.interp(whole, np.arange(_POINTS + 1), np.append(each, each[0])) for each in off])
    first = first + moved[..., None] * outward
    outward = _outward(first)
    path = trace_pair(_around(sheet, first, outward, _NEAR_M), outward[0, ::_FINER])
    return first[:, ::_FINER] + path.across_m[..., None] * outward[:, ::_FINER], path


def _around(
    sheet: _Sheet,
    lines: Float64[np.ndarray, "2 M 2"],
    outward: Float64[np.ndarray, "2 M 2"],
    across_m: Float64[np.ndarray, "B"],
) -> Profiles:
    places = lines[:, None] + across_m[None, :, None, None] * outward[:, None]
    return _profiles(sheet, places, across_m, wrap=True)


def _evenly(outline: Float64[np.ndarray, "2 P 2"]) -> Float64[np.ndarray, "2 N 2"]:
    """Closed outlines by points at even distances."""
    ring = np.concatenate([outline, outline[:, :1]], axis=1)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(ring[0], axis=0), axis=1))])
    at = np.linspace(0, length[-1], _POINTS * _FINER, endpoint=False)
    return np.stack([[np.interp(at, length, axis) for axis in side.T] for side in ring]).transpose(0, 2, 1)


def _outward(lines: Float64[np.ndarray, "2 M 2"]) -> Float64[np.ndarray, "2 M 2"]:
    """Which way outlines grow evenly: along the rays from a box's middle, which never cross, as far as the normals say."""
    ray = lines - lines.mean(1, keepdims=True)
    ray = ray / np.abs(ray).max(1, keepdims=True)
    ahead = np.roll(lines, -1, axis=1) - np.roll(lines, 1, axis=1)
    normal = np.stack([ahead[..., 1], -ahead[..., 0]], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return ray / np.maximum(np.abs((ray * normal).sum(-1, keepdims=True)), 0.5)


def _profiles(
    sheet: _Sheet, places: Float64[np.ndarray, "S B M 2"], across_m: Float64[np.ndarray, "B"], *, wrap: bool = False
) -> Profiles:
    """Every so many places along the lines, the weighted mean of those around."""
    reach = np.arange(1 - _FINER, _FINER)
    count = places.shape[2]
    index = np.arange(0, count, _FINER) + reach[:, None]
    index = index % count if wrap else np.clip(index, 0, count - 1)
    share = (_FINER - np.abs(reach)).astype(np.float32) / _FINER**2
    colour = np.einsum("k,sbknc->sbnc", share, look_at_places(sheet.colour, places)[:, :, index])
    return Profiles(colour, look_at_places(sheet.near, places[:, :, ::_FINER]), across_m)


_Bar = tuple[Float64[np.ndarray, "B 2"], Float64[np.ndarray, "B"], float]
"""A line, how thick it is, and how far the picture shows it."""


def _bridge(sheet: _Sheet, rims: Float64[np.ndarray, "2 N 2"], rim_m: Float64[np.ndarray, "2 N"]) -> _Bar:
    """The bar between the rims."""
    left, right = rims
    half = rim_m.mean() / 2
    return _bar(sheet, (right[:, 0].max() + half, left[:, 0].min() - half), rims, _BRIDGE_AT, _usual(rim_m))


def _hinges(
    sheet: _Sheet,
    rims: Float64[np.ndarray, "2 N 2"],
    rim_m: Float64[np.ndarray, "2 N"],
    on_face: Bool[np.ndarray, "H W"],
) -> tuple[Float64[np.ndarray, "2 B 2"], Float64[np.ndarray, "2 B"], bool]:
    """The bars from the rims' outer ends outward, and whether one is clear: the clearer one, and its mirror image."""
    usual_m = _usual(rim_m)
    ends = np.stack(
        [(sign * (sign * rim[:, 0]).max(), rim[_HINGE_AT, 1]) for rim, sign in zip(rims, _OUT, strict=True)]
    )
    begins = ends[:, 0] + np.array(_OUT) * rim_m.mean(1) / 2
    bars = [_bar(sheet, (begin, begin + sign * _HINGE_M), rim[None], _HINGE_AT, usual_m)
            for begin, rim, sign in zip(begins, rims, _OUT, strict=True)]  # fmt: skip
    sure = [sure * look_at_places(on_face.astype(np.float32), line).mean() for line, _, sure in bars]
    side = int(np.argmax(sure))
    line, thick, _ = bars[side]
    mirrored = (line - ends[side]) * [-1, 1] + ends[1 - side]
    both = np.stack([line, mirrored] if side == 0 else [mirrored, line])
    return both, np.tile(np.clip(thick, usual_m, _STOUT * usual_m), (2, 1)), bool(max(sure) > _CLEAR_BAR)


def _usual(rim_m: Float64[np.ndarray, "*S"]) -> float:
    """How thick a bar is that nobody sees clearly (metres): as the rims, when there are any."""
    return max(float(np.median(rim_m)), _THIN_M)


def _bar(
    sheet: _Sheet, span: tuple[float, float], rims: Float64[np.ndarray, "R N 2"], usually_at: int, usual_m: float
) -> _Bar:
    """A bar across these x (metres), about as high as the upper half of the rims; it begins, and between two ends, on them."""
    x = np.linspace(*span, _FINER * (_BAR_POINTS - 3) + 1)
    usual = float(rims[:, usually_at, 1].mean())
    across = np.arange(rims[..., 1].mean() - _BELOW_M, rims[..., 1].max() + _ABOVE_M, _STEP_M) - usual
    places = np.stack(np.broadcast_arrays(x, (usual + across)[:, None]), axis=-1)
    path = trace_line(_profiles(sheet, places[None], across))
    sure = float(path.sure.mean())
    clear = sure > _CLEAR_BAR
    y = usual + _smooth(path.across_m[0]) * clear
    thick = _smooth(path.width_m[0]) if clear else np.full(len(y), usual_m)
    line, points = np.stack([x[::_FINER], y], axis=-1), rims.reshape(-1, 2)
    first, last = (points[np.argmin(((points - end) ** 2).sum(1))] for end in line[[0, -1]])
    if len(rims) == 1:
        last = 2 * line[-1] - line[-2]
    return np.concatenate([first[None], line, last[None]]), np.concatenate([thick[:1], thick, thick[-1:]]), sure


def _smooth(values: Float64[np.ndarray, "N"]) -> Float64[np.ndarray, "N"]:
    padded = np.pad(values, 2, mode="edge")
    return np.convolve(padded, np.array([1, 2, 2, 2, 1]) / 8, mode="valid")
