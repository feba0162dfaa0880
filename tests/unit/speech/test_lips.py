"""Lips measured on the mesh itself: the linear ruler must not lie."""

import json

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.head.load import load_head_model
from avatar3d.rig.assemble import rig_neutral
from avatar3d.rig.lips import find_lip_pairs
from avatar3d.speech.lips import gap_mm, seal, tuck_mm, width_mm
from avatar3d.speech.performance.emotion import EMOTIONS, Look, look_of
from tools.build_mouth import OUT, measure_mouth


def weights(**values: float) -> np.ndarray:
    made = np.zeros(52, np.float32)
    for name, value in values.items():
        for full in (name,) if name in ARKIT_INDEX else (f"{name}Left", f"{name}Right"):
            made[ARKIT_INDEX[full]] = value
    return made


OPEN = {"jawOpen": 0.3, "mouthLowerDown": 0.4, "mouthUpperUp": 0.3, "mouthFunnel": 0.2}


@pytest.fixture(scope="module")
def mesh_gap_mm():
    """The lips' opening on the rigged mean head, measured between its vertices."""
    model = load_head_model()
    head, pairs = rig_neutral(model, model.rest), find_lip_pairs(model)
    middle = np.abs(head.neutral[pairs.lower, 0]) < 0.008

    def gap(row: np.ndarray) -> float:
        posed = np.tensordot(row, head.shapes, 1)
        return 1000 * float(-pairs.apart(posed)[middle, 1].mean())

    return gap


def test_the_ruler_belongs_to_the_shipped_head() -> None:
    told = json.loads(OUT.read_text(encoding="utf-8"))["mm"]
    measured = measure_mouth(load_head_model())
    for name, value in measured.items():
        np.testing.assert_allclose(told[name], value, atol=0.02, err_msg=name)


def test_the_gap_told_is_the_gap_on_the_mesh(mesh_gap_mm) -> None:
    for row in (weights(**OPEN), weights(jawOpen=0.1, mouthClose=0.1), weights(mouthSmile=0.7, jawOpen=0.2)):
        assert gap_mm(row) == pytest.approx(mesh_gap_mm(row), abs=0.1)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_closed_lips_meet_on_the_mesh_under_every_emotion(emotion: str, mesh_gap_mm) -> None:
    look = Look(look_of(emotion, 1.0))
    worn = np.clip(weights(**OPEN) + look.mouth + look.face, 0, 1).astype(np.float32)
    assert mesh_gap_mm(worn) > 5
    assert mesh_gap_mm(seal(worn, 1.0, 0.0)) < 0.2


def test_a_half_closure_halves_the_gap_roughly() -> None:
    open_mm = float(gap_mm(weights(**OPEN)))
    assert 0.2 * open_mm < float(gap_mm(seal(weights(**OPEN), 0.5, 0.0))) < 0.7 * open_mm


def test_a_tuck_brings_the_lip_under_the_teeth_and_is_no_closure() -> None:
    tucked = seal(weights(**OPEN), 0.0, 1.0)
    assert float(tuck_mm(weights(**OPEN))) > 5
    assert float(tuck_mm(tucked)) < 0.5
    assert float(gap_mm(tucked)) > 2


def test_a_closed_mouth_is_not_tucked() -> None:
    assert float(tuck_mm(np.zeros(52, np.float32))) > 3
    assert float(tuck_mm(seal(weights(**OPEN), 1.0, 0.0))) > 3


def test_a_closure_wins_over_a_tuck() -> None:
    np.testing.assert_array_equal(seal(weights(**OPEN), 1.0, 1.0), seal(weights(**OPEN), 1.0, 0.0))


def test_without_gates_nothing_changes_and_nothing_given_is_written_to() -> None:
    given = weights(**OPEN)
    kept = given.copy()
    np.testing.assert_array_equal(seal(given, 0.0, 0.0), kept)
    seal(given, 1.0, 0.0)
    np.testing.assert_array_equal(given, kept)


def test_sealing_twice_is_sealing_once() -> None:
    once = seal(weights(**OPEN), 1.0, 0.0)
    np.testing.assert_allclose(seal(once, 1.0, 0.0), once, atol=1e-6)


def test_many_instants_are_sealed_like_one() -> None:
    rows = np.stack([weights(**OPEN), weights(jawOpen=0.5)])
    both = seal(rows, np.array([1, 0.3], np.float32), np.array([0, 0.5], np.float32))
    np.testing.assert_allclose(both[1], seal(rows[1], 0.3, 0.5), atol=1e-6)
    assert both.shape == (2, len(ARKIT_NAMES))


def test_pucker_narrows_the_mouth_and_stretch_widens_it() -> None:
    rest = float(width_mm(np.zeros(52, np.float32)))
    assert float(width_mm(weights(mouthPucker=0.7))) < rest - 4
    assert float(width_mm(weights(mouthStretch=0.7))) > rest + 4
