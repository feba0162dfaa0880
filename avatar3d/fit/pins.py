"""Landmarks that somebody put where they belong: the head follows them nearly exactly, and bends smoothly around them.

pins --in place of what was observed, and firmer--> settle --> what is left, on the head as shown --> the skin bent

The person is known from the photo before pins come in (Meeting), so that a wrong pin cannot make somebody else of them.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.core.errors import UnreadableError
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation, Photo
from avatar3d.core.sitting import Pins, Sitting
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.fit.basis import SEEN, SKIN_LANDMARKS, landmark_basis
from avatar3d.fit.camera import View
from avatar3d.fit.energies import State
from avatar3d.fit.fit import Meeting
from avatar3d.fit.gaze import LEFT_IRIS, RIGHT_IRIS
from avatar3d.fit.person import FitParams, gather
from avatar3d.head.bend import bend_field
from avatar3d.head.deform import pose_head

_FURTHEST_M: Final = 0.012
"""The skin is bent no further for one pin, in all: beyond this it would fold (see head/bend.py)."""
_ROUNDS: Final = 1
"""After a first one on the bare fit, which costs nothing."""
_NEAR_IOD: Final = 5e-4
"""Pins this near are met ..."""
_MISSED_IOD: Final = 0.05
"""... and those this far off are told."""
_FEW, _ELSEWHERE_IOD = 10, 0.5
"""So many pins, of which most are so far off, are mistaken for others."""


def with_pins(meeting: Meeting, pins: Pins) -> Meeting:
    """The photo's evidence with pins in place of what was observed there.

    Raises UnreadableError (10, PINS_INVALID) when most of them lie on no feature of this face, as when left is taken for right.
    """
    face, evidence = meeting.face, meeting.evidence
    landmarks = face.landmarks_px.copy()
    off = np.linalg.norm(landmarks[pins.landmarks] - pins.points_px, axis=1)
    between_eyes = float(np.linalg.norm(landmarks[[33, 133]].mean(0) - landmarks[[263, 362]].mean(0)))
    if len(off) >= _FEW and np.median(off) > _ELSEWHERE_IOD * between_eyes:
        raise UnreadableError(
            f"most of the {len(off)} pins lie {np.median(off) / between_eyes:.1f} eye distances or more from where the photo shows "
            "their landmarks: no head looks like that.",
            hint="Left and right are the person's own; x counts from the picture's left, y from its top.",
            id="PINS_INVALID",
        )
    for iris in (RIGHT_IRIS, LEFT_IRIS):  # its rim goes with a pinned centre
        moved = pins.points_px[pins.landmarks == iris.start]
        landmarks[iris] += (moved - landmarks[iris.start]).sum(0)
    landmarks[pins.landmarks] = pins.points_px
    height, width = face.photo.pixels.shape[:2]
    seen = landmarks[evidence.basis.index].astype(np.float64) - np.array([width / 2, height / 2])
    evidence = replace(
        evidence,
        seen=replace(evidence.seen, points_px=seen),
        pinned=np.isin(evidence.basis.index, pins.landmarks),
    )
    return replace(meeting, face=replace(face, landmarks_px=landmarks), evidence=evidence)


def pull_to_pins(
    model: HeadModel, fitted: HeadFit, pins: Pins, *, shown: Callable[[HeadFit], HeadFit] = lambda fitted: fitted
) -> HeadFit:
    """The fit bent so that its skin meets the pins, as far as skin bends. Pins of irises are left to the gaze.

    `shown` gives the fit as an asset will show it, with its own shapes and lips.
    """
    on_skin = pins.landmarks < SKIN_LANDMARKS
    chosen = Pins(pins.landmarks[on_skin], pins.points_px[on_skin])
    if len(chosen.landmarks) == 0:
        return fitted
    straight, shifts = bent(model, fitted, Pins(chosen.landmarks[:0], chosen.points_px[:0])), np.float32(0)
    now = straight
    for first in (True, *[False] * _ROUNDS):
        seen = now if first else shown(now)
        if not first and (pin_misses(model, seen, chosen) < _NEAR_IOD * _iod_px(model, seen)).all():
            break
        shifts = shifts + _still_to_go(model, seen, chosen)
        length = np.linalg.norm(shifts, axis=1, keepdims=True)
        shifts = (shifts * np.minimum(1, _FURTHEST_M / np.maximum(length, 1e-9))).astype(np.float32)
        now = bent(model, straight, chosen, shifts)
    return now


def bent(model: HeadModel, fitted: HeadFit, pins: Pins, shifts_m: Float32[np.ndarray, "P 3"] | None = None) -> HeadFit:
    """The fit with its skin bent at these landmarks, by these shifts (metres), and nowhere else."""
    shifts = np.zeros((len(pins.landmarks), 3), np.float32) if shifts_m is None else shifts_m
    straight = fitted.neutral - bend_field(model, fitted.pins, fitted.pin_shifts_m)
    neutral = (straight + bend_field(model, pins.landmarks, shifts)).astype(np.float32)
    posed = pose_head(
        model, neutral, fitted.expression, fitted.left_eye_wxyz, fitted.right_eye_wxyz, smile_lean=fitted.smile_lean
    )
    return replace(fitted, neutral=neutral, posed=posed, pins=pins.landmarks, pin_shifts_m=shifts)


def shown_landmarks(model: HeadModel, fitted: HeadFit) -> Float32[np.ndarray, "478 2"]:
    """Where the posed head's landmarks fall, pixels of the photo."""
    return fitted.camera.project(_landmarks(model, fitted.posed))


