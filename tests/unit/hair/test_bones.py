"""Joints of long hair: where they lie, what they carry, and that short hair has none."""

import numpy as np
import pytest

from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.hair.bones import hang_on_joints
from avatar3d.rig.skeleton import place_skeleton
from tests.unit.hair.test_hair import grown, hair, sitter


def hung(style: str) -> tuple[Avatar, Avatar]:
    """Before and after."""
    who = sitter(style)
    before = Avatar("hair", (grown(style),), place_skeleton(who.model, who.fitted.neutral))
    return before, hang_on_joints(before, hair(style))


@pytest.mark.parametrize("style", ["short", "ears", "fringe"])
def test_hair_that_does_not_hang_rides_on_the_head_alone(style: str) -> None:
    before, after = hung(style)
    assert after is before


def test_long_hair_has_three_chains_of_two_joints_from_the_head_down() -> None:
    before, after = hung("long")
    names = after.skeleton.names
    assert names[: len(before.skeleton.names)] == before.skeleton.names
    assert len(names) == len(before.skeleton.names) + 6
    assert not set(names) & set(ARKIT_NAMES)
    place = dict(zip(names, after.skeleton.positions, strict=True))
    parent = dict(zip(names, after.skeleton.parents, strict=True))
    for chain in ("hairLeft", "hairRight", "hairBack"):
        assert names[parent[f"{chain}1"]] == "head"
        assert names[parent[f"{chain}2"]] == f"{chain}1"
        assert place[f"{chain}2"][1] < place[f"{chain}1"][1] - 0.02
    assert place["hairLeft1"][0] > 0.04 > -0.04 > place["hairRight1"][0]
    assert place["hairBack1"][2] < place["hairLeft1"][2] - 0.03


def test_each_chain_carries_its_own_side_and_the_crown_stays_on_the_head() -> None:
    _, after = hung("long")
    mesh, names = after.meshes[0], after.skeleton.names
    np.testing.assert_allclose(mesh.weights.sum(1), 1, atol=1e-6)
    share = np.zeros((len(mesh.positions), len(names)))
    np.add.at(share, (np.arange(len(share))[:, None], mesh.joints), mesh.weights)
    eyes_y = after.skeleton.positions[names.index("leftEye"), 1]
    above = mesh.positions[:, 1] > eyes_y
    np.testing.assert_allclose(share[above, names.index("head")], 1, atol=1e-6)
    lowest = mesh.positions[:, 1] < np.quantile(mesh.positions[:, 1], 0.02)
    assert share[lowest, names.index("head")].max() < 0.05
    left = share[:, names.index("hairLeft1")] + share[:, names.index("hairLeft2")]
    assert left[mesh.positions[:, 0] < 0].max() < 1e-6
    assert left[mesh.positions[:, 0] > 0.05].max() > 0.95
