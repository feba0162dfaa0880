"""Hair where the segmentation net sees it: blond on bright skin, strands before the cheek; edges from the colours."""

from dataclasses import replace

import cv2
import numpy as np

from avatar3d.core.segments import KINDS, Segments
from avatar3d.hair.segment import hidden_by_hair, segment_hair
from avatar3d.hair.shell import sample_meridians
from avatar3d.hair.style import measure_style
from avatar3d.photo.crop import CROP_PX, crop_from_photo, warp_into
from tests.unit.hair.test_hair import BROWN, SIZE, Sitter, sitter


def seen(who: Sitter, hair: np.ndarray, *, blurred_px: float = 0.0) -> Segments:
    """What a net would answer that sees hair exactly there."""
    planes = np.zeros((len(KINDS), SIZE, SIZE), np.float32)
    planes[KINDS.index("hair")] = cv2.GaussianBlur(hair.astype(np.float32), (0, 0), max(blurred_px, 0.01))
    head = who.face.person & ~who.painted
    planes[KINDS.index("skin")] = np.minimum(head, 1 - planes[KINDS.index("hair")])
    planes[KINDS.index("background")] = 1 - planes.sum(0)
    crop = crop_from_photo(who.face.landmarks_px)
    probability = np.stack([warp_into(plane, crop) for plane in planes])
    probability[KINDS.index("background")] += 1 - probability.sum(0)
    return Segments(np.zeros((CROP_PX, CROP_PX, 3), np.uint8), probability.astype(np.float32), crop)


def test_hair_of_the_colour_of_skin_is_found_when_the_net_sees_it() -> None:
    who = sitter("no")
    cheek = np.zeros((SIZE, SIZE), bool)
    y, x = who.face.landmarks_px[[50, 101, 118], ::-1].mean(0).astype(int)
    cheek[y - 40 : y + 12, x - 9 : x + 2] = True
    scalp = sitter("short").painted
    segments = seen(who, cheek | scalp)
    picture = segment_hair(who.model, who.fitted, who.face, segments)
    hidden = hidden_by_hair(picture, who.face)
    assert segment_hair(who.model, who.fitted, who.face).hair.max() < 0.5
    assert hidden[scalp].mean() > 0.8


def test_the_colours_of_the_picture_sharpen_what_the_net_saw_blurred() -> None:
    who = sitter("short")
    blurred = segment_hair(who.model, who.fitted, who.face, seen(who, who.painted, blurred_px=4))
    hidden = hidden_by_hair(blurred, who.face) > 0.5
    truth = who.painted
    assert (hidden & truth).sum() / (hidden | truth).sum() > 0.85


def test_a_lapel_that_the_net_takes_for_hair_does_not_lengthen_it() -> None:
    who = sitter("long")
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    lapel = (x > 284) & (x < 322) & (y > 300) & (y < 430)
    hang: list[np.ndarray] = []
    for hair in (who.painted, who.painted | lapel):
        picture = segment_hair(who.model, who.fitted, who.face, seen(who, hair))
        surface = sample_meridians(who.model, who.fitted, picture.skull)
        found = measure_style(picture, who.fitted, surface).hang
        assert found is not None
        hang.append(found.ends)
    assert (hang[0] < -0.75).all()
    np.testing.assert_allclose(hang[1], hang[0], atol=0.45)


def test_the_colour_of_a_dress_is_not_the_colour_of_the_hair_that_lies_on_it() -> None:
    who = sitter("long")
    pixels = who.face.photo.pixels.copy()
    dress = who.painted & (np.mgrid[0:SIZE, 0:SIZE][0] > 290)
    pixels[dress] = (190, 20, 30)
    face = replace(who.face, photo=replace(who.face.photo, pixels=pixels))
    picture = segment_hair(who.model, who.fitted, face, seen(who, who.painted))
    red = (picture.pixels[..., 0] > 150) & (picture.pixels[..., 1] < 60)
    brown = (np.abs(picture.pixels.astype(int) - BROWN) < 12).all(-1)
    assert picture.hair[red].mean() > 0.5
    assert picture.pure[red].max() < 0.1
    assert picture.pure[brown].mean() > 0.5


def test_no_hair_is_no_hair() -> None:
    who = sitter("no")
    picture = segment_hair(who.model, who.fitted, who.face, seen(who, np.zeros((SIZE, SIZE), bool)))
    assert picture.hair.max() < 0.1
