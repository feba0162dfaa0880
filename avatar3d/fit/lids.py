"""How this person's lids rest: part of who they are, not of the moment.

A fitted eyeBlink of 0.2 in a photo with open eyes is a heavy lid. Left in the expression, the avatar's neutral would
stare; so the resting share moves into the neutral head. What exceeds it (a wink, a blink) stays expression.
"""

from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.core.blendshapes import ARKIT_INDEX

_RESTING: Final = ("eyeBlink", "eyeWide", "eyeSquint")
# More than this is a blink, not a lid.
_MOST: Final = 0.45
# A smile lifts the lower lid: this share of squint per unit of smile belongs to the smile.
_SMILE_SQUINT: Final = 1.0


def resting_lids(expression: Float64[np.ndarray, "52"]) -> Float64[np.ndarray, "52"]:
    """The lid weights to fold into the neutral head; zero elsewhere, never more than the expression has."""
    resting = np.zeros_like(expression)
    smile = np.mean([expression[ARKIT_INDEX[f"mouthSmile{side}"]] for side in ("Left", "Right")])
    for name in _RESTING:
        sides = [ARKIT_INDEX[f"{name}{side}"] for side in ("Left", "Right")]
        both = expression[sides].min()  # a wink is not how lids rest
        if name == "eyeSquint":
            both = max(0.0, both - _SMILE_SQUINT * smile)
        resting[sides] = np.minimum(expression[sides], min(both + 0.1, _MOST)) if both > 0 else 0
    return resting
