"""Hair drawn on the skin itself, so that it thins out beyond its mesh instead of ending at an edge.

scalp texels --> place on the skull --> how densely hair grows there, its colour, its direction
             --> noise smeared along it: hair where the noise is below the density, skin elsewhere
"""

from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy.ndimage import gaussian_filter1d  # pyright: ignore[reportUnknownVariableType]

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.hair.edges import TAPER, grows_out
from avatar3d.hair.grow import Hair
from avatar3d.hair.scalp import find_skull, usual_hairline
from avatar3d.hair.style import HairStyle
from avatar3d.hair.texels import SIZE, ramp
from avatar3d.render.raycast import Scene

# A fringe, and hair that hangs or covers the ears, ends in the air and not on the skin.
_HANGING_TAPER: Final = 0.02
_NAPE_DEG: Final = 120.0
# Cosine to the camera, and degrees from the front, between which the photo's word about skin goes from nothing to all.
_FACING: Final = (0.25, 0.60)
_AROUND_DEG: Final = (74.0, 56.0)
# The photo's probability of hair that is none and all of the density, softened by so many pixels of the crop.
_DENSE: Final = (0.08, 0.85)
_SOFT_PX: Final = 1.2
# Opacity of dense hair on skin, and the share of it that is a veil between the hairs.
_MOST: Final = 0.92
_VEIL: Final = 0.45
_VEIL_OF_STUBBLE: Final = 0.30
# Skin shines through stubble: its measured colour is a mixture already.
_MOST_OF_STUBBLE: Final = 0.5
# Natural logarithm by which stubble is darker than the scalp looks between it.
_STUBBLE_DEEP: Final = 0.30
# The line of stubble, and of the ring of hair around a bald crown, is no line but a mean over so many degrees around: beside
# the forehead it falls steeply.
_THIN_SOFT_DEG: Final = np.linspace(-18.0, 18.0, 9)
# A crown of less than this density is bald. Toward it, where the mesh ends, hair is still nearly dense, and thins out from
# there on: levels of a style's density, and how much denser it is.
_BALD: Final = 0.5
_THINS_OUT: Final = 2.0
_STILL_DENSE: Final = 1.8
# How steeply a hair stands out of the skin. Texels so wide (metres) draw no hairs, only the veil.
_STEEP: Final = 2.2
# Where hair is as dense as 1 over this, none of the noise is skin; where it is thinner than that, nothing is drawn.
_FULL: Final = 1.15
_NONE: Final = 0.01
_FINE_M: Final = (0.0008, 0.0018)
# What stands off the hair's own surface by so much is an ear (metres).
_EAR_M: Final = (0.001, 0.004)
_RIM_PX: Final = 7
# Noise is smeared by so many steps, of so many texels, to either side.
_STEPS: Final = 3
_STEP_PX: Final = 1.4
_SEED: Final = 23
# cv2.remap takes pictures of at most 32,767 rows and columns.
_REMAP_WIDTH: Final = 1024
# The atlas is looked at down to so far below the usual hairline, and the eyes (inter-ocular distances).
_REACH: Final = 0.55
_LOWEST: Final = -1.7


@dataclass(frozen=True, eq=False)
class Scalp:
    """The texels of a picture of the face atlas that may show scalp (N of size x size)."""

    size: int
    texels: Int32[np.ndarray, "N"]
    """Flat index row * size + column."""
    corners: Int32[np.ndarray, "N 3"]
    barycentric: Float32[np.ndarray, "N 3"]

    def image(self, values: Float32[np.ndarray, "N C"]) -> Float32[np.ndarray, "S S C"]:
        """Values at their texels, zero elsewhere."""
        picture = np.zeros((self.size * self.size, values.shape[1]), np.float32)
        picture[self.texels] = values
        return picture.reshape(self.size, self.size, -1)


_known: WeakKeyDictionary[HeadModel, dict[int, Scalp]] = WeakKeyDictionary()


def find_scalp(model: HeadModel, size: int) -> Scalp:
    """Made once per model and size."""
    known = _known.setdefault(model, {})
    if size not in known:
        known[size] = _lay_flat(model, size)
    return known[size]


