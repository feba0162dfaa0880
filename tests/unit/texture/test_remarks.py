"""What is said of a finished avatar: only what is wrong with it, with its figure."""

from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.photo import FaceObservation, Light
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.texture.regions import OVAL, fill_polygon
from avatar3d.texture.remarks import remarks

NOTHING = np.zeros((256, 256), np.float32)


@pytest.fixture(scope="module")
def face(astronaut: Path) -> FaceObservation:
    return observe_face(load_photo(astronaut))


def light(to_the_left: float) -> Light:
    """Even light, and so much more with every step to the person's left."""
    coefficients = np.zeros((9, 3), np.float32)
    coefficients[0], coefficients[3] = 3.0, to_the_left
    one = Light(coefficients)
    cheeks = one.shade(np.array([[0.77, 0, 0.64], [-0.77, 0, 0.64]], np.float32))
    assert np.sign(cheeks[0] - cheeks[1])[0] == np.sign(to_the_left)
    return one


def test_an_open_face_in_even_light_leaves_nothing_to_say(face: FaceObservation) -> None:
    assert remarks(face, light(0.0), NOTHING) == ()
    assert remarks(face, light(0.3), NOTHING) == ()


@pytest.mark.parametrize(("strength", "side"), [(2.4, "left"), (-2.4, "right")])
def test_a_lamp_at_one_side_is_told_with_its_side(strength: float, side: str, face: FaceObservation) -> None:
    (said,) = remarks(face, light(strength), NOTHING)
    assert f"from the person's {side}, " in said
    assert "times as bright" in said


def test_a_covered_face_is_told_with_its_share_and_clothes_are_not(face: FaceObservation) -> None:
    height, width = face.photo.pixels.shape[:2]
    oval = fill_polygon((height, width), face.landmarks_px[list(OVAL)]) > 0.5
    rows = np.flatnonzero(oval.any(axis=1))
    fringe = np.where(oval & (np.arange(height)[:, None] < rows[0] + 0.3 * len(rows)), 1, 0).astype(np.float32)
    (said,) = remarks(face, light(0.0), fringe)
    assert f"covers {fringe[oval].mean():.0%} of the face" in said
    assert remarks(face, light(0.0), (~oval).astype(np.float32)) == ()
    assert remarks(face, light(0.0), np.ascontiguousarray(fringe[::2, ::2])) != ()  # at any resolution
