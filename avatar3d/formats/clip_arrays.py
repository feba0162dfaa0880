"""A clip as arrays and back, and what is wrong with one: the door every clip file goes through."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.core.blendshapes import ARKIT_NAMES, TONGUE_NAMES, BlendshapeClip, Frame
from avatar3d.core.errors import OutputInvalidError

MAX_FRAMES: Final = 864_000
"""Four hours at 60 Hz: what one file may ask a reader to hold."""
# What float32, and the six decimals of a text file, may cost.
_WEIGHT_SLACK: Final = 1e-6
_UNIT_SLACK: Final = 1e-3


@dataclass(frozen=True, eq=False)
class ClipArrays:
    """All frames of a clip, stacked."""

    time_s: Float64[np.ndarray, "T"]
    weights: Float32[np.ndarray, "T 52"]
    """ARKIT_NAMES order, each in [0, 1]."""
    head: Float32[np.ndarray, "T 4"]
    """Unit quaternions wxyz, relative to rest; so are the eyes'."""
    eyes: Float32[np.ndarray, "T 2 4"]
    """Left, right."""
    tongue: Float32[np.ndarray, "T 4"]
    """TONGUE_NAMES order, each in [0, 1]."""


def stack_clip(clip: BlendshapeClip) -> ClipArrays:
    """The frames as arrays. Raises OutputInvalidError (30) when a frame is not what its noun promises."""
    frames = clip.frames
    arrays = ClipArrays(
        time_s=np.array([frame.time_s for frame in frames], np.float64),
        weights=np.array([frame.weights for frame in frames], np.float32).reshape(-1, len(ARKIT_NAMES)),
        head=np.array([frame.head_wxyz for frame in frames], np.float32).reshape(-1, 4),
        eyes=np.array([(each.left_eye_wxyz, each.right_eye_wxyz) for each in frames], np.float32).reshape(-1, 2, 4),
        tongue=np.array([frame.tongue for frame in frames], np.float32).reshape(-1, len(TONGUE_NAMES)),
    )
    fault = find_fault(arrays)
    if fault:
        raise OutputInvalidError(f"The clip cannot be written: {fault}.", id="CLIP_INVALID")
    return arrays


def unstack_clip(arrays: ClipArrays) -> BlendshapeClip:
    """The clip of these arrays, whose rows its frames share."""
    return BlendshapeClip(
        tuple(
            Frame(
                time_s=time_s,
                weights=arrays.weights[at],
                head_wxyz=arrays.head[at],
                left_eye_wxyz=arrays.eyes[at, 0],
                right_eye_wxyz=arrays.eyes[at, 1],
                tongue=arrays.tongue[at],
            )
            for at, time_s in enumerate(arrays.time_s.tolist())
        )
    )


def find_fault(arrays: ClipArrays) -> str:
    """The first promise these arrays break and where, as half a sentence; empty when they keep all."""
    count = len(arrays.time_s)
    if not 0 < count <= MAX_FRAMES:
        return f"it has {count:,} frames, expected 1 to {MAX_FRAMES:,}"
    finite = np.isfinite(arrays.time_s) & (arrays.time_s >= 0)
    if not finite.all():
        return f"frame {_first(~finite)} has a time that is negative, NaN or infinite"
    late = np.diff(arrays.time_s) > 0
    if not late.all():
        return f"frame {_first(~late) + 1} is not later than the one before"
    for what, values in (("weight", arrays.weights), ("tongue weight", arrays.tongue)):
        inside = (values >= -_WEIGHT_SLACK) & (values <= 1 + _WEIGHT_SLACK)  # false for NaN
        if not inside.all():
            return f"frame {_first(~inside.all(1))} has a {what} outside 0 to 1"
    turns = np.concatenate([arrays.head[:, None], arrays.eyes], axis=1).astype(np.float64)
    unit = np.abs(np.linalg.norm(turns, axis=2) - 1) < _UNIT_SLACK
    if not unit.all():
        return f"frame {_first(~unit.all(1))} has a rotation that is not a unit quaternion"
    return ""


def _first(wrong: np.ndarray) -> int:
    return int(np.argmax(wrong))
