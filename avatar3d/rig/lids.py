"""Lids that meet: eyeBlink closes the eye of this very head, from wherever its lids rest, outside its eyeball.

    silhouette of the lids as the eyeball sees them (on the mean head, once) --> upper and lower margin
    blink on this head --> gap between the margins per column --> both moved onto one closing line --> spread over the lids

Angles are seen from the eyeball's centre: azimuth around +Y (0 ahead, positive to +X), elevation above the horizon.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel
from avatar3d.rig.spread import Spread, plan_spread

# How far from the eyeball's centre its lid margin can be, in radii (skin further out is cheek or brow).
_NEAR_RADII: Final = 1.9
# How far a correction of the margin is felt over the skin (metres).
_REACH_M: Final = 0.012
# The lower lid's part of the way when the lids meet: the upper one does most of it.
_LOWER_SHARE: Final = 0.2
# The margins pass each other by this much, so that no light shows between two polylines (metres).
_OVERLAP_M: Final = 0.0002
# Least distance of the margins from the eyeball, closed and half closed (metres).
_CLEARANCE_M: Final = 0.0003


@dataclass(frozen=True, eq=False)
class LidMargins:
    """The margin of one eye's lids on a model."""

    shape: int
    """Index of this eye's blink."""
    joint: int
    ball: Int32[np.ndarray, "B"]
    """The eyeball's vertices."""
    upper: Int32[np.ndarray, "U"]
    lower: Int32[np.ndarray, "L"]
    """From the person's right to the left."""
    spread: Spread
    """Handles: upper, then lower."""


def close_lids(
    model: HeadModel, neutral: Float32[np.ndarray, "V 3"], shapes: Float32[np.ndarray, "52 V 3"]
) -> Float32[np.ndarray, "52 V 3"]:
    """The shapes with both blinks corrected so that weight 1 closes this head's lids (metres)."""
    mended = shapes.copy()
    centres = model.joint_regressor @ neutral
    for lids in find_lid_margins(model):
        margin = np.concatenate([lids.upper, lids.lower])
        centre = centres[lids.joint]
        closed = (neutral + shapes[lids.shape])[margin] - centre
        met = _meet(closed, len(lids.upper))
        met = _clear_of_ball(neutral[margin] - centre, met, _ball_radius(neutral[lids.ball] - centre))
        mended[lids.shape] = lids.spread.apply(mended[lids.shape], (met - closed).astype(np.float32))
    return mended


def lid_gap(
    model: HeadModel, vertices: Float32[np.ndarray, "V 3"], *, columns: int = 60
) -> Float64[np.ndarray, "2 C"]:
    """Opening between the lid margins (metres, negative when they overlap): left eye, right eye; per column."""
    centres = model.joint_regressor @ vertices
    gaps: list[Float64[np.ndarray, "C"]] = []
    for lids in find_lid_margins(model):
        upper, lower = (_angles(vertices[side] - centres[lids.joint]) for side in (lids.upper, lids.lower))
        at = _shared_columns(upper[:, 0], lower[:, 0], columns)
        gaps.append((_curve(upper, at) - _curve(lower, at)) * float(np.median(upper[:, 2])))
    return np.stack(gaps)


def _meet(closed: Float32[np.ndarray, "M 3"], upper_count: int) -> Float64[np.ndarray, "M 3"]:
    """The margins (relative to the eye) moved onto one line, both at the same distance from the eye."""
    angles = _angles(closed)
    upper, lower = angles[:upper_count], angles[upper_count:]
    at = _shared_columns(upper[:, 0], lower[:, 0], 48)
    high, low = _curve(upper, at), _curve(lower, at)
    line = _smooth(low + _LOWER_SHARE * (high - low))
    radius = _smooth((_curve(upper, at, 2) + _curve(lower, at, 2)) / 2)
    met = angles.copy()
    for side, sign in ((slice(0, upper_count), -1.0), (slice(upper_count, None), 1.0)):
        azimuth = angles[side, 0]
        goal = np.interp(azimuth, at, line)
        goal_radius = np.interp(azimuth, at, radius)
        # Beyond the shared columns (the very corners) the margins already touch: fade the correction out.
        inside = np.clip(1 - np.maximum(at[0] - azimuth, azimuth - at[-1]) / np.radians(6), 0, 1)
        taper = np.clip(np.minimum(azimuth - at[0], at[-1] - azimuth) / np.radians(6), 0, 1)
        overlap = sign * 0.5 * _OVERLAP_M * taper / goal_radius
        met[side, 1] += inside * (goal + overlap - angles[side, 1])
        met[side, 2] += inside * 0.8 * (goal_radius - angles[side, 2])
    return _points(met)


def _clear_of_ball(
    opened: Float32[np.ndarray, "M 3"], closed: Float64[np.ndarray, "M 3"], radius: float
) -> Float64[np.ndarray, "M 3"]:
    """The closed margin pushed outward until neither it nor the straight way to it enters the eyeball."""
    least = radius + _CLEARANCE_M
    length = np.linalg.norm(closed, axis=1, keepdims=True)
    out = closed * np.maximum(1, least / length)
    for weight in (0.5, 0.75):
        way = (1 - weight) * opened + weight * out
        short = np.maximum(least - _CLEARANCE_M / 2 - np.linalg.norm(way, axis=1, keepdims=True), 0)
        out = out + short / weight * way / np.linalg.norm(way, axis=1, keepdims=True)
    return out


