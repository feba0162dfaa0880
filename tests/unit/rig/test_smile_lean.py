"""A smile that leans stays this person's: in the shapes, on the photo, and when the record is read back."""

import json

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadFit
from avatar3d.core.photo import Camera, Light
from avatar3d.fit.smile import smile_lean
from avatar3d.head.deform import lean_gains, pose_head, shape_head
from avatar3d.head.load import load_head_model
from avatar3d.report.record import FitRecord, record_as_json, record_from_json
from avatar3d.rig.assemble import as_rigged, rig_head

LEFT, RIGHT = (ARKIT_INDEX[f"mouthSmile{side}"] for side in ("Left", "Right"))
STILL = np.array([1, 0, 0, 0], np.float32)


def smiling(left: float, right: float) -> np.ndarray:
    weights = np.zeros(52, np.float32)
    weights[[LEFT, RIGHT]] = left, right
    return weights


def fit_of(expression: np.ndarray, lean: float = 0.0) -> HeadFit:
    model = load_head_model()
    identity = np.random.default_rng(3).normal(size=len(model.identity)).astype(np.float32)
    neutral = shape_head(model, identity)
    camera = Camera(900.0, np.array([256, 256], np.float32), 512, 512, STILL, np.array([0, 0, 0.6], np.float32))
    posed = pose_head(model, neutral, expression, STILL, STILL, smile_lean=lean)
    zero = np.zeros(52, np.float32)
    return HeadFit(identity, expression, zero, camera, STILL, STILL, neutral, posed, 0.01, smile_lean=lean)


def test_a_broad_smile_leans_to_the_stronger_corner_and_a_faint_one_tells_nothing() -> None:
    assert smile_lean(smiling(0.7, 0.6)) == pytest.approx(0.7 / 13, abs=1e-6)
    assert smile_lean(smiling(0.6, 0.7)) == pytest.approx(-0.7 / 13, abs=1e-6)
    assert smile_lean(smiling(0.5, 0.5)) == smile_lean(smiling(0.2, 0.05)) == 0
    assert smile_lean(smiling(1.0, 0.2)) == pytest.approx(0.12, abs=1e-6)  # half a smile is a grin, not a habit


def test_a_full_smile_leans_as_the_photo_did_while_the_photo_is_posed_as_before() -> None:
    seen = smiling(0.7, 0.6)
    lean = smile_lean(seen)
    plain, leaning = fit_of(seen), fit_of((seen / lean_gains(lean)).astype(np.float32), lean)
    assert 0 <= leaning.expression.min() <= leaning.expression.max() <= 1
    np.testing.assert_allclose(leaning.posed, plain.posed, atol=2e-6)
    model = load_head_model()
    before, after = rig_head(model, plain).shapes, rig_head(model, leaning).shapes
    for shape, gain in ((LEFT, 1 + lean), (RIGHT, 1 - lean)):
        np.testing.assert_allclose(after[shape], before[shape] * np.float32(gain), atol=1e-7)
    others = np.delete(np.arange(52), [LEFT, RIGHT])
    np.testing.assert_array_equal(after[others], before[others])
    np.testing.assert_allclose(as_rigged(model, leaning).posed, as_rigged(model, plain).posed, atol=2e-6)


def test_the_record_keeps_the_lean_and_an_older_one_has_none() -> None:
    model, light = load_head_model(), Light(np.ones((9, 3), np.float32))
    fitted = fit_of(smiling(0.5, 0.5), 0.05)
    stored = json.loads(json.dumps(record_as_json(FitRecord(model.name, fitted, light))))
    again = record_from_json(stored, model).fitted
    assert np.float32(again.smile_lean) == np.float32(0.05)
    np.testing.assert_allclose(again.posed, fitted.posed, atol=1e-6)
    del stored["smile_lean"]
    assert record_from_json(stored, model).fitted.smile_lean == 0
