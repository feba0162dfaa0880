"""A performance at another rate: what a face does at the instants that pictures show."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from avatar3d.core.blendshapes import Frame, blend_frames


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
    share = float(np.clip((time_s - before.time_s) / gap_s, 0, 1)) if gap_s > 0 else 1.0
    return replace(blend_frames(before, after, share), time_s=time_s)
