"""Which glasses does this face wear: a pair of lens outlines, found where the net and the picture both see a rim.

photo --laid on the surface where frames sit--> picture in millimetres
      segments' glasses, thin lines near them --> evidence of a rim --> best outline of a few hundred --> refined
      that outline, snapped to the lines of the picture --> Front
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.core.segments import Segments
from avatar3d.wear.front import Front, trace_front
from avatar3d.wear.plane import frame_grid, in_picture, look, place_on_frame

# A rim is a line about so wide (blurs, in pixels), and so much darker or brighter than what lies beside it (log).
_LINE_PX: Final = (1.2, 6.0)
_CLEAR_LINE: Final = 0.25
# The net's plane is as coarse as 1.5 mm: lines count so far around it (pixels).
_NEAR_PX: Final = 13
_OUTLINE_POINTS: Final = 48
_FINE: Final = 720
# What lies beside a rim is looked at this far from it (metres).
_BESIDE_M: Final = 0.0035
# First guesses: half the distance between lenses, height over the eyes, half width, half height, half the gap (metres).
_FIRST: Final = (
    np.array([0.031, 0.034, 0.037]), np.linspace(-0.009, 0.003, 7), np.linspace(0.021, 0.029, 5), np.linspace(0.012, 0.024, 7)
)  # fmt: skip
_GAP_M: Final = (0.004, 0.014)
# Coordinate descent moves one edge of the lenses at a time, or one other number: inner, outer, aside, top, bottom,
# squareness, taper, tilt; first steps (metres, none, radians) and rounds.
_MOVES: Final = np.array([[0.0015, 0, 0, -0.0015, 0, 0, 0, 0], [0.0015, 0, 0, 0.0015, 0, 0, 0, 0],
                          [0, 0.0015, 0, 0, 0, 0, 0, 0], [0, 0, 0.0015, 0, 0.0015, 0, 0, 0],
                          [0, 0, -0.0015, 0, 0.0015, 0, 0, 0], [0, 0, 0, 0, 0, 0.6, 0, 0],
                          [0, 0, 0, 0, 0, 0, 0.08, 0], [0, 0, 0, 0, 0, 0, 0, 0.02]])  # fmt: skip
_ROUNDS: Final = 10
# Descents begin from so many of the best guesses, of which neighbours are much the same.
_BEGINNINGS, _EVERY = 8, 4
_LOW: Final = np.array([0.028, -0.006, -0.014, 0.018, 0.011, 2.0, -0.1, -0.06])
_HIGH: Final = np.array([0.042, 0.006, 0.006, 0.031, 0.027, 6.0, 0.3, 0.06])
# The net often misses an upper rim over a brow's shadow: the second guess where rims are (metres).
_TALLER: Final = np.array([0, 0, 0.0025, 0, 0.0025, 0, 0, 0])
# Usual lenses without rims, 50 by 30 mm with 18 between: as a shape, but high over the bars that hold them.
_BARE: Final = np.array([0.034, -0.009, 0.025, 0.015, 2.8, 0.05])
# A pair is worn when its rims stand out this far, and its bridge: of 80 bare faces up to 0.059 and, from 0.03 on, up to
# 0.15; of 17 pairs from 0.044 and 0.32 on. See decision 0018.
_WORN: Final = 0.035
_HELD: Final = 0.24
# Rims that stand out this far are a pair's, however thin the wire between them (twice as far as on any of the bare faces).
_PLAIN: Final = 0.12
# No pair where the net is nowhere so sure (of the 17, at least .66), nor where the best first guess stands out by less (.022):
# most bare faces are known by one look.
_LIKELY: Final = 0.5
_PROMISING: Final = 0.016


@dataclass(frozen=True, eq=False)
class Glasses:
    """A pair of glasses as one face wears it; metres, in the plane of the frame, x to the person's left, y up."""

    shape: Float64[np.ndarray, "8"]
    """Half the distance between the lenses' middles, offset to the left, height over the eyes, half width, half height,
    exponent of the superellipse, taper (how much wider at the top), tilt (radians, up to the left)."""
    front: Front
    """Rims, bridge and hinges as the photo shows them."""
    evidence: float
    """How far the rims stand out: 0 not at all, 1 clearly."""


def find_glasses(model: HeadModel, fitted: HeadFit, face: FaceObservation, segments: Segments) -> Glasses | None:
    """The glasses this face wears, or None."""
    if segments.of("glasses").max() < _LIKELY:
        return None
    surface = place_on_frame(model, fitted.neutral, frame_grid())
    height, width = surface.shape[:2]
    photo_px = fitted.camera.project(surface.reshape(-1, 3).astype(np.float32)).reshape(height, width, 2)
    flat = look(face.photo.pixels, photo_px).astype(np.float32)
    crop = segments.crop_from_photo
    crop_px = (photo_px @ crop[:, :2].T + crop[:, 2]).astype(np.float32)
    seen, behind = (look(segments.of(kind), crop_px) for kind in ("glasses", "background"))
    evidence = _rim_evidence(flat, seen)
    shape, score = _best_outline(evidence)
    if score < _WORN:
        return None
    guesses = outlines(np.stack([shape, shape + _TALLER, _bare_lenses(shape, seen)]), points=_FINE)
    front = trace_front(flat, seen, behind, guesses[:2], guesses[2])
    return Glasses(shape, front, score) if front.bridge_sure > _HELD or score > _PLAIN else None


