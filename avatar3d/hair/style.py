"""What the picture says about a hairstyle: how far it stands off the skull, where it ends, how far it hangs.

hair pixels --> rays in the picture from the skull's middle: silhouette minus skull --> lift
            --> meridians over the skull: where hair ends --> hairline
            --> what lies beside face and neck --> hang (hang.py)
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d, median_filter  # pyright: ignore[reportUnknownVariableType]

from avatar3d.core.head import HeadFit
from avatar3d.hair.flow import measure_curl
from avatar3d.hair.hang import Hang, measure_hang
from avatar3d.hair.meridians import AZIMUTHS, MeridianSurface
from avatar3d.hair.scalp import Skull, usual_hairline
from avatar3d.hair.segment import EAR, FACE, OUTSIDE, HairPicture

_CLOCK: Final = np.arange(-180.0, 180.0, 5.0)
# A side of the forehead, at this height over the eyes (inter-ocular distances), that faces the camera so much less than the
# other (cosine) begins to be, and is, taken for its mirror image.
_FOREHEAD: Final = 0.7
# Hair that leaves the ears bare comes so far below the usual line at the temples, or as low as over the forehead.
_LOW_TEMPLES: Final = 0.15
# How far above the usual line it may begin, per degrees from the front.
_RECEDES: Final = np.array([(0, 2.0), (44, 2.0), (52, 0.60), (62, 0.20), (180, 0.20)])
_LESS_SEEN: Final = (0.12, 0.30)
# Hair that stands off further than this is cut back (metres): the shell is not a sail.
_MOST_LIFT_M: Final = 0.085
# By so much hair came out larger than in the photo all around (16 portraits: 1.5 mm over hanging hair, 2.3 over short),
# and hair over the ears wider still, per side.
_LARGE_M: Final = 0.002
_WIDE_M: Final = 0.003
# Behind, hair cut short thins from its top (sine over the skull's middle) to the level of that middle.
_CROWN: Final = 0.8
_SURE: Final = 0.5
# Share of hair seen on the ears from which they count as covered, and above which wholly.
_EARS: Final = (0.50, 0.80)
# Where hair over the ears ends: azimuth, height (as in scalp.py).
_OVER_EARS: Final = np.array([(60, 2), (68, 0), (76, -0.45), (90, -0.6), (108, -0.68), (118, -0.75), (130, 2)])


@dataclass(frozen=True, eq=False)
class HairStyle:
    """A hairstyle in the skull's frame."""

    skull: Skull
    lift_m: Float64[np.ndarray, "C"]
    """Distance of the silhouette from the skull, per direction in the picture (_CLOCK, 0 is up, 90 the person's left)."""
    camera_from_head: Float64[np.ndarray, "3 3"]
    hairline: Float64[np.ndarray, "A"]
    """Height above the eyes (inter-ocular distances) where hair ends, per AZIMUTHS."""
    hang: Hang | None
    """None when hair ends above or over the ears."""
    density: Float64[np.ndarray, "40"]
    """Share of hair on what is seen of the sides, per height from -1 to 3 (bald crowns have none above)."""
    ears: float
    """How far hair that does not hang covers the ears, 0 to 1."""
    curl: float
    """0 straight to 1 coily."""

    def lift(self, directions: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N"]:
        """Metres off the skull toward directions from its middle (head frame, unit)."""
        seen = directions @ self.camera_from_head.T
        clock = np.degrees(np.arctan2(seen[:, 0], -seen[:, 1]))
        clock = np.clip(clock, -105, 105)  # below that the silhouette is neck or hanging hair
        aside = np.hypot(seen[:, 0], seen[:, 1])
        top = 0.8 * self.lift_m[np.abs(_CLOCK) < 60].mean()
        if self.hang is None:
            # Cut short it is as close behind as at the sides.
            sides = min(top, self.lift_m[(np.abs(_CLOCK) > 70) & (np.abs(_CLOCK) < 105)].mean())
            low = np.clip(1 - directions[:, 1] / _CROWN, 0, 1) * np.clip(-2 * directions[:, 2], 0, 1)
            top = top + low * (sides - top)
        return aside * np.interp(clock, _CLOCK, self.lift_m) + (1 - aside) * top

    def line(self, azimuth_deg: Float64[np.ndarray, "N"]) -> Float64[np.ndarray, "N"]:
        """Height of the hairline at each azimuth."""
        return np.interp(azimuth_deg, AZIMUTHS, self.hairline, period=360)


def measure_style(picture: HairPicture, fitted: HeadFit, surface: MeridianSurface) -> HairStyle:
    """Read a style off a hair picture."""
    skull = picture.skull
    hang = measure_hang(picture, fitted, surface)
    ears = float(np.clip((picture.ears_covered - _EARS[0]) / (_EARS[1] - _EARS[0]), 0, 1))
    lift_m = np.maximum(_silhouette_lift(picture, fitted) - _LARGE_M, 0)
    if hang is not None or ears > 0:
        # Hair over the ears is widest behind the skull's outline; the shell and its locks add to both sides.
        lift_m = np.maximum(lift_m - _WIDE_M * np.sin(np.radians(_CLOCK)) ** 2, 0)
    axes = np.eye(3, dtype=np.float32)
    depth = float(fitted.camera.view(skull.eyes.astype(np.float32)[None])[0, 2])
    camera_from_head = (fitted.camera.view(axes) - fitted.camera.translation_m).T.astype(np.float64)
    return HairStyle(
        skull=skull,
        lift_m=lift_m,
        camera_from_head=camera_from_head,
        hairline=_hairline(picture, fitted, surface, ears, short=hang is None and ears == 0),
        hang=hang,
        density=_density(picture, fitted, surface),
        ears=ears,
        curl=measure_curl(picture, fitted.camera.focal_px * skull.iod_m / depth, hangs=hang is not None),
    )


def _silhouette_lift(picture: HairPicture, fitted: HeadFit) -> Float64[np.ndarray, "C"]:
    middle = picture.skull.middle.astype(np.float32)[None]
    depth = float(fitted.camera.view(middle)[0, 2])
    scale = picture.crop_from_photo[0, 0]
    metres_per_px = depth / (fitted.camera.focal_px * scale)
    origin = fitted.camera.project(middle)[0] @ picture.crop_from_photo[:, :2].T + picture.crop_from_photo[:, 2]
    radii = np.arange(0, 3.4 * picture.skull.iod_m / metres_per_px, 0.5)
    lift = np.zeros(len(_CLOCK))
    for index, clock in enumerate(np.radians(_CLOCK)):
        x = origin[0] + radii * np.sin(clock)
        y = origin[1] - radii * np.cos(clock)
        column, row = np.floor(x).astype(int), np.floor(y).astype(int)
        inside = (column >= 0) & (row >= 0) & (column < picture.zone.shape[1]) & (row < picture.zone.shape[0])
        column, row = column[inside], row[inside]
        # Behind the ear the skull goes on: the ear itself is no silhouette.
        head = np.flatnonzero(~np.isin(picture.zone[row, column], (OUTSIDE, EAR)))
        if len(head) == 0:
            continue
        rim = head[-1]
        hair = picture.hair[row, column] > 0.4
        # Walk outward; three pixels without hair end it.
        quiet = np.convolve(hair[rim:], np.ones(6), mode="full")[: len(hair) - rim] == 0
        quiet[:6] = False
        end = int(np.argmax(quiet)) - 6 if quiet.any() else len(hair) - rim - 1
        lift[index] = max(end, 0) * 0.5 * metres_per_px
    lift = np.minimum(median_filter(lift, 5, mode="wrap"), _MOST_LIFT_M)
    return gaussian_filter1d(lift, 1.2, mode="wrap")


def _hairline(
    picture: HairPicture, fitted: HeadFit, surface: MeridianSurface, ears: float, *, short: bool
) -> Float64[np.ndarray, "A"]:
    probability, visible = surface.seen(picture, fitted)
    height = picture.skull.height(surface.points.reshape(-1, 3)).reshape(probability.shape)
    line = usual_hairline(AZIMUTHS)
    for index, azimuth in enumerate(AZIMUTHS):
        lowest = 0.35 if abs(azimuth) < 60 else -0.55
        looked = visible[index] & (height[index] > lowest) & (abs(azimuth) < 84)
        if looked.sum() < 4:
            continue
        hair = looked & (probability[index] > _SURE)
        # No hair on this meridian: the line moves up to where the camera no longer sees.
        line[index] = height[index][hair].min() if hair.any() else height[index][looked].max()
    if short:
        bare = usual_hairline(AZIMUTHS) - _LOW_TEMPLES
        middle = line[np.abs(AZIMUTHS) < 20].mean()
        line = np.maximum(line, np.where(np.abs(AZIMUTHS) < 84, np.minimum(bare, middle), -2))
        line += _turned_away(surface, height) * np.maximum(_mirrored(line) - line, 0)
        # Hair recedes over the forehead, not over the ears, where it is grey or clipped before it is gone.
        kept = usual_hairline(AZIMUTHS) + np.interp(np.abs(AZIMUTHS), _RECEDES[:, 0], _RECEDES[:, 1])
        line = np.minimum(line, kept)
    low = np.minimum(line, np.interp(np.abs(AZIMUTHS), _OVER_EARS[:, 0], _OVER_EARS[:, 1]))
    line = line + ears * (low - line)
    smooth = gaussian_filter1d(median_filter(line, 3, mode="wrap"), 0.7, mode="wrap")
    return np.where(np.abs(AZIMUTHS) < 88, smooth, line)


def _turned_away(surface: MeridianSurface, height: Float64[np.ndarray, "A P"]) -> Float64[np.ndarray, "A"]:
    """How far the other side of the forehead knows better where hair ends: seen aslant, hair behind the head's outline
    seems to lie before it.
    """
    level = np.abs(height - _FOREHEAD).argmin(1)
    facing = surface.facing[np.arange(len(level)), level]
    less = np.clip((_mirrored(facing) - facing - _LESS_SEEN[0]) / (_LESS_SEEN[1] - _LESS_SEEN[0]), 0, 1)
    return np.where(np.abs(AZIMUTHS) < 84, less, 0)


def _mirrored(around: Float64[np.ndarray, "A"]) -> Float64[np.ndarray, "A"]:
    """Values per AZIMUTHS of the other side."""
    return np.interp(-AZIMUTHS, AZIMUTHS, around, period=360)


def _density(picture: HairPicture, fitted: HeadFit, surface: MeridianSurface) -> Float64[np.ndarray, "40"]:
    probability, visible = surface.seen(picture, fitted)
    height = picture.skull.height(surface.points.reshape(-1, 3)).reshape(probability.shape)
    side = (np.abs(AZIMUTHS) > 35)[:, None] & visible
    zone = picture.zone
    face = picture.sample(fitted.camera.project(surface.points.reshape(-1, 3)), (zone == FACE).astype(np.float32))
    side &= face.reshape(probability.shape) < 0.5
    side &= height > usual_hairline(AZIMUTHS)[:, None]
    levels = np.linspace(-1, 3, 40)
    share = np.ones(40)
    for index, level in enumerate(levels):
        near = side & (np.abs(height - level) < 0.15)
        if near.sum() >= 4:
            share[index] = float((probability[near] > _SURE).mean())
    known = share < 1
    if not known.any():
        return share
    # The unseen crown is like the highest row seen.
    top = int(np.flatnonzero(np.abs(levels - height[side].max()) < 0.15)[0]) if side.any() else 39
    share[top:] = share[max(top - 3, 0) : top + 1].mean()
    # Hair or skin, nothing between: a thin crown is drawn by the picture, not by chance.
    density = np.clip((gaussian_filter1d(share, 1.5) - 0.10) / 0.2, 0, 1)
    # Heads go bald from above: below hair there is hair.
    return gaussian_filter1d(np.maximum.accumulate(density[::-1])[::-1], 2.0)
