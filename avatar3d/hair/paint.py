"""The shell's colour: the photo's where it saw the hair, its continuation where it did not, soft ends in alpha.

texel --> point on the shell --> photo pixel --> probability of hair, colour / light
unseen texels --> mean hair colour with strands like the seen ones
alpha --> hair there, minus strand noise near the hairline
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from avatar3d.core.avatar import Skin
from avatar3d.core.head import HeadFit
from avatar3d.core.photo import FaceObservation
from avatar3d.hair.flow import HairFlow, draw_strands, find_flow, usual_flow, waved
from avatar3d.hair.scalp import usual_hairline
from avatar3d.hair.segment import FACE, OUTSIDE, HairPicture
from avatar3d.hair.shell import CURTAIN_FRONT_DEG, RISE_M, RISE_NAPE_M, RISE_SHARE, HairShell
from avatar3d.hair.style import HairStyle

SIZE: Final = 512
# Cosine to the camera between which the photo's word about a texel goes from nothing to all.
_GRAZING: Final = (0.12, 0.42)
# Strands end over this length around the hairline (inter-ocular distances).
_SOFT_LINE: Final = 0.11
TAPER: Final = np.array(
    [(0, 0.06, 0.12), (45, 0.08, 0.16), (60, 0.10, 0.26), (75, 0.12, 0.34), (95, 0.06, 0.26), (112, 0.10, 0.34),
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
# How far strands run along the hair, in texels: usually, and in cropped hair.
_STRAND_RUN_PX: Final = 34
_SHORT_RUN_PX: Final = 5
# Short hair is combed back at the sides by this much (see usual_flow).
_SWEEP: Final = 0.55
# Natural logarithm by which hair below the locks is darker, and how much of that the photo's own shadows do.
_DEEP: Final = 0.28
_DEEP_SEEN: Final = 0.14
# Over how many texels the colour below locks is smeared downward, in straight and in coily hair.
_BELOW_PX: Final = (12.0, 3.0)
# Share of the picture that a hole in the hair has at most; larger ones are bald.
_LARGEST_HOLE: Final = 0.03
_CHROMA: Final = 1.1
# Hair's own colour is looked for where it is so surely hair alone.
_PURE: Final = (0.55, 0.90)
# Linear albedo of hair that has melanin's hue alone, and of hair whose hue is believed; the most of it, log red over grey.
_DARK: Final = (0.015, 0.06)
_BROWNEST: Final = 0.45
_NOISE: Final = 0.5
# What was not seen goes on as what was beside it, and beyond that as what grows at the same level: eighths of a texel.
_CONTINUED: Final = ((5.0, 5.0), (16.0, 4.0))
# Linear albedo above which hair is not made brighter, and below which none is.
_WHITEST: Final = 0.60
_BLACKEST: Final = 0.004
# Hair that stands off less than this is drawn short (metres).
_SHORT_M: Final = 0.012
# Standard deviation of the strands' log brightness, at least and at most.
_CONTRAST: Final = (0.18, 0.32)
# Natural logarithm by which the photo's hair may differ from its median: beyond it is glare, shadow or background.
_RANGE: Final = 1.2
_BROAD: Final = 0.9
_HUE: Final = 0.25
# Linear brightness that gloss adds to hair, and its largest share of what is seen.
_GLOSS: Final = 0.003
_MOST_GLOSS: Final = 0.5
_SKIN_LIKE: Final = 0.35
_OVER_PHOTO: Final = 0.6
_LOCKS: Final = 1.0
# Edges of single texels would be seen as steps.
_STEPLESS_PX: Final = 0.8
# How far around hanging hair falls back from its front edge to its ends, degrees.
_FALLS_BACK_DEG: Final = 9.0
# Shadow where hanging hair turns in toward the cheek: natural logarithm at its front edge, and its width.
_TURNED_IN: Final = 0.55
_TURNED_IN_DEG: Final = 11.0
# Part of the picture's height over which hanging hair ends.
_ENDS: Final = 0.05


@dataclass(frozen=True, eq=False)
class _Texels:
    """The shell at texture resolution."""

    points: Float32[np.ndarray, "S S 3"]
    normals: Float32[np.ndarray, "S S 3"]
    facing: Float32[np.ndarray, "S S"]
    photo_px: Float32[np.ndarray, "S S 2"]
    over_line: Float32[np.ndarray, "S S"]


@dataclass(frozen=True, eq=False)
class HairPaint:
    """The picture of a head of hair and what its locks must know."""

    shell: Float32[np.ndarray, "S S 4"]
    """Logarithm of linear RGB, and alpha, of the hair below; columns around and rows down as the shell."""
    colour: Float32[np.ndarray, "S S 3"]
    """Logarithm of the hair's albedo without single strands."""
    contrast: float
    """Standard deviation of the strands' log brightness."""
    flow: HairFlow
    presence: Float32[np.ndarray, "S S"]
    """How surely hair covers the shell there."""
    seen: Float32[np.ndarray, "S S"]
    """How far its colour there is the photo's."""


