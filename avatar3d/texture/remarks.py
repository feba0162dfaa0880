"""What a finished avatar bears of its photo, told to whoever made it: faults that no gate could know before."""

import math
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.photo import FaceObservation, Light
from avatar3d.render.lights import LUMINANCE
from avatar3d.texture.regions import OVAL, fill_polygon

_SIDE_DEG: Final = 50.0
"""The cheeks look about so far to either side."""
_ONE_SIDED: Final = 1.1
"""Difference of both sides' light in log luminance: beyond it shade stays on the skin (13 of 94 official portraits)."""
_COVERED: Final = 0.08
"""Share of the face behind hair or things: 6 of those 94."""


def remarks(face: FaceObservation, light: Light, hidden: Float32[np.ndarray, "H W"]) -> tuple[str, ...]:
    """Sentences for people; none when nothing is known to be wrong.

    `light` is the photo's, in the head's frame; `hidden` says, over the photo, how surely something lies before the face.
    """
    said: list[str] = []
    turn = math.radians(_SIDE_DEG)
    cheeks = np.array([[math.sin(turn), 0, math.cos(turn)], [-math.sin(turn), 0, math.cos(turn)]], np.float32)
    left, right = np.log(np.maximum(light.shade(cheeks) @ LUMINANCE, 1e-3))
    if abs(left - right) > _ONE_SIDED:
        brighter = "left" if left > right else "right"
        said.append(
            f"The light comes from the person's {brighter}, {math.exp(abs(left - right)):.0f} times as bright as on the other "
            "side: some of its shade stays on the skin. A photo in even light gives cleaner skin."
        )
    height, width = hidden.shape
    scale = np.float32(width / face.photo.pixels.shape[1])
    oval = fill_polygon((height, width), scale * face.landmarks_px[list(OVAL)])
    covered = float((hidden * oval).sum() / max(float(oval.sum()), 1.0))
    if covered > _COVERED:
        said.append(
            f"Hair or something else covers {covered:.0%} of the face: the skin behind it is guessed. A photo with the hair "
            "drawn back gives a truer head."
        )
    return tuple(said)
