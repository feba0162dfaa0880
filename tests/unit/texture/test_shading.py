"""What goes with the way skin faces is light; what does not is skin."""

from dataclasses import replace

import numpy as np

from avatar3d.texture.project import Look
from avatar3d.texture.shading import fit_shading, shading_aslant


def look(count: int = 4_000) -> Look:
    """Bare skin that faces anywhere in front."""
    rng = np.random.default_rng(3)
    normals = rng.normal(size=(count, 3)).astype(np.float32)
    normals[:, 2] = np.abs(normals[:, 2]) + 0.2
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    one, none = np.ones(count, np.float32), np.zeros(count, np.float32)
    return Look(np.arange(count, dtype=np.int32), np.ones((count, 3), np.float32), normals, one, none, none, one, one)


def gloss(normals: np.ndarray) -> np.ndarray:
    """Log light of a soft lamp from above that the first fit missed."""
    facing = np.clip(normals @ np.array([0.0, 0.6, 0.8]), 0, 1) ** 4
    return (0.3 * facing)[:, None].repeat(3, axis=1).astype(np.float32)


def test_most_of_what_goes_with_the_normal_is_taken_out_and_the_tone_stays() -> None:
    seen = look()
    ratio = gloss(seen.normals)
    left = ratio - fit_shading(ratio, seen).at(seen.normals)
    assert left.std() < 0.4 * ratio.std()
    np.testing.assert_allclose(left.mean(axis=0), ratio.mean(axis=0), atol=0.01)


def test_spots_stay() -> None:
    seen = look()
    spots = -0.4 * (np.random.default_rng(5).random((len(seen.normals), 1)) < 0.05) * np.ones(3)
    assert np.abs(fit_shading(spots.astype(np.float32), seen).at(seen.normals)).max() < 0.03


def test_where_nothing_was_measured_it_is_no_stronger_than_where_it_was() -> None:
    seen = look()
    shading = fit_shading(gloss(seen.normals), seen)
    there, behind = shading.at(seen.normals), shading.at(-seen.normals)
    assert behind.max() <= there.max()
    assert behind.min() >= there.min()


def test_too_little_skin_tells_nothing() -> None:
    seen = look(50)
    assert not fit_shading(gloss(seen.normals), seen).at(seen.normals).any()


def test_it_is_taken_out_at_the_rim_and_left_where_skin_faces_the_camera() -> None:
    seen = look()
    left = fit_shading(gloss(seen.normals), seen)
    cosine = np.linspace(0, 1, len(seen.normals), dtype=np.float32)
    taken = shading_aslant(left, replace(seen, cosine=cosine))
    np.testing.assert_array_equal(taken[cosine < 0.4], left.at(seen.normals)[cosine < 0.4])
    assert not taken[cosine > 0.75].any()
    between = (cosine > 0.4) & (cosine < 0.75)
    assert (np.abs(taken[between]) <= np.abs(left.at(seen.normals)[between])).all()
