"""The reference renderer shows what the asset says."""

from dataclasses import replace

import numpy as np

from avatar3d.core.avatar import Avatar, Material, Mesh, Skeleton, Texture
from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.photo import Camera, Light
from avatar3d.core.transforms import OPENCV_FROM_GLTF, quaternion_from_matrix, quaternion_from_rotation_vector
from avatar3d.render.lights import ambient_light, directional_light, main_direction
from avatar3d.render.preview import RenderParams, render_avatar, render_linear

EXACT = RenderParams(samples=1, exact=True, background=(0, 0, 255))
WHITE = ambient_light((1.0, 1.0, 1.0))
CAMERA = Camera(
    focal_px=32.0,
    principal_px=np.array([16, 16], np.float32),
    width_px=32,
    height_px=32,
    rotation_wxyz=quaternion_from_matrix(OPENCV_FROM_GLTF),
    translation_m=np.array([0, 0, 1], np.float32),
)


def square(name: str, material: Material, *, depth: float = 0.0, morph: float = 0.0) -> Mesh:
    """A 0.5 m square facing +Z, whose jawOpen moves it to the side."""
    positions = np.array([[-0.25, 0.25, depth], [-0.25, -0.25, depth], [0.25, -0.25, depth], [0.25, 0.25, depth]])
    return Mesh(
        name,
        positions.astype(np.float32),
        np.tile(np.float32([0, 0, 1]), (4, 1)),
        np.array([[0, 0], [0, 1], [1, 1], [1, 0]], np.float32),
        np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        material,
        ("jawOpen",),
        np.tile(np.float32([morph, 0, 0]), (1, 4, 1)),
        np.zeros((4, 4), np.int32),
        np.tile(np.float32([1, 0, 0, 0]), (4, 1)),
    )


def avatar_of(*meshes: Mesh) -> Avatar:
    return Avatar("test", meshes, Skeleton(("root",), np.array([-1], np.int32), np.zeros((1, 3), np.float32)))


def test_exact_shading_is_albedo_times_light() -> None:
    avatar = avatar_of(square("a", Material("m", colour_factor=(0.5, 0.25, 0.125, 1.0))))
    light = Light(
        np.concatenate([np.full((1, 3), 0.5), np.zeros((1, 3)), [[0.25, 0.5, 1.0]], np.zeros((6, 3))]).astype(
            np.float32
        )
    )
    picture = render_linear(avatar, CAMERA, light=light, params=EXACT)
    expected = np.float32([0.5, 0.25, 0.125]) * light.shade(np.float32([[0, 0, 1]]))[0]
    np.testing.assert_allclose(picture.colour[16, 16], expected, atol=1e-5)
    assert picture.coverage[16, 16] == 1
    assert picture.coverage[1, 1] == 0


def test_the_upper_left_texel_is_seen_at_the_upper_left() -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[0, 0] = 255
    avatar = avatar_of(square("a", Material("m", base_colour=Texture("t", pixels))))
    picture = render_avatar(avatar, CAMERA, light=WHITE, params=EXACT)
    assert picture[9, 9].tolist() == [255, 255, 255]
    assert picture[22, 22].tolist() == [0, 0, 0]


def test_pixel_centres_are_where_the_camera_projects_them() -> None:
    picture = render_linear(avatar_of(square("a", Material("m"))), CAMERA, light=WHITE, params=EXACT)
    rows, columns = np.nonzero(picture.coverage)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 23, 8, 23)


def test_a_blendshape_moves_the_picture() -> None:
    avatar = avatar_of(square("a", Material("m"), morph=0.25))
    weights = np.zeros(52, np.float32)
    weights[ARKIT_INDEX["jawOpen"]] = 1
    columns = np.nonzero(render_linear(avatar, CAMERA, weights=weights, light=WHITE, params=EXACT).coverage)[1]
    assert (columns.min(), columns.max()) == (16, 31)


def test_a_joint_turns_what_rides_on_it() -> None:
    avatar = avatar_of(square("a", Material("m", double_sided=True)))
    quarter = quaternion_from_rotation_vector(np.float32([0, np.pi / 2 * 0.98, 0]))
    columns = np.nonzero(
        render_linear(avatar, CAMERA, rotations={"root": quarter}, light=WHITE, params=EXACT).coverage
    )[1]
    assert len(columns) == 0 or columns.max() - columns.min() < 3


def test_back_faces_show_only_when_double_sided() -> None:
    half_turn = {"root": quaternion_from_rotation_vector(np.float32([0, np.pi, 0]))}
    for double_sided in (False, True):
        avatar = avatar_of(square("a", Material("m", double_sided=double_sided)))
        seen = render_linear(avatar, CAMERA, rotations=half_turn, light=WHITE, params=EXACT).coverage.any()
        assert seen == double_sided


def test_blend_shows_what_lies_behind_in_proportion() -> None:
    glass = square("front", Material("g", colour_factor=(1.0, 0.0, 0.0, 0.25), alpha_mode="BLEND"), depth=0.1)
    wall = square("behind", Material("w", colour_factor=(0.0, 1.0, 0.0, 1.0)))
    picture = render_linear(avatar_of(wall, glass), CAMERA, light=WHITE, params=EXACT)
    np.testing.assert_allclose(picture.colour[16, 16], [0.25, 0.75, 0], atol=1e-5)


def test_mask_cuts_at_its_cutoff() -> None:
    for alpha, seen in ((0.4, 0.0), (0.6, 1.0)):
        mesh = square("a", Material("m", colour_factor=(1.0, 1.0, 1.0, alpha), alpha_mode="MASK", alpha_cutoff=0.5))
        picture = render_linear(avatar_of(mesh), CAMERA, light=WHITE, params=EXACT)
        assert picture.coverage[16, 16] == seen


def test_a_normal_map_tilts_toward_the_light() -> None:
    """Green is up in the picture, red is along u."""
    up = Texture("up", np.full((2, 2, 3), [128, 218, 218], np.uint8))
    flat = Texture("flat", np.full((2, 2, 3), [128, 128, 255], np.uint8))
    from_above = directional_light((0.0, 1.0, 0.2), (1.0, 1.0, 1.0))
    params = RenderParams(samples=1, occlusion_rays=0)
    camera = replace(CAMERA, focal_px=256.0, principal_px=np.float32([128, 128]), width_px=256, height_px=256)
    bright, dim = (
        render_linear(avatar_of(square("a", Material("m", normal=texture))), camera, light=from_above, params=params)
        for texture in (up, flat)
    )
    assert bright.colour[128, 128, 1] > 1.5 * dim.colour[128, 128, 1]


def test_occlusion_darkens_a_covered_surface() -> None:
    wall = square("wall", Material("w"))
    lid = replace(square("lid", Material("l", double_sided=True), depth=0.01))
    lid = replace(lid, positions=lid.positions + np.float32([0.25, 0, 0]))
    params = RenderParams(samples=1, occlusion_rays=16)
    light = ambient_light((0.8, 0.8, 0.8))
    covered = render_linear(avatar_of(wall, lid), CAMERA, light=light, params=params)
    free = render_linear(avatar_of(wall), CAMERA, light=light, params=params)
    assert covered.colour[16, 14, 0] < 0.9 * free.colour[16, 14, 0]


def test_a_lamp_is_found_where_it_stands() -> None:
    toward, strength = main_direction(directional_light((0.0, 3.0, 4.0), (0.5, 0.5, 0.5)))
    np.testing.assert_allclose(toward, [0, 0.6, 0.8], atol=1e-6)
    np.testing.assert_allclose(strength, 0.5, atol=1e-6)