def _ball_radius(ball: Float32[np.ndarray, "B 3"]) -> float:
    """The sclera's radius: the median over the front half (the cornea's bulge is the lids' own business: they slide)."""
    return float(np.median(np.linalg.norm(ball[ball[:, 2] > 0], axis=1)))


def _angles(points: Float32[np.ndarray, "M 3"]) -> Float64[np.ndarray, "M 3"]:
    """Azimuth, elevation (radians), distance."""
    x, y, z = points.astype(np.float64).T
    return np.stack([np.arctan2(x, z), np.arctan2(y, np.hypot(x, z)), np.linalg.norm(points, axis=1)], axis=1)


def _points(angles: Float64[np.ndarray, "M 3"]) -> Float64[np.ndarray, "M 3"]:
    azimuth, elevation, radius = angles.T
    flat = radius * np.cos(elevation)
    return np.stack([flat * np.sin(azimuth), radius * np.sin(elevation), flat * np.cos(azimuth)], axis=1)


def _shared_columns(upper: Float64[np.ndarray, "U"], lower: Float64[np.ndarray, "L"], count: int) -> Float64[np.ndarray, "C"]:
    return np.linspace(max(upper.min(), lower.min()), min(upper.max(), lower.max()), count)


def _curve(
    margin: Float64[np.ndarray, "M 3"], azimuths: Float64[np.ndarray, "C"], column: int = 1
) -> Float64[np.ndarray, "C"]:
    order = np.argsort(margin[:, 0])
    return np.interp(azimuths, margin[order, 0], margin[order, column])


def _smooth(curve: Float64[np.ndarray, "C"], passes: int = 4) -> Float64[np.ndarray, "C"]:
    """Binomial smoothing with the ends kept."""
    smooth = curve.copy()
    for _ in range(passes):
        smooth[1:-1] = 0.25 * smooth[:-2] + 0.5 * smooth[1:-1] + 0.25 * smooth[2:]
    return smooth


@lru_cache(maxsize=2)
def find_lid_margins(model: HeadModel) -> tuple[LidMargins, LidMargins]:
    """Upper and lower lid margins of the left and the right eye, found on the mean head."""
    left, right = (_find(model, side) for side in ("Left", "Right"))
    return left, right


def _find(model: HeadModel, side: str) -> LidMargins:
    joint = model.joint_names.index(f"{side.lower()}Eye")
    centre = (model.joint_regressor @ model.rest)[joint]
    ball = np.unique(model.triangles[model.part(f"eye{side}")]).astype(np.int32)
    radius = _ball_radius(model.rest[ball] - centre)
    skin = model.triangles[model.part("face")]
    nearby = skin[(np.linalg.norm(model.rest[skin] - centre, axis=2) < _NEAR_RADII * radius).all(1)]
    edges = _silhouette(model.rest - centre, nearby)
    margin = _loop_around_gaze(model.rest - centre, edges)
    angles = _angles(model.rest[margin] - centre)
    right, left = np.argmin(angles[:, 0]), np.argmax(angles[:, 0])
    line = np.interp(angles[:, 0], angles[[right, left], 0], angles[[right, left], 1])
    order = np.argsort(angles[:, 0])
    is_upper: Bool[np.ndarray, "M"] = angles[:, 1] >= line
    upper, lower = (margin[order][chosen[order]].astype(np.int32) for chosen in (is_upper, ~is_upper))
    handles = np.concatenate([upper, lower])
    return LidMargins(
        shape=ARKIT_INDEX[f"eyeBlink{side}"],
        joint=joint,
        ball=ball,
        upper=upper,
        lower=lower,
        spread=plan_spread(model.rest, skin, handles, _REACH_M),
    )


def _silhouette(from_eye: Float32[np.ndarray, "V 3"], triangles: Int32[np.ndarray, "F 3"]) -> Int32[np.ndarray, "E 2"]:
    """Edges where the skin turns from facing outward to facing the eye, and open borders."""
    corners = from_eye[triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outward = np.sum(normal * corners.mean(1), axis=1) > 0
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, which = np.unique(edges, axis=0, return_inverse=True)
    which = which.ravel()
    seen = np.bincount(which, minlength=len(unique))
    facing_out = np.bincount(which, np.tile(outward, 3), minlength=len(unique))
    return unique[((seen == 2) & (facing_out == 1)) | ((seen == 1) & (facing_out == 1))].astype(np.int32)


def _loop_around_gaze(from_eye: Float32[np.ndarray, "V 3"], edges: Int32[np.ndarray, "E 2"]) -> Int32[np.ndarray, "M"]:
    """The vertices of the connected piece of silhouette that comes nearest to the gaze axis."""
    vertices, local = np.unique(edges, return_inverse=True)
    label = np.arange(len(vertices))
    pairs = local.reshape(-1, 2)
    while True:
        lowest = np.minimum(label[pairs[:, 0]], label[pairs[:, 1]])
        before = label.copy()
        np.minimum.at(label, pairs[:, 0], lowest)
        np.minimum.at(label, pairs[:, 1], lowest)
        if (label == before).all():
            break
    spot = from_eye[vertices]
    forward = spot[:, 2] / np.linalg.norm(spot, axis=1)
    return vertices[label == label[int(np.argmax(forward))]].astype(np.int32)
