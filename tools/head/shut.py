"""Close what should be shut: the mean head's lips, and the lids of its blink.

ICT's neutral parts the lips by up to 0.7 mm in the middle, and its eyeBlink leaves up to 1 mm open.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int32

from tools.head.skin import smoothstep


@dataclass(frozen=True, eq=False)
class Gap:
    """Two facing rims, seen from the front."""

    upper: int
    """Label of the upper rim's vertices (register.sides)."""
    lower: int
    from_x_m: float
    to_x_m: float
    window_m: float
    """Half the width of the column in which each rim's extreme is looked for."""
    reach_m: float
    """The correction fades out over this height above and below the gap."""
    upper_share: float
    """How much of the way the upper rim goes."""
    overlap_m: float
    """Between the vertices the rims are chords: they meet only if their extremes overlap a little."""


LIPS = Gap(
    upper=1, lower=2, from_x_m=-0.024, to_x_m=0.024, window_m=0.004, reach_m=0.006, upper_share=0.5, overlap_m=0.00025
)
LEFT_LIDS = Gap(
    upper=3, lower=4, from_x_m=0.019, to_x_m=0.046, window_m=0.002, reach_m=0.008, upper_share=0.8, overlap_m=0.0003
)
_WIDEST_M = 0.002


def close_gap(
    vertices: Float64[np.ndarray, "v 3"], side: Int32[np.ndarray, "v"], gap: Gap
) -> Float64[np.ndarray, "v 3"]:
    """Move both rims towards each other, column by column, fading upwards and downwards."""
    columns = np.linspace(gap.from_x_m, gap.to_x_m, 25)
    bottom, top = np.full(len(columns), np.nan), np.full(len(columns), np.nan)
    for label, result, pick in ((gap.upper, bottom, np.argmin), (gap.lower, top, np.argmax)):
        rim = np.flatnonzero(side == label)
        for i, x in enumerate(columns):
            near = rim[np.abs(vertices[rim, 0] - x) < gap.window_m]
            if len(near):
                result[i] = vertices[near[pick(vertices[near, 1])], 1]
    known = np.isfinite(bottom) & np.isfinite(top)
    opening = np.clip(np.where(known, bottom - top, -1) + gap.overlap_m, 0, _WIDEST_M)
    line = np.where(known, 0.5 * (bottom + top), 0.0)
    x = vertices[:, 0]
    here = np.interp(x, columns, opening, left=0, right=0)
    height = vertices[:, 1] - np.interp(x, columns[known], line[known])
    fade = here * smoothstep(1 - np.abs(height) / gap.reach_m)
    moved = vertices.copy()
    moved[:, 1] -= gap.upper_share * fade * (side == gap.upper)
    moved[:, 1] += (1 - gap.upper_share) * fade * (side == gap.lower)
    return moved
