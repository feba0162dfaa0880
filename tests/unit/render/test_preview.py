"""The reference renderer shows what the asset says."""

from dataclasses import replace

import numpy as np
import pytest

from avatar3d.core.avatar import Avatar, Material, Mesh, Skeleton, Texture
from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.photo import Camera, Light
from avatar3d.core.transforms import OPENCV_FROM_GLTF, quaternion_from_matrix, quaternion_from_rotation_vector
from avatar3d.render.lights import ambient_light, directional_light, main_direction
from avatar3d.render.preview import RenderParams, render_avatar, render_faces, render_linear
from avatar3d.render.raycast import Hits, Scene
from avatar3d.render.sight import pixels_in, rectangles_of, touching
from tests.synthetic import synthetic_avatar

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


def portrait_camera(size_px: int) -> Camera:
    return replace(
        CAMERA,
        focal_px=3.2 * size_px,
        principal_px=np.full(2, size_px / 2, np.float32),
        width_px=size_px,
        height_px=size_px,
    )


@pytest.mark.parametrize("size_px", [112, 256])
def test_faces_drawn_together_are_those_drawn_alone(size_px: int) -> None:
    """What does not move is drawn once; nobody can see it, in small pictures and in large ones with relief."""
    avatar, camera = synthetic_avatar(), portrait_camera(size_px)
    shapes = ("jawOpen", "eyeBlinkLeft", "cheekPuff", "browInnerUp", "tongueOut")
    faces = [np.zeros(52, np.float32), *(np.eye(52, dtype=np.float32)[ARKIT_INDEX[name]] for name in shapes)]
    together = render_faces(avatar, camera, faces)
    rest = render_avatar(avatar, camera)
    for face, picture in zip(faces, together, strict=True):
        error = np.abs(render_avatar(avatar, camera, weights=face).astype(int) - picture).max(axis=2)
        assert (error > 0).mean() < 0.005
        assert (error > 4).mean() < 0.0002
        assert (picture != rest).any() == face.any()


def test_faces_drawn_together_cost_rays_only_where_they_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    cast = Scene.cast

    def counted(scene: Scene, origins: np.ndarray, directions: np.ndarray) -> Hits:
        asked.append(len(origins))
        return cast(scene, origins, directions)

    monkeypatch.setattr(Scene, "cast", counted)
    avatar, camera = synthetic_avatar(), portrait_camera(112)
    render_avatar(avatar, camera)
    whole = sum(asked)
    asked.clear()
    render_faces(avatar, camera, [np.eye(52, dtype=np.float32)[ARKIT_INDEX["eyeBlinkLeft"]]])
    assert whole < sum(asked) < 1.3 * whole


def test_what_passes_the_camera_may_be_anywhere() -> None:
    triangles = np.array([[0, 1, 2]], np.int32)
    behind = np.array([[0, 0, 0], [0.01, 0, 0], [0, 0.1, 2]], np.float32)
    assert rectangles_of(CAMERA, behind, triangles).tolist() == [[0, 0, 32, 32]]


def test_pixels_and_triangles_find_each_other() -> None:
    boxes = np.array([[2, 3, 5, 6], [4, 4, 8, 5], [0, 0, 0, 9], [30, 30, 32, 32]], np.int32)
    pixels = pixels_in(boxes, CAMERA)
    expected = np.zeros((32, 32), bool)
    for left, top, right, bottom in boxes:
        expected[top:bottom, left:right] = True
    np.testing.assert_array_equal(pixels, expected)
    only = np.zeros((32, 32), bool)
    only[4, 7] = True
    assert touching(boxes, only).tolist() == [False, True, False, False]
