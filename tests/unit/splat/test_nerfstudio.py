"""A dataset for nerfstudio has our cameras, and what was trained in its frame comes back onto the head."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from avatar3d.cli import main
from avatar3d.core.errors import UnreadableError
from avatar3d.core.splats import Gaussians
from avatar3d.core.transforms import quaternion_from_matrix
from avatar3d.formats.gltf import load_splats, save_glb
from avatar3d.formats.splat_binding import load_binding
from avatar3d.formats.splat_ply import encode_ply, half_turned, load_ply, rotations_half_turned
from avatar3d.splat.attach import attach, in_world
from avatar3d.splat.bind import turned_by
from avatar3d.splat.nerfstudio import View, undo_transform, world_from_camera, write_dataset
from avatar3d.training import import_splats
from tests.unit.formats.splat_examples import EGG, STAGE, angles_deg, cloud, rest
from tests.unit.splat.eggs import camera_at

TURN = np.array([[0, 0, 1.0], [1, 0, 0], [0, 1, 0]])
SHIFT, SCALE = np.array([0.1, -0.2, 0.3]), 2.5


def test_a_camera_leads_from_pixels_back_to_the_head() -> None:
    camera = camera_at(25)
    points = STAGE.positions[::50]
    matrix = world_from_camera(camera)
    seen = (points - matrix[:3, 3]) @ matrix[:3, :3]  # OpenGL: x right, y up, z back
    pixels = camera.focal_px * np.stack([seen[:, 0], -seen[:, 1]], axis=1) / -seen[:, 2:] + camera.principal_px
    np.testing.assert_allclose(pixels, camera.project(points), atol=1e-3)
    assert np.linalg.det(matrix) == pytest.approx(1, abs=1e-6)


def test_a_dataset_holds_pictures_masks_cameras_and_points(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (96, 96, 3)).astype(np.uint8)
    head = np.zeros((24, 24), np.float32)
    head[6:18, 6:18] = 1
    write_dataset(
        tmp_path, STAGE, [View(pixels, head, camera_at(0)), View(pixels[::-1], head, camera_at(30))], licence="own"
    )
    told = json.loads((tmp_path / "transforms.json").read_text())
    assert (len(told["frames"]), told["camera_model"], told["orientation_override"]) == (2, "OPENCV", "none")
    for frame, picture in zip(told["frames"], (pixels, pixels[::-1]), strict=True):
        assert (frame["w"], frame["h"], frame["cx"], frame["cy"]) == (96, 96, 48, 48)
        np.testing.assert_array_equal(cv2.imread(str(tmp_path / frame["file_path"]))[..., ::-1], picture)
        mask = cv2.imread(str(tmp_path / frame["mask_path"]), cv2.IMREAD_UNCHANGED)
        assert (mask.shape, set(np.unique(mask)), mask[48, 48], mask[4, 4]) == ((96, 96), {0, 255}, 255, 0)
    points = (tmp_path / told["ply_file_path"]).read_bytes()
    count = int(points.split(b"element vertex ")[1].split(b"\n")[0])
    assert count > 20_000
    assert len(points.split(b"end_header\n", 1)[1]) == 15 * count


def test_splats_find_the_triangles_that_they_came_from() -> None:
    riding = rest()
    flat = replace(cloud(), offset=np.zeros(300, np.float32))
    lying = replace(riding.gaussians, mean=np.einsum(
        "sk,skc->sc", flat.barycentric, STAGE.positions[STAGE.triangles[flat.triangle]]).astype(np.float32))  # fmt: skip
    found = attach(lying, STAGE, reach_m=1e-5)
    assert len(found.triangle) == 300
    corners = STAGE.positions[STAGE.triangles[found.triangle]]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    away = np.abs(np.sum((lying.mean - corners[:, 0]) * normal, axis=1)) / np.linalg.norm(normal, axis=1)
    assert away.max() < 1e-5


def test_what_lies_in_the_room_is_left_out() -> None:
    gaussians = rest().gaussians
    mean = gaussians.mean.copy()
    mean[:100] += [0, 0, 0.5]
    wide = gaussians.scale.copy()
    wide[100:150] = 0.2
    found = attach(replace(gaussians, mean=mean, scale=wide), STAGE, reach_m=0.03)
    assert len(found.triangle) == 150


def moved(gaussians: Gaussians) -> Gaussians:
    """As a trainer that turns, shifts and scales its world would have it."""
    mean = (SCALE * (gaussians.mean @ TURN.T + SHIFT)).astype(np.float32)
    turn = quaternion_from_matrix(TURN.astype(np.float32))
    return replace(
        gaussians,
        mean=mean,
        rotation_wxyz=turned_by(turn, gaussians.rotation_wxyz),
        scale=gaussians.scale * np.float32(SCALE),
    )


def test_a_trainers_turn_shift_and_scale_are_undone() -> None:
    gaussians = rest().gaussians
    told = undo_transform({"transform": np.concatenate([TURN, SHIFT[:, None]], axis=1).tolist(), "scale": SCALE})
    assert told is not None
    back = in_world(moved(gaussians), *told)
    np.testing.assert_allclose(back.mean, gaussians.mean, atol=1e-6)
    np.testing.assert_allclose(back.scale, gaussians.scale, rtol=1e-5)
    assert angles_deg(back, gaussians).max() < 0.1


def test_the_command_binds_a_trained_cloud(tmp_path: Path) -> None:
    gaussians = rest().gaussians
    trained = moved(gaussians)
    frame = replace(trained, mean=half_turned(trained.mean), rotation_wxyz=rotations_half_turned(trained.rotation_wxyz))
    (tmp_path / "splat.ply").write_bytes(
        encode_ply(frame)
    )  # which turns it once more: the file is in the dataset's frame
    (tmp_path / "dataparser_transforms.json").write_text(
        json.dumps({"transform": np.concatenate([TURN, SHIFT[:, None]], axis=1).tolist(), "scale": SCALE})
    )
    egg = save_glb(EGG, tmp_path / "egg.glb")
    words = [
        "import-splats",
        str(tmp_path / "splat.ply"),
        str(egg),
        "--transforms",
        str(tmp_path / "dataparser_transforms.json"),
    ]
    result = CliRunner().invoke(main, [*words, "-o", str(tmp_path / "egg-splats.glb")])
    assert result.exit_code == 0, result.output
    read = load_splats(tmp_path / "egg-splats.glb")
    assert read is not None
    assert len(read.triangle) > 280  # some of the egg's examples hang far above it
    assert np.linalg.norm(read.gaussians.mean[:, None] - gaussians.mean[None], axis=2).min(axis=1).max() < 1e-5
    result = CliRunner().invoke(main, [*words, "-o", str(tmp_path / "egg.splats")])
    assert result.exit_code == 0, result.output
    assert len(load_binding(tmp_path / "egg.splats").cloud.triangle) == len(read.triangle)


def test_a_file_of_our_own_is_read_with_y_down(tmp_path: Path) -> None:
    (tmp_path / "own.ply").write_bytes(encode_ply(rest().gaussians))
    egg = save_glb(EGG, tmp_path / "egg.glb")
    assert import_splats(tmp_path / "own.ply", egg, tmp_path / "out.glb", y_down=True).left_out < 20
    np.testing.assert_allclose(
        load_ply(tmp_path / "own.ply", y_down=False).mean, half_turned(rest().gaussians.mean), atol=1e-7
    )


@pytest.mark.parametrize("told", ["[]", "{", '{"transform": [[1, 0, 0, 0]], "scale": 1}', '{"transform": "x", "scale": 1}',
                                  '{"transform": [[1,0,0,0],[0,1,0,0],[0,0,1,0]], "scale": 0}',
                                  '{"transform": [[2,0,0,0],[0,1,0,0],[0,0,1,0]], "scale": 1}', "[" * 100_000])  # fmt: skip
def test_transforms_that_are_none_are_refused(told: str, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(told)
    (tmp_path / "own.ply").write_bytes(encode_ply(rest().gaussians))
    with pytest.raises(UnreadableError) as caught:
        import_splats(
            tmp_path / "own.ply",
            save_glb(EGG, tmp_path / "egg.glb"),
            tmp_path / "o.glb",
            transforms=tmp_path / "t.json",
        )
    assert caught.value.id == "TRANSFORMS_INVALID"


def test_a_cloud_of_somewhere_else_is_refused(tmp_path: Path) -> None:
    gaussians = rest().gaussians
    (tmp_path / "far.ply").write_bytes(encode_ply(replace(gaussians, mean=(gaussians.mean + 5).astype(np.float32))))
    with pytest.raises(UnreadableError) as caught:
        import_splats(tmp_path / "far.ply", save_glb(EGG, tmp_path / "egg.glb"), tmp_path / "o.glb")
    assert (caught.value.id, caught.value.exit_code) == ("SPLATS_FAR", 10)
