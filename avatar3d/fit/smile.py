"""Which corner of the mouth smiles more: a habit of the person, as far as one smile tells."""

from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX

_BELIEVED: Final = 0.7
"""Share of what is seen. Of 47 smiling portraits (left - right) / (left + right) spreads by .06, the largest .15, and goes
with neither the head's turn (r = .18) nor a side (mean -.003): it is no error of the pose."""
_MOST: Final = 0.12
_SMILING: Final = (0.15, 0.35)
"""Mean weight of both corners: below the first a smile tells nothing, from the second on all it can."""


def smile_lean(expression: Float32[np.ndarray, "52"]) -> float:
    """HeadFit.smile_lean of a person with this expression, whose weights are of shapes that do not lean."""
    left, right = (float(expression[ARKIT_INDEX[f"mouthSmile{side}"]]) for side in ("Left", "Right"))
    mean = (left + right) / 2
    sure = np.clip((mean - _SMILING[0]) / (_SMILING[1] - _SMILING[0]), 0, 1)
    leaning = _BELIEVED * float(sure) * (left - right) / max(left + right, 1e-6)
    return float(np.float32(np.clip(leaning, -_MOST, _MOST)))