def outlines(
    shapes: Float64[np.ndarray, "C 8"], *, beyond_m: float = 0.0, points: int = _OUTLINE_POINTS
) -> Float64[np.ndarray, "C 2 P 2"]:
    """Both lens outlines (left, right) of pairs of glasses, `beyond_m` outside their rims."""
    apart, aside, high, wide, tall, power, taper, tilt = shapes.T[..., None]
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    cosine, sine = np.cos(angle), np.sin(angle)
    y = (tall + beyond_m) * np.sign(sine) * np.abs(sine) ** (2 / power)
    x = (wide + beyond_m) * np.sign(cosine) * np.abs(cosine) ** (2 / power) * (1 + taper * y / tall)
    left, right = (aside + side * (apart + x) for side in (1, -1))
    return np.stack([np.stack([to, high + y + tilt * to], axis=-1) for to in (left, right)], axis=1)


def _bare_lenses(shape: Float64[np.ndarray, "8"], seen: Float32[np.ndarray, "H W"]) -> Float64[np.ndarray, "8"]:
    """Lenses of usual size and shape where the net saw what holds them: of lenses without rims little else is sure."""
    bar = float((frame_grid()[..., 1] * seen**2).sum() / (seen**2).sum())
    return np.concatenate([_BARE[:1], shape[1:2], [bar + _BARE[1]], _BARE[2:], shape[-1:]])


def _rim_evidence(flat: Float32[np.ndarray, "H W 3"], seen: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """0 to 1: the net's probability, sharpened by lines of the picture near it."""
    light = np.log(flat.mean(-1) / 255 + 0.05)
    fine, coarse = (cv2.GaussianBlur(light, (0, 0), sigma) for sigma in _LINE_PX)
    line = np.minimum(np.abs(fine - coarse) / _CLEAR_LINE, 1)
    near = cv2.dilate(seen, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_NEAR_PX, _NEAR_PX)))
    return np.asarray(0.3 * seen + 0.7 * line * cv2.GaussianBlur(near, (0, 0), 3), np.float32)


def _score(evidence: Float32[np.ndarray, "H W"], shapes: Float64[np.ndarray, "C 8"]) -> Float64[np.ndarray, "C"]:
    """How far the evidence on each outline exceeds that beside it."""
    places = np.concatenate([outlines(shapes, beyond_m=beyond_m) for beyond_m in (0, _BESIDE_M, -_BESIDE_M)])
    at = in_picture(places).reshape(len(places), 2 * _OUTLINE_POINTS, 2).astype(np.float32)
    seen = cv2.remap(evidence, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    on, outside, inside = seen.mean(1, dtype=float).reshape(3, len(shapes))
    return on - 0.5 * (outside + inside)


def _best_outline(evidence: Float32[np.ndarray, "H W"]) -> tuple[Float64[np.ndarray, "8"], float]:
    """The pair of outlines that lies on the evidence, and how well."""
    first = np.stack(np.meshgrid(*_FIRST, indexing="ij"), axis=-1).reshape(-1, 4)
    gap = first[:, 0] - first[:, 2]
    first = first[(gap > _GAP_M[0]) & (gap < _GAP_M[1])]
    shapes = np.stack([first[:, 0], 0 * first[:, 0], first[:, 1], first[:, 2], first[:, 3],
                       np.full(len(first), 2.8), np.full(len(first), 0.05), 0 * first[:, 0]], axis=1)  # fmt: skip
    scores = _score(evidence, shapes)
    if scores.max() < _PROMISING:
        return shapes[0], 0.0
    begun = shapes[np.argsort(-scores, kind="stable")[::_EVERY][:_BEGINNINGS]]
    refined = [_refine(evidence, shape) for shape in begun]
    return max(refined, key=lambda found: found[1])


def _refine(
    evidence: Float32[np.ndarray, "H W"], best: Float64[np.ndarray, "8"]
) -> tuple[Float64[np.ndarray, "8"], float]:
    """Coordinate descent from one pair of outlines."""
    score = float(_score(evidence, best[None])[0])
    moves = _MOVES
    for _ in range(_ROUNDS):
        for move in moves:
            tried = np.clip(best + np.array([-1, -0.5, 0.5, 1])[:, None] * move, _LOW, _HIGH)
            scores = _score(evidence, tried)
            if scores.max() > score:
                best, score = tried[np.argmax(scores)], float(scores.max())
        moves = moves * 0.75
    return best, score
