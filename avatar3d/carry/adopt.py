"""Lays our own head's mesh on another model's mean and carries that model's modes over.

    source --turned and shifted onto ours--> its skin --our skin laid on it--> place of each vertex --> modes read off there
                                                                                  +--> eyes, teeth, tongue, lashes follow

What the other model's skin does not reach (a bust below its neck, the inside of the lips) goes with what is next to it.
Small parts go with the person that the skin looks like among ours, and then as far as the skin around them goes beyond
that; the eyeballs go where the other model has its own. All of it is linear in the skin, so that modes are modes again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float32, Float64, Int64
from scipy.sparse.linalg import splu
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from avatar3d.carry.register import lay_on
from avatar3d.carry.sheet import Sheet
from avatar3d.core.head import HeadModel

_ROUNDS: Final = 12
_FACE_M: Final = 0.03
"""Rigidly only what lies this far before the middle of the eyes and behind it, or less, is matched: hair and necks differ."""
_TRIMMED: Final = 0.8
_FADING: Final = 0.002
"""What is not reached follows over some twenty vertices."""
_RIDGE: Final = 0.01
"""Of the skin's own spread: how much a person must look like it before small parts follow."""
_NEIGHBOURS: Final = 6
_AROUND_MOUTH_M: Final = 0.035
_AROUND_EYE_M: Final = 0.022
_ALIKE: Final = 0.35
_NOISES_M: Final = (
    0.006,
    0.005,
    0.004,
    0.003,
    0.003,
    0.002,
    0.002,
    0.0015,
    0.0015,
    0.001,
    0.001,
    0.001,
    0.0007,
    0.0007,
    0.0007,
)
"""How far the other skin may be from that of the person of ours who is most like it, from round to round."""
_PLACES: Final = 300.0
"""A skin counts as so many independent measurements."""
_SLIDING: Final = 0.05
"""What sliding along the skin costs, against leaving it."""
_FOLDED: Final = 0.05
"""Cosine between a triangle's normal and its corners' below which it counts as folded over."""
_UNFOLDINGS, _EVENINGS = 12, 4
_OFF_M: Final = 0.0007
"""Unfolded skin that is further away from the other's tells nothing of it."""
_SAME_SIZE: Final = (0.8, 1.25)
"""Eyeballs of people differ by less; other things that models call eyes do not count."""
_NO_VERTICES: Final = (np.zeros(0, np.int64), np.zeros((0, 3)))


@dataclass(frozen=True, eq=False)
class Donor:
    """What is taken from the other model: its skin, its modes, its eyes. Metres, our axes, anywhere in space."""

    vertices: Float32[np.ndarray, "N 3"]
    triangles: np.ndarray
    modes: Float32[np.ndarray, "M N 3"]
    """Identity and expression modes alike."""
    eyes: tuple[np.ndarray, np.ndarray]
    """Vertices of the left and the right ball; empty where it has none."""
    eye_centres: tuple[Float32[np.ndarray, "3"], Float32[np.ndarray, "3"]]


@dataclass(frozen=True, eq=False)
class Adopted:
    """Our mesh as the other model's people."""

    rest: Float32[np.ndarray, "V 3"]
    modes: Float32[np.ndarray, "M V 3"]
    distance_m: Float64[np.ndarray, "S"]
    """How far the skin's vertices lie from the other skin, where that told about them."""
    told: float
    """Share of the skin's vertices of which it did."""


def adopt(model: HeadModel, donor: Donor) -> Adopted:
    """Rest and modes for our topology."""
    skin = np.unique(model.triangles[model.part("face")]).astype(np.int64)
    number = np.full(len(model.rest), -1)
    number[skin] = np.arange(len(skin))
    own = Sheet(model.rest[skin].astype(np.float64), number[model.triangles[model.part("face")]].astype(np.int64))
    turn, shift = _placed(model, own, donor)
    members = np.unique(donor.triangles)
    there = np.full(len(donor.vertices), -1)
    there[members] = np.arange(len(members))
    moved = donor.vertices @ turn.T + shift
    theirs = Sheet(moved[members], there[donor.triangles].astype(np.int64))
    gone, further, beside = _look_alike(model, skin, own, theirs)
    turn, shift = further @ turn, further @ shift + beside
    moved = donor.vertices @ turn.T + shift
    theirs = theirs.moved(moved[members])
    points, met = lay_on(own.moved(own.points + gone), theirs, _NO_VERTICES)
    points, unfolded = _unfolded(own, points)
    laid = own.moved(points)
    found = theirs.nearest(laid.points, laid.normals, least_alike=_ALIKE, turn_m=0.003)
    known = met & (found.alike > _ALIKE) & ~(unfolded & (found.distance_m > _OFF_M))
    spread = _spreader(laid, known)
    follow = _follower(model, skin)
    rest = model.rest + follow(points - own.points)
    modes = np.zeros((len(donor.modes), *rest.shape), np.float32)
    for row, mode in enumerate(theirs.at(found, donor.modes[:, members] @ turn.T.astype(np.float32))):
        modes[row] = follow(spread(mode))
    for side, (ball, centre) in enumerate(zip(donor.eyes, donor.eye_centres, strict=True)):
        _place_eye(model, side, moved[ball], turn @ centre + shift, donor.modes[:, ball] @ turn.T, rest, modes)
    rest = 0.5 * (
        rest + rest[model.mirror] * [-1, 1, 1]
    )  # means of people are symmetric, up to how they were registered
    return Adopted(rest.astype(np.float32), modes, found.distance_m[known], float(np.mean(known)))