def paint_hair(
    shell: HairShell, style: HairStyle, picture: HairPicture, fitted: HeadFit, face: FaceObservation, skin: Skin
) -> HairPaint:
    """Colour and alpha of the shell and of the locks over it."""
    texels = _texels(shell, fitted)
    hangs = shell.curtain_from < len(shell.over_line)
    presence, seen = _presence(texels, shell, style, picture)
    colour, known = _photo_colour(texels, picture, face, skin, seen * presence)
    if known.sum() < 1:
        colour = np.full_like(colour, 0.05)
    usual = usual_flow(SIZE, 0.0 if hangs else _SWEEP)
    flow = find_flow(np.log(colour).mean(2), known, usual)
    short = bool(np.percentile(style.lift_m, 70) < _SHORT_M) and not hangs
    strands = draw_strands(waved(flow, style.curl), run_px=_SHORT_RUN_PX if short else _STRAND_RUN_PX, curl=style.curl)
    mean = _own_colour(colour, known)
    log, known, contrast = _fill(colour, known, mean)
    alpha = _alpha(texels, presence, strands, grows_out(style), _still_close(style))
    grows = alpha
    if hangs:
        grows = np.minimum(alpha, _front_edge(strands, shell))
        log = log - (_shade_beside_face(shell) * (1 - 0.5 * known))[..., None]
        alpha = np.minimum(grows, _ends(strands, _ENDS))
    if not short:
        # Locks end beyond the shell, in finer hairs than its picture can draw.
        alpha = cv2.GaussianBlur(cv2.erode(alpha, np.ones((3, 3), np.uint8)), (0, 0), _STEPLESS_PX)
    # Below locks lies the shadow between them; where the photo was seen its own shadows are in the picture.
    deep = np.zeros_like(known) if short else _DEEP - _DEEP_SEEN * known
    drawn = contrast * (1 - (1 - _OVER_PHOTO) * known) * strands
    # Between locks it is seen in streaks, no blots.
    streaks = cv2.GaussianBlur(
        log, (0, 0), sigmaX=1.0, sigmaY=_BELOW_PX[0] + (_BELOW_PX[1] - _BELOW_PX[0]) * style.curl
    )
    below = (log if short else streaks) + (drawn - deep)[..., None]
    shell_picture = np.concatenate([below, alpha[..., None]], axis=2).astype(np.float32)
    return HairPaint(shell_picture, log, contrast, flow, grows, known)


