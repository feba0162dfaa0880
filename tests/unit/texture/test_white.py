"""The white of the eye tells a colour cast, but only where it is seen."""

from dataclasses import replace

import numpy as np
import pytest

from avatar3d.core.photo import FaceObservation
from avatar3d.texture.regions import LEFT_EYE, RIGHT_EYE
from avatar3d.texture.white import white_gain
from tests.unit.texture.portrait import portrait

SKIN = np.array([0.5, 0.3, 0.22], np.float32)


@pytest.fixture(scope="module")
def in_red_light() -> FaceObservation:
    _, face = portrait()
    pixels = np.clip(face.photo.pixels * np.array([1.25, 0.8, 0.7]), 0, 255).astype(np.uint8)
    return replace(face, photo=replace(face.photo, pixels=pixels))


def squinting(face: FaceObservation, share: float) -> FaceObservation:
    """The same picture with landmarks of lids so far apart as before, of what they were."""
    landmarks = face.landmarks_px.copy()
    for eye in (RIGHT_EYE, LEFT_EYE):
        height = landmarks[list(eye), 1]
        landmarks[list(eye), 1] = height.mean() + share * (height - height.mean())
    return replace(face, landmarks_px=landmarks)


def reddened(gain: np.ndarray) -> float:
    return float(np.log(gain[1] / gain[0]))


def test_a_cast_is_taken_out_where_the_white_is_seen(in_red_light: FaceObservation) -> None:
    assert reddened(white_gain(in_red_light, SKIN)) > 0.05


def test_a_slit_between_lids_tells_no_cast(in_red_light: FaceObservation) -> None:
    pixels = in_red_light.photo.pixels.copy()
    for eye in (RIGHT_EYE, LEFT_EYE):
        low, high = (
            in_red_light.landmarks_px[list(eye)].min(0).astype(int),
            in_red_light.landmarks_px[list(eye)].max(0).astype(int),
        )
        pixels[low[1] : high[1] + 1, low[0] : high[0] + 1] = (200, 105, 95)  # lids
    lidded = replace(in_red_light, photo=replace(in_red_light.photo, pixels=pixels))
    assert reddened(white_gain(lidded, SKIN)) > 0.1
    assert abs(reddened(white_gain(squinting(lidded, 0.5), SKIN))) < 0.03
