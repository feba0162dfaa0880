"""This person's own 52 shapes: every one acts where it should, and contacts hold on this very head."""

from functools import lru_cache

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.head import HeadModel
from avatar3d.head.load import load_head_model
from avatar3d.render.raycast import Scene
from avatar3d.rig.lids import find_lid_margins, lid_gap
from avatar3d.rig.lips import find_lip_pairs, lip_gap, settle_lips
from avatar3d.rig.morphs import person_shapes

PEOPLE = (1, 2, 3)
CLOSED_M = 0.0003


@lru_cache
def model() -> HeadModel:
    return load_head_model()


@lru_cache
def neutral(seed: int, resting: float = 0.0) -> np.ndarray:
    """A random person of the model, mouth shut; `resting` of both blinks folded in."""
    head = model()
    coefficients = np.random.default_rng(seed).normal(size=len(head.identity)).astype(np.float32)
    born = head.rest + np.tensordot(coefficients, head.identity, 1).astype(np.float32)
    blinks = head.expression[[ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]].sum(0)
    return settle_lips(head, (born + np.float32(resting) * blinks).astype(np.float32))


@lru_cache
def shapes(seed: int, resting: float = 0.0) -> np.ndarray:
    return person_shapes(model(), neutral(seed, resting))


def posed(seed: int, resting: float = 0.0, **weights: float) -> np.ndarray:
    vertices = neutral(seed, resting).copy()
    for name, weight in weights.items():
        vertices += np.float32(weight) * shapes(seed, resting)[ARKIT_INDEX[name]]
    return vertices


def members(*parts: str) -> np.ndarray:
    head = model()
    return np.unique(head.triangles[np.concatenate([head.part(part) for part in parts])])


def test_the_mean_head_gets_the_models_own_expressions() -> None:
    head = model()
    skin = members("face")
    untouched = [
        i
        for i, name in enumerate(ARKIT_NAMES)
        if not name.startswith(("eyeBlink", "mouthClose", "mouthPress", "mouthRoll"))
    ]
    transferred = person_shapes(head, head.rest)
    np.testing.assert_allclose(transferred[untouched][:, skin], head.expression[untouched][:, skin], atol=2e-5)


@pytest.mark.parametrize("seed", PEOPLE)
def test_every_shape_moves_this_head_and_no_number_is_wild(seed: int) -> None:
    assert np.isfinite(shapes(seed)).all()
    reach = np.linalg.norm(shapes(seed), axis=2).max(1)
    assert (reach > 0.0005).all(), [n for n, r in zip(ARKIT_NAMES, reach, strict=True) if r <= 0.0005]
    assert reach.max() < 0.08


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in ARKIT_NAMES
        if n.endswith(("Left", "Right")) and n not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
    ],
)
def test_a_one_sided_shape_acts_on_its_own_side(name: str) -> None:
    skin = members("face", "eyeLeft", "eyeRight")
    energy = (shapes(1)[ARKIT_INDEX[name]][skin] ** 2).sum(1)
    on_left = neutral(1)[skin, 0] > 0
    share = energy[on_left].sum() / energy.sum()
    own = share if name.endswith("Left") else 1 - share
    assert own > 0.8


@pytest.mark.parametrize(
    ("prefix", "low", "high"),
    [
        ("brow", 0.03, 0.14),
        ("eye", -0.01, 0.09),
        ("jaw", -0.12, 0.03),
        ("mouth", -0.12, 0.03),
        ("noseSneer", -0.06, 0.05),
    ],
)
def test_a_shape_acts_most_in_its_own_region(prefix: str, low: float, high: float) -> None:
    skin = members("face")
    for name in (n for n in ARKIT_NAMES if n.startswith(prefix)):
        most = neutral(2)[skin[np.linalg.norm(shapes(2)[ARKIT_INDEX[name]][skin], axis=1).argmax()]]
        assert low < most[1] < high, name


@pytest.mark.parametrize("seed", PEOPLE)
@pytest.mark.parametrize("resting", [0.0, 0.3])
def test_a_blink_closes_the_lids_from_wherever_they_rest(seed: int, resting: float) -> None:
    gap = lid_gap(model(), posed(seed, resting, eyeBlinkLeft=1, eyeBlinkRight=1))
    assert gap.max() < CLOSED_M
    assert gap.min() > -0.001
    assert lid_gap(model(), neutral(seed, resting)).max() > 0.004