def draw_follicles(
    model: HeadModel, fitted: HeadFit, hair: Hair, size: int
) -> tuple[Int32[np.ndarray, "N"], Float32[np.ndarray, "N"], Float32[np.ndarray, "N 3"]]:
    """Texels of the face atlas (row * size + column) with hair on the skin, its opacity, its linear colour's logarithm."""
    # Density and colour change slowly: half the size will do.
    scalp = find_scalp(model, size // 2)
    points = np.einsum("nc,ncd->nd", scalp.barycentric, fitted.neutral[scalp.corners]).astype(np.float32)
    dense = _density(points, fitted, hair)
    u, v = _on_shell(points, hair)
    column, row = (u * (SIZE - 1) + 0.5).astype(np.int32), (v * (SIZE - 1) + 0.5).astype(np.int32)
    flow = np.stack([hair.paint.flow.across[row, column], hair.paint.flow.down[row, column]], axis=1)
    ways, fine = _in_atlas(scalp, points, _over_skull(points, hair, flow))
    fine *= _crowned(points, hair.style).astype(np.float32)  # single hairs in texels so large would be blots
    there = np.ones((len(points), 1), np.float32)
    parts = np.concatenate([there, dense[:, None], fine[:, None], hair.paint.colour[row, column]], axis=1)
    half = scalp.image(parts)
    # The islands' rims go on beyond them, for whoever filters the texture.
    half = np.where(half[..., :1] > 0, half, cv2.blur(half, (_RIM_PX, _RIM_PX)))
    wide = cv2.resize(half, (size, size), interpolation=cv2.INTER_LINEAR).reshape(size * size, -1)
    there = wide[:, 0] > 1e-3
    chosen = np.flatnonzero(there & (wide[:, 1] > _NONE * wide[:, 0])).astype(np.int32)
    dense, fine, *log = (wide[chosen, 1:] / wide[chosen, :1]).T
    stubble = hair.picture.stubble
    hairs = fine * (1 - (_VEIL_OF_STUBBLE if stubble > 0 else _VEIL))
    drawn = np.clip(0.5 + _STEEP * (_FULL * dense - _smeared(scalp.image(ways), chosen, size)), 0, 1)
    most = _MOST_OF_STUBBLE * stubble if stubble > 0 else _MOST
    opacity = most * (dense + hairs * (drawn - dense))
    return chosen, opacity, np.stack(log, axis=1) - (_STUBBLE_DEEP if stubble > 0 else 0)


def _lay_flat(model: HeadModel, size: int) -> Scalp:
    """Rays through the texels' centres onto the flattened scalp."""
    chosen = model.part("face")
    middles = model.rest[model.triangles[chosen]].mean(1)
    skull = find_skull(model, model.rest)
    height = skull.height(middles)
    chosen = chosen[(height - usual_hairline(skull.azimuth(middles)) > -_REACH) & (height > _LOWEST)]
    flat = np.zeros((len(model.uvs), 3), np.float32)
    flat[:, :2] = model.uvs
    corners = model.triangle_uvs[chosen]
    place = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
    across, down = np.meshgrid(place, place[place < model.uvs[corners][..., 1].max()])
    origins = np.stack([across.ravel(), down.ravel(), np.ones(across.size, np.float32)], axis=1)
    hits = Scene(flat, corners).cast(origins, np.tile(np.array([0, 0, -1], np.float32), (len(origins), 1)))
    texels = np.flatnonzero(hits.triangle >= 0).astype(np.int32)
    return Scalp(
        size, texels, model.triangles[chosen[hits.triangle[texels]]].astype(np.int32), hits.barycentric[texels]
    )


def _density(points: Float32[np.ndarray, "N 3"], fitted: HeadFit, hair: Hair) -> Float32[np.ndarray, "N"]:
    """How densely hair grows out of the skin, 0 to 1: what the photo shows of it, elsewhere what is usual."""
    style, picture, skull = hair.style, hair.picture, hair.style.skull
    azimuth, height = skull.azimuth(points), skull.height(points)
    around = np.abs(azimuth)
    thin = picture.stubble > 0 or style.density[-1] < _BALD
    turns = _THIN_SOFT_DEG if thin else np.zeros(1)
    line = style.line(azimuth)
    outside, inside = (np.interp(around, TAPER[:, 0], column) for column in TAPER[:, 1:].T)
    rooted = np.interp(azimuth, np.linspace(-180, 180, SIZE), grows_out(style))
    outside = np.where(around < _NAPE_DEG, _HANGING_TAPER + (outside - _HANGING_TAPER) * rooted, outside)
    usual = np.zeros(len(points))
    for turn in turns:
        usual += ramp((height - style.line(azimuth + turn) + outside) / (outside + inside), 0, 1) / len(turns)
    usual *= np.minimum(_STILL_DENSE * _crowned(points, style), 1)
    away = points - fitted.camera.position_m
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    out = points - skull.middle
    radius = np.linalg.norm(out, axis=1)
    seen = ramp(-np.sum(out * away, axis=1) / radius, *_FACING) * ramp(-around, *(-np.array(_AROUND_DEG)))
    soft = cv2.GaussianBlur(picture.hair, (0, 0), _SOFT_PX)
    shown = ramp(picture.sample(fitted.camera.project(points), soft), *_DENSE)
    # What looks like hair far outside the line is a shadow, or hair behind an outline that is not quite the head's.
    shown *= ramp((height - line) / outside, -3, -1)
    dense = usual + seen * (shown - usual)
    u, v = _on_shell(points, hair)
    rows, columns = hair.shell.over_line.shape
    shell = np.linalg.norm(hair.shell.points - skull.middle, axis=2)
    standing = radius - shell[(v * (rows - 1) + 0.5).astype(int), (u * (columns - 1) + 0.5).astype(int)]
    return (dense * (1 - ramp(standing, *_EAR_M) * (around < _NAPE_DEG))).astype(np.float32)


def _crowned(points: Float32[np.ndarray, "N 3"], style: HairStyle) -> Float64[np.ndarray, "N"]:
    """1 where the head bears hair, falling to 0 toward a bald crown."""
    thinning = gaussian_filter1d(style.density, _THINS_OUT)
    return np.interp(style.skull.height(points), np.linspace(-1, 3, len(thinning)), thinning)


def _on_shell(
    points: Float32[np.ndarray, "N 3"], hair: Hair
) -> tuple[Float64[np.ndarray, "N"], Float64[np.ndarray, "N"]]:
    """Turns around and share of the way down the shell; below its last row, that row."""
    skull, shell = hair.style.skull, hair.shell
    rows, columns = shell.over_line.shape
    u = skull.azimuth(points) / 360 + 0.5
    end = shell.points[shell.curtain_from - 1] - skull.middle
    stop = np.interp(u, np.linspace(0, 1, columns), _polar(end))
    v = _polar(points - skull.middle) / stop * (shell.curtain_from - 1) / (rows - 1)
    return u, np.clip(v, 0, 1)


def _polar(away: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N"]:
    return np.arctan2(np.hypot(away[:, 0], away[:, 2]), away[:, 1])


def _over_skull(
    points: Float32[np.ndarray, "N 3"], hair: Hair, flow: Float32[np.ndarray, "N 2"]
) -> Float64[np.ndarray, "N 3"]:
    """Directions in space of directions in the shell's picture."""
    out = points - hair.style.skull.middle
    around = np.stack([out[:, 2], np.zeros(len(out)), -out[:, 0]], axis=1)
    around /= np.maximum(np.linalg.norm(around, axis=1, keepdims=True), 1e-6)
    down = np.cross(out / np.linalg.norm(out, axis=1, keepdims=True), around)
    # A turn around is about twice as long as the way from the crown to the nape.
    return 2 * flow[:, :1] * around + flow[:, 1:] * np.where(down[:, 1:2] > 0, -down, down)


def _in_atlas(
    scalp: Scalp, points: Float32[np.ndarray, "N 3"], ways: Float64[np.ndarray, "N 3"]
) -> tuple[Float32[np.ndarray, "N 2"], Float32[np.ndarray, "N"]]:
    """Directions in space as unit directions in the atlas, and where its texels are fine enough for single hairs."""
    place = scalp.image(points)
    across, down = (np.gradient(place, axis=axis).reshape(-1, 3)[scalp.texels] for axis in (1, 0))
    a, b, c = (np.sum(x * y, axis=1) for x, y in ((across, across), (across, down), (down, down)))
    x, y = np.sum(across * ways, axis=1), np.sum(down * ways, axis=1)
    solved = np.stack([c * x - b * y, a * y - b * x], axis=1)
    solved /= np.maximum(np.linalg.norm(solved, axis=1, keepdims=True), 1e-12)
    fine = 1 - ramp(0.5 * np.sqrt(np.maximum(a, c)), *_FINE_M)
    return solved.astype(np.float32), fine.astype(np.float32)


def _smeared(ways: Float32[np.ndarray, "H H 2"], chosen: Int32[np.ndarray, "N"], size: int) -> Float32[np.ndarray, "N"]:
    """Noise smeared along directions (Cabral & Leedom 1993) at the chosen texels, evenly spread from 0 to 1."""
    noise = np.random.default_rng(_SEED).standard_normal((size, size)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.6)
    rows = -(-len(chosen) // _REMAP_WIDTH)
    start = np.zeros((rows * _REMAP_WIDTH, 2), np.float32)
    start[: len(chosen)] = np.stack([chosen % size, chosen // size], axis=1)
    start = start.reshape(rows, _REMAP_WIDTH, 2)
    none = np.empty(0, np.float32)  # one map of two channels, and none beside it
    total = cv2.remap(noise, start, none, cv2.INTER_NEAREST)
    for sign in (-1, 1):
        at = start.copy()
        for _ in range(_STEPS):
            at += sign * _STEP_PX * cv2.remap(ways, 0.5 * at, none, cv2.INTER_NEAREST)
            total += cv2.remap(noise, at, none, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    smeared = total.reshape(-1)[: len(chosen)]
    return 0.5 + 0.5 * np.tanh(0.85 * (smeared - smeared.mean()) / max(float(smeared.std()), 1e-6))
