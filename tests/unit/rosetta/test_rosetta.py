"""Tables between vocabularies: what they promise about errors holds, on shapes and on a real clip."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.errors import UnreadableError, UsageError
from avatar3d.formats.clip_csv import read_csv
from avatar3d.head.load import load_head_model
from avatar3d.live.dialects.unified import PARTS
from avatar3d.rosetta import tables
from avatar3d.rosetta.convert import there_and_back, to_arkit, to_theirs
from avatar3d.rosetta.measure import apart, table_of_modes
from avatar3d.rosetta.solve import bounded
from avatar3d.rosetta.tables import SHAPES, Vocabulary, read_vocabulary, vocabulary, vocabulary_names, vocabulary_of

ROOT = Path(__file__).parents[3]
DATA = ROOT / "avatar3d/rosetta/data"
CLIP = ROOT / "tests/golden/rosetta/spoken_with_joy.csv"
NAMES = vocabulary_names()
RENAMINGS = ("arkit", "unified")
ROUNDED_MM = 1e-3
SETTLED_MM = 0.02
"""The search for the nearest weights ends so near to its end (RMS)."""


@lru_cache
def fields_mm() -> np.ndarray:
    own = load_head_model()
    return 1000 * np.concatenate([own.expression, own.tongue])


@lru_cache
def clip() -> np.ndarray:
    weights = np.stack([frame.weights for frame in read_csv(CLIP).frames]).astype(np.float64)
    return np.concatenate([weights, np.zeros((len(weights), 4))], axis=1)


def test_least_squares_with_bounds_finds_what_exhaustive_search_finds() -> None:
    rng = np.random.default_rng(0)
    basis = rng.standard_normal((20, 3))
    goal = rng.standard_normal((5, 20))
    found = bounded(basis.T @ basis, goal @ basis)
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 41)] * 3), -1).reshape(-1, 3)
    for mine, target in zip(found, goal, strict=True):
        best = np.linalg.norm(grid @ basis.T - target, axis=1).min()
        assert np.linalg.norm(basis @ mine - target) <= best + 1e-6


def test_all_the_vocabularies_are_there_with_their_counts_and_licences() -> None:
    counts = {"arkit": 56, "ict": 53, "meta": 70, "unified": 70, "viseme15": 15, "vrm18": 18, "facs": 48}
    assert {name: len(vocabulary(name).names) for name in NAMES} == counts
    assert all(vocabulary(name).licence and vocabulary(name).source for name in NAMES)


def test_the_products_of_displacements_are_those_of_the_head_that_is_shipped() -> None:
    flat = fields_mm().reshape(len(SHAPES), -1).astype(np.float64)
    np.testing.assert_allclose(tables.own_gram(), flat @ flat.T, rtol=1e-5, atol=1e-3)


def test_renamings_lose_nothing() -> None:
    both = np.concatenate([np.eye(len(SHAPES)), clip()])
    for name, without in (("unified", ("tongueUp", "tongueTeeth", "tongueBack", "tongueWide")), ("meta", ("tongueWide",)),
                          ("ict", ("tongueOut", "tongueUp", "tongueTeeth", "tongueBack", "tongueWide"))):  # fmt: skip
        kept = [at for at, shape in enumerate(SHAPES) if shape not in without]
        np.testing.assert_allclose(there_and_back(both, vocabulary(name))[:, kept], both[:, kept], atol=1e-6)


def test_unified_names_are_those_of_the_live_dialect() -> None:
    told = json.loads((DATA / "unified.json").read_text())["from"]
    assert {shape: tuple(theirs) for shape, theirs in told.items() if not shape.startswith("eyeLook")} == dict(PARTS)


def test_the_person_s_left_eye_looks_left_in_meta_s_names() -> None:
    told = to_theirs(np.eye(len(SHAPES))[[ARKIT_INDEX["eyeLookOutLeft"]]], vocabulary("meta"))[0]
    assert vocabulary("meta").names[int(np.argmax(told))] == "EYES_LOOK_LEFT_L"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "arkit"])
def test_the_errors_that_are_told_are_those_that_are_measured(name: str) -> None:
    each = np.eye(len(SHAPES))
    found = apart(fields_mm(), each, there_and_back(each, vocabulary(name)))
    told = vocabulary(name).error_mm["arkit"]
    for row, shape in enumerate(SHAPES):
        assert told[shape]["mean"] == pytest.approx(found.mean_mm[row], abs=ROUNDED_MM)
        assert told[shape]["worst"] == pytest.approx(found.worst_mm[row], abs=10 * ROUNDED_MM)


@lru_cache
def faces() -> tuple[np.ndarray, list[tuple[str, slice, np.ndarray]]]:
    """For every vocabulary its names alone and then the clip, as ARKit's weights; and its weights of the clip."""
    stacked: list[np.ndarray] = []
    where: list[tuple[str, slice, np.ndarray]] = []
    for name in NAMES:
        theirs = to_theirs(clip(), vocabulary(name))
        meant = to_arkit(np.concatenate([np.eye(len(vocabulary(name).names)), theirs]), vocabulary(name))
        begin = sum(map(len, stacked))
        stacked.append(meant)
        where.append((name, slice(begin, begin + len(meant)), theirs))
    return np.concatenate(stacked), where


