"""Which glasses does this face wear: a pair of lens outlines, found where the net and the picture both see a rim.

photo --laid on the surface where frames sit--> picture in millimetres
      segments' glasses, thin lines near them --> evidence of a rim --> best outline of a few hundred --> refined --> Glasses
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.core.segments import Segments

# The surface glasses lie on: before the cornea, leaning out at the top, wrapped around the face (usual fitting values:
# vertex distance 12 mm, pantoscopic angle 8 degrees, base curve 4: metres, radians).
_VERTEX_M: Final = 0.012
_PANTOSCOPIC: Final = np.radians(8.0)
_WRAP_RADIUS_M: Final = 0.13
# The picture of that surface: half its size and its pixel (metres).
_HALF_WIDTH_M: Final = 0.078
_HALF_HEIGHT_M: Final = 0.036
_PIXEL_M: Final = 0.0004
# A rim is a line about so wide (blurs, in pixels), and so much darker or brighter than what lies beside it (log).
_LINE_PX: Final = (1.2, 6.0)
_CLEAR_LINE: Final = 0.25
# The net's plane is as coarse as 1.5 mm: lines count so far around it (pixels).
_NEAR_PX: Final = 13
_OUTLINE_POINTS: Final = 48
# What lies beside a rim is looked at this far from it (metres).
_BESIDE_M: Final = 0.0035
# First guesses: half the distance between lenses, height over the eyes, half width, half height (metres).
_FIRST: Final = (
    np.array([0.031, 0.034]), np.linspace(-0.009, 0.003, 7), np.linspace(0.021, 0.029, 5), np.linspace(0.012, 0.024, 7)
)  # fmt: skip
# Coordinate descent: first steps for apart, aside, high, half width, half height, squareness, taper; and its rounds.
_STEPS: Final = (0.002, 0.001, 0.0015, 0.0015, 0.0015, 0.6, 0.08)
_ROUNDS: Final = 7
# Descents begin from so many of the best guesses, of which neighbours are much the same.
_BEGINNINGS, _EVERY = 8, 4
_LOW: Final = np.array([0.028, -0.004, -0.014, 0.018, 0.010, 2.0, -0.1])
_HIGH: Final = np.array([0.038, 0.004, 0.006, 0.031, 0.027, 6.0, 0.3])
# How far beside a rim its profile is read (pixels), and how thick it may be (metres).
_PROFILE: Final = 10
_THICKNESS_M: Final = (0.0012, 0.005)
# A pair is worn when its rims stand out this far. Of 94 portraits, 17 with glasses, see decision 0018.
_WORN: Final = 0.07


@dataclass(frozen=True, eq=False)
class Glasses:
    """A pair of glasses as one face wears it; metres, in the plane of the frame, x to the person's left, y up."""

    shape: Float64[np.ndarray, "7"]
    """Half the distance between the lenses' middles, offset to the left, height over the eyes, half width, half height,
    exponent of the superellipse, taper (how much wider at the top)."""
    thickness_m: float
    """Of the rim."""
    colour: Float32[np.ndarray, "3"]
    """Of the frame, linear RGB."""
    evidence: float
    """How far the rims stand out: 0 not at all, 1 clearly."""


def find_glasses(model: HeadModel, fitted: HeadFit, face: FaceObservation, segments: Segments) -> Glasses | None:
    """The glasses this face wears, or None."""
    surface = place_on_frame(model, fitted.neutral, _grid())
    height, width = surface.shape[:2]
    photo_px = fitted.camera.project(surface.reshape(-1, 3).astype(np.float32)).reshape(height, width, 2)
    flat = _look(face.photo.pixels, photo_px).astype(np.float32)
    crop = segments.crop_from_photo
    seen = _look(segments.of("glasses"), (photo_px @ crop[:, :2].T + crop[:, 2]).astype(np.float32))
    evidence = _rim_evidence(flat, seen)
    shape, score = _best_outline(evidence)
    if score < _WORN:
        return None
    thickness, colour = _rim(flat, evidence, shape)
    return Glasses(shape=shape, thickness_m=thickness, colour=colour, evidence=score)


