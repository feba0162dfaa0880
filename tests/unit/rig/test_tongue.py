"""The tongue's poses for speech do what their names say, and nothing of them comes through teeth, palate or cheeks."""

from functools import cache

import numpy as np
import pytest

pytest.importorskip("open3d", reason="open3d finds closest points; it comes with the development extra")

from avatar3d.core.blendshapes import ARKIT_INDEX, TONGUE_NAMES
from avatar3d.head.load import load_head_model
from avatar3d.render.raycast import Scene
from avatar3d.rig.tongue import tongue_poses
from tests.unit.rig.people import rigged
from tools.head.parts.poking import RULES, Head, inspect

NEEDS_JAW = {"tongueTeeth": 0.2}
PEOPLE = [None, 4, 11]


@cache
def posed(person: int | None, name: str) -> np.ndarray:
    """One pose of one head, with as much of jawOpen as it needs; without a name the head at rest."""
    model = load_head_model()
    neutral, shapes = rigged(person)
    if not name:
        return neutral
    pose = tongue_poses(model, neutral)[TONGUE_NAMES.index(name)]
    return neutral + pose + np.float32(NEEDS_JAW.get(name, 0)) * shapes[ARKIT_INDEX["jawOpen"]]


def tongue() -> np.ndarray:
    model = load_head_model()
    return np.unique(model.triangles[model.part("tongue")])


def tip(vertices: np.ndarray) -> np.ndarray:
    """The foremost tenth of the resting tongue."""
    rest = load_head_model().rest[tongue()]
    return vertices[tongue()][rest[:, 2] > np.quantile(rest[:, 2], 0.9)].mean(0)


def back(vertices: np.ndarray) -> np.ndarray:
    """The middle of the resting tongue's back."""
    rest = load_head_model().rest[tongue()]
    chosen = (np.abs(rest[:, 2] - 0.060) < 0.006) & (rest[:, 1] > -0.034)
    return vertices[tongue()][chosen].mean(0)


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("name", TONGUE_NAMES)
def test_nothing_pokes_through_teeth_cheeks_and_skin(name: str, person: int | None) -> None:
    head = Head(load_head_model())
    for rule in (rule for rule in RULES if rule.points == "tongue"):
        found = inspect(head, posed(person, name), rule, pose=name, person=person or 0)
        assert found.depth <= max(rule.allowed, 1e-4) + 6e-4, (
            f"{rule.name}: {found.depth * 1e3:.2f} mm at {found.place}"
        )


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("name", TONGUE_NAMES)
def test_the_palate_stays_above_the_tongue(name: str, person: int | None) -> None:
    model, vertices = load_head_model(), posed(person, name)
    roof = Scene(vertices, model.triangles[np.concatenate([model.part("teethUpper"), model.part("mouth")])])
    own = vertices[tongue()]
    upper = own[(np.abs(own[:, 0]) < 0.004) & (load_head_model().rest[tongue(), 1] > -0.036)]
    below = upper - np.float32([0, 0.004, 0])
    hits = roof.cast(below, np.tile(np.float32([[0, 1, 0]]), (len(below), 1)))
    assert hits.distance.min() > 0.004 - 0.0007


@pytest.mark.parametrize("person", PEOPLE)
def test_each_pose_is_what_its_name_says(person: int | None) -> None:
    rest = posed(person, "")
    assert tip(posed(person, "tongueUp"))[1] - tip(rest)[1] > 0.010
    assert back(posed(person, "tongueBack"))[1] - back(rest)[1] > 0.010
    assert tip(posed(person, "tongueBack"))[2] < tip(rest)[2]
    assert np.ptp(posed(person, "tongueWide")[tongue(), 0]) > 1.12 * np.ptp(rest[tongue(), 0])
    edge = rest[np.unique(load_head_model().triangles[load_head_model().part("teethUpper")]), 2].max()
    assert posed(person, "tongueTeeth")[tongue(), 2].max() > edge - 0.001


def test_a_pose_moves_the_tongue_alone_and_both_its_sides_alike() -> None:
    model = load_head_model()
    others = np.setdiff1d(np.arange(len(model.rest)), tongue())
    assert not model.tongue[:, others].any()
    np.testing.assert_allclose(model.tongue[:, model.mirror] * np.float32([-1, 1, 1]), model.tongue, atol=2e-5)
