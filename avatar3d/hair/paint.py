"""The shell's colour: the photo's where it saw the hair, its continuation where it did not, soft ends in alpha.

texel --> point on the shell --> photo pixel --> probability of hair, colour / light
unseen texels --> mean hair colour with strands like the seen ones
alpha --> hair there, minus strand noise near the hairline
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.core.avatar import Skin
from avatar3d.core.head import HeadFit
from avatar3d.core.photo import FaceObservation
from avatar3d.hair.colour import continue_colour, own_colour, photo_colour
from avatar3d.hair.edges import cut_edges, cut_ends, cut_front
from avatar3d.hair.flow import HairFlow, draw_strands, find_flow, finer_flow, smear, usual_flow, waved
from avatar3d.hair.hang import Hang
from avatar3d.hair.scalp import usual_hairline
from avatar3d.hair.segment import FACE, OUTSIDE, HairPicture
from avatar3d.hair.shell import HairShell
from avatar3d.hair.style import HairStyle
from avatar3d.hair.texels import FINE, SIZE, Texels, finer, lay_texels, ramp, stretch

# Cosine to the camera between which the photo's word about a texel goes from nothing to all.
_GRAZING: Final = (0.12, 0.42)
# So far around (degrees) begin the sides, where so much less is believed of what looks bare.
_ASIDE_DEG: Final = (50.0, 62.0)
_DOUBTED_ASIDE: Final = 0.85
# How far strands run along the hair, in texels: usually, and in cropped hair.
# (lift in metres, texels), and how much of locks a few texels wide there is under single hairs (the same lifts, shares).
_RUN_PX: Final = np.array([(0.003, 6), (0.006, 22), (0.012, 34)])
_LOCKS: Final = np.array([(0.004, 0.15), (0.012, 0.6)])
# And over how many the photo's own colours are drawn out along straight hair: seen aslant they are blots.
_PHOTO_RUN_PX: Final = 12.0
# Short hair is combed back at the sides by this much (see usual_flow).
_SWEEP: Final = 0.55
# Natural logarithm by which hair below the locks is darker, and how much of that the photo's own shadows do.
_DEEP: Final = 0.14
_DEEP_SEEN: Final = 0.07
# Over how many texels the colour below locks is smeared downward, in straight and in coily hair.
_BELOW_PX: Final = (12.0, 3.0)
# Share of the picture that a hole in the hair has at most; larger ones are bald.
_LARGEST_HOLE: Final = 0.03
# Hair that stands off less than this is drawn short (metres).
_SHORT_M: Final = 0.012
_OVER_PHOTO: Final = 0.6
# Edges of single texels would be seen as steps.
_STEPLESS_PX: Final = 0.8
# Shadow where hanging hair turns in toward the cheek: natural logarithm at its front edge, and its width.
_TURNED_IN: Final = 0.55
_TURNED_IN_DEG: Final = 11.0


@dataclass(frozen=True, eq=False)
class HairPaint:
    """The picture of a head of hair and what its locks must know."""

    shell: Float32[np.ndarray, "T T 4"]
    """Logarithm of linear RGB, and alpha, of the hair below; columns around and rows down as the shell; drawn finer."""
    colour: Float32[np.ndarray, "S S 3"]
    """Logarithm of the hair's albedo without single strands."""
    contrast: float
    """Standard deviation of the strands' log brightness."""
    flow: HairFlow
    presence: Float32[np.ndarray, "S S"]
    """How surely hair covers the shell there."""
    seen: Float32[np.ndarray, "S S"]
    """How far its colour there is the photo's."""
    curtain_row: int
    """Of the drawn picture, where hanging hair begins; T when none does."""


