"""The shell that carries hair: meridians over the skull from the crown to the hairline, and a curtain where hair hangs."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy.ndimage import gaussian_filter1d  # pyright: ignore[reportUnknownVariableType]

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.hair.curtain import OFF_M, behind_front, drop_curtain, outermost
from avatar3d.hair.meridians import AZIMUTHS, MeridianSurface
from avatar3d.hair.scalp import Skull
from avatar3d.hair.style import HairStyle
from avatar3d.render.raycast import Scene

COLUMNS: Final = 52
_SCALP_ROWS: Final = 24
# The shell goes on below the hairline by this much, where strands end one by one (inter-ocular distances).
_FRINGE: Final = 0.10
RISES: Final = np.array([(0, 0.016), (50, 0.016), (72, 0.030), (105, 0.032), (120, 0.080), (180, 0.080)])
"""Hair that ends on the skin rises to its full lift over so long a way from its line: azimuth from the front (degrees),
metres. At the sides and the nape it is cut to lie closer and closer."""
# Hair that hangs rises at once; none lies closer than this (metres).
_RISE_M: Final = 0.016
# High hair rises over a longer way: this share of its lift.
RISE_SHARE: Final = 0.5
_LEAST_M: Final = 0.0022
# Hair thinner than this share of dense hair lies flat.
_LIES: Final = 0.45
_CLOSEST_M: Final = 0.0005
_MOST_SUNK_M: Final = 0.004
# Where the curtain starts over the eyes (inter-ocular distances).
_CURTAIN_TOP: Final = 0.25
# Hair over the ears that ends there comes in by this share of its lift, over this length (metres).
_EAR_TUCK: Final = 0.6
_EAR_TUCK_M: Final = 0.016
_AROUND_EAR_DEG: Final = 9.0
# Lumps of hair: their length in straight and in coily hair, and their height (standard deviation), metres.
_LUMP_M: Final = (0.050, 0.024)
_LUMP_HIGH_M: Final = (0.0006, 0.0030)
_FULL_LUMPS_M: Final = 0.018
_WAVES: Final = 16
_SEED: Final = 2


@dataclass(frozen=True, eq=False)
class HairShell:
    """A grid: rows from the crown down, columns around from the back over the person's right, front and left."""

    points: Float32[np.ndarray, "R C 3"]
    """Metres. The last column repeats the first."""
    over_line: Float32[np.ndarray, "R C"]
    """Height over the hairline, inter-ocular distances; the curtain counts as inside."""
    curtain_from: int
    """First row of the curtain; R when there is none."""

    @property
    def normals(self) -> Float32[np.ndarray, "R C 3"]:
        """Unit, outward; the same on both sides of the seam behind and all around the crown."""
        points = self.points.astype(np.float64)
        corners = points.reshape(-1, 3)[self.triangles]
        face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals = np.zeros((points.shape[0] * points.shape[1], 3))
        for corner in range(3):
            for axis in range(3):
                normals[:, axis] += np.bincount(self.triangles[:, corner], face[:, axis], len(normals))
        normals = normals.reshape(points.shape)
        normals[:, 0] += normals[:, -1]
        normals[:, -1] = normals[:, 0]
        normals[0] = normals[0].sum(0)
        length = np.linalg.norm(normals, axis=-1, keepdims=True)
        return np.where(length > 1e-12, normals / np.maximum(length, 1e-20), [0.0, 1.0, 0.0]).astype(np.float32)

    @property
    def triangles(self) -> Int32[np.ndarray, "F 3"]:
        """Counter-clockwise from outside."""
        return grid_triangles(*self.over_line.shape)


def grid_triangles(rows: int, columns: int) -> Int32[np.ndarray, "F 3"]:
    """Two to a cell of a grid whose rows go down and whose columns go left around a head; counter-clockwise from outside."""
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]).astype(
        np.int32
    )


def sample_meridians(model: HeadModel, fitted: HeadFit, skull: Skull) -> MeridianSurface:
    """The bald skull along AZIMUTHS, every three degrees from the crown to below the ears."""
    polar = np.arange(3.0, 130.0, 3.0)
    directions = _directions(AZIMUTHS[:, None], polar[None])
    scene = Scene(fitted.neutral, model.triangles[model.part("face")])
    radius = _skull_radius(scene, skull, directions)
    points = (skull.middle + radius[..., None] * directions).astype(np.float32)
    towards = fitted.camera.position_m - points
    towards /= np.linalg.norm(towards, axis=-1, keepdims=True)
    return MeridianSurface(points, np.sum(directions * towards, axis=-1))


