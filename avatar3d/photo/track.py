"""One face, followed from picture to picture: where it was tells where to look next.

picture --around the last place, or found anew--> landmarks of the same face, or none --> Tracker for the next picture
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import UInt8

from avatar3d.photo.faces import glance
from avatar3d.photo.landmarks import FaceSquare, Landmarks, find_landmarks, square_around

_TURNS_RAD: Final = (-0.06, 0.06)
"""Four looks a picture, two of them mirrored: a third of the time of a photo's twelve."""
_LOOSE: Final = 0.04
"""Looks that disagree by more show no face; photos of faces have .01 to .02, and .03 when half covered."""
_PATIENCE_S: Final = 1.0
"""So long after a face was lost, another one elsewhere is not taken for it."""
_NEAR: Final = 0.6
"""Where it may appear again meanwhile: so many sides of its square away, and smaller or larger by this factor."""


@dataclass(frozen=True, eq=False)
class Tracker:
    """Where the face was seen last; step() returns the next."""

    square: FaceSquare | None = None
    seen_s: float = -np.inf
    """When."""

    def step(self, time_s: float, pixels: UInt8[np.ndarray, "H W 3"]) -> tuple["Tracker", Landmarks | None]:
        """The face in this picture: the one that is followed, or the largest when there is none."""
        found = None
        if self.square is not None and time_s - self.seen_s < _PATIENCE_S:
            found = _sure(find_landmarks(pixels, self.square, turns_rad=_TURNS_RAD, scales=(1,)))
        if found is None:
            found = self._anew(time_s, pixels)
        if found is None:
            return self, None
        return replace(self, square=square_around(found.points_px), seen_s=time_s), found

    def _anew(self, time_s: float, pixels: UInt8[np.ndarray, "H W 3"]) -> Landmarks | None:
        face = glance(pixels)
        if face is None:
            return None
        there = square_around(face.landmarks.points_px)
        if self.square is not None and time_s - self.seen_s < _PATIENCE_S:
            apart = float(np.linalg.norm(there.centre_px - self.square.centre_px)) / self.square.side_px
            if apart > _NEAR or abs(np.log(there.side_px / self.square.side_px)) > _NEAR:
                return None
        return _sure(find_landmarks(pixels, there, turns_rad=_TURNS_RAD, scales=(1,)))


def _sure(landmarks: Landmarks | None) -> Landmarks | None:
    return landmarks if landmarks is not None and landmarks.spread < _LOOSE else None
