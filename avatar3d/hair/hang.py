"""Hair that hangs beside face and neck: how far down, how wide, how far around toward the face, in what waves."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d  # pyright: ignore[reportUnknownVariableType]

from avatar3d.core.head import HeadFit
from avatar3d.hair.meridians import AZIMUTHS, MeridianSurface
from avatar3d.hair.segment import OUTSIDE, PX_PER_IOD, HairPicture

LEVELS: Final = np.arange(-0.4, -3.6, -0.1)
"""Heights (inter-ocular distances over the eyes) at which hair beside the face counts as hanging."""
FRONT_LEVELS: Final = np.array([0.1, -0.3, -0.7])
"""Heights beside eye, cheek and mouth at which its front edge is told."""
# Mean width of hair beside the jaw that makes a long style: on the poorer side, on both together (same unit).
_LEAST_SIDE: Final = 0.05
_LEAST_SIDES: Final = 0.30
# Below this level and further aside than this (same unit) the neck's shadow ends and hair may lie on the body.
_ON_BODY: Final = (-1.6, 1.15)
# One side may hang so much further than the other (same unit), by the hair's brightness in the photo (0 to 255): dark lapels
# look like dark hair, none looks like blond.
_UNEVEN: Final = np.array([(70, 0.4), (100, 2.0)])
_SURE: Final = 0.5
_PURE: Final = 0.8
# The front edge lies between these azimuths; hair that leaves the cheeks bare begins behind what a camera before them sees.
_FRONT_DEG: Final = (30.0, 78.0)
_AROUND_LEVEL: Final = 0.2
# A meridian is covered when this share of it is.
_COVERED: Final = 0.5
# Waves are streaks that leave the way hair has around them: scales of both (pixels of the crop), what straight hair shows
# (radians; ten portraits: straight 0.09 to 0.16, waves 0.21 to 0.37), and how long one is (metres).
_STREAK_PX: Final = (2.0, 4.0, 22.0)
_STRAIGHT: Final = 0.16
WAVE_M: Final = 0.065
_MOST_WAVE_M: Final = 0.006
# Contrast of single streaks (scales in pixels; standard deviation of log brightness) from which they tell waves, and tell
# them wholly: 0.12 on a plain area with noise, 0.15 and more in hair.
_LOCAL_PX: Final = (1.5, 6.0)
_SHOWN: Final = (0.12, 0.15)
_FEW_PX: Final = 600


@dataclass(frozen=True, eq=False)
class Hang:
    """Hanging hair."""

    ends: Float64[np.ndarray, "2"]
    """Height to which it hangs on the person's right and left (inter-ocular distances over the eyes, negative)."""
    outer: Float64[np.ndarray, "L"]
    """Its half width relative to that at the ears, per LEVELS."""
    front_deg: Float64[np.ndarray, "2 F"]
    """How far around its edge toward the face lies, right and left, per FRONT_LEVELS."""
    wave_m: float
    """Amplitude of its waves."""

    def front(self, left: bool, height: Float64[np.ndarray, "*S"]) -> Float64[np.ndarray, "*S"]:
        """Azimuth of the front edge on one side, degrees from the front, at heights over the eyes."""
        return np.interp(height, FRONT_LEVELS[::-1], self.front_deg[int(left)][::-1])


def measure_hang(picture: HairPicture, fitted: HeadFit, surface: MeridianSurface) -> Hang | None:
    """What hangs beside face and neck; None when hair ends higher.

    Both sides hang or none does: what is seen on one side only is a shadow, a beard or a dark background.
    """
    skull = picture.skull
    wide, outer = np.zeros((2, len(LEVELS))), np.zeros((2, len(LEVELS)))
    over_body = np.zeros((2, len(LEVELS)))
    for row, side in enumerate((-1.0, 1.0)):
        across = skull.iod_m * np.arange(0.9, 2.3, 0.05) * side
        for column, level in enumerate(LEVELS):
            points = np.stack([across, np.full_like(across, skull.eyes[1] + level * skull.iod_m),
                               np.full_like(across, skull.middle[2] + 0.2 * skull.iod_m)], axis=1)  # fmt: skip
            at = fitted.camera.project(points.astype(np.float32))
            hair = picture.sample(at, picture.hair) > _SURE
            beyond = picture.sample(at, (picture.zone == OUTSIDE).astype(np.float32)) > 0.5
            # On shoulders and chest hair lies over the body.
            on_body = (level < _ON_BODY[0]) & (np.abs(across) > _ON_BODY[1] * skull.iod_m)
            wide[row, column] = 0.05 * (hair & beyond).sum()
            over_body[row, column] = 0.05 * (hair & (beyond | on_body)).sum()
            outer[row, column] = np.abs(across[hair]).max(initial=0)
    jaw = (LEVELS > -1.15) & (LEVELS < -0.45)
    at_jaw = np.sort(wide[:, jaw].mean(1))
    if at_jaw[0] < _LEAST_SIDE or at_jaw.sum() < _LEAST_SIDES:
        return None
    ends = np.array([_end_of_run(side) for side in wide])
    # On the body dark clothes look like hair: only what both sides show is believed.
    ends = np.minimum(ends, max(_end_of_run(side) for side in over_body))
    bright = float(picture.pixels[picture.hair > _PURE].mean()) if (picture.hair > _PURE).any() else 0.0
    ends = np.maximum(ends, ends.max() - np.interp(bright, *_UNEVEN.T))
    if min(ends) > -0.75:
        return None
    half = _width(outer)
    ratio = gaussian_filter1d(np.clip(half / max(half[:2].mean(), 1e-3), 0.7, 1.15), 2)
    # Hair drawn over one shoulder is as long as the hair behind the other.
    ends = np.minimum(ends, 0.5 * (ends + ends[::-1]))
    return Hang(ends, ratio, _front(picture, fitted, surface), _wave(picture, fitted, float(ends.min())))


