"""A performance at another rate: what a face does at the instants that pictures show."""

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import Frame


def frames_at(frames: Iterable[Frame], rate_hz: float) -> Iterator[Frame]:
    """Frames at 0, 1 / rate_hz, 2 / rate_hz ... up to the last one's time, blended from their neighbours.

    As they come: no more than two are held. Before the first one the face is the first one's.
    """
    step_s, shown = 1 / rate_hz, 0
    before: Frame | None = None
    for after in frames:
        while shown * step_s <= after.time_s + 1e-9:
            yield _between(before or after, after, shown * step_s)
            shown += 1
        before = after


def _between(before: Frame, after: Frame, time_s: float) -> Frame:
    gap_s = after.time_s - before.time_s
    share = np.float32(np.clip((time_s - before.time_s) / gap_s, 0, 1) if gap_s > 0 else 1)
    return Frame(
        time_s,
        before.weights + share * (after.weights - before.weights),
        _turned(before.head_wxyz, after.head_wxyz, share),
        _turned(before.left_eye_wxyz, after.left_eye_wxyz, share),
        _turned(before.right_eye_wxyz, after.right_eye_wxyz, share),
        before.tongue + share * (after.tongue - before.tongue),
    )


def _turned(
    before: Float32[np.ndarray, "4"], after: Float32[np.ndarray, "4"], share: np.float32
) -> Float32[np.ndarray, "4"]:
    """Part of the way the shorter way round; on the chord, which is near enough between neighbours."""
    way = after if float(before @ after) >= 0 else -after
    mixed = before + share * (way - before)
    return (mixed / np.sqrt(mixed @ mixed)).astype(np.float32)