def place_on_frame(
    model: HeadModel, vertices: Float32[np.ndarray, "V 3"], flat: Float64[np.ndarray, "*S 2"]
) -> Float64[np.ndarray, "*S 3"]:
    """Points of the frame's plane (metres) on the curved surface before this head's eyes."""
    eyes = (model.joint_regressor @ vertices)[[model.joint_names.index(name) for name in ("leftEye", "rightEye")]]
    balls = np.unique(model.triangles[np.concatenate([model.part("eyeLeft"), model.part("eyeRight")])])
    front = float(vertices[balls, 2].max()) + _VERTEX_M
    x, y = flat[..., 0], flat[..., 1]
    depth = front + y * np.tan(_PANTOSCOPIC) - x**2 / (2 * _WRAP_RADIUS_M)
    middle = eyes.mean(0)
    return np.stack([middle[0] + x, middle[1] + y, depth], axis=-1)


def outlines(shapes: Float64[np.ndarray, "C 7"], *, beyond_m: float = 0.0) -> Float64[np.ndarray, "C 2 P 2"]:
    """Both lens outlines (left, right) of pairs of glasses, `beyond_m` outside their rims."""
    apart, aside, high, wide, tall, power, taper = shapes.T[..., None]
    angle = np.linspace(0, 2 * np.pi, _OUTLINE_POINTS, endpoint=False)
    cosine, sine = np.cos(angle), np.sin(angle)
    y = (tall + beyond_m) * np.sign(sine) * np.abs(sine) ** (2 / power)
    x = (wide + beyond_m) * np.sign(cosine) * np.abs(cosine) ** (2 / power) * (1 + taper * y / tall)
    left = np.stack([aside + apart + x, high + y], axis=-1)
    right = np.stack([aside - apart - x, high + y], axis=-1)
    return np.stack([left, right], axis=1)


def _grid() -> Float64[np.ndarray, "H W 2"]:
    """Points of the frame's plane, row 0 at the top, column 0 at the person's right."""
    across = np.arange(-_HALF_WIDTH_M, _HALF_WIDTH_M, _PIXEL_M)
    down = np.arange(_HALF_HEIGHT_M, -_HALF_HEIGHT_M, -_PIXEL_M)
    return np.stack(np.meshgrid(across, down), axis=-1)


def _look(image: np.ndarray, at_px: Float32[np.ndarray, "H W 2"]) -> np.ndarray:
    """An image at places given with pixel centres at integer + 0.5."""
    at = at_px - np.float32(0.5)
    return cv2.remap(image, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _rim_evidence(flat: Float32[np.ndarray, "H W 3"], seen: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """0 to 1: the net's probability, sharpened by lines of the picture near it."""
    light = np.log(flat.mean(-1) / 255 + 0.05)
    fine, coarse = (cv2.GaussianBlur(light, (0, 0), sigma) for sigma in _LINE_PX)
    line = np.minimum(np.abs(fine - coarse) / _CLEAR_LINE, 1)
    near = cv2.dilate(seen, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_NEAR_PX, _NEAR_PX)))
    return np.asarray(0.3 * seen + 0.7 * line * cv2.GaussianBlur(near, (0, 0), 3), np.float32)