def _width(outer: Float64[np.ndarray, "2 L"]) -> Float64[np.ndarray, "L"]:
    """Mean half width of the sides that show hair at a level; below the last it goes on as it was."""
    shown = (outer > 0).sum(0)
    half = outer.sum(0) / np.maximum(shown, 1)
    last = np.maximum.accumulate(np.where(shown > 0, np.arange(len(half)), 0))
    return half[last]


def _end_of_run(wide: Float64[np.ndarray, "L"]) -> float:
    """The level down to which hair is seen without a gap."""
    gap = np.convolve(wide < 0.15, np.ones(3), mode="valid") == 3
    end = int(np.argmax(gap)) - 1 if gap.any() else len(wide) - 1
    return float(LEVELS[max(end, 0)])


def _front(picture: HairPicture, fitted: HeadFit, surface: MeridianSurface) -> Float64[np.ndarray, "2 F"]:
    """The first meridian from the front that hair covers, per side and level; at a level that shows none, far around."""
    probability, visible = surface.seen(picture, fitted)
    height = picture.skull.height(surface.points.reshape(-1, 3)).reshape(probability.shape)
    front = np.full((2, len(FRONT_LEVELS)), _FRONT_DEG[1])
    for row, side in enumerate((-1, 1)):
        around = np.flatnonzero((side * AZIMUTHS >= _FRONT_DEG[0] - 10) & (side * AZIMUTHS <= _FRONT_DEG[1]))
        around = around[np.argsort(side * AZIMUTHS[around])]
        for column, level in enumerate(FRONT_LEVELS):
            looked = visible[around] & (np.abs(height[around] - level) < _AROUND_LEVEL)
            seen = looked.any(1)
            share = (looked & (probability[around] > _SURE)).sum(1) / np.maximum(looked.sum(1), 1)
            azimuth, share = side * AZIMUTHS[around][seen], share[seen]
            covered = np.flatnonzero(share > _COVERED)
            if len(covered) == 0:
                continue
            first = int(covered[0])
            last_bare = share[first - 1] if first > 0 else 0.0
            part = (_COVERED - last_bare) / max(share[first] - last_bare, 1e-6)
            front[row, column] = azimuth[first] - 5 * (1 - part)
    # Below the level where hair leaves the face its edge may fall back, not return.
    front = np.maximum(front, front[:, :1] - 6)
    return np.clip(front, *_FRONT_DEG)


def _wave(picture: HairPicture, fitted: HeadFit, end: float) -> float:
    """Amplitude of the waves below the ears, metres: mean slope of a sine is 4 amplitudes per length."""
    log = np.log(picture.pixels.mean(2).astype(np.float32) + 8)
    sure = cv2.erode((picture.hair > 0.8).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    eyes = fitted.camera.project(picture.skull.eyes.astype(np.float32)[None])[0]
    row = float(picture.crop_from_photo[1] @ [*eyes, 1])
    rows = np.arange(len(log))[:, None]
    sure &= (rows > row + 0.5 * PX_PER_IOD) & (rows < row - (end + 0.3) * PX_PER_IOD)
    if sure.sum() < _FEW_PX:
        return 0.0
    smooth = cv2.GaussianBlur(log, (0, 0), _STREAK_PX[0])
    dx, dy = cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    energy = dx * dx + dy * dy
    weight = sure * np.minimum(energy, np.percentile(energy[sure], 80)) / np.maximum(energy, 1e-6)
    tensor = np.stack([(dy * dy - dx * dx) * weight, -2 * dx * dy * weight, energy * weight], axis=2)
    near, far = (cv2.GaussianBlur(tensor.astype(np.float32), (0, 0), sigma)[sure] for sigma in _STREAK_PX[1:])
    angles = [0.5 * np.arctan2(each[:, 1], each[:, 0]) for each in (near, far)]
    apart = np.abs((angles[0] - angles[1] + np.pi / 2) % np.pi - np.pi / 2)
    clear = np.hypot(near[:, 0], near[:, 1]) / np.maximum(near[:, 2], 1e-6)
    sways = float(np.average(apart, weights=np.maximum(clear - 0.3, 1e-3)))
    slope = np.tan(np.sqrt(max(sways**2 - _STRAIGHT**2, 0.0)))
    fine, coarse = (cv2.GaussianBlur(log, (0, 0), sigma) for sigma in _LOCAL_PX)
    shown = np.clip((float((fine - coarse)[sure].std()) - _SHOWN[0]) / (_SHOWN[1] - _SHOWN[0]), 0, 1)
    return float(shown * min(slope * WAVE_M / 4, _MOST_WAVE_M))
