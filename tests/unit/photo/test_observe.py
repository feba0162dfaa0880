"""Faces: found whichever way up, measured, chosen, refused with numbers."""

import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar3d.core.errors import FaceUnusableError, NoFaceError, SeveralFacesError, UsageError
from avatar3d.core.photo import Photo
from avatar3d.photo.faces import find_faces
from avatar3d.photo.gates import GateParams, check_face
from avatar3d.photo.landmarks import find_landmarks, square_around
from avatar3d.photo.load import load_photo
from avatar3d.photo.measure import FaceMeasures, measure_face
from avatar3d.photo.mesh_layout import CHIN, LEFT_IRIS, MIRROR, NOSE_TIP, OVAL, RIGHT_IRIS
from avatar3d.photo.observe import observe_face

FINE = FaceMeasures(
    iod_px=80.0,
    yaw_rad=0.0,
    pitch_rad=0.0,
    cut_chin=0.0,
    cut_brow=0.0,
    cut_side=0.0,
    blur=0.015,
    dark=190.0,
    burnt=0.0,
    perspective=0.0,
    mouth_open=0.0,
    mouth_width=1.0,
    eye_open=0.25,
)


@pytest.fixture(scope="module")
def collins(astronaut: Path) -> Photo:
    return load_photo(astronaut)


def photo_of(pixels: np.ndarray) -> Photo:
    return Photo("anna", np.ascontiguousarray(pixels), None, None, "")


def with_measures(**changed: float) -> FaceMeasures:
    return replace(FINE, **changed)


def test_the_right_iris_lies_in_the_persons_right_eye(collins: Photo) -> None:
    points = observe_face(collins).landmarks_px
    assert points[RIGHT_IRIS, 0] < points[NOSE_TIP, 0] < points[LEFT_IRIS, 0]  # the person's right is on our left
    for iris, outer, inner in ((RIGHT_IRIS, 33, 133), (LEFT_IRIS, 263, 362)):
        centre, width = points[[outer, inner]].mean(0), np.linalg.norm(points[outer] - points[inner])
        assert np.linalg.norm(points[iris] - centre) < 0.35 * width
        ring = np.linalg.norm(points[iris + 1 : iris + 5] - points[iris], axis=1)
        assert ring.max() < 1.5 * ring.min()


def test_the_iris_is_darker_than_what_surrounds_it(collins: Photo) -> None:
    points = observe_face(collins).landmarks_px
    grey = cv2.cvtColor(collins.pixels, cv2.COLOR_RGB2GRAY)
    for iris, outer, inner in ((RIGHT_IRIS, 33, 133), (LEFT_IRIS, 263, 362)):
        x, y = points[iris].astype(int)
        outside = [grey[tuple((0.5 * points[iris] + 0.5 * points[c]).astype(int)[::-1])] for c in (outer, inner)]
        assert grey[y - 1 : y + 2, x - 1 : x + 2].mean() < np.mean(outside)


def test_mirroring_twice_is_nothing() -> None:
    assert (MIRROR[MIRROR] == np.arange(478)).all()
    assert MIRROR[RIGHT_IRIS] == LEFT_IRIS
    assert MIRROR[CHIN] == CHIN
    assert set(MIRROR[OVAL]) == set(OVAL)


def test_a_mirrored_picture_has_mirrored_landmarks(collins: Photo) -> None:
    points = observe_face(collins).landmarks_px
    mirrored = observe_face(photo_of(collins.pixels[:, ::-1])).landmarks_px[MIRROR]
    mirrored[:, 0] = collins.pixels.shape[1] - mirrored[:, 0]
    assert np.linalg.norm(mirrored - points, axis=1).mean() < 0.01 * 42