def _look_alike(
    model: HeadModel, skin: Int64[np.ndarray, "S"], own: Sheet, theirs: Sheet
) -> tuple[Float64[np.ndarray, "S 3"], Float64[np.ndarray, "3 3"], Float64[np.ndarray, "3"]]:
    """How our mean skin moves to look like the one of our own people who is most like the other mean, and the rigid motion
    that lays the other skin on that person's.

    People's statistics know where lips, lids and nostrils go, and how a head is held; nearness alone does not.
    """
    basis = model.identity[:, skin].astype(np.float64)
    gone = np.zeros_like(own.points)
    turn, shift = np.eye(3), np.zeros(3)
    for noise_m in _NOISES_M:
        now = own.moved(own.points + gone)
        placed = theirs.moved(theirs.points @ turn.T + shift)
        found = placed.nearest(now.points, now.normals, least_alike=_ALIKE, turn_m=0.006)
        trust = ((found.alike > 0.5) & (found.distance_m < 10 * noise_m)) * (_PLACES / len(skin)) / noise_m**2
        normal = placed.face_normals[found.triangle]
        across = np.einsum("ksc,sc->ks", basis, normal)
        goal = found.point - own.points
        gram = (across * trust) @ across.T + _SLIDING * np.einsum("ksc,s,lsc->kl", basis, trust, basis, optimize=True)
        right = across @ (trust * (goal * normal).sum(1)) + _SLIDING * np.einsum(
            "ksc,s,sc->k", basis, trust, goal, optimize=True
        )
        person = np.linalg.solve(gram + np.eye(len(basis)), right)
        gone = np.einsum("k,ksc->sc", person, basis)
        step, beside = _rigid(found.point, own.points + gone, trust)
        turn, shift = step @ turn, step @ shift + beside
    return gone, turn, shift


def _rigid(
    points: Float64[np.ndarray, "N 3"], goal: Float64[np.ndarray, "N 3"], trust: Float64[np.ndarray, "N"]
) -> tuple[Float64[np.ndarray, "3 3"], Float64[np.ndarray, "3"]]:
    """The rotation and shift of least squares (Kabsch 1976)."""
    from_, to = np.average(points, axis=0, weights=trust), np.average(goal, axis=0, weights=trust)
    turn = Rotation.align_vectors(goal - to, points - from_, weights=trust)[0].as_matrix()
    return turn, to - turn @ from_


def _unfolded(
    own: Sheet, points: Float64[np.ndarray, "V 3"]
) -> tuple[Float64[np.ndarray, "V 3"], Bool[np.ndarray, "V"]]:
    """Without triangles that were turned inside out: there the displacement is made even until none is left. Also where."""
    gone, touched = points - own.points, np.zeros(len(points), bool)
    turned = np.zeros(len(points), bool)
    for _ in range(_UNFOLDINGS):
        now = own.moved(own.points + gone)
        facing = np.einsum("fkc,fc->fk", now.normals[own.triangles], now.face_normals).min(1)
        before = np.einsum("fkc,fc->fk", own.normals[own.triangles], own.face_normals).min(1)
        wrong = np.unique(own.triangles[(facing < _FOLDED) & (before > _FOLDED)])
        if not len(wrong):
            break
        turned[:] = False
        turned[wrong] = True
        turned[own.edges[turned[own.edges].any(1)]] = True
        for _ in range(_EVENINGS):
            gone[turned] -= (own.laplacian @ gone)[turned]
        touched |= turned
    return own.points + gone, touched


def _place_eye(
    model: HeadModel,
    side: int,
    ball: np.ndarray,
    centre: np.ndarray,
    modes: np.ndarray,
    rest: np.ndarray,
    out: np.ndarray,
) -> None:
    """Our ball where the other model's is, as large; it goes where that goes. Left to the lids where it has none."""
    joint = model.joint_regressor[model.joint_names.index(("leftEye", "rightEye")[side])]
    own = np.unique(model.triangles[model.part(("eyeLeft", "eyeRight")[side])])
    middle = joint @ model.rest
    size = _radius(ball, centre) / _radius(model.rest[own], middle) if len(ball) else 0.0
    if _SAME_SIZE[0] < size < _SAME_SIZE[1]:
        rest[own] = centre + size * (model.rest[own] - middle)
        out[:, own] = modes.mean(1)[:, None]


def _radius(ball: np.ndarray, centre: np.ndarray) -> float:
    return float(np.median(np.linalg.norm(ball - centre, axis=1)))


