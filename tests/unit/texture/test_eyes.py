"""Eyes as the photo shows them, on eyeballs of this head."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.head import HeadFit
from avatar3d.core.photo import FaceObservation
from avatar3d.fit.fit import fit_head
from avatar3d.head.load import load_head_model
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.render.lights import LUMINANCE
from avatar3d.render.stage import LINEAR_FROM_SRGB
from avatar3d.rig.assemble import as_rigged
from avatar3d.texture.eyes import recover_eyes


@pytest.fixture(scope="module")
def seen(astronaut: Path) -> tuple[FaceObservation, HeadFit]:
    model = load_head_model()
    face = observe_face(load_photo(astronaut))
    return face, as_rigged(model, fit_head(model, face))


def bright(texture: np.ndarray) -> np.ndarray:
    return LINEAR_FROM_SRGB[texture] @ LUMINANCE


def iris_radius_uv(texture: np.ndarray) -> float:
    """Where the row through the middle turns from iris to white, to the person's right, in texture widths."""
    row = bright(texture)[len(texture) // 2 - 2 : len(texture) // 2 + 3].mean(axis=0)
    middle = len(row) // 2
    steps = np.diff(row[middle:])
    return float((np.argmax(np.convolve(steps, np.ones(5), "same")) + 0.5) / len(row))


def test_an_iris_does_not_grow_with_the_head(seen: tuple[FaceObservation, HeadFit]) -> None:
    model = load_head_model()
    face, fitted = seen
    larger = replace(fitted, neutral=(1.15 * fitted.neutral).astype(np.float32))
    usual, smaller = (iris_radius_uv(recover_eyes(model, fit, face).pixels) for fit in (fitted, larger))
    assert smaller == pytest.approx(usual / 1.15, rel=0.05)
