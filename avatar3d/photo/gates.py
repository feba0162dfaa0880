"""Verdicts on a face: refused with numbers, or passed with warnings. Every limit and why it is where it is.

The measurements behind the limits stand in docs/decisions/0007-photo-gates.md.
"""

import math
from dataclasses import dataclass

from avatar3d.core.errors import FaceUnusableError
from avatar3d.photo.measure import FaceMeasures
from avatar3d.photo.picture import PictureMeasures


@dataclass(frozen=True)
class GateParams:
    """Limits; beyond the first of a pair is refused, beyond the second is warned of."""

    smallest_iod_px: float = 24.0
    """Landmarks move by 0.9 % IOD at 26 px, 1.3 % at 20 px, 1.9 % at 16 px."""
    small_iod_px: float = 40.0
    turned_deg: float = 50.0
    somewhat_turned_deg: float = 30.0
    tilted_deg: float = 45.0
    somewhat_tilted_deg: float = 30.0
    cut_chin: float = 0.15
    """IODs; the chin's landmarks are then guessed and all landmarks off by 2 %."""
    cut_side: float = 0.30
    cut_brow: float = 0.50
    """A cut forehead matters less: hair hides it anyway."""
    somewhat_cut: float = 0.08
    blur: float = 0.065
    """Sigma in IODs; landmarks are off by 3 % there and no skin detail is left."""
    some_blur: float = 0.035
    picture_blur: float = 0.009
    """Share of the longer side; the same portraits lose their faces from .010 on, 22 sharp pictures without have .008 at most."""
    dark: float = 32.0
    """Even the brightest twentieth of the face is below this level; dark skin in fair light stays above 100."""
    rather_dark: float = 80.0
    burnt: float = 0.50
    somewhat_burnt: float = 0.15
    near_perspective: float = 0.051
    """About 0.3 m; 3 of 96 portraits taken from afar reach it."""
    near_m: float = 0.35
    mouth_open: float = 0.25
    """IODs; jawOpen 0.3 gives 0.18, 0.6 gives 0.35; 95 % of smiling portraits stay below 0.23."""
    broad_smile: float = 1.15
    closed_eyes: float = 0.135
    """eyeBlink 1.0 gives 0.11 to 0.16, 0.8 gives 0.10 to 0.20; the narrowest eyes of 96 portraits 0.155."""
    loose: float = 0.06
    """Spread of the twelve looks, IODs; 0.011 to 0.025 on portraits, up to 0.06 at 55 degrees of yaw."""


BESIDE = GateParams(turned_deg=65.0, somewhat_turned_deg=65.0, loose=0.09)
"""For a further photo of somebody, which has to tell no more than one side: see decision 0023."""


def check_face(
    name: str, face: FaceMeasures, *, spread: float, known_m: float | None = None, params: GateParams | None = None
) -> tuple[str, ...]:
    """Raise FaceUnusableError (15) with the measured number, or return the warnings.

    `known_m` is the camera's distance when EXIF tells it; else it is guessed from the face's perspective.
    """
    limits = params or GateParams()
    _refuse_small(name, face, limits)
    _refuse_turned(name, face, limits)
    _refuse_cropped(name, face, limits)
    _refuse_light(name, face, limits)
    if face.blur > limits.blur:
        raise _unusable(
            name,
            f"the face is blurred over {face.blur:.0%} of the distance between the eyes; the limit is {limits.blur:.1%}.",
            "Take a new picture, holding the camera still and letting it focus on the face.",
            "FACE_BLURRED",
        )
    if spread > limits.loose:
        raise _unusable(
            name,
            f"the face cannot be measured: twelve looks at it differ by {spread:.0%} of the distance between the eyes; "
            f"the limit is {limits.loose:.0%}.",
            "Take a new picture with nothing before the face.",
            "FACE_UNSURE",
        )
    return tuple(_warnings(face, limits, known_m))


def check_picture(name: str, picture: PictureMeasures, *, params: GateParams | None = None) -> None:
    """Raise FaceUnusableError (15) when a picture in which no face was found is too dark, burnt or blurred to show one."""
    limits = params or GateParams()
    if picture.dark < limits.dark:
        raise _unusable(
            name,
            f"no face was found, and the picture is too dark: its brightest parts have level {picture.dark:.0f} of 255; "
            f"the limit is {limits.dark:.0f}.",
            "Take a new picture with light on the face.",
            "FACE_EXPOSURE",
        )
    if picture.burnt > limits.burnt:
        raise _unusable(
            name,
            f"no face was found, and the picture is overexposed: {picture.burnt:.0%} of it is pure white; the limit is "
            f"{limits.burnt:.0%}.",
            "Take a new picture with less light on the face.",
            "FACE_EXPOSURE",
        )
    if picture.blur > limits.picture_blur:
        raise _unusable(
            name,
            f"no face was found, and the picture is blurred over {picture.blur:.1%} of its longer side; the limit is "
            f"{limits.picture_blur:.1%}.",
            "Take a new picture, holding the camera still and letting it focus on the face.",
            "FACE_BLURRED",
        )


def turned_error(name: str, yaw_rad: float, limit_deg: float = 50.0, *, about: bool = False) -> FaceUnusableError:
    """The refusal of a head that is turned too far; yaw positive to the person's left."""
    side = "left" if yaw_rad > 0 else "right"
    return _unusable(
        name,
        f"the head is turned {'about ' if about else ''}{abs(math.degrees(yaw_rad)):.0f} degrees to its {side}; "
        f"the limit is {limit_deg:.0f}.",
        "Take a new picture looking at the camera.",
        "FACE_POSE",
    )


