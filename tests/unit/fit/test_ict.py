"""ICT-FaceKit as a HeadModel (skipped where its file is absent)."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.errors import ModelMissingError
from avatar3d.core.head import HeadModel
from avatar3d.head.ict import ict_path, load_ict

needs_ict = pytest.mark.skipif(not ict_path().is_file(), reason=f"ICT-FaceKit is not at {ict_path()}")


@cache
def _ict() -> HeadModel:
    return load_ict()


@needs_ict
def test_it_is_a_head_in_metres_that_faces_forward() -> None:
    model = _ict()
    face = np.unique(model.triangles[model.part("face")])
    assert 0.25 < np.ptp(model.rest[face, 1]) < 0.45
    assert model.rest[face, 2].max() > 0.12


@needs_ict
def test_the_left_eye_is_on_the_persons_left() -> None:
    model = _ict()
    left, right = (model.rest[np.unique(model.triangles[model.part(n)])].mean(0) for n in ("eyeLeft", "eyeRight"))
    assert left[0] > 0.02
    np.testing.assert_allclose(left * [-1, 1, 1], right, atol=1e-4)
    blink = np.linalg.norm(model.expression[ARKIT_INDEX["eyeBlinkLeft"]], axis=1)
    assert model.rest[blink.argmax(), 0] > 0


@needs_ict
def test_every_arkit_shape_moves_something() -> None:
    moves = np.linalg.norm(_ict().expression, axis=2).max(1)
    still = {name for name, index in ARKIT_INDEX.items() if moves[index] < 1e-3}
    assert still == set()


@needs_ict
def test_mirroring_twice_is_nothing() -> None:
    mirror = _ict().mirror
    np.testing.assert_array_equal(mirror[mirror], np.arange(len(mirror)))


def test_an_absent_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    missing = tmp_path / "ict_facekit.npz"
    with pytest.raises(ModelMissingError, match=r"ict_facekit\.npz"):
        load_ict(missing)
