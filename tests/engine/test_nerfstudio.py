"""nerfstudio's own parser reads a dataset of ours and sees through our cameras. `make nerfstudio` runs it; no CUDA is needed.

Without .venv-nerfstudio nothing is collected here (conftest.py): it is a gigabyte that `make engine` does not fetch.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.splat.nerfstudio import View, write_dataset
from tests.engine.nerfstudio_python import nerfstudio_python
from tests.unit.formats.splat_examples import STAGE
from tests.unit.splat.eggs import PX, camera_at

pytestmark = pytest.mark.engine

YAWS_DEG: Final = (0.0, 30.0, -75.0)
READER: Final = Path(__file__).with_name("read_nerfstudio.py")
POINTS: Final = STAGE.positions[::40]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the parser makes of three views of the egg, in a folder with a blank in its name."""
    folder = tmp_path_factory.mktemp("nerfstudio") / "an egg"
    head = np.zeros((PX, PX), np.float32)
    head[:, : PX // 4] = 1
    write_dataset(folder, STAGE, [View(np.full((PX, PX, 3), 90, np.uint8), head, camera_at(yaw)) for yaw in YAWS_DEG], licence="own")  # fmt: skip
    (folder / "asked.json").write_text(json.dumps(POINTS.tolist()))
    words = [str(nerfstudio_python()), str(READER), str(folder), str(folder / "asked.json")]
    # Its environment is its own: our packages stay out of it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "CUDA_VISIBLE_DEVICES": ""
    }
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_points_of_the_head_fall_on_the_same_pixels(read: dict[str, Any]) -> None:
    for yaw, view in zip(YAWS_DEG, read["views"], strict=True):
        np.testing.assert_allclose(view["pixels"], camera_at(yaw).project(POINTS), atol=1e-3)


def test_a_ray_through_the_principal_point_leaves_our_eye_along_our_axis(read: dict[str, Any]) -> None:
    for yaw, view in zip(YAWS_DEG, read["views"], strict=True):
        camera = camera_at(yaw)
        np.testing.assert_allclose(view["eye"], camera.position_m, atol=1e-6)
        np.testing.assert_allclose(view["axis"], matrix_from_quaternion(camera.rotation_wxyz)[2], atol=1e-5)


def test_the_world_stays_the_avatars_frame(read: dict[str, Any]) -> None:
    np.testing.assert_allclose(read["transform"], np.eye(4)[:3], atol=1e-9)
    assert read["scale"] == 1


def test_pictures_masks_and_sizes_belong_together(read: dict[str, Any]) -> None:
    assert [view["image"] for view in read["views"]] == ["0001.png", "0002.png", "0003.png"]
    assert [view["size"] for view in read["views"]] == [[PX, PX]] * 3
    assert [view["believed"] for view in read["views"]] == [pytest.approx(0.25, abs=0.01)] * 3


def test_the_first_points_are_read_by_what_nerfstudio_reads_them_with(tmp_path: Path) -> None:
    open3d = pytest.importorskip(
        "open3d", reason="Open3D comes with the extra `dev`; nerfstudio reads points.ply by it"
    )
    write_dataset(tmp_path, STAGE, [], licence="own")
    cloud = open3d.io.read_point_cloud(str(tmp_path / "points.ply"))
    places, colours = np.asarray(cloud.points), np.asarray(cloud.colors)
    assert len(places) > 20_000
    np.testing.assert_allclose(places.min(axis=0), STAGE.positions.min(axis=0), atol=0.004)
    np.testing.assert_allclose(places.max(axis=0), STAGE.positions.max(axis=0), atol=0.004)
    assert colours.shape == places.shape
    assert colours.std() > 0.01