@pytest.mark.parametrize("seed", PEOPLE)
@pytest.mark.parametrize("weight", [0.5, 0.75, 1.0])
def test_closing_lids_stay_outside_the_eyeball(seed: int, weight: float) -> None:
    vertices = posed(seed, eyeBlinkLeft=weight, eyeBlinkRight=weight)
    centres = model().joint_regressor @ vertices
    for lids in find_lid_margins(model()):
        centre = centres[lids.joint]
        skin = vertices[lids.spread.region[lids.lids[lids.outer]]]
        moved = np.linalg.norm(shapes(seed)[lids.shape][lids.spread.region[lids.lids[lids.outer]]], axis=1) > 0.003
        ahead = skin[moved] - centre
        towards = ahead / np.linalg.norm(ahead, axis=1, keepdims=True)
        side = "eyeLeft" if centre[0] > 0 else "eyeRight"
        hits = Scene(vertices, model().triangles[model().part(side)]).cast(
            np.broadcast_to(centre, towards.shape).astype(np.float32), towards.astype(np.float32)
        )
        # Margins touch the ball at rest and leave it on the way.
        assert (np.linalg.norm(ahead, axis=1) - hits.distance).min() > -0.0001 - 0.0004 * (1 - weight)


@pytest.mark.parametrize("seed", PEOPLE)
@pytest.mark.parametrize("weight", [0.25, 0.5, 1.0])
def test_mouth_close_undoes_jaw_open_at_every_weight(seed: int, weight: float) -> None:
    closed = lip_gap(model(), posed(seed, jawOpen=weight, mouthClose=weight))
    assert closed.min() > -CLOSED_M
    pairs = find_lip_pairs(model())
    across = neutral(seed)[pairs.lower, 0]
    columns = [closed[np.abs(across - x) < 0.002].min() for x in np.linspace(-0.015, 0.015, 7)]
    assert max(columns) < CLOSED_M
    assert np.median(lip_gap(model(), posed(seed, jawOpen=1))) > 0.01


@pytest.mark.parametrize("seed", PEOPLE)
def test_lips_do_not_pass_through_each_other(seed: int) -> None:
    assert lip_gap(model(), neutral(seed)).min() > -0.0001
    for pair in (("mouthPressLeft", "mouthPressRight"), ("mouthRollLower",), ("mouthRollUpper",)):
        assert lip_gap(model(), posed(seed, **dict.fromkeys(pair, 1.0))).min() > -0.0006, pair


@pytest.mark.parametrize("seed", PEOPLE)
def test_lower_teeth_stay_rigid_and_upper_teeth_still(seed: int) -> None:
    assert not shapes(seed)[:, members("teethUpper")].any()
    lower = members("teethLower")
    opened = posed(seed, jawOpen=1)[lower]
    sample = lower[:: max(1, len(lower) // 60)]
    at = np.searchsorted(lower, sample)
    before = np.linalg.norm(neutral(seed)[sample][:, None] - neutral(seed)[sample][None], axis=2)
    after = np.linalg.norm(opened[at][:, None] - opened[at][None], axis=2)
    np.testing.assert_allclose(after, before, atol=1e-5)
    assert (opened[:, 1] - neutral(seed)[lower, 1]).mean() < -0.01


@pytest.mark.parametrize("seed", PEOPLE)
def test_lashes_stay_on_their_lids(seed: int) -> None:
    if not len(model().part("lashes")):
        pytest.skip("this head has no lashes")
    lashes = members("lashes")
    margins = np.concatenate([np.concatenate([lids.upper, lids.lower]) for lids in find_lid_margins(model())])

    def nearest(vertices: np.ndarray) -> np.ndarray:
        return np.linalg.norm(vertices[lashes][:, None] - vertices[margins][None], axis=2).min(1)

    rooted = nearest(neutral(seed)) < 0.0015
    assert rooted.sum() > 20
    assert nearest(posed(seed, eyeBlinkLeft=1, eyeBlinkRight=1))[rooted].max() < 0.004


def test_two_peoples_jaws_open_differently() -> None:
    people = range(1, 7)
    deltas = np.stack([shapes(seed)[ARKIT_INDEX["jawOpen"]][members("face")].ravel() for seed in people])
    alike = np.corrcoef(deltas)[np.triu_indices(len(people), 1)]
    assert alike.mean() < 0.992
    assert alike.max() < 0.996
