"""Splats learn from a real photo how the hair looks, and the avatar bears it in its texture."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from avatar3d.core.avatar import Avatar, Mesh
from avatar3d.photo.segment import over_photo, segment_face
from avatar3d.pipeline import CreateParams, Creation, make_avatar
from avatar3d.render.preview import RenderParams, render_avatar

pytest.importorskip("numba", reason="create --refine splat is compiled by numba (extra `film`)")


@pytest.fixture(scope="module")
def plain(astronaut: Path) -> Creation:
    return make_avatar(astronaut, CreateParams())


@pytest.fixture(scope="module")
def refined(astronaut: Path) -> tuple[Creation, list[str]]:
    told: list[str] = []
    return make_avatar(astronaut, CreateParams(refine="splat"), progress=told.append), told


def error_in_hair(made: Creation, avatar: Avatar) -> float:
    """Root mean square, sRGB, where the photo surely shows hair and the mesh has some."""
    with threadpool_limits(1):
        shown = render_avatar(avatar, made.fitted.camera, weights=made.fitted.expression, light=made.skin.light,
                              params=RenderParams(exact=True, background=(255, 0, 255)))  # fmt: skip
    photo = made.face.photo.pixels
    hair = over_photo(segments := segment_face(made.face), segments.of("hair"), made.face)
    sure = cv2.resize(hair, photo.shape[1::-1]) > 0.9
    sure &= (shown != (255, 0, 255)).any(axis=2)
    return float(np.sqrt(np.mean((shown[sure].astype(float) - photo[sure]) ** 2)))


def test_hair_is_nearer_to_the_photo(plain: Creation, refined: tuple[Creation, list[str]]) -> None:
    assert error_in_hair(plain, refined[0].avatar) < 0.8 * error_in_hair(plain, plain.avatar)


def test_nothing_but_the_hairs_texture_changes(plain: Creation, refined: tuple[Creation, list[str]]) -> None:
    def rest(mesh: Mesh) -> list[np.ndarray]:
        pixels = [] if mesh.name == "hair" or mesh.material.base_colour is None else [mesh.material.base_colour.pixels]
        return [mesh.positions, mesh.normals, mesh.uvs, mesh.triangles, mesh.morphs, mesh.joints, mesh.weights, *pixels]

    for before, after in zip(plain.avatar.meshes, refined[0].avatar.meshes, strict=True):
        assert before.name == after.name
        for one, other in zip(rest(before), rest(after), strict=True):
            np.testing.assert_array_equal(one, other)
    hair = [creation.avatar.mesh("hair").material.base_colour for creation in (plain, refined[0])]
    assert hair[0] is not None
    assert hair[1] is not None
    np.testing.assert_array_equal(hair[0].pixels[..., 3], hair[1].pixels[..., 3])


def test_progress_is_told(refined: tuple[Creation, list[str]]) -> None:
    assert "splats" in refined[1]
    assert "  splats: 120 of 120 steps" in refined[1]
