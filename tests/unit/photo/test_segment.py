"""The segmentation net in numpy: the same as in torch, deterministic, small, quick, checked before it is believed."""

import json
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar3d.core.errors import ModelMissingError, ModelUntrustedError
from avatar3d.core.photo import FaceObservation
from avatar3d.core.segments import KINDS
from avatar3d.photo.crop import CROP_PX, EYES_PX, UNIT_PX, crop_from_photo
from avatar3d.photo.load import load_photo
from avatar3d.photo.network import run_network
from avatar3d.photo.observe import observe_face
from avatar3d.photo.segment import hair_not_hat, load_network, over_photo, segment_face

_STORED = Path(__file__).parents[3] / "avatar3d/photo/data"


@pytest.fixture(scope="module")
def collins(astronaut: Path) -> FaceObservation:
    return observe_face(load_photo(astronaut))


def test_the_stored_net_answers_in_numpy_as_it_did_in_torch() -> None:
    noise = np.random.default_rng(0).standard_normal((6, 64, 96)).astype(np.float32)
    told = json.loads((_STORED / "segment.json").read_text())["probe"]
    answer = run_network(load_network(), noise).mean(axis=(1, 2))
    np.testing.assert_allclose(answer, told, atol=0.02)  # told before the weights were rounded to half precision
    assert np.ptp(told) > 1


if find_spec("torch"):  # the extra `build`, which no user and no CI needs: all weights, to the last digits

    def test_numpy_and_torch_agree_on_any_weights_also_after_storing() -> None:
        import torch

        from tools.segment.net import SegmentNet, folded, unfolded

        torch.manual_seed(1)
        net = SegmentNet().train()
        planes = torch.randn(2, 6, 64, 96)
        for _ in range(3):
            net(planes)  # batch norm takes up means and deviations
        net.eval()
        with torch.no_grad():
            expected = net(planes[:1])[0].numpy()
        np.testing.assert_allclose(run_network(folded(net), planes[0].numpy()), expected, atol=1e-4)
        again = unfolded(folded(net), planes)
        np.testing.assert_allclose(run_network(folded(again), planes[0].numpy()), expected, atol=1e-3)
        with torch.no_grad():
            np.testing.assert_allclose(again(planes)[0].numpy(), expected, atol=1e-3)  # as it goes on training


def test_the_eyes_come_to_their_place_however_the_face_lies(collins: FaceObservation) -> None:
    turn = np.array([[0.0, -1.7], [1.7, 0.0]], np.float32)
    for points in (collins.landmarks_px, collins.landmarks_px @ turn.T + 300):
        crop = crop_from_photo(points)
        seen = points @ crop[:, :2].T + crop[:, 2]
        eyes = seen[[33, 133, 263, 362]]
        np.testing.assert_allclose(eyes.mean(0), EYES_PX, atol=1e-3)
        assert np.linalg.norm(eyes[:2].mean(0) - eyes[2:].mean(0)) == pytest.approx(UNIT_PX, rel=0.12)


def test_a_portrait_is_told_apart(collins: FaceObservation) -> None:
    found = segment_face(collins)
    assert found.probability.shape == (len(KINDS), CROP_PX, CROP_PX)
    np.testing.assert_allclose(found.probability.sum(0), 1, atol=1e-4)
    points = collins.landmarks_px @ found.crop_from_photo[:, :2].T + found.crop_from_photo[:, 2]

    def at(landmark: int, *kinds: str) -> float:
        x, y = points[landmark].astype(int)
        return float(found.of(*kinds)[y, x])

    assert at(50, "skin") > 0.5
    assert at(280, "skin") > 0.5
    above = points[10] - [0, 0.75 * UNIT_PX]
    assert found.of("hair", "headwear")[int(above[1]), int(above[0])] > 0.9
    assert found.of("hair")[int(above[1]), int(above[0])] > 0.8
    assert (found.of("headwear", "occluder", "beard") > 0.5).mean() < 0.005  # she wears and holds nothing
    assert found.of("clothes")[-10:, 60:200].mean() > 0.5


