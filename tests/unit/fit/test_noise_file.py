"""The measured noise belongs to the head that is shipped."""

import hashlib
import json
from pathlib import Path

import numpy as np

import avatar3d.head
from avatar3d.fit.basis import SEEN, landmark_basis
from avatar3d.fit.energies import Seen
from avatar3d.fit.noise import landmark_noise
from avatar3d.fit.prior import learnt_glance
from tests.unit.fit.faces import default_head
from tools.head.noise import map_digest

INTEROCULAR_M = 0.063
FOLDER = Path(avatar3d.head.__path__[0]) / "data"


def test_the_default_head_has_its_noise_measured() -> None:
    noise = landmark_noise(default_head().name)
    assert noise is not None
    size = np.linalg.norm(noise.modes[:, :, :2], axis=2).mean()
    assert 0 < size < 0.05  # IOD
    assert (noise.left > 0).all()


def test_its_bill_of_materials_names_this_file_and_its_sources() -> None:
    bill = json.loads((FOLDER / "avatar3d_noise.json").read_text())
    assert hashlib.sha256((FOLDER / bill["file"]).read_bytes()).hexdigest() == bill["sha256"]
    assert all(source["licence"] for source in bill["sources"])


def test_it_was_measured_on_portraits_that_no_benchmark_judges_by() -> None:
    split = Path(__file__).parents[3] / "bench/splits/congress.json"
    unseen = set(json.loads(split.read_text())["unseen"])
    bill = json.loads((FOLDER / "avatar3d_noise.json").read_text())
    used = {name for source in bill["sources"] for name in source.get("files", [])}
    assert used
    assert not used & unseen


def test_another_head_without_measured_noise_is_fitted_too() -> None:
    assert landmark_noise("some other head") is None
    assert learnt_glance("some other head") is None


def test_it_was_measured_with_the_landmarks_that_the_head_has_now() -> None:
    bill = json.loads((FOLDER / "avatar3d_noise.json").read_text())
    assert bill["landmark_map_sha256"] == map_digest(default_head())


def test_the_detector_answers_to_the_nose_that_stands_out_but_only_in_part() -> None:
    noise, basis = landmark_noise(default_head().name), landmark_basis(default_head())
    assert noise is not None
    tip = int(np.flatnonzero(basis.index == 1)[0])
    forward = basis.identity[:, tip, 2]  # metres per standard deviation of each mode
    answered = noise.answer[: len(forward), 1, 2]  # IOD, depth grows away from the camera
    slope = float(answered @ forward / (forward @ forward)) * INTEROCULAR_M
    assert 0.2 < slope < 0.9, "it errs towards the mean: part of what stands out is not seen"


def test_a_glance_tells_people_apart_better_than_chance() -> None:
    model = default_head()
    glance, basis = learnt_glance(model.name), landmark_basis(model)
    assert glance is not None
    rng = np.random.default_rng(5)
    agreement: list[float] = []
    for _ in range(20):
        identity = rng.standard_normal(len(model.identity))
        points = basis.points(identity, np.zeros(len(SEEN)))
        seen = Seen(points[:, :2] * [1000, -1000], -points[:, 2] * 1000, 63.0)
        agreement.append(float(np.corrcoef(glance.prior(basis, seen, sigma=1.0).mean, identity)[0, 1]))
    assert np.mean(agreement) > 0.15  # chance is 0 +- 0.02; these landmarks are true ones, which it was not taught on
