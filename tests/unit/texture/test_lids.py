"""What a photo of open eyes cannot tell of closed ones is not painted on them."""

from dataclasses import replace

import cv2
import numpy as np

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.texture.evidence import gather_evidence
from avatar3d.texture.lids import unfolding_lids
from avatar3d.texture.regions import LEFT_EYE
from tests.unit.texture.portrait import head, portrait


def test_skin_that_a_blink_unfolds_is_not_believed_and_all_other_skin_is() -> None:
    fitted, _ = portrait()
    model = head()
    told = unfolding_lids(model, fitted)[:, 0]
    eyes = fitted.neutral[model.triangles[model.part("eyeLeft")]].reshape(-1, 3)
    near = np.linalg.norm(np.abs(fitted.neutral) * [1, 1, 0] - np.abs(eyes.mean(0)) * [1, 1, 0], axis=1)
    assert (told < 0.2).sum() > 8
    assert near[told < 0.2].max() < 0.022
    assert (told[near > 0.03] > 0.999).all()


def test_closed_eyes_in_the_photo_are_believed() -> None:
    fitted, _ = portrait()
    model = head()
    blinks = [ARKIT_NAMES.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight")]
    expression = fitted.expression.copy()
    moved = (1 - expression[blinks]) @ model.expression[blinks].reshape(2, -1)
    expression[blinks] = 1
    shut = replace(fitted, expression=expression, posed=(fitted.posed + moved.reshape(-1, 3)).astype(np.float32))
    assert unfolding_lids(model, shut).min() > 0.999


def test_the_white_of_an_eye_wider_than_its_landmarks_is_no_skin() -> None:
    _, face = portrait()
    opening = np.zeros(face.photo.pixels.shape[:2], np.uint8)
    cv2.fillPoly(opening, [np.round(face.landmarks_px[list(LEFT_EYE)]).astype(np.int32)], (1.0,))
    width = max(3, round(0.05 * face.interocular_px))
    rim = (cv2.dilate(opening, np.ones((2 * width + 1,) * 2, np.uint8)) > 0) & (opening == 0)

    def trust(colour: tuple[int, int, int]) -> float:
        pixels = face.photo.pixels.copy()
        pixels[rim] = colour
        evidence = gather_evidence(replace(face, photo=replace(face.photo, pixels=pixels)), 1.0)
        x, y = (int(v) for v in evidence.left_top_px)
        here = rim[y : y + evidence.trust.shape[0], x : x + evidence.trust.shape[1]]
        return float(evidence.trust[here].mean())

    skin = tuple(int(v) for v in np.median(face.photo.pixels[rim], axis=0))
    assert trust((235, 235, 238)) < 0.25
    assert trust(skin) > 0.6
