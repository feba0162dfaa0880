"""Generated people: mixed from many, different each time, the same for the same seed, with a truth for every pixel."""

from itertools import islice

import numpy as np
import pytest

from avatar3d.core.segments import KINDS
from avatar3d.photo.crop import crop_from_photo
from tools.people.ingredients import Ingredients
from tools.people.people import Person, people
from tools.people.skin import SkinMixer, nearest_source


def _made_up() -> Ingredients:
    """Ingredients of noise: no portrait is needed to try the generator."""
    rng = np.random.default_rng(3)
    tones = rng.uniform(60, 220, (20, 1, 1, 3))
    skins = (tones * np.exp(0.2 * rng.normal(0, 1, (20, 256, 256, 1)))).clip(1, 255).astype(np.uint8)
    patches = rng.integers(0, 255, (3, 64, 64, 3)).astype(np.uint8)
    return Ingredients(tuple("abcdefghijklmnopqrst"), skins, patches, patches)


@pytest.fixture(scope="module")
def crowd() -> list[Person]:
    return list(islice(people(5, _made_up()), 8))


def test_a_skin_is_mixed_from_eight_or_more_and_none_counts_for_much() -> None:
    mixer = SkinMixer(_made_up().skins)
    rng = np.random.default_rng(0)
    for _ in range(20):
        made = mixer.mix(rng)
        for shares in (made.smooth_shares, made.fine_shares):
            assert (shares > 0).sum() >= 8
            assert shares.max() < 0.2
            assert shares.sum() == pytest.approx(1, abs=1e-5)


def test_no_source_can_be_retrieved_from_a_made_skin() -> None:
    skins = _made_up().skins
    mixer = SkinMixer(skins)
    rng = np.random.default_rng(1)
    for _ in range(10):
        nearest, second = nearest_source(mixer.mix(rng).albedo, skins)
        assert nearest < 0.75
        assert nearest - second < 0.3
    itself, _ = nearest_source((skins[0].astype(np.float32) / 255) ** np.float32(2.2), skins)
    assert itself > 0.99


def test_every_pixel_has_a_kind_and_the_usual_ones_are_there(crowd: list[Person]) -> None:
    for one in crowd:
        assert one.pixels.shape == (256, 256, 3)
        assert one.label.max() < len(KINDS)
        assert (one.label == KINDS.index("skin")).sum() > 1000
        np.testing.assert_array_equal(one.person, one.label != KINDS.index("background"))


def test_the_face_stands_where_the_crop_puts_it(crowd: list[Person]) -> None:
    for one in crowd:
        again = crop_from_photo(one.landmarks)
        assert np.hypot(again[0, 0], again[0, 1]) == pytest.approx(1, abs=0.25)


def test_the_same_seed_gives_the_same_people(crowd: list[Person]) -> None:
    again = next(people(5, _made_up()))
    np.testing.assert_array_equal(again.pixels, crowd[0].pixels)
    np.testing.assert_array_equal(again.label, crowd[0].label)
    other = next(people(6, _made_up()))
    assert (other.pixels != crowd[0].pixels).mean() > 0.5
