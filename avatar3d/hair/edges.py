"""Where hair ends: on the skin, where it thins out, and in the air, strand by strand."""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.hair.hang import Hang
from avatar3d.hair.scalp import usual_hairline
from avatar3d.hair.shell import RISE_SHARE, RISES, HairShell
from avatar3d.hair.style import HairStyle
from avatar3d.hair.texels import FINE, SIZE, ramp

# Strands end over this length around the hairline (inter-ocular distances).
_SOFT_LINE: Final = 0.11
TAPER: Final = np.array(
    [(0, 0.06, 0.12), (45, 0.08, 0.16), (60, 0.12, 0.24), (75, 0.24, 0.18), (84, 0.20, 0.18), (95, 0.06, 0.26), (112, 0.10, 0.34),
     (130, 0.26, 0.48), (180, 0.30, 0.52)]
)  # fmt: skip
"""Hair that grows out of the skin thins out from so far inside its line to so far outside it: azimuth from the front
(degrees), outside, inside (inter-ocular distances). Forehead, temple, sideburn, over the ear, nape; by eye on short
haircuts. Its mesh ends at the inside, over a part of that length."""
_MESH_ENDS: Final = 0.6
# Hair lies close to the skin up to so far off it (metres).
_CLOSE_M: Final = 0.0025
# Where the photo shows where hair ends, so it thins out within so many texels (across, down).
_DRAWN_IN_PX: Final = (2.5, 8.0)
# How far strands end apart, as a share of that length.
_RAGGED: Final = 0.45
FRINGE_FROM: Final = 0.12
"""A hairline this much below the usual one (inter-ocular distances) is a fringe's."""
# So far around begin the temples, where short hair never ends in the air.
_TEMPLES_DEG: Final = (38.0, 48.0)
# How far around hanging hair falls back from its front edge to its ends, degrees.
_FALLS_BACK_DEG: Final = 9.0
# Part of the picture's height over which hanging hair ends.
_ENDS: Final = 0.05


def cut_edges(
    over_line: Float32[np.ndarray, "T T"],
    style: HairStyle,
    presence: Float32[np.ndarray, "T T"],
    strands: Float32[np.ndarray, "T T"],
) -> Float32[np.ndarray, "T T"]:
    """Opaque hair, ending strand by strand at the hairline and wherever its probability falls.

    Hair that grows out of the skin there thins out within the line, where the skin's own picture goes on with it.
    """
    size = len(strands)
    rooted = grows_out(style, size)
    azimuth = np.abs(np.linspace(-180, 180, size))
    inner = rooted * np.minimum(np.interp(azimuth, TAPER[:, 0], TAPER[:, 2]), _still_close(style, size))
    soft = np.clip(0.5 + (over_line - inner) / (_SOFT_LINE + _MESH_ENDS * inner), 0, 1)
    firm = ramp(presence, 0.25, 0.75)
    across, down = size / SIZE * np.array(_DRAWN_IN_PX)
    drawn_in = ramp(cv2.GaussianBlur(firm, (0, 0), sigmaX=across, sigmaY=down), 0.5, 1)
    inside = np.minimum(soft, firm + rooted * (np.minimum(firm, drawn_in) - firm))
    locks = cv2.GaussianBlur(strands, (0, 0), sigmaX=1.0, sigmaY=6)
    inside = inside + _RAGGED * locks / locks.std() * (1 - np.abs(2 * inside - 1))
    return np.clip(0.5 + 2.2 * (inside - 0.5), 0, 1).astype(np.float32)


def grows_out(style: HairStyle, size: int = SIZE) -> Float32[np.ndarray, "S"]:
    """1 where hair at its line grows out of the skin, 0 where a fringe or hanging hair ends in the air; around."""
    azimuth = np.linspace(-180, 180, size)
    if style.hang is not None or style.ears > 0:
        return np.zeros(size, np.float32)
    below = usual_hairline(azimuth) - style.line(azimuth)
    fringe = ramp(below, 0.5 * FRINGE_FROM, FRINGE_FROM) * (1 - ramp(np.abs(azimuth), *_TEMPLES_DEG))
    return (1 - fringe).astype(np.float32)


def _still_close(style: HairStyle, size: int) -> Float64[np.ndarray, "S"]:
    """How far inside its line hair still lies so close to the skin that nobody looks under its edge; around."""
    azimuth = np.abs(np.linspace(-180, 180, size))
    around = np.radians(np.minimum(azimuth, 90)) * np.sign(np.linspace(-180, 180, size))
    at_ears = style.lift(np.stack([np.sin(around), np.zeros(size), np.cos(around)], axis=1))
    lift = np.maximum(np.maximum(np.percentile(style.lift_m, 70), at_ears), 1.01 * _CLOSE_M)
    rise = np.maximum(np.interp(azimuth, *RISES.T), RISE_SHARE * lift)
    return -rise * np.log(1 - _CLOSE_M / lift) / style.skull.iod_m


def cut_ends(strands: Float32[np.ndarray, "T T"]) -> Float32[np.ndarray, "T T"]:
    """Hanging hair thins out over the last rows, strand by strand."""
    left = (FINE - np.arange(FINE, dtype=np.float32))[:, None] / (_ENDS * FINE)
    locks = cv2.GaussianBlur(strands, (0, 0), sigmaX=1.0, sigmaY=8)
    ends = np.clip(0.5 + 2 * (left - 0.8 - 0.35 * locks / locks.std()), 0, 1).astype(np.float32)
    return np.minimum.accumulate(ends, axis=0)  # what has ended does not begin again


def cut_front(
    strands: Float32[np.ndarray, "T T"], shell: HairShell, hang: Hang, heights: Float64[np.ndarray, "T T"]
) -> Float32[np.ndarray, "T T"]:
    """Beside the face hanging hair ends where the photo shows it, in waves; `heights` are the texels' over the eyes."""
    start = shell.curtain_from / len(shell.over_line)
    down = (((np.arange(FINE) + 0.5) / FINE - start) / (1 - start))[:, None]
    azimuth = np.linspace(-180, 180, FINE)[None]
    t = np.clip(down, 0, 1)
    wave = np.sin(9 * t + 1.3 * np.sign(azimuth)) + 0.6 * np.sin(23 * t - np.sign(azimuth))
    front = np.where(azimuth > 0, hang.front(True, heights), hang.front(False, heights))
    edge = front + _FALLS_BACK_DEG * t**1.5 + np.minimum(1, 5 * t) * 1.8 * wave
    inside = 0.5 + (np.abs(azimuth) - edge) / 5 + 0.3 * cv2.GaussianBlur(strands, (0, 0), sigmaX=1.0, sigmaY=8)
    return np.where(down > 0, np.clip(inside, 0, 1), 1).astype(np.float32)
