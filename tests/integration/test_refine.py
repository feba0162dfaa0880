"""Splats learn from a real photo how the hair looks, and the avatar bears it in its texture."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from threadpoolctl import threadpool_limits

from avatar3d.cli import main
from avatar3d.core.avatar import Avatar, Mesh
from avatar3d.core.splats import Gaussians
from avatar3d.formats.check import check_file
from avatar3d.formats.gltf import load_glb, load_splats
from avatar3d.formats.splat_binding import load_binding
from avatar3d.formats.splat_ply import load_ply
from avatar3d.formats.splat_spz import load_spz
from avatar3d.photo.segment import over_photo, segment_face
from avatar3d.pipeline import CreateParams, Creation, Files, create_files, make_avatar
from avatar3d.render.lights import studio_light
from avatar3d.render.preview import RenderParams, render_avatar
from avatar3d.render.splats import load_splat_renderer
from avatar3d.render.stage import srgb_from_linear

pytest.importorskip("numba", reason="create --refine splat is compiled by numba (extra `film`)")


@pytest.fixture(scope="module")
def plain(astronaut: Path) -> Creation:
    return make_avatar(astronaut, CreateParams())


@pytest.fixture(scope="module")
def files(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Files, list[str]]:
    told: list[str] = []
    folder = tmp_path_factory.mktemp("refined") / "ana"
    return create_files(astronaut, folder, CreateParams(refine="splat", report=False), progress=told.append), told


@pytest.fixture(scope="module")
def refined(files: tuple[Files, list[str]]) -> tuple[Creation, list[str]]:
    return files[0].creation, files[1]


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


def test_splats_stand_beside_the_glb_in_four_files_that_pass_the_check(files: tuple[Files, list[str]]) -> None:
    folder = files[0].folder
    written = {path.name for path in folder.iterdir()} - {"avatar.json", "manifest.json"}
    assert written == {"ana.glb", "ana-splats.glb", "ana.splats", "ana.ply", "ana.spz"}
    for name in sorted(written):
        report = check_file(folder / name, khronos=False)
        assert report.ok, (name, report.failures)
    assert load_splats(files[0].glb) is None


def test_the_files_hold_the_splats_that_were_learnt(files: tuple[Files, list[str]]) -> None:
    folder, cloud = files[0].folder, files[0].creation.splats
    assert cloud is not None
    bound = load_binding(folder / "ana.splats")
    np.testing.assert_array_equal(bound.cloud.triangle, cloud.triangle)
    np.testing.assert_array_equal(bound.cloud.colour, cloud.colour)
    meshes = load_glb(files[0].glb).meshes
    assert bound.mesh_names == tuple(mesh.name for mesh in meshes)
    assert bound.triangle_counts == tuple(len(mesh.triangles) for mesh in meshes)
    inside = load_splats(folder / "ana-splats.glb")
    assert inside is not None
    np.testing.assert_array_equal(inside.triangle, cloud.triangle)


def test_the_still_head_looks_like_the_avatar(files: tuple[Files, list[str]]) -> None:
    made = files[0].creation
    with threadpool_limits(1):
        mesh = render_avatar(
            made.avatar, made.fitted.camera, light=studio_light(), params=RenderParams(background=(0, 0, 0))
        )

    def drawn(gaussians: Gaussians) -> np.ndarray:
        picture = load_splat_renderer("numba").draw(gaussians, made.fitted.camera)
        return srgb_from_linear(picture.colour).astype(float)

    still = drawn(load_ply(files[0].folder / "ana.ply"))
    shown = (mesh > 0).any(axis=2)
    bare = np.sqrt(np.mean(mesh[shown].astype(float) ** 2))
    assert np.sqrt(np.mean((still - mesh)[shown] ** 2)) < 0.25 * bare
    assert (still[shown].sum(axis=1) > 0).mean() > 0.995  # no holes
    np.testing.assert_allclose(drawn(load_spz(files[0].folder / "ana.spz")), still, atol=60)
    assert np.abs(drawn(load_spz(files[0].folder / "ana.spz")) - still).mean() < 1


@pytest.mark.parametrize(
    ("words", "told"),
    [(["--refine", "splat", "--splats", "ply,obj"], "'obj'"), (["--splats", "ply"], "--refine splat")],
)
def test_a_wrong_choice_of_splat_files_is_a_usage_error(
    words: list[str], told: str, astronaut: Path, tmp_path: Path
) -> None:
    result = CliRunner().invoke(main, ["create", str(astronaut), "-o", str(tmp_path), *words])
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_dataset_for_nerfstudio_has_the_photo_its_camera_and_its_head(
    plain: Creation, astronaut: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(*_: object, **__: object) -> Creation:
        return plain  # as make_avatar makes it of the same photo

    monkeypatch.setattr("avatar3d.training.make_avatar", made)
    for _ in range(2):  # the second replaces the first
        result = CliRunner().invoke(main, ["export-nerfstudio", str(astronaut), "-o", str(tmp_path / "data")])
        assert result.exit_code == 0, result.output
    told = json.loads((tmp_path / "data/transforms.json").read_text())
    (frame,) = told["frames"]
    np.testing.assert_array_equal(
        cv2.imread(str(tmp_path / "data" / frame["file_path"]))[..., ::-1], plain.face.photo.pixels
    )
    mask = cv2.imread(str(tmp_path / "data" / frame["mask_path"]), cv2.IMREAD_UNCHANGED)
    matrix = np.array(frame["transform_matrix"])
    seen = (plain.avatar.mesh("face").positions - matrix[:3, 3]) @ matrix[:3, :3]
    ahead = plain.avatar.mesh("face").normals @ matrix[:3, 2] > 0.5
    x, y = (frame["fl_x"] * np.array([seen[:, 0], -seen[:, 1]]) / -seen[:, 2]).astype(int)
    rows, columns = y + int(frame["cy"]), x + int(frame["cx"])
    inside = ahead & (rows >= 0) & (rows < frame["h"]) & (columns >= 0) & (columns < frame["w"])
    upper = inside & (plain.avatar.mesh("face").positions[:, 1] > plain.avatar.skeleton.positions[2, 1])
    assert upper.sum() > 300
    assert (mask[rows[upper], columns[upper]] > 0).mean() > 0.9
