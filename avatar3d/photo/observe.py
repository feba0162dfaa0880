"""Find the face in a photo, measure it, and refuse what cannot become an avatar, with numbers."""

import math
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from avatar3d.core.errors import FaceUnusableError, NoFaceError, SeveralFacesError, UsageError
from avatar3d.core.photo import FaceObservation, Photo
from avatar3d.photo.faces import Face, Faces, find_faces
from avatar3d.photo.gates import GateParams, check_face, check_picture, turned_error
from avatar3d.photo.landmarks import cut_chip, square_around
from avatar3d.photo.measure import FaceMeasures, measure_face, yaw_of_box
from avatar3d.photo.mediapipe import person_mask
from avatar3d.photo.picture import measure_picture

COMPARABLE = 0.4
"""A second face this large beside the largest is one that may have been meant."""
_PROFILE_SCORE = 0.80
"""Detector scores of boxes the mesh refuses: profiles 0.82 to 0.95 (or their mirror images), things that are no faces up to 0.78."""
_DOUBTFUL, _CLEARLY = 0.78, 0.85
"""A face of so low a second score is none when a box on which the mesh saw nothing scores so high (70 to 75 degrees)."""
_COLLAPSED = 0.15
"""Eyes so close, in sides of such a box, on which the looks disagree, are no small face: the mesh has collapsed on a profile."""
_MESH_FAILS_DEG = 40.0
"""Beyond this yaw (as the mesh sees it), looks that disagree mean that the face is turned further still."""
_MESH_SETTLES_DEG = 70.0
"""Up to this yaw the mesh settles on every face, so a strong box on which it does not is turned further."""
_SMALLEST_PICTURE_PX = 64
_MASK_SIDE_PX = 1024
_MISSES_THE_FACE = 0.8
_IOD_M = 0.063


def observe_face(photo: Photo, *, face: str = "only", limits: GateParams | None = None) -> FaceObservation:
    """The one face of a photo: landmarks, relative depth, person mask, warnings.

    face: "only" refuses several comparable faces, "largest" takes the largest, "0", "1"... count from the left of the
    picture. A head that lies on its side or upside down is turned by quarters with its photo (observation.photo).
    Raises NoFaceError (13), SeveralFacesError (14), FaceUnusableError (15), each with the measured number.
    """
    if face not in ("only", "largest") and not (face.isdigit() and face.isascii()):
        raise UsageError(f"face {face!r} is not a choice.", hint='Say "only", "largest", or 0, 1, 2 from the left.')
    limits = limits or GateParams()
    faces = _believable(find_faces(photo.pixels), photo, limits)
    if not faces:
        raise _nobody(photo)
    name = _called(photo)
    chosen, measures, warnings = _choose(photo, faces, face)
    disagree = chosen.landmarks.spread > limits.loose and measures.blur <= limits.blur
    if disagree and abs(math.degrees(measures.yaw_rad)) > _MESH_FAILS_DEG:
        raise turned_error(name, max(measures.yaw_rad, yaw_of_box(chosen.box), key=abs), limits.turned_deg, about=True)
    known_m = None if photo.focal_px is None else photo.focal_px * _IOD_M / measures.iod_px
    said = check_face(name, measures, spread=chosen.landmarks.spread, known_m=known_m, params=limits)
    warnings = [*warnings, *said]
    points = chosen.landmarks.points_px
    quarters = round(square_around(points).roll_rad / (math.pi / 2)) % 4
    if quarters:
        warnings.append(f"The head lies on its side or upside down: the picture is turned by {90 * quarters} degrees.")
    upright = _turned(photo, quarters)
    points = _turned_points(points, photo.pixels.shape[1], photo.pixels.shape[0], quarters)
    return FaceObservation(
        photo=upright,
        landmarks_px=np.ascontiguousarray(points[:, :2]),
        depth_px=np.ascontiguousarray(points[:, 2]),
        person=_person(upright.pixels, points),
        warnings=tuple(warnings),
    )


def _turned(photo: Photo, quarters: int) -> Photo:
    """The photo turned against the clock by quarters, so that the head in it stands upright."""
    if quarters == 0:
        return photo
    alpha = None if photo.alpha is None else np.ascontiguousarray(np.rot90(photo.alpha, quarters))
    width, height = _file_size(photo)
    size = (height, width) if quarters % 2 else (width, height)
    return replace(photo, pixels=np.ascontiguousarray(np.rot90(photo.pixels, quarters)), alpha=alpha, size_px=size)


def _turned_points(
    points: Float32[np.ndarray, "478 3"], width: int, height: int, quarters: int
) -> Float32[np.ndarray, "478 3"]:
    for _ in range(quarters):
        points = np.stack([points[:, 1], width - points[:, 0], points[:, 2]], axis=1).astype(np.float32)
        width, height = height, width
    return points