def test_a_glossy_fringe_is_hair_and_no_hat(collins: FaceObservation) -> None:
    answer = segment_face(collins).probability.argmax(0)
    assert (answer == KINDS.index("headwear")).sum() == 0
    assert (answer == KINDS.index("hair")).sum() > 7000


@pytest.mark.parametrize(("hat", "stays"), [((120, 84, 50), False), ((50, 84, 120), True), ((240, 226, 205), True)])
def test_a_hat_is_told_from_hair_by_its_colour(hat: tuple[int, int, int], *, stays: bool) -> None:
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20], pixels[20:] = hat, (110, 76, 46)
    pixels[::2] //= 2  # hair has light and dark
    told = np.zeros((len(KINDS), 40, 40), np.float32)
    told[KINDS.index("headwear"), :20] = told[KINDS.index("hair"), 20:] = 1
    after = hair_not_hat(pixels, told)
    assert bool(after[KINDS.index("headwear")].any()) == stays
    np.testing.assert_allclose(after.sum(0), 1)


def test_the_same_photo_gives_the_same_numbers(collins: FaceObservation) -> None:
    np.testing.assert_array_equal(segment_face(collins).probability, segment_face(collins).probability)


def test_a_plane_leads_back_to_the_photo(collins: FaceObservation) -> None:
    found = segment_face(collins)
    eyes = over_photo(found, found.of("eyes"), collins)
    assert eyes.shape == collins.photo.pixels.shape[:2]
    rows, columns = np.nonzero(eyes > 0.5)
    middle = collins.landmarks_px[[33, 133, 263, 362]].mean(0)
    assert np.hypot(columns.mean() + 0.5 - middle[0], rows.mean() + 0.5 - middle[1]) < 0.15 * collins.interocular_px


def test_over_a_large_photo_a_plane_is_coarser_than_the_photo(collins: FaceObservation) -> None:
    pixels = cv2.resize(collins.photo.pixels, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    large = replace(
        collins,
        photo=replace(collins.photo, pixels=pixels),
        landmarks_px=collins.landmarks_px * 8,
        person=np.kron(collins.person, np.ones((8, 8), bool)),
    )
    assert large.plane_scale < 0.7
    found = segment_face(large)
    eyes = over_photo(found, found.of("eyes"), large)
    assert eyes.shape == large.plane_size[::-1]
    rows, columns = np.nonzero(eyes > 0.5)
    middle = large.landmarks_px[[33, 133, 263, 362]].mean(0) * large.plane_scale
    apart = 0.15 * large.plane_scale * large.interocular_px
    assert np.hypot(columns.mean() + 0.5 - middle[0], rows.mean() + 0.5 - middle[1]) < apart


def test_the_net_is_small_and_quick() -> None:
    assert (_STORED / "segment.safetensors").stat().st_size < 5_000_000
    # A kernel's numbers are multiplied once per pixel of its level; `narrow` works one level below its number.
    levels = {"narrow": 2, "last": 1, "head": 1}
    multiply_adds = 0
    for name, kernel in load_network().items():
        part, *numbers = name.split(".")
        level = levels.get(part, 1) + (int(numbers[0]) if numbers[0].isdigit() else 0)
        multiply_adds += kernel.size * (CROP_PX >> level) ** 2
    assert multiply_adds < 1_000_000_000  # one core does 2e10 or more a second; bench/speed.py has the seconds


def test_a_net_that_is_not_the_one_named_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError):
        load_network(tmp_path)
    bill = json.loads((_STORED / "segment.json").read_text())
    (tmp_path / "segment.json").write_text(json.dumps(bill))
    with pytest.raises(ModelMissingError):
        load_network(tmp_path)
    shutil.copy(_STORED / "segment.safetensors", tmp_path)
    (tmp_path / "segment.json").write_text(json.dumps({**bill, "sha256": "0" * 64}))
    with pytest.raises(ModelUntrustedError):
        load_network(tmp_path)
