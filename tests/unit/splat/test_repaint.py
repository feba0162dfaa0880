"""Points of a field colour what the photos did not reach, and nothing else."""

from dataclasses import replace

import numpy as np

from avatar3d.core.avatar import Avatar
from avatar3d.core.photo import Light
from avatar3d.core.splats import ColouredPoints
from avatar3d.render.lights import studio_light
from avatar3d.render.pose import Posed, pose_stage
from avatar3d.render.stage import LINEAR_FROM_SRGB, stage_avatar, unit
from avatar3d.splat.nerfstudio import View
from avatar3d.splat.repaint import repaint
from avatar3d.splat.still import cover
from tests.unit.splat.eggs import PX, camera_at, egg

EGG = egg()
STAGE = stage_avatar(EGG)
LIGHT = studio_light()
PLAIN = LINEAR_FROM_SRGB[np.array([205, 150, 130])]
RED = (PLAIN * [0.8, 0.5, 0.45]).astype(np.float32)
DIMMED = np.array([0.6, 0.7, 0.8], np.float32)
BACK_M = -0.03


def surface(count: int = 16_000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Places, normals, uvs and albedo of the egg's skin; red behind."""
    cloud = cover(STAGE, count)
    skin = STAGE.triangle_mesh[cloud.triangle] == 0
    corners = STAGE.triangles[cloud.triangle[skin]]
    share = cloud.barycentric[skin]
    places, normals, uvs = (
        np.einsum("sk,skc->sc", share, values[corners]) for values in (STAGE.positions, STAGE.normals, STAGE.uvs)
    )
    albedo = np.where(places[:, 2:] < BACK_M, RED, PLAIN)
    return places.astype(np.float32), unit(normals.astype(np.float32)), uvs, albedo.astype(np.float32)


PLACES, NORMALS, UVS, ALBEDO = surface()


def learnt(light: Light = LIGHT) -> ColouredPoints:
    """As a field has it: in the photo's light, and darker than the texture was made."""
    return ColouredPoints(PLACES, (ALBEDO * light.shade(NORMALS) * DIMMED).astype(np.float32))


def front() -> View:
    return View(np.zeros((PX, PX, 3), np.uint8), np.ones((PX, PX), np.float32), camera_at(0))


def at_rest() -> Posed:
    return pose_stage(STAGE, None, {}, np.zeros(3, np.float32), sky=None, pixel_m=1e-3)


def texture(avatar: Avatar) -> np.ndarray:
    found = avatar.meshes[0].material.base_colour
    assert found is not None
    return found.pixels


def seen_at(avatar: Avatar, chosen: np.ndarray) -> np.ndarray:
    """The texture's linear colour at those places."""
    pixels = texture(avatar)
    column, row = (np.clip(UVS[chosen], 0, 0.9999) * [pixels.shape[1], pixels.shape[0]]).astype(int).T
    return LINEAR_FROM_SRGB[pixels[row, column, :3]]


def test_the_back_takes_the_fields_colour_and_the_front_stays() -> None:
    made, told = repaint(EGG, at_rest(), learnt(), [front()], LIGHT)
    back, face = PLACES[:, 2] < BACK_M - 0.015, PLACES[:, 2] > 0.05
    assert np.median(np.abs(seen_at(made, back) / RED - 1)) < 0.1
    np.testing.assert_allclose(seen_at(made, face), seen_at(EGG, face), rtol=0.02)
    assert told.exposure is not None
    np.testing.assert_allclose(told.exposure, 1 / DIMMED, rtol=0.1)
    assert told.used > 3000
    assert told.seen > 3000
    assert told.left_out < 10
    assert all(new is old for new, old in zip(made.meshes[1:], EGG.meshes[1:], strict=True))
    np.testing.assert_array_equal(made.meshes[0].positions, EGG.meshes[0].positions)


def test_what_the_photo_reached_stays_whatever_the_points_say() -> None:
    cheek = (PLACES[:, 2] > 0.07) & (PLACES[:, 0] > 0.01) & (PLACES[:, 1] > 0.03)  # above the eyes
    points = learnt()
    reddened = replace(points, colours=np.where(cheek[:, None], points.colours * np.float32(0.5), points.colours))
    made, _ = repaint(EGG, at_rest(), reddened, [front()], LIGHT)
    np.testing.assert_allclose(seen_at(made, cheek), seen_at(EGG, cheek), rtol=0.02)


def test_a_photo_of_the_back_reaches_it() -> None:
    behind = replace(front(), camera=camera_at(180))
    one, two = (repaint(EGG, at_rest(), learnt(), views, LIGHT)[1] for views in ([front()], [front(), behind]))
    assert two.used < 0.75 * one.used


def test_what_a_hand_hides_is_not_reached() -> None:
    hidden = replace(front(), head=np.zeros((PX, PX), np.float32))
    _, told = repaint(EGG, at_rest(), learnt(), [hidden], LIGHT)
    assert told.exposure is None  # nothing tells the exposure


def test_fog_paints_nothing() -> None:
    points = learnt()
    away = replace(points, places=points.places + NORMALS * np.float32(0.006))
    made, told = repaint(EGG, at_rest(), away, [front()], LIGHT)
    assert told.exposure is None
    assert told.left_out > 0.99 * len(PLACES)
    np.testing.assert_array_equal(texture(made), texture(EGG))


def test_few_points_change_a_texture_less() -> None:
    points = learnt()
    some = np.random.default_rng(3).permutation(len(PLACES))[:1000]
    made, _ = repaint(EGG, at_rest(), ColouredPoints(points.places[some], points.colours[some]), [front()], LIGHT)
    back = PLACES[:, 2] < BACK_M - 0.015
    changed = np.mean(seen_at(made, back)[:, 1] / PLAIN[1])
    assert 0.55 < changed < 0.97