def _believable(faces: Faces, photo: Photo, limits: GateParams) -> list[tuple[Face, FaceMeasures]]:
    """Faces on which the looks agree, and those on which they do not for a reason we can name; largest first."""
    kept: list[tuple[Face, FaceMeasures]] = []
    for one in faces.found:
        if one.score < _DOUBTFUL and any(box.score > _CLEARLY for box in faces.unsettled):
            continue  # the mesh has put a frontal face on a profile
        measures = measure_face(photo.pixels, one.landmarks)
        widest = max((box.side_px for box in faces.unsettled if box.score > _PROFILE_SCORE), default=0.0)
        if one.landmarks.spread > limits.loose and measures.iod_px < _COLLAPSED * widest:
            continue
        turned = abs(math.degrees(measures.yaw_rad)) > _MESH_FAILS_DEG
        unclear = turned or measures.blur > limits.blur or measures.iod_px < limits.smallest_iod_px
        if one.landmarks.spread <= limits.loose or unclear:
            kept.append((one, measures))
    if not kept and measure_picture(photo.pixels).blur <= limits.picture_blur:
        profiles = [box for box in faces.unsettled if box.score > _PROFILE_SCORE]
        if profiles:
            yaw = max((yaw_of_box(box) for box in profiles), key=abs)
            beyond = math.copysign(max(abs(yaw), math.radians(_MESH_SETTLES_DEG)), yaw)
            raise turned_error(_called(photo), beyond, limits.turned_deg, about=True)
    return kept


def _called(photo: Photo) -> str:
    """What messages call the photo."""
    return photo.file or photo.name


def _file_size(photo: Photo) -> tuple[int, int]:
    """Width and height the user knows, not those it was reduced to."""
    return photo.size_px or (photo.pixels.shape[1], photo.pixels.shape[0])


def _nobody(photo: Photo) -> NoFaceError | FaceUnusableError:
    width, height = _file_size(photo)
    if max(height, width) < _SMALLEST_PICTURE_PX:
        return FaceUnusableError(
            f'"{_called(photo)}": the picture has {width} x {height} pixels, too few for a face.',
            hint="Give the original instead of a reduced copy.",
            id="FACE_TOO_SMALL",
        )
    if min(height, width) >= _SMALLEST_PICTURE_PX:
        check_picture(_called(photo), measure_picture(photo.pixels))
    return NoFaceError(
        f'"{_called(photo)}": no face was found in {width} x {height} pixels.',
        hint="Take a new picture in good light, the face towards the camera and nothing before it.",
    )


def _choose(photo: Photo, faces: list[tuple[Face, FaceMeasures]], choice: str) -> tuple[Face, FaceMeasures, list[str]]:
    """The face meant, and what to say about the others."""
    if len(faces) == 1 and choice in ("only", "largest", "0"):
        return *faces[0], []
    name, scale = _called(photo), max(_file_size(photo)) / max(photo.pixels.shape)  # told in the file's own pixels
    from_left = sorted(faces, key=lambda one: float(one[0].landmarks.points_px[:, 0].mean()))
    listed = ", ".join(
        f"{k}: at {scale * one.landmarks.points_px[:, 0].mean():.0f}, {scale * one.landmarks.points_px[:, 1].mean():.0f}"
        f" with {scale * measures.iod_px:.0f} pixels between the eyes"
        for k, (one, measures) in enumerate(from_left)
    )
    if choice.isdigit():
        if int(choice) >= len(from_left):
            raise UsageError(f'face {choice} was asked for, "{name}" has {len(from_left)} ({listed}).')
        return *from_left[int(choice)], []
    largest = max(faces, key=lambda one: one[1].iod_px)
    rivals = [one for one in faces if one[1].iod_px > COMPARABLE * largest[1].iod_px]
    if choice == "only" and len(rivals) > 1:
        raise SeveralFacesError(
            f'"{name}" shows {len(rivals)} faces of comparable size ({listed}).',
            hint='Choose one with "--face largest" or its number from the left, such as "--face 0".',
        )
    return *largest, [f"The picture shows {len(faces)} faces ({listed}); the largest is taken."]


def _person(pixels: UInt8[np.ndarray, "H W 3"], points: Float32[np.ndarray, "478 3"]) -> Bool[np.ndarray, "H W"]:
    """The mask of the whole picture, replaced around the head by one seen from nearer when the head is small.

    Where it misses most of the face (one-bit pictures), the landmarks' outline is added: that much we know.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, _MASK_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    mask = person_mask(small)
    if scale < 1:
        mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
    square = square_around(points)
    side = 2.5 * square.side_px
    if side < 0.6 * max(height, width):
        chip = cut_chip(pixels, square.centre_px, side, 512)
        near = person_mask(chip.pixels)
        span = round(chip.pixels.shape[0] / chip.scale)
        near = cv2.resize(near, (span, span), interpolation=cv2.INTER_LINEAR)
        left, top = chip.corner_px.astype(int)
        into = (slice(max(0, top), min(height, top + span)), slice(max(0, left), min(width, left + span)))
        out_of = (slice(into[0].start - top, into[0].stop - top), slice(into[1].start - left, into[1].stop - left))
        mask = mask.copy()
        mask[into] = near[out_of]
    person = mask > 0.5
    outline = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(outline, cv2.convexHull(points[:468, :2].astype(np.int32)), (1,))
    inside = outline > 0
    if inside.any() and float(person[inside].mean()) < _MISSES_THE_FACE:
        person |= inside
    return person
