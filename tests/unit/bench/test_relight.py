"""What bench.relight promises: gains that no photo tells cost nothing, shading costs, and light changes only light."""

import cv2
import numpy as np
import pytest
from jaxtyping import UInt8

from avatar3d.core.segments import KINDS
from avatar3d.people.heads import FACE
from avatar3d.people.portrait import Portrait
from avatar3d.render.stage import LINEAR_FROM_SRGB, srgb_from_linear
from bench.relight import angle_deg, score, tone_error
from bench.sittings import Sitting, in_even_light, in_light, sit, skin_mask


@pytest.fixture
def truth() -> UInt8[np.ndarray, "N 3"]:
    """Mottled skin."""
    noise = np.random.default_rng(0).normal(0, 8, (4000, 1)) + np.random.default_rng(1).normal(0, 2, (4000, 3))
    return np.round(np.array([190, 140, 120]) + noise).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def sitting() -> Sitting:
    return sit(0, 5)


@pytest.fixture(scope="module")
def even(sitting: Sitting) -> Portrait:
    return in_even_light(sitting)


def test_a_gain_per_channel_is_free_but_counts_in_the_plain_score(truth: UInt8[np.ndarray, "N 3"]) -> None:
    gained = srgb_from_linear(LINEAR_FROM_SRGB[truth] * np.array([0.7, 0.8, 1.1], np.float32))
    plain, free = score(gained, truth)
    assert free > 50
    assert plain < 30


def test_shading_is_not_free(truth: UInt8[np.ndarray, "N 3"]) -> None:
    shade = np.linspace(0.6, 1.4, len(truth), dtype=np.float32)[:, None]
    shaded = srgb_from_linear(LINEAR_FROM_SRGB[truth] * shade)
    plain, free = score(shaded, truth)
    assert free < 30
    assert free >= plain - 0.1


def test_a_darker_tone_is_no_error_once_as_bright_but_another_hue_is(truth: UInt8[np.ndarray, "N 3"]) -> None:
    linear = LINEAR_FROM_SRGB[truth]
    plain, as_bright = tone_error(srgb_from_linear(0.5 * linear), truth)
    assert plain > 10
    assert as_bright < 0.5
    assert tone_error(srgb_from_linear(linear * np.array([1, 0.8, 1], np.float32)), truth)[1] > 5


def test_an_angle_between_normals_is_in_degrees() -> None:
    ahead, aside = np.array([[0, 0, 1]], np.float32), np.array([[0.5, 0, np.sqrt(0.75)]], np.float32)
    assert angle_deg(ahead, aside) == pytest.approx(30, abs=0.01)


def test_only_the_light_differs_between_two_pictures_of_a_sitting(sitting: Sitting, even: Portrait) -> None:
    lit = in_light(sitting, 3)
    assert sitting.skin.monk == 5
    np.testing.assert_array_equal(even.canvas.label, lit.canvas.label)
    face = sitting.head.part == FACE
    ratio = lit.canvas.image[face] ** 2.2 / even.canvas.image[face] ** 2.2
    assert np.median(ratio) == pytest.approx(np.median(lit.lamp.falling), abs=0.2)  # and some gloss


def test_the_mask_is_skin_and_holds_most_of_the_face(even: Portrait) -> None:
    mask = skin_mask(even)
    on_skin = cv2.resize(even.canvas.label, mask.shape, interpolation=cv2.INTER_NEAREST) == KINDS.index("skin")
    assert on_skin[mask].all()
    assert 0.4 < mask.sum() / on_skin.sum() < 0.9