def test_twelve_looks_move_less_than_one(collins: Photo) -> None:
    from avatar3d.photo.landmarks import _look

    square = square_around(find_faces(collins.pixels).found[0].landmarks.points_px)
    single, averaged = [], []
    for degrees in (-12, -6, 0, 6, 12):
        matrix = cv2.getRotationMatrix2D(tuple(map(float, square.centre_px)), degrees, 1.0)
        turned = cv2.warpAffine(collins.pixels, matrix, (512, 512), flags=cv2.INTER_CUBIC)
        back = cv2.invertAffineTransform(matrix)
        once, _score = _look(turned, square)
        many = find_landmarks(turned, square)
        assert once is not None
        assert many is not None
        for found, kept in ((once, single), (many.points_px, averaged)):
            kept.append((found[:, :2] - 0.5) @ back[:, :2].T + back[:, 2] + 0.5)
    spread = [float(np.std(np.stack(kept), axis=0).mean()) for kept in (single, averaged)]
    assert spread[1] < 0.5 * spread[0]


def test_the_same_picture_gives_the_same_numbers(collins: Photo) -> None:
    one, two = observe_face(collins), observe_face(collins)
    assert (one.landmarks_px == two.landmarks_px).all()
    assert (one.depth_px == two.depth_px).all()
    assert (one.person == two.person).all()


def test_a_small_face_in_a_large_picture_is_found(collins: Photo) -> None:
    wide = np.full((1500, 2000, 3), 120, np.uint8)
    wide[900:1412, 1400:1912] = collins.pixels
    face = observe_face(photo_of(wide))
    there = observe_face(collins).landmarks_px + np.array([1400, 900])
    assert np.linalg.norm(face.landmarks_px - there, axis=1).mean() < 0.02 * 42
    assert not face.person[:, :1200].any()