def _placed(model: HeadModel, own: Sheet, donor: Donor) -> tuple[Float64[np.ndarray, "3 3"], Float64[np.ndarray, "3"]]:
    """The rigid motion that lays the other face on ours, eyes first; nothing is scaled: models are life-size."""
    eyes = [model.joint_names.index(name) for name in ("leftEye", "rightEye")]
    ours = (model.joint_regressor @ model.rest)[eyes].astype(np.float64)
    theirs = np.stack(donor.eye_centres).astype(np.float64)
    turn, shift = np.eye(3), ours.mean(0) - theirs.mean(0)
    sheet = Sheet(donor.vertices.astype(np.float64), donor.triangles.astype(np.int64))
    front = own.points[:, 2] > ours[:, 2].mean() - _FACE_M
    front &= np.abs(own.points[:, 1] - ours[:, 1].mean() + 0.03) < 0.09
    points, normals = own.points[front], own.normals[front]
    for _ in range(_ROUNDS):
        now = sheet.moved(sheet.points @ turn.T + shift)
        found = now.nearest(points, normals, least_alike=_ALIKE, turn_m=0.01)
        near = found.distance_m <= np.quantile(found.distance_m, _TRIMMED)
        step, beside = _rigid(found.point[near], points[near], np.ones(int(near.sum())))
        turn, shift = step @ turn, step @ shift + beside
    return turn, shift


def _spreader(laid: Sheet, known: Bool[np.ndarray, "V"]) -> Callable[[np.ndarray], np.ndarray]:
    """Fills displacements where nothing is known: as the neighbours', and less with every step away."""
    free, held = np.flatnonzero(~known), np.flatnonzero(known)
    if not len(free):
        return lambda field: field
    rows = laid.laplacian[free]
    system = splu((rows[:, free] + _FADING * sp.identity(len(free))).tocsc())

    def spread(field: np.ndarray) -> np.ndarray:
        filled = field.astype(np.float64)
        filled[free] = system.solve(-(rows[:, held] @ filled[held]))
        return filled

    return spread


def _follower(model: HeadModel, skin: Int64[np.ndarray, "S"]) -> Callable[[np.ndarray], np.ndarray]:
    """A linear map from the skin's displacement [S 3] to that of every vertex [V 3]."""
    basis = model.identity[:, skin].reshape(len(model.identity), -1).astype(np.float64)
    gram = basis @ basis.T
    gram += _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    others = np.setdiff1d(np.arange(len(model.rest)), skin)
    flat = model.identity[:, others].reshape(len(model.identity), -1)
    beyond = _beyond(model, skin, others)

    def follow(gone: np.ndarray) -> np.ndarray:
        person = np.linalg.solve(gram, basis @ gone.ravel().astype(np.float64))
        left = gone - (person @ basis).reshape(-1, 3)
        field = np.zeros((len(model.rest), 3), np.float32)
        field[skin] = gone
        field[others] = (person.astype(np.float32) @ flat).reshape(-1, 3) + beyond @ left
        return field

    return follow


def _beyond(model: HeadModel, skin: Int64[np.ndarray, "S"], others: Int64[np.ndarray, "O"]) -> Any:
    """Sparse [O S]: which skin tells a vertex beside it how to go beyond our own people. Teeth, tongue and eyeballs go whole."""
    row = np.full(len(model.rest), -1)
    row[others] = np.arange(len(others))
    shares = sp.lil_matrix((len(others), len(skin)))

    def members(*names: str) -> np.ndarray:
        chosen = [model.part(name) for name in names if name in model.part_names]
        found = row[np.unique(model.triangles[np.concatenate(chosen)])] if chosen else np.zeros(0, int)
        return found[found >= 0]

    whole = partial(_together, shares, model.rest[skin])
    for side in ("Left", "Right"):
        ball = members(f"eye{side}")
        whole(ball, model.rest[others[ball]].mean(0), _AROUND_EYE_M)
    teeth = members("teethUpper", "teethLower", "tongue")
    if len(teeth):
        front = model.rest[others[teeth]]
        whole(teeth, front[np.argsort(-front[:, 2])[:50]].mean(0), _AROUND_MOUTH_M)
    riding = members("lashes", "brows", "mouth")
    distance, near = (
        np.asarray(each) for each in KDTree(model.rest[skin]).query(model.rest[others[riding]], k=_NEIGHBOURS)
    )
    share = 1 / np.maximum(distance, 1e-4)
    share /= share.sum(1, keepdims=True)
    for k in range(_NEIGHBOURS):
        shares[riding, near[:, k]] += share[:, k]
    return shares.tocsr().astype(np.float32)


def _together(shares: Any, skin: np.ndarray, rows: np.ndarray, centre: np.ndarray, reach_m: float) -> None:
    """These vertices go as the skin around a place does in the mean."""
    near = np.flatnonzero(np.linalg.norm(skin - centre, axis=1) < reach_m)
    if len(rows) and len(near):
        shares[np.ix_(rows, near)] = 1 / len(near)
