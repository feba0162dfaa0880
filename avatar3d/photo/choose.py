"""Which stills of a video stand for photos: the most frontal, sharp and calm one, then some turned to each side.

stills --a glance at each--> looks --the best two for every turn--> the best that the photo's door lets in --> photos
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from avatar3d.core.clock import Progress
from avatar3d.core.errors import InputError, NoFaceError, UnreadableError
from avatar3d.core.files import shown_path
from avatar3d.core.photo import Photo
from avatar3d.photo.faces import glance
from avatar3d.photo.gates import BESIDE, GateParams, check_face
from avatar3d.photo.measure import FaceMeasures, measure_face
from avatar3d.photo.observe import observe_face
from avatar3d.photo.video import Reel, Still, load_video, stills

LOOKED_AT: Final = 40
_LOOK_PX: Final = 1920
"""A glance at a larger picture tells no more."""
_FRONT: Final = 0
_TURNS_DEG: Final = (-20, 20, -40, 40)
"""Yaws wanted beside the front: the smaller tell the shape best, the larger show sides and ears (decision 0023)."""
_LEAST_TURN_DEG, _BETWEEN_DEG = 12.0, 30.0
"""A head turned by less is no side; where the two wanted yaws of a side part."""
_APART_DEG: Final = 8.0
"""Stills turned less apart than this show the same."""
_KEPT: Final = 2
"""Looks per turn, should the door refuse the best."""
_TOLD: Final = 10

# What spoils a still: each of these as much as the others. Degrees, shares of the IOD, and of an eye's width.
_OFF_YAW_DEG, _OFF_PITCH_DEG = 10.0, 15.0
_OFF_BLUR, _OFF_CUT = 0.015, 0.08
_OFF_MOUTH: Final = 0.10
_BROAD, _OFF_SMILE = 1.00, 0.10
_OPEN_LIDS, _OFF_LIDS = 0.24, 0.05


@dataclass(frozen=True, eq=False)
class Look:
    """What a glance at a still found."""

    still: Still
    yaw_deg: float
    """Positive when the head is turned to the person's left."""
    fault: float
    """How far it is from what is wanted; 0 is perfect."""


def choose_stills(path: Path, *, face: str = "only", progress: Progress = str) -> list[Photo]:
    """The best stills of a video of one person, the main one first, at most five; the same file gives the same ones.

    face: as in `observe_face`, of the main still. `progress` hears how many have been looked at, and which are taken.
    Raises as `load_video`; NoFaceError (13), SeveralFacesError (14) or FaceUnusableError (15) when none can be the main
    one, with the most frequent reason.
    """
    reel = load_video(path)
    looks, refusals = _look_at_all(reel, progress)
    taken: list[tuple[Look, Photo]] = []
    for turn, found in looks.items():
        for look in found:
            if any(abs(look.yaw_deg - other.yaw_deg) < _APART_DEG for other, _ in taken):
                continue
            photo = _photo(reel, look.still)
            refusal = _refusal(photo, face if turn == _FRONT or not face.isdigit() else "only", _limits(turn))
            if refusal is None:
                taken.append((look, photo))
                break
            refusals.append(refusal)
        if not taken:
            error = _useless(reel, refusals)
            error.file = shown_path(path)
            raise error
    progress(f"  {reel.file}: taken at {', '.join(_told(look) for look, _ in taken)}")
    yaws = [look.yaw_deg for look, _ in taken]
    (_, main), *sides = taken
    return [replace(main, warnings=(*reel.warnings, *_unseen(yaws))), *(photo for _, photo in sides)]


def _look_at_all(reel: Reel, progress: Progress) -> tuple[dict[int, list[Look]], list[InputError]]:
    """The best looks for each turn, the front first; and why others cannot be the front."""
    looks: dict[int, list[Look]] = {turn: [] for turn in (_FRONT, *_TURNS_DEG)}
    refusals: list[InputError] = []
    for index, still in enumerate(stills(reel, LOOKED_AT), start=1):
        pixels = still.pixels(_LOOK_PX)
        seen = glance(pixels)
        if seen is None:
            refusals.append(NoFaceError("no face"))
        else:
            measures = measure_face(pixels, seen.landmarks)
            yaw_deg = math.degrees(measures.yaw_rad)
            for turn in _turns(yaw_deg):
                try:
                    check_face(_called(reel, still), measures, spread=seen.landmarks.spread, params=_limits(turn))
                except InputError as error:
                    refusals += [error] if turn == _FRONT else []
                else:
                    look = Look(still, yaw_deg, _fault(measures, turn))
                    looks[turn] = sorted([*looks[turn], look], key=lambda one: one.fault)[:_KEPT]
        if index % _TOLD == 0:
            progress(f"  {reel.file}: {index} of {min(LOOKED_AT, len(reel.ticks))} pictures")
    return looks, refusals


