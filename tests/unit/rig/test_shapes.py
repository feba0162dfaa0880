"""This person's own 52 shapes: every one acts where it should, and contacts hold on this very head."""

from functools import lru_cache

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.head import HeadModel
from avatar3d.head.deform import shape_head
from avatar3d.head.load import load_head_model
from avatar3d.render.raycast import Scene
from avatar3d.rig.glide import own_glide
from avatar3d.rig.incisors import seat_teeth, teeth_shown
from avatar3d.rig.jaw import jaw_way, own_jaw, plan_jaw
from avatar3d.rig.lids import find_lid_margins, lid_gap
from avatar3d.rig.lips import find_lip_pairs, lip_gap, settle_lips
from avatar3d.rig.morphs import person_shapes
from avatar3d.rig.mouth import tuck_teeth

PEOPLE = (1, 2, 3)
CLOSED_M = 0.0003
# Shapes in which the scans' mean lets the lips do what they should not: part, or hide the teeth of an open mouth.
PARTED = ("jawOpen", "cheekPuff", "jawForward", "mouthLeft", "mouthRight")


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
    return seat_teeth(head, settle_lips(head, (born + np.float32(resting) * blinks).astype(np.float32)))


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


MENDED = ("eyeBlink", "mouthClose", "mouthPress", "mouthRoll", *PARTED)


def test_the_mean_head_gets_the_models_own_expressions() -> None:
    head = model()
    skin = members("face")
    untouched = [i for i, name in enumerate(ARKIT_NAMES) if not name.startswith(MENDED)]
    transferred = person_shapes(head, head.rest)
    np.testing.assert_allclose(transferred[untouched][:, skin], head.expression[untouched][:, skin], atol=2e-5)


@pytest.mark.parametrize("name", PARTED)
def test_a_shape_with_mended_lips_is_the_models_own_but_for_the_lips(name: str) -> None:
    head = model()
    skin = members("face")
    lips = head.rest[np.unique(find_lip_pairs(head).lower)]
    away = np.linalg.norm(head.rest[skin][:, None] - lips[None], axis=2).min(1)
    index = ARKIT_INDEX[name]
    change = np.linalg.norm(person_shapes(head, head.rest)[index] - head.expression[index], axis=1)[skin]
    assert change[away > 0.025].max() < 2e-5
    assert change.max() < (0.006 if name == "jawOpen" else 0.002)


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


def seen_parts(seed: int, weights: dict[str, float]) -> dict[str, int]:
    """Which mouth parts rays from the front meet around the lips, teeth tucked as in the asset."""
    head = model()
    solid = ~np.isin(head.triangle_parts, [head.part_names.index(part) for part in ("lashes", "brows")])
    vertices = tuck_teeth(head, neutral(seed), shapes(seed))
    lip = find_lip_pairs(head).lower
    middle = neutral(seed)[lip[np.argmin(np.abs(neutral(seed)[lip, 0]))]]
    for name, weight in weights.items():
        vertices = vertices + np.float32(weight) * shapes(seed)[ARKIT_INDEX[name]]
    x, y = np.meshgrid(np.linspace(-0.03, 0.03, 90), np.linspace(-0.05, 0.02, 105))
    origins = np.stack([x.ravel() + middle[0], y.ravel() + middle[1], np.full(x.size, 0.4)], axis=1).astype(np.float32)
    hits = Scene(vertices, head.triangles[solid]).cast(
        origins, np.broadcast_to(np.array([0, 0, -1], np.float32), origins.shape).copy()
    )
    parts = head.triangle_parts[solid][hits.triangle[hits.triangle >= 0]]
    names = ("teethUpper", "teethLower", "tongue", "mouth")
    return {name: int((parts == head.part_names.index(name)).sum()) for name in names}


@pytest.mark.parametrize("seed", PEOPLE)
@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"jawOpen": 0.5, "mouthClose": 0.5},
        {"jawOpen": 1, "mouthClose": 1},
        {"mouthPressLeft": 1, "mouthPressRight": 1},
        {"mouthPucker": 1},
        {"cheekPuff": 1},
        {"jawForward": 1},
        {"mouthRollUpper": 1},
        {"mouthRollLower": 1},
        {"mouthShrugLower": 1, "mouthShrugUpper": 1},
        {"mouthFrownLeft": 1, "mouthFrownRight": 1},
    ],
    ids="+".join,
)
def test_shut_lips_show_nothing_of_the_mouth_behind_them(seed: int, weights: dict[str, float]) -> None:
    # Rows of rays are 0.67 mm apart. Where a rolled lip dips behind the teeth, one row may see their edges.
    hairline = 30 if any(name.startswith("mouthRoll") for name in weights) else 12
    assert sum(seen_parts(seed, weights).values()) <= hairline