@pytest.mark.parametrize("other", NAMES)
def test_a_clip_there_and_back_stays_within_what_its_shapes_lose(other: str) -> None:
    """From every vocabulary through this one: errors add up, weighted as the shapes are, and to no more."""
    meant, where = faces()
    found = apart(fields_mm(), meant, there_and_back(meant, vocabulary(other)))
    for _, rows, theirs in where:
        alone, spoken = (found.rms_mm[rows][: theirs.shape[1]], found.rms_mm[rows][theirs.shape[1] :])
        assert (spoken <= theirs @ alone + SETTLED_MM).all()


def test_a_wrong_table_would_be_noticed() -> None:
    told = json.loads((DATA / "meta.json").read_text())
    told["from"]["mouthSmileLeft"] = {"LIP_CORNER_PULLER_R": 1.0}
    wrong = vocabulary_of(told)
    found = apart(fields_mm(), clip(), there_and_back(clip(), wrong))
    assert found.worst_mm.max() > 5


def test_modes_that_span_the_shapes_show_them_and_others_say_how_far_they_are() -> None:
    rng = np.random.default_rng(1)
    shapes = fields_mm()[:, ::40]
    mixed = np.linalg.qr(rng.standard_normal((len(SHAPES), len(SHAPES))))[0]
    spanning = np.einsum("ms,svc->mvc", mixed, shapes).astype(np.float32)
    names = tuple(f"mode{k}" for k in range(len(SHAPES)))
    told = table_of_modes("made", "Made", "none", names, shapes, spanning)
    shown = [told["error_mm"]["shown"][name]["worst"] for name in ARKIT_NAMES]
    assert max(shown) < 0.5
    fewer = table_of_modes("made", "Made", "none", names[:10], shapes, spanning[:10])
    assert np.mean([fewer["error_mm"]["shown"][name]["mean"] for name in ARKIT_NAMES]) > 0.3
    made: Vocabulary = vocabulary_of(json.loads(json.dumps(told)))
    back = there_and_back(clip(), made)
    moved = np.linalg.norm(np.einsum("ts,svc->tvc", back - clip(), shapes), axis=2)
    assert moved.max() < 0.5


def test_other_names_and_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        vocabulary("klingon")
    for text in ("", "[]", "{}", '{"format": "avatar3d-rosetta-1", "names": 3}', '{"format": "avatar3d-rosetta-1", "name": "a", '
                 '"title": "", "licence": "", "source": "", "names": ["a"], "modes": {"encode": [], "cross": [], "gram": []}}'):  # fmt: skip
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(UnreadableError):
            read_vocabulary(tmp_path / "a.json")
