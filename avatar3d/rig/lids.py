"""Lids that meet: eyeBlink closes the eye of this very head, from wherever its lids rest, outside its eyeball.

    silhouette of the lids as the eyeball sees them (on the mean head, once) --> upper and lower margin
    blink on this head --> gap between the margins per column --> both moved onto one closing line --> spread over the lids
    --> what would sink into the eyeball on its straight way, cornea included, is lifted off it

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
from avatar3d.rig.surface import smooth_normals

# How far from the eyeball's centre its lid margin can be, in radii (skin further out is cheek or brow).
_NEAR_RADII: Final = 1.9
# How far a correction of the margin is felt over the skin (metres).
_REACH_M: Final = 0.012
# The lower lid's part of the way when the lids meet: the upper one does most of it.
_LOWER_SHARE: Final = 0.2
# The margins pass each other by this much, so that no light shows between two polylines (metres).
_OVERLAP_M: Final = 0.0002
# Least distance of the lids from the eyeball, closed and on the way (metres): their triangles are chords of the ball.
_CLEARANCE_M: Final = 0.0005
# The eyeball draws back as the lids close, at most this far (metres): real ones do, by 1 to 2 mm
# (Evinger et al. 1984, "Blinking and associated eye movements"), and half-closed lids are chords that need the room.
_WITHDRAWAL_M: Final = 0.0012
# Where on the way the lids are checked, and how widely a lift spreads (metres).
_ON_THE_WAY: Final = (0.35, 0.5, 0.65, 0.8, 1.0)
_LIFT_WIDTH_M: Final = 0.0025
_STILL_M: Final = 1e-4


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
    lids: Int32[np.ndarray, "N"]
    """Rows of the spread's region in front of the eyeball."""
    near: Float32[np.ndarray, "N N"]
    """How a lift at one of them is shared by the others; 1 on the diagonal."""
    outer: Bool[np.ndarray, "N"]
    """Which of them are outer skin; the lids' inner sides are only taken along."""


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
        blink = lids.spread.apply(mended[lids.shape], (met - closed).astype(np.float32))
        mended[lids.shape] = _lift_off(lids, neutral - centre, blink)
    return mended


def lid_gap(model: HeadModel, vertices: Float32[np.ndarray, "V 3"], *, columns: int = 60) -> Float64[np.ndarray, "2 C"]:
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


def _lift_off(
    lids: LidMargins, neutral: Float32[np.ndarray, "V 3"], blink: Float32[np.ndarray, "V 3"]
) -> Float32[np.ndarray, "V 3"]:
    """The blink with its lids kept off the eyeball all the way; the ball gives way first. `neutral` from its centre."""
    surface = eyeball_profile(neutral[lids.ball])
    rows = lids.spread.region[lids.lids]
    start, way = neutral[rows].astype(np.float64), blink[rows].astype(np.float64)
    travels = np.linalg.norm(way, axis=1) > _STILL_M
    # Margins that touch the ball at rest may leave it gradually.
    touching = np.maximum(_depth(start, surface) + _CLEARANCE_M, 0)

    def shortage(withdrawal: float) -> Float64[np.ndarray, "N"]:
        short = np.zeros(len(rows))
        for weight in _ON_THE_WAY:
            at = start + weight * way + [0, 0, weight * withdrawal]
            short = np.maximum(short, (_depth(at, surface) + _CLEARANCE_M - (1 - weight) * touching) / weight)
        return np.where(travels & lids.outer, short, 0)

    withdrawal = float(np.clip(shortage(0.0).max(initial=0), 0, _WITHDRAWAL_M))
    lift = np.max(lids.near * shortage(withdrawal)[None, :], axis=1)
    outward = start + way  # from the eye's centre: the closing line stays a line
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    lifted = blink.copy()
    lifted[rows] += (lift[:, None] * outward * np.minimum(np.linalg.norm(way, axis=1) / 0.001, 1)[:, None]).astype(
        np.float32
    )
    lifted[lids.ball, 2] -= np.float32(withdrawal)
    return lifted


def eyeball_profile(ball: Float32[np.ndarray, "B 3"]) -> tuple[Float64[np.ndarray, "C"], Float64[np.ndarray, "C"]]:
    """The eyeball's radius over the angle from the gaze axis (radians): cornea and sclera."""
    radius = np.linalg.norm(ball.astype(np.float64), axis=1)
    angle = np.arccos(np.clip(ball[:, 2] / radius, -1, 1))
    steps = np.radians(np.arange(0, 121, 4.0))
    reach = [radius[np.abs(angle - step) < np.radians(5)].max(initial=0) for step in steps]
    return steps, np.maximum(reach, np.median(radius))


def _depth(
    points: Float64[np.ndarray, "N 3"], surface: tuple[Float64[np.ndarray, "C"], Float64[np.ndarray, "C"]]
) -> Float64[np.ndarray, "N"]:
    """How far inside the eyeball (metres, negative outside)."""
    radius = np.linalg.norm(points, axis=1)
    angle = np.arccos(np.clip(points[:, 2] / np.maximum(radius, 1e-9), -1, 1))
    return np.interp(angle, *surface) - radius


def _ball_radius(ball: Float32[np.ndarray, "B 3"]) -> float:
    """The sclera's radius: the median over the front half."""
    return float(np.median(np.linalg.norm(ball[ball[:, 2] > 0], axis=1)))


def _angles(points: Float32[np.ndarray, "M 3"]) -> Float64[np.ndarray, "M 3"]:
    """Azimuth, elevation (radians), distance."""
    x, y, z = points.astype(np.float64).T
    return np.stack([np.arctan2(x, z), np.arctan2(y, np.hypot(x, z)), np.linalg.norm(points, axis=1)], axis=1)


def _points(angles: Float64[np.ndarray, "M 3"]) -> Float64[np.ndarray, "M 3"]:
    azimuth, elevation, radius = angles.T
    flat = radius * np.cos(elevation)
    return np.stack([flat * np.sin(azimuth), radius * np.sin(elevation), flat * np.cos(azimuth)], axis=1)


def _shared_columns(
    upper: Float64[np.ndarray, "U"], lower: Float64[np.ndarray, "L"], count: int
) -> Float64[np.ndarray, "C"]:
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
    spread = plan_spread(model.rest, skin, handles, _REACH_M)
    around = model.rest[spread.region] - centre
    lids = np.flatnonzero((around[:, 2] > 0) & (np.linalg.norm(around, axis=1) < _NEAR_RADII * radius)).astype(np.int32)
    outward = np.sum(smooth_normals(model.rest, skin)[spread.region] * around, axis=1) / np.linalg.norm(around, axis=1)
    apart = np.linalg.norm(around[lids][:, None] - around[lids][None], axis=2)
    return LidMargins(
        shape=ARKIT_INDEX[f"eyeBlink{side}"],
        joint=joint,
        ball=ball,
        upper=upper,
        lower=lower,
        spread=spread,
        lids=lids,
        near=np.exp(-((apart / _LIFT_WIDTH_M) ** 2)).astype(np.float32),
        outer=(outward[lids] > 0.25) | (lids < len(handles)),
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
