"""Landmarks put right by hand: the head follows them, and nothing else changes that can be seen."""

from dataclasses import replace

import numpy as np
import pytest

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.core.sitting import Pins
from avatar3d.fit.fit import meet, settle
from avatar3d.fit.pins import (
    meeting_again,
    missed_pins,
    packed,
    pin_misses,
    pull_to_pins,
    shown_landmarks,
    sitting_of,
    told_landmarks,
    unpacked,
    with_pins,
)
from avatar3d.fit.together import fit_together
from tests.unit.fit.faces import camera_at, default_head, face_of, random_person

NOSE, CHIN, CORNER = 4, 152, 61


@pytest.fixture(scope="module")
def seen() -> tuple[HeadModel, FaceObservation, HeadFit]:
    model = default_head()
    face = face_of(model, random_person(model, 5), camera_at(0.7, yaw_rad=0.15))
    return model, face, settle(model, meet(model, face))


def pinned(face: FaceObservation, shifts: dict[int, tuple[float, float]]) -> Pins:
    """Pins beside what was observed, by so many IOD."""
    order = sorted(shifts)
    moved = np.array([shifts[landmark] for landmark in order], np.float32) * face.interocular_px
    return Pins(np.array(order, np.int32), face.landmarks_px[order] + moved)


def fitted(model: HeadModel, face: FaceObservation, pins: Pins) -> HeadFit:
    return pull_to_pins(model, settle(model, with_pins(meet(model, face), pins)), pins)


def test_pins_are_met(seen: tuple[HeadModel, FaceObservation, HeadFit]) -> None:
    model, face, _ = seen
    pins = pinned(face, {NOSE: (0.03, 0.02), CHIN: (0, 0.08), CORNER: (-0.06, 0.02), 33: (-0.03, 0), 10: (0, -0.05)})
    assert (pin_misses(model, fitted(model, face, pins), pins) / face.interocular_px).max() < 0.002


def test_pins_where_the_head_already_is_change_nothing_that_shows(
    seen: tuple[HeadModel, FaceObservation, HeadFit],
) -> None:
    model, face, plain = seen
    order = np.array([NOSE, 33, CORNER, CHIN, 263], np.int32)
    order.sort()
    pins = Pins(order, shown_landmarks(model, plain)[order])
    again = fitted(model, face, pins)
    change = np.linalg.norm(again.neutral - plain.neutral, axis=1)
    assert change.max() < 0.0015
    assert np.median(change) < 0.0005


def test_a_pin_moves_what_is_near_it_and_not_the_other_side(
    seen: tuple[HeadModel, FaceObservation, HeadFit],
) -> None:
    model, face, plain = seen
    after = shown_landmarks(model, fitted(model, face, pinned(face, {CORNER: (-0.08, 0)})))
    moved = np.linalg.norm(after - shown_landmarks(model, plain), axis=1) / face.interocular_px
    assert moved[CORNER] > 0.05
    assert moved[[33, 133, 159, 263, 362, 10, 386]].max() < 0.02


def test_a_wrong_pin_bends_the_skin_no_further_than_it_bends_and_is_told(
    seen: tuple[HeadModel, FaceObservation, HeadFit],
) -> None:
    model, face, plain = seen
    pins = pinned(face, {NOSE: (0.9, 0)})
    wrong = fitted(model, face, pins)
    assert np.linalg.norm(wrong.pin_shifts_m) <= 0.0121
    assert np.linalg.norm(wrong.neutral - plain.neutral, axis=1).max() < 0.03
    (said,) = missed_pins(model, wrong, pins)
    assert "landmark 4" in said
    assert missed_pins(model, plain, None) == ()


def test_without_pins_the_fit_is_what_it_was(seen: tuple[HeadModel, FaceObservation, HeadFit]) -> None:
    model, face, plain = seen
    together = fit_together(model, [face], segments=[None])
    np.testing.assert_array_equal(together.fits[0].posed, plain.posed)
    assert len(together.fits[0].pins) == 0


def test_pins_set_later_give_the_same_head_as_pins_set_at_once(
    seen: tuple[HeadModel, FaceObservation, HeadFit],
) -> None:
    model, face, _ = seen
    pins = pinned(face, {NOSE: (0.02, 0), CHIN: (0, 0.05)})
    at_once = fit_together(model, [face], segments=[None], pins=pins)
    sitting = sitting_of(at_once.main)
    np.testing.assert_array_equal(sitting.landmarks_px, face.landmarks_px)
    later = settle(model, with_pins(meeting_again(model, sitting), pins))
    np.testing.assert_array_equal(later.neutral, at_once.fits[0].neutral)
    np.testing.assert_array_equal(
        pull_to_pins(model, later, pins).posed, pull_to_pins(model, at_once.fits[0], pins).posed
    )


def test_a_pinned_iris_turns_the_eyes(seen: tuple[HeadModel, FaceObservation, HeadFit]) -> None:
    model, face, plain = seen
    pins = pinned(face, {468: (0.04, 0), 473: (0.04, 0)})
    looking = fitted(model, face, pins)
    assert len(looking.pins) == 0
    gone = (shown_landmarks(model, looking) - shown_landmarks(model, plain))[[468, 473], 0] / face.interocular_px
    assert gone.min() > 0.02


def test_further_photos_share_the_pinned_head(seen: tuple[HeadModel, FaceObservation, HeadFit]) -> None:
    model, face, _ = seen
    other = face_of(model, random_person(model, 5), camera_at(0.7, yaw_rad=-0.4))
    together = fit_together(model, [face, other], segments=[None, None], pins=pinned(face, {CHIN: (0, 0.05)}))
    first, second = together.fits
    np.testing.assert_array_equal(first.identity, second.identity)


def test_what_is_known_survives_its_row_of_numbers(seen: tuple[HeadModel, FaceObservation, HeadFit]) -> None:
    model, face, _ = seen
    known = meet(model, face).known
    again = unpacked(packed(known), len(model.identity))
    np.testing.assert_array_equal(again.view.rotation, known.view.rotation)
    np.testing.assert_array_equal(again.expression, known.expression)
    with pytest.raises(ValueError, match="numbers"):
        unpacked(packed(known)[:-1], len(model.identity))


def test_json_tells_all_landmarks_and_every_pin(seen: tuple[HeadModel, FaceObservation, HeadFit]) -> None:
    model, face, plain = seen
    told = told_landmarks(model, plain, pinned(replace(face), {NOSE: (0, 0)}))
    assert len(told["landmarks_px"]) == 478
    assert told["pins"][0]["landmark"] == NOSE
    assert told["pins"][0]["off_px"] == pytest.approx(told["pins"][0]["off_iod"] * face.interocular_px, rel=0.05)
