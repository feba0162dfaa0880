r"""A face that is followed, on one page: a video or a webcam in, Frames out.

pictures --tracker--> landmarks --laid on the calm face--> reader --> 51 weights --\
                                      \--> turn of the head ------------------------> made steady --> Frame

Nothing is looked ahead but for the calm face, so that a camera can be followed while it films. Where no face is seen the
last one stays for a moment, then comes to rest. tongueOut is never read off pictures; speaking.speak_video adds the
tongue that the sound tells.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from threadpoolctl import threadpool_limits

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES, Frame
from avatar3d.core.clock import Progress
from avatar3d.core.errors import InputError
from avatar3d.core.files import shown_path
from avatar3d.core.transforms import IDENTITY_WXYZ, quaternion_from_rotation_vector
from avatar3d.fit.neutral import Neutral, lay, neutral_of, turn_of
from avatar3d.fit.reader import SHAPES, Reader, answer, load_reader
from avatar3d.fit.steady import Steady, SteadyParams, steady_from
from avatar3d.live.track import presence
from avatar3d.photo.calm import Calm, Picture, Search, find_calm
from avatar3d.photo.footage import Footage, open_footage, pictures_of
from avatar3d.photo.track import Tracker
from avatar3d.photo.webcam import camera_pictures
from avatar3d.speech.performance.eyes import eye_wxyz

_SIDE_PX: Final = 1280
"""Larger pictures are reduced to it: the face is read at 44 pixels between the eyes."""
STEADY: Final = SteadyParams(cutoff_hz=2.5, per_speed=12.0)
AT_REST: Final = 0.04
"""What is less is the noise of a calm face: exactly 0."""
_STILL_RAD: Final = 0.012
"""A head turned by less is not turned."""
_DEPTH_GAIN: Final = 1.0
"""True depth over the detector's: bench/performances.py."""
_SIDEWAYS_RAD, _UP_RAD, _DOWN_RAD = np.radians([30.0, 22.0, 27.0])
"""What an eyeLook weight of 1 turns our eyeballs by (docs/decisions/0011)."""
_TOLD_S: Final = 5.0
_ANSWERS: Final = SHAPES + 3
"""Weights, and the head's rotation vector."""


@dataclass(frozen=True, eq=False)
class Follower:
    """One face up to now: a value, step() returns the next."""

    neutral: Neutral
    reader: Reader
    at_rest: Float32[np.ndarray, "51"]
    """What the reader answers to the neutral."""
    tracker: Tracker = field(default_factory=Tracker)
    curves: Steady | None = None
    seen_s: float = -np.inf

    @classmethod
    def of(cls, calm: Calm) -> "Follower":
        """A follower of the person whose calm face this is."""
        neutral, reader = neutral_of(calm.pictures, calm.landmarks_px), load_reader()
        return cls(neutral, reader, _mean_answer(reader, neutral, calm))

    def step(self, time_s: float, pixels: UInt8[np.ndarray, "H W 3"]) -> "tuple[Follower, Frame]":
        """The face in this picture."""
        tracker, landmarks = self.tracker.step(time_s, pixels)
        if landmarks is None:
            value = np.zeros(_ANSWERS) if self.curves is None else self.curves.value * presence(time_s - self.seen_s)
            return replace(self, tracker=tracker), frame_of(time_s, value)
        laid = lay(self.neutral, pixels, landmarks.points_px)
        weights = answer(self.reader, self.neutral, laid) - self.at_rest
        turned = rotation_vector(turn_of(laid.camera, _DEPTH_GAIN))
        seen = np.concatenate([np.clip(weights, -AT_REST, 1 + AT_REST).astype(np.float64), turned])
        curves = self._curves(time_s).step(time_s, seen) if self.curves else steady_from(STEADY, time_s, seen)
        return replace(self, tracker=tracker, curves=curves, seen_s=time_s), frame_of(time_s, curves.value)

    def _curves(self, time_s: float) -> Steady:
        """The curves so far; as they came to rest when the face was lost meanwhile."""
        assert self.curves is not None
        share = presence(time_s - self.seen_s)
        return self.curves if share == 1 else replace(self.curves, value=self.curves.value * share)


def follow(pictures: Iterable[Picture], calm: Calm) -> Iterator[Frame]:
    """A Frame for every picture, at its time."""
    follower = Follower.of(calm)
    for time_s, pixels in pictures:
        follower, frame = follower.step(time_s, pixels)
        yield frame


def follow_video(path: Path, *, progress: Progress = str) -> Iterator[Frame]:
    """A Frame for every picture of a video of one person, at its time in the file. The same file gives the same Frames.

    Best it begins with half a second of a calm face; else its calmest moment is taken for one.
    Raises UnreadableError (10), UnsupportedFormatError (11), LimitError (12), NoFaceError (13), FaceUnusableError (15);
    MissingExtraError (2) without PyAV.
    """
    return _followed(open_footage(path), progress)