def _unusable(name: str, message: str, hint: str, id: str) -> FaceUnusableError:
    return FaceUnusableError(f'"{name}": {message}', hint=hint, id=id)


def _refuse_small(name: str, face: FaceMeasures, limits: GateParams) -> None:
    too_far = abs(math.degrees(face.yaw_rad)) > limits.turned_deg
    # The eyes of a head that is turned too far stand close together for that reason, which is then the one to tell.
    facing_px = face.iod_px / max(math.cos(face.yaw_rad), 0.5) if too_far else face.iod_px
    if facing_px < limits.smallest_iod_px:
        raise _unusable(
            name,
            f"the face is too small: {face.iod_px:.0f} pixels between the eyes (a face about {2.3 * face.iod_px:.0f} "
            f"pixels wide); the limit is {limits.smallest_iod_px:.0f}.",
            "Take a picture from nearer, or give the original instead of a reduced copy.",
            "FACE_TOO_SMALL",
        )


def _refuse_turned(name: str, face: FaceMeasures, limits: GateParams) -> None:
    if abs(math.degrees(face.yaw_rad)) > limits.turned_deg:
        raise turned_error(name, face.yaw_rad, limits.turned_deg)
    pitch = math.degrees(face.pitch_rad)
    if abs(pitch) > limits.tilted_deg:
        raise _unusable(
            name,
            f"the head looks {abs(pitch):.0f} degrees {'up' if pitch > 0 else 'down'}; the limit is "
            f"{limits.tilted_deg:.0f}.",
            "Take a new picture with the camera at eye level.",
            "FACE_POSE",
        )


def _refuse_cropped(name: str, face: FaceMeasures, limits: GateParams) -> None:
    cuts = (
        (face.cut_chin, limits.cut_chin, "the chin"),
        (face.cut_side, limits.cut_side, "a side of the face"),
        (face.cut_brow, limits.cut_brow, "the forehead"),
    )
    for cut, limit, what in cuts:
        if cut > limit:
            raise _unusable(
                name,
                f"the picture cuts off {what} by {cut:.2f} of the distance between the eyes; the limit is {limit:.2f}.",
                "Take a picture that shows the whole head.",
                "FACE_CROPPED",
            )


def _refuse_light(name: str, face: FaceMeasures, limits: GateParams) -> None:
    if face.dark < limits.dark:
        raise _unusable(
            name,
            f"the face is too dark: its brightest parts have level {face.dark:.0f} of 255; the limit is "
            f"{limits.dark:.0f}.",
            "Take a new picture with light on the face.",
            "FACE_EXPOSURE",
        )
    if face.burnt > limits.burnt:
        raise _unusable(
            name,
            f"the face is overexposed: {face.burnt:.0%} of it is pure white; the limit is {limits.burnt:.0%}.",
            "Take a new picture with less light on the face.",
            "FACE_EXPOSURE",
        )


def _warnings(face: FaceMeasures, limits: GateParams, known_m: float | None) -> list[str]:
    said: list[str] = []
    yaw, pitch = math.degrees(face.yaw_rad), math.degrees(face.pitch_rad)
    if face.iod_px < limits.small_iod_px:
        said.append(f"The face is small ({face.iod_px:.0f} pixels between the eyes): its texture will be soft.")
    if abs(yaw) > limits.somewhat_turned_deg:
        side = "left" if yaw > 0 else "right"
        said.append(f"The head is turned {abs(yaw):.0f} degrees to its {side}: the hidden half is guessed.")
    if abs(pitch) > limits.somewhat_tilted_deg:
        said.append(f"The head looks {abs(pitch):.0f} degrees {'up' if pitch > 0 else 'down'}: the shape is less sure.")
    cut = max(face.cut_chin, face.cut_side, face.cut_brow)
    if cut > limits.somewhat_cut:
        said.append(f"The picture cuts off {cut:.2f} of the distance between the eyes from the face.")
    if face.blur > limits.some_blur:
        said.append(f"The face is somewhat blurred (over {face.blur:.1%} of the distance between the eyes).")
    if face.dark < limits.rather_dark:
        said.append(f"The face is dark: its brightest parts have level {face.dark:.0f} of 255.")
    if face.burnt > limits.somewhat_burnt:
        said.append(f"{face.burnt:.0%} of the face is pure white.")
    if known_m is not None:
        if known_m < limits.near_m:
            said.append(
                f"The picture was taken from about {known_m:.2f} m (by its EXIF focal length): nearer than {limits.near_m} m "
                "a lens enlarges the nose. Hold the camera further away."
            )
    elif face.perspective > limits.near_perspective and abs(yaw) < 20:
        said.append(
            f"The face looks as if seen from about {face.distance_m:.2f} m (one in thirty seen from afar does, too): nearer "
            f"than {limits.near_m} m a lens enlarges the nose. If so, hold the camera further away."
        )
    if face.mouth_open > limits.mouth_open:
        said.append(f"The mouth is open ({face.mouth_open:.2f} of the distance between the eyes).")
    elif face.mouth_width > limits.broad_smile:
        said.append("The smile is broad: a relaxed face gives a truer head.")
    if face.eye_open < limits.closed_eyes:
        said.append("The eyes seem to be closed.")
    return said