def _texels(shell: HairShell, fitted: HeadFit) -> _Texels:
    points = _stretch(shell.points)
    normals = _stretch(shell.normals)
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
    seen = ramp(texels.facing, *_GRAZING)
    # Seen across the face from behind the cheek's outline, a texel is hidden.
    seen = np.where((np.abs(azimuth) > 70) & (on_face > 0.5), 0, seen)
    seen *= ramp(-np.abs(azimuth), -112, -88)
    # Beyond the photo's outline the shell stands off too far: that says nothing about where hair grows.
    beyond = picture.sample(flat, (picture.zone == OUTSIDE).astype(np.float32)).reshape(SIZE, SIZE)
    seen *= 1 - beyond * (1 - probability)
    density = np.interp(height, np.linspace(-1, 3, 40), style.density)
    curtain = shell.curtain_from * SIZE / (len(shell.over_line)) - 1
    rows = np.arange(SIZE)[:, None]
    line = np.minimum(usual_hairline(azimuth), style.line(azimuth.ravel()).reshape(azimuth.shape))
    usual = ramp(height - line, -0.05, 0.05)
    habit = np.where(rows > curtain, 1.0, density * usual)
    presence = seen * probability + (1 - seen) * habit
    # Single hairs over a bald crown are left out: as a shell they would be a crest.
    bald = ramp(0.5 - density, -0.2, 0.2)
    presence = presence + bald * (np.minimum(presence, habit) - presence)
    # Highlights and partings are no holes: close gaps that hair surrounds.
    wrapped = np.concatenate([presence[:, -64:], presence, presence[:, :64]], axis=1).astype(np.float32)
    closed = cv2.morphologyEx(wrapped, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (17, 17)))
    whole = _without_holes(closed[:, 64:-64])
    return cv2.GaussianBlur(whole, (0, 0), 2.0), seen.astype(np.float32)


def _without_holes(presence: Float32[np.ndarray, "S S"]) -> Float32[np.ndarray, "S S"]:
    """Islands of skin in the midst of hair, smaller than a bald crown, are filled."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((presence < 0.5).astype(np.uint8), connectivity=8)
    whole = presence.copy()
    for label in range(1, count):
        top, high = stats[label, cv2.CC_STAT_TOP], stats[label, cv2.CC_STAT_HEIGHT]
        if top > 0 and top + high < SIZE and stats[label, cv2.CC_STAT_AREA] < _LARGEST_HOLE * SIZE * SIZE:
            whole[cv2.dilate((labels == label).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0] = 1
    return whole


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
    # The lamp's hue is read off skin and is unsure on hair, where a wrong one turns blond to green: a quarter of it is left.
    shade = _HUE * shade + (1 - _HUE) * shade.mean(2, keepdims=True)
    albedo = linear / np.maximum(shade, 1e-3)
    # Every renderer adds gloss of its own; on black hair it is most of what the photo shows.
    albedo -= np.minimum(_GLOSS, _MOST_GLOSS * albedo)
    known = trust * ramp(picture.sample(texels.photo_px.reshape(-1, 2), picture.pure).reshape(SIZE, SIZE), *_PURE)
    # White hair in a dim light must not come out whiter than snow: its highlights would drown the strands.
    bright = albedo.mean(2)
    sure = known > 0.3
    if sure.any():
        albedo = albedo * min(1.0, _WHITEST / max(float(np.median(bright[sure])), 1e-3))
    return np.clip(albedo, _BLACKEST, 0.95).astype(np.float32), known.astype(np.float32)


def _fill(
    colour: Float32[np.ndarray, "S S 3"],
    known: Float32[np.ndarray, "S S"],
    mean: Float64[np.ndarray, "3"],
) -> tuple[Float32[np.ndarray, "S S 3"], Float32[np.ndarray, "S S"], float]:
    """Log colour everywhere, how far it is the photo's, and the strands' contrast. Known colours kept, the rest a smooth
    continuation; in log so that dark hair stays dark.
    """
    log = _of_hair(np.log(colour))
    # Gloss greys hair in every renderer; the colour is given that much more of its own hue.
    log = log.mean(2, keepdims=True) + _CHROMA * (log - log.mean(2, keepdims=True))
    middle = np.log(mean).astype(np.float32)
    middle = _of_hair((middle.mean() + _CHROMA * (middle - middle.mean()))[None, None])[0, 0]
    away = log - middle
    wide = cv2.GaussianBlur(away * known[..., None], (0, 0), 9) / (cv2.GaussianBlur(known, (0, 0), 9)[..., None] + 0.02)
    # Broad light and dark is half the lamp's doing; locks are the hair's own. Both are bent, not cut, into range.
    kept = middle + _RANGE * np.tanh((_BROAD * wide + _LOCKS * (away - wide)) / _RANGE)
    # The smooth continuation is made small: it has no detail to lose.
    weighted = np.concatenate([kept * known[..., None], known[..., None]], axis=2).astype(np.float32)
    small = cv2.resize(weighted, (SIZE // 8, SIZE // 8), interpolation=cv2.INTER_AREA)
    around = np.concatenate([small] * 3, axis=1)
    near, level = (
        cv2.GaussianBlur(around, (0, 0), sigmaX=x, sigmaY=y)[:, SIZE // 8 : SIZE // 4] for x, y in _CONTINUED
    )
    level = (level[..., :3] + 0.02 * middle) / (level[..., 3:] + 0.02)
    smooth = cv2.resize((near[..., :3] + 0.1 * level) / (near[..., 3:] + 0.1), (SIZE, SIZE))
    bright = log.mean(2)
    detail = bright - cv2.GaussianBlur(bright, (0, 0), 6)
    contrast = float(np.clip(np.sqrt((known * detail**2).sum() / max(known.sum(), 1)), *_CONTRAST))
    blend = cv2.GaussianBlur(known, (0, 0), 7)
    return (blend[..., None] * kept + (1 - blend[..., None]) * smooth).astype(np.float32), blend, contrast


def _of_hair(log: Float32[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W 3"]:
    """Dark hair's hue is half the lamp's and the camera's noise: it is brought toward the browns that melanin has."""
    red, _, blue = log.transpose(2, 0, 1)
    brown = np.clip(0.5 * (red - blue), 0, _BROWNEST)
    middle = log.mean(2)
    own = np.stack([middle + brown, middle, middle - brown], axis=2)
    dark = _NOISE * (1 - ramp(middle, *np.log(_DARK)))
    return log + dark[..., None] * (own - log)