def test_a_face_is_chosen_by_size_or_from_the_left(collins: Photo) -> None:
    smaller = cv2.resize(collins.pixels, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    both = np.full((512, 512 + 384, 3), 120, np.uint8)
    both[:, 384:] = collins.pixels
    both[:384, :384] = smaller
    photo = photo_of(both)
    with pytest.raises(SeveralFacesError, match=r"2 faces of comparable size \(0: at "):
        observe_face(photo)
    largest, left, right = (observe_face(photo, face=choice) for choice in ("largest", "0", "1"))
    assert (largest.landmarks_px == right.landmarks_px).all()
    assert left.landmarks_px[:, 0].max() < 384
    with pytest.raises(UsageError, match="face 2 was asked for"):
        observe_face(photo, face="2")
    with pytest.raises(UsageError, match="is not a choice"):
        observe_face(photo, face="biggest")


@pytest.mark.parametrize("share", [0.22, 0.3])
@pytest.mark.parametrize(
    "place", [(0.0, 0.0), (0.0, 0.5), (0.0, 1.0), (0.37, 0.0), (0.61, 1.0), (1.0, 0.0), (1.0, 1.0)]
)
def test_a_small_face_beside_a_large_one_is_found_up_to_the_border(
    collins: Photo, place: tuple[float, float], share: float
) -> None:
    small = cv2.resize(collins.pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    picture = np.full((800, 800, 3), 120, np.uint8)
    picture[150:662, 140:652] = collins.pixels
    top, left = (round(at * (800 - len(small))) for at in place)
    picture[top : top + len(small), left : left + len(small)] = small
    assert len(find_faces(picture).found) == 2


def test_no_face_is_said_with_the_size_searched() -> None:
    with pytest.raises(NoFaceError, match="no face was found in 300 x 200 pixels"):
        observe_face(photo_of(np.full((200, 300, 3), 128, np.uint8)))


def test_messages_speak_of_the_file_its_name_and_its_own_pixels(collins: Photo) -> None:
    """Of a picture that the door reduced to half its size."""
    blank = Photo("anna", np.full((200, 300, 3), 128, np.uint8), None, None, "", file="anna.webp", size_px=(600, 400))
    with pytest.raises(NoFaceError, match=r'^"anna\.webp": no face was found in 600 x 400 pixels'):
        observe_face(blank)
    both = np.concatenate([collins.pixels, collins.pixels], axis=1)
    whole, half = (Photo("anna", both, None, None, "", file="anna.webp", size_px=(1024 * k, 512 * k)) for k in (1, 2))
    told: list[list[float]] = []
    for photo in (whole, half):
        with pytest.raises(SeveralFacesError, match=r'^"anna\.webp" shows 2') as refused:
            observe_face(photo)
        told.append([float(number) for number in re.findall(r"at (\d+), (\d+) with (\d+)", refused.value.message)[1]])
    np.testing.assert_allclose(told[1], 2 * np.array(told[0]), atol=2)
    with pytest.raises(UsageError, match=r'"anna\.webp" has 2'):
        observe_face(half, face="7")


def test_a_near_camera_is_told_by_its_focal_length(collins: Photo) -> None:
    near = Photo("anna", collins.pixels, None, 180.0, "")
    assert any("taken from about 0.27 m (by its EXIF" in said for said in observe_face(near).warnings)


def test_exif_that_tells_the_distance_ends_all_guessing(shared: Path) -> None:
    afar = load_photo(shared / "portraits/congress/020119.jpg")
    assert any("looks as if seen from" in said for said in observe_face(afar).warnings)
    known = replace(afar, focal_px=float(max(afar.pixels.shape) * 3))
    assert not any("0.35 m" in said for said in observe_face(known).warnings)


@pytest.mark.parametrize(
    ("changed", "id", "says"),
    [
        ({"iod_px": 17.0}, "FACE_TOO_SMALL", "17 pixels between the eyes"),
        ({"yaw_rad": np.radians(71)}, "FACE_POSE", "turned 71 degrees to its left; the limit is 50"),
        ({"yaw_rad": np.radians(-64)}, "FACE_POSE", "turned 64 degrees to its right"),
        ({"pitch_rad": np.radians(-55)}, "FACE_POSE", "looks 55 degrees down"),
        ({"cut_chin": 0.3}, "FACE_CROPPED", "cuts off the chin by 0.30"),
        ({"blur": 0.09}, "FACE_BLURRED", "blurred over 9%"),
        ({"dark": 12.0}, "FACE_EXPOSURE", "too dark"),
        ({"burnt": 0.8}, "FACE_EXPOSURE", "80% of it is pure white"),
    ],
)
def test_each_gate_names_file_number_and_remedy(changed: dict[str, float], id: str, says: str) -> None:
    with pytest.raises(FaceUnusableError) as refused:
        check_face("anna", with_measures(**changed), spread=0.015)
    error = refused.value
    assert (error.exit_code, error.id) == (15, id)
    assert says in error.message
    assert error.message.startswith('"anna": ')
    assert error.hint.endswith(".")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"iod_px": 30.0}, "small"),
        ({"yaw_rad": np.radians(45)}, "turned 45 degrees to its left"),
        ({"cut_brow": 0.3}, "cuts off 0.30"),
        ({"blur": 0.045}, "somewhat blurred"),
        ({"dark": 60.0}, "dark"),
        ({"burnt": 0.3}, "pure white"),
        ({"perspective": 0.07}, "nearer than 0.35 m"),
        ({"mouth_open": 0.4}, "mouth is open"),
        ({"mouth_width": 1.25}, "smile"),
        ({"eye_open": 0.1}, "closed"),
    ],
)
def test_what_makes_a_face_hard_is_said(changed: dict[str, float], says: str) -> None:
    (said,) = check_face("anna", with_measures(**changed), spread=0.015)
    assert says in said


def test_a_good_face_passes_in_silence(collins: Photo) -> None:
    assert check_face("anna", FINE, spread=0.015) == ()
    assert observe_face(collins).warnings == ()


def test_every_portrait_is_observed_or_refused_for_a_true_reason(shared: Path) -> None:
    """96 official portraits: none of them is blurred, turned, cropped or dark, so none may be refused."""
    pictures = sorted((shared / "portraits").rglob("*.jpg"))
    assert len(pictures) >= 96
    limits = GateParams()
    for picture in pictures:
        photo = load_photo(picture)
        faces = find_faces(photo.pixels).found
        assert len(faces) == 1, picture.name
        measures = measure_face(photo.pixels, faces[0].landmarks)
        check_face(picture.stem, measures, spread=faces[0].landmarks.spread)
        assert faces[0].landmarks.spread < 0.5 * limits.loose
        assert abs(np.degrees(measures.yaw_rad)) < 25
