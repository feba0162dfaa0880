"""Skin from several photos: each texel from the one that sees it best, in the tone of the first."""

from dataclasses import replace

import numpy as np

from avatar3d.core.head import HeadFit
from avatar3d.core.photo import FaceObservation
from avatar3d.texture.atlas import face_atlas
from avatar3d.texture.blend import Layer, blend_layers
from avatar3d.texture.recover import recover_skin
from avatar3d.texture.see import SkinView
from tests.unit.texture.portrait import SKIN, head, portrait

SIZE = 128
NOTHING, EVEN = np.zeros((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE, 3), np.float32)


def layer(colour: float, cosine: np.ndarray, *, drawn: np.ndarray = NOTHING) -> Layer:
    """Even skin of this log colour, believed wherever it is seen."""
    ratio = np.full((SIZE, SIZE, 3), colour, np.float32)
    return Layer(ratio, (cosine > 0).astype(np.float32), drawn, NOTHING, cosine.astype(np.float32))


def falling() -> np.ndarray:
    """Seen squarely on the atlas' left, edge-on on its right."""
    return np.tile(np.linspace(1, 0.1, SIZE), (SIZE, 1))


def spotted(plain: Layer, row: int, column: int) -> Layer:
    ratio = plain.ratio.copy()
    ratio[row : row + 2, column : column + 2] -= 1
    return replace(plain, ratio=ratio)


def test_each_texel_comes_from_the_photo_that_sees_it_most_squarely() -> None:
    left, right = layer(0, falling()), layer(0, falling()[:, ::-1])
    seen = blend_layers([spotted(spotted(left, 60, 20), 60, 100), right], EVEN).ratio[..., 1]
    assert seen[60, 20] < -0.9
    assert seen[60, 100] > -0.1


def test_another_exposure_leaves_no_seam() -> None:
    main, darker = layer(0, falling()), layer(-0.3, falling()[:, ::-1])
    ratio = blend_layers([main, darker], EVEN).ratio
    assert np.abs(ratio[8:-8, 8:-8]).max() < 0.03


def test_what_only_the_other_photo_shows_is_taken_in_the_first_ones_tone() -> None:
    half = np.where(np.arange(SIZE) < 80, 1.0, 0.0) * np.ones((SIZE, 1))
    blended = blend_layers([layer(0, half), layer(-0.3, 0.5 * np.ones((SIZE, SIZE)))], EVEN)
    assert blended.weight.min() > 0.9
    assert np.abs(blended.ratio[20:-20, 100]).max() < 0.1


def test_brows_and_mouth_are_the_first_photos() -> None:
    drawn = NOTHING.copy()
    drawn[40:80, 40:80] = 1
    main, other = layer(-1, np.full((SIZE, SIZE), 0.5), drawn=drawn), layer(0, np.ones((SIZE, SIZE)))
    marked = replace(other, ratio=other.ratio + drawn[..., None] * np.float32(2))
    seen = blend_layers([main, marked], EVEN)
    assert np.abs(seen.ratio[50:70, 50:70] + 1).max() < 0.05
    assert seen.drawn[60, 60] == 1


def test_a_mark_that_only_the_side_picture_shows_is_on_the_avatar() -> None:
    """A dark patch before the left ear."""
    model, atlas = head(), face_atlas(head(), 256)
    rest = atlas.blend(model.rest)
    spot = np.array([0.0728, 0.0130, 0.0247])

    def paint(points: np.ndarray) -> np.ndarray:
        marked = np.linalg.norm(points - spot, axis=1) < 0.008
        return np.where(marked[:, None], SKIN * 0.4, SKIN)

    def darkness(sides: tuple[tuple[HeadFit, FaceObservation], ...]) -> float:
        fitted, face = portrait(paint)
        views = [
            SkinView(fit, seen, bare=seen.person.astype(np.float32), ears=np.zeros(seen.person.shape, np.float32))
            for fit, seen in sides
        ]
        pixels = recover_skin(model, fitted, face, size=256, sides=views).albedo.pixels.reshape(-1, 3)[atlas.texels]
        here = np.linalg.norm(rest - spot, axis=1) < 0.004
        around = np.linalg.norm(rest - spot, axis=1)
        beside = (around > 0.012) & (around < 0.016)
        return float(pixels[beside].mean() - pixels[here].mean())

    assert darkness((portrait(paint, yaw_rad=-0.7), portrait(paint, yaw_rad=0.7))) > darkness(()) + 15