def _alpha(
    texels: _Texels,
    presence: Float32[np.ndarray, "S S"],
    strands: Float32[np.ndarray, "S S"],
    rooted: Float32[np.ndarray, "S"],
    clear: Float64[np.ndarray, "S"],
) -> Float32[np.ndarray, "S S"]:
    """Opaque hair, ending strand by strand at the hairline and wherever its probability falls.

    Hair that grows out of the skin there thins out within the line, where the skin's own picture goes on with it.
    """
    azimuth = np.abs(np.linspace(-180, 180, SIZE))
    inner = rooted * np.minimum(np.interp(azimuth, TAPER[:, 0], TAPER[:, 2]), clear)
    soft = np.clip(0.5 + (texels.over_line - inner) / (_SOFT_LINE + _MESH_ENDS * inner), 0, 1)
    firm = ramp(presence, 0.25, 0.75)
    drawn_in = ramp(cv2.GaussianBlur(firm, (0, 0), sigmaX=_DRAWN_IN_PX[0], sigmaY=_DRAWN_IN_PX[1]), 0.5, 1)
    inside = np.minimum(soft, firm + rooted * (np.minimum(firm, drawn_in) - firm))
    locks = cv2.GaussianBlur(strands, (0, 0), sigmaX=1.0, sigmaY=3)
    inside = inside + _RAGGED * locks / locks.std() * (1 - np.abs(2 * inside - 1))
    return np.clip(0.5 + 2.2 * (inside - 0.5), 0, 1).astype(np.float32)


def grows_out(style: HairStyle) -> Float32[np.ndarray, "S"]:
    """1 where hair at its line grows out of the skin, 0 where a fringe or hanging hair ends in the air; around."""
    azimuth = np.linspace(-180, 180, SIZE)
    if style.hang.min() < 0 or style.ears > 0:
        return np.zeros(SIZE, np.float32)
    below = usual_hairline(azimuth) - style.line(azimuth)
    fringe = ramp(below, 0.5 * FRINGE_FROM, FRINGE_FROM) * (1 - ramp(np.abs(azimuth), *_TEMPLES_DEG))
    return (1 - fringe).astype(np.float32)


