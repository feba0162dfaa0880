"""The measured noise belongs to the head that is shipped."""

import hashlib
import json
from pathlib import Path

import numpy as np

import avatar3d.head
from avatar3d.fit.noise import landmark_noise
from tests.unit.fit.faces import default_head

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
