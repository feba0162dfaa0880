"""The shell's picture: colour from the photo where it saw the hair, strands where it did not, soft ends in alpha.

texel --> point on the shell --> photo pixel --> probability of hair, colour / light
unseen texels --> mean hair colour with strands like the seen ones
alpha --> hair there, minus strand noise near the hairline
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from avatar3d.core.avatar import Skin, Texture
from avatar3d.core.head import HeadFit
from avatar3d.core.photo import FaceObservation
from avatar3d.hair.scalp import usual_hairline
from avatar3d.hair.segment import FACE, HairPicture
from avatar3d.hair.shell import HairShell
from avatar3d.hair.style import HairStyle

SIZE: Final = 512
# Cosine to the camera between which the photo's word about a texel goes from nothing to all.
_GRAZING: Final = (0.16, 0.50)
# Strands end over this length around the hairline (inter-ocular distances).
_SOFT_LINE: Final = 0.11
# Width of a strand in texels, and how far strands run along the meridian.
_STRAND_PX: Final = 1.3
_STRAND_RUN_PX: Final = 46
_SHORT_RUN_PX: Final = 11
# Hair that stands off less than this is drawn short (metres).
_SHORT_M: Final = 0.012
# Standard deviation of the strands' log brightness, at least and at most.
_CONTRAST: Final = (0.10, 0.22)
# Natural logarithm by which the photo's hair may differ from its median: beyond it is glare, shadow or background.
_RANGE: Final = 0.6
_BROAD: Final = 0.55
_HUE: Final = 0.5
_SKIN_LIKE: Final = 0.35
_OVER_PHOTO: Final = 0.8
_LOCKS: Final = 0.8
_SEED: Final = 11
# Part of the picture's height over which hanging hair ends.
_ENDS: Final = 0.035


@dataclass(frozen=True, eq=False)
class _Texels:
    """The shell at texture resolution."""

    points: Float32[np.ndarray, "S S 3"]
    normals: Float32[np.ndarray, "S S 3"]
    facing: Float32[np.ndarray, "S S"]
    photo_px: Float32[np.ndarray, "S S 2"]
    over_line: Float32[np.ndarray, "S S"]


def paint_hair(
    shell: HairShell, style: HairStyle, picture: HairPicture, fitted: HeadFit, face: FaceObservation, skin: Skin
) -> Texture:
    """RGBA, sRGB: columns of the shell from left to right, rows from top to bottom."""
    texels = _texels(shell, fitted)
    strands = _strands(bool(np.percentile(style.lift_m, 70) < _SHORT_M and style.hang.min() == 0))
    presence, seen = _presence(texels, shell, style, picture)
    colour, known = _photo_colour(texels, picture, face, skin, seen * presence)
    if known.sum() < 1:
        colour = np.full_like(colour, 0.05)
    mean = _weighted_median(colour, known)
    filled = _fill(colour, known, mean, strands)
    alpha = _alpha(texels, presence, strands)
    if shell.curtain_from < len(shell.over_line):
        alpha = np.minimum(alpha, _ragged_ends(strands))
    encoded = np.where(filled <= 0.0031308, filled * 12.92, 1.055 * np.maximum(filled, 1e-6) ** (1 / 2.4) - 0.055)
    pixels = np.concatenate([np.clip(encoded, 0, 1), alpha[..., None]], axis=2)
    return Texture(name="hair", pixels=np.round(pixels * 255).astype(np.uint8))


def _texels(shell: HairShell, fitted: HeadFit) -> _Texels:
    points = _stretch(shell.points)
    along, across = np.gradient(points, axis=0), np.gradient(points, axis=1)
    normals = np.cross(along, across)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-12)
    towards = fitted.camera.position_m - points
    towards /= np.linalg.norm(towards, axis=2, keepdims=True)
    photo = fitted.camera.project(points.reshape(-1, 3)).reshape(SIZE, SIZE, 2)
    return _Texels(
        points, normals.astype(np.float32), np.sum(normals * towards, axis=2), photo, _stretch(shell.over_line)
    )


def _stretch(grid: Float32[np.ndarray, "R C ..."]) -> Float32[np.ndarray, "S S ..."]:
    """Grid vertices at texture corners, interpolated at texel centres."""
    rows, columns = grid.shape[:2]
    x = ((np.arange(SIZE) + 0.5) / SIZE * (columns - 1)).astype(np.float32)
    y = ((np.arange(SIZE) + 0.5) / SIZE * (rows - 1)).astype(np.float32)
    return cv2.remap(grid, np.tile(x, (SIZE, 1)), np.tile(y[:, None], (1, SIZE)), cv2.INTER_LINEAR)


def _presence(
    texels: _Texels, shell: HairShell, style: HairStyle, picture: HairPicture
) -> tuple[Float32[np.ndarray, "S S"], Float32[np.ndarray, "S S"]]:
    """Probability of hair per texel, and how far the photo (rather than habit) says so."""
    flat = texels.photo_px.reshape(-1, 2)
    probability = picture.sample(flat, picture.hair).reshape(SIZE, SIZE)
    on_face = picture.sample(flat, (picture.zone == FACE).astype(np.float32)).reshape(SIZE, SIZE)
    height = style.skull.height(texels.points.reshape(-1, 3)).reshape(SIZE, SIZE)
    azimuth = style.skull.azimuth(texels.points.reshape(-1, 3)).reshape(SIZE, SIZE)
    seen = _ramp(texels.facing, *_GRAZING)
    # Seen across the face from behind the cheek's outline, a texel is hidden.
    seen = np.where((np.abs(azimuth) > 70) & (on_face > 0.5), 0, seen)
    seen *= _ramp(-np.abs(azimuth), -112, -88)
    habit = np.interp(height, np.linspace(-1, 3, 40), style.density)
    curtain = shell.curtain_from * SIZE / (len(shell.over_line)) - 1
    rows = np.arange(SIZE)[:, None]
    usual = _ramp(height - usual_hairline(azimuth), -0.05, 0.05)
    habit = np.where(rows > curtain, 1.0, habit * usual)
    presence = seen * probability + (1 - seen) * habit
    # Highlights and partings are no holes: close gaps that hair surrounds.
    wrapped = np.concatenate([presence[:, -64:], presence, presence[:, :64]], axis=1).astype(np.float32)
    closed = cv2.morphologyEx(wrapped, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (31, 31)))
    return cv2.GaussianBlur(closed, (0, 0), 2.0)[:, 64:-64], seen.astype(np.float32)


def _photo_colour(
    texels: _Texels, picture: HairPicture, face: FaceObservation, skin: Skin, trust: Float32[np.ndarray, "S S"]
) -> tuple[Float32[np.ndarray, "S S 3"], Float32[np.ndarray, "S S"]]:
    """Linear albedo of the hair where the photo shows it, and how well."""
    # The photo at about the texture's own resolution, so that no texel skips pixels.
    scale = min(1.0, 110 / face.interocular_px)
    photo = cv2.resize(face.photo.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    at = (texels.photo_px * scale - 0.5).astype(np.float32)
    seen = cv2.remap(photo, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    linear = _linear(seen)
    shade = skin.light.shade(texels.normals.reshape(-1, 3)).reshape(linear.shape)
    ahead = skin.light.shade(np.array([[0, 0, 1]], np.float32))[0]
    # Hair scatters light through itself: it is lit by a third like skin, else like a face turned to the camera.
    shade = _SKIN_LIKE * shade + (1 - _SKIN_LIKE) * ahead
    # The lamp's hue is read off skin and is unsure on hair, where a wrong one turns blond to green: half of it is left.
    shade = _HUE * shade + (1 - _HUE) * shade.mean(2, keepdims=True)
    albedo = linear / np.maximum(shade, 1e-3)
    known = trust * _ramp(picture.sample(texels.photo_px.reshape(-1, 2), picture.hair).reshape(SIZE, SIZE), 0.5, 0.85)
    return np.clip(albedo, 0.001, 0.95).astype(np.float32), known.astype(np.float32)


def _fill(
    colour: Float32[np.ndarray, "S S 3"],
    known: Float32[np.ndarray, "S S"],
    mean: Float64[np.ndarray, "3"],
    strands: Float32[np.ndarray, "S S"],
) -> Float32[np.ndarray, "S S 3"]:
    """Known colours kept, the rest a smooth continuation with strands; in log so that dark hair stays dark."""
    log = np.log(colour)
    middle = np.log(np.maximum(mean, 1e-3)).astype(np.float32)
    away = log - middle
    wide = cv2.GaussianBlur(away * known[..., None], (0, 0), 9) / (cv2.GaussianBlur(known, (0, 0), 9)[..., None] + 0.02)
    # Broad light and dark is half the lamp's doing; locks are the hair's own. Both are bent, not cut, into range.
    kept = middle + _RANGE * np.tanh((_BROAD * wide + _LOCKS * (away - wide)) / _RANGE)
    # The smooth continuation is made small: it has no detail to lose.
    weighted = np.concatenate([kept * known[..., None], known[..., None]], axis=2).astype(np.float32)
    small = cv2.resize(weighted, (SIZE // 8, SIZE // 8), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(np.concatenate([small] * 3, axis=1), (0, 0), 5)[:, SIZE // 8 : SIZE // 4]
    smooth = cv2.resize((small[..., :3] + 0.15 * middle) / (small[..., 3:] + 0.15), (SIZE, SIZE))
    bright = log.mean(2)
    detail = bright - cv2.GaussianBlur(bright, (0, 0), 6)
    contrast = float(np.clip(np.sqrt((known * detail**2).sum() / max(known.sum(), 1)), *_CONTRAST))
    made = smooth + (contrast * strands)[..., None]
    # A little of the same strands over the photo's own, which is blurred by perspective and filtering.
    kept = kept + (_OVER_PHOTO * contrast * strands)[..., None]
    blend = cv2.GaussianBlur(known, (0, 0), 7)[..., None]
    return np.exp(blend * kept + (1 - blend) * made)


def _alpha(
    texels: _Texels, presence: Float32[np.ndarray, "S S"], strands: Float32[np.ndarray, "S S"]
) -> Float32[np.ndarray, "S S"]:
    """Opaque hair, ending strand by strand at the hairline and wherever its probability falls."""
    soft = np.clip(0.5 + texels.over_line / _SOFT_LINE, 0, 1)
    firm = _ramp(presence, 0.25, 0.75)
    inside = np.minimum(soft, firm)
    ragged = inside + 0.22 * strands * (1 - np.abs(2 * inside - 1))
    return np.clip(0.5 + 2.2 * (ragged - 0.5), 0, 1).astype(np.float32)


def _ragged_ends(strands: Float32[np.ndarray, "S S"]) -> Float32[np.ndarray, "S S"]:
    """Hanging hair ends strand by strand over the last rows."""
    left = (SIZE - np.arange(SIZE, dtype=np.float32))[:, None] / (_ENDS * SIZE)
    ends = cv2.blur(strands, (1, 41))
    return np.clip(0.5 + 3 * (left - 0.9 - 0.5 * ends / ends.std()), 0, 1).astype(np.float32)


@lru_cache(maxsize=2)
def _strands(short: bool) -> Float32[np.ndarray, "S S"]:
    """Noise with runs down the picture, zero mean, unit variance, seamless from left to right."""
    noise = np.random.default_rng(_SEED).standard_normal((SIZE, SIZE)).astype(np.float32)
    run = _SHORT_RUN_PX if short else _STRAND_RUN_PX
    mixed = _streak(noise, _STRAND_PX, run) + 0.35 * _streak(np.roll(noise, 77, axis=1), 4 * _STRAND_PX, 2.5 * run)
    # Strands wander: columns shift by a slow wave.
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    turn = 2 * np.pi * columns / SIZE
    wave = 3 * np.sin(rows / 67 + 3 * np.sin(turn)) + 1.5 * np.sin(rows / 29 + 3 * turn)
    mixed = cv2.remap(mixed, columns + wave, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return (mixed / mixed.std()).astype(np.float32)


def _streak(noise: Float32[np.ndarray, "S S"], width: float, run: float) -> Float32[np.ndarray, "S S"]:
    wide = np.concatenate([noise] * 3, axis=1)
    soft = cv2.GaussianBlur(wide, (0, 0), sigmaX=width, sigmaY=run)[:, SIZE : 2 * SIZE]
    return (soft - soft.mean()) / soft.std()


def _weighted_median(
    colour: Float32[np.ndarray, "S S 3"], known: Float32[np.ndarray, "S S"]
) -> Float64[np.ndarray, "3"]:
    sure = known > 0.3 if (known > 0.3).sum() > 50 else known >= 0
    return np.percentile(colour[sure].reshape(-1, 3), 60, axis=0).astype(
        np.float64
    )  # shadows between locks are no colour


def _ramp(value: np.ndarray, low: float, high: float) -> np.ndarray:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _linear(pixels: UInt8[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W 3"]:
    """sRGB decoding, IEC 61966-2-1."""
    code = pixels.astype(np.float32) / 255
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).astype(np.float32)