@pytest.mark.parametrize("seed", PEOPLE)
def test_an_open_mouth_shows_upper_teeth_lower_edges_and_tongue(seed: int) -> None:
    assert 0.002 < teeth_shown(model(), neutral(seed))[0] < 0.003
    upper, lower = teeth_shown(model(), neutral(seed), neutral(seed) + shapes(seed)[ARKIT_INDEX["jawOpen"]])
    assert 0.004 < upper < 0.006
    assert 0.0015 < lower < 0.005
    for weight in (0.4, 1.0):
        seen = seen_parts(seed, {"jawOpen": weight})
        assert seen["teethUpper"] > 60
    assert seen_parts(seed, {"jawOpen": 1.0})["teethLower"] > 20
    assert seen_parts(seed, {"jawOpen": 1.0})["tongue"] > 500


def test_chins_go_where_their_mandibles_take_them() -> None:
    plan, jaw = plan_jaw(model()), ARKIT_INDEX["jawOpen"]

    def off(motion: np.ndarray, vertices: np.ndarray) -> float:
        """Angle between the chin's motion and its bone's in the sagittal plane, degrees."""
        bone = jaw_way(model(), vertices, np.array([plan.gnathion], np.int32))[0]
        skin = motion[plan.gnathion]
        return float(np.degrees(np.arctan2(skin[2], -skin[1]) - np.arctan2(bone[2], -bone[1])))

    mean = off(model().expression[jaw], model().rest)
    beyond = np.array([off(shapes(seed)[jaw], neutral(seed)) - mean for seed in range(1, 7)])
    assert np.sqrt(np.mean(beyond**2)) < 1.2  # transferred alone: 3.4, and 8.6 at worst
    assert np.abs(beyond).max() < 2


def test_a_long_lower_face_opens_further() -> None:
    head = model()
    plan = plan_jaw(head)
    below = np.clip((head.rest[plan.stomion, 1] - head.rest[:, 1]) / 0.04, 0, 1)[:, None]
    long = (head.rest - 0.008 * below * np.array([0, 1, 0])).astype(np.float32)

    def lips_way(vertices: np.ndarray) -> float:
        return float(np.linalg.norm(jaw_way(head, vertices, np.array([plan.stomion], np.int32))))

    assert own_jaw(head, head.rest)[1] == pytest.approx(1, abs=1e-5)
    assert lips_way(long) > 1.1 * lips_way(head.rest)


def test_two_peoples_jaws_open_differently() -> None:
    people = range(1, 7)
    deltas = np.stack([shapes(seed)[ARKIT_INDEX["jawOpen"]][members("face")].ravel() for seed in people])
    alike = np.corrcoef(deltas)[np.triu_indices(len(people), 1)]
    assert alike.mean() < 0.99


def test_a_hinge_glides_as_far_as_people_s_do_and_the_mean_head_s_not_at_all() -> None:
    head = model()
    heads = [shape_head(head, np.random.default_rng(seed).normal(size=len(head.identity)).astype(np.float32))
             for seed in range(60)]  # fmt: skip
    glides = np.stack([own_glide(head, vertices, 0.0411) for vertices in heads])
    assert np.all(glides[:, 0] == 0)
    assert 0.002 < np.sqrt(np.sum(glides.std(0) ** 2)) < 0.004  # 2.8 mm along the path, 1.6 across it
    assert not own_glide(head, head.rest, 0.0411).any()


def test_the_same_person_mirrored_or_fitted_a_little_otherwise_glides_alike() -> None:
    head = model()
    identity, error = np.random.default_rng(5).normal(size=(2, len(head.identity))).astype(np.float32)
    own = own_glide(head, shape_head(head, identity), 0.0411)
    again = own_glide(head, shape_head(head, identity + 0.1 * error), 0.0411)
    assert np.linalg.norm(own - again) < 0.001  # people differ by 3 mm
    mirrored = shape_head(head, identity)[head.mirror] * np.array([-1, 1, 1], np.float32)
    np.testing.assert_allclose(own_glide(head, mirrored, 0.0411), own, atol=1e-4)