def paint_hair(
    shell: HairShell, style: HairStyle, picture: HairPicture, fitted: HeadFit, face: FaceObservation, skin: Skin
) -> HairPaint:
    """Colour and alpha of the shell and of the locks over it."""
    texels = lay_texels(shell, fitted)
    hangs = shell.curtain_from < len(shell.over_line)
    presence, seen = _presence(texels, shell, style, picture)
    lift = _SHORT_M if hangs else float(np.percentile(style.lift_m, 70))
    short = lift < _SHORT_M
    colour, known = photo_colour(texels, picture, face, skin, seen * presence, under_locks=not short)
    if known.sum() < 1:
        colour = np.full_like(colour, 0.05)
    usual = usual_flow(SIZE, 0.0 if hangs else _SWEEP)
    flow = find_flow(np.log(colour).mean(2), known, usual)
    run, locks = (float(np.interp(lift, *table.T)) for table in (_RUN_PX, _LOCKS))
    strands = draw_strands(
        finer_flow(waved(flow, style.curl), FINE), run_px=run * FINE / SIZE, locks=locks, curl=style.curl
    )
    mean = own_colour(colour, known)
    log, known, contrast = continue_colour(colour, known, mean)
    log = smear(log, flow, _PHOTO_RUN_PX * (1 - style.curl))
    alpha = cut_edges(stretch(shell.over_line, FINE), style, finer(presence), strands)
    grows = alpha
    if style.hang is not None:
        heights = style.skull.height(texels.points.reshape(-1, 3)).reshape(SIZE, SIZE)
        grows = np.minimum(alpha, cut_front(strands, shell, style.hang, finer(heights)))
        log = log - (_shade_beside_face(shell, style.hang) * (1 - 0.5 * known))[..., None]
        alpha = np.minimum(grows, cut_ends(strands))
    if not short:
        # Locks end beyond the shell, in finer hairs than its picture can draw.
        alpha = cv2.GaussianBlur(cv2.erode(alpha, np.ones((3, 3), np.uint8)), (0, 0), _STEPLESS_PX)
    # Below locks lies the shadow between them; where the photo was seen its own shadows are in the picture.
    deep = np.zeros_like(known) if short else _DEEP - _DEEP_SEEN * known
    drawn = contrast * finer(1 - (1 - _OVER_PHOTO) * known) * strands
    # Between locks it is seen in streaks, no blots.
    streaks = cv2.GaussianBlur(
        log, (0, 0), sigmaX=1.0, sigmaY=_BELOW_PX[0] + (_BELOW_PX[1] - _BELOW_PX[0]) * style.curl
    )
    below = finer((log if short else streaks) - deep[..., None]) + drawn[..., None]
    shell_picture = np.concatenate([below, alpha[..., None]], axis=2).astype(np.float32)
    rows = len(shell.over_line)
    curtain_row = round((shell.curtain_from - 1) / (rows - 1) * FINE) if hangs else FINE
    coarse = cv2.resize(grows, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return HairPaint(shell_picture, log, contrast, flow, coarse, known, curtain_row)


def _presence(
    texels: Texels, shell: HairShell, style: HairStyle, picture: HairPicture
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
    if style.hang is None and style.ears == 0:
        # Clipped or grey hair above bare ears may look like skin from the front.
        doubt = _DOUBTED_ASIDE * ramp(np.abs(azimuth), *_ASIDE_DEG) * (probability < habit)
        presence = habit + seen * (1 - doubt) * (probability - habit)
    else:
        presence = habit + seen * (probability - habit)
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


def _shade_beside_face(shell: HairShell, hang: Hang) -> Float32[np.ndarray, "S S"]:
    """Natural logarithm by which hanging hair is darker where it turns in toward the cheek."""
    start = shell.curtain_from / len(shell.over_line)
    down = ramp((np.arange(SIZE) + 0.5) / SIZE, 0.75 * start, start)[:, None]
    azimuth = np.linspace(-180, 180, SIZE)[None]
    front = np.where(azimuth > 0, hang.front_deg[1].mean(), hang.front_deg[0].mean())
    return (_TURNED_IN * down * np.exp(-np.maximum(np.abs(azimuth) - front, 0) / _TURNED_IN_DEG)).astype(np.float32)