def pin_misses(model: HeadModel, fitted: HeadFit, pins: Pins) -> Float32[np.ndarray, "P"]:
    """How far from each pin its landmark falls, pixels."""
    return np.linalg.norm(shown_landmarks(model, fitted)[pins.landmarks] - pins.points_px, axis=1)


def told_landmarks(model: HeadModel, fitted: HeadFit, pins: Pins | None = None) -> dict[str, Any]:
    """For `--json`: the fitted head's landmarks in the photo, and how nearly it meets the pins."""
    if pins is None:
        return {"landmarks_px": _rounded(shown_landmarks(model, fitted))}
    iod = _iod_px(model, fitted)
    met = zip(pins.landmarks.tolist(), pin_misses(model, fitted, pins).tolist(), strict=True)
    told = [{"landmark": landmark, "off_px": round(off, 3), "off_iod": round(off / iod, 5)} for landmark, off in met]
    return {"landmarks_px": _rounded(shown_landmarks(model, fitted)), "pins": told}


def missed_pins(model: HeadModel, fitted: HeadFit, pins: Pins | None) -> tuple[str, ...]:
    """A sentence on each pin that the fitted head does not meet."""
    if pins is None:
        return ()
    off = pin_misses(model, fitted, pins) / _iod_px(model, fitted)
    return tuple(
        f"The pin of landmark {landmark} is missed by {miss:.0%} of the distance between the eyes: is it where you meant?"
        for landmark, miss in zip(pins.landmarks.tolist(), off.tolist(), strict=True)
        if miss > _MISSED_IOD
    )


def sitting_of(meeting: Meeting) -> Sitting:
    """What to keep of a photo, so that pins can be set without it."""
    height, width = meeting.face.photo.pixels.shape[:2]
    return Sitting(meeting.face.photo.sha256, (width, height), meeting.face.landmarks_px, packed(meeting.known))


def meeting_again(model: HeadModel, sitting: Sitting) -> Meeting:
    """The meeting that a sitting was kept of, as far as `settle` looks at it: nobody may look at its pixels.

    Raises ValueError for a sitting that does not belong to this head.
    """
    basis, known = landmark_basis(model), unpacked(sitting.known, len(model.identity))
    width, height = sitting.size_px
    blank = np.broadcast_to(np.zeros(3, np.uint8), (height, width, 3))
    photo = Photo("", blank, None, known.view.focal_px, sitting.photo_sha256)
    person = np.broadcast_to(np.True_, (height, width))
    face = FaceObservation(photo, sitting.landmarks_px, np.zeros(len(sitting.landmarks_px), np.float32), person)
    return Meeting(face, gather(basis, face, FitParams(), None), known, np.zeros((0, 0)))


def packed(state: State) -> Float64[np.ndarray, "C"]:
    """A state as one row of numbers."""
    view = state.view
    head = [view.rotation.ravel(), view.place_px, [view.scale_px, view.focal_px]]
    return np.concatenate([*head, state.identity, state.expression])


def unpacked(numbers: Float64[np.ndarray, "C"], identities: int) -> State:
    """The state that `packed` made a row of. Raises ValueError for a row of another length."""
    if len(numbers) != 13 + identities + len(SEEN):
        raise ValueError(f"{13 + identities + len(SEEN)} numbers, got {len(numbers)}")
    view = View(numbers[:9].reshape(3, 3), numbers[9:11], float(numbers[11]), float(numbers[12]))
    return State(view, numbers[13 : 13 + identities], numbers[13 + identities :])


def _landmarks(model: HeadModel, vertices: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "478 3"]:
    corners = vertices[model.triangles[model.landmark_triangles]]
    return np.einsum("lc,lcd->ld", model.landmark_barycentric, corners).astype(np.float32)


def _rounded(points: Float32[np.ndarray, "N 2"]) -> list[list[float]]:
    return [[round(float(x), 3), round(float(y), 3)] for x, y in points]


def _iod_px(model: HeadModel, fitted: HeadFit) -> float:
    seen = shown_landmarks(model, fitted)
    return float(np.linalg.norm(seen[[33, 133]].mean(0) - seen[[263, 362]].mean(0)))


def _still_to_go(model: HeadModel, fitted: HeadFit, pins: Pins) -> Float32[np.ndarray, "P 3"]:
    """Head-frame shifts (metres), square to the line of sight, that bring each pinned landmark under its pin."""
    camera, places = fitted.camera, _landmarks(model, fitted.posed)[pins.landmarks]
    off = pins.points_px - camera.project(places)
    metres = off * camera.view(places)[:, 2:] / camera.focal_px
    aside = np.concatenate([metres, np.zeros((len(metres), 1), np.float32)], axis=1)
    return (aside @ matrix_from_quaternion(camera.rotation_wxyz)).astype(np.float32)