def _turns(yaw_deg: float) -> Sequence[int]:
    """What a head turned so far may serve as."""
    if abs(yaw_deg) < _LEAST_TURN_DEG:
        return (_FRONT,)
    right, left, far_right, far_left = _TURNS_DEG
    near = abs(yaw_deg) < _BETWEEN_DEG
    return (_FRONT, (left if near else far_left) if yaw_deg > 0 else (right if near else far_right))


def _limits(turn: int) -> GateParams:
    return GateParams() if turn == _FRONT else BESIDE


def _fault(face: FaceMeasures, turn: int) -> float:
    """A sum of squares: many small faults are better than a large one."""
    faults = (
        (math.degrees(face.yaw_rad) - turn) / _OFF_YAW_DEG,
        math.degrees(face.pitch_rad) / _OFF_PITCH_DEG,
        face.blur / _OFF_BLUR,
        max(face.cut_chin, face.cut_side, face.cut_brow) / _OFF_CUT,
        face.mouth_open / _OFF_MOUTH,
        max(0.0, face.mouth_width - _BROAD) / _OFF_SMILE,
        max(0.0, _OPEN_LIDS - face.eye_open) / _OFF_LIDS,
    )
    return sum(fault**2 for fault in faults)


def _called(reel: Reel, still: Still) -> str:
    return f"{reel.file} at {still.time_s:.2f} s"


def _photo(reel: Reel, still: Still) -> Photo:
    pixels = still.pixels()
    size = (pixels.shape[1], pixels.shape[0])
    return Photo(reel.name, pixels, None, None, reel.sha256, file=_called(reel, still), size_px=size)


def _refusal(photo: Photo, face: str, limits: GateParams) -> InputError | None:
    """Why the photo's door does not let it in."""
    try:
        observe_face(photo, face=face, limits=limits)
    except InputError as error:
        return error
    return None


def _useless(reel: Reel, refusals: Sequence[InputError]) -> InputError:
    """Why no still can be the main one: the most frequent reason, by its first case."""
    if not refusals:
        return UnreadableError(
            f'"{reel.file}": none of its {len(reel.ticks)} pictures can be decoded.',
            hint="Copy the file again from the phone.",
            id="VIDEO_CORRUPT",
        )
    faces = [error for error in refusals if not isinstance(error, NoFaceError)]
    if not faces:
        return NoFaceError(
            f'"{reel.file}": no face was found in {len(refusals)} of its pictures.',
            hint="Film the head from near in good light, looking at the camera first, with nothing before the face.",
        )
    (often, _), *_ = Counter(error.id for error in faces).most_common(1)
    first = next(error for error in faces if error.id == often)
    what = f'"{reel.file}": none of {len(refusals)} pictures can be the main one. {first.message}'
    return type(first)(what, hint=first.hint, id=often)


def _told(look: Look) -> str:
    side = "left" if look.yaw_deg > 0 else "right"
    return f"{look.still.time_s:.2f} s ({abs(look.yaw_deg):.0f} degrees to the {side})"


def _unseen(yaws_deg: Sequence[float]) -> Sequence[str]:
    """A sentence on the side that no still shows. A head turned to its left shows its right."""
    to_left, to_right = max(yaws_deg) >= _LEAST_TURN_DEG, min(yaws_deg) <= -_LEAST_TURN_DEG
    if to_left and to_right:
        return ()
    if not to_left and not to_right:
        return (
            "The head hardly turns in the video, which tells little more than one photo: film it turning to both sides.",
        )
    way, hidden = ("right", "left") if to_left else ("left", "right")
    return (
        f"The head is never turned to its {way} in the video: its {hidden} side is guessed unless a photo shows it.",
    )
