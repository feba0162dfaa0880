"""An open mouth in a photo gives its own teeth; closed lips give none."""

from dataclasses import replace

import numpy as np
import pytest

from avatar3d.core.avatar import Texture
from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadFit
from avatar3d.core.photo import FaceObservation
from avatar3d.render.stage import LINEAR_FROM_SRGB
from avatar3d.texture.recover import recover_skin
from avatar3d.texture.regions import MOUTH_OPENING
from avatar3d.texture.teeth import recover_mouth
from tests.unit.texture.portrait import head, portrait

YELLOWISH = (0.55, 0.42, 0.24)
SIZE = 256


@pytest.fixture(scope="module")
def smiling() -> tuple[HeadFit, FaceObservation]:
    weights = np.zeros(52, np.float32)
    for name, weight in (("jawOpen", 0.12), ("mouthSmileLeft", 0.7), ("mouthSmileRight", 0.7), ("mouthUpperUpLeft", 0.6), ("mouthUpperUpRight", 0.6)):  # fmt: skip
        weights[ARKIT_INDEX[name]] = weight
    return portrait(expression=weights, teeth=YELLOWISH)


def front_crowns(pixels: np.ndarray) -> np.ndarray:
    """Linear colours on the outside of the four upper front teeth, near the biting edge: of fourteen cells, the first
    half of each looks outward."""
    height, width = pixels.shape[:2]
    cells = [pixels[round(0.1 * height) : round(0.25 * height), round((k + 0.15) / 14 * width) : round((k + 0.4) / 14 * width)] for k in (6, 7)]  # fmt: skip
    return LINEAR_FROM_SRGB[np.concatenate([cell.reshape(-1, 3) for cell in cells])]


def inside(fitted: HeadFit, face: FaceObservation) -> dict[str, Texture]:
    skin = recover_skin(head(), fitted, face, size=SIZE)
    return recover_mouth(head(), fitted, face, light=skin.light, tone=skin.tone)


def test_teeth_take_the_photos_colour(smiling: tuple[HeadFit, FaceObservation]) -> None:
    parts = inside(*smiling)
    colour = np.median(front_crowns(parts["teethUpper"].pixels), axis=0)
    np.testing.assert_allclose(colour / colour.sum(), np.array(YELLOWISH) / sum(YELLOWISH), atol=0.03)


def test_closed_lips_tell_nothing_of_teeth() -> None:
    assert not inside(*portrait())


def test_an_opening_where_the_head_has_no_teeth_is_no_trouble(smiling: tuple[HeadFit, FaceObservation]) -> None:
    fitted, face = smiling
    beside = face.landmarks_px.copy()
    beside[list(MOUTH_OPENING)] += np.float32([1.5 * face.interocular_px, 0])
    assert not inside(fitted, replace(face, landmarks_px=beside))


def test_the_same_mouth_gives_the_same_bytes(smiling: tuple[HeadFit, FaceObservation]) -> None:
    first, second = (inside(*smiling) for _ in range(2))
    assert first.keys() == second.keys()
    assert all((first[name].pixels == second[name].pixels).all() for name in first)


def test_no_crown_is_stained_by_what_lies_beside_it_in_the_photo(smiling: tuple[HeadFit, FaceObservation]) -> None:
    fitted, face = smiling
    moved = face.landmarks_px.copy()
    moved[list(MOUTH_OPENING)] += np.float32([0, 0.04 * face.interocular_px])  # the lower lip is taken for teeth
    crowns = front_crowns(inside(fitted, replace(face, landmarks_px=moved))["teethUpper"].pixels)
    redness = np.log(crowns[:, 0] / crowns[:, 1])
    assert np.quantile(redness, 0.98) - np.quantile(redness, 0.02) < 0.08
