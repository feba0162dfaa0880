"""Where things lie in the hair's picture: the shell in its upper left quarter, every lock in a cell of its own.

A cell of its own lets a lock take its colour from the photo, so that no engine needs vertex colours.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int32

from avatar3d.hair.strands import LONG_PX

PICTURE_PX: Final = 1024
SHELL_PX: Final = 512
LINING_PX: Final = 64
"""Height of the lining's picture, in the lower left corner, as wide as the shell's."""


def on_shell(u: Float[np.ndarray, "*N"], v: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N 2"]:
    """Texture coordinates of places on the shell: turns around and share of the way down, 0 to 1."""
    share = SHELL_PX / PICTURE_PX
    return np.stack([share * np.clip(u, 1e-3, 1 - 1e-3), share * np.clip(v, 1e-3, 1 - 1e-3)], axis=-1)


def on_lining(u: Float[np.ndarray, "*N"], v: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N 2"]:
    """Texture coordinates of the hanging hair's inner side: turns around and share of the way down the curtain."""
    high, wide = LINING_PX / PICTURE_PX, SHELL_PX / PICTURE_PX
    return np.stack([wide * np.clip(u, 1e-3, 1 - 1e-3), 1 - high + high * np.clip(v, 0.01, 0.99)], axis=-1)


def is_shell(uvs: Float[np.ndarray, "*N 2"]) -> Bool[np.ndarray, "*N"]:
    """Whether texture coordinates lie in the shell's quarter."""
    return (uvs < SHELL_PX / PICTURE_PX).all(-1)


def place_cells(widths_px: Sequence[int]) -> Int32[np.ndarray, "K 2"]:
    """Top and left texel of each lock's cell, shelf by shelf around the shell's quarter."""
    cells: list[tuple[int, int]] = []
    top, left = 0, SHELL_PX
    for width in widths_px:
        if left + width > PICTURE_PX:
            top += LONG_PX
            left = SHELL_PX if top < SHELL_PX else 0
        assert top + LONG_PX <= PICTURE_PX - LINING_PX, "more locks than cells"
        cells.append((top, left))
        left += width
    return np.array(cells, np.int32).reshape(-1, 2)
