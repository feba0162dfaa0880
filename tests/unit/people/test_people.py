"""People the net is trained on: different each time, the same for the same seed, with a truth for every pixel."""

from itertools import islice

import numpy as np
import pytest

from avatar3d.core.segments import KINDS
from avatar3d.people.heads import random_sitter, see_head
from avatar3d.people.paint import Paper
from avatar3d.people.portrait import draw_portrait
from avatar3d.people.skin import load_skin_model
from avatar3d.people.wardrobe import Wardrobe
from avatar3d.photo.crop import crop_from_photo
from tools.people.crops import Person, people


def anything() -> Wardrobe:
    """Patches of noise: no portrait is needed to try the generator."""
    patches = np.random.default_rng(3).integers(0, 255, (3, 64, 64, 3)).astype(np.uint8)
    return Wardrobe(patches, patches, plain=False)


@pytest.fixture(scope="module")
def crowd() -> list[Person]:
    return list(islice(people(5, load_skin_model(), anything()), 8))


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
    again = next(people(5, load_skin_model(), anything()))
    np.testing.assert_array_equal(again.pixels, crowd[0].pixels)
    np.testing.assert_array_equal(again.label, crowd[0].label)
    other = next(people(6, load_skin_model(), anything()))
    assert (other.pixels != crowd[0].pixels).mean() > 0.5


def test_finer_paper_shows_the_same_head() -> None:
    sitter = random_sitter(np.random.default_rng(1))
    coarse, fine = see_head(sitter, Paper(1)), see_head(sitter, Paper(2))
    np.testing.assert_allclose(fine.landmarks, coarse.landmarks, atol=1e-3)
    assert (fine.part[::2, ::2] != coarse.part).mean() < 0.01


def test_only_men_have_beards() -> None:
    head = see_head(random_sitter(np.random.default_rng(2)), Paper())
    drawn = [draw_portrait(np.random.default_rng([9, k]), head, load_skin_model(), anything()) for k in range(24)]
    bearded = {one.traits.sex for one in drawn if one.worn["beard"]}
    assert bearded == {"male"}
    assert {one.traits.sex for one in drawn} == {"male", "female"}