def _still_close(style: HairStyle) -> Float64[np.ndarray, "S"]:
    """How far inside its line hair still lies so close to the skin that nobody looks under its edge; around."""
    lift = max(float(np.percentile(style.lift_m, 70)), 1.01 * _CLOSE_M)
    behind = np.clip((np.abs(np.linspace(-180, 180, SIZE)) - 100) / 25, 0, 1)
    rise = np.maximum(RISE_M + (RISE_NAPE_M - RISE_M) * behind, RISE_SHARE * lift)
    return -rise * np.log(1 - _CLOSE_M / lift) / style.skull.iod_m


def _ends(strands: Float32[np.ndarray, "S S"], share: float) -> Float32[np.ndarray, "S S"]:
    """Hanging hair thins out over the last rows, strand by strand."""
    left = (SIZE - np.arange(SIZE, dtype=np.float32))[:, None] / (share * SIZE)
    locks = cv2.GaussianBlur(strands, (0, 0), sigmaX=0.7, sigmaY=4)
    ends = np.clip(0.5 + 2 * (left - 0.8 - 0.35 * locks / locks.std()), 0, 1).astype(np.float32)
    return np.minimum.accumulate(ends, axis=0)  # what has ended does not begin again


def _front_edge(strands: Float32[np.ndarray, "S S"], shell: HairShell) -> Float32[np.ndarray, "S S"]:
    """Beside the face hanging hair falls back in waves, not along the shell's last column."""
    start = shell.curtain_from / len(shell.over_line)
    down = (((np.arange(SIZE) + 0.5) / SIZE - start) / (1 - start))[:, None]
    azimuth = np.linspace(-180, 180, SIZE)[None]
    t = np.clip(down, 0, 1)
    wave = np.sin(9 * t + 1.3 * np.sign(azimuth)) + 0.6 * np.sin(23 * t - np.sign(azimuth))
    edge = CURTAIN_FRONT_DEG + _FALLS_BACK_DEG * t**1.5 + np.minimum(1, 5 * t) * (4 + 1.8 * wave)
    inside = 0.5 + (np.abs(azimuth) - edge) / 5 + 0.3 * cv2.GaussianBlur(strands, (0, 0), sigmaX=0.7, sigmaY=4)
    return np.where(down > 0, np.clip(inside, 0, 1), 1).astype(np.float32)


def _shade_beside_face(shell: HairShell) -> Float32[np.ndarray, "S S"]:
    """Natural logarithm by which hanging hair is darker where it turns in toward the cheek."""
    start = shell.curtain_from / len(shell.over_line)
    down = ramp((np.arange(SIZE) + 0.5) / SIZE, 0.75 * start, start)[:, None]
    azimuth = np.abs(np.linspace(-180, 180, SIZE))[None]
    return (_TURNED_IN * down * np.exp(-np.maximum(azimuth - CURTAIN_FRONT_DEG, 0) / _TURNED_IN_DEG)).astype(np.float32)


def _own_colour(colour: Float32[np.ndarray, "S S 3"], known: Float32[np.ndarray, "S S"]) -> Float64[np.ndarray, "3"]:
    """The median's hue, a little brighter: shadows between locks are no colour."""
    chosen = colour[known > 0.3 if (known > 0.3).sum() > 50 else known >= 0]
    bright = chosen.mean(1)
    # The hue of the middling pixels: highlights are the lamp's, shadows are noise.
    low, high = np.percentile(bright, (35, 55))
    own = chosen[(bright >= low) & (bright <= high)]
    hue = np.median(own if len(own) else chosen, axis=0).astype(np.float64)
    return np.clip(hue * high / max(float(hue.mean()), 1e-6), 1e-3, 0.95)


def ramp(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _linear(pixels: UInt8[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W 3"]:
    """sRGB decoding, IEC 61966-2-1."""
    code = pixels.astype(np.float32) / 255
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).astype(np.float32)
