"""What is skin in a photo does not depend on how many pixels show it."""

from pathlib import Path

import cv2
import numpy as np

from avatar3d.core.photo import Photo
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.texture.evidence import gather_evidence


def test_a_photo_of_many_pixels_is_judged_like_one_of_few(astronaut: Path) -> None:
    few = load_photo(astronaut).pixels[60:260, 130:330]
    many = cv2.resize(few, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    small, large = (
        gather_evidence(observe_face(Photo("eileen", pixels, None, None, "")), 1.0) for pixels in (few, many)
    )
    assert large.colour.shape[:2] == large.trust.shape == large.plain.shape
    again = cv2.resize(large.trust, small.trust.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(again - small.trust).mean() < 0.03
    assert large.bearded == small.bearded
