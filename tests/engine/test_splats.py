"""Files of splats as other people's programs read them: splat-transform, Open3D, three.js."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from avatar3d.core.splats import Gaussians
from avatar3d.formats.gltf import save_glb
from avatar3d.formats.khronos import find_node
from avatar3d.formats.splat_ply import save_ply
from avatar3d.formats.splat_spz import save_spz
from tests.engine.motion import assert_same_motion, see
from tests.unit.formats.splat_examples import EGG, rest

pytestmark = pytest.mark.engine

HERE = Path(__file__).parent
GAUSSIANS = rest().gaussians
SAVE = {"ply": save_ply, "spz": save_spz}
# Half about x: from +y up to the trainers' +y down, where programs keep splats.
DOWN = np.diag([1.0, -1.0, -1.0])


def covariances(mean_scale: np.ndarray, wxyz: np.ndarray) -> np.ndarray:
    root = Rotation.from_quat(wxyz[:, [1, 2, 3, 0]]).as_matrix() * mean_scale[:, None]
    return root @ root.transpose(0, 2, 1)


def srgb(gaussians: Gaussians) -> np.ndarray:
    linear = gaussians.colour.astype(float)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def judge(read: dict[str, np.ndarray], suffix: str, frame: np.ndarray) -> None:
    """Columns as trained: logarithms, logits, coefficients; each to the steps of its format."""
    coarse = suffix == "spz"
    np.testing.assert_allclose(read["place"], GAUSSIANS.mean @ frame, atol=1e-6)
    np.testing.assert_allclose(1 / (1 + np.exp(-read["logit"])), GAUSSIANS.opacity, atol=2.1e-3 if coarse else 1e-6)
    np.testing.assert_allclose(read["f_dc"] * 0.28209479 + 0.5, srgb(GAUSSIANS), atol=4e-3 if coarse else 1e-6)
    wanted = frame @ covariances(GAUSSIANS.scale, GAUSSIANS.rotation_wxyz) @ frame.T
    size = np.linalg.norm(wanted, axis=(1, 2))[:, None, None]
    found = covariances(np.exp(read["log_scale"]), read["wxyz"])
    np.testing.assert_allclose(found / size, wanted / size, atol=0.08 if coarse else 1e-4)


def run_node(file: Path) -> dict:
    node = find_node()
    if node is None or not (HERE / "node_modules/@playcanvas/splat-transform").is_dir():
        pytest.skip("no node or no packages of tests/engine: make setup")
    ran = subprocess.run([node, str(HERE / "read_splats.mjs"), str(file)], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout[ran.stdout.index('{"') :])  # the library of .spz talks, too


@pytest.mark.parametrize("suffix", sorted(SAVE))
def test_splat_transform_reads_what_we_wrote(suffix: str, tmp_path: Path) -> None:
    told = run_node(SAVE[suffix](GAUSSIANS, tmp_path / f"egg.{suffix}"))

    def columns(*names: str) -> np.ndarray:
        return np.array([told[name] for name in names]).T

    read = {
        "place": columns("x", "y", "z"),
        "logit": columns("opacity")[:, 0],
        "f_dc": columns("f_dc_0", "f_dc_1", "f_dc_2"),
        "log_scale": columns("scale_0", "scale_1", "scale_2"),
        "wxyz": columns("rot_0", "rot_1", "rot_2", "rot_3"),
    }
    judge(read, suffix, DOWN)


@pytest.mark.parametrize("suffix", sorted(SAVE))
def test_open3d_reads_what_we_wrote(suffix: str, tmp_path: Path) -> None:
    o3d = pytest.importorskip("open3d", reason="no Open3D (extra `shape`)")
    cloud = o3d.t.io.read_point_cloud(str(SAVE[suffix](GAUSSIANS, tmp_path / f"egg.{suffix}"))).point
    read = {
        "place": cloud.positions.numpy(),
        "logit": cloud.opacity.numpy()[:, 0],
        "f_dc": cloud.f_dc.numpy(),
        "log_scale": np.log(cloud.scale.numpy()),  # Open3D has taken the logarithm off
        "wxyz": cloud.rot.numpy(),
    }
    judge(read, suffix, DOWN if suffix == "ply" else np.eye(3))


def test_three_js_reads_the_extension_and_hangs_the_splats_on_the_head(tmp_path: Path) -> None:
    told = run_node(save_glb(EGG, tmp_path / "egg.glb", splats=rest()))
    assert (told["kind"], told["parent"]) == ("GaussianSplat", "head")
    np.testing.assert_allclose(np.reshape(told["world"], (4, 4)), np.eye(4), atol=1e-7)
    arrays = {
        name: np.reshape(each["array"], (each["count"], each["itemSize"])) for name, each in told["attributes"].items()
    }
    np.testing.assert_array_equal(arrays["position"].astype(np.float32), GAUSSIANS.mean)
    xx, xy, xz, yy, yz, zz = arrays["covariance"].T
    found = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]).transpose(2, 0, 1)
    wanted = covariances(GAUSSIANS.scale, GAUSSIANS.rotation_wxyz)
    np.testing.assert_allclose(found, wanted, atol=1e-5 * float(np.abs(wanted).max()))
    colours = np.concatenate([srgb(GAUSSIANS), GAUSSIANS.opacity[:, None]], axis=1)
    np.testing.assert_allclose(arrays["color"] / 255, colours, atol=0.6 / 255)


@pytest.mark.parametrize("engine", ["babylon", "three", "blender"])
def test_the_avatar_under_its_splats_moves_as_without_them(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    file = save_glb(EGG, tmp_path / "egg.glb", splats=rest())
    assert_same_motion(EGG, see(request.getfixturevalue(engine), file, tmp_path / "seen"))
