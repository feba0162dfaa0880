"""What hangs below the scalp's hair: rows that fall outside neck and body, begin at a front edge and sway in waves."""

from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.hair.hang import LEVELS, WAVE_M, Hang
from avatar3d.hair.scalp import Skull
from avatar3d.render.raycast import Scene

_ROWS: Final = 18
OFF_M: Final = 0.006
"""How far hanging hair stays off neck, cheeks and ears."""
# Its mesh begins so far before its front edge (degrees); behind, where nobody looked, both sides are alike.
_FRONT_RAMP_DEG: Final = 8.0
_BEHIND_DEG: Final = 140.0
# Waves begin and are full at these heights (inter-ocular distances over the eyes); their sines around the head, of which
# neighbours sway together: number of periods, phase, amplitude in turns.
_WAVES_FROM: Final = (-0.2, -1.1)
_SWAYS: Final = ((3, 0.7, 0.25), (5, 2.0, 0.18), (9, 4.1, 0.12))
# The last part of hanging hair bends inward, by this share of its distance from the neck's axis.
_TUCK: Final = (0.75, 0.12)
# The body is felt for between the columns too; what stands out further than this is a shoulder, no ear (metres).
_BETWEEN_DEG: Final = (-5.0, -2.5, 0.0, 2.5, 5.0)
_SHOULDER_M: Final = 0.03


def behind_front(hang: Hang, azimuth: Float64[np.ndarray, "C"]) -> Float64[np.ndarray, "C"]:
    """Degrees behind where the mesh begins, a little before its front edge: its picture cuts the rest (edges.py)."""
    right, left = hang.front_deg.min(1)
    return np.abs(azimuth) - np.where(azimuth > 0, left, right) + _FRONT_RAMP_DEG


def drop_curtain(
    scene: Scene, skull: Skull, hang: Hang, azimuth: Float64[np.ndarray, "C"], scalp: Float64[np.ndarray, "R C 3"]
) -> Float64[np.ndarray, "Q C 3"]:
    """The scalp's rows and, below its last, those of hanging hair; where none hangs they fold onto that row."""
    top = scalp[-1]
    # Each side as long as it is seen; behind, where nobody looked, both alike.
    aside = np.sin(np.radians(azimuth)) * np.clip((_BEHIND_DEG - np.abs(azimuth)) / 40, 0, 1)
    level = hang.ends.mean() + 0.5 * (hang.ends[1] - hang.ends[0]) * aside
    wanted = skull.eyes[1] + np.minimum(level, 0) * skull.iod_m
    hanging = np.clip(behind_front(hang, azimuth) / _FRONT_RAMP_DEG, 0, 1)
    flat = np.stack([np.sin(np.radians(azimuth)), np.zeros_like(azimuth), np.cos(np.radians(azimuth))], axis=1)
    reach = np.hypot(top[:, 0], top[:, 2] - skull.middle[2])
    rows: list[Float64[np.ndarray, "C 3"]] = []
    out = reach.copy()
    for step in np.linspace(0, 1, _ROWS + 1)[1:]:
        y = top[:, 1] + step * (wanted - top[:, 1])
        axis = np.stack([np.zeros_like(y), y, np.full_like(y, skull.middle[2])], axis=1)
        body = np.max([outermost(scene, axis, _turned(flat, by)) for by in _BETWEEN_DEG], axis=0)
        # Hair falls as wide as the picture shows it, but stays outside the body.
        level = (y - skull.eyes[1]) / skull.iod_m
        fall = reach * np.interp(level, LEVELS[::-1], hang.outer[::-1])
        fall = fall * (1 - _TUCK[1] * np.clip((step - _TUCK[0]) / (1 - _TUCK[0]), 0, 1) ** 2)
        out = np.maximum(0.4 * out + 0.6 * fall, np.minimum(body + OFF_M, reach + _SHOULDER_M))
        row = axis + out[:, None] * flat
        rows.append(top + hanging[:, None] * (row - top))
    curtain = np.stack(rows)
    curtain[:, -1] = curtain[:, 0]
    return _waved(np.concatenate([scalp, curtain]), skull, hang.wave_m)


def _waved(points: Float64[np.ndarray, "R C 3"], skull: Skull, wave_m: float) -> Float64[np.ndarray, "R C 3"]:
    """Hanging hair swaying sideways and outward, in strands that go their own way."""
    flat = points.reshape(-1, 3)
    azimuth = np.radians(skull.azimuth(flat))
    own = sum(turns * np.sin(count * azimuth + at) for count, at, turns in _SWAYS)
    phase = 2 * np.pi * (flat[:, 1] / WAVE_M + own)
    grown = np.clip((skull.height(flat) - _WAVES_FROM[0]) / (_WAVES_FROM[1] - _WAVES_FROM[0]), 0, 1)
    side = np.stack([np.cos(azimuth), np.zeros_like(azimuth), -np.sin(azimuth)], axis=1)
    out = np.stack([np.sin(azimuth), np.zeros_like(azimuth), np.cos(azimuth)], axis=1)
    sway = np.sin(phase)[:, None] * side + 0.5 * (1 + np.cos(phase))[:, None] * out
    return points + (wave_m * grown[:, None] * sway).reshape(points.shape)


def _turned(flat: Float64[np.ndarray, "C 3"], by_deg: float) -> Float64[np.ndarray, "C 3"]:
    """Horizontal directions turned around the vertical."""
    c, s = np.cos(np.radians(by_deg)), np.sin(np.radians(by_deg))
    return np.stack([c * flat[:, 0] + s * flat[:, 2], flat[:, 1], -s * flat[:, 0] + c * flat[:, 2]], axis=1)


def outermost(
    scene: Scene, origins: Float64[np.ndarray, "N 3"], directions: Float64[np.ndarray, "N 3"]
) -> Float64[np.ndarray, "N"]:
    """Distance from points inside the body to its outermost skin; 0 where there is none."""
    far = 0.4
    hits = scene.cast((origins + far * directions).astype(np.float32), (-directions).astype(np.float32))
    return np.where(hits.triangle >= 0, far - hits.distance.astype(np.float64), 0.0)
