"""Which pictures of a video show the face at rest: its opening, if it begins so, else the calmest moment of its first minute.

pictures, tracked --frontal, lips together, eyes open, nothing moves--> the first such moment, or the least faulty one
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8

from avatar3d.core.errors import FaceUnusableError, NoFaceError
from avatar3d.photo.landmarks import Landmarks
from avatar3d.photo.measure import measure_face
from avatar3d.photo.track import Tracker

Picture = tuple[float, UInt8[np.ndarray, "H W 3"]]
"""Seconds since the beginning, and upright sRGB."""
LASTS_S: Final = 0.4
"""A moment at rest: so long the noise of a picture is averaged away."""
_SEARCHED_S: Final = 60.0
_MOST: Final = 16
"""Pictures of a moment."""
# What spoils a moment, each as much as the others; as for the main still of a turning head (choose.py).
_OFF_YAW, _OFF_PITCH = np.radians(10.0), np.radians(15.0)
_OFF_MOUTH: Final = 0.10
_BROAD, _OFF_SMILE = 1.00, 0.10
_OPEN_LIDS, _OFF_LIDS = 0.20, 0.05
_OFF_MOTION: Final = 0.02
"""Root mean square of how far landmarks move within it, IOD."""
_GOOD: Final = 2.0
"""A moment with less fault is taken without looking further."""
_TURNED: Final = np.radians(30.0)


@dataclass(frozen=True, eq=False)
class Calm:
    """A face at rest, in a few pictures."""

    pictures: tuple[UInt8[np.ndarray, "H W 3"], ...]
    landmarks_px: tuple[Float32[np.ndarray, "478 3"], ...]
    fault: float
    """0 is perfect."""
    turned_rad: float


@dataclass(frozen=True, eq=False)
class Search:
    """Moments looked at so far; step() returns the next state."""

    tracker: Tracker = field(default_factory=Tracker)
    moment: tuple[tuple[float, UInt8[np.ndarray, "H W 3"], Landmarks], ...] = ()
    """The pictures of the running moment."""
    best: Calm | None = None
    seen: int = 0
    """Pictures."""

    @property
    def found(self) -> bool:
        """Whether the best is good enough to stop."""
        return self.best is not None and self.best.fault < _GOOD

    def step(self, time_s: float, pixels: UInt8[np.ndarray, "H W 3"]) -> "Search":
        """One picture more."""
        tracker, landmarks = self.tracker.step(time_s, pixels)
        if landmarks is None:
            return Search(tracker, (), self.best, self.seen + 1)
        moment = (*self.moment, (time_s, pixels, landmarks))
        if time_s - moment[0][0] < LASTS_S and len(moment) < _MOST:
            return Search(tracker, moment, self.best, self.seen + 1)
        calm = _calm(moment)
        best = calm if self.best is None or calm.fault < self.best.fault else self.best
        return Search(tracker, (), best, self.seen + 1)

    def ended(self) -> Calm:
        """The best of all. Raises NoFaceError (13), or FaceUnusableError (15) when the face never looks ahead."""
        best = self.best or (_calm(self.moment) if self.moment else None)
        if best is None:
            raise NoFaceError(
                f"no face was found in its first {self.seen} pictures.",
                hint="Film one face from near in good light, nothing before it.",
            )
        if best.turned_rad > _TURNED:
            raise FaceUnusableError(
                f"the face is never turned to the camera by less than {np.degrees(best.turned_rad):.0f} degrees; "
                f"the limit is {np.degrees(_TURNED):.0f}.",
                hint="Begin with a calm face that looks into the camera for half a second.",
                id="FACE_TURNED",
            )
        return best


def find_calm(pictures: Iterable[Picture]) -> Calm:
    """The face at rest. Raises as `Search.ended`."""
    search = Search()
    for time_s, pixels in pictures:
        search = search.step(time_s, pixels)
        if search.found or time_s > _SEARCHED_S:
            break
    return search.ended()


def _calm(moment: tuple[tuple[float, UInt8[np.ndarray, "H W 3"], Landmarks], ...]) -> Calm:
    """What speaks against a moment, as a sum of squares: many small faults are better than a large one."""
    measures = measure_face(moment[0][1], moment[0][2])
    points = np.stack([landmarks.points_px for _, _, landmarks in moment])
    eyes = points[0, [33, 133], :2].mean(0) - points[0, [263, 362], :2].mean(0)
    motion = float(np.sqrt(((points[:, :, :2] - points[:, :, :2].mean(0)) ** 2).sum(-1).mean()) / np.hypot(*eyes))
    faults = (
        measures.yaw_rad / _OFF_YAW,
        measures.pitch_rad / _OFF_PITCH,
        measures.mouth_open / _OFF_MOUTH,
        max(0.0, measures.mouth_width - _BROAD) / _OFF_SMILE,
        max(0.0, _OPEN_LIDS - measures.eye_open) / _OFF_LIDS,
        motion / _OFF_MOTION,
    )
    return Calm(
        tuple(pixels for _, pixels, _ in moment),
        tuple(landmarks.points_px for _, _, landmarks in moment),
        float(sum(fault**2 for fault in faults)),
        abs(measures.yaw_rad),
    )
