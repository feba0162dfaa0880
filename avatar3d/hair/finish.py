"""The hair's whole picture: the shell's, and each lock's cell in the colour the hair has under that lock."""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from avatar3d.core.avatar import Texture
from avatar3d.hair.atlas import HIGH_PX, LINING_PX, SHELL_PX, WIDE_PX
from avatar3d.hair.locks import Locks
from avatar3d.hair.paint import HairPaint
from avatar3d.hair.strands import FULL, LONG_PX, LockKind, draw_lock
from avatar3d.hair.texels import SIZE

_SEED: Final = 17
# Different locks of one kind that are drawn; the rest are these, mirrored by chance and each in its own colour.
_DRAWN: Final = {True: 8, False: 4}
# Over how many texels of the shell the colour under a lock is softened, in straight and in curly hair.
_SOFT_PX: Final = (0.8, 2.4)
# And over how many texels along it, so that light and dark run with the hair.
_ALONG_PX: Final = (14.0, 5.0)
# Of that this share is left where the photo shows the hair, whose own lights are better.
_ALONG_SEEN: Final = 0.35
# Natural logarithm by which roots are darker than the rest, and by which whole locks differ.
_ROOTS: Final = 0.08
_APART: Final = 0.08
_APART_HUE: Final = 0.02
# Strands in locks stand out more than in the shell below.
_STRONGER: Final = 0.85
_CURLS_STRONGER: Final = 1.3
# Where the photo shows the hair, that share of the drawn strands is left beside its own.
_OVER_PHOTO: Final = 0.6
# Natural logarithm by which the inner side of hanging hair is darker, in its own shadow: by eye, beside ten photos.
_INNER_DARKER: Final = 0.9


def paint_picture(paint: HairPaint, locks: Locks, curl: float) -> Texture:
    """RGBA, sRGB: see atlas.py for what lies where."""
    picture = np.zeros((HIGH_PX, WIDE_PX, 4), np.uint8)
    picture[:, :SHELL_PX, :3] = encode(paint.shell[..., :3])
    picture[:, :SHELL_PX, 3] = _opacity(paint.shell[..., 3])
    if paint.curtain_row < SHELL_PX - 1:
        inner = cv2.resize(paint.shell[paint.curtain_row :], (SHELL_PX, LINING_PX), interpolation=cv2.INTER_AREA)
        picture[-LINING_PX:, SHELL_PX:, :3] = encode(inner[..., :3] - np.float32(_INNER_DARKER))
        picture[-LINING_PX:, SHELL_PX:, 3] = _opacity(inner[..., 3])
    rng = np.random.default_rng(_SEED)
    drawn: dict[LockKind, list[Float32[np.ndarray, "L W 2"]]] = {}
    for kind in dict.fromkeys(locks.kinds):
        drawn[kind] = [draw_lock(kind, curl, rng) for _ in range(_DRAWN[kind == FULL])]
    sigma = _SOFT_PX[0] + (_SOFT_PX[1] - _SOFT_PX[0]) * curl
    edge = 24
    wide = np.concatenate([paint.colour[:, -edge:], paint.colour, paint.colour[:, :edge]], axis=1)
    colour = cv2.GaussianBlur(wide, (0, 0), sigma)
    seen = np.concatenate([paint.seen[:, -edge:], paint.seen, paint.seen[:, :edge]], axis=1)
    colour = np.concatenate([colour, 1 - (1 - _OVER_PHOTO) * seen[..., None]], axis=2)
    contrast = paint.contrast * (_STRONGER + _CURLS_STRONGER * curl)
    along = _ALONG_PX[0] + (_ALONG_PX[1] - _ALONG_PX[0]) * curl
    down = np.linspace(0, 1, LONG_PX)
    for kind, (top, left), path, reach in zip(locks.kinds, locks.cells, locks.paths, locks.reach, strict=True):
        stripe = drawn[kind][rng.integers(len(drawn[kind]))][:, :: rng.choice((-1, 1))]
        at = path * SIZE + [edge - 0.5, -0.5]
        aside = reach * SIZE
        # A lock that crosses the seam behind keeps its own turn.
        at[:, 0] -= SIZE * np.floor((at[:, 0].mean() - edge) / SIZE)
        steps = np.linspace(0, 1, len(path))
        across = np.linspace(-1, 1, kind.wide_px)[None]
        x = np.interp(down, steps, at[:, 0])[:, None] + np.interp(down, steps, aside[:, 0])[:, None] * across
        y = np.interp(down, steps, at[:, 1])[:, None] + np.interp(down, steps, aside[:, 1])[:, None] * across
        under = cv2.remap(colour, x.astype(np.float32), np.clip(y, 0, SIZE - 1).astype(np.float32),
                          cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
        # Blots of the photo become streaks.
        known = float((1 - under[..., 3]).mean()) / (1 - _OVER_PHOTO)
        smear = along * (1 - (1 - _ALONG_SEEN) * known)
        under = cv2.GaussianBlur(under, (1, 0), sigmaX=0.1, sigmaY=smear, borderType=cv2.BORDER_REPLICATE)
        own = _APART * rng.standard_normal() + _APART_HUE * rng.standard_normal() * np.array([1, 0, -1])
        shade = contrast * under[..., 3] * stripe[..., 0] - _ROOTS * (1 - down[:, None]) ** 2
        cell = picture[top : top + LONG_PX, left : left + kind.wide_px]
        cell[..., :3] = encode(under[..., :3] + (own + shade[..., None]).astype(np.float32))
        cell[..., 3] = _opacity(stripe[..., 1])
    return Texture(name="hair", pixels=picture)


def _opacity(alpha: Float32[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    """Seventeen levels: a cut-out needs no more, and they are a quarter of a megabyte less."""
    return np.round(np.minimum(16 * np.round(16 * alpha), 255)).astype(np.uint8)


def encode(log: Float32[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    """sRGB of linear colours whose logarithm is given."""
    step = (len(_TABLE) - 1) / -_DARKEST
    return _TABLE[np.clip((log - _DARKEST) * step + 0.5, 0, len(_TABLE) - 1).astype(np.int32)]


def _table(size: int) -> UInt8[np.ndarray, "N"]:
    linear = np.exp(np.linspace(_DARKEST, 0, size))
    code = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    return (4 * np.round(63 * code)).astype(np.uint8)  # six bits: hairs are noise to a PNG, half a megabyte less


_DARKEST: Final = -8.0
_TABLE: Final = _table(4096)
"""sRGB for logarithms of linear brightness from _DARKEST to 0."""