def build_shell(model: HeadModel, fitted: HeadFit, style: HairStyle) -> HairShell:
    """The grid of one hairstyle."""
    skull = style.skull
    scene = Scene(fitted.neutral, model.triangles[model.part("face")])
    azimuth = np.linspace(-180, 180, COLUMNS + 1)
    hangs = style.hang is not None
    end = style.line(azimuth) - _FRINGE
    # How far inside its front edge hair hangs at each column, degrees.
    behind = np.zeros(len(azimuth)) if style.hang is None else behind_front(style.hang, azimuth)
    if hangs:
        end = np.where(behind > 0, np.maximum(end, _CURTAIN_TOP), end)
    # The polar angle at which each meridian comes down to its end height.
    polar = np.arange(2.0, 150.0, 2.0)
    fine = _directions(azimuth[:, None], polar[None])
    radius = _skull_radius(scene, skull, fine)
    height = skull.height((skull.middle + radius[..., None] * fine).reshape(-1, 3)).reshape(radius.shape)
    below = height < end[:, None]
    last = np.where(below.any(1), np.argmax(below, axis=1), len(polar) - 1)
    stop = polar[last]
    stop[-1] = stop[0]
    rows = np.linspace(0.02, 1, _SCALP_ROWS)[:, None] * stop[None]
    directions = _directions(np.broadcast_to(azimuth, rows.shape), rows)
    radius = np.stack([np.interp(rows[:, c], polar, radius[c]) for c in range(len(azimuth))], axis=1)
    skin = skull.middle + radius[..., None] * directions
    over = skull.height(skin.reshape(-1, 3)).reshape(rows.shape) - style.line(azimuth)
    lift = style.lift(directions.reshape(-1, 3)).reshape(rows.shape)
    # Toward a bald crown hair lies down, and flat where its mesh ends.
    dense = np.interp(skull.height(skin.reshape(-1, 3)), np.linspace(-1, 3, 40), style.density).reshape(rows.shape)
    lift *= dense
    stands = np.clip((dense - _LIES) / (1 - _LIES), 0, 1)
    inside = np.maximum(over, 0) * skull.iod_m
    slow = np.full(len(azimuth), _RISE_M) if hangs else np.interp(np.abs(azimuth), *RISES.T)
    rise = 1 - np.exp(-inside / np.maximum(slow, RISE_SHARE * lift))
    if hangs:
        back = np.clip(behind / 30, 0, 1)
        rise = np.maximum(rise, back[None])
        over = np.maximum(over, np.where(back > 0, back, -1.0)[None])
    if hangs or style.ears > 0:
        # Hair that hangs lies over the ears.
        ear = _ear_height(scene, skull, azimuth, rows)
        over_ears = np.where(ear > 0.002, ear + OFF_M, 0)
        lift = np.maximum(lift, over_ears)
        tucked = 0.9 * (1 - (0.0 if hangs else _EAR_TUCK) * np.exp(-inside / _EAR_TUCK_M))
        rise = np.where(over_ears > 0, np.maximum(rise, tucked), rise)
    lift = _soft(np.maximum(lift, 0.003) * stands, 1.0, around=1) * rise + _LEAST_M * (0.4 + 0.6 * rise * stands)
    points = skin + lift[..., None] * directions
    points += (_lumps(skin, style.curl) * rise * np.minimum(1, lift / _FULL_LUMPS_M))[..., None] * directions
    points = push_out(scene, skull, points.reshape(-1, 3)).reshape(points.shape)
    points[0] = points[0].mean(0)
    points[:, -1] = points[:, 0]
    if style.hang is None:
        return HairShell(points.astype(np.float32), over.astype(np.float32), _SCALP_ROWS)
    points = drop_curtain(scene, skull, style.hang, azimuth, points)
    below = np.where(behind > 0, 1.0, over[-1])[None].repeat(len(points) - _SCALP_ROWS, 0)
    return HairShell(points.astype(np.float32), np.concatenate([over, below]).astype(np.float32), _SCALP_ROWS)


