"""What is skin in a photo does not depend on how many pixels show it."""

from pathlib import Path

import cv2
import numpy as np

from avatar3d.core.photo import Photo
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.photo.segment import over_photo, segment_face
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


def test_the_shadow_that_hair_throws_beside_it_is_no_skin_to_paint(astronaut: Path) -> None:
    face = observe_face(load_photo(astronaut))
    segments = segment_face(face)
    hair = over_photo(segments, segments.of("hair"), face)
    told, untold = gather_evidence(face, 1.0, hair), gather_evidence(face, 1.0, 0 * hair)
    near = cv2.dilate(hair, np.ones((9, 9), np.uint8)) > 0.5  # 5 px of the 58 between the eyes
    near &= cv2.dilate(hair, np.ones((3, 3), np.uint8)) < 0.3
    x, y = (int(v) for v in told.left_top_px)
    near = near[y : y + told.trust.shape[0], x : x + told.trust.shape[1]]
    level = told.colour.mean(2) / np.median(told.colour[told.plain > 0.5].mean(1))
    dark, light = near & (level < 0.45) & (untold.trust > 0.5), near & (level > 0.9) & (untold.trust > 0.5)
    assert min(dark.sum(), light.sum()) > 10
    assert told.trust[dark].mean() < 0.6 * told.trust[light].mean()
