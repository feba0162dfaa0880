"""Where things lie in the hair's picture: the shell in its left half, every lock in a cell of its own.

A cell of its own lets a lock take its colour from the photo, so that no engine needs vertex colours.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int32

from avatar3d.hair.strands import LONG_PX
from avatar3d.hair.texels import FINE

WIDE_PX: Final = 2048
HIGH_PX: Final = 1024
"""Of the whole picture. Hairs run down it, so it is finer across."""
SHELL_PX: Final = FINE
LINING_PX: Final = 64
"""Height of the lining's picture, in the lower right corner, as wide as the shell's."""


def on_shell(u: Float[np.ndarray, "*N"], v: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N 2"]:
    """Texture coordinates of places on the shell: turns around and share of the way down, 0 to 1."""
    return np.stack([SHELL_PX / WIDE_PX * np.clip(u, 1e-3, 1 - 1e-3), np.clip(v, 1e-3, 1 - 1e-3)], axis=-1)


def on_lining(u: Float[np.ndarray, "*N"], v: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N 2"]:
    """Texture coordinates of the hanging hair's inner side: turns around and share of the way down the curtain."""
    high, left = LINING_PX / HIGH_PX, SHELL_PX / WIDE_PX
    return np.stack([left + (1 - left) * np.clip(u, 1e-3, 1 - 1e-3), 1 - high + high * np.clip(v, 0.01, 0.99)], axis=-1)


def is_shell(uvs: Float[np.ndarray, "*N 2"]) -> Bool[np.ndarray, "*N"]:
    """Whether texture coordinates lie in the shell's half."""
    return uvs[..., 0] < SHELL_PX / WIDE_PX


def place_cells(widths_px: Sequence[int]) -> Int32[np.ndarray, "K 2"]:
    """Top and left texel of each lock's cell, shelf by shelf beside the shell's half."""
    cells: list[tuple[int, int]] = []
    top, left = 0, SHELL_PX
    for width in widths_px:
        if left + width > WIDE_PX:
            top, left = top + LONG_PX, SHELL_PX
        assert top + LONG_PX <= HIGH_PX - LINING_PX, "more locks than cells"
        cells.append((top, left))
        left += width
    return np.array(cells, np.int32).reshape(-1, 2)
