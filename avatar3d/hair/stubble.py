"""Hair clipped so short that it is no shape any more: the scalp beside a shaved head is greyer than its forehead."""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32

# Where the sides of the scalp show: height over the eyes, and how far in from the head's outline the scalp and then the
# bare forehead lie (inter-ocular distances).
_SIDES: Final = (0.35, 1.15)
_SCALP: Final = (0.07, 0.24)
_FOREHEAD: Final = (0.42, 0.64)
# Chroma of the scalp in that of the forehead, all stubble to none: grey stubble has 0.37 to 0.53, six shaved heads 0.57 to
# 0.93. What is darker by so much (Lab lightness) lies in shadow and tells nothing.
_GREYER: Final = (0.42, 0.58)
_DARKER: Final = (-11.0, -6.0)
_FEWEST_ROWS: Final = 10
# Where it is drawn: so far in from the outline, at such heights, and where chroma is such a share of the forehead's.
_BESIDE: Final = (0.28, 0.42)
_REACHES: Final = (-0.25, 0.0, 1.05, 1.45)
_GREY: Final = (0.60, 0.85)
_SOFT_PX: Final = 1.5


def find_stubble(
    lab: Float32[np.ndarray, "H W 3"],
    head: Float32[np.ndarray, "H W"],
    hair: Float32[np.ndarray, "H W"],
    eyes_row: float,
    iod_px: float,
) -> tuple[float, Float32[np.ndarray, "H W"]]:
    """How much stubble there is, 0 to 1, and where it shows; `head` is the probability of anybody's head,
    `hair` that of hair, too little to be a head of it.

    One side tells for both, because the other often lies in shadow.
    """
    inside = head > 0.5
    soft = cv2.GaussianBlur(lab, (0, 0), 1.0)
    chroma = np.hypot(soft[..., 1], soft[..., 2])
    rows = range(*(int(eyes_row - height * iod_px) for height in reversed(_SIDES)))
    amount, skin_chroma = 0.0, 1.0
    for turned in (slice(None), slice(None, None, -1)):
        found: list[tuple[float, float, float]] = []
        for row in rows:
            columns = np.flatnonzero(inside[row, turned])
            if len(columns) < 2 * _FOREHEAD[1] * iod_px:
                continue
            scalp, bare = (slice(*(int(columns[0] + far * iod_px) for far in part)) for part in (_SCALP, _FOREHEAD))
            line, light = chroma[row, turned], soft[row, turned, 0]
            own = max(float(np.median(line[bare])), 1.0)
            found.append(
                (own, float(np.median(line[scalp])) / own, float(np.median(light[scalp]) - np.median(light[bare])))
            )
        if len(found) >= _FEWEST_ROWS:
            own, grey, lighter = (float(value) for value in np.median(np.array(found), axis=0))
            here = float(np.interp(grey, _GREYER, (1, 0)) * np.interp(lighter, _DARKER, (0, 1)))
            amount, skin_chroma = (here, own) if here > amount else (amount, skin_chroma)
    from_outline = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3) / iod_px
    height = (eyes_row - np.arange(len(lab))[:, None]) / iod_px
    beside = np.interp(from_outline, _BESIDE, (1, 0)) * np.interp(height, _REACHES, (0, 1, 1, 0))
    grey = np.maximum(np.interp(chroma / skin_chroma, _GREY, (1, 0)), hair)
    return amount, (inside * beside * cv2.GaussianBlur(grey, (0, 0), _SOFT_PX)).astype(np.float32)