def _followed(footage: Footage, progress: Progress) -> Iterator[Frame]:
    """Once for the calm face, once for the Frames."""
    with threadpool_limits(1):
        progress("looking for a calm face")
        try:
            calm = find_calm(_looked_at(_pictures(footage), progress))
        except InputError as error:
            if error.file is None:
                error.file = shown_path(footage.path)
                error.message = f'"{Path(error.file).name}": {error.message}'
                error.args = (f"{error.message} {error.hint}".strip(),)
            raise
        progress("following the face")
        yield from _told(follow(_pictures(footage), calm), footage.lasts_s, progress)


def follow_live(pictures: Iterable[Picture]) -> Iterator[Frame]:
    """A Frame for every picture as it comes; at rest until half a second of a calm face was seen."""
    search, follower = Search(), None
    for time_s, pixels in pictures:
        if follower is None:
            search = search.step(time_s, pixels)
            if search.found and search.best is not None:
                follower = Follower.of(search.best)
            yield frame_of(time_s, np.zeros(_ANSWERS))
            continue
        follower, frame = follower.step(time_s, pixels)
        yield frame


class Webcam:
    """A FrameSource: the face before a camera (0 is the first one). OpenCV takes a video's name in its place."""

    def __init__(self, source: int | str = 0, *, clock: Callable[[], float] | None = None) -> None:
        self._source, self._clock = source, clock

    async def frames(self) -> AsyncIterator[Frame]:
        """Frames as they come, read beside the event loop. Raises UnreadableError (10) when there is no such camera."""
        clocked = {} if self._clock is None else {"clock": self._clock}
        with closing(camera_pictures(self._source, **clocked)) as pictures:
            coming = follow_live(pictures)
            while (frame := await asyncio.to_thread(next, coming, None)) is not None:
                yield frame


def frame_of(time_s: float, curves: Float64[np.ndarray, "54"]) -> Frame:
    """What the curves say: weights and turns of a face at rest are exactly those of a neutral Frame."""
    weights = np.zeros(len(ARKIT_NAMES), np.float32)
    weights[:SHAPES] = np.clip((curves[:SHAPES] - AT_REST) / (1 - AT_REST), 0, 1)
    turned = curves[SHAPES:]
    angle = float(np.sqrt(turned @ turned))
    head = turned * max(1 - _STILL_RAD / angle, 0) if angle > _STILL_RAD else 0 * turned
    left, right = (eye_turn(weights, side) for side in ("Left", "Right"))
    return Frame(time_s, weights, quaternion_from_rotation_vector(head.astype(np.float32)), left, right)


def rotation_vector(rotation: Float64[np.ndarray, "3 3"]) -> Float64[np.ndarray, "3"]:
    """Axis times angle, radians, of a turn by less than half a circle."""
    axis = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
    sine = float(np.sqrt(axis @ axis)) / 2
    angle = np.arctan2(sine, (np.trace(rotation) - 1) / 2)
    return axis * (angle / (2 * sine)) if sine > 1e-9 else np.zeros(3)


def _mean_answer(reader: Reader, neutral: Neutral, calm: Calm) -> Float32[np.ndarray, "51"]:
    """To every picture of the calm face, so that their noise counts as rest, too."""
    laid = [lay(neutral, pixels, seen) for pixels, seen in zip(calm.pictures, calm.landmarks_px, strict=True)]
    return np.mean([answer(reader, neutral, one) for one in laid], axis=0, dtype=np.float32)


def eye_turn(weights: Float32[np.ndarray, "52"], side: str) -> Float32[np.ndarray, "4"]:
    """The eye's rotation, which says the same as its weights."""
    out, inward, up, down = (float(weights[ARKIT_INDEX[f"eyeLook{way}{side}"]]) for way in ("Out", "In", "Up", "Down"))
    if out == inward and up == down:
        return IDENTITY_WXYZ.copy()
    aside = (out - inward) * _SIDEWAYS_RAD
    return eye_wxyz(float(aside if side == "Left" else -aside), float(up * _UP_RAD - down * _DOWN_RAD))


def _pictures(footage: Footage) -> Iterator[Picture]:
    return ((still.time_s, still.pixels(_SIDE_PX)) for still in pictures_of(footage))


def _looked_at(pictures: Iterator[Picture], progress: Progress) -> Iterator[Picture]:
    """The same pictures; every five seconds of them are told, and the work can be stopped there."""
    told_s = 0.0
    for time_s, pixels in pictures:
        if time_s - told_s >= _TOLD_S:
            told_s = time_s
            progress(f"  {time_s:.0f} seconds")
        yield time_s, pixels


def _told(frames: Iterator[Frame], lasts_s: float, progress: Progress) -> Iterator[Frame]:
    """The same frames, told likewise."""
    told_s = 0.0
    for frame in frames:
        yield frame
        if frame.time_s - told_s >= _TOLD_S:
            told_s = frame.time_s
            progress(f"  {frame.time_s:.0f}{f' of {lasts_s:.0f}' if lasts_s else ''} seconds")