def _score(evidence: Float32[np.ndarray, "H W"], shapes: Float64[np.ndarray, "C 7"]) -> Float64[np.ndarray, "C"]:
    """How far the evidence on each outline exceeds that beside it."""

    def mean(beyond_m: float) -> Float64[np.ndarray, "C"]:
        places = outlines(shapes, beyond_m=beyond_m)
        x = (places[..., 0] + _HALF_WIDTH_M) / _PIXEL_M
        y = (_HALF_HEIGHT_M - places[..., 1]) / _PIXEL_M
        rows = (len(shapes), 2 * _OUTLINE_POINTS)
        at = [np.ascontiguousarray(axis.reshape(rows), np.float32) for axis in (x, y)]
        return cv2.remap(evidence, at[0], at[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT).mean(1, dtype=float)

    return mean(0) - 0.5 * (mean(_BESIDE_M) + mean(-_BESIDE_M))


def _best_outline(evidence: Float32[np.ndarray, "H W"]) -> tuple[Float64[np.ndarray, "7"], float]:
    """The pair of outlines that lies on the evidence, and how well."""
    first = np.stack(np.meshgrid(*_FIRST, indexing="ij"), axis=-1).reshape(-1, 4)
    shapes = np.stack([first[:, 0], 0 * first[:, 0], first[:, 1], first[:, 2], first[:, 3],
                       np.full(len(first), 2.8), np.full(len(first), 0.05)], axis=1)  # fmt: skip
    begun = shapes[np.argsort(-_score(evidence, shapes), kind="stable")[::_EVERY][:_BEGINNINGS]]
    refined = [_refine(evidence, shape) for shape in begun]
    return max(refined, key=lambda found: found[1])


def _refine(
    evidence: Float32[np.ndarray, "H W"], best: Float64[np.ndarray, "7"]
) -> tuple[Float64[np.ndarray, "7"], float]:
    """Coordinate descent from one pair of outlines."""
    score = float(_score(evidence, best[None])[0])
    steps = np.array(_STEPS)
    for _ in range(_ROUNDS):
        for axis in range(len(steps)):
            tried = np.repeat(best[None], 4, axis=0)
            tried[:, axis] += steps[axis] * np.array([-1, -0.5, 0.5, 1])
            tried = np.clip(tried, _LOW, _HIGH)
            scores = _score(evidence, tried)
            if scores.max() > score:
                best, score = tried[np.argmax(scores)], float(scores.max())
        steps = steps * 0.75
    return best, score


def _rim(
    flat: Float32[np.ndarray, "H W 3"], evidence: Float32[np.ndarray, "H W"], shape: Float64[np.ndarray, "7"]
) -> tuple[float, Float32[np.ndarray, "3"]]:
    """Thickness (metres) and colour (linear RGB) of the rims, where they are best seen."""
    beyond = np.arange(-_PROFILE, _PROFILE + 1) * _PIXEL_M
    places = np.concatenate([outlines(shape[None], beyond_m=offset) for offset in beyond])
    at = np.stack([(places[..., 0] + _HALF_WIDTH_M) / _PIXEL_M, (_HALF_HEIGHT_M - places[..., 1]) / _PIXEL_M], -1)
    rows = at.reshape(len(beyond), -1, 2).astype(np.float32)
    seen = cv2.remap(evidence, rows[..., 0], rows[..., 1], cv2.INTER_LINEAR)[_PROFILE]
    colours = cv2.remap(flat, rows[..., 0], rows[..., 1], cv2.INTER_LINEAR)[:, seen >= np.median(seen)]
    profile = np.median(colours, axis=1)
    beside = (profile[0] + profile[-1]) / 2
    apart = np.linalg.norm(profile - beside, axis=1)
    middle = _PROFILE + int(np.argmax(apart[_PROFILE - 2 : _PROFILE + 3])) - 2
    inside = apart > apart[middle] / 2
    ends = [np.flatnonzero(~side)[0] if (~side).any() else len(side) for side in (inside[middle:], inside[middle::-1])]
    thickness = float(np.clip((ends[0] + ends[1] - 1) * _PIXEL_M, *_THICKNESS_M))
    near = colours[_PROFILE - 3 : _PROFILE + 4]
    clearest = np.argmax(np.linalg.norm(near - beside, axis=2), axis=0)  # a rim may lie a pixel beside its outline
    colour = np.median(near[clearest, np.arange(near.shape[1])], axis=0)
    return thickness, ((colour / 255) ** 2.2).astype(np.float32)