def _lumps(points: Float64[np.ndarray, "R C 3"], curl: float) -> Float64[np.ndarray, "R C"]:
    """Bumps of locks and curls, metres along the outward direction: waves through space, so that nothing shows the grid."""
    rng = np.random.default_rng(_SEED)
    ways = rng.standard_normal((_WAVES, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    length = (1 - curl) * _LUMP_M[0] + curl * _LUMP_M[1]
    high = (1 - curl) * _LUMP_HIGH_M[0] + curl * _LUMP_HIGH_M[1]
    phase = points @ (2 * np.pi / length * ways).T + 2 * np.pi * rng.random(_WAVES)
    return high * np.sqrt(2 / _WAVES) * np.sin(phase).sum(-1)


def push_out(scene: Scene, skull: Skull, points: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N 3"]:
    """Points a little below the skin (the smoothed skull dips there) are lifted out of it."""
    sunk = sunk_below(scene, skull, points)
    away = points - skull.middle
    directions = away / np.linalg.norm(away, axis=1, keepdims=True)
    return points + np.where(sunk < _MOST_SUNK_M, np.maximum(sunk, 0), 0)[:, None] * directions


def sunk_below(scene: Scene, skull: Skull, points: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N"]:
    """How far points lie below where hair may lie closest to the skin, metres; negative above."""
    away = points - skull.middle
    length = np.linalg.norm(away, axis=1)
    directions = (away / length[:, None]).astype(np.float32)
    hits = scene.cast(np.broadcast_to(skull.middle, away.shape).astype(np.float32), directions)
    return np.where(hits.triangle >= 0, hits.distance + _CLOSEST_M - length, -1.0)


def _ear_height(
    scene: Scene, skull: Skull, azimuth: Float64[np.ndarray, "C"], polar: Float64[np.ndarray, "R C"]
) -> Float64[np.ndarray, "R C"]:
    """How far the ears stand off the skull around each grid point, metres; looked for between the grid's lines too."""
    fine_polar = np.arange(60.0, 125.0, 1.5)
    fine_azimuth = np.concatenate([side * np.arange(68.0, 128.0, 1.5) for side in (-1, 1)])
    directions = _directions(fine_azimuth[:, None], fine_polar[None])
    flat = directions.reshape(-1, 3)
    outer = outermost(scene, np.broadcast_to(skull.middle, flat.shape).astype(np.float64), flat)
    off = np.maximum(outer.reshape(directions.shape[:2]) - _skull_radius(scene, skull, directions), 0)
    grid = _directions(np.broadcast_to(azimuth, polar.shape), polar).reshape(-1, 3)
    near = grid @ flat.T > np.cos(np.radians(_AROUND_EAR_DEG))
    height = np.where(near, off.ravel()[None], 0).max(1).reshape(polar.shape)
    return _soft(height, 0.6, around=1)


def _skull_radius(scene: Scene, skull: Skull, directions: Float64[np.ndarray, "A P 3"]) -> Float64[np.ndarray, "A P"]:
    """Distance from the skull's middle to the first skin outward: through the ear to its root, not to its rim."""
    flat = directions.reshape(-1, 3).astype(np.float32)
    origins = np.broadcast_to(skull.middle.astype(np.float32), flat.shape)
    hits = scene.cast(np.ascontiguousarray(origins), np.ascontiguousarray(flat))
    radius = np.where(hits.triangle >= 0, hits.distance, 1.4 * skull.iod_m).reshape(directions.shape[:2])
    return _soft(radius.astype(np.float64), 0.8, around=0)


def _soft(field: Float64[np.ndarray, "R C"], sigma: float, *, around: int) -> Float64[np.ndarray, "R C"]:
    """Gaussian smoothing; axis `around` closes on itself."""
    return gaussian_filter1d(
        gaussian_filter1d(field, sigma, axis=1 - around, mode="nearest"), sigma, axis=around, mode="wrap"
    )


def _directions(
    azimuth_deg: Float64[np.ndarray, "..."], polar_deg: Float64[np.ndarray, "..."]
) -> Float64[np.ndarray, "... 3"]:
    azimuth, polar = np.broadcast_arrays(np.radians(azimuth_deg), np.radians(polar_deg))
    return np.stack([np.sin(polar) * np.sin(azimuth), np.cos(polar), np.sin(polar) * np.cos(azimuth)], axis=-1)
