"""The photo's light is found and taken out."""

import numpy as np

from avatar3d.core.photo import Light
from avatar3d.render.lights import add_lights, ambient_light, directional_light
from avatar3d.texture.delight import divide_by_light, fit_light, refine_light

SKIN = np.array([0.5, 0.3, 0.2], np.float32)


def front_normals(count: int = 4000) -> np.ndarray:
    normals = np.random.default_rng(1).standard_normal((count, 3))
    normals[:, 2] = np.abs(normals[:, 2]) + 0.3
    return (normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32)


def from_the_left() -> Light:
    return add_lights(ambient_light((0.6, 0.6, 0.6)), directional_light((0.9, 0.2, 0.4), (0.6, 0.6, 0.6)))


def spread(colour: np.ndarray) -> float:
    return float(np.log(colour).std(axis=0).max())


def test_skin_of_one_colour_becomes_one_colour() -> None:
    normals = front_normals()
    seen = SKIN * from_the_left().shade(normals)
    light = fit_light(seen, normals, np.ones(len(seen), np.float32))
    assert spread(divide_by_light(seen, normals, light)) < 0.4 * spread(seen)


def test_albedo_times_light_is_the_photo_again() -> None:
    normals = front_normals()
    seen = SKIN * from_the_left().shade(normals)
    light = fit_light(seen, normals, np.ones(len(seen), np.float32))
    np.testing.assert_allclose(divide_by_light(seen, normals, light) * light.shade(normals), seen, rtol=1e-4)


def test_light_keeps_the_exposure() -> None:
    normals = front_normals()
    seen = SKIN * from_the_left().shade(normals)
    light = fit_light(seen, normals, np.ones(len(seen), np.float32))
    assert abs(float(np.log(light.shade(normals)).mean())) < 0.02


def test_dark_spots_do_not_dim_the_light() -> None:
    normals = front_normals()
    spots = np.random.default_rng(2).random(len(normals)) < 0.15
    seen = np.where(spots[:, None], SKIN * np.float32(0.3), SKIN)
    light = fit_light(seen, normals, np.ones(len(seen), np.float32))
    assert float(np.log(light.shade(normals)).std(axis=0).max()) < 0.06


def test_refined_light_gives_the_photo_back_from_the_albedo() -> None:
    normals = front_normals()
    seen = SKIN * from_the_left().shade(normals)
    albedo = np.tile(SKIN, (len(normals), 1))
    cautious = ambient_light((1.0, 1.0, 1.0))
    light = refine_light(cautious, albedo, seen, normals, np.ones(len(seen), np.float32))

    def error(of: Light) -> float:
        return float(np.abs(np.log(albedo * of.shade(normals) / seen)).mean())

    assert error(light) < 0.4 * error(cautious)


def test_refined_light_is_positive_everywhere() -> None:
    normals = front_normals()
    hard = add_lights(ambient_light((0.02, 0.02, 0.02)), directional_light((1.0, 0.1, 0.1), (1.5, 1.5, 1.5)))
    albedo = np.tile(SKIN, (len(normals), 1))
    light = refine_light(ambient_light((0.5, 0.5, 0.5)), albedo, SKIN * hard.shade(normals), normals, np.ones(len(normals), np.float32))  # fmt: skip
    everywhere = np.concatenate([normals, -normals])
    assert (everywhere.shape[0] == (light.shade(everywhere) > 0).all(axis=1).sum()).all()


def test_a_light_that_leaves_no_face_unlit_still_gives_a_hard_lit_photo_back() -> None:
    """Deep shade on one side asks for less than no light from behind: only there the estimate holds, not everywhere."""
    normals = front_normals()
    true = add_lights(ambient_light((0.12, 0.12, 0.12)), directional_light((0.95, 0.1, 0.3), (1.3, 1.3, 1.3)))
    seen = SKIN * np.maximum(true.shade(normals), np.float32(0.02))
    start = fit_light(seen, normals, np.ones(len(seen), np.float32))
    albedo = np.tile(SKIN, (len(seen), 1))
    light = refine_light(start, albedo, seen, normals, np.ones(len(seen), np.float32))
    around = np.random.default_rng(4).standard_normal((2000, 3)).astype(np.float32)
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    assert light.shade(around).min() > 0
    off = np.abs(np.log(albedo * light.shade(normals) / seen)).mean()
    assert off < 0.12
